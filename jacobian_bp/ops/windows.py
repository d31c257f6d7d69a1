"""Windows: where they read, the entries in them as a view, and adding entries back to their places.

A window of r taps reads x at i = stride·o + dilation·r − padding. Places outside x are padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from ..errors import DomainError

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """How windows lie along each axis: stride, padding, dilation, one number an axis."""

    stride: Sizes
    padding: Sizes
    dilation: Sizes

    def rule(self, along: int, place: str, read: str, taps: str | int) -> str:
        """The size of an output axis, as a signature says it."""
        s, p, d = self.stride[along], self.padding[along], self.dilation[along]
        reach = f"{d}*({taps} - 1) - 1" if d != 1 else f"{taps}"
        room = f"{read} + {2 * p} - {reach}" if p else f"{read} - {reach}"
        return f"{place} = ({room})//{s} + 1" if s != 1 else f"{place} = {room} + 1"

    def position(self, along: int, read: str, place: str, tap: str) -> str:
        """i = 2o + r - 1: which entry tap r of window o reads."""
        s, p, d = self.stride[along], self.padding[along], self.dilation[along]
        return f"{read} = {s}{place} + {d}{tap} - {p}"

    def view(self, x: np.ndarray, taps: Sizes, fill: float = 0.0) -> np.ndarray:
        """[…, o, q, r, s]: the entries that the windows read, of a copy with `fill` around it."""
        rank = len(taps)
        around = [(0, 0)] * (x.ndim - rank) + [(p, p) for p in self.padding]
        padded = np.pad(x, around, constant_values=fill) if any(self.padding) else x
        return self.view_of(padded, taps)

    def view_of(self, padded: np.ndarray, taps: Sizes, writeable: bool = False) -> np.ndarray:
        """[…, o, q, r, s]: the same of an array that has its padding already, without a copy."""
        reach = [d * (r - 1) + 1 for d, r in zip(self.dilation, taps, strict=True)]
        axes = tuple(range(-len(taps), 0))
        view = np.lib.stride_tricks.sliding_window_view(
            padded, reach, axis=axes, writeable=writeable
        )
        chosen: Any = (...,)
        chosen += tuple(slice(None, None, step) for step in (*self.stride, *self.dilation))
        return np.asarray(view[chosen])

    def add_back(self, parts: np.ndarray, shape: Sizes) -> np.ndarray:
        """The sum over all windows of what belongs to each entry: `view`, turned round.

        Two windows may share an entry; two taps of all windows are added one after another,
        each without an overlap of its own.
        """
        rank = len(self.stride)
        sizes, places = shape[-rank:], parts.shape[-2 * rank : -rank]
        lead = parts.shape[: -2 * rank]
        grown = [n + 2 * p for n, p in zip(sizes, self.padding, strict=True)]
        whole = np.zeros((*lead, *grown), parts.dtype)
        for taps in np.ndindex(*parts.shape[-rank:]):
            at = tuple(
                slice(d * r, d * r + s * (o - 1) + 1, s)
                for d, r, s, o in zip(self.dilation, taps, self.stride, places, strict=True)
            )
            place: Any = (..., *at)
            tap: Any = (..., *taps)
            whole[place] += parts[tap]
        inside: Any = (...,)
        inside += tuple(slice(p, p + n) for p, n in zip(self.padding, sizes, strict=True))
        return np.ascontiguousarray(whole[inside])


def per_axis(value: Any, rank: int, least: int, who: str) -> Sizes:
    """A whole number for all axes, or one for each; DomainError for anything else."""
    if type(value) is int and value >= least:
        return (value,) * rank
    given = [value] * rank if isinstance(value, Integral) else value
    whole = isinstance(given, Sequence) and len(given) == rank and all(map(is_whole, given))
    if not whole or isinstance(value, bool) or any(n < least for n in given):
        several = f", or {rank} of them" if rank > 1 else ""
        same = "; for as many places as entries, (r − 1)/2 with r taps and a stride of 1"
        raise DomainError(
            f"{who} is {value!r}.\n  Write a whole number from {least} on{several}"
            f"{same if value == 'same' else ''}."
        )
    return tuple(map(int, given))


def is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
