"""Which containers and dtypes are admitted, and what they become.

Everything that enters is copied into a fresh, native, C-ordered ndarray of
float64, or of float32 where the data is float32 or float16. Integers and
booleans become float64. Complex, object, masked, text and sparse arrays are
refused.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..errors import DomainError, Later
from ..writing.signs import number, plural, safe, type_of
from .foreign_arrays import NUMBERS, detached, is_sparse, not_numbers, sparse_instead, unreadable

FLOATS = np.dtype(np.float64), np.dtype(np.float32)


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run with numpy's floating-point warnings off, whatever the caller has set.

    exp(-1000) underflows even in a stable formula; the caller's state is
    restored on the way out, also after an exception.
    """

    @wraps(function)
    def shielded(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    shielded.shields = function  # type: ignore[attr-defined]
    return shielded


def in_silence(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that is shielded, for a caller who has numpy's warnings off; any other itself.

    >>> @quiet
    ... def reciprocal(x):
    ...     return 1 / x
    >>> with np.errstate(all="ignore"):
    ...     print(in_silence(reciprocal)(np.zeros(2)))
    [inf inf]
    """
    found: Callable[..., Any] = vars(function).get("shields", function)
    return found


def as_array(value: Any, name: str) -> np.ndarray:
    """`value` as a fresh ndarray of float64 or float32.

    >>> as_array([True, 2], "x")
    array([1., 2.])

    Raises DomainError for what is not an array of real numbers; long integers and
    long floats are rounded.
    """
    return np.array(real_array(value, name), order="C", copy=True)


def real_array(value: Any, name: str) -> np.ndarray:
    """`value` as an ndarray of float64 or float32, without a copy where it is one already."""
    if type(value) is np.ndarray and value.dtype in FLOATS:
        return value
    array = raw_array(value, name)
    small = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return array.astype(np.float32 if small else np.float64, copy=False)


def raw_array(value: Any, name: str) -> np.ndarray:
    """`value` as an ndarray of any real dtype, or DomainError saying what to pass instead."""
    if type(value) is np.ndarray and value.dtype.kind in NUMBERS:
        return value
    name = safe(name)
    if isinstance(value, np.ndarray) and isinstance(value, np.ma.MaskedArray):  # np.ma loads late
        hidden = int(np.ma.count_masked(value))
        raise DomainError(
            f"{name} is a masked array with {plural(hidden, 'masked entry', 'masked entries')}; "
            "a contraction ignores masks.\n"
            f"  Fill it first: {name}.filled(0.0), or drop the masked rows."
        )
    if getattr(value, "requires_grad", False):
        raise DomainError(
            f"{name} is {type_of(value)} that requires grad, not an array.\n"
            f"  Pass {detached(value, name)}."
        )
    if is_sparse(value):
        raise DomainError(
            f"{name} is a sparse {type(value).__name__}; Jacobians are built from dense arrays.\n"
            f"  Pass {sparse_instead(value, name)}."
        )
    if isinstance(value, (list, tuple)):
        _require_even_rows(value, name)
    try:
        array = np.asarray(value)
    except Exception as error:  # whatever another package's array raises
        if isinstance(value, list | tuple):
            for index, part in enumerate(value):
                raw_array(part, f"{name}[{index}]")
        raise DomainError(unreadable(value, name, error)) from None
    if array.dtype.kind not in NUMBERS:
        raise DomainError(not_numbers(value, array, name))
    return np.asarray(array)


def same_numbers(one: Any, other: Any, name: str) -> bool:
    """Whether two values for `name` are one object, or the same numbers in the same shape."""
    if one is other:
        return True
    return np.array_equal(raw_array(one, name), raw_array(other, name), equal_nan=True)


def is_finite(array: np.ndarray) -> bool:
    """Whether no entry is NaN or infinite.

    A finite sum of squares has finite entries: that is one pass, and writes nothing.
    """
    if array.dtype.kind == "f" and size_bound(array) < np.inf:
        return True
    return bool(np.isfinite(array).all())


def size_bound(array: np.ndarray) -> float:
    """√Σ x², which no |x| exceeds by more than rounding: inf or NaN where the sum is.

    A product of vectors warns of nothing, whatever the caller has set.
    """
    return math.sqrt(np.vdot(array, array))


def require_finite(array: np.ndarray, name: str, hint: str | Later) -> None:
    """Raise DomainError naming the first entry that is NaN or infinite."""
    if is_finite(array):
        return
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    value = number(array[index])
    count = int((~np.isfinite(array)).sum())
    raise DomainError(
        f"{entry(safe(name), index)} is {value}; "
        f"{count} of {array.size} entries of {safe(name)} are not finite.\n  {hint}"
    )


def entry(name: str, index: tuple[int, ...]) -> str:
    """An entry's name as numpy indexes it: W1[0,2]; a scalar is its own entry.

    >>> entry("W1", (0, 2)), entry("J", ())
    ('W1[0,2]', 'J')
    """
    return f"{name}[{','.join(str(int(i)) for i in index)}]" if index else name


def read_only(array: np.ndarray) -> np.ndarray:
    """The same array, closed to writing."""
    array.flags.writeable = False
    return array


def for_reading(array: np.ndarray) -> np.ndarray:
    """A view of the array that is closed to writing; the array itself stays as it is."""
    return read_only(array.view())


def kept(array: np.ndarray, own: bool = False) -> np.ndarray:
    """The array for somebody who keeps it: itself where nobody can write to it, else a closed copy.

    An array that is `own` has no other holder: it is closed, and its bases with it.
    """
    if not own and not is_closed(array):
        once = tuple([slice(None) if stride else slice(1) for stride in array.strides])
        copy = read_only(np.array(array[once], copy=True))  # what repeats is copied once
        return copy if copy.shape == array.shape else np.broadcast_to(copy, array.shape)
    base: Any = array
    while own and isinstance(base, np.ndarray):
        base = read_only(base).base
    return array


def is_closed(array: np.ndarray) -> bool:
    """Whether nobody can write to its memory: the array is closed, and what it is a view of."""
    base: Any = array
    while isinstance(base, np.ndarray) and not base.flags.writeable:
        base = base.base
    return base is None or isinstance(base, bytes)


def _require_even_rows(value: list | tuple, name: str, within: tuple[int, ...] = ()) -> None:
    """Name the first row whose shape differs from that of the first, at any depth."""
    shapes = [_row_shape(row) for row in value]
    for index, shape in enumerate(shapes):
        if shape != shapes[0]:
            rows = name + "".join(f"[{i}]" for i in within)
            raise DomainError(
                f"{name} is ragged: {rows}[0] has {_row_words(shapes[0])}, "
                f"{rows}[{index}] has {_row_words(shape)}.\n"
                "  Give every row the same length."
            )
    for index, row in enumerate(value):
        if isinstance(row, (list, tuple)):
            _require_even_rows(row, name, (*within, index))


def _row_shape(row: Any) -> tuple[int, ...]:
    if isinstance(row, (list, tuple)):
        return (len(row),)
    shape = getattr(row, "shape", None)  # of numpy's or another package's array
    return tuple(shape) if isinstance(shape, tuple) else ()


def _row_words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return plural(shape[0], "entry", "entries") if len(shape) == 1 else f"shape {shape}"
