"""The layers of a compiled step: z = a Wᵀ + b, its operands read where they lie."""

from collections.abc import Mapping

import numpy as np
from numpy import add, copyto

from ...numbers.outer_products import is_wide, write_product
from ...ops.kernels import Calls, Place

LARGE = 2**14  # entries of a product, from which clearing them takes longer than a call


def linear(late: Mapping[str, np.ndarray], names: tuple[str, ...], at: Place) -> Calls:
    """z = a Wᵀ + b; parameters and data lie where the caller has them, found in `late`.

    There a is in rows: the vectors of all axes in front, one below the other.
    """
    a_name, w_name, b_name = names
    bar, w_bar, b_bar = at.input_bars
    z, z_bar = in_rows(at.value), in_rows(at.bar)
    a_bar = None if bar is None else in_rows(bar)
    column, ones = z_bar.T, np.ones((1, len(z)), z.dtype)
    total = None if b_bar is None else b_bar[None]

    def forward() -> None:
        product(z, late[a_name], late[w_name].T)
        add(z, late[b_name], out=z)

    def backward() -> None:
        if w_bar is not None:
            product(w_bar, column, late[a_name])
        if total is not None:
            ones.dot(z_bar, out=total)
        if a_bar is not None:
            product(a_bar, z_bar, late[w_name])

    return forward, backward


def linear_of_one(late: Mapping[str, np.ndarray], names: tuple[str, ...], at: Place) -> Calls:
    """The same for one example: matrix times vector, and an outer product for ∂J/∂W.

    In `late` a is a vector. The cotangent of the bias is that of z; where the plan lets
    the two share their memory, nothing is left to do.
    """
    a_name, w_name, b_name = names
    z, z_bar = at.value.reshape(-1), at.bar.reshape(-1)
    a_bar, w_bar, b_bar = at.input_bars
    a_bar = None if a_bar is None else a_bar.reshape(-1)
    column = z_bar[:, None]
    outer = write_product if w_bar is not None and is_wide(w_bar) else np.dot
    made = late[a_name][None] if a_name in late else None  # what the caller brings comes later
    own = None if b_bar is None or np.shares_memory(b_bar, z_bar) else b_bar

    def forward() -> None:
        late[w_name].dot(late[a_name], out=z)
        add(z, late[b_name], out=z)

    def backward() -> None:
        if w_bar is not None:
            outer(column, late[a_name][None] if made is None else made, out=w_bar)
        if own is not None:
            copyto(own, z_bar)
        if a_bar is not None:
            z_bar.dot(late[w_name], out=a_bar)

    return forward, backward


def in_rows(array: np.ndarray) -> np.ndarray:
    """The vectors of all axes in front, one below the other; a view, as step arrays are laid so."""
    return array.reshape(-1, array.shape[-1])


def product(out: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """left · right, written into `out`.

    dot has the shorter way to BLAS, but clears a result before it writes it.
    """
    if out.size < LARGE:
        left.dot(right, out=out)
    else:
        np.matmul(left, right, out=out)
