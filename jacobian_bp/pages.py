"""Zeros that cost nothing until they are touched.

numpy.zeros asks the system for huge pages, and the first write to one clears two
megabytes: a tensor with one entry in N other than 0 is then cleared nearly whole.
With small pages only those that are written to are cleared. Reading all of it is
slower afterwards, a page fault for every 4 KiB: good for an array that is looked
at, bad for one that is contracted next.
"""

import mmap
from collections.abc import Sequence

import numpy as np

from .memory import nbytes

FROM_BYTES = 2**22  # below, numpy.zeros is not given huge pages


def untouched_zeros(shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """A fresh writable array of zeros on small pages, where the system can be asked for them.

    >>> untouched_zeros((2, 3), np.dtype(np.float64)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    size = nbytes(shape, dtype.itemsize)
    if size < FROM_BYTES or not hasattr(mmap, "MADV_NOHUGEPAGE"):
        return np.zeros(shape, dtype)
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, dtype).reshape(shape)
