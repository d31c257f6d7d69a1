"""Objects of the text's own classes: how they are made, what their methods give, what they keep."""

import ast
import re
from typing import Any

import numpy as np

from .calls import Calls, Given, is_self
from .classes import Class, called
from .limits import NotReadError, ShapesError
from .scope import BIAS, WEIGHT, Instance, last_name, value_of_layer, value_that_it_is

KEYED = re.compile(r"\[('\w+'|\d+)\]")


class Objects(Calls):
    """Calls, with those of classes, of objects and of their methods."""

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
            [given(arg) for arg in node.args if not is_self(arg)],
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
        own = self.entries_under(path) if path and self.classes else {}
        return own if any(isinstance(v, Instance) for v in own.values()) else {}

    def entries_under(self, path: str) -> dict[str | int, Any]:
        """What the text has put into a dictionary, by the keys."""
        own: dict[str | int, Any] = {}
        lead = f"{path}["
        for place, value in self.stored.items():
            if place.startswith(lead) and KEYED.fullmatch(place, len(path)):
                own[ast.literal_eval(place[len(lead) : -1])] = value
        whole = self.stored.get(path)
        return {**whole, **own} if isinstance(whole, dict) else own

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
        if isinstance(node, ast.Attribute) and is_self(node.value):
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


def _is_listed(value: Any) -> bool:
    return isinstance(value, list | tuple)
