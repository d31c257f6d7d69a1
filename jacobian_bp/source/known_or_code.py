"""What a name stands for while a text is read: something known now, or code with an example of it.

Known   a size, an axis, an option of the op, a function: it is spent while the text is read
Code    an expression of the new text, with an array like the one that it will give
Parts   a tuple, a list or a dict of these
"""

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


class NotPlainError(Exception):
    """The text can't be written as plain statements: a loop or a branch depends on numbers."""


@dataclass(frozen=True)
class Known:
    """A value that is the same for all numbers of these shapes."""

    value: Any


@dataclass(frozen=True)
class Code:
    """An expression, and an example of what it gives: shapes and dtypes are read off that."""

    node: ast.expr
    example: Any

    @property
    def is_a_name(self) -> bool:
        return isinstance(self.node, ast.Name)


@dataclass
class Parts:
    """A tuple, a list or a dict of values."""

    items: Any

    def is_known(self) -> bool:
        return all(is_known(item) for item in self._values())

    def _values(self) -> Iterable["Value"]:
        return self.items.values() if isinstance(self.items, dict) else self.items


Value = Known | Code | Parts


@dataclass
class Deferred:
    """A lambda, an inner def, or a function with some of its arguments: called later, or never.

    `frame` has the names that a lambda or an inner def reads of what stands around it.
    """

    function: Any
    frame: Any = None
    args: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] | None = None


def is_known(value: Value) -> bool:
    """Whether nothing in it depends on the numbers."""
    return isinstance(value, Known) or (isinstance(value, Parts) and value.is_known())


def example_of(value: Value) -> Any:
    """The value itself, or an example of what the code gives."""
    if isinstance(value, Known):
        return value.value
    if isinstance(value, Code):
        return value.example
    if isinstance(value.items, dict):
        return {key: example_of(item) for key, item in value.items.items()}
    return type(value.items)(example_of(item) for item in value.items)


def iterated(value: Value) -> Iterator[Value]:
    """The values that a loop over it would see. NotPlainError for an array that is code."""
    if isinstance(value, Parts):
        yield from (
            (Known(key) for key in value.items) if isinstance(value.items, dict) else (value.items)
        )
    elif isinstance(value, Known):
        for item in value.value:
            yield item if isinstance(item, Known | Code | Parts) else Known(item)
    else:
        raise NotPlainError("a loop over the entries of an array")


def written(value: Value) -> ast.expr:
    """The value as an expression of the new text."""
    if isinstance(value, Code):
        return value.node
    if isinstance(value, Known):
        return literal(value.value)
    items = value.items
    if isinstance(items, dict):
        keys: list[ast.expr | None] = [literal(key) for key in items]
        return ast.Dict(keys, [written(item) for item in items.values()])
    made = [written(item) for item in items]
    return ast.List(made, ast.Load()) if isinstance(items, list) else ast.Tuple(made, ast.Load())


def literal(value: Any) -> ast.expr:
    """A known value as the new text has it: 3, (0, 1), np.float32, np.exp."""
    if value is None or value is Ellipsis or isinstance(value, bool | str):
        return ast.Constant(value)
    if isinstance(value, np.dtype):
        return _of_numpy(value.name)
    if isinstance(value, np.generic):
        return ast.Call(_of_numpy(value.dtype.name), [literal(value.item())], [])
    if isinstance(value, int | float):
        if value != value or value in (np.inf, -np.inf):
            named = _of_numpy("nan" if value != value else "inf")
            return ast.UnaryOp(ast.USub(), named) if value == -np.inf else named
        number = ast.Constant(abs(value))
        negative = value < 0 or (value == 0 and str(value).startswith("-"))
        return ast.UnaryOp(ast.USub(), number) if negative else number
    if isinstance(value, slice):
        return _call("slice", [value.start, value.stop, value.step])
    if isinstance(value, tuple):
        return ast.Tuple([literal(item) for item in value], ast.Load())
    if isinstance(value, list):
        return ast.List([literal(item) for item in value], ast.Load())
    if isinstance(value, range):
        return _call("range", [value.start, value.stop, value.step])
    if isinstance(value, dict):
        keys: list[ast.expr | None] = [literal(key) for key in value]
        return ast.Dict(keys, [literal(item) for item in value.values()])
    if isinstance(value, np.ndarray):
        entries = [literal(value.tolist())]
        return ast.Call(_of_numpy("array"), entries, [ast.keyword("dtype", literal(value.dtype))])
    name = getattr(value, "__name__", "")
    if getattr(np, name, None) is value:
        return _of_numpy(name)
    if isinstance(getattr(value, "__self__", None), np.ufunc):
        return ast.Attribute(literal(value.__self__), name, ast.Load())
    if getattr(np.lib.stride_tricks, name, None) is value:
        return ast.Attribute(_of_numpy("lib.stride_tricks"), name, ast.Load())
    if getattr(builtins, name, None) is value:
        return ast.Name(name, ast.Load())
    raise NotPlainError(f"{value!r} has no literal")


def slice_of(node: ast.expr) -> ast.expr:
    """slice(1, None, 2) inside brackets, as it is written there: 1::2."""
    if isinstance(node, ast.Tuple):
        return ast.Tuple([slice_of(item) for item in node.elts], ast.Load())
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(node, ast.Call) and isinstance(called, ast.Name) and called.id == "slice":
        none = [isinstance(a, ast.Constant) and a.value is None for a in node.args]
        ends = [None if empty else arg for empty, arg in zip(none, node.args, strict=True)]
        return ast.Slice(*ends)
    return node


def _of_numpy(name: str) -> ast.expr:
    name = {"bool": "bool_", "absolute": "abs"}.get(name, name)
    found: ast.expr = ast.Name("np", ast.Load())
    for part in name.split("."):
        found = ast.Attribute(found, part, ast.Load())
    return found


def _call(name: str, items: list[Any]) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), [literal(item) for item in items], [])
