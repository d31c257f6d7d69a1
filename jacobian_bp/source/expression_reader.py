"""Expressions of a text: what each stands for."""

import ast
import builtins
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .expressions import call_node, examples_of, made, quietly, slot
from .helpers import is_of_package
from .known_or_code import (
    Code,
    Deferred,
    Known,
    NotPlainError,
    Parts,
    example_of,
    is_known,
    iterated,
    written,
)
from .python_functions import joined, method_of_parts, of_several

MOST_ROUNDS = 8  # of a loop that is written out
OF_SHAPES = {"shape", "ndim", "dtype", "size", "itemsize"}
SHAPES_ALONE = {np.ndim, np.shape, np.size, np.result_type, np.broadcast_shapes, np.can_cast}


class Expressions:
    """The names that a function reads, and its expressions."""

    def __init__(
        self, reader: Any, around: dict[str, Any], local: dict[str, Any], closed: dict[str, Any]
    ) -> None:
        self.reader, self.globals, self.local, self.closed = reader, around, local, closed

    def store(self, target: ast.expr, value: Any) -> None:
        raise NotImplementedError

    def truth(self, test: ast.expr) -> bool:
        """Which way a branch goes. NotPlainError where the numbers decide."""
        found = self.value(test)
        if isinstance(found, Code):
            raise NotPlainError("a branch by numbers")
        return bool(found.items if isinstance(found, Parts) else found.value)

    def value(self, node: ast.expr) -> Any:
        """What an expression stands for."""
        match node:
            case ast.Constant(given):
                return Known(given)
            case ast.Name(name):
                return self._named(name)
            case ast.Attribute(ast.expr() as base, name):
                return self._attribute(self.value(base), name)
            case ast.BinOp(left, operator, right):
                return joined(operator, self.value(left), self.value(right))
            case ast.UnaryOp(operator, inner):
                return self._made(ast.UnaryOp(operator, slot(0)), [self.value(inner)])
            case ast.Compare(left, operators, right):
                return self._compared(operators, [self.value(n) for n in (left, *right)])
            case ast.BoolOp(operator, values):
                return self._both_or_one(operator, values)
            case ast.IfExp(test, then, other):
                return self.value(then if self.truth(test) else other)
            case ast.Subscript(base, index):
                return self._entry(self.value(base), self.value(index))
            case ast.Slice(lower, upper, step):
                ends = [Known(None) if e is None else self.value(e) for e in (lower, upper, step)]
                return self._call(Known(slice), ends, {})
            case ast.Tuple(elts) | ast.List(elts):
                items = self._items(elts)
                parts = Parts(tuple(items) if isinstance(node, ast.Tuple) else items)
                return Known(example_of(parts)) if parts.is_known() else parts
            case ast.Dict(keys, values):
                return self._dict(keys, values)
            case ast.Call(function, args, keywords):
                return self._called(function, args, keywords)
            case ast.ListComp(element, generators) | ast.GeneratorExp(element, generators):
                found: list[Any] = []
                self._each(generators, lambda: found.append(self.value(element)))
                return Parts(found)
            case ast.DictComp(key, value, generators):
                made: dict[Any, Any] = {}

                def put() -> None:
                    made[example_of(self.value(key))] = self.value(value)

                self._each(generators, put)
                return Parts(made)
            case ast.JoinedStr(values):
                return Known("".join(map(self._in_text, values)))
            case ast.Lambda():
                return Deferred(node, self)
            case ast.NamedExpr(target, value):
                self.store(target, self.value(value))
                return self.value(ast.Name(target.id, ast.Load()))
            case ast.Starred():
                raise NotPlainError("a star")
            case _:
                raise NotPlainError(type(node).__name__)

    def _in_text(self, part: ast.expr) -> str:
        """A part of f"…": known, or the text is not."""
        found = self.value(part.value if isinstance(part, ast.FormattedValue) else part)
        formatted = isinstance(part, ast.FormattedValue) and part.format_spec is not None
        if not is_known(found) or formatted:
            raise NotPlainError("a text of numbers")
        return str(example_of(found))

    def _named(self, name: str) -> Any:
        if name in self.local:
            return self.local[name]
        for place in (self.closed, self.globals, vars(builtins)):
            if name in place:
                return Known(place[name])
        raise NotPlainError(name)

    def _items(self, nodes: Sequence[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found += iterated(self.value(node.value))
            else:
                found.append(self.value(node))
        return found

    def _dict(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr]) -> Parts:
        found: dict[Any, Any] = {}
        for key, value in zip(keys, values, strict=True):
            held = self.value(value)
            if key is None:
                items = held.items if isinstance(held, Parts) else held.value
                found.update(items)
            else:
                found[example_of(self.value(key))] = held
        return Parts(found)

    def _each(self, generators: Sequence[ast.comprehension], then: Callable[[], None]) -> None:
        """Once for each round of the loops of a comprehension."""
        if not generators:
            then()
            return
        first, *others = generators
        rounds = list(iterated(self.value(first.iter)))
        if len(rounds) > MOST_ROUNDS and not all(map(is_known, rounds)):
            raise NotPlainError("a long loop")
        for item in rounds:
            self.store(first.target, item)
            if all(self.truth(test) for test in first.ifs):
                self._each(others, then)

    def _attribute(self, base: Any, name: str) -> Any:
        if isinstance(base, Known):
            return Known(getattr(base.value, name))
        if isinstance(base, Code):
            if name in OF_SHAPES:
                return Known(getattr(base.example, name))
            return Code(ast.Attribute(base.node, name, ast.Load()), getattr(base.example, name))
        raise NotPlainError(f".{name} of several")

    def _entry(self, base: Any, index: Any) -> Any:
        if isinstance(base, Parts):
            found = base.items[example_of(index)] if is_known(index) else None
            if found is None:
                raise NotPlainError("an entry of several")
            return Parts(found) if isinstance(found, tuple | list) else found
        return self._made(ast.Subscript(slot(0), slot(1), ast.Load()), [base, index])

    def _compared(self, operators: list[ast.cmpop], values: list[Any]) -> Any:
        if len(operators) == 1 and isinstance(operators[0], ast.Is | ast.IsNot):
            left, right = values
            if not (isinstance(left, Known) and isinstance(right, Known)):
                same = left is right
                return Known(same == isinstance(operators[0], ast.Is))
        slots = list(map(slot, range(len(values))))
        return self._made(ast.Compare(slots[0], operators, slots[1:]), values)

    def _both_or_one(self, operator: ast.boolop, values: Sequence[ast.expr]) -> Any:
        found: Any = Known(None)
        for node in values:
            found = self.value(node)
            if isinstance(found, Code):
                raise NotPlainError("a choice by numbers")
            if bool(example_of(found)) == isinstance(operator, ast.Or):
                break
        return found

    def _made(self, node: ast.expr, values: list[Any]) -> Any:
        if any(isinstance(value, Deferred) for value in values):
            raise NotPlainError("a function in an expression")
        return made(node, values)

    # ---------------------------------------------------------------- calls

    def _called(
        self, function: ast.expr, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]
    ) -> Any:
        if isinstance(function, ast.Attribute):
            base = self.value(function.value)
            if isinstance(base, Code):
                return self._method(
                    base, function.attr, self._items(args), self._named_args(keywords)
                )
            if isinstance(base, Parts):
                return method_of_parts(base, function.attr, self._items(args))
        held = self.value(function)
        return self._call(held, self._items(args), self._named_args(keywords))

    def _named_args(self, keywords: Sequence[ast.keyword]) -> dict[str, Any]:
        found = {}
        for keyword in keywords:
            if keyword.arg is None:
                raise NotPlainError("**")
            found[keyword.arg] = self.value(keyword.value)
        return found

    def _method(self, base: Code, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """x.sum(axis=0): computed for the example, written as it stands."""
        example = quietly(
            getattr(base.example, name), [example_of(a) for a in args], examples_of(keywords)
        )
        function = ast.Attribute(base.node, name, ast.Load())
        return Code(call_node(function, args, keywords), example)

    def _call(self, held: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        if isinstance(held, Deferred):
            if keywords:
                raise NotPlainError("arguments by their names")
            return self.reader.called_later(held, args)
        if not isinstance(held, Known):
            raise NotPlainError("a call of code")
        function = held.value
        if function is super:
            raise NotPlainError("super()")
        if function is functools.partial:
            return Deferred(args[0], self, tuple(args[1:]), keywords)
        if function in (
            zip,
            enumerate,
            map,
            sum,
            len,
            reversed,
            dict,
            tuple,
            list,
            iter,
            next,
        ):
            found = of_several(function, args, keywords, self._call)
            if found is not NotImplemented:
                return found
        everything = [*args, *keywords.values()]
        if any(isinstance(value, Deferred) for value in everything):
            raise NotPlainError("a function is handed over")
        if all(map(is_known, everything)):
            example = quietly(function, list(map(example_of, args)), examples_of(keywords))
            if not isinstance(example, np.ndarray) or not _of_numpy(function):
                return Known(example)
        elif is_of_package(function):
            return self.reader.call(function, args, keywords)
        else:
            example = quietly(function, list(map(example_of, args)), examples_of(keywords))
            if function in SHAPES_ALONE:
                return Known(example)
        return Code(call_node(written(Known(function)), args, keywords), example)


def _of_numpy(function: Any) -> bool:
    return getattr(np, getattr(function, "__name__", ""), None) is function
