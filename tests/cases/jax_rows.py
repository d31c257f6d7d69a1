"""Every op of the registry, and those with options, with the inputs at which JAX judges them."""

import numpy as np

from jacobian_bp import ops
from jacobian_bp.derivation.op_examples import all_ops, example_of
from jacobian_bp.ops.labels import BINARY, CLASSES, DISTRIBUTION, PROBABILITIES
from jacobian_bp.program.making_ops import make_op

POSITIVE = {"Log", "Sqrt", "Power"}
WINDOWS_1, WINDOWS_2 = {"x": (2, 7), "K": (3, 2, 3), "b": (3,)}, {"x": (2, 5, 7), "K": (3, 2, 2, 3)}
WRITTEN_2 = {"x": (2, 5, 3), "K": (2, 3, 2, 3)}
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
    (ops.ConvTranspose1d(2, 1, 1), {"x": (2, 5), "K": (2, 3, 4), "b": (3,)}, ""),
    (ops.ConvTranspose1d(groups=2), {"x": (4, 5), "K": (4, 3, 2), "b": (6,)}, ""),
    (ops.ConvTranspose2d((1, 2), (1, 0), dilation=(2, 3)).reading(2), WRITTEN_2, ""),
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
SMALL["BatchNorm"], SMALL["ConvTranspose2d"] = MIXING, WRITTEN_2 | {"b": (3,)}


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
