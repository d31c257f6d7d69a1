"""Calls in a text: numpy's functions, a few of Python's, and the functions of the text itself."""

import ast
from typing import Any

import numpy as np

from . import functions
from .expressions import NUMPY, Expressions
from .limits import MOST_CALLS_DEEP, NotReadError, ShapesError
from .quantities import Quantities


class Calls(Expressions):
    """Expressions with the calls that are read."""

    def __init__(self, quantities: Quantities, helpers: dict[str, ast.FunctionDef]) -> None:
        super().__init__(quantities)
        self.helpers = helpers

    def call(self, node: ast.Call) -> Any:
        function = node.func
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            raise NotReadError("an argument with a star")
        numpy_name = _of_numpy(function)
        if numpy_name:
            return self._numpy(numpy_name, [self.of(arg) for arg in node.args], node)
        if isinstance(function, ast.Attribute) and function.attr in functions.METHODS:
            base = self.of(function.value)
            if function.attr == "astype":
                return functions.number_like(base)
            return self._numpy(function.attr, [base, *map(self.of, node.args)], node)
        word = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        if word == "get" and isinstance(function, ast.Attribute) and len(node.args) == 2:
            return self._got(function.value, *node.args)
        if word in BUILT_IN and isinstance(function, ast.Name):
            try:
                return BUILT_IN[word](self, *[self.of(arg) for arg in node.args])
            except (TypeError, ValueError) as error:
                raise ShapesError(str(error)) from None
        given = [self.of(arg) for arg in node.args if not _is_self(arg)]
        options = dict(self.options(node))
        if word in self.helpers and self.depth < MOST_CALLS_DEEP:
            found = self._helper(self.helpers[word], given, options)
            if found is not None:
                return found
            if self.quantities.as_written:
                raise NotReadError(f"what {word}() does")
        return self.quantities.helper(word, given, options)

    def _got(self, bag: ast.expr, key: ast.expr, default: ast.expr) -> Any:
        """bn_param.get("eps", 1e-5): what the key means, else the default."""
        word, path = self.of(key), self._path_or_none(bag) or ""
        found = self.quantities.lookup(word, path) if isinstance(word, str) else None
        return self.of(default) if found is None else found

    def _numpy(self, name: str, given: list[Any], node: ast.Call) -> Any:
        self.charge(sum(map(np.size, filter(_is_array, given))))
        if name in ("max", "amax", "size", "shape") and given:
            given = [self.quantities.as_the_text_has(given[0]), *given[1:]]
        try:
            return functions.call_numpy(name, given, dict(self.options(node)))
        except (TypeError, IndexError, AttributeError) as error:
            raise ShapesError(str(error)) from None

    def _helper(self, helper: ast.FunctionDef, given: list[Any], options: dict[str, Any]) -> Any:
        """What a function of the text returns, walked with its own names; None if not read."""
        names = [argument.arg for argument in helper.args.args if argument.arg != "self"]
        defaults = helper.args.defaults
        kept, makers, reads, knows = self.stored, self.maker, self.reads, self.knows
        own = {path: value for path, value in kept.items() if path.startswith("self.")}
        self.depth += 1
        try:
            self.stored, self.maker = own, {}
            for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
                self.stored[name] = self.of(default)
            self.stored.update(zip(names, given, strict=False))
            self.stored.update(options)
            returned = self.block(helper.body)
            kept.update((p, v) for p, v in self.stored.items() if p.startswith("self."))
            return returned[0] if returned else None
        except NotReadError:
            return None
        finally:
            self.stored, self.maker, self.reads, self.knows = kept, makers, reads, knows
            self.depth -= 1

    def block(self, body: Any) -> tuple[Any, ...] | None:
        raise NotImplementedError


def _of_numpy(function: ast.expr) -> str | None:
    match function:
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in NUMPY:
            return name
        case ast.Attribute(
            value=ast.Attribute(value=ast.Name(id=module), attr="linalg"), attr=name
        ) if module in NUMPY:
            return f"linalg.{name}"
    return None


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _range(walk: Expressions, *ends: Any) -> range:
    return range(*[functions.whole(end) for end in ends])


def _length(value: Any) -> int:
    return functions.rounds(value) if isinstance(value, range) else len(value)


def _text(walk: Expressions, value: Any) -> str:
    if not isinstance(value, int | str | np.integer):
        raise NotReadError("str() of what is no number")
    return str(value)


BUILT_IN: dict[str, Any] = {
    "len": lambda walk, value: _length(walk.quantities.as_the_text_has(value)),
    "range": _range,
    "reversed": lambda walk, value: walk.listed(value)[::-1],
    "list": lambda walk, *value: walk.listed(value[0]) if value else [],
    "tuple": lambda walk, value: walk.listed(value),
    "zip": lambda walk, *lists: list(zip(*[walk.listed(one) for one in lists], strict=False)),
    "enumerate": lambda walk, value: list(enumerate(walk.listed(value))),
    "str": _text,
    "int": lambda walk, value: functions.whole(value),
    "float": lambda walk, value: float(value),
    "abs": lambda walk, value: functions.apply(np.abs, value),
    "dict": lambda walk: {},
}
