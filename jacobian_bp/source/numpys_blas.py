"""The matrix products of numpy's own BLAS, for machine code to call.

numba's np.dot calls the BLAS of scipy, an older build as often as not: of 32 examples by 784 inputs
and 128 units in float32, the first product takes half as long again there. Where numpy has its BLAS
under the names that its wheels give it, the text of a step calls that one; else it says np.dot.
"""

import ctypes
import importlib
from functools import cache

import numpy as np

LETTERS = {np.dtype(np.float32): "s", np.dtype(np.float64): "d"}
SYMBOL = "jacobian_bp_{}gemm"
NAMES = ("scipy_cblas_{}gemm64_", "cblas_{}gemm64_")  # whose sizes are 64 bits wide

PRODUCT = '''gemm = types.ExternalFunction(
    "{symbol}",
    types.void(
        *(3 * [types.int32] + 3 * [types.int64]),
        *(types.{dtype}, types.intp, types.int64, types.intp, types.int64),
        *(types.{dtype}, types.intp, types.int64),
    ),
)


@njit(error_model="numpy", cache=True)
def by_blas(left, right, out):
    """out = left @ right: matrices row by row, or such ones transposed."""
    size, rows, inner, columns = out.itemsize, left.shape[0], left.shape[1], right.shape[1]
    first, second = left.strides[0] // size, right.strides[0] // size
    turned, turned_right = 111, 111
    if left.strides[1] != size:
        first, turned = left.strides[1] // size, 112
    if right.strides[1] != size:
        second, turned_right = right.strides[1] // size, 112
    first = max(first, inner if turned == 111 else rows)
    second = max(second, columns if turned_right == 111 else inner)
    gemm(
        101, turned, turned_right, rows, columns, inner,
        np.{dtype}(1.0), left.ctypes.data, first, right.ctypes.data, second,
        np.{dtype}(0.0), out.ctypes.data, columns,
    )'''


def product_text(dtype: np.dtype) -> str:
    """What a text needs to write by_blas(left, right, out); empty where numpy shows no BLAS."""
    letter = LETTERS[dtype]
    return PRODUCT.format(symbol=SYMBOL.format(letter), dtype=dtype) if is_found(letter) else ""


@cache
def is_found(letter: str) -> bool:
    """Whether numpy's function was found; from then on, machine code finds it too."""
    from llvmlite import binding

    for name in NAMES:
        address = _address(name.format(letter))
        if address:
            binding.add_symbol(SYMBOL.format(letter), address)
            return True
    return False


def _address(name: str) -> int | None:
    """Where a function lies that a part of numpy, or what that is linked with, has."""
    try:
        place = importlib.import_module("numpy.linalg._umath_linalg").__file__
        return ctypes.cast(getattr(ctypes.CDLL(place), name), ctypes.c_void_p).value
    except (ImportError, OSError, AttributeError, TypeError):
        return None
