"""Σ_i δ[i,f] g[i] = g[f]: an array read at a position.

An affine position is a strided view, as long as none of its axes stands in the array
already; anything else is gathered. What lies outside the axis is 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ...numbers.memory import require_memory
from ..expression import Dense
from ..positions.affine_and_table import Affine, Position, Table, along, substituted
from ..tape import apply

Reader = Callable[..., np.ndarray]


def read_at(factor: Dense, axis: str, position: Position, sizes: dict[str, int]) -> Dense:
    """The factor with `axis` read at `position`, 0 where that lies outside."""
    axes = tuple(
        dict.fromkeys(a for own in factor.axes for a in (position.axes if own == axis else [own]))
    )
    shape = tuple([sizes[a] for a in axes])
    viewed = (
        isinstance(position, Affine)
        and not {*position.axes} & {*factor.axes}
        and len({*factor.axes}) == len(factor.axes)
        and 0 not in (*shape, sizes[axis])
    )
    if isinstance(position, Affine) and viewed:
        array = apply(_view(factor.axes, axis, position, sizes), [factor.array], shape)
    else:
        require_memory(
            f"{factor.label} read at {axis} = {position}",
            shape,
            factor.array.itemsize,
            "Use J.pull(v), or J.push(u).",
        )
        tables = [position.array] if isinstance(position, Table) else []
        gather = _gather(factor.axes, axis, position, axes, dict(sizes))
        dtype = factor.array.dtype
        array = apply(gather, [factor.array, *tables], shape, dtype)
    written = factor.read_at or tuple(map(along, factor.axes))
    return Dense(factor.label, axes, array, read_at=_moved(written, axis, position, sizes))


def _moved(
    written: Sequence[Position], axis: str, position: Position, sizes: dict[str, int]
) -> tuple[Position, ...]:
    """How the array is written now: x[c,2o+r] for x[c,i] read at i = 2o + r."""
    found = [
        substituted(_wordy(own, sizes), axis, _wordy(position, sizes), sizes)
        if axis in own.axes
        else own
        for own in written
    ]
    return tuple(_wordy(own, sizes) for own in found)


def _wordy(position: Position, sizes: dict[str, int]) -> Position:
    """A look-up without its numbers: only its words are wanted, and they hold no memory."""
    if isinstance(position, Affine):
        return position
    shape = tuple(sizes[axis] for axis in position.axes)
    return replace(position, array=np.broadcast_to(np.int64(0), shape))


def _view(own: Sequence[str], axis: str, position: Affine, sizes: dict[str, int]) -> Reader:
    """A strided view, of a copy with zeros around it where the position leaves the axis."""
    place, size = own.index(axis), sizes[axis]
    low, high = position.bounds(sizes)
    before, after = max(0, -low), max(0, high - size + 1)
    around = [(before, after) if p == place else (0, 0) for p in range(len(own))]
    start = tuple([slice(None)] * place + [slice(position.offset + before, None)])
    reach = [sizes[a] for a in position.axes]

    def viewed(array: np.ndarray) -> np.ndarray:
        if before or after:
            array = np.pad(array, around)
        step, left, right = array.strides[place], array.shape[:place], array.shape[place + 1 :]
        return np.lib.stride_tricks.as_strided(
            array[start],
            (*left, *reach, *right),
            (
                *array.strides[:place],
                *(times * step for _, times in position.parts),
                *array.strides[place + 1 :],
            ),
            writeable=False,
        )

    return viewed


def _gather(
    own: Sequence[str],
    axis: str,
    position: Position,
    axes: Sequence[str],
    sizes: dict[str, int],
) -> Reader:
    """Indexed entry by entry, and 0 chosen where the position leaves the axis."""
    size = sizes[axis]

    def gathered(array: np.ndarray, *table: np.ndarray) -> np.ndarray:
        read = replace(position, array=table[0]) if isinstance(position, Table) else position
        shape = tuple([sizes[a] for a in axes])
        if not size:
            return np.zeros(shape, array.dtype)
        at = read.values(axes, sizes)
        inside = (at >= 0) & (at < size)
        index = tuple(
            np.where(inside, at, 0) if a == axis else along(a).values(axes, sizes) for a in own
        )
        found = np.where(inside, array[index], array.dtype.type(0))
        return np.array(np.broadcast_to(found, shape))

    return gathered
