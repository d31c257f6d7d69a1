"""The functions of Python that a text may call: len, range, zip, enumerate, …"""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import functions
from .expressions import Expressions
from .limits import NotReadError


def _range(walk: Expressions, *ends: Any) -> range:
    return range(*[functions.whole(end) for end in ends])


def _text(walk: Expressions, value: Any) -> str:
    if not isinstance(value, int | str | np.integer):
        raise NotReadError("str() of what is no number")
    return str(value)


def _dictionary(walk: Expressions, pairs: Any = ()) -> dict[Any, Any]:
    """OrderedDict([("fc1", Dense(3, 4)), …])."""
    return dict(pairs if isinstance(pairs, dict) else walk.listed(pairs))


def _extreme(which: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    """max(0, t - 4), of numbers alone."""
    if len(values) < 2 or not all(isinstance(value, int | float | np.number) for value in values):
        raise NotReadError(f"{which.__name__}() of what are no numbers")
    return which(values)


BUILT_IN: dict[str, Any] = {
    "len": lambda walk, value: functions.length(walk.quantities.as_the_text_has(value)),
    "range": _range,
    "reversed": lambda walk, value: walk.listed(value)[::-1],
    "list": lambda walk, *value: walk.listed(value[0]) if value else [],
    "tuple": lambda walk, value: walk.listed(value),
    "zip": lambda walk, *lists: list(zip(*[walk.listed(one) for one in lists], strict=False)),
    "enumerate": lambda walk, value: list(enumerate(walk.listed(value))),
    "str": _text,
    "int": lambda walk, value: functions.whole(value),
    "float": lambda walk, value: float(value),
    "max": lambda walk, *values: _extreme(max, values),
    "min": lambda walk, *values: _extreme(min, values),
    "abs": lambda walk, value: functions.apply(np.abs, value),
    "dict": lambda walk, *value: _dictionary(walk, *value),
    "OrderedDict": lambda walk, *value: _dictionary(walk, *value),
}
