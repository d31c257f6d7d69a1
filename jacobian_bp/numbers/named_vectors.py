"""Cotangents and tangents given by name: {"W1": u, "b1": v}, or the one that there is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import AxisError, SpecError
from ..writing.signs import dims, safe
from .arrays import real_array, require_finite


def of_one(value: Any, name: str, who: str, kind: str, several: str = "") -> Any:
    """The array of a dict that names this one value; what is no dict, as it is.

    Raises SpecError for a dict that names others; `several` is what takes these.

    >>> of_one({"z1": 5.0}, "z1", "∂z1/∂W1.pull", "cotangent")
    5.0
    """
    if not isinstance(value, Mapping):
        return value
    if [*value] == [name]:
        return value[name]
    names = ", ".join(safe(str(key)) for key in [*value][:6]) or "no name"
    raise SpecError(
        f"{who}: the {kind} is a dict of {names}; there is one of {name} alone.\n"
        f'  Pass {{"{name}": v}}, v of the shape of {name}, or v itself'
        f"{f'; one of several variables goes to {several}' if several else ''}."
    )


def of_variables(
    vectors: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], who: str, kind: str
) -> dict[str, np.ndarray]:
    """The arrays of a dict, each finite and of the shape of the variable that it names.

    Raises AxisError for another shape, DomainError for what is not finite.
    """
    found = {}
    for name, vector in vectors.items():
        called = f"the {kind} of {name}"
        array = real_array(vector, called)
        require_finite(array, called, f"Pass a finite {kind}.")
        if array.shape != shapes[name]:
            raise AxisError(
                f"{who}: {called} does not fit.\n"
                f"  it has shape {dims(array.shape)}\n"
                f"  {name} has shape {dims(shapes[name])}\n"
                f"  Pass an array of the shape of {name}."
            )
        found[name] = array
    return found
