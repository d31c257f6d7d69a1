"""What of a vjp nobody wants is not computed, and what is wanted is what it is without that."""

import numpy as np
import pytest

from jacobian_bp import Network, Op, dense, ops
from jacobian_bp.ops.base import on_demand

RNG = np.random.default_rng(31)
ARRAYS = {
    "a layer": (ops.Linear(), [(5, 3), (2, 3), (2,)]),
    "an einsum": (ops.Einsum("ki,ij->kj"), [(2, 3), (3, 5)]),
    "a convolution": (ops.Conv1d(padding=1), [(3, 2, 7), (5, 2, 3), (5,)]),
    "a convolution with a stride": (ops.Conv2d(stride=2), [(2, 7, 5), (3, 2, 3, 2), (3,)]),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_an_input_that_is_wanted_alone_has_the_same_bits(case):
    op, shapes = ARRAYS[case]
    inputs = [RNG.standard_normal(shape) for shape in shapes]
    bar = RNG.standard_normal(op.forward(*inputs).shape)
    whole = op.vjp(bar, *inputs)
    for name, expected in whole.items():
        (found,) = op.vjp(bar, *inputs, wanted=(name,)).items()
        assert found[0] == name
        np.testing.assert_array_equal(found[1], expected, strict=True)


class Counted(Op):
    """s a, which notes by which of its inputs it was asked."""

    signature = "a[k], s[] -> z[k]"
    parameters = ("s",)
    asked: tuple[str, ...] = ()

    def forward(self, a, s):
        return s * a

    def jacobians(self, a, s):
        return {"a": dense("s", s), "s": dense("a[k]", a)}

    def note(self, name, part):
        Counted.asked += (name,)
        return part

    @on_demand
    def vjp(self, z_bar, a, s):
        return {
            "a": lambda: self.note("a", s * z_bar),
            "s": lambda: self.note("s", (z_bar * a).sum()),
        }


class OwnCounted(Counted):
    """The same in a dict, as an op of one's own has it: of it all is computed."""

    def vjp(self, z_bar, a, s):
        return {"a": self.note("a", s * z_bar), "s": self.note("s", (z_bar * a).sum())}


@pytest.mark.parametrize(
    ("kind", "route", "asked"),
    [
        (Counted, "vjp", ["a", "s", "s"]),
        (OwnCounted, "vjp", ["a", "a", "s", "s"]),
        (Counted, "compiled", ["a", "s", "s"]),
    ],
)
def test_a_gradient_asks_for_the_inputs_that_it_goes_through(kind, route, asked):
    """By x, the data, of the first step nobody asks."""
    lines = ["z1 = Counted(x, s)", "z2 = Counted(z1, t)", "J = Sum(z2, over='k')"]
    params = {"s": np.array(2.0), "t": np.array(3.0)}
    net = Network.program(*lines, params=params, ops={"Counted": kind})
    x = RNG.standard_normal(5)
    step = net.compile()
    step(params, x)  # planned, and each vjp checked
    run = net.run(x)
    Counted.asked = ()
    found = step(params, x)[1] if route == "compiled" else run.gradients(route="vjp")
    assert sorted(Counted.asked) == asked
    np.testing.assert_allclose(found["s"], 3 * x.sum(), rtol=1e-14)
