"""Windows one step apart: what a tap reads, of all windows together, is one run of x.

Lay the padded rows of x one behind the other. Window o reads x at o + dilation·r, so that tap r
reads the run that starts at dilation·r; in several axes too, once every row of windows is made
as long as a row of x. What is too much there reads on into the next row, and is weighted by 0.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .windows import Sizes, Windows

AT_ONCE = 2**16  # entries of the runs in one product: they stay in the cache, few calls are made


@lru_cache(maxsize=256)
def runs_of(windows: Windows, sizes: Sizes, taps: Sizes) -> "Runs | None":
    """The runs, for an x and taps of these sizes; None where windows lie farther apart."""
    return Runs(windows, sizes, taps) if max(windows.stride) == 1 else None


class Runs:
    """The runs of windows with stride 1, for an x and taps of these sizes."""

    def __init__(self, windows: Windows, sizes: Sizes, taps: Sizes) -> None:
        self.rank = len(taps)
        self.grown = tuple(n + 2 * p for n, p in zip(sizes, windows.padding, strict=True))
        self.inside: Any = (...,)
        self.inside += tuple(slice(p, p + n) for n, p in zip(sizes, windows.padding, strict=True))
        steps = [prod(self.grown[n + 1 :]) for n in range(self.rank)]
        reach = [d * s for d, s in zip(windows.dilation, steps, strict=True)]
        self.starts = [
            sum(r * s for r, s in zip(tap, reach, strict=True)) for tap in np.ndindex(*taps)
        ]
        rows = self.grown[0] - windows.dilation[0] * (taps[0] - 1)
        self.wide = (rows, *self.grown[1:])
        self.length = prod(self.wide)
        self.room = max(prod(self.grown), self.starts[-1] + self.length)

    def spread(self, x: np.ndarray) -> np.ndarray:
        """x with its padding, (…, room): every run lies in it."""
        flat = np.zeros((*x.shape[: -self.rank], self.room), x.dtype)
        self._image(flat)[self.inside] = x
        return flat

    def gathered(self, flat: np.ndarray) -> np.ndarray:
        """What `spread` did, turned round: the entries at the places of x."""
        return np.ascontiguousarray(self._image(flat)[self.inside])

    def widened(self, bar: np.ndarray) -> np.ndarray:
        """An array over the windows with 0 where a row of x is longer: (…, length)."""
        lead = bar.shape[: -self.rank]
        places: Any = (..., *(slice(n) for n in bar.shape[-self.rank :]))
        wide = np.zeros((*lead, *self.wide), bar.dtype)
        wide[places] = bar
        return wide.reshape(*lead, self.length)

    def together(self, entries: int) -> Iterator[slice]:
        """The taps, some at a time, of which each has so many entries."""
        many = max(1, AT_ONCE // max(1, entries))
        for first in range(0, len(self.starts), many):
            yield slice(first, first + many)

    def read(self, flat: np.ndarray, taps: slice) -> np.ndarray:
        """(…, taps, channels, length): the runs of some taps; that of one tap is not copied."""
        runs = [flat[..., start : start + self.length] for start in self.starts[taps]]
        return runs[0][..., None, :, :] if len(runs) == 1 else np.stack(runs, axis=-3)

    def add(self, flat: np.ndarray, parts: np.ndarray, taps: slice) -> None:
        """Add (…, taps, channels, length) to where the runs of these taps lie."""
        for n, start in enumerate(self.starts[taps]):
            run = flat[..., start : start + self.length]
            np.add(run, parts[..., n, :, :], out=run)

    def _image(self, flat: np.ndarray) -> np.ndarray:
        return flat[..., : prod(self.grown)].reshape(*flat.shape[:-1], *self.grown)


def by_x(runs: Runs, bar: np.ndarray, kernels: np.ndarray, shape: Sizes) -> np.ndarray:
    """Σ_r Kᵀ[r] ȳ, each added where tap r read: (…, channels, sizes).

    `bar` is (…, groups, kernels of a group, places), `kernels` (groups, kernels of a group,
    channels of a group, taps).
    """
    groups, own, channels, _ = kernels.shape
    lead = bar.shape[: -runs.rank - 2]
    turned = np.ascontiguousarray(kernels.transpose(0, 3, 2, 1))
    flat = np.zeros((*lead, groups, channels, runs.room), bar.dtype)
    wide = runs.widened(bar)
    for taps in runs.together(flat.size):
        some = turned[:, taps].reshape(groups, -1, own)
        parts = np.matmul(some, wide)
        runs.add(flat, parts.reshape(*lead, groups, -1, channels, runs.length), taps)
    return runs.gathered(flat).reshape(shape)


def by_kernels(runs: Runs, bar: np.ndarray, x: np.ndarray, shape: Sizes) -> np.ndarray:
    """Σ_o ȳ[o] x[o + r] for each tap r, added up over the axes in front: the gradient by K.

    `bar` as in `by_x`, `x` (…, groups, channels of a group, sizes).
    """
    groups, own = bar.shape[-runs.rank - 2 : -runs.rank]
    channels = x.shape[-runs.rank - 1]
    flat, wide = runs.spread(x), runs.widened(bar)
    found = np.empty((groups, own, len(runs.starts), channels), bar.dtype)
    for taps in runs.together(flat.size):
        read = runs.read(flat, taps)
        columns = read.reshape(*read.shape[:-3], -1, runs.length)
        parts = np.matmul(wide, np.swapaxes(columns, -1, -2))
        total = parts.reshape(-1, *parts.shape[-3:]).sum(axis=0)
        found[:, :, taps] = total.reshape(groups, own, -1, channels)
    return np.ascontiguousarray(found.swapaxes(-1, -2)).reshape(shape)
