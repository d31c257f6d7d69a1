"""The ways in which one array may be read: layouts, flat orders, columns for rows.

A reading turns what was handed in into the object's own shape. Some are right in
themselves (another layout), some are mistakes (transposed, read in the wrong order).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..mutations.contractions import squeezed

HOME, OTHER = "", "correct-other-layout"
OWN_SHAPE = ("gradient", "numerator")  # the layouts in which ∂J/∂W has the shape of W


@dataclass(frozen=True, eq=False)
class Reading:
    """The numbers in the object's own shape, and under which layout they were read."""

    array: np.ndarray
    label: str = HOME
    layout: str = ""
    prior: int = 0
    turned: bool = False  # whether the axes of what was handed in are exchanged in `array`

    @property
    def accepted(self) -> bool:
        """Whether numbers that are right in this reading are a right answer."""
        return self.label in (HOME, OTHER)


def readings(
    submitted: np.ndarray, shape: tuple[int, ...], layout: str, batched: bool
) -> list[Reading]:
    """Every reading of an array as one of this shape; `batched` values have examples in front."""
    S = submitted
    if batched:
        return list(_batch(S, shape))
    if len(shape) == 2:
        return list(_matrix(S, shape, layout))
    if squeezed(S.shape) != squeezed(shape):
        return list(_unrolled(S, shape))
    note = "" if S.shape == shape or S.ndim == 0 else {(1,): "a row"}.get(S.shape[:1], "a column")
    return [Reading(S.reshape(shape), HOME, note if len(shape) == 1 and S.ndim == 2 else "")]


def _unrolled(S: np.ndarray, shape: tuple[int, ...]) -> Iterator[Reading]:
    """A kernel as a matrix: a row for each output channel, or a column, or all in one row."""
    rows = (shape[0], int(np.prod(shape[1:])))
    if len(shape) < 3:
        return
    if S.shape == rows:
        yield Reading(S.reshape(shape), OTHER, f"a matrix of {rows[0]} rows")
    if S.shape == rows[::-1]:
        words = f"a matrix of {rows[0]} columns"
        yield Reading(S.T.reshape(shape), OTHER, words, turned=True)
    if S.shape == (int(np.prod(shape)),):
        yield Reading(S.reshape(shape), OTHER, "flat")


def _batch(S: np.ndarray, shape: tuple[int, ...]) -> Iterator[Reading]:
    turned = len(shape) == 2 and S.shape == shape[::-1] and max(shape) > 1
    if S.shape == shape:
        yield Reading(S)
    if squeezed(S.shape) == squeezed(shape) and S.shape != shape and not turned:
        yield Reading(S.reshape(shape))
    elif S.size == np.prod(shape) and len(squeezed(S.shape)) == 1 and not turned:
        yield Reading(S.reshape(shape), OTHER, "flat")
    if turned:
        yield Reading(S.T, "transposed", "examples in columns", 20, turned=True)
        if shape[0] != shape[1] and min(shape) > 1:
            yield Reading(S.reshape(shape), "reshape-order", "", 10)


def _matrix(S: np.ndarray, shape: tuple[int, int], layout: str) -> Iterator[Reading]:
    K, I = shape  # noqa: E741  outputs, inputs
    if min(shape) == 1:
        if squeezed(S.shape) != squeezed(shape):
            return
        asked = shape[::-1] if layout == "transposed" else shape
        home = S.ndim < 2 or S.shape == asked or layout in ("flat", "flat_column")
        label = HOME if home else "transposed" if S.shape == asked[::-1] else OTHER
        turned = S.shape == shape[::-1] and K != I
        yield Reading(
            S.reshape(shape), label, "transposed" if turned else "flat" if S.ndim < 2 else ""
        )
        return
    is_home = layout in OWN_SHAPE
    if S.shape == shape:
        label = HOME if is_home else "transposed" if layout == "transposed" else OTHER
        yield Reading(S, label, "gradient")
    if S.shape == (I, K):
        label = HOME if layout == "transposed" else "transposed"
        yield Reading(S.T, label, "transposed", 4, turned=True)
    if S.size == K * I and len(squeezed(S.shape)) == 1:
        for name, array in (("flat", S.reshape(K, I)), ("flat_column", S.reshape(I, K).T)):
            label = HOME if layout == name else OTHER
            if layout in ("flat", "flat_column") and layout != name:
                label = "reshape-order"
            yield Reading(array, label, name, turned=name == "flat_column")
    if S.shape in (shape, (I, K)):
        for array in shuffled(S, shape):
            as_it_is = S if S.shape == shape else S.T
            if not np.array_equal(array, as_it_is) and not (K == I and np.array_equal(array, S.T)):
                yield Reading(array, "reshape-order", "", 8)


def shuffled(S: np.ndarray, shape: tuple[int, int]) -> list[np.ndarray]:
    """What stood there before numbers were written out in one order and filled in in another."""
    K, I = shape  # noqa: E741
    by_columns = S.ravel(order="F")
    if S.shape == shape:
        return [S.reshape(I, K).T, by_columns.reshape(shape)]
    return [S.reshape(shape), by_columns.reshape(shape, order="F")]
