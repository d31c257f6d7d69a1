"""Calls in a text: numpy's functions, a few of Python's, and the functions of the text itself."""

import ast
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..lines.function_names import function_of
from . import functions
from .classes import BACK, FORWARD, Class, called, kind_of
from .expressions import NUMPY, Expressions, filled
from .limits import MOST_CALLS_DEEP, NotReadError, ShapesError, shown
from .quantities import Quantities
from .scope import (
    BIAS,
    WEIGHT,
    Instance,
    Scope,
    derivative_that_it_is,
    last_name,
    value_of_layer,
    value_that_it_is,
)
from .store import BREAK

Helpers = dict[str, ast.FunctionDef]
KEYED = re.compile(r"\[('\w+'|\d+)\]")


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
        given = [self._given(arg) for arg in node.args if not _is_self(arg)]
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
        return len(owners) > 1 and not _is_self(method.value)

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

    # ---------------------------------------------------------------- objects of the text's classes

    def _of_class(self, node: ast.Call) -> tuple[Any] | None:
        """A call of a class, of an object or of one of its methods; None where it is another."""
        function, word = node.func, called(node)
        if isinstance(function, ast.Name) and word in ("isinstance", "hasattr"):
            return self._asked(word, node)
        if word in self.classes and word not in self.stored:
            return (self.constructed(self.classes[word], *self._arguments(node, lenient=True)),)
        if isinstance(function, ast.Attribute):
            base = function.value
            if isinstance(base, ast.Call) and called(base) == "super":
                return self._of_base(word, node)
            if isinstance(base, ast.Name) and base.id in self.classes:
                method = self.classes[base.id].methods.get(word)
                if method is not None:
                    return (self.entered(method, *self._arguments(node), node.lineno),)
            if word in ("values", "items", "keys") and not node.args:
                return self._entries(base, word)
            if (of := self.instance(base)) and word in of.cls.methods:
                if of.cls.keeps_means:
                    self.quantities.left_alone.add(of.cls.name)
                    return (None,)
                return (
                    self.entered(of.cls.methods[word], *self._arguments(node), node.lineno, of),
                )
        if isinstance(function, ast.Name | ast.Attribute):
            held = self.stored.get(self._path_or_none(function) or "")
            if isinstance(held, ast.FunctionDef):
                return (self.entered(held, *self._arguments(node), node.lineno),)
        if of := self.instance(function):
            for name in ("__call__", "forward"):
                if name in of.cls.methods:
                    method = of.cls.methods[name]
                    return (self.entered(method, *self._arguments(node), node.lineno, of),)
        return None

    def _arguments(
        self, node: ast.Call, lenient: bool = False
    ) -> tuple[list[Given], dict[str, Given]]:
        def given(argument: ast.expr) -> Given:
            try:
                return self._given(argument)
            except (NotReadError, ShapesError):
                if not lenient:
                    raise
                return Given(None)

        unknown = dict(self.unknown)
        found = (
            [given(arg) for arg in node.args if not _is_self(arg)],
            {k.arg: given(k.value) for k in node.keywords if k.arg},
        )
        if lenient:
            self.unknown = unknown
        return found

    def _asked(self, word: str, node: ast.Call) -> tuple[Any]:
        """isinstance(layer, Dense), hasattr(layer, "W")."""
        of = self.instance(node.args[0]) if len(node.args) == 2 else None
        if of is None:
            raise NotReadError(f"what {word}() says")
        if word == "isinstance":
            which = node.args[1]
            names = which.elts if isinstance(which, ast.Tuple) else [which]
            return (any(of.cls.is_a(getattr(name, "id", "")) for name in names),)
        name = str(self.of(node.args[1]))
        weighs = of.layer is not None and name.lower() in WEIGHT | BIAS
        return (name in of.cls.methods or of.path(name) in self.stored or weighs,)

    def _of_base(self, word: str, node: ast.Call) -> tuple[Any] | None:
        of = self.scope.instance
        for base in of.cls.bases if of else ():
            if word in base.methods:
                method = base.methods[word]
                given, options = self._arguments(node, lenient=word == "__init__")
                return (self.entered(method, given, options, node.lineno, of),)
        return (None,)

    def _entries(self, base: ast.expr, word: str) -> tuple[Any] | None:
        """The entries of a dictionary of objects, in the order in which they were put there."""
        own = self._objects_under(self._path_or_none(base))
        if not own:
            return None
        return ({"values": list(own.values()), "keys": list(own)}.get(word, list(own.items())),)

    def _objects_under(self, path: str | None) -> dict[str | int, Any]:
        """A dictionary of objects of the text, by their keys; empty where a path is none."""
        if not (path and self.classes):
            return {}
        own: dict[str | int, Any] = {}
        lead = f"{path}["
        for place, value in self.stored.items():
            if place.startswith(lead) and KEYED.fullmatch(place, len(path)):
                own[ast.literal_eval(place[len(lead) : -1])] = value
        whole = self.stored.get(path)
        own = {**whole, **own} if isinstance(whole, dict) else own
        return own if any(isinstance(v, Instance) for v in own.values()) else {}

    def constructed(self, of: Class, given: list[Given], options: dict[str, Given]) -> Instance:
        """A new object: __init__ as far as it is read, its weights those of the next layer."""
        self.instances += 1
        made = Instance(of, self.instances)
        declared: set[str] = set()
        init = of.methods.get("__init__")
        if init is not None:
            before, self.declared = self.declared, declared
            unknown = dict(self.unknown)
            self.lenient += 1
            try:
                self.entered(init, given, options, instance=made, quiet=True)
            except (NotReadError, ShapesError):
                pass
            finally:
                self.lenient -= 1
                self.declared, self.unknown = before, unknown
        lead = made.path("")
        declared |= {path for path in self.stored if path.startswith(lead)}
        weights = [p for p in sorted(declared) if last_name(p).lower() in WEIGHT | BIAS]
        values = {p: value_that_it_is(self.stored.get(p), self.quantities) for p in weights}
        known = next((v for v in values.values() if v and v.of[0] in "Wb"), None)
        if known:
            made.layer = self.layer_of[made.number] = int(known.of[1:])
        elif weights:
            self._weighs(made)
        if of.is_linear and made.layer is None and _is_listed(self.stored.get(made.path("params"))):
            made.layer = self._layer_of_list(self.stored[made.path("params")])
        for path in weights:
            if made.layer and values[path] is None:
                self.stored[path] = self._weight(last_name(path), made.layer)
                self.maker.pop(path, None)
        return made

    def _layer_of_list(self, params: list[Any]) -> int | None:
        found = [v for p in params if (v := value_that_it_is(p, self.quantities))]
        return int(found[0].of[1:]) if found else None

    def _weighs(self, of: Instance) -> None:
        """The next layer's number for an object that has weights."""
        if self.weighted < self.quantities.layers:
            self.weighted += 1
            of.layer = self.layer_of[of.number] = self.weighted

    def _weight(self, name: str, layer: int) -> np.ndarray:
        return self.quantities.value(f"{'W' if name.lower() in WEIGHT else 'b'}{layer}")

    def instance(self, node: ast.expr) -> Instance | None:
        if not self.classes:
            return None
        if isinstance(node, ast.Name):
            if node.id == "self":
                return self.scope.instance
            found = self.stored.get(node.id, self.globals.get(node.id))
        elif isinstance(node, ast.Attribute | ast.Subscript):
            reads, knows, unknown = list(self.reads), set(self.knows), dict(self.unknown)
            try:
                found = self.of(node) if self._may_be_object(node) else None
            except (NotReadError, ShapesError):
                found = None
            finally:
                self.reads, self.knows, self.unknown = reads, knows, unknown
        else:
            return None
        return found if isinstance(found, Instance) else None

    def _may_be_object(self, node: ast.Attribute | ast.Subscript) -> bool:
        return not (isinstance(node, ast.Attribute) and node.attr == "T")

    def own(self, node: ast.expr, path: str | None) -> Any:
        if objects := self._objects_under(path):
            return objects
        if path and path.startswith("#") and isinstance(node, ast.Attribute):
            of = self.instance(node.value)
            if of is None:
                return None
            if of.layer is None and node.attr.lower() in WEIGHT:
                self._weighs(of)
            if of.layer and node.attr.lower() in WEIGHT | BIAS:
                return self._weight(node.attr, of.layer)
            if of is self.scope.instance and not of.cls.is_loss:
                found = value_of_layer(node.attr, self.scope, self.quantities)
                if found is not None:
                    return found
            return self.layers_of_text(node.attr)
        if isinstance(node, ast.Name):
            if node.id in self.helpers and self.classes:
                return self.helpers[node.id]
            if self._is_kept_by_self(node.id):
                raise NotReadError(f"what {node.id} is, beside self.{node.id}")
            found = value_of_layer(node.id, self.scope, self.quantities)
            return self.layers_of_text(node.id) if found is None else found
        if isinstance(node, ast.Attribute) and _is_self(node.value):
            return self.layers_of_text(node.attr)
        return None

    def _is_kept_by_self(self, word: str) -> bool:
        """Whether a method reads a name that it never stores, where its object keeps the value."""
        of = self.scope.instance
        method = of.cls.methods.get(self.scope.function) if of else None
        if of is None or method is None or of.path(word) not in self.stored:
            return False
        named = (n for n in ast.walk(method) if isinstance(n, ast.Name))
        own = {a.arg for a in method.args.args} | {
            n.id for n in named if isinstance(n.ctx, ast.Store)
        }
        return word not in own

    def layers_of_text(self, word: str) -> Any:
        """The objects that net.layers stands for where the text does not make them."""
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


def _is_listed(value: Any) -> bool:
    return isinstance(value, list | tuple)


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


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _range(walk: Expressions, *ends: Any) -> range:
    return range(*[functions.whole(end) for end in ends])


def _text(walk: Expressions, value: Any) -> str:
    if not isinstance(value, int | str | np.integer):
        raise NotReadError("str() of what is no number")
    return str(value)


def _dictionary(walk: Expressions, pairs: Any = ()) -> dict[Any, Any]:
    """OrderedDict([("fc1", Dense(3, 4)), …])."""
    return dict(pairs if isinstance(pairs, dict) else walk.listed(pairs))


BUILT_IN: dict[str, Any] = {
    "len": lambda walk, value: functions.length(walk.quantities.as_the_text_has(value)),
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
    "dict": lambda walk, *value: _dictionary(walk, *value),
    "OrderedDict": lambda walk, *value: _dictionary(walk, *value),
}
