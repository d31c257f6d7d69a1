"""Networks of layers: the objects that a text makes, and layers that it does not put together."""

import ast
from collections.abc import Iterator
from typing import Any

from ...ops import Identity
from ..lines.function_names import function_of
from ..lines.vocabulary import Quantity
from .assignments import Assignments
from .calls import Given, Helpers
from .classes import BACK, FORWARD, Class, kind_of, layers_of
from .composition import Parts
from .limits import NotReadError, ShapesError
from .parsing import Parsed
from .quantities import Quantities
from .resuming import LayerCall, LayerCalls
from .scope import BIAS, WEIGHT, Instance

LISTS_OF_LAYERS = {"layers", "modules", "network", "net", "model", "_layers", "sequence"}


class Assembly(Assignments):
    """Assignments, with the objects that stand before the first line that is judged."""

    def __init__(
        self, quantities: Quantities, helpers: Helpers, classes: dict[str, Class] | None = None
    ) -> None:
        super().__init__(quantities, helpers, classes)
        self.made: list[Instance] | None = None  # the layers that the text only names

    def set_up(self, parsed: Parsed) -> None:
        """The objects that the module makes, and those of __init__ of the function's own class."""
        self.quiet += 1
        self.lenient += 1
        try:
            self.block(parsed.setup)
            for path in self.updated:
                self.stored.pop(path, None)  # a training loop there: the run's weights are meant
            self.updated, self.of_updated = {}, {}
            self.globals = {p: v for p, v in self.stored.items() if _holds_objects(v)}
            for path in [p for p in self.stored if p[0] != "#"]:
                del self.stored[path]
            of = self.classes.get(parsed.owner or "")
            if of is not None:
                self._set_up_self(of)
        finally:
            self.quiet -= 1
            self.lenient -= 1
            self.unknown = {}

    def _set_up_self(self, of: Class) -> None:
        made = [v for v in self.globals.values() if isinstance(v, Instance) and v.cls is of]
        if made:
            lead = made[-1].path("")
            held = {
                p.replace(lead, "self."): v for p, v in self.stored.items() if p.startswith(lead)
            }
        else:
            init = of.methods.get("__init__")
            if init is None:
                return
            try:
                self.entered(init, [Given(None)] * (len(init.args.args) - 1), quiet=True)
            except (NotReadError, ShapesError):
                return
            held = {p: v for p, v in self.stored.items() if p.startswith("self.")}
        for path in [p for p in self.stored if p.startswith("self.")]:
            del self.stored[path]
        self.stored.update((p, v) for p, v in held.items() if _holds_objects(v))

    def declare(self, statement: ast.stmt) -> None:
        """Remember what a line that is not read would have stored."""
        for target in getattr(statement, "targets", []):
            path = self._path_or_none(target)
            if path is None:
                continue
            self.declared.add(path)
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Dict):
                keys = (k.value for k in value.keys if isinstance(k, ast.Constant))
                self.declared |= {f"{path}[{key!r}]" for key in keys}

    # ---------------------------------------------------------------- layers by themselves

    def layers_of_text(self, word: str) -> Any:
        if word.lower() not in LISTS_OF_LAYERS or not self.classes or self.lenient:
            return None
        layers = layers_of(self.classes)
        if not any(of.is_linear for of in layers):
            return None
        if self.made is None:
            self.made = self._in_order(layers)
        return self.made

    def _in_order(self, layers: list[Class]) -> list[Instance]:
        """A layer of weights and its activation, for each layer of the network."""
        return [of for _, _, of in self._numbered(layers)]

    def _numbered(self, layers: list[Class]) -> Iterator[tuple[int, bool, Instance]]:
        """The same, each with the number of its layer and whether it is the activation there."""
        linear = next((of for of in layers if of.is_linear), None)
        for number in range(1, self.quantities.layers + 1):
            if linear is not None:
                yield number, False, self._made(linear, number)
            if active := self._activation_class(layers, number):
                yield number, True, self._made(active, number)

    def _made(self, of: Class, number: int) -> Instance:
        init = of.methods.get("__init__")
        given = (
            [Given(self._given_to_init(a.arg, number)) for a in init.args.args[1:]] if init else []
        )
        return self.constructed(of, given, {})

    def _given_to_init(self, name: str, number: int) -> Any:
        low = name.lower().strip("_")
        if low in WEIGHT | BIAS and self.quantities.bias == "own":
            return self.quantities.value(f"{'W' if low in WEIGHT else 'b'}{number}")
        return self._op(number).lower() if "activ" in low else None

    def _op(self, number: int) -> str:
        step = self.quantities.studied.state.step(f"a{number}")
        return "" if step is None or isinstance(step.op, Identity) else step.op.name

    def _activation_class(self, layers: list[Class], number: int) -> Class | None:
        """The class of the layer's activation; none of an identity, or of a fused softmax."""
        op = self._op(number).lower()
        others = [of for of in layers if not of.is_linear and not of.is_loss]
        for of in others:
            function = function_of(of.name)
            if op and function and function.op and op.startswith(function.op):
                return of
        unsaid = [of for of in others if not (f := function_of(of.name)) or not f.op]
        return unsaid[0] if op and op != "softmax" and len(unsaid) == 1 else None

    def assembled(self, parts: Parts) -> LayerCalls:
        """Layers that nothing puts together, called one after the other as by a network."""
        if parts.classes:
            every = list(self._numbered(list(parts.classes)))
            forward = [LayerCall(of.cls.named(FORWARD), False, of, n, a) for n, a, of in every]
            back = [LayerCall(of.cls.named(BACK), True, of, n, a) for n, a, of in reversed(every)]
            return LayerCalls((*forward, *back))
        return LayerCalls(tuple(self._calls_of(parts.functions)))

    def call_layers(self, calls: LayerCalls) -> None:
        """Each call from the one at its place on."""
        while calls.place < len(calls.calls):
            self.before_call(calls)
            one = calls.calls[calls.place]
            if one.instance is None:
                calls.handed = self._of_function(one, calls.handed)
            else:
                calls.handed = self._of_object(one, one.instance, calls)
            calls.place += 1

    def before_call(self, calls: LayerCalls) -> None:
        raise NotImplementedError

    def _of_object(self, one: LayerCall, of: Instance, calls: LayerCalls) -> Any:
        """What a layer's forward gives, or its backward.

        It is handed what the layer before it gives; where the text has none, the run's own.
        """
        handed = calls.handed if self._follows_its_neighbour(calls) else self._right_for(one)
        if one.function is None or handed is None:
            return None
        if one.back:
            self.reads = []
        found = self.entered(one.function, self._filled(one.function, handed), instance=of)
        return self._result(found, of, ("dinputs", "dx") if one.back else ())

    def _result(self, found: Any, of: Instance | None = None, kept: tuple[str, ...] = ()) -> Any:
        for name in kept:
            if found is None and of is not None:
                found = self.stored.get(of.path(name))
        return found[0] if isinstance(found, tuple) and found else found

    def _filled(self, function: ast.FunctionDef, value: Any) -> list[Given]:
        """The arguments of forward or backward: the value, and rates as what they are."""
        makers = tuple(self.makers_of(value))
        names = [a.arg for a in function.args.args[1:]]
        others = [self.quantities.lookup(name) for name in names[1:]]
        kept = [Given(v) for v in others]
        return [Given(value, makers), *kept]

    def _follows_its_neighbour(self, calls: LayerCalls) -> bool:
        """Whether the call before is of the layer that hands its value to this one."""
        one, before = calls.calls[calls.place], calls.calls[calls.place - 1]
        if calls.place == 0 or before.back != one.back:
            return False
        first, second = (one, before) if one.back else (before, one)  # as in a forward pass
        if second.of_activation:
            return (first.layer, first.of_activation) == (second.layer, False)
        identity = not self._op(first.layer)
        return first.layer + 1 == second.layer and (first.of_activation or identity)

    def _right_for(self, one: LayerCall) -> Any:
        """What a layer is handed in the run: its input, or the derivative of its output."""
        if one.back:
            of = f"{'a' if one.of_activation else 'z'}{one.layer}"
            return self.quantities.given_derivative(Quantity("gradient", of))
        before = "x" if one.layer == 1 else f"a{one.layer - 1}"
        return self.quantities.value(f"z{one.layer}" if one.of_activation else before)

    def _calls_of(self, functions: tuple[ast.FunctionDef, ...]) -> Iterator[LayerCall]:
        """affine_backward(dout, cache), relu_backward(dout, cache), … from the last layer back."""
        linear = next((f for f in functions if kind_of(f.name) == "linear"), None)
        active = [f for f in functions if kind_of(f.name) != "linear"]
        for number in range(self.quantities.layers, 0, -1):
            op = self._op(number).lower()
            own = next((f for f in active if op and op.startswith(kind_of(f.name))), None)
            yield LayerCall(own, True, None, number, True)
            yield LayerCall(linear, True, None, number, False)

    def _of_function(self, one: LayerCall, handed: Any) -> Any:
        """What a layer's function gives; where it has none, the right derivative goes on."""
        if one.of_activation:
            kind = "z" if one.function is None else "a"
            right = self.quantities.given_derivative(Quantity("gradient", f"{kind}{one.layer}"))
            if one.function is None:
                return right
            handed = right if handed is None else handed
        if one.function is None or handed is None:
            return None
        return self._of_layer(one, one.function, handed)

    def _of_layer(self, one: LayerCall, function: ast.FunctionDef, grad: Any) -> Any:
        self.layer_called = one.layer, one.of_activation
        self.reads = []
        names = [a.arg for a in function.args.args[1:]]
        given = [Given(grad, tuple(self.makers_of(grad))), *[Given(None) for _ in names]]
        return self._result(self.entered(function, given))


def _holds_objects(value: Any) -> bool:
    value = list(value.values()) if isinstance(value, dict) else value
    parts = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(part, Instance) for part in parts)
