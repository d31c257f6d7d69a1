"""A text walked statement by statement: loops and helpers unrolled into one list of stores."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity, is_penalty, list_kind
from .assignments import EnoughError, State, is_place
from .classes import Class, called
from .limits import NotReadError, ShapesError, TooMuchError, shown
from .loops import Returned
from .parsing import Parsed
from .quantities import Quantities
from .resuming import Checkpoint
from .returned_parts import ReturnedPart
from .returns import Returns
from .store import BREAK, UNREAD, Store
from .trace import Trace, near

IGNORED = (
    ast.Pass
    | ast.Global
    | ast.Import
    | ast.ImportFrom
    | ast.FunctionDef
    | ast.ClassDef
    | ast.Assert
    | ast.Raise
)


class Walk(Returns):
    """The stores of a text, in order, with right values put in for some and other statements.

    `mended` gives the value for a store by its place in the list, `instead` a statement for
    another, by its id. The walk ends with the store `last`, where that is all that is asked.
    """

    def __init__(
        self,
        quantities: Quantities,
        helpers: dict[str, ast.FunctionDef],
        mended: Mapping[int, Any] | None = None,
        instead: Mapping[int, ast.stmt] | None = None,
        computed: frozenset[str] = frozenset(),
        last: int | None = None,
        classes: dict[str, Class] | None = None,
    ) -> None:
        super().__init__(quantities, helpers, classes)
        self.mended, self.instead = mended or {}, instead or {}
        self.computed = computed
        self.last = last
        self.time: int | None = None  # of which step of a recurrent network the round is
        self.example: int | None = None  # whose round of a loop over the examples it is
        self.states = []

    def text(
        self, parsed: Parsed, start: Checkpoint | None = None, of: Trace | None = None
    ) -> None:
        """The forward function first, of which only attributes are left, then the backward one.

        From a checkpoint that another walk `of` the text has left, where one is given.
        """
        try:
            if start is not None and of is not None:
                self.resume(start, of.stores, of.states)
                return
            if self.classes:
                self.set_up(parsed)
            if parsed.parts:
                self.call_layers(self.assembled(parsed.parts))
                return
            self.block(parsed.forward)
            kept = self.quantities.kept_caches(self.stored)
            for path in [p for p in self.stored if not p.startswith(("self.", "#"))]:
                del self.stored[path]
            self.stored |= kept
            for name, number in parsed.defaults.items():
                if not is_penalty(name) and self.quantities.lookup(name) is None:
                    self.stored[name] = number
            self.own_level = True
            self.block(parsed.body)
        except EnoughError:
            pass
        except RecursionError:
            raise TooMuchError("its functions call each other without end.") from None

    def alone(self, statement: ast.stmt, state: State) -> list[Store]:
        """The stores of one statement where the state is that before it."""
        stored = state.stored.items()
        self.stored = {p: list(v) if type(v) is list else v for p, v in stored}
        self.scope, self.example, self.depth = replace(state.scope), state.example, state.depth
        self.time = state.time
        self._statement(statement)
        return self.stores

    def _statement(self, statement: ast.stmt) -> Returned | None:
        self.step()
        match statement:
            case ReturnedPart():
                self._returned_part(statement)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(statement, target, value)
            case ast.AugAssign(target=target, op=op, value=value):
                self._augment(statement, target, op, value)
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=base, attr="append"), args=[item])
            ):
                self._append(statement, base, item)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=base, attr="insert"),
                    args=[ast.Constant(value=0), item],
                )
            ):
                self._insert(statement, base, item)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=base, attr="reverse"), args=[])):
                self._reverse(base)
            case ast.Expr(value=ast.Call() as call) if self._is_of_text(call):
                self._run(statement, call)
            case ast.Return():
                return self._return(statement)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign(statement, target, value)
            case ast.For(target=target, iter=source, body=body):
                self._fresh()
                try:
                    items = self._gone_through(source, target, body)
                except NotReadError as error:
                    self._unread_loop(body, error)
                    return None
                return self._loop(target, items, body)
            case ast.If(test=test, body=body, orelse=other):
                return self.block(body if self._test(test) else other)
            case ast.With(body=body):
                return self.block(body)
            case ast.Expr(value=value):
                self.leaves_back_out(statement, shown(ast.unparse(value)))
            case ast.AnnAssign() | ast.Continue() | ast.Break():
                pass
            case _ if isinstance(statement, IGNORED):
                pass
            case _:
                raise NotReadError(type(statement).__name__)
        return None

    def _test(self, test: ast.expr) -> bool:
        self._fresh()
        try:
            return self.truth(test)
        except (NotReadError, ShapesError):
            return True

    def _append(self, statement: ast.stmt, base: ast.expr, item: ast.expr) -> None:
        """acts.append(np.tanh(z)) stores the next activation, where the input stands first."""
        self._fresh()
        try:
            source = self.of(base)
            self._fresh()
            value = self.of(item)
        except (NotReadError, ShapesError):
            return
        if not isinstance(source, list):
            return
        starts = bool(source) and Quantity("value", "x") in self.quantities.named(source[0])
        if starts and not is_place(item) and isinstance(value, np.ndarray):
            path = f"{self._path_or_none(base)}[{len(source)}]"
            store = Store(statement.lineno, path, value, statement, self.reads, self.knows)
            if not any(map(self._is_before_activation, [*source[1:], value])):
                store.place = Quantity("value", f"a{len(source)}")
            self._put(store)
            value = store.value
        self._to_be_changed(base, source).append(value)

    def _is_before_activation(self, value: Any) -> bool:
        """Whether a value is a z, and no a: a list that keeps both has no activation a layer."""
        same = [
            m.quantity.of
            for m in self.quantities.matches(value)
            if m.quantity.kind == "value" and near(m.factor, 1) and not m.turned
        ]
        return bool(same) and all(name[0] == "z" for name in same)

    def _insert(self, statement: ast.stmt, base: ast.expr, item: ast.expr) -> None:
        """dW.insert(0, …) on the way back: the place from the end says the layer."""
        name = self._path_or_none(base)
        self._fresh()
        source = self.of(base)
        if not isinstance(source, list):
            raise NotReadError(shown(ast.unparse(statement)))
        number, kind = self.quantities.layers - len(source), list_kind(name or "")
        key = ast.Constant(value=number - 1)
        entry = ast.copy_location(ast.Subscript(value=base, slice=key, ctx=ast.Store()), item)
        one = ast.copy_location(ast.Assign(targets=[entry], value=item), statement)
        store = Store(statement.lineno, f"{name}[{number - 1}]", None, one, self.reads, self.knows)
        if kind in ("W", "b") and number > 0:
            store.place = Quantity("gradient", f"{kind}{number}")
        try:
            store.value = self.of(item)
        except ShapesError as error:
            store.kind, store.error = BREAK, str(error)
        except NotReadError as error:
            store.kind, store.error = UNREAD, str(error)
        self._put(store)
        self._to_be_changed(base, source).insert(0, store.value)

    def _reverse(self, base: ast.expr) -> None:
        value = self.of(base)
        if not isinstance(value, list):
            raise NotReadError("reverse() of what is no list")
        self._to_be_changed(base, value).reverse()

    def _is_of_text(self, call: ast.Call) -> bool:
        word = called(call)
        return word in self.helpers or any(word in of.methods for of in self.classes.values())

    def _run(self, statement: ast.stmt, call: ast.Call) -> None:
        """layer.backward(d): what it gives back is not kept."""
        self._fresh()
        before = len(self.stores)
        try:
            self.of(call)
        except (NotReadError, ShapesError) as error:
            if self.quiet:
                raise
            if all(store.kind != BREAK for store in self.stores[before:]):
                self.leaves_back_out(statement, str(error))
