"""Expressions with slots for values: computed for the examples, filled with code."""

import ast
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .known_or_code import Code, Known, example_of, is_known, slice_of, written


def made(node: ast.expr, values: Sequence[Any]) -> Any:
    """An expression of values: known where all of them are, else code with its example."""
    found = _computed(node, *values)
    if all(map(is_known, values)):
        return Known(found)
    return Code(_filled(node, [written(value) for value in values]), found)


def slot(place: int) -> ast.expr:
    return ast.Name(f"_{place}", ast.Load())


def quietly(function: Callable[..., Any], args: list[Any], keywords: dict[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        return function(*args, **keywords)


def examples_of(keywords: Mapping[str, Any]) -> dict[str, Any]:
    return {name: example_of(value) for name, value in keywords.items()}


def call_node(function: ast.expr, args: list[Any], keywords: Mapping[str, Any]) -> ast.Call:
    named = [ast.keyword(name, written(value)) for name, value in keywords.items()]
    return ast.Call(function, [written(value) for value in args], named)


def _filled(node: ast.expr, values: Sequence[ast.expr]) -> ast.expr:
    """The expression with values in its slots."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            return values[int(name.id[1:])]

        def visit_Subscript(self, entry: ast.Subscript) -> ast.expr:
            base, index = self.visit(entry.value), self.visit(entry.slice)
            return ast.Subscript(base, slice_of(index), ast.Load())

    return Fill().visit(copy.deepcopy(node))


def _computed(node: ast.expr, *values: Any) -> Any:
    """What an expression with slots gives for the examples."""
    examples = {f"_{place}": example_of(value) for place, value in enumerate(values)}
    expression = ast.fix_missing_locations(ast.Expression(node))
    with np.errstate(all="ignore"):
        return eval(compile(expression, "<text>", "eval"), {"__builtins__": {}}, examples)
