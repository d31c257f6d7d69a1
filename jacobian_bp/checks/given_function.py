"""What `check_gradient` is given: a function, its point and its gradient, read and refused at once.

Of the caller's own, nothing is passed on but copies; what is wrong with f is an error,
what is wrong with the gradient a finding.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import AxisError, DomainError, SpecError
from ..numbers.arrays import as_array, entry, require_finite
from ..writing.signs import dims, number, safe, type_of
from .one_op import Disagreement

ALONE = "x"  # the name of an argument that has none

Values = Mapping[str, np.ndarray]


class GivenFunction:
    """The caller's f, given copies, and asked for one finite number."""

    def __init__(self, f: Callable[[Any], Any], by_name: bool) -> None:
        self.f, self.by_name = f, by_name

    def value(self, point: Values) -> float:
        """f at a neighbour; NaN where it ends or raises there."""
        try:
            copies = {name: array.copy() for name, array in point.items()}
            return float(self.f(in_form(copies, self.by_name)))
        except Exception:  # at the point itself it gave a number
            return float("nan")

    def require_sound(self, point: Values) -> None:
        """One finite number, the same at each call, and the input left as it was."""
        first = self._once(point)
        second = self._once(point)
        if first != second:
            raise DomainError(
                f"f gives two values at one x: {first!r}, then {second!r}.\n"
                "  Let it depend on x alone: draw random numbers once, outside of f."
            )

    def _once(self, point: Values) -> float:
        """f at float64 copies of the point, everything about it checked."""
        wide = {name: array.astype(np.float64) for name, array in point.items()}
        kept = {name: array.copy() for name, array in wide.items()}
        try:
            value = self.f(in_form(wide, self.by_name))
        except Exception as error:  # whatever a user's own function raises
            example = f'x["{next(iter(point))}"]' if self.by_name else "x"
            raise DomainError(
                f"f raises {type(error).__name__}: {error}\n"
                f"  It is called as f(x), where {example} is an array; mend it so that "
                "f(x) gives a number."
            ) from error
        changed = changed_entry(kept, wide)
        if changed:
            raise DomainError(f"f changes its input: {changed}")
        if value is None:
            raise SpecError("f gives None, not a number.\n  Let it return its value.")
        array = as_array(value, "f(x)")
        if array.ndim:
            told = "f(x)[0]" if array.shape == (1,) else "f(x).item()"
            several = "its sum; taylor_test(f, x, jacobian) judges a Jacobian of several"
            raise AxisError(
                f"f gives an array of shape {dims(array.shape)}; "
                "a gradient is that of one number.\n"
                f"  Return {told if array.size == 1 else several}."
            )
        if not np.isfinite(array):
            raise DomainError(
                f"f is {number(float(array))} at x.\n  Choose an x at which f is a finite number."
            )
        return float(array)


def named_arrays(x: Any) -> dict[str, np.ndarray]:
    """The arrays of x by name, each a copy of float64 or float32, and finite."""
    given = dict(x) if isinstance(x, Mapping) else {ALONE: x}
    if not all(isinstance(name, str) for name in given):
        raise SpecError('x has a name that is no text.\n  Write such as {"W": W, "b": b}.')
    found = {name: as_array(value, name) for name, value in given.items()}
    for name, array in found.items():
        require_finite(array, name, "Choose a point at which f and its gradient are finite.")
    if not any(array.size for array in found.values()):
        raise DomainError("x has no entry to differentiate by.\n  Pass at least one number.")
    return found


def in_form(point: Values, by_name: bool) -> Any:
    """The arrays as the caller gave x."""
    return dict(point) if by_name else next(iter(point.values()))


def changed_entry(before: Values, after: Values) -> str:
    for name, array in before.items():
        moved = np.argwhere(array != after[name])
        if len(moved):
            at = tuple(map(int, moved[0]))
            was, now = number(float(array[at])), number(float(after[name][at]))
            return (
                f"{entry(safe(name), at)} was {was}, and is {now} after the call.\n"
                f"  Let it work on a copy: {safe(name)}.copy()."
            )
    return ""


def given_gradient(
    gradient: Any, point: Values, by_name: bool
) -> tuple[dict[str, np.ndarray], list[Disagreement]]:
    """The gradient by name where it can be compared, and a finding where it cannot."""
    if callable(gradient):
        copies = {name: array.copy() for name, array in point.items()}
        try:
            gradient = gradient(in_form(copies, by_name))
        except Exception as error:  # whatever a user's own function raises
            return {}, [_refused("", f"gradient() raises {type(error).__name__}: {error}")]
        changed = changed_entry(point, copies)
        if changed:
            return {}, [_refused("", *f"gradient() changes its input: {changed}".split("\n  "))]
    if by_name and not isinstance(gradient, Mapping):
        hint = f'give a dict such as {{"{safe(next(iter(point)))}": …}}, an array for each name'
        return {}, [_refused("", f"gradient is {type_of(gradient)}; x is a dict", hint)]
    parts = dict(gradient) if by_name else {ALONE: gradient}
    findings = [
        _refused(safe(name), f"gradient has {safe(name)}; x has {', '.join(map(safe, point))}")
        for name in parts
        if name not in point
    ]
    found: dict[str, np.ndarray] = {}
    for name, array in point.items():
        who = f"∂f/∂{safe(name)}"
        if name not in parts or parts[name] is None:
            given = ", ".join(map(safe, parts)) if by_name else "None"
            text = f"{who}: gradient gives nothing for {safe(name)}; it gives {given}"
            findings.append(_refused(safe(name), text))
            continue
        part = as_array(parts[name], who)
        if part.shape == array.shape:
            found[name] = part
            continue
        text = f"{who}: gradient has shape {dims(part.shape)}, {safe(name)} has shape "
        hint = ""
        if part.ndim == 2 and part.T.shape == array.shape:
            hint = "it looks transposed: a gradient has the shape of its variable"
        elif part.ndim and part.shape[1:] == array.shape:
            hint = "the examples are not summed: sum over axis 0"
        elif part.size == array.size:
            hint = f"give it the shape of its variable: .reshape({dims(array.shape)})"
        findings.append(_refused(safe(name), text + dims(array.shape), hint))
    return found, findings


def _refused(name: str, text: str, pattern: str = "") -> Disagreement:
    return Disagreement(name, "", (), text, "", pattern)
