"""Every op by every input against JAX, in float64: whole Jacobians, and how each op bends.

JAX differentiates the same function, written out in tests/cases/jax_ops.py; neither knows the
other's derivatives. Each op stands here for one example and with axes n, t in front, and with
the options that change what it computes.
"""

import numpy as np
import pytest
from jax_ops import IN_JAX, enable_x64, jax

from jacobian_bp import ops
from jacobian_bp.algebra.products.placing import evaluate
from jacobian_bp.derivation.op_examples import all_ops, example_of
from jacobian_bp.ops.labels import BINARY, CLASSES, DISTRIBUTION, PROBABILITIES
from jacobian_bp.program.bends import bends_of
from jacobian_bp.program.forward import run_forward
from jacobian_bp.program.making_ops import make_op
from jacobian_bp.program.program import Program
from jacobian_bp.program.step import Step

needs_jax = pytest.mark.skipif(jax is None, reason="JAX is not installed: ops are compared with it")
FRONT = {"n": 3, "t": 2}
POSITIVE = {"Log", "Sqrt", "Power"}
BAR = 1e-12  # relative to the largest entry
WINDOWS_1, WINDOWS_2 = {"x": (2, 7), "K": (3, 2, 3), "b": (3,)}, {"x": (2, 5, 7), "K": (3, 2, 2, 3)}
MIXING = {"x": (5, 2), "gamma": (2,), "beta": (2,)}  # x of all examples

IMAGES = ops.BatchNorm().meeting(("n", "c", "i"), None, None)
TOKENS = ops.BatchNorm().meeting_behind(2, ("n", "t", "k"), None, None)

# an op with its options, the shapes where its own small example does not have them, and the names
# of the axes that the shapes have in front
WITH_OPTIONS = [
    (ops.LeakyReLU(slope=0.2), {}, ""),
    (ops.ELU(alpha=0.5), {}, ""),
    (ops.GELU(approximate=True), {}, ""),
    (ops.Power(-2), {}, ""),
    (ops.Power(0.3), {}, ""),
    (ops.Huber(0.5), {}, ""),
    (ops.Linear().reading(2), {}, ""),
    (ops.Add("r,c"), {}, ""),
    (ops.Multiply("a[t,k], b[t] -> c[t,k]"), {}, ""),
    (ops.Einsum("ij,jk,k->i"), {}, ""),
    (ops.Einsum("ii->i"), {}, ""),
    (ops.Conv1d(stride=2, padding=1), WINDOWS_1, ""),
    (ops.Conv1d(dilation=2), WINDOWS_1, ""),
    (ops.Conv1d(groups=2), {"x": (4, 5), "K": (2, 2, 3), "b": (2,)}, ""),
    (ops.Conv2d(stride=(1, 2), padding=(1, 0)).reading(2), WINDOWS_2, ""),
    (ops.Conv2d(dilation=(2, 3)).reading(2), WINDOWS_2, ""),
    (ops.MaxPool1d(3, stride=1, padding=1), {"x": (2, 7)}, ""),
    (ops.MaxPool2d((2, 3), stride=(2, 1)), {"x": (2, 5, 7)}, ""),
    (ops.AvgPool1d(3, stride=2, padding=1), {"x": (2, 7)}, ""),
    (ops.AvgPool2d((2, 3), stride=(2, 1)), {"x": (2, 5, 7)}, ""),
    (ops.Softmax(axis="t"), {"z": (2, 3, 5)}, "n,t,k"),
    (ops.LogSoftmax(axis="t"), {"z": (2, 3, 5)}, "n,t,k"),
    (ops.Softmax().reading(2), {"z": (5,), "m": (5,)}, ""),
    (ops.LogSoftmax().reading(2), {"z": (5,), "m": (5,)}, ""),
    (ops.CausalSoftmax(), {"s": (5, 3)}, ""),
    (ops.BatchNorm(eps=0.25), MIXING, ""),
    (IMAGES, {"x": (3, 2, 5), "gamma": (2,), "beta": (2,)}, ""),
    (TOKENS, {"x": (3, 2, 5), "gamma": (5,), "beta": (5,)}, ""),
    (ops.BatchNorm(training=False), {}, ""),
    (ops.GroupNorm(2, eps=0.25), {"x": (4, 3, 2), "gamma": (4,), "beta": (4,)}, ""),
    (ops.GroupNorm(3, axes="c"), {"x": (6,), "gamma": (6,), "beta": (6,)}, ""),
    (ops.Reshape((7, -1), axes="i,j"), {"x": (2, 7)}, ""),
    (ops.Flatten(axes="i,j"), {"x": (2, 7)}, ""),
    (ops.RNNCell().reading(4), {}, ""),
    (ops.GRUCell().reading(5), {}, ""),
    (ops.Concat(3), {}, ""),
    (ops.Pad(2, 1, 0.5), {}, ""),
    (ops.Part(":,2"), {"X": (2, 5)}, ""),
    (ops.Transpose("i,j,k -> k,i,j"), {}, ""),
    (ops.Mean(over="t"), {"L": (2, 3, 5)}, "n,t,k"),
    (ops.Sum(over="n,t"), {"L": (2, 3, 5)}, "n,t,k"),
    (ops.Max(over="t"), {"L": (2, 3, 5)}, "n,t,k"),
    (ops.CrossEntropy((0.5, 2, 3)), {"p": (3,), "y": ()}, ""),
    (ops.CrossEntropyFromLogits((0.5, 2, 3), 1), {"z": (3,), "y": ()}, ""),
    (ops.L2Penalty(0.3, "k,i,j"), {}, ""),
]


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


def drawn(op, operand, shape, rng):
    """Numbers of both signs where the op admits them; labels, masks and positions of their kind."""
    name = operand.name
    if operand.within is not None:
        return rng.integers(0, 2, shape)
    if name in op.labels and op.label_kind == CLASSES:
        return rng.integers(0, 3, shape)
    if name in op.labels and op.label_kind == BINARY:
        return rng.uniform(0, 1, shape)
    if name == "m":
        return np.where(np.arange(shape[-1]) == 0, 1, rng.integers(0, 2, shape)).astype(float)
    if op.takes == DISTRIBUTION:
        return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    if op.takes == PROBABILITIES:
        return rng.uniform(0.1, 0.9, shape)
    positive = op.name in POSITIVE or name == "var" or (op.name == "Divide" and name == "b")
    return rng.uniform(0.3, 2.5, shape) if positive else rng.normal(size=shape)


def shapes_of(op):
    """Those of the op's own small example, a class index for a row of class labels."""
    entry = example_of(op)
    inputs = zip(entry.step.args, entry.state.inputs_of(entry.step), strict=True)
    shapes = {name: value.shape for name, value in inputs}
    by_class = [n for n in op.labels if op.label_kind == CLASSES]
    return {n: s[:-1] if n in by_class else s for n, s in shapes.items()}


SMALL = {"Conv1d": WINDOWS_1, "Conv2d": WINDOWS_2 | {"b": (3,)}}
SMALL |= {"MaxPool2d": {"x": (2, 5, 7)}, "AvgPool2d": {"x": (2, 5, 7)}}
SMALL["BatchNorm"] = MIXING


def rows():
    """Every op of the registry, then those with options; each also with n, t in front."""
    plain = [make_op(c, "op", (), c.example) for found in all_ops().values() for c in found]
    given = [(op, SMALL.get(op.name, {}), "") for op in plain]
    for op, shapes, names in given + WITH_OPTIONS:
        shapes = shapes or shapes_of(op)
        yield f"{op!r}", op, shapes, names, ()
        if not names and not op.parsed.mixes_examples and not isinstance(op, ops.Penalty):
            all_behind_n = isinstance(op, ops.Reshape) and op.axes is None
            front = ("n",) if all_behind_n else ("n", "t")
            yield f"{op!r}, {','.join(front)}", op, shapes, names, front


ROWS = list(rows())
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
