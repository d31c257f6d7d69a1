"""Dask arrays of rows: each chunk is worked on where Dask computes, and all are joined in pairs."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..numbers.extras import extra
from .batches import Data, Rows, is_dask


def added_up(task: Callable[[int, Data], Any], rows: Rows) -> Any:
    """The shares of all chunks of rows, joined in pairs: the same on every scheduler."""
    dask = extra("dask", "arrays of rows by Dask")
    given = dask.delayed(task, pure=False)
    waiting = [
        given(place, _sliced(rows, start, stop))
        for place, (start, stop) in enumerate(pairwise(rows.cuts))
    ]
    joined = dask.delayed(_joined, pure=False)
    while len(waiting) > 1:
        pairs = [waiting[at : at + 2] for at in range(0, len(waiting), 2)]
        waiting = [joined(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    (found,) = dask.compute(waiting[0])
    return found


def _sliced(rows: Rows, start: int, stop: int) -> dict[str, Any]:
    """The rows of each array, those of a Dask array as one chunk that is not computed yet."""
    found = {}
    for name, array in rows.arrays.items():
        part = array[start:stop]
        found[name] = part.rechunk(part.shape) if is_dask(array) else np.asarray(part)
    return found


def _joined(left: Any, right: Any) -> Any:
    return left.join(right)
