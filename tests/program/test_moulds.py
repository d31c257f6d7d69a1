"""A local Jacobian cast in a mould is the one that is lifted and checked, number for number."""

import numpy as np
import pytest

from jacobian_bp import AxisError, Network, Op, delta, dense
from jacobian_bp.program import forward_pass

RNG = np.random.default_rng(23)
PROGRAM = ("z = Linear(x, W, b)", "a = Softmax(z)", "L = SquaredError(a, y)", "J = Mean(L)")
PARAMS = {"W": RNG.standard_normal((3, 5)), "b": RNG.standard_normal(3)}


@pytest.fixture
def lifted(monkeypatch):
    """The steps that were lifted and checked, in order."""
    seen, link_of = [], forward_pass.link_of

    def noted(step, operand, local):
        seen.append((step.name, operand))
        return link_of(step, operand, local)

    monkeypatch.setattr(forward_pass, "link_of", noted)
    return seen


def draw(*shape):
    return RNG.standard_normal(shape)


@pytest.mark.parametrize("batch", [(), (7,)], ids=["one", "batch"])
def test_a_second_run_takes_the_moulds_of_the_first_and_has_the_bits_of_a_net_of_its_own(
    lifted, batch
):
    net = Network.program(*PROGRAM, params=PARAMS)
    net.run(draw(*batch, 5), draw(*batch, 3)).gradients("full")
    first = len(lifted)
    x, y = draw(*batch, 5), draw(*batch, 3)
    found = net.run(x, y).gradients("full")
    assert len(lifted) == first
    alone = Network.program(*PROGRAM, params=PARAMS).run(x, y).gradients("full")
    assert len(lifted) == 2 * first
    assert all(found[name].tobytes() == alone[name].tobytes() for name in PARAMS)


@pytest.mark.parametrize("batch", [(), (7,)], ids=["one", "batch"])
def test_layers_of_one_shape_are_lifted_once_and_have_their_own_names_and_numbers(lifted, batch):
    net = Network.dense([5] * 6, "tanh", "half_squared_error", seed=3)
    run = net.run(draw(*batch, 5), draw(*batch, 5))
    found = run.gradients("full")
    layers = {name for name, _ in lifted} - {"J", "L"}
    assert layers == {"a5", "z5", "z1"}  # z1 reads x[i], the others a[k]
    for layer in range(1, 6):
        before = f"a{layer - 1}" if layer > 1 else "x"
        by_weights = run.jacobian(f"z{layer}", f"W{layer}")
        assert before in by_weights.formula
        assert f"W{layer}[" in run.jacobian(f"z{layer}", before).formula
        assert np.shares_memory(by_weights.links[0].expression.arrays[0], run[before])
    assert all(np.allclose(found[name], g) for name, g in run.gradients("vjp").items())


def test_two_ops_of_one_signature_that_hand_over_other_factors_share_no_mould():
    one, other = Chosen(), Chosen()
    other.said = lambda a: delta("k,k'") * dense("s[k']", 2 * a)
    net = Network.program(
        "u = One(x)", "v = Other(u)", "w = One(v)", ops={"One": one, "Other": other}
    )
    run = net.run(draw(3))
    formulas = [run.jacobian(*pair).formula for pair in ("ux", "vu", "wv")]
    assert formulas == ["δ[k,k'] s[k]", "δ[k,k'] s[k']", "δ[k,k'] s[k]"]


class Chosen(Op):
    """An op that hands over what `said` says: another look in another run."""

    signature = "a[k] -> z[k]"
    said = staticmethod(lambda a: delta("k,k'") * dense("s[k]", 2 * a))

    def forward(self, a):
        return a**2

    def jacobians(self, a):
        return {"a": self.said(a)}

    def vjp(self, z_bar, a):
        return {"a": 2 * a * z_bar}


def test_an_op_that_hands_over_other_factors_is_looked_at_anew():
    op = Chosen()
    net = Network.program("z = Chosen(x)", ops={"Chosen": op})
    x = draw(3)
    diagonal = np.diag(2 * x)
    assert net.run(x).jacobian("z", "x").formula == "δ[k,k'] s[k]"
    op.said = lambda a: delta("k,k'") * dense("s[k']", 2 * a)
    assert net.run(x).jacobian("z", "x").formula == "δ[k,k'] s[k']"
    op.said = lambda a: delta("k,k'") * dense("slope[k]", 2 * a)
    assert net.run(x).jacobian("z", "x").formula == "δ[k,k'] slope[k]"
    op.said = lambda a: 2 * delta("k,k'") * dense("a[k]", a)
    assert np.array_equal(net.run(x).jacobian("z", "x").materialise(), diagonal)
    op.said = lambda a: dense("M[k,k']", np.diag(2 * a))
    J = net.run(x).jacobian("z", "x")
    assert J.structural_nonzeros == 9
    assert np.array_equal(J.materialise(), diagonal)


def test_a_mistake_in_a_later_run_is_told_as_one_in_the_first():
    op = Chosen()
    net = Network.program("z = Chosen(x)", ops={"Chosen": op})
    x = draw(3)
    net.run(x).jacobian("z", "x")
    op.said = lambda a: delta("k,k'") * dense("s[k]", np.ones(5))
    with pytest.raises(AxisError) as later:
        net.run(x).jacobian("z", "x")
    with pytest.raises(AxisError) as first:
        Network.program("z = Chosen(x)", ops={"Chosen": op}).run(x).jacobian("z", "x")
    assert str(later.value) == str(first.value)
    assert "axis k has two sizes" in str(later.value)


def test_magnitudes_of_differences_come_with_each_run():
    net = Network.program(*PROGRAM, params=PARAMS)
    for _ in range(2):
        x, y = draw(7, 5), draw(7, 3)
        run = net.run(x, y)
        (term,) = run.jacobian("L", "a").links[0].expression.terms
        (factor,) = [f for f in term.factors if getattr(f, "array", None) is not None]
        assert np.array_equal(factor.array, run["a"] - y)


def test_a_run_is_not_kept_by_the_moulds():
    import gc
    import weakref

    net = Network.program(*PROGRAM, params=PARAMS)
    run = net.run(draw(7, 5), draw(7, 3))
    run.gradients("full")
    values = weakref.ref(run.forward_pass.values["z"])
    del run
    gc.collect()
    assert values() is None
