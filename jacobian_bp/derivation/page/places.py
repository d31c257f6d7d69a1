"""Where each entry of a Jacobian stands in each layout, and what stands at its margins.

In units of a cell, from the left and from the top, so that the same cells can move from one
layout to another. What has more than two axes is shown as slices, a few beside each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...algebra.axes import Axis
from ...algebra.layouts import axis_order, layout_axes, layout_shape, to_layout
from ...writing.signs import dims

ROOM = 14.0  # cells beside each other, where slices can go below each other
GAP = 0.8  # between slices
HEAD = 1.0  # the height of a line of heads

Spot = tuple[float, float]


@dataclass
class Head:
    """Words at a margin, and the indices that they stand for."""

    x: float
    y: float
    text: str
    at: dict[str, int]
    slice: bool = False


@dataclass
class Laid:
    """One layout: a spot for each entry in numerator order, the heads, the size of the whole."""

    shape: str
    axes: str
    spots: list[Spot] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    size: Spot = (0.0, 0.0)


def rounded(length: float) -> float:
    """To a hundredth of a cell; a whole number has no point, which makes a page smaller.

    >>> rounded(3.0), rounded(3.804)
    (3, 3.8)
    """
    near = round(float(length), 2)
    return int(near) if near.is_integer() else near


def laid(layout: str, out: Sequence[Axis], wrt: Sequence[Axis]) -> Laid:
    """Every entry of a Jacobian with these axes in a layout."""
    axes = [*out, *wrt]
    sizes = [axis.size for axis in axes]
    numbered = np.arange(int(np.prod(sizes, dtype=np.int64))).reshape(sizes)
    turned = to_layout(numbered, layout, out, wrt)
    names = axis_order(layout, out, wrt)
    if layout in ("flat", "flat_column"):
        outer, rows, columns = list[str](), names[: len(out)], names[len(out) :]
    elif len(names) < 2:
        is_column = turned.ndim == 2 and turned.shape[1] == 1
        outer, rows, columns = [], names if is_column else [], [] if is_column else names
    else:
        outer, rows, columns = names[:-2], names[-2:-1], names[-1:]
    whole = np.atleast_2d(turned)
    whole = whole.reshape(-1, *whole.shape[-2:])
    index = dict(enumerate(np.ndindex(*sizes)))
    own = [axis.name for axis in axes]

    def head(entry: int, group: Sequence[str]) -> tuple[str, dict[str, int]]:
        at = {name: int(index[entry][own.index(name)]) for name in group}
        return ",".join(str(at[name]) for name in group), at

    found = Laid(dims(layout_shape(layout, out, wrt)), layout_axes(layout, out, wrt))
    spots: dict[int, Spot] = {}
    _, tall, wide = whole.shape
    left, top = (1.0 if rows else 0.0), HEAD * bool(columns) + HEAD * bool(outer)
    beside = max(1, int((ROOM + GAP) // (wide + GAP))) if outer else 1
    for number, matrix in enumerate(whole):
        x = left + number % beside * (wide + GAP)
        y = top + number // beside * (tall + top + GAP / 2)
        if outer:
            words, at = head(matrix[0, 0], outer)
            found.heads.append(Head(x, y - top, f"{','.join(outer)} = {words}", at, True))
        for column, entry in enumerate(matrix[0] if columns else []):
            found.heads.append(Head(x + column, y - HEAD, *head(entry, columns)))
        if rows and number % beside == 0:
            found.heads += [Head(0.0, y + r, *head(line[0], rows)) for r, line in enumerate(matrix)]
        for (row, column), entry in np.ndenumerate(matrix):
            spots[int(entry)] = (rounded(x + column), rounded(y + row))
    found.spots = [spots[entry] for entry in range(len(spots))]
    right = max((x for x, _ in found.spots), default=0.0) + 1
    found.size = (rounded(right), rounded(max((y for _, y in found.spots), default=0.0) + 1))
    return found
