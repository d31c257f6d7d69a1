"""The Jacobian of an op that is taken for this one, or of this one with another option.

softmax for log softmax              p (δ − Σ p δ)     for δ − p Σ δ
a group norm with other groups       one for all channels, one for each, dealt out like cards
mean pooling for max pooling         and the other way round
−1/X² for −X⁻ᵀ δ X⁻ᵀ                 a matrix taken for a table of numbers
"""

from collections.abc import Callable, Iterator
from copy import copy
from functools import partial

import numpy as np

from .... import ops
from ....ops import Op
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import Equation
from .edit import Edit
from .of_factors import jacobian

POOLS = (ops.MaxPool1d, ops.MaxPool2d, ops.AvgPool1d, ops.AvgPool2d)
OTHER_POOL: dict[type[Op], Callable[..., Op]] = {
    ops.MaxPool1d: ops.AvgPool1d,
    ops.MaxPool2d: ops.AvgPool2d,
    ops.AvgPool1d: ops.MaxPool1d,
    ops.AvgPool2d: ops.MaxPool2d,
}
Gives = Callable[[np.ndarray], np.ndarray]


def of_other_ops(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Each gives what its own way back gives of the same incoming delta."""
    whole = Factor("jacobian", jacobian(line), np.zeros(()))
    inputs = facts.state.inputs_of(line.step)
    operand = line.step.op.parsed.inputs[line.position].name
    for other, note in others(line.step.op, inputs):
        gives = partial(by_vjp, other, inputs, operand)
        yield Edit("other", equation, whole, note, gives=gives)
    if isinstance(line.step.op, ops.GroupNorm) and 1 < line.step.op.groups < len(inputs[1]):
        gives = partial(dealt_out, line.step.op, inputs, operand)
        note = "that of groups to which channels are dealt out in turn, like cards"
        yield Edit("other", equation, whole, note, extra=1, gives=gives)
    yield from at_another_value(line, equation, facts, whole)
    for note, table in entry_by_entry(line, facts):
        gives = partial(times, table)
        yield Edit("other", equation, whole, f"{note}, entry by entry", extra=2, gives=gives)


def at_another_value(line: Line, equation: Equation, facts: Facts, whole: Factor) -> Iterator[Edit]:
    """The Jacobian of a function of one value at another one: softmax(z) for softmax(z/T)."""
    op, here = line.step.op, facts.values[line.target]
    operands = op.differentiable()
    if line.kind not in ("op", "softmax") or len(line.step.args) > 1 or len(operands) != 1:
        return
    for name in facts.near([*facts.layer_inputs, *facts.other_values], line.target):
        there = facts.values[name]
        if name != line.target and there.shape == here.shape and name not in facts.params:
            gives = partial(by_vjp, op, [there], operands[0])
            yield Edit("other", equation, whole, f"that at {name}", extra=3, gives=gives)


def others(op: Op, inputs: list[np.ndarray]) -> Iterator[tuple[Op, str]]:
    """Ops that read the same, and what their Jacobian is called."""
    if isinstance(op, ops.Softmax) and op.place == -1 and len(inputs) == 1:
        yield ops.LogSoftmax(), "that of log softmax"
    if isinstance(op, ops.LogSoftmax) and op.place == -1:
        yield ops.Softmax(), "that of softmax"
    if isinstance(op, ops.LogDet):
        yield ops.Det(), "that of the determinant itself"
    if isinstance(op, ops.Det):
        yield ops.LogDet(), "that of the determinant's logarithm"
    if isinstance(op, POOLS):
        known = "that of a mean pool" if op.name.startswith("Max") else "that of a max pool"
        yield OTHER_POOL[type(op)](op.width, op.stride, op.padding), known
    if isinstance(op, ops.GroupNorm):
        channels = len(inputs[1])
        for groups in range(1, channels + 1):
            if channels % groups == 0 and groups != op.groups:
                called = {1: "one group for all channels", channels: "a group for each channel"}
                note = called.get(groups, f"{groups} groups")
                other = copy(op)
                other.groups = groups
                yield other, f"that with {note}"


def by_vjp(op: Op, inputs: list[np.ndarray], operand: str, incoming: np.ndarray) -> np.ndarray:
    """What the op sends back to one of its inputs."""
    return np.asarray(op.vjp(np.array(incoming), *inputs)[operand])


def dealt_out(
    op: ops.GroupNorm, inputs: list[np.ndarray], operand: str, incoming: np.ndarray
) -> np.ndarray:
    """Channel c in group c mod G: the channels are sorted by group, and sorted back."""
    channels = len(inputs[1])
    order = np.argsort(np.arange(channels) % op.groups, kind="stable")
    place = incoming.ndim - len(op.parsed.inputs[0].axes)
    x, *params = inputs
    sorted_inputs = [x.take(order, place), *(p[order] for p in params)]
    found = by_vjp(op, sorted_inputs, operand, incoming.take(order, place))
    return found.take(np.argsort(order), place if operand == "x" else 0)


def entry_by_entry(line: Line, facts: Facts) -> Iterator[tuple[str, np.ndarray]]:
    """The derivative that each entry has by itself, of what is a function of the whole matrix."""
    X, name = facts.values[line.target], line.target
    if not isinstance(line.step.op, ops.Inverse | ops.LogDet | ops.Det) or not np.all(X):
        return
    made = facts.values[line.source]
    if isinstance(line.step.op, ops.Inverse):
        yield f"−1/{name}²", -1 / X**2
        yield f"−{line.source}²", -(made**2)
        yield f"−{line.source}², its axes exchanged", -(made.swapaxes(-1, -2) ** 2)
        return
    yield f"1/{name}", 1 / X
    size = np.broadcast_to(np.eye(X.shape[-1]), X.shape)
    yield "1 on the diagonal", size
    if isinstance(line.step.op, ops.LogDet):
        yield f"1/det {name}", 1 / np.linalg.det(X)[..., None, None] * np.ones_like(X)


def times(table: np.ndarray, incoming: np.ndarray) -> np.ndarray:
    """δ in front of every entry."""
    missing = table.ndim - np.ndim(incoming)
    return np.asarray(incoming)[(..., *[None] * missing)] * table


def exchanged(line: Line, facts: Facts) -> Iterator[tuple[Line, Line, Edit]]:
    """Two paths to one value, each with what comes back along the other."""
    lines = [k for k in facts.backward.to[line.target] if not k.asleep]
    base = facts.backward.base
    for other in lines[lines.index(line) + 1 :] if line in lines else ():
        mine, theirs = base.get(line.source), base.get(other.source)
        if mine is None or theirs is None or mine is theirs or mine.shape != theirs.shape:
            continue
        cost = facts.state.cost
        names = f"∂{cost}/∂{line.source}", f"∂{cost}/∂{other.source}"
        equation = facts.equation(line)
        if equation is None:
            continue
        whole = Factor("delta", " and ".join(names), np.zeros(()))
        note = f"{' and '.join(names[::-1])}, each on the path of the other"
        yield fed(line, theirs), fed(other, mine), Edit("other", equation, whole, note, extra=2)


def fed(line: Line, delta: np.ndarray) -> Line:
    """The line with another incoming delta."""
    return line.by(lambda d, *factors: line.product(delta, *factors))
