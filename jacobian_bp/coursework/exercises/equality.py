"""Whether an answer is the right one to rounding.

An answer is read as an array of real numbers first; what cannot be read says why.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import DomainError
from ...numbers.arrays import raw_array
from ...numbers.rounding import agree, is_single, largest, of_formulas
from ...writing.signs import type_of

SINGLE = 1e-4  # of the largest entry: whole sheets may be in float32, and errors add up
LARGEST = 2 * 10**6  # entries of an answer, as in the sandbox


@dataclass(frozen=True)
class Unusable:
    """An answer that is neither numbers nor text, as a sentence about it."""

    says: str

    @classmethod
    def of(cls, value: Any) -> "Unusable":
        """The sentence about any object."""
        return cls(f"{type_of(value)}, not numbers")


def as_numbers(value: Any, name: str) -> np.ndarray | str:
    """`value` as an array of real numbers, or why it is none.

    >>> as_numbers("two", "dW")
    'is text, not numbers'
    >>> as_numbers(np.broadcast_to(0.5, (2**20, 2**20)), "dW")  # no memory of its own
    'is an array of 1099511627776 entries, which is too large'
    """
    if isinstance(value, Unusable):
        return f"is {value.says}"
    if isinstance(value, str):
        return "is text, not numbers"
    long = _long_integers(value)
    if long is not None:
        return long
    try:
        if hasattr(value, "__array__"):
            np.asarray(value)
        array = raw_array(value, name)
        many = f"is an array of {array.size} entries, which is too large"
        return array if array.size <= LARGEST else many
    except DomainError as error:
        return str(error).splitlines()[0].removeprefix(f"{name} ").rstrip(".:")
    except Exception:  # of an object with an __array__ of its own
        return f"is {Unusable.of(value).says}"


def _long_integers(value: Any) -> np.ndarray | None:
    """Python's own numbers, as which numpy keeps integers beyond 64 bits, as floats; else None."""
    if not isinstance(value, int | list | tuple | np.ndarray):
        return None
    try:
        array = np.asarray(value)
        objects = array.dtype == object and array.size > 0
        numbers = objects and all(isinstance(entry, int | float) for entry in array.flat)
        return array.astype(float) if numbers else None
    except (ValueError, TypeError, OverflowError):  # ragged, or beyond 1e308
        return None


def same(value: np.ndarray, right: np.ndarray) -> bool:
    """Equal to rounding, norm-wise and entry by entry; NaN and infinity are equal to nothing.

    >>> same(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-9]))
    True
    """
    if value.shape != right.shape:
        return False
    if not (np.isfinite(value).all() and np.isfinite(right).all()):
        return False  # beside an infinite entry every difference is within the allowance
    allowed = SINGLE * largest(right) if is_single(value) else of_formulas(right)
    return agree(value.astype(float), right, allowed)


def unfit(value: np.ndarray) -> str:
    """Why no array of this kind can be right: an entry that is not finite; else nothing."""
    if np.isfinite(value).all():
        return ""
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
    at = f"entry {list(index)}" if index else "the number"
    return f"{at} is {value[index]}, and that is never right"
