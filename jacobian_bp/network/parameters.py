"""The parameters of a network as they are given: finite, by their names, in their shapes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import AxisError, SpecError
from ..numbers.arrays import as_array, require_finite
from ..writing.signs import did_you_mean, dims, safe, type_of


def checked(value: Any, name: str) -> np.ndarray:
    array = as_array(value, name)
    require_finite(array, name, "A parameter is a finite number.")
    return array


def require_mapping(params: Any) -> None:
    if params is not None and not isinstance(params, Mapping):
        raise SpecError(
            f"params is {type_of(params)}, not a mapping of names to arrays.\n"
            '  Write params={"W1": W1, "b1": b1}.'
        )
    for name in params or {}:
        if not isinstance(name, str):
            raise SpecError(
                f"params has the name {name!r}, which is not a string.\n"
                '  Write params={"W1": W1, "b1": b1}.'
            )


def require_names(shapes: Mapping[str, tuple[int, ...]], params: Mapping[str, Any]) -> None:
    """Every parameter of the layers is given, and no other, in its shape."""
    missing = [name for name in shapes if name not in params]
    extra = [name for name in params if name not in shapes]
    if missing or extra:
        lines = [f"  missing: {name}, shape {dims(shapes[name])}" for name in missing]
        for name in extra:
            lines.append(f"  unknown: {safe(name) or repr(name)}.{did_you_mean(name, missing)}")
        lines.append(f"  The layers have {', '.join(shapes)}.")
        raise SpecError("the parameters do not fit the layers.\n" + "\n".join(lines))
    for name, shape in shapes.items():
        require_shape(name, checked(params[name], name).shape, shape)


def require_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found == expected:
        return
    hint = f"Pass {name} with shape {dims(expected)}; nothing is broadcast."
    if found == expected[::-1]:
        hint = f"{name} looks transposed: pass {name}.T, shape {dims(expected)}."
    raise AxisError(
        f"the parameter {name} does not fit its layer.\n"
        f"  {name} has shape {dims(found)}\n"
        f"  the layer needs shape {dims(expected)}\n"
        f"  {hint}"
    )
