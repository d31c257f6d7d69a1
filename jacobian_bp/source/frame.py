"""One function that is read: its statements, one after another."""

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from .expression_reader import MOST_ROUNDS, Expressions
from .expressions import made, slot
from .known_or_code import (
    Code,
    Deferred,
    Known,
    NotPlainError,
    Parts,
    example_of,
    iterated,
    slice_of,
    written,
)
from .python_functions import joined


class ReturnedError(Exception):
    """The value with which a function ends."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Frame(Expressions):
    """Its names, what they stand for, and what its statements do with them."""

    def run(self, statement: ast.stmt) -> None:
        """Read one statement. ReturnedError where it ends the function."""
        match statement:
            case ast.Return(value):
                raise ReturnedError(Known(None) if value is None else self.value(value))
            case ast.Assign(targets, value):
                found = self.value(value)
                for target in targets:
                    self.store(target, found)
            case ast.AnnAssign(target, _, value):
                if value is not None:
                    self.store(target, self.value(value))
            case ast.AugAssign(target, operator, value):
                self._changed(target, operator, self.value(value))
            case ast.If(test, body, orelse):
                for inner in body if self.truth(test) else orelse:
                    self.run(inner)
            case ast.For(target, over, body, []):
                rounds = list(iterated(self.value(over)))
                if len(rounds) > MOST_ROUNDS:
                    raise NotPlainError("a long loop")
                for item in rounds:
                    self.store(target, item)
                    for inner in body:
                        self.run(inner)
            case ast.Expr(value):
                found = self.value(value)
                if isinstance(found, Code):
                    self.reader.text.add(ast.Expr(found.node))
            case ast.With([ast.withitem(context)], body) if self._is_errstate(context):
                for inner in body:
                    self.run(inner)
            case ast.FunctionDef(name, decorator_list=[]):
                self.local[name] = Deferred(statement, self)
            case ast.Pass() | ast.Assert():
                pass
            case _:
                raise NotPlainError(type(statement).__name__)

    def _is_errstate(self, context: ast.expr) -> bool:
        return isinstance(context, ast.Call) and self.value(context.func) == Known(np.errstate)

    def store(self, target: ast.expr, value: Any) -> None:
        """Give a name its value, or an entry of an array."""
        match target:
            case ast.Name(name):
                self.local[name] = self.reader.text.held(value, name) if _of_text(value) else value
            case ast.Tuple(elts) | ast.List(elts):
                if isinstance(value, Code):
                    value = self._unpacked(elts, value)
                items = list(iterated(value))
                starred = next((p for p, e in enumerate(elts) if isinstance(e, ast.Starred)), None)
                if starred is not None:
                    after = len(elts) - starred - 1
                    middle = items[starred : len(items) - after]
                    items = [*items[:starred], Parts(middle), *items[len(items) - after :]]
                for inner, item in zip(elts, items, strict=True):
                    self.store(inner.value if isinstance(inner, ast.Starred) else inner, item)
            case ast.Subscript(base, index):
                held, place = self.value(base), self.value(index)
                if isinstance(held, Parts) and isinstance(place, Known):
                    held.items[place.value] = value
                elif isinstance(held, Code) and held.is_a_name:
                    node = ast.Subscript(held.node, slice_of(written(place)), ast.Store())
                    self.reader.text.add(ast.Assign([node], written(value), lineno=0))
                    held.example[example_of(place)] = example_of(value)
                else:
                    raise NotPlainError("an entry of something")
            case _:
                raise NotPlainError(type(target).__name__)

    def _unpacked(self, targets: Sequence[ast.expr], value: Code) -> Parts:
        """mantissa, exponent = np.frexp(x): names for all of them in one statement."""
        text = self.reader.text
        if any(isinstance(target, ast.Starred) for target in targets):
            raise NotPlainError("the rest of an array")
        names = [text.new_name(t.id if isinstance(t, ast.Name) else "part") for t in targets]
        stores: list[ast.expr] = [ast.Name(name, ast.Store()) for name in names]
        text.add(ast.Assign([ast.Tuple(stores, ast.Store())], value.node, lineno=0))
        pairs = zip(names, value.example, strict=True)
        return Parts(tuple(Code(ast.Name(name, ast.Load()), part) for name, part in pairs))

    def _changed(self, target: ast.expr, operator: ast.operator, value: Any) -> None:
        """x += y: of an array in its place."""
        if not isinstance(target, ast.Name):
            raise NotPlainError("an entry is changed in its place")
        before = self.local[target.id]
        if isinstance(before, Code) and before.is_a_name and isinstance(before.example, np.ndarray):
            name = ast.Name(written(before).id, ast.Store())  # type: ignore[attr-defined]
            self.reader.text.add(ast.AugAssign(name, operator, written(value)))
            changed = made(ast.BinOp(slot(0), operator, slot(1)), [before, value])
            self.local[target.id] = Code(before.node, changed.example)
            return
        self.store(target, joined(operator, before, value))


def _of_text(value: Any) -> bool:
    return isinstance(value, Code | Parts)
