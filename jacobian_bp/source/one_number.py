"""Functions of arrays, entry by entry, as functions of one number: e if z >= 0 else 1."""

import ast
import copy
import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from .entries import OF_ONE_NUMBER, OF_TWO_NUMBERS
from .helpers import is_of_package
from .known_or_code import NotPlainError
from .texts import tree_of

PLAIN = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Tuple, ast.Starred)


def is_entrywise(function: Callable[..., Any]) -> bool:
    """Whether a function does with each entry what it does with any other, and no more."""
    plain = inspect.unwrap(function)
    if not isinstance(plain, types.FunctionType) or inspect.ismethod(function):
        return False
    tree = tree_of(plain)
    return all(_is_plain(node, plain.__globals__) for s in tree.body for node in _parts(s))


def has_a_loop(function: Callable[..., Any]) -> bool:
    """Whether a function, or one that it calls, goes through a series."""
    plain = inspect.unwrap(function)
    if not isinstance(plain, types.FunctionType):
        return False
    for node in ast.walk(tree_of(plain)):
        if isinstance(node, ast.For):
            return True
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        held = plain.__globals__.get(node.func.id) if called else None  # type: ignore[attr-defined]
        if held is not None and is_of_package(held) and has_a_loop(held):
            return True
    return False


def _parts(node: ast.AST) -> list[ast.AST]:
    return [n for n in ast.walk(node) if isinstance(n, ast.expr | ast.stmt)]


def _is_plain(node: ast.AST, around: dict[str, Any]) -> bool:
    match node:
        case ast.Call(ast.Attribute(ast.Name("np"), name), _, []):
            return name in (*OF_ONE_NUMBER, *OF_TWO_NUMBERS, "where", "abs", "zeros_like")
        case ast.Call(ast.Name(name), _, []):
            held = around.get(name)
            if held is None or not is_of_package(held):
                return name in ("reversed", "abs")
            return is_entrywise(held)
        case ast.Attribute(ast.Name("np"), name):
            return hasattr(np, name)
        case ast.BinOp(_, ast.MatMult(), _):
            return False
        case ast.Subscript(ast.Name(name)):
            return isinstance(around.get(name), tuple)
        case ast.Slice() | ast.Return() | ast.Assign() | ast.For():
            return True
        case _:
            return isinstance(node, PLAIN)


class _OfOneNumber(ast.NodeTransformer):
    """np.where becomes a choice; an array of zeros, 0; a series that is known, its numbers."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Attribute(ast.Name("np"), "where"), [test, then, other]):
                return ast.IfExp(test, then, other)
            case ast.Call(ast.Attribute(ast.Name("np"), "zeros_like")):
                return ast.Constant(0.0)
            case ast.Call(ast.Attribute(ast.Name("np"), "abs"), args):
                return ast.Call(ast.Name("abs", ast.Load()), args, [])
        return node

    def visit_For(self, node: ast.For) -> ast.stmt:
        self.generic_visit(node)
        series = tuple(eval(ast.unparse(node.iter), {"__builtins__": {"reversed": reversed}}))
        numbers: list[ast.expr] = [ast.parse(repr(n), mode="eval").body for n in series]
        return ast.For(node.target, ast.Tuple(numbers, ast.Load()), node.body, [], lineno=0)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        match node:
            case ast.Subscript(ast.Tuple(elts), ast.Constant(int() as place)):
                return elts[place]
        return node


def of_one_number(text: str) -> str:
    """The text of a function of arrays as one of numbers. NotPlainError where it has none."""
    tree = copy.deepcopy(ast.parse(text).body[0])
    if not isinstance(tree, ast.FunctionDef):
        raise NotPlainError("no function")
    return ast.unparse(ast.fix_missing_locations(_OfOneNumber().visit(tree)))
