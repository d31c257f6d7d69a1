"""Mistakes where the delta goes back through a weight."""

from collections.abc import Iterator

import numpy as np

from ..passes.backward import Line
from .contractions import by_columns, by_rows, is_oblong, other_contractions, squeezed
from .mutation import Facts, Wrong, mutation

WIDEST = 64  # units of an op of one's own whose Jacobian is swept out


@mutation("weight-not-transposed", 10, "weights")
def weight_turned_round(line: Line, facts: Facts) -> Iterator[Wrong]:
    W = line.factor("weight")
    del facts
    if W.array.shape[0] == W.array.shape[1]:
        yield Wrong(line.using("weight", f"{W.name}.T", W.array.T))


@mutation("weight-not-transposed", 14, "weights")
def jacobian_not_transposed(line: Line, facts: Facts) -> Iterator[Wrong]:
    """J δ for Jᵀ δ with J = ∂a2/∂a1: the slope comes after W, and W is the wrong way round."""
    W = line.factor("weight").array
    if W.shape[0] != W.shape[1]:
        return
    for before in facts.backward.to.get(line.source, ()):
        if before.kind == "slope" and not before.asleep:
            slope = before.factor("slope").array
            turned = line.by(lambda d, W, s=slope: (d @ W.T) * s)
            yield Wrong(turned, also={before.key: before.without("slope")}, tag="J")


@mutation("weight-not-transposed", 16, "op")
def own_jacobian_not_transposed(line: Line, facts: Facts) -> Iterator[Wrong]:
    """The same at an op of one's own: J δ for Jᵀ δ, example by example."""
    x, y = facts.values[line.target], facts.values[line.source]
    if x.shape != y.shape or not 1 <= x.ndim <= 2 or x.shape[-1] > WIDEST:
        return
    if line.target in facts.params:
        return
    units = np.eye(x.shape[-1])
    rows = [line.product(np.broadcast_to(unit, y.shape)) for unit in units]
    pulled = np.stack(rows, axis=-2)  # [.., k, i], if no example reads another

    def turned(d: np.ndarray) -> np.ndarray:
        return np.einsum("...k,...ik->...i", d, pulled)

    yield Wrong(line.by(turned), missing=f"∂{line.source}/∂{line.target}")


@mutation("mixed-layouts", 50, "weights")
def weight_in_the_other_layout(line: Line, facts: Facts) -> Iterator[Wrong]:
    W = line.factor("weight").array
    del facts
    if W.shape[0] == W.shape[1]:
        yield Wrong(line.by(lambda d, W: d @ W.T), "W as (inputs, outputs)")
        yield Wrong(line.by(lambda d, W: d.T @ W), "the delta turned round", "delta")


@mutation("mixed-layouts", 39, "weights")
def weight_reshaped(line: Line, facts: Facts) -> Iterator[Wrong]:
    """W.T by .reshape: the numbers stay in reading order, so they change places."""
    W = line.factor("weight")
    del facts
    if not is_oblong(W.array):
        return
    note = f"{W.name} is reshaped, not transposed"
    for way, wrong in (("columns", by_columns), ("rows", by_rows)):
        changed = line.using("weight", f"{W.name} reshaped", wrong(W.array))
        yield Wrong(changed, note, way)
        yield Wrong(changed, note, way, label="reshape-order", prior=2)


@mutation("weight-missing", 20, "weights")
def weight_left_out(line: Line, facts: Facts) -> Iterator[Wrong]:
    K, I = line.factor("weight").array.shape  # noqa: E741  outputs, inputs
    del facts
    if K in (1, I):
        widened = line.by(lambda d, W: np.broadcast_to(d, (*d.shape[:-1], I)))
        yield Wrong(widened, "the delta above as it is")
    if K > 1:
        summed = line.by(lambda d, W: d.sum(-1, keepdims=True) * np.ones(I))
        yield Wrong(summed, "the deltas added up without weights", "sum", prior=20)


@mutation("elementwise-for-contraction", 24, "weights")
def entrywise_with_the_weight(line: Line, facts: Facts) -> Iterator[Wrong]:
    """δ * W in the place of δ @ W: by broadcasting, and what is left when it is reduced."""
    K, I = line.factor("weight").array.shape  # noqa: E741  outputs, inputs
    shape = (*facts.values[line.source].shape, I)
    if shape == (K, I) or squeezed(shape) in facts.shapes:
        yield Wrong(line.by(lambda d, W: d[..., :, None] * W), "δ * W, not summed", "column")
    if K == I:
        yield Wrong(line.by(lambda d, W: d * W), "δ * W", "plain")
        yield Wrong(line.by(lambda d, W: d * W.sum(0)), "δ * W, summed", "sum")
        yield Wrong(line.by(lambda d, W: d * np.diagonal(W)), "δ * diag(W)", "diagonal")
        yield Wrong(line.by(lambda d, W: d * W.mean(0)), "the mean of δ * W", "mean")
        yield Wrong(line.by(lambda d, W: d * W.sum(1)), "δ * W, summed", "other", prior=60)
    if K > 1:
        yield Wrong(line.by(lambda d, W: d @ W / K), "the mean of δ * W", "m")
    if K == I or I == 1:
        yield Wrong(line.by(lambda d, W: d * W.T), "δ * W.T", "turned")


@mutation("contraction-for-elementwise", 48, "weights")
def weight_times_slope_first(line: Line, facts: Facts) -> Iterator[Wrong]:
    """δ · (W @ slope): the slope is contracted with the weight."""
    for after in facts.backward.out_of.get(line.target, ()):
        if after.kind == "slope":
            slope = after.factor("slope").array
            if slope.ndim != 1:
                continue
            last = after.without("slope")
            once = line.by(lambda d, W, s=slope: d * (W @ s))
            dot = line.by(lambda d, W, s=slope: np.asarray(np.vdot(d, W @ s)))
            yield Wrong(once, "δ * (W @ slope)", "once", {after.key: last})
            yield Wrong(dot, "δ @ W @ slope", "dot", {after.key: last})


@mutation("row-column-broadcast", 44, "weights")
def weighted_delta_as_table(line: Line, facts: Facts) -> Iterator[Wrong]:
    """A row of W times a column of deltas, not summed over the units."""
    W = line.factor("weight").array
    shape = (*facts.values[line.source].shape, W.shape[1])
    if W.shape[0] == W.shape[1] and (shape == W.shape or squeezed(shape) in facts.shapes):
        yield Wrong(line.by(lambda d, W: d[..., None, :] * W), "δ along the wrong axis of W")


@mutation("wrong-contraction", 70, "weights")
def another_index(line: Line, facts: Facts) -> Iterator[Wrong]:
    W = line.factor("weight").array
    d = facts.values[line.source].shape
    lifted = "n" if len(d) == 2 else ""
    right = (lifted + "k", "ki", lifted + "i")
    yield from other_contractions(line, facts, d, W.shape, right)
