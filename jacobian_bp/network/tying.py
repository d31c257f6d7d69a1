"""Which parameters are tied: those under whose names one and the same array was given.

The same array is the same memory, read in the same way: a tensor given twice, two
tensors of one storage, a view of the whole. Arrays that share a part are refused, since
a network keeps copies. Lists and numbers are values, and tie nothing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import SpecError
from ..numbers.arrays import raw_array, same_numbers
from ..numbers.shared_memory import same_array, sharing
from ..writing.signs import dims, safe


def tied_names(params: Mapping[str, Any]) -> dict[str, str]:
    """Names under which one and the same array was given, and the first of them.

    >>> W = np.ones((3, 3))
    >>> tied_names({"W1": W, "b1": np.ones(3), "W2": W[:]})
    {'W2': 'W1'}

    Raises SpecError for two arrays that share a part of their memory.
    """
    tied, own = _same(params)
    for name, other in sharing(own)[:1]:
        raise SpecError(
            f"{safe(name)} and {safe(other)} share memory, and are not the same array.\n"
            f"  {_witness(own, name)}\n"
            f"  {_witness(own, other)}\n"
            f"  To train each by itself give {_copied(params[other], safe(other))}."
            f"{_read_transposed(own, name, other)}"
        )
    return tied


def fill_tied(given: Mapping[str, Any], tied: Mapping[str, str]) -> dict[str, Any]:
    """Values by the first names; SpecError where two that are tied get different numbers."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        first = tied.get(name, name)
        if first in found and not same_numbers(found[first], value, name):
            raise SpecError(
                f"{name} and {first} are tied, and get two arrays.\n  Give one of them."
            )
        found.setdefault(first, value)
    return found


def _same(params: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Tied names with the first of each, and the other arrays as numpy reads them."""
    tied: dict[str, str] = {}
    by_object: dict[int, str] = {}
    by_address: dict[int, list[str]] = {}
    own: dict[str, np.ndarray] = {}
    for name, value in params.items():
        if isinstance(value, list | tuple | int | float | np.generic | str | None):
            continue
        if id(value) in by_object:
            tied[name] = by_object[id(value)]
            continue
        array = raw_array(value, name)
        starts = by_address.setdefault(array.__array_interface__["data"][0], [])
        first = next((other for other in starts if same_array(own[other], array)), name)
        by_object[id(value)] = first
        if first != name:
            tied[name] = first
        else:
            starts.append(name)
            own[name] = array
    return tied, own


def _witness(arrays: Mapping[str, np.ndarray], name: str) -> str:
    return f"{safe(name)} has shape {dims(arrays[name].shape)}, strides {arrays[name].strides}"


def _copied(value: Any, name: str) -> str:
    """How a copy of it is written: numpy says copy, torch says clone."""
    for method in ("copy", "clone"):
        if hasattr(value, method):
            return f"{name}.{method}()"
    return f"np.array({name})"


def _read_transposed(arrays: Mapping[str, np.ndarray], name: str, other: str) -> str:
    """How a matrix and its transpose are tied: as one parameter, whose axes a step names."""
    if arrays[name].ndim != 2 or not same_array(arrays[name], arrays[other].T):
        return ""
    return (
        f" To train them as one, leave {safe(other)} out\n"
        f"  and read {safe(name)} transposed: z = Einsum(a, {safe(name)}, 'k,ki->i')."
    )
