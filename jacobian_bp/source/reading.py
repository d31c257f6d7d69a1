"""A function's text read with its arguments, and written out as plain statements.

What is the same for all numbers of these shapes is spent while the text is read: options of the
op, sizes, branches that depend on them alone. What is left are the statements of the text with
the names of the network in them. A function that branches or loops by numbers is kept whole.
"""

import ast
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .frame import Frame, ReturnedError
from .helpers import PACKAGE, Helpers
from .known_or_code import (
    Code,
    Deferred,
    Known,
    NotPlainError,
    Parts,
    example_of,
    written,
)
from .plain_text import PlainText
from .texts import tree_of, uses


class Reader:
    """Reads functions, and writes what is left of them into a text."""

    def __init__(self, text: PlainText, helpers: Helpers) -> None:
        self.text, self.helpers = text, helpers

    def call(
        self, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        """What a call gives: its statements are written out, or the function is kept whole."""
        if self._is_helper(function):
            return self._whole(function, args, keywords)
        mark, above = self.text.mark(), self.helpers.mark()
        try:
            return self._inlined(function, args, keywords)
        except NotPlainError:
            self.text.back_to(mark)
            self.helpers.back_to(above)
            return self._whole(function, args, keywords)

    @staticmethod
    def _is_helper(function: Callable[..., Any]) -> bool:
        """Whether its name says more than its statements: sigmoid, log_softmax."""
        plain = inspect.unwrap(function)
        named = (plain.__module__ or "").startswith(f"{PACKAGE}.numbers.")
        return named and isinstance(plain, types.FunctionType) and len(tree_of(plain).body) > 1

    def _inlined(
        self, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        plain = inspect.unwrap(function)
        if not isinstance(plain, types.FunctionType | types.MethodType):
            raise NotPlainError(f"{function!r} is no function")
        if isinstance(function, types.MethodType):
            args = [Known(function.__self__), *args]
            plain = inspect.unwrap(function.__func__)
        tree = tree_of(plain)
        frame = Frame(self, plain.__globals__, {}, _closed_over(plain))
        bound = inspect.signature(plain).bind(*args, **keywords)
        for name, value in bound.arguments.items():
            kind = inspect.signature(plain).parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                value = Parts(tuple(value))
            else:
                value = self._argument(tree, name, value)
            frame.local[name] = value
        for name, parameter in inspect.signature(plain).parameters.items():
            if name not in frame.local and parameter.default is not inspect.Parameter.empty:
                frame.local[name] = Known(parameter.default)
        return _returned(frame, tree.body)

    def _whole(
        self, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Code:
        """A call of the function as it stands in the package, written once above the step."""
        name = self.helpers.keep(function)
        nodes = [written(value) for value in args]
        named = [ast.keyword(key, written(value)) for key, value in keywords.items()]
        with np.errstate(all="ignore"):
            example = function(
                *map(example_of, args), **{k: example_of(v) for k, v in keywords.items()}
            )
        return Code(ast.Call(ast.Name(name, ast.Load()), nodes, named), example)

    def called_later(self, later: Deferred, args: Sequence[Any] = ()) -> Any:
        """What a lambda, an inner def, or a function with some of its arguments, gives."""
        function = later.function
        if isinstance(function, ast.Lambda):
            return self._inside(later.frame, function, args).value(function.body)
        if isinstance(function, ast.FunctionDef):
            return _returned(self._inside(later.frame, function, args), function.body)
        given = [*later.args, *args]
        if isinstance(function, Deferred):
            return self.called_later(function, given)
        assert isinstance(function, Known)
        return self.call(function.value, given, later.keywords or {})

    def _inside(
        self, parent: Frame, function: ast.Lambda | ast.FunctionDef, args: Sequence[Any]
    ) -> Frame:
        """The names of a function within another one: those around it, and its arguments."""
        takes, names = function.args, [a.arg for a in function.args.args]
        others = (takes.posonlyargs, takes.vararg, takes.kwonlyargs, takes.kwarg)
        if any(others) or len(names) != len(args):
            raise NotPlainError("other arguments than each by its place")
        frame = Frame(self, parent.globals, dict(parent.local), parent.closed)
        for name, value in zip(names, args, strict=True):
            frame.local[name] = self._argument(function, name, value)
        return frame

    def _argument(self, function: ast.AST, name: str, value: Any) -> Any:
        """What an argument stands for; an expression that is read several times gets a name."""
        if isinstance(value, Code) and not value.is_a_name and uses(function, name) > 1:
            return self.text.argument(value, name)
        return value


def _returned(frame: Frame, body: Sequence[ast.stmt]) -> Any:
    """What the statements of a function give."""
    try:
        for statement in body:
            frame.run(statement)
    except ReturnedError as returned:
        return returned.value
    return Known(None)


def _closed_over(function: types.FunctionType) -> dict[str, Any]:
    """What a function reads of the one around it."""
    cells = function.__closure__ or ()
    return {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True)
    }
