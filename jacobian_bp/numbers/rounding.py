"""Equal to rounding: how far two arrays may lie apart, and whether they do.

One rounding is off by u of its result at the most, a sum by a small multiple of
u·Σ|terms|. So an allowance has an entry for each entry, at the scale of what was
added up there: beside a sum that cancels, a fixed relative tolerance means nothing.

    UNITS · u · Σ|terms|                            the same sum in another order
    RELATIVE · |entry| + FLOOR · max |entry|        the same numbers by another formula
    UNITS · u · scales(entries)                     one array, whose sums are not known

A NaN is equal to nothing, and an infinite gap is no rounding, however much is allowed.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import DTypeLike

UNITS = 16  # of u·Σ|terms|
ROUNDINGS = 4  # of an entry, in its own digits
RELATIVE, FLOOR = 1e-6, 1e-9


def unit_roundoff(dtype: DTypeLike) -> float:
    """u, the largest relative error of one rounding.

    >>> unit_roundoff(np.float64) == 2.0**-53, unit_roundoff(np.float32) == 2.0**-24
    (True, True)
    """
    return float(np.finfo(dtype).eps) / 2


def is_single(array: np.ndarray) -> bool:
    """Whether its numbers have the digits of float32, or fewer."""
    return array.dtype.kind == "f" and array.dtype.itemsize < 8


def largest(array: np.ndarray) -> float:
    """max |entry|, the scale of an array; 0 where it has no entry."""
    return float(np.abs(array).max(initial=0.0))


def of_sums(magnitudes: np.ndarray, dtype: DTypeLike, units: int = UNITS) -> np.ndarray:
    """What sums may be off, units · u · Σ|terms|, where `magnitudes` are the Σ|terms|."""
    return units * unit_roundoff(dtype) * np.asarray(magnitudes, np.float64)


def of_formulas(right: np.ndarray, relative: float = RELATIVE, floor: float = FLOOR) -> np.ndarray:
    """What another formula may be off, relative · |right| + floor · max |right|."""
    return np.asarray(relative * np.abs(right) + floor * largest(right))


def scales(entries: np.ndarray, unit: float) -> np.ndarray:
    """The largest of the entries with which each was computed, as far as the numbers tell.

    What a sum of terms of size T leaves is 0, or at least about u·T: entries that others exceed
    by more than that were computed without them, and have a scale of their own, but none
    below 1 that the array does not have.

    >>> scales(np.array([1e308, 2.0, -3.0, 0.0]), 2.0**-53).tolist()
    [1e+308, 3.0, 3.0, 3.0]
    """
    sizes = np.abs(np.where(np.isfinite(entries), entries, 0.0)).astype(np.float64)
    levels = np.unique(sizes[sizes > 0])
    if not levels.size:
        return np.zeros_like(sizes)
    apart = np.flatnonzero(levels[1:] * (unit / UNITS) > levels[:-1])
    tops = np.append(levels[apart], levels[-1])  # the largest of each group, in order
    found = tops[np.minimum(np.searchsorted(tops, sizes), len(tops) - 1)]
    return np.maximum(found, min(float(levels[-1]), 1.0))


def differing(found: np.ndarray, right: np.ndarray, allowed: np.ndarray | float) -> np.ndarray:
    """Where entries lie farther apart than allowed or infinitely far, or one is NaN.

    >>> differing(np.array([1.0, 2.1, np.nan]), np.array([1.0, 2.0, 3.0]), 0.01)
    array([False,  True,  True])
    """
    gap = np.abs(found - right)
    return np.asarray(~((gap <= allowed) & (gap < np.inf)))


def agree(found: np.ndarray, right: np.ndarray, allowed: np.ndarray | float) -> bool:
    """Whether the shapes are the same, and no entries lie farther apart than allowed."""
    return found.shape == right.shape and not differing(found, right, allowed).any()


def off_by_roundings(arrays: Sequence[np.ndarray], dtype: DTypeLike) -> Iterator[list[np.ndarray]]:
    """The arrays with each entry off by a few roundings of `dtype`, up and down.

    All alike, each array against the next, and each entry against the next.
    """
    least = float(np.finfo(dtype).smallest_subnormal)
    for by_array, by_entry in ((0, 0), (1, 0), (0, 1)):
        for sign in (1.0, -1.0):
            moved = []
            for count, array in enumerate(arrays):
                off = ROUNDINGS * np.maximum(np.abs(array) * unit_roundoff(dtype), least)
                turns = by_array * count + by_entry * np.arange(array.size).reshape(array.shape)
                moved.append(np.asarray(array + sign * (-1.0) ** turns * off))
            yield moved
