"""The text of a function as a tree, without its decorators and docstring."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..errors import SpecError


@lru_cache(maxsize=1024)
def tree_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """The definition of a function of the package, or of one's own.

    Raises SpecError where its text is not at hand, as for one that was typed into a shell.
    """
    try:
        text = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        tree = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError):
        tree = None
    if not isinstance(tree, ast.FunctionDef):
        raise SpecError(
            f"the text of {getattr(function, '__qualname__', function)} cannot be read.\n"
            "  Define it by def in a file: what is written out is the text of the op itself."
        )
    if ast.get_docstring(tree) is not None:
        tree.body = tree.body[1:] or [ast.Pass()]
    return tree


def uses(tree: ast.AST, name: str) -> int:
    """How often a name is read in a text; within a loop or an inner def it counts twice."""
    found = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            found += 1
        repeats = ast.For | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.Lambda
        inner_def = isinstance(node, ast.FunctionDef) and node is not tree
        if (inner_def or isinstance(node, repeats)) and any(
            isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node)
        ):
            found += 1
    return found
