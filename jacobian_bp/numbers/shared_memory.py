"""Which arrays are one and the same memory, and which share a part of it.

Two objects are one array where address, shape, strides and dtype are the same: a
view of the whole, or a tensor that numpy reads without a copy.
"""

from collections.abc import Mapping

import numpy as np

HARD = 10**7  # candidates that numpy tries before it gives up to tell two views apart

Place = tuple[int, tuple[int, ...], tuple[int, ...], np.dtype]


def same_array(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether writing to an entry of one is writing to that entry of the other.

    >>> W = np.ones((2, 3))
    >>> same_array(W, W[:]), same_array(W, W.copy()), same_array(W, W[:1])
    (True, False, False)
    """
    return one is other or (one.size > 0 and _place(one) == _place(other))


def sharing(arrays: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """The pairs of names whose arrays have an entry in common, in the order of the names.

    >>> W = np.ones((4, 4))
    >>> sharing({"top": W[:2], "bottom": W[2:], "left": W[:, :2]})
    [('top', 'left'), ('bottom', 'left')]
    """
    order = {name: position for position, name in enumerate(arrays)}
    spans = sorted((*_span(a), name) for name, a in arrays.items() if a.size)
    found: list[tuple[str, str]] = []
    open_spans: list[tuple[int, str]] = []
    for start, end, name in spans:  # by address: only spans that overlap are looked at
        open_spans = [(e, other) for e, other in open_spans if e > start]
        for _, other in open_spans:
            if _share(arrays[other], arrays[name]):
                first, second = sorted((other, name), key=order.__getitem__)
                found.append((first, second))
        open_spans.append((end, name))
    return sorted(found, key=lambda pair: [order[name] for name in pair])


def _share(one: np.ndarray, other: np.ndarray) -> bool:
    try:
        return np.shares_memory(one, other, max_work=HARD)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:  # interwoven in many axes: as good as shared
        return True


def _place(array: np.ndarray) -> Place:
    strides = tuple(0 if n == 1 else s for n, s in zip(array.shape, array.strides, strict=True))
    return _address(array), array.shape, strides, array.dtype


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def _span(array: np.ndarray) -> tuple[int, int]:
    """The first byte, and the one behind the last."""
    reach = [(n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)]
    start = _address(array)
    low, high = sum(r for r in reach if r < 0), sum(r for r in reach if r > 0)
    return start + low, start + high + array.itemsize
