"""Calls in a text: numpy's functions, a few of Python's, and the functions of the text itself."""

import ast
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..lines.function_names import function_of
from . import functions
from .built_in import BUILT_IN
from .classes import BACK, FORWARD, Class, called, kind_of
from .expressions import NUMPY, Expressions, filled
from .limits import MOST_CALLS_DEEP, NotReadError, ShapesError, shown
from .quantities import Quantities
from .scope import (
    Instance,
    Scope,
    derivative_that_it_is,
    value_that_it_is,
)
from .store import BREAK

Helpers = dict[str, ast.FunctionDef]


class Given(NamedTuple):
    """An argument, and the stores that it was read from."""

    value: Any
    reads: tuple[int, ...] = ()


class Calls(Expressions):
    """Expressions with the calls that are read."""

    def __init__(
        self, quantities: Quantities, helpers: Helpers, classes: dict[str, Class] | None = None
    ) -> None:
        super().__init__(quantities)
        self.helpers, self.classes = helpers, classes or {}
        self.scope = Scope()
        self.scopes = 0  # how many calls have been entered
        self.quiet = 0  # in how many calls we are whose lines are no stores of their own
        self.instances = 0
        self.weighted = 0  # how many objects have weights so far
        self.layer_of: dict[int, int] = {}  # of an object by its number
        self.lenient = 0  # in how many __init__ we are: what is not read there is passed by
        self.layer_called: tuple[int, bool] | None = None  # of a call that stands in no text
        self.unread_back: dict[int, str] = {}  # lines that call a backward, which is not read
        self.unread_steps: dict[int, str] = {}  # lines that update parameters, which are not read
        self.declared: set[str] = set()  # the names that such lines would have stored

    # ---------------------------------------------------------------- what is called

    def call(self, node: ast.Call) -> Any:
        function = node.func
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            raise NotReadError("an argument with a star")
        numpy_name = _of_numpy(function)
        if numpy_name:
            return self._numpy(numpy_name, [self.of(arg) for arg in node.args], node)
        if self.classes and (found := self._of_class(node)) is not None:
            return found[0]
        if isinstance(function, ast.Attribute) and function.attr == "format" and node.args:
            text = self.of(function.value)
            if isinstance(text, str) and not node.keywords and "%" not in text:
                return filled(text.replace("{}", "%s"), tuple(map(self.of, node.args)))
        if isinstance(function, ast.Attribute) and function.attr in functions.METHODS:
            base = self.of(function.value)
            if function.attr == "astype":
                return functions.number_like(base)
            return self._numpy(function.attr, [base, *map(self.of, node.args)], node)
        word = called(node)
        if word == "permutation" and len(node.args) == 1:
            return self._permuted(self.of(node.args[0]))
        if word == "get" and isinstance(function, ast.Attribute) and len(node.args) == 2:
            return self._got(function.value, *node.args)
        if word in BUILT_IN and isinstance(function, ast.Name):
            try:
                return BUILT_IN[word](self, *[self.of(arg) for arg in node.args])
            except (TypeError, ValueError) as error:
                raise ShapesError(str(error)) from None
        given = [self._given(arg) for arg in node.args if not is_self(arg)]
        options = {k.arg: self._given(k.value) for k in node.keywords if k.arg}
        if isinstance(function, ast.Attribute) and self._is_of_several(function):
            raise NotReadError(f"what {shown(ast.unparse(function.value))} is")
        if word in self.helpers and self.depth < MOST_CALLS_DEEP:
            found = self._tried(self.helpers[word], given, options, node.lineno)
            if found is not None:
                return found
            if self.quantities.as_written:
                raise NotReadError(f"what {word}() does")
        named = {name: each.value for name, each in options.items() if name not in ("dtype", "out")}
        return self.quantities.helper(word, [each.value for each in given], named)

    def _is_of_several(self, method: ast.Attribute) -> bool:
        """Whether several classes have a method of this name, and nothing says which is meant."""
        owners = [of for of in self.classes.values() if method.attr in of.own]
        return len(owners) > 1 and not is_self(method.value)

    def _given(self, node: ast.expr) -> Given:
        """An argument with what it read, which the call reads, too."""
        before, self.reads = self.reads, []
        try:
            value = self.of(node)
            return Given(value, tuple(dict.fromkeys(self.reads)))
        finally:
            self.reads = before + self.reads

    def _permuted(self, given: Any) -> Any:
        """np.random.permutation(m): the order in which the examples come changes no gradient."""
        if isinstance(given, np.ndarray) and given.ndim:
            return given
        functions.require_small((functions.whole(given),))
        return np.arange(functions.whole(given))

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

    # ---------------------------------------------------------------- functions of the text

    def _tried(
        self,
        function: ast.FunctionDef,
        given: list[Given],
        options: dict[str, Given],
        line: int,
    ) -> Any:
        """What a function of the text returns; None where it is not read."""
        stores = len(self.stores)
        try:
            return self.entered(function, given, options, line)
        except NotReadError:
            if any(store.kind == BREAK for store in self.stores[stores:]):
                raise
            del self.stores[stores:]  # its name may say what it gives
            return None

    def entered(
        self,
        function: ast.FunctionDef,
        given: list[Given],
        options: dict[str, Given] | None = None,
        line: int = 0,
        instance: Instance | None = None,
        quiet: bool = False,
    ) -> Any:
        """What a function returns, walked with its own names. Its stores are judged, too.

        Not those of a function of one array, such as sigmoid(z): it is what its name says, or not.
        """
        names = [argument.arg for argument in function.args.args]
        names = names[1:] if names[:1] in (["self"], ["cls"]) else names
        defaults = function.args.defaults
        kept, makers, reads, knows = self.stored, self.maker, self.reads, self.knows
        own = {path: value for path, value in kept.items() if _is_attribute(path)}
        scope, inside = self.scope, list[int]()
        quiet = quiet or (instance is None and _is_of_one_array(function, given))
        self.depth += 1
        self.quiet += quiet
        if self.depth > MOST_CALLS_DEEP:
            self.depth -= 1
            self.quiet -= quiet
            raise NotReadError(f"what {function.name}() does, so deep inside of others")
        scope.calls_others |= not quiet
        try:
            self.stored, self.maker = own, {p: m for p, m in makers.items() if _is_attribute(p)}
            self.scope = self._scope(function, given, line, instance)
            for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
                self.stored[name] = self.of(default)
            bound = {**dict(zip(names, given, strict=False)), **(options or {})}
            for name, (value, read) in bound.items():
                if value is not None:
                    self.stored[name], self.maker[name] = value, read
                elif name in self.stored:
                    del self.stored[name]
            if (more := function.args.vararg) is not None:
                self.stored[more.arg] = [one.value for one in given[len(names) :]]
            self.reads, self.knows = [], set()
            returned = self.block(function.body)
            kept.update((p, v) for p, v in self.stored.items() if _is_attribute(p))
            makers.update((p, m) for p, m in self.maker.items() if _is_attribute(p))
            inside = list(self.reads) if returned else []
            return returned[0] if returned else None
        finally:
            self.stored, self.maker, self.scope, self.knows = kept, makers, scope, knows
            self.reads = reads if quiet else [*_without(reads, given), *inside]
            self.depth -= 1
            self.quiet -= quiet

    def _scope(
        self,
        function: ast.FunctionDef,
        given: Iterable[Given],
        line: int,
        instance: Instance | None,
    ) -> Scope:
        """What a call is of: a layer's forward or backward, or a part of the whole network."""
        self.scopes += 1
        arrays = [each for one in given for each in _flat(one.value)]
        upstream = next((d for a in arrays if (d := self._derivative(a))), None)
        calls = (*self.scope.calls, *([line] if line else []))
        found = Scope(self.scopes, function.name, calls, instance, upstream)
        if self.layer_called is not None:
            found.layer, found.of_activation = self.layer_called
            found.of_network, self.layer_called = False, None
            return found
        if instance is None and _is_method(function):
            found.instance = self.scope.instance
        kind = kind_of(function.name)
        values = [v for a in arrays if (v := value_that_it_is(a, self.quantities))]
        values = [v for v in values if self.quantities.layers or v.of[0] not in "Wbza"]
        weight = next((v for v in values if v.of[0] == "W"), None)
        if found.instance:
            found.layer, found.of_network = found.instance.layer, False
            found.of_activation = found.layer is None and not found.instance.cls.is_loss
        elif weight:
            found.layer, found.of_network = int(weight.of[1:]), False
        elif kind or upstream:
            found.of_network = False
            found.of_activation = kind not in ("", "linear")
        if found.layer is None and found.of_activation:
            of = [q.of for q in [*([upstream] if upstream else []), *values] if q.of[0] in "za"]
            found.layer = int(of[0][1:]) if of else None
        if found.layer is None and upstream and not found.of_network:
            found.layer = int(upstream.of[1:])
        return found

    def _derivative(self, array: Any) -> Any:
        return derivative_that_it_is(array, self.quantities)

    def _of_class(self, node: ast.Call) -> tuple[Any] | None:
        """A call of a class, of an object or of one of its methods; None where it is another."""
        raise NotImplementedError

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


def _is_attribute(path: str) -> bool:
    return path.startswith(("self.", "#"))


def _is_method(function: ast.FunctionDef) -> bool:
    return bool(function.args.args) and function.args.args[0].arg == "self"


def _is_of_one_array(function: ast.FunctionDef, given: list[Given]) -> bool:
    of_layer = BACK.fullmatch(function.name) or FORWARD.fullmatch(function.name)
    return len(given) == 1 and not of_layer and function_of(function.name) is not None


def _flat(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return [each for one in value for each in _flat(one)]
    return [value]


def _without(reads: list[int], given: list[Given]) -> list[int]:
    """What was read before the arguments of a call: what it returns says what it read of them."""
    own = {number for one in given for number in one.reads}
    return [number for number in reads if number not in own]


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
