"""The options of an op as a program's text has them: 0.5, 'r,c', at_zero=0.25."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..ops import Op

UNSAID = "…"  # what no text says; read as a program it is refused
SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def as_written(options: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[str, ...]:
    """Options that a text may hold, as they are written.

    >>> as_written([0.5], {"axes": "r,c"})
    ('0.5', "axes='r,c'")
    """
    return (*map(option, options), *(f"{name}={option(v)}" for name, v in keywords.items()))


def option(value: Any) -> str:
    """One option, in digits that read back as the same number; … for what no text can say."""
    if value is None:
        return "None"
    if isinstance(value, tuple) and value and all(isinstance(part, int | float) for part in value):
        parts = [option(part) for part in value]
        return UNSAID if UNSAID in parts else f"({', '.join(parts)}{',' * (len(parts) == 1)})"
    if not isinstance(value, str | int | float) or value != value:
        return UNSAID
    if isinstance(value, float):  # a float64 of numpy too, whose repr is a call
        value = float(value)
        return repr(value) if math.isfinite(value) else "1e999" if value > 0 else "-1e999"
    return repr(value)


def of_made(op: Op) -> tuple[str, ...]:
    """The options of an op that no text wrote: what it says, or else what its `__init__` kept.

    An option is known where it is kept under its own name, and where the class makes the
    same of it again; otherwise it is written …. What the class fills in by itself is left out.
    """
    if op.options is not None:
        return op.options
    asked = parameters_of(type(op))
    kept = {name: getattr(op, name, None) for name in asked}
    chosen = dict(kept)
    for name, parameter in reversed(asked.items()):
        fewer = {other: value for other, value in chosen.items() if other != name}
        if parameter.default is not parameter.empty and _makes(op, fewer, kept):
            chosen = fewer
    known = _makes(op, chosen, kept)
    return _placed(asked, {n: option(v) if known else UNSAID for n, v in chosen.items()})


def beside_formula(op: Op, written: Sequence[str]) -> tuple[str, ...]:
    """Those options, with their names, of which the formula of an op does not speak.

    A formula that its class has for all of its ops knows none of them.
    """
    of_class = inspect.getattr_static(type(op), "formula", None)
    if not isinstance(of_class, str) or "formula" in vars(op):
        return ()
    names = iter(parameters_of(type(op)))
    return tuple(text if "=" in text else f"{next(names, 'option')}={text}" for text in written)


def parameters_of(op: Callable[..., Op]) -> dict[str, inspect.Parameter]:
    """The options that a class takes, by name."""
    return dict(_parameters_of(op))


@lru_cache(maxsize=256)
def _parameters_of(op: Callable[..., Op]) -> tuple[tuple[str, inspect.Parameter], ...]:
    try:
        parameters = inspect.signature(op).parameters.values()
    except (TypeError, ValueError):  # a class written in C
        return ()
    return tuple((p.name, p) for p in parameters if p.kind not in SEVERAL)


def _makes(op: Op, options: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Whether the class makes an op of these options that keeps the same under every name."""
    if not all(name in vars(op) for name in kept):
        return False
    try:
        made = type(op)(**options)
        return all(bool(getattr(made, name) == value) for name, value in kept.items())
    except Exception:  # whatever a user's own op raises
        return False


def _placed(asked: Mapping[str, inspect.Parameter], shown: Mapping[str, str]) -> tuple[str, ...]:
    """By position as far as none is left out, by name from there on."""
    found, by_name = [], False
    for name, parameter in asked.items():
        by_name = by_name or name not in shown or parameter.kind is parameter.KEYWORD_ONLY
        if name in shown:
            found.append(f"{name}={shown[name]}" if by_name else shown[name])
    return tuple(found)
