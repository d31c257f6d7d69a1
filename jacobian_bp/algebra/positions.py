"""Positions: where an axis is read, as a function of other axes.

    Affine   2o+r−1    a window, a stride, a shift, a flip, a reshape
    Table    u[n,t]    a look-up: an embedding, a sort, the place of a largest entry

A position may lie outside the axis that is read there: nothing stands there, as in padding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..writing.signs import rename
from .tape import StandIn, apply

NOWHERE = -1  # no axis has this position


@dataclass(frozen=True, eq=False)
class Affine:
    """Σ coefficient · axis + offset, such as 2o+r−1; no coefficient is 0.

    >>> print(Affine.of({"o": 2, "r": 1}, -1))
    2o+r−1
    """

    parts: tuple[tuple[str, int], ...] = ()
    offset: int = 0

    @classmethod
    def of(cls, parts: Mapping[str, int], offset: int = 0) -> "Affine":
        """The sum of these multiples of axes, those by 0 left out."""
        return cls(tuple((axis, times) for axis, times in parts.items() if times), offset)

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(axis for axis, _ in self.parts)

    @property
    def look(self) -> "Affine":
        """What the algebra depends on: all of it."""
        return self

    def times(self, axis: str) -> int:
        """The coefficient of an axis, 0 where it does not stand."""
        return dict(self.parts).get(axis, 0)

    def without(self, axis: str) -> "Affine":
        """The same sum without the part of one axis."""
        return Affine(tuple(part for part in self.parts if part[0] != axis), self.offset)

    def plus(self, other: "Affine", times: int = 1) -> "Affine":
        """self + times · other"""
        parts = dict(self.parts)
        for axis, more in other.parts:
            parts[axis] = parts.get(axis, 0) + times * more
        return Affine.of(parts, self.offset + times * other.offset)

    def renamed(self, names: Mapping[str, str]) -> "Affine":
        """The same position with other axis names; parts whose axes become one are added."""
        found = Affine((), self.offset)
        for axis, times in self.parts:
            found = found.plus(Affine(((names.get(axis, axis), times),)))
        return found

    def bounds(self, sizes: Mapping[str, int]) -> tuple[int, int]:
        """The least and the greatest position."""
        ends = [sorted((0, times * (sizes[axis] - 1))) for axis, times in self.parts]
        return self.offset + sum(e[0] for e in ends), self.offset + sum(e[1] for e in ends)

    def values(self, axes: Sequence[str], sizes: Mapping[str, int]) -> np.ndarray:
        """The positions over `axes`, of size 1 along those on which they do not depend."""
        found = np.full([1] * len(axes), self.offset, np.int64)
        for axis, times in self.parts:
            along = [-1 if axis == other else 1 for other in axes]
            found = found + times * np.arange(sizes[axis]).reshape(along)
        return found

    def __eq__(self, other: object) -> bool:
        """Whether it is the same sum, in whatever order."""
        if not isinstance(other, Affine):
            return NotImplemented
        return {*self.parts} == {*other.parts} and self.offset == other.offset

    def __hash__(self) -> int:
        return hash((frozenset(self.parts), self.offset))

    def __str__(self) -> str:
        words = ""
        for axis, times in self.parts:
            words += ("−" if times < 0 else "+") + (str(abs(times)) if abs(times) > 1 else "")
            words += axis
        if self.offset or not words:
            words += f"{'−' if self.offset < 0 else '+'}{abs(self.offset)}"
        return words.removeprefix("+")


@dataclass(frozen=True, eq=False)
class Table:
    """label[axes]: whole numbers, a position for each entry."""

    label: str
    axes: tuple[str, ...]
    array: Any  # of whole numbers, or a stand-in of a tape

    @property
    def look(self) -> tuple[Any, ...]:
        """What the algebra depends on: all but the numbers."""
        return self.axes, self.array.shape

    def renamed(self, names: Mapping[str, str]) -> "Table":
        """The same look-up with other axis names; where two become one, its diagonal."""
        axes = tuple(names.get(axis, axis) for axis in self.axes)
        own = tuple(dict.fromkeys(axes))
        if own == axes:
            return self if axes == self.axes else replace(self, axes=axes)
        numbers = [own.index(axis) for axis in axes]
        shape = [self.array.shape[axes.index(axis)] for axis in own]

        def diagonal(array: np.ndarray) -> np.ndarray:
            return np.einsum(array, numbers, list(range(len(own)))).copy()

        return Table(self.label, own, apply(diagonal, [self.array], shape))

    def bounds(self, sizes: Mapping[str, int]) -> tuple[int, int] | None:
        """The least and the greatest position; None where they are not known."""
        if isinstance(self.array, StandIn) or not self.array.size:
            return None
        return int(self.array.min()), int(self.array.max())

    def values(self, axes: Sequence[str], sizes: Mapping[str, int]) -> np.ndarray:
        """The positions over `axes`, of size 1 along those on which they do not depend."""
        order = [self.axes.index(axis) for axis in axes if axis in self.axes]
        spread = tuple(slice(None) if axis in self.axes else None for axis in axes)
        return np.asarray(self.array).transpose(order)[spread]

    def __str__(self) -> str:
        return f"{self.label}[{','.join(self.axes)}]" if self.axes else self.label


Position = Affine | Table


def along(axis: str) -> Affine:
    """The axis itself as a position."""
    return Affine(((axis, 1),))


def lies_inside(position: Position, size: int, sizes: Mapping[str, int]) -> bool:
    """Whether it is known that every position is one of 0 … size−1."""
    bounds = position.bounds(sizes)
    return bounds is not None and 0 <= bounds[0] and bounds[1] < size


def substituted(
    outer: Position, axis: str, inner: Position, size: int, sizes: Mapping[str, int]
) -> Position:
    """outer with `axis`, of `size`, read at `inner`: affine in affine stays affine, else a table.

    Where inner lies outside the axis a table says so; for affine positions the caller guards.
    """
    if isinstance(outer, Affine) and isinstance(inner, Affine):
        return outer.without(axis).plus(inner, outer.times(axis))

    def read(*found: np.ndarray) -> np.ndarray:
        rest, at = found
        inside = (at >= 0) & (at < size)
        if isinstance(outer, Affine):
            return np.where(inside, rest + outer.times(axis) * at, NOWHERE)
        index = tuple(
            np.where(inside, at, 0)
            if own == axis
            else np.arange(sizes[own]).reshape([-1 if own == other else 1 for other in axes])
            for own in outer.axes
        )
        return np.where(inside, rest[index], NOWHERE)

    axes = tuple(dict.fromkeys(a for p in (outer, inner) for a in p.axes if a != axis))
    if isinstance(outer, Affine):
        assert isinstance(inner, Table)  # two affine ones are done
        label = f"({rename(str(outer), {axis: inner.label})})"
        return tabulated(label, axes, [outer.without(axis), inner], read, sizes)
    whole = _Whole(outer)
    return tabulated(f"({outer.label} at {inner})", axes, [whole, inner], read, sizes)


def difference(left: Position, right: Position, sizes: Mapping[str, int]) -> Position:
    """left − right"""
    if isinstance(left, Affine) and isinstance(right, Affine):
        return left.plus(right, -1)
    axes = tuple(dict.fromkeys((*left.axes, *right.axes)))
    label = "−".join(p.label if isinstance(p, Table) else f"({p})" for p in (left, right))
    return tabulated(f"({label})", axes, [left, right], np.subtract, sizes)


@dataclass(frozen=True)
class _Whole:
    """A table whose array is handed over as it lies, to be indexed."""

    table: Table


def tabulated(
    label: str,
    axes: tuple[str, ...],
    positions: Sequence["Position | _Whole"],
    function: Callable[..., np.ndarray],
    sizes: Mapping[str, int],
) -> Table:
    """The table of a function of positions, each of them spread over `axes`."""
    shape, known = tuple(sizes[axis] for axis in axes), dict(sizes)
    own = [p.table if isinstance(p, _Whole) else p for p in positions]

    def computed(*arrays: np.ndarray) -> np.ndarray:
        given, spread = iter(arrays), []
        for position, plain in zip(positions, own, strict=True):
            if isinstance(plain, Affine):
                spread.append(plain.values(axes, known))
                continue
            array = next(given)
            whole = isinstance(position, _Whole)
            table = replace(plain, array=array)
            spread.append(array if whole else table.values(axes, known))
        return np.array(np.broadcast_to(function(*spread), shape), np.int64)

    return Table(label, axes, apply(computed, [p.array for p in own if isinstance(p, Table)], shape))
