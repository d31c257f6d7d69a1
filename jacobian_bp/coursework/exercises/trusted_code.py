"""The package's own lines of code, run: solutions, planted mistakes, forward passes.

Only text that stands in this package comes here. What a student wrote is never
run in this process.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np


def run_lines(lines: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """All names after `lines`, starting from `names` and np.

    >>> run_lines("c = a + np.ones(2)", {"a": 1.0})["c"]
    array([2., 2.])
    """
    space: dict[str, Any] = {"np": np, **names}
    with np.errstate(all="ignore"):
        exec(_compiled(lines), space)
    return {name: value for name, value in space.items() if name not in ("np", "__builtins__")}


@lru_cache(4096)
def _compiled(lines: str) -> CodeType:
    return compile(lines, "<exercise>", "exec")


def value_of(expression: str, names: Mapping[str, Any]) -> Any:
    """The value of one expression.

    >>> value_of("a * 3", {"a": 2})
    6
    """
    return run_lines(f"_value = {expression}", names)["_value"]
