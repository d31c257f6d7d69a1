"""Positions of an axis: whole numbers from 0, never rounded and never counted from the end."""

from typing import Any

import numpy as np

from ..errors import DomainError
from .arrays import entry, raw_array


def as_positions(value: Any, name: str) -> np.ndarray:
    """A fresh array of whole numbers, or DomainError: 0.5 is no position, and True is none."""
    array = raw_array(value, name)
    if array.dtype.kind in "iu":
        return np.array(array, dtype=np.int64, copy=True)
    if array.dtype.kind != "f":
        raise DomainError(
            f"{name} has dtype {array.dtype}; positions of an axis are whole numbers.\n"
            f"  Pass {name}.astype(int), or np.flatnonzero({name}) for the places of True."
            if array.dtype.kind == "b"
            else f"{name} has dtype {array.dtype}; positions of an axis are whole numbers.\n"
            "  Pass integers from 0 up."
        )
    broken = ~(np.atleast_1d(array) == np.floor(np.atleast_1d(array)))
    at = tuple(map(int, np.unravel_index(int(np.argmax(broken)), broken.shape)))
    shown = np.atleast_1d(array)[at] if array.size else "nothing"
    instead = "whole numbers" if broken.any() else f"{name}.astype(int)"
    if _one_hot(array):
        instead = f"{name}.argmax(-1): its rows are one-hot"
    raise DomainError(
        f"{entry(name, at if array.ndim else ())} is {shown!s}, of dtype {array.dtype}; a position "
        f"of an axis is an integer.\n  Pass {instead}."
    )


def _one_hot(array: np.ndarray) -> bool:
    """Whether each row has one 1 and zeros beside it."""
    if array.ndim < 2 or array.shape[-1] < 2 or not array.size:
        return False
    return bool(((array == 0) | (array == 1)).all() and (array.sum(axis=-1) == 1).all())


def require_positions(array: np.ndarray, size: int, who: object, name: str, where: str) -> None:
    """DomainError naming the first entry that is no position of an axis; `where` is its source."""
    wrong = (array < 0) | (array >= size)
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        axis = where.split(",")[0]
        positions = f"the positions 0 to {size - 1}" if size else "no position"
        raise DomainError(
            f"{who}: {entry(name, at)} is {int(array[at])}, and axis {axis} has {positions}.\n"
            f"  {where.partition(',')[2]}, so {axis} = {size}\n"
            f"  Count positions from 0 and below {size}, or give the axis more entries."
        )


def in_float64(array: np.ndarray) -> np.ndarray:
    """A copy in float64; of positions in their own dtype, as 0.5 must not index."""
    return array.copy() if array.dtype.kind == "i" else array.astype(np.float64)
