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
        mark = self.text.mark()
        try:
            return self._inlined(function, args, keywords)
        except NotPlainError:
            self.text.back_to(mark)
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
            elif isinstance(value, Code) and not value.is_a_name and uses(tree, name) > 1:
                value = self.text.held(value, name)
            frame.local[name] = value
        for name, parameter in inspect.signature(plain).parameters.items():
            if name not in frame.local and parameter.default is not inspect.Parameter.empty:
                frame.local[name] = Known(parameter.default)
        try:
            for statement in tree.body:
                frame.run(statement)
        except ReturnedError as returned:
            return returned.value
        return Known(None)

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
        """What a lambda, or a function with some of its arguments, gives."""
        function = later.function
        if isinstance(function, ast.Lambda):
            assert later.frame is not None
            inner = dict(zip((a.arg for a in function.args.args), args, strict=True))
            parent = later.frame
            frame = Frame(self, parent.globals, {**parent.local, **inner}, parent.closed)
            return frame.value(function.body)
        given = [*later.args, *args]
        if isinstance(function, Deferred):
            return self.called_later(function, given)
        assert isinstance(function, Known)
        return self.call(function.value, given, later.keywords or {})


def _closed_over(function: types.FunctionType) -> dict[str, Any]:
    """What a function reads of the one around it."""
    cells = function.__closure__ or ()
    return {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True)
    }
