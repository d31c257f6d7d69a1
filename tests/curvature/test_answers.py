"""At other numbers of the same shapes the arrays of an answer are had without the rest of it."""

import numpy as np
import pytest
from ops_cases import FORMS

from jacobian_bp import LeakyReLU, Network, Op, delta, dense, ops
from jacobian_bp.curvature.answers import Answers
from jacobian_bp.derivation.op_examples import all_ops, example_of

RNG = np.random.default_rng(20)
EVERY = [cls for room in all_ops().values() for cls in room]


def require_same(state, answers, other):
    """The arrays at the numbers of `other` are those that its ops give when they are asked."""
    asked = Answers.of(other, answers.steps)
    assert asked.looks == answers.looks
    found = answers.again(state).arrays(other)
    for array, expected in zip(found, asked.arrays, strict=True):
        assert np.array_equal(array, expected, equal_nan=True)
        assert not array.flags.writeable


@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_an_op_says_the_same_terms_at_other_numbers(cls):
    entry = example_of(cls)
    arrays = {name: entry.state.values[name] for name in entry.state.program.inputs}
    turned = {name: np.flip(array).copy() for name, array in arrays.items()}
    other = example_of(entry.op, turned)
    answers = Answers.of(entry.state, [entry.step])
    if not cls.keeps_terms or entry.state.program.knows_zeros:
        assert answers.again(entry.state) is None
        return
    require_same(entry.state, answers, other.state)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_where_all_entries_are_alike_the_terms_stay(value):
    for case, batch in FORMS:
        op = case.op
        if not isinstance(op, ops.Activation) or op.has_own_admit:
            continue
        z = np.asarray(case.inputs(batch)[0])
        entry, other = example_of(op, {"z": z}), example_of(op, {"z": np.full_like(z, value)})
        require_same(entry.state, Answers.of(entry.state, [entry.step]), other.state)


def test_of_a_layer_nothing_is_asked_and_of_an_activation_its_slope_and_its_bend():
    net = Network.dense([5, 3, 2], "tanh", seed=7)
    state = net.run(RNG.normal(size=5), RNG.normal(size=2)).forward_pass
    answers = Answers.of(state, state.program.steps)
    asked = [step.name for _, step, _ in answers.again(state).questions]
    assert asked == ["a1", "a2", "J"]
    assert sorted(filter(None, answers.again(state).names)) == ["W1", "W2", "a1", "x"]


class Turning(Op):
    """z³ above a mean of 0, else z: other terms at other numbers."""

    signature = "z[k] -> a[k]"

    def forward(self, z):
        return z**3 if z.mean() > 0 else np.array(z)

    def jacobians(self, z):
        same = delta("k,k'")
        return {"z": same * dense("3z²[k]", 3 * z**2) if z.mean() > 0 else same}

    def second(self, z):
        twice = delta("k,k'") * delta("k,k''")
        return {("z", "z"): twice * dense("6z[k]", 6 * z)} if z.mean() > 0 else {}

    def vjp(self, a_bar, z):
        return {"z": a_bar * (3 * z**2 if z.mean() > 0 else 1)}


def squares_of(op, z):
    net = Network.program("a = Own(x)", "J = Einsum(a, a, 'k,k->')", params={}, ops={"Own": op})
    return net, net.run(z)


def test_an_op_of_ones_own_is_asked_at_all_numbers(monkeypatch):
    z, ones = np.abs(RNG.normal(size=3)) + 1, {"x": np.ones(3)}
    net, run = squares_of(Turning(), z)
    for at, expected in ((z, 30 * z**4), (-z, np.full(3, 2.0)), (z / 2, 30 * (z / 2) ** 4)):
        assert np.allclose(net.run(at).hvp(ones)["x"], expected, rtol=1e-13)
    monkeypatch.setattr(Turning, "keeps_terms", True)  # the mistake
    net, run = squares_of(Turning(), z)
    run.hvp(ones)
    with pytest.raises(IndexError):
        net.run(-z).hvp(ones)


def test_an_option_that_is_changed_is_seen():
    op, z = LeakyReLU(slope=0.5), np.array([-1.0, -2.0, -3.0])
    net, run = squares_of(op, z)
    assert np.allclose(run.hvp({"x": np.ones(3)})["x"], 2 * 0.25)
    op.slope = op.at_zero = 3.0
    for _ in range(2):
        assert np.allclose(net.run(z).hvp({"x": np.ones(3)})["x"], 2 * 9.0)
