"""Positions: where an axis is read, as a function of other axes.

    Affine   2o+r−1    a window, a stride, a shift, a flip, a reshape
    Table    u[n,t]    a look-up: an embedding, a sort, the place of a largest entry

A position may lie outside the axis that is read there: nothing stands there, as in padding.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...numbers.memory import require_memory
from ..tape import StandIn, apply


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

    @property
    def words(self) -> str:
        """How it is written, each axis in braces: 2{o}+{r}−1."""
        words = ""
        for axis, times in self.parts:
            sign = "−" if times < 0 else "+" if words else ""
            words += f"{sign}{abs(times) if abs(times) > 1 else ''}{{{axis}}}"
        if self.offset or not words:
            sign = "−" if self.offset < 0 else "+" if words else ""
            words += f"{sign}{abs(self.offset)}"
        return words

    def __str__(self) -> str:
        return _plain(self.words)


@dataclass(frozen=True, eq=False)
class Table:
    """label[axes]: whole numbers, a position for each entry.

    One that was computed from others says how it is written, each axis in braces.
    """

    label: str
    axes: tuple[str, ...]
    array: Any  # of whole numbers, or a stand-in of a tape
    computed: str = ""

    @property
    def look(self) -> tuple[Any, ...]:
        """What the algebra depends on: all but the numbers."""
        return self.axes, self.array.shape

    def renamed(self, names: Mapping[str, str]) -> "Table":
        """The same look-up with other axis names; where two become one, its diagonal."""
        axes = tuple(names.get(axis, axis) for axis in self.axes)
        own = tuple(dict.fromkeys(axes))
        if own == axes:
            return self if axes == self.axes else self._over(axes, self.array, names)
        numbers = [own.index(axis) for axis in axes]
        shape = [self.array.shape[axes.index(axis)] for axis in own]

        def diagonal(array: np.ndarray) -> np.ndarray:
            return np.einsum(array, numbers, list(range(len(own)))).copy()

        return self._over(own, apply(diagonal, [self.array], shape), names)

    def _over(self, axes: tuple[str, ...], array: Any, names: Mapping[str, str]) -> "Table":
        if len(axes) < len(self.axes) or self.computed:
            called = {axis: f"{{{names.get(axis, axis)}}}" for axis in self.axes}
            return Table(self.label, axes, array, _with(self.words, called))
        return Table(self.label, axes, array)

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

    @property
    def words(self) -> str:
        """How it is written, each axis in braces: u[{n},{t}]."""
        if self.computed:
            return self.computed
        axes = ",".join(f"{{{axis}}}" for axis in self.axes)
        return f"{self.label}[{axes}]" if axes else self.label

    def __str__(self) -> str:
        return _plain(self.words)


Position = Affine | Table


def along(axis: str) -> Affine:
    """The axis itself as a position."""
    return Affine(((axis, 1),))


def lies_inside(position: Position, size: int, sizes: Mapping[str, int]) -> bool:
    """Whether it is known that every position is one of 0 … size−1."""
    bounds = position.bounds(sizes)
    return bounds is not None and bounds[0] >= 0 and bounds[1] < size


def substituted(outer: Position, axis: str, inner: Position, sizes: Mapping[str, int]) -> Position:
    """outer with `axis` read at `inner`: affine in affine stays affine, else it is a table.

    Where inner lies outside the axis, what it gives means nothing: the caller guards it.
    """
    if isinstance(outer, Affine) and isinstance(inner, Affine):
        return outer.without(axis).plus(inner, outer.times(axis))
    axes = tuple(dict.fromkeys(a for p in (outer, inner) for a in p.axes if a != axis))
    words = _with(outer.words, {axis: inner.words})
    known = dict(sizes)

    def read(*found: Position) -> np.ndarray:
        whole, part = found
        at = part.values(axes, known)
        if isinstance(whole, Affine):
            return whole.without(axis).values(axes, known) + whole.times(axis) * at
        last = known[axis] - 1
        index = [
            np.clip(at, 0, last) if own == axis else along(own).values(axes, known)
            for own in whole.axes
        ]
        return whole.array[tuple(index)] if last >= 0 else np.zeros([1] * len(axes), np.int64)

    return tabulated(words, axes, [outer, inner], read, sizes)


def difference(left: Position, right: Position, sizes: Mapping[str, int]) -> Position:
    """left − right"""
    if isinstance(left, Affine) and isinstance(right, Affine):
        return left.plus(right, -1)
    axes = tuple(dict.fromkeys((*left.axes, *right.axes)))
    words = _with("{left}−{right}", {"left": left.words, "right": right.words})
    known = dict(sizes)

    def less(one: Position, other: Position) -> np.ndarray:
        return one.values(axes, known) - other.values(axes, known)

    return tabulated(words, axes, [left, right], less, sizes)


def tabulated(
    words: str,
    axes: tuple[str, ...],
    positions: Sequence[Position],
    function: Callable[..., np.ndarray],
    sizes: Mapping[str, int],
) -> Table:
    """The table of a function of positions over `axes`, written in these words."""
    shape = tuple(sizes[axis] for axis in axes)
    require_memory(f"the table of {_plain(words)}", shape, 8, "Use J.pull(v), or J.push(u).")

    def filled(*arrays: np.ndarray) -> np.ndarray:
        given = iter(arrays)
        read = [replace(p, array=next(given)) if isinstance(p, Table) else p for p in positions]
        return np.array(np.broadcast_to(function(*read), shape), np.int64)

    arrays = [p.array for p in positions if isinstance(p, Table)]
    return Table("", axes, apply(filled, arrays, shape, np.dtype(np.int64)), words)


def _plain(words: str) -> str:
    return words.replace("{", "").replace("}", "")


def _with(words: str, called: Mapping[str, str]) -> str:
    """Words with others for some axes, in brackets where a sum would run into what stands beside.

    >>> _with("2{i}+{o}", {"i": "{o}+1"}), _with("a[{i}]", {"i": "{o}+1"})
    ('2({o}+1)+{o}', 'a[{o}+1]')
    """

    def put(match: re.Match[str]) -> str:
        new = called.get(match[1])
        if new is None:
            return match[0]
        before, after = words[: match.start()], words[match.end() :]
        alone = before[-1:] in ("", "[", ",") and after[:1] in ("", "]", ",")
        first = not before and after[:1] in ("+", "−")
        return new if alone or first or not _is_sum(new) else f"({new})"

    return re.sub(r"\{([^{}]*)\}", put, words)


def _is_sum(words: str) -> bool:
    """Whether there is a sign outside all brackets."""
    depth = 0
    for sign in words:
        depth += (sign in "[(") - (sign in "])")
        if depth == 0 and sign in "+−":
            return True
    return False
