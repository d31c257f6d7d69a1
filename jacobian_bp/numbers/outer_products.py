"""Products of a column and a row, written as fast as memory takes them.

Before numpy multiplies by an operand that is constant along an axis, it copies
that operand into a buffer of 8,192 entries, unless a row alone is longer: three
times the work. With the smallest buffer it multiplies in place. Short rows are
left to BLAS, a block at a time.
"""

from itertools import product

import numpy as np

LEAST = 2**12  # entries: below, setting the buffer costs more than it saves
ROW = 128  # entries of a row, from which a call of numpy's inner loop is worth its start
SMALLEST_BUFFER = 16


def write_product(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """out = left · right, entry by entry; either may be constant along some axes.

    >>> out = np.empty((2, 3))
    >>> write_product(np.array([[2.0], [3.0]]), np.array([[1.0, 10.0, 100.0]]), out)
    >>> out
    array([[  2.,  20., 200.],
           [  3.,  30., 300.]])
    """
    if left.shape == right.shape or out.size < LEAST:
        np.multiply(left, right, out=out, casting="same_kind")
    elif is_wide(out):
        with np.errstate():  # puts the size of the buffer back too, in less time than a call
            np.setbufsize(SMALLEST_BUFFER)
            np.multiply(left, right, out=out, casting="same_kind")
    elif not _by_blas(left, right, out):
        np.multiply(left, right, out=out, casting="same_kind")


def is_wide(out: np.ndarray) -> bool:
    """Whether it is worth while to write a product with numpy's smallest buffer."""
    return out.size >= LEAST and out.shape[-1] >= ROW


def _by_blas(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> bool:
    """Where the last two axes are a column times a row: a matrix product for each block.

    False, and nothing done, where they are not.
    """
    if out.ndim < 2 or not left.dtype == right.dtype == out.dtype:
        return False
    if left.shape[-1] != 1:
        left, right = right, left
    rows, columns = out.shape[-2:]
    if left.shape[-2:] != (rows, 1) or right.shape[-2:] != (1, columns):
        return False
    if out.strides[-2:] != (columns * out.itemsize, out.itemsize):
        return False
    before = out.shape[:-2]
    left = np.broadcast_to(left, (*before, rows, 1))
    right = np.broadcast_to(right, (*before, 1, columns))
    for place in product(*map(range, before)):
        left[place].dot(right[place], out=out[place])
    return True
