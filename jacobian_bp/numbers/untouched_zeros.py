"""Zeros that cost nothing until they are touched.

numpy.zeros asks the system for huge pages, and the first write to one clears two
megabytes: a tensor with one entry in N other than 0 is then cleared nearly whole.
With small pages only those that are written to are cleared. Reading all of it is
slower afterwards, a page fault for every 4 KiB: good for an array that is looked
at, bad for one that is contracted next.
"""

import mmap
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from .memory import nbytes

FROM_BYTES = 3 * 2**20  # below, clearing the memory takes less than mapping it

Watcher = Callable[[int], None]  # told of bytes that are mapped, and as a negative number let go
_watcher: ContextVar[Watcher | None] = ContextVar("jacobian_bp_pages", default=None)


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
    owner = np.frombuffer(pages, dtype)
    watcher = _watcher.get()
    if watcher is not None:
        watcher(size)
        weakref.finalize(owner, watcher, -size).atexit = False
    return owner.reshape(shape)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` of pages mapped inside the block, which Python's allocator never sees.

    >>> told = []
    >>> with watched(told.append):
    ...     zeros = untouched_zeros((2, 3), np.dtype(np.float64))
    >>> told
    []
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)
