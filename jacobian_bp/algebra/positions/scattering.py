"""Σ_o δ[i,f(o)] g[o]: entries written where the position says, those that meet added up.

With affine positions one strided view takes many entries at once. No view that is added
to overlaps itself: axes along which entries can meet are gone through one by one.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .affine_and_table import Affine, Position, along

MOST_VIEWS = 4096  # written one by one; where more are needed, entries are indexed

Sizes = dict[str, int]


def scatter(
    out: np.ndarray,
    places: Sequence[str],
    value: np.ndarray,
    own: Sequence[str],
    positions: Mapping[str, Position],
    sizes: Sizes,
) -> None:
    """out[places] += value[own], each place that has a position being that position.

    `value` is constant along an axis that it has not. What a position sends outside is left out.
    """
    every = tuple(
        dict.fromkeys(
            [
                *(a for a in places if a not in positions),
                *own,
                *(a for position in positions.values() for a in position.axes),
            ]
        )
    )
    shape = tuple(sizes[axis] for axis in every)
    if 0 in (*shape, *out.shape):
        return
    order = [list(own).index(axis) for axis in every if axis in own]
    spread = tuple(slice(None) if axis in own else None for axis in every)
    value = np.broadcast_to(value.transpose(order)[spread], shape)
    affine = {axis: p for axis, p in positions.items() if isinstance(p, Affine)}
    if len(affine) == len(positions):
        one_by_one = _one_by_one(every, places, affine, sizes)
        if prod(sizes[axis] for axis in one_by_one) <= MOST_VIEWS:
            _through_views(out, places, value, every, one_by_one, affine, sizes)
            return
    _by_index(out, places, value, every, positions, sizes)


def _one_by_one(
    every: Sequence[str], places: Sequence[str], positions: Mapping[str, Affine], sizes: Sizes
) -> list[str]:
    """The axes that no view may run along: entries would meet, or leave a border that is no box.

    Of the summed axes a view runs along one for each position, which the positions before it
    have not: then the place tells which entry it was.
    """
    summed = [axis for axis in every if axis not in places]
    carried: list[str] = []
    barred: set[str] = set()
    for position in positions.values():
        free = [a for a in position.axes if a in summed and a not in (*barred, *carried)]
        if free:
            carried.append(max(free, key=lambda axis: sizes[axis]))
        barred |= {*position.axes}
    found = [axis for axis in summed if axis not in carried]
    for place, position in positions.items():
        running = [axis for axis in position.axes if axis not in found]
        low, high = position.bounds(sizes)
        if low < 0 or high >= sizes[place]:
            found += sorted(running, key=lambda axis: sizes[axis])[:-1]
    return found


def _through_views(
    out: np.ndarray,
    places: Sequence[str],
    value: np.ndarray,
    every: Sequence[str],
    one_by_one: Sequence[str],
    positions: Mapping[str, Affine],
    sizes: Sizes,
) -> None:
    """One strided view for each value of the axes gone through one by one."""
    strides = dict(zip(places, out.strides, strict=True))
    running = [axis for axis in every if axis not in one_by_one]
    steps = [
        strides.get(axis, 0) + sum(p.times(axis) * strides[a] for a, p in positions.items())
        for axis in running
    ]
    for numbers in product(*(range(sizes[axis]) for axis in one_by_one)):
        fixed = dict(zip(one_by_one, numbers, strict=True))
        box = _box(running, fixed, positions, sizes)
        if box is None:
            continue
        first = {axis: low for axis, (low, _) in box.items()} | fixed
        corner = tuple(
            positions[axis].offset + sum(n * first[a] for a, n in positions[axis].parts)
            if axis in positions
            else first[axis]
            for axis in places
        )
        start: tuple[Any, ...] = (*(slice(place, None) for place in corner), ...)
        target = np.lib.stride_tricks.as_strided(
            out[start],
            tuple(high - low for low, high in box.values()),
            steps,
        )
        target += value[tuple(fixed[a] if a in fixed else slice(*box[a]) for a in every)]


def _box(
    running: Sequence[str],
    fixed: Mapping[str, int],
    positions: Mapping[str, Affine],
    sizes: Sizes,
) -> dict[str, tuple[int, int]] | None:
    """For each axis that a view runs along, from where to where no position leaves its axis."""
    box = {axis: (0, sizes[axis]) for axis in running}
    for place, position in positions.items():
        own = [(axis, times) for axis, times in position.parts if axis in box]
        start = position.offset + sum(n * fixed[a] for a, n in position.parts if a in fixed)
        if not own and not 0 <= start < sizes[place]:
            return None
        if len(own) == 1:  # several only where the position stays inside for all of them
            ((axis, times),) = own
            ends = (-start, sizes[place] - 1 - start)
            if times < 0:
                ends = (-ends[1], -ends[0])
            low, high = -(-ends[0] // abs(times)), ends[1] // abs(times) + 1
            box[axis] = max(low, box[axis][0]), min(high, box[axis][1])
    return box if all(low < high for low, high in box.values()) else None


def _by_index(
    out: np.ndarray,
    places: Sequence[str],
    value: np.ndarray,
    every: Sequence[str],
    positions: Mapping[str, Position],
    sizes: Sizes,
) -> None:
    """Entry by entry, through whole numbers."""
    inside = np.ones([1] * len(every), bool)
    index = []
    for axis in places:
        at = positions.get(axis, along(axis)).values(every, sizes)
        inside = inside & (at >= 0) & (at < sizes[axis])
        index.append(at)
    rows = np.broadcast_to(inside, value.shape)
    where = tuple(np.broadcast_to(at, value.shape)[rows] for at in index)
    if all(axis in places for axis in every):  # no two entries meet
        out[where] += value[rows]
    else:
        np.add.at(out, where, value[rows])
