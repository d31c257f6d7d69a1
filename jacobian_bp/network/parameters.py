"""The parameters of a network: given, drawn from a seed, or tied; their names and shapes."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from ..errors import AxisError, DomainError, SpecError
from ..numbers.arrays import as_array, require_finite
from ..numbers.memory import require_memory
from ..writing.signs import did_you_mean, dims, safe


def checked(value: Any, name: str) -> np.ndarray:
    array = as_array(value, name)
    require_finite(array, name, "A parameter is a finite number.")
    return array


def require_mapping(params: Any) -> None:
    if params is not None and not isinstance(params, Mapping):
        raise SpecError(
            f"params is a {type(params).__name__}, not a mapping of names to arrays.\n"
            '  Write params={"W1": W1, "b1": b1}.'
        )
    for name in params or {}:
        if not isinstance(name, str):
            raise SpecError(
                f"params has the name {name!r}, which is not a string.\n"
                '  Write params={"W1": W1, "b1": b1}.'
            )


def tied_names(params: Mapping[str, Any]) -> dict[str, str]:
    """Names under which one and the same array was given, and the first of them."""
    first: dict[int, str] = {}
    tied = {}
    for name, value in params.items():
        if not isinstance(value, np.ndarray):
            continue
        if id(value) in first:
            tied[name] = first[id(value)]
        first.setdefault(id(value), name)
    return tied


def drawn(shapes: Mapping[str, tuple[int, ...]], seed: int, dtype: Any) -> dict[str, np.ndarray]:
    """Parameters from a generator of their own; numpy's global state is not touched."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise SpecError(f"seed is {seed!r}.\n  Write a whole number from 0 up.")
    try:
        known = np.dtype(dtype) in (np.float64, np.float32)
    except TypeError:
        known = False
    if not known:
        shown = dtype.__name__ if isinstance(dtype, type) else repr(dtype)
        raise DomainError(
            f"dtype is {shown}; parameters are drawn as float64 or float32.\n"
            "  Write dtype=np.float64 or np.float32."
        )
    for name, shape in shapes.items():
        require_memory(name, shape, 8, "Use narrower layers.")
    generator = np.random.default_rng(int(seed))
    return {
        name: (
            generator.standard_normal(shape) * (shape[1] ** -0.5 if len(shape) == 2 else 0.1)
        ).astype(dtype)
        for name, shape in shapes.items()
    }


def require_names(shapes: Mapping[str, tuple[int, ...]], params: Mapping[str, Any]) -> None:
    """Every parameter of the layers is given, and no other, in its shape."""
    missing = [name for name in shapes if name not in params]
    extra = [name for name in params if name not in shapes]
    if missing or extra:
        lines = [f"  missing: {name}, shape {dims(shapes[name])}" for name in missing]
        for name in extra:
            lines.append(f"  unknown: {safe(name)}.{did_you_mean(name, missing)}")
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
