"""What diagnose asks on its way, each by itself: rounding errors, places, names, labels."""

from types import SimpleNamespace

import numpy as np
import pytest

from jacobian_bp import Convention, Network, diagnose
from jacobian_bp.coursework.diagnosis.evidence.matching import Precision
from jacobian_bp.coursework.diagnosis.evidence.proofs import Place, places
from jacobian_bp.coursework.diagnosis.evidence.rounded_on_paper import before_rounding
from jacobian_bp.coursework.diagnosis.evidence.search import (
    VANISHED,
    Hypothesis,
    Question,
    both_vanish,
)
from jacobian_bp.coursework.diagnosis.evidence.strength import says_little
from jacobian_bp.coursework.diagnosis.key_names import key_by
from jacobian_bp.coursework.diagnosis.mutations.mutation import Facts
from jacobian_bp.coursework.diagnosis.mutations.of_cost import (
    class_numbers_for_rows,
    labels_against_a_column,
)
from jacobian_bp.coursework.diagnosis.mutations.of_graph import is_statistic, makes_a_statistic
from jacobian_bp.coursework.diagnosis.passes.pass_lines import backward_pass
from jacobian_bp.derivation.ready_made import find_convention

RNG = np.random.default_rng(367)


def normal(*shape):
    return RNG.normal(size=shape)


# --- rounding ----------------------------------------------------------------------


def test_deltas_that_cancel_vanish_together_in_a_shape_of_their_own():
    right = np.array([0.5, -2.0, 1.0])
    most = VANISHED * 2.0
    left, other = np.array([0.0, most, -most / 3, 0, 0]), np.array([-most, 0, 0, most, 0])
    assert both_vanish(left, other, right)
    assert not both_vanish(2 * left, other, right)
    assert not both_vanish(left, 2 * other, right)
    assert not both_vanish(0 * left, other, right)
    assert not both_vanish(left, other[:, None], right)
    assert not both_vanish(left[:3], other[:3], right)
    assert not both_vanish(left[:0], other[:0], right)
    assert not both_vanish(left, other, right[:0])


def asked(right, precision):
    """A question whose mistakes add 1, 2, … to the right array, which is computed already."""
    return Question("W1", lambda changes: right + 1 / len(changes), right, [], precision, right)


def hypothesis(factor, changes):
    return Hypothesis(("sign",), 1, 10, "W1", factor, changes=changes)


@pytest.mark.parametrize("changes", [{}, {("z1", "a1", 0): None}])
@pytest.mark.parametrize("factor", [None, -2.0])
def test_the_numbers_before_they_were_rounded_are_those_that_a_mistake_gives(factor, changes):
    first, second = normal(3, 5), normal(3, 5)
    rounded = Precision(decimals=3, digits=4)
    questions = [asked(first, rounded), asked(second, rounded)]
    given = second + len(changes)
    exact = before_rounding(questions, hypothesis(factor, changes), np.round(given, 3))
    np.testing.assert_array_equal(exact, given, strict=True)
    assert before_rounding(questions, hypothesis(factor, changes), 2 * given) is None
    exact = before_rounding(questions, hypothesis(factor, changes), np.round(-2 * given, 3))
    if factor is None:
        assert exact is None
    else:
        np.testing.assert_array_equal(exact, -2 * given, strict=True)
    assert before_rounding(questions, hypothesis(factor, changes), given + 0.01) is None


def test_a_mistake_that_gives_nothing_was_not_rounded():
    unfit = Question("W1", lambda changes: normal(3) + normal(5), normal(3), [], Precision(), 0)
    assert before_rounding([unfit], hypothesis(2.0, {("z1", "a1", 0): None}), normal(3)) is None


def test_a_statistic_has_the_shape_of_one_and_a_constant_is_none_of_zeros():
    x = normal(3, 5) + 0.5
    assert not is_statistic(x.mean(), x, (0,))
    assert not is_statistic(x.mean(0)[None], x, (0,))
    assert is_statistic(np.zeros(0), np.zeros((3, 0)), (0,))
    variance = x.var(0)
    barely = [variance * 1.0999, variance * 1.1001]  # one more in each: no number is added
    assert [is_statistic(each, x, (0,)) for each in barely] == [False, False]
    one = normal(5)
    alone = [is_statistic(np.asarray(one.var() * k), one, (0,)) for k in (1.09, 1.11, 1 - 1e-6)]
    assert alone == [True, False, False]
    of_roots = [np.asarray((one.var() * k) ** -0.5) for k in (1.09, 1.11)]
    assert [is_statistic(each, one, (0,)) for each in of_roots] == [True, False]
    assert not is_statistic(np.array([0.0, 2, 3, 4, 5]), x, (0,))
    assert is_statistic(np.zeros(5), np.ones((3, 5)), (0,))  # the variance of what does not vary


def test_a_step_that_makes_a_statistic_drops_the_first_axes_or_the_last():
    x, column, values = normal(2, 3, 5), normal(3, 1), {}
    facts = SimpleNamespace(values=values, params={"W": x})

    def made_of(read, array, kind="op", target="x"):
        values.update({target: read, "m": array})
        line = SimpleNamespace(kind=kind, source="m", target=target)
        return makes_a_statistic(line, facts)

    assert all(made_of(x, x.mean(axes)) for axes in [(0,), (2,), (0, 1), (1, 2), (0, 1, 2)])
    assert not made_of(x, x.mean(1))
    assert not made_of(x, x.sum(0))
    for kind in ("cost", "share", "penalty"):
        assert not made_of(x, x.mean(0), kind)
    assert not made_of(x, x.mean(0), target="W")
    assert not made_of(x, x)
    assert not made_of(column, column[:, 0])  # over one unit alone
    assert not made_of(x[0], x)
    assert not made_of(x, x.mean(0, keepdims=True))


# --- places ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "wrong", "said"),
    [
        ((3, 5), [(1, 2)], "Wrong in one entry only: [3,3] (counted from 0)."),
        ((3, 5), [(1, k) for k in range(5)], "Wrong in 1 row only: 3 (counted from 0)."),
        ((3, 5), [(n, 4) for n in range(3)], "Wrong in 1 column only: 5 (counted from 0)."),
        ((3, 5), [(n, k) for n in (0, 2) for k in range(5)], "Right in 1 row: 3 (counted from 0)."),
        ((3, 5), [(0, 0), (1, 1), (2, 2), (0, 3), (1, 4)], "10 of 15 entries are right."),
        ((5,), [(2,)], "Wrong in 1 weight only: 2 (counted from 0)."),
        ((5,), [(0,), (1,), (3,), (4,)], "Right in 1 weight: 2 (counted from 0)."),
        ((2, 3, 5), [(1, 0, 4)], "Wrong in one entry only: [1,0,4] (counted from 0)."),
        ((3, 5), [(n, k) for n in range(3) for k in range(5)], None),
        ((), [()], None),
        ((), [], None),
    ],
)  # fmt: skip
def test_where_an_array_is_wrong_is_counted_as_it_was_handed_in(shape, wrong, said):
    right = normal(*shape)
    array = np.array(right)
    for index in wrong:
        array[index] += 1
    found = places(array, right, Precision(), Place((2, 1), "weight"))
    assert found == ([said] if said else [])


def test_what_typing_does_to_an_entry_does_not_make_it_wrong():
    right = normal(3, 5)
    array = np.round(right, 3)
    array[2, 1] += 1
    rounded = Precision(decimals=3, digits=4)
    assert places(array, right, rounded) == ["Wrong in one entry only: [2,1] (counted from 0)."]
    assert places(array, right, Precision()) == []


# --- names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("z2", "z2"),
        ("delta2", "z2"),
        ("dW2", "W2"),
        ("grad_W2", "W2"),
        ("W2_gradient", "W2"),
        ("dz2_dW2", ("z2", "W2")),
        ("dz2/dW2", ("z2", "W2")),
        ("J/z2", ("J", "z2")),
        ("z2_J", ("z2", "J")),
        ("z2_foo", None),
        ("foo_z2", None),
        ("_z2", None),
        ("z2_", None),
        ("_", None),
        ("", None),
    ],
)
def test_a_name_stands_for_a_value_or_for_two(name, key):
    assert key_by(name, Convention(), ["J", "z2", "W2", "a1"]) == key


def test_a_name_of_another_convention_means_its_layer_or_nothing():
    known = ["x", "z1", "W1", "a1", "z2", "W2", "a2", "J"]
    names = {"dZ2": "z2", "dZ3": None, "dA1": "a1", "dZ2_dW2": ("z2", "W2"), "X": "x"}
    written = find_convention("ng").convention
    assert {name: key_by(name, written, known) for name in names} == names
    second = find_convention("nielsen").convention  # whose first weights have the number 2
    names = {"z2": "z1", "z1": None, "delta3": "z2", "W2": "W1", "z4": None}
    assert {name: key_by(name, second, known) for name in names} == names


# --- labels ------------------------------------------------------------------------


def proposed(change, run, target):
    """Note, tag and likelihood of each mistake of one kind, with the delta that it gives."""
    facts = Facts(backward_pass(run.forward_pass), frozenset())
    lines = [line for line in facts.backward.lines if line.kind == "cost"]
    found = {}
    for line in lines:
        for wrong in change(line, facts):
            changes = {**facts.in_place_of(line, wrong.line), **wrong.also}
            found[wrong.tag, wrong.prior, wrong.note] = facts.backward.value(target, changes)
    return found


def one_column(loss, last, examples=7):
    net = Network.dense([3, 5, 1], ["tanh", last], loss, seed=3)
    return net.run(normal(examples, 3), RNG.integers(0, 2, (examples, 1)) * 1.0)


@pytest.mark.parametrize(
    ("loss", "last", "scale"),
    [("half_squared_error", "identity", 1), ("squared_error", "identity", 2)],
)
def test_labels_against_a_column_are_a_table_whose_means_and_sums_are_told(loss, last, scale):
    run = one_column(loss, last)
    p, y = run["a2"], run["y"]
    table = scale * (p - y.T)
    rows, columns = "all labels", "all predictions"
    expected = {
        ("table", 0, "an m×m table"): table / 7,
        ("turned", 1, "an m×m table"): table.T / 7,
        ("mean", 0, f"the mean over {rows}"): table.mean(1)[:, None] / 7,
        ("sum", 0, f"the sum over {rows}"): table.sum(1)[:, None] / 7,
        ("mean0", 3, f"the mean over {columns}"): table.mean(0)[:, None] / 7,
        ("sum0", 3, f"the sum over {columns}"): table.sum(0)[:, None] / 7,
        ("mean after", 4, f"the mean over {columns}"): table.mean(0)[:, None] / 7,
    }
    found = proposed(labels_against_a_column, run, "z2")
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, rtol=1e-12)


def test_the_whole_table_goes_through_a_slope_and_is_averaged_then():
    run = one_column("half_squared_error", "tanh")
    table = (run["a2"] - run["y"].T) / 7
    found = proposed(labels_against_a_column, run, "z2")
    after = found["mean after", 4, "the mean over all predictions"]
    np.testing.assert_allclose(after, (table * (1 - run["a2"] ** 2)).mean(0)[:, None], rtol=1e-12)
    assert len(found) == 7


def test_one_example_and_two_columns_have_no_such_table():
    net = Network.dense([3, 5, 1], ["tanh", "identity"], "half_squared_error", seed=3)
    assert proposed(labels_against_a_column, net.run(normal(3), normal(1)), "z2") == {}
    net = Network.dense([3, 5, 2], ["tanh", "identity"], "half_squared_error", seed=3)
    assert proposed(labels_against_a_column, net.run(normal(7, 3), normal(7, 2)), "z2") == {}
    steps = ("z = Linear(x, W)", "L = HalfSquaredError(z, y)", "J = Mean(L)")
    net = Network.program(*steps, params={"W": normal(2, 3)})
    run = net.run(x=normal(7, 1, 3), y=normal(7, 1, 2), axes={"x": "n,t"})  # one token each
    assert proposed(labels_against_a_column, run, "z") == {}


def test_labels_without_their_axis_are_those_of_a_column_too():
    net = Network.dense([3, 5, 1], ["tanh", "sigmoid"], "bce", seed=3)
    run = net.run(normal(7, 3), RNG.integers(0, 2, 7) * 1.0)
    table = run["a2"] - np.reshape(run["y"], (1, 7))
    found = proposed(labels_against_a_column, run, "z2")
    np.testing.assert_allclose(found["table", 0, "an m×m table"], table / 7, rtol=1e-12)


def test_the_class_number_of_one_example_is_taken_from_every_entry():
    net = Network.dense([3, 4, 5], ["tanh", "softmax"], "cross_entropy", seed=3)
    run = net.run(normal(3), np.eye(5)[2])
    ((_, array),) = proposed(class_numbers_for_rows, run, "z2").items()
    np.testing.assert_allclose(array, run["a2"] - 2, rtol=1e-12)


@pytest.mark.parametrize("examples", [7, 5])
def test_class_numbers_are_taken_from_the_rows_or_where_shapes_allow_from_the_columns(examples):
    net = Network.dense([3, 4, 5], ["tanh", "softmax"], "cross_entropy", seed=3)
    classes = np.arange(examples) % 5
    run = net.run(normal(examples, 3), np.eye(5)[classes])
    p = run["a2"]
    expected = {("", 0): (p - classes[:, None]) / examples}
    if examples == 5:
        expected["row", 0] = (p - classes) / examples
    found = proposed(class_numbers_for_rows, run, "z2")
    assert {(tag, prior) for tag, prior, _ in found} == expected.keys()
    for (tag, prior, note), array in found.items():
        assert note == "p − class number"
        np.testing.assert_allclose(array, expected[tag, prior], rtol=1e-12)


def test_class_numbers_of_0_are_no_likelier_than_no_labels_and_other_losses_have_none():
    net = Network.dense([3, 4, 5], ["tanh", "softmax"], "cross_entropy", seed=3)
    run = net.run(normal(7, 3), np.eye(5)[np.zeros(7, int)])
    assert [prior for _, prior, _ in proposed(class_numbers_for_rows, run, "z2")] == [50]
    assert proposed(class_numbers_for_rows, one_column("half_squared_error", "tanh"), "z2") == {}


# --- ratios and patterns -----------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "factor", "ratio", "left"),
    [("v = AvgPool1d(x, 2)", "1/2", 2.0, 12), ("v = Dropout(x, m, 0.6, 'c,i')", "5/3", 0.6, 24)],
)
def test_the_number_of_a_step_is_told_before_the_mean_over_as_many_examples(
    line, factor, ratio, left
):
    lines = (line, "f = Flatten(v)", "L = HalfSquaredError(f, y)", "J = Mean(L)")
    data = {"x": normal(2, 3, 8), "y": normal(2, left)}
    if "Dropout" in line:
        data["m"] = (normal(2, 3, 8) > -0.5) * 1.0
    run = Network.program(*lines).run(**data)
    right = np.asarray(run.jacobian("J", "x"))
    for times, how in ((ratio, "without"), (1 / ratio, "with")):
        found = diagnose(run, {"x": times * right})["x"]
        assert found.label == "constant-factor"
        assert f"So it is {how} the factor {factor}, which ∂v/∂x has" in found.remark


@pytest.mark.parametrize(("ratio", "root"), [(3, "√3"), (1 / 3, "√(1/3)"), (3 / 8, "√(3/8)")])
def test_a_root_of_lengths_is_written_as_short_as_it_is(ratio, root):
    run = Network.program("a = Tanh(x)", "L = HalfSquaredError(a, y)", "J = Mean(L)").run(
        x=normal(8, 3), y=normal(8, 3)
    )
    found = diagnose(run, {"x": ratio**0.5 * np.asarray(run.jacobian("J", "x"))})["x"]
    assert found.remark.endswith(f"That is {root}.")


def test_signs_with_zeros_among_them_say_something_and_ones_do_not():
    signs = np.array([-1, 0, 1, 1, 0, -1, 1, 1, 0, 1, 1, 1]) / 7
    assert not says_little(signs)
    assert says_little(np.abs(signs))
    assert says_little(np.where(signs == 0, 1, signs * 7))
    assert says_little(signs[:6])
