"""A block of a whole Hessian in its place: which bytes of the matrix its axes step over."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..algebra.axes import Axis
from ..algebra.expression import Expression
from ..algebra.products.placing_planned import Spot


@dataclass(frozen=True, eq=False)
class PlacedBlock:
    """∂²of/∂first∂second: its formula, its axes, and which rows and columns of the whole it has."""

    first: str
    second: str
    formula: Expression
    front: Sequence[Axis]  # of the value that is differentiated
    before: Sequence[Axis]  # of the first variable
    after: Sequence[Axis]  # of the second
    rows: slice
    columns: slice

    @property
    def is_diagonal(self) -> bool:
        return self.first == self.second

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple([axis.size for axis in (*self.front, *self.before, *self.after)])


def spot_of_block(
    parts: tuple[Sequence[Axis], Sequence[Axis], Sequence[Axis]],
    corner: tuple[int, int],
    shape: Sequence[int],
    dtype: np.dtype,
) -> Spot:
    """The spot of a block: the axes in front, those of its rows, those of its columns.

    `corner` is the row and the column of its first entry, in an array of this shape whose last
    two axes are the rows and the columns of several blocks.
    """
    front, rows, columns = parts
    width, step = shape[-1], dtype.itemsize
    strides = [
        *_strides(front, shape[-2] * width * step),
        *_strides(rows, width * step),
        *_strides(columns, step),
    ]
    every = [*front, *rows, *columns]
    offset = (corner[0] * width + corner[1]) * step
    axes, sizes = tuple(a.name for a in every), tuple(a.size for a in every)
    return Spot(axes, sizes, tuple(strides), offset)


def _strides(axes: Sequence[Axis], last: int) -> list[int]:
    return [last * prod(axis.size for axis in axes[n + 1 :]) for n in range(len(axes))]
