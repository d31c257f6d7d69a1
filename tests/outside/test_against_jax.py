"""Every op by every input against JAX, in float64: whole Jacobians, and how each op bends.

JAX differentiates the same function, written out in tests/cases/jax_ops.py; neither knows the
other's derivatives. Each op stands here for one example and with axes n, t in front, and with
the options that change what it computes.
"""

import numpy as np
import pytest
from jax_ops import IN_JAX, enable_x64, jax
from jax_rows import ROWS, WINDOWS_1, drawn

from jacobian_bp import ops
from jacobian_bp.algebra.products.placing import evaluate
from jacobian_bp.derivation.op_examples import all_ops
from jacobian_bp.program.bends import bends_of
from jacobian_bp.program.forward import run_forward
from jacobian_bp.program.program import Program
from jacobian_bp.program.step import Step

needs_jax = pytest.mark.skipif(jax is None, reason="JAX is not installed: ops are compared with it")
FRONT = {"n": 3, "t": 2}
BAR = 1e-12  # relative to the largest entry


class Stood:
    """An op at random inputs: the step of a pass, and the same function of JAX."""

    def __init__(self, op, shapes, names="", front=()):
        rng = np.random.default_rng(11)
        arrays, axes = {}, {}
        for operand in op.parsed.inputs:
            name = operand.name
            alone = name in (*op.parameters, "mean", "var") or operand.within is not None
            own = () if alone else front
            arrays[name] = drawn(op, operand, (*[FRONT[a] for a in own], *shapes[name]), rng)
            given = ",".join(own) or names
            if given and not alone and name not in op.labels:
                axes[name] = given
        step = Step("out", op, tuple(arrays))
        self.state = run_forward(Program.build([step], []), {}, arrays, axes, "the test")
        (self.step,) = self.state.program.steps
        self.inputs = self.state.inputs_of(self.step)

    def in_jax(self, *arrays):
        """Its value by the function that JAX differentiates."""
        return IN_JAX[self.step.op.name](self.step.op, *arrays)

    @property
    def variables(self):
        """The positions of the inputs to differentiate by."""
        return tuple(position for position, _, _ in self.step.variables)

    def jacobians(self):
        """Each operand, with the whole Jacobian by it of the package and of JAX."""
        theirs = jax.jit(jax.jacrev(self.in_jax, self.variables))(*self.inputs)
        for (_, operand, arg), by_jax in zip(self.step.variables, theirs, strict=True):
            yield operand, self.state.jacobian("out", arg).materialise(), by_jax

    def bends(self):
        """Each pair, with the whole second derivative of the package, 0 where it says none."""
        said = {bent.pair: bent for bent in bends_of(self.state, self.step)}
        by_two = jax.jacfwd(jax.jacrev(self.in_jax, self.variables), self.variables)
        theirs = jax.jit(by_two)(*self.inputs)
        for row, p in enumerate(self.variables):
            for column, q in enumerate(self.variables[: row + 1]):
                by_jax = theirs[row][column]
                yield (p, q), in_full(said.get((p, q)), by_jax.shape), by_jax


def in_full(bent, shape):
    if bent is None:
        return np.zeros(shape)
    axes = [*bent.out, *bent.first, *bent.second]
    sizes = {axis.name: axis.size for axis in axes}
    return evaluate(bent.expression, [a.name for a in axes], sizes, np.dtype(float))


each_row = pytest.mark.parametrize(
    ("op", "shapes", "names", "front"),
    [pytest.param(*r[1:], id=r[0], marks=[pytest.mark.full] if r[-1] else []) for r in ROWS],
)


def worst(ours, theirs):
    """How far two arrays are apart, relative to the largest entry or to 1; shapes are the same."""
    theirs = np.asarray(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    return np.abs(ours - theirs).max(initial=0) / max(1.0, np.abs(theirs).max(initial=0))


@needs_jax
@each_row
def test_a_jacobian_by_every_input_is_that_of_jax(op, shapes, names, front):
    with enable_x64():
        stood = Stood(op, shapes, names, front)
        value = np.asarray(stood.in_jax(*stood.inputs))
        assert worst(np.asarray(stood.state.values["out"]), value) <= BAR
        found = {name: worst(ours, theirs) for name, ours, theirs in stood.jacobians()}
        assert list(found) == list(op.differentiable())
        assert max(found.values()) <= BAR, found


@needs_jax
@pytest.mark.full
@each_row
def test_an_op_bends_as_in_jax(op, shapes, names, front):
    with enable_x64():
        found = {pair: worst(a, b) for pair, a, b in Stood(op, shapes, names, front).bends()}
        assert max(found.values(), default=0) <= BAR, found


def test_every_op_of_the_registry_has_its_function():
    assert {cls.__name__ for found in all_ops().values() for cls in found} == IN_JAX.keys()
    assert {op.name for _, op, *_ in ROWS} == IN_JAX.keys()


class KernelTurned(ops.Conv1d):
    """Its Jacobians are those of the kernel read backwards."""

    name = "Conv1d"

    def jacobians(self, x, K, b=None):
        return super().jacobians(x, K[..., ::-1].copy(), b)


class BentTwice(ops.Softmax):
    """It bends twice as much as it should."""

    name = "Softmax"

    def second(self, z):
        return {("z", "z"): 2 * super().second(z)["z", "z"]}


@needs_jax
def test_a_wrong_op_is_caught():
    with enable_x64():
        found = {n: worst(a, b) for n, a, b in Stood(KernelTurned(), WINDOWS_1).jacobians()}
        assert found["x"] > 0.1
        assert max(found["K"], found["b"]) <= BAR
        bends = {pair: worst(a, b) for pair, a, b in Stood(BentTwice(), {"z": (3,)}).bends()}
        assert bends[0, 0] > 0.01


@needs_jax
def test_precision_is_as_it_was():
    before = jax.config.jax_enable_x64
    with enable_x64():
        assert jax.config.jax_enable_x64
    assert jax.config.jax_enable_x64 == before
