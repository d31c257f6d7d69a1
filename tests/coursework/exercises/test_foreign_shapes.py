"""Arrays of shapes that fit no form: refused, and nothing is computed from them."""

import tracemalloc

import numpy as np
import pytest

from jacobian_bp import MemoryLimitError, Network, diagnose, memory_limit
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.grading.grade import _judged

MOST = 64 * 2**20  # bytes; what is refused would take gigabytes
FOREIGN = {
    "empty": np.zeros(0),
    "empty, huge behind": np.zeros((0, 2**28)),
    "empty, huge in front": np.zeros((2**28, 0)),
    "one axis, foreign": np.ones(10_007),
    "a row, foreign": np.ones((1, 10_007)),
    "a column, foreign": np.ones((10_007, 1)),
    "many axes": np.ones((1,) * 9 + (3,)),
    "as many axes as numpy has": np.ones((1,) * 64),
}


def causes(verdicts):
    return {name: (v.status, v.tag, v.cause) for name, v in verdicts.items()}


@pytest.mark.one_in(8)
@pytest.mark.parametrize("shape", FOREIGN)
@pytest.mark.parametrize(
    ("number", "spoilt", "other"),
    [(5, "d2", "db2"), (5, "d3", "dW1"), (2, "delta3", "dW2"), (11, "delta2", "db2")],
)
def test_a_foreign_shape_costs_no_memory_and_no_other_cause(number, spoilt, other, shape):
    task = find_exercise(number).make(7)
    answers = task.answers()
    answers[other] = -np.asarray(answers[other])
    expected = causes(_judged(task, answers).verdicts)
    answers[spoilt] = FOREIGN[shape]
    tracemalloc.start()
    judged = _judged(task, answers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST
    assert judged.undiagnosed == ""
    assert judged.verdicts[spoilt].status == "wrong"
    found = causes(judged.verdicts)
    assert {n: f for n, f in found.items() if n != spoilt} == {
        n: f for n, f in expected.items() if n != spoilt
    }
    assert expected[other][1] == "sign"


@pytest.mark.parametrize("shape", FOREIGN)
def test_diagnose_refuses_a_foreign_shape_and_judges_the_rest(shape):
    net = Network.dense([3, 5, 2], ["tanh", "sigmoid"], "half_squared_error", seed=1)
    rng = np.random.default_rng(3)
    run = net.run(rng.normal(size=(7, 3)), rng.uniform(size=(7, 2)))
    right = run.gradients()
    for key in ("z2", ("z2", "a1")):
        found = diagnose(run, {key: FOREIGN[shape], "b2": 2 * right["b2"], "W1": right["W1"]})
        own = "(7, 2)" if key == "z2" else "(7, 2, 7, 5)"
        name = "z2" if key == "z2" else "∂z2/∂a1"
        assert found[key].label == "unknown"
        assert found[key].proved == (f"Its shape fits no layout of {name}, whose own is {own}.",)
        assert (found["b2"].label, found["W1"].label) == ("constant-factor", "correct")


def test_an_array_that_is_only_claimed_is_refused_before_it_is_copied():
    claimed = np.broadcast_to(0.5, (2**20, 2**20))
    task = find_exercise(2).make(7)
    judged = _judged(task, {**task.answers(), "dW2": claimed}).verdicts
    assert [(name, v.where) for name, v in judged.items() if not v.ok] == [
        ("dW2", "is an array of 1099511627776 entries, which is too large")
    ]
    run = Network.dense([3, 2], ["tanh"], "half_squared_error", seed=1).run(np.ones(3), np.ones(2))
    with memory_limit("1GiB"), pytest.raises(MemoryLimitError) as caught:
        diagnose(run, {"W1": claimed})
    assert str(caught.value) == (
        "W1 has shape (1048576, 1048576): 1,099,511,627,776 entries, 8.0 TiB; the limit is "
        "1.0 GiB.\n  Hand in W1 in the shape of the parameter or value."
    )
