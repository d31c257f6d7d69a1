"""A text walked statement by statement: loops and helpers unrolled into one list of stores."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity, list_kind
from . import functions
from .assembly import Assembly
from .assignments import EnoughError, State, is_place, last_of
from .classes import Class, called
from .limits import MOST_LOOPED, ONE_ROUND, NotReadError, ShapesError, TooMuchError, shown
from .parsing import Parsed
from .quantities import Quantities
from .scope import Instance, goal_of_return
from .store import BREAK, PLAIN, UNREAD, Store

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
PARAMETERS = {"params", "parameters", "grads", "gradients", "model"}
Returned = tuple[Any, ...]


class Walk(Assembly):
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
        self.example: int | None = None  # whose round of a loop over the examples it is
        self.states = []

    def text(self, parsed: Parsed) -> "Walk":
        """The forward function first, of which only attributes are left, then the backward one."""
        try:
            if self.classes:
                self.set_up(parsed)
            if parsed.parts:
                self.assembled(parsed.parts)
                return self
            self.block(parsed.forward)
            for path in [p for p in self.stored if not p.startswith(("self.", "#"))]:
                del self.stored[path]
            self.block(parsed.body)
        except EnoughError:
            pass
        except RecursionError:
            raise TooMuchError("its functions call each other without end.") from None
        return self

    def alone(self, statement: ast.stmt, state: State) -> list[Store]:
        """The stores of one statement where the state is that before it."""
        stored = state.stored.items()
        self.stored = {p: list(v) if type(v) is list else v for p, v in stored}
        self.scope, self.example, self.depth = replace(state.scope), state.example, state.depth
        self._statement(statement)
        return self.stores

    def block(self, body: Iterable[ast.stmt]) -> Returned | None:
        """Walk statements; what a return gives, or None."""
        for statement in body:
            try:
                returned = self._statement(self.instead.get(id(statement), statement))
            except (NotReadError, ShapesError, TooMuchError) as error:
                if self.lenient and not isinstance(error, TooMuchError):
                    self.declare(statement)
                    continue
                if not isinstance(error, ShapesError):
                    error.line = error.line or statement.lineno
                raise
            if returned is not None:
                return returned
        return None

    def _statement(self, statement: ast.stmt) -> Returned | None:
        self.step()
        match statement:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=base, attr="append"), args=[item])
            ):
                self._append(base, item)
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
                self._run(call)
            case ast.Return():
                return self._return(statement)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(statement, target, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign(statement, target, value)
            case ast.AugAssign(target=target, op=op, value=value):
                self._augment(statement, target, op, value)
            case ast.For(target=target, iter=source, body=body):
                try:
                    items = self._gone_through(source)
                except NotReadError as error:
                    self._unread_loop(body, error)
                    return None
                return self._loop(target, items, body)
            case ast.If(test=test, body=body, orelse=other):
                return self.block(body if self._test(test) else other)
            case ast.With(body=body):
                return self.block(body)
            case ast.Expr() | ast.AnnAssign() | ast.Continue() | ast.Break():
                pass
            case _ if isinstance(statement, IGNORED):
                pass
            case _:
                raise NotReadError(type(statement).__name__)
        return None

    def _unread_loop(self, body: list[ast.stmt], error: NotReadError) -> None:
        """A loop over what nothing tells: none of its lines is read."""
        for statement in [part for one in body for part in ast.walk(one)]:
            if isinstance(statement, ast.Assign | ast.AugAssign):
                targets = getattr(statement, "targets", None) or [statement.target]  # type: ignore[union-attr]
                for target in targets:
                    self._unread(statement, target, self._path_or_none(target), error)

    def _gone_through(self, source: ast.expr) -> Any:
        """What a loop goes through: of a dictionary of parameters, their names."""
        if isinstance(source, ast.Call) and ast.unparse(source.func).endswith(".keys"):
            source = getattr(source.func, "value", source)
        if isinstance(source, ast.Name | ast.Attribute) and last_of(source).lower() in PARAMETERS:
            numbers = range(1, self.quantities.layers + 1)
            kinds = "Wb" if self.quantities.bias == "own" else "W"
            first = self.quantities.naming.first - 1
            return [f"{kind}{number + first}" for number in numbers for kind in kinds]
        return self.of(source)

    def _loop(self, target: ast.expr, source: Any, body: list[ast.stmt]) -> Returned | None:
        """Round after round, as long as one differs from the one before it."""
        long = isinstance(source, range) and functions.rounds(source) > MOST_LOOPED
        before: list[Store] = []
        items = source if long else self.listed(source)
        over_examples = not long and self._goes_over_examples(target, items, body)
        outer = self.example
        for number, item in enumerate(items):
            if number >= MOST_LOOPED:
                raise TooMuchError(f"a loop of more than {MOST_LOOPED:,} rounds.", ONE_ROUND)
            self.bind(target, item)
            first = len(self.stores)
            self.example = number if over_examples else outer
            try:
                returned = self.block(body)
            except TooMuchError as error:
                error.instead = ONE_ROUND
                raise
            finally:
                self.example = outer
            if returned is not None:
                return returned
            stored = self.stores[first:]
            if self._trains(target, item, body) or (long and _alike(before, stored)):
                break
            before = stored
        return None

    def _goes_over_examples(self, target: ast.expr, items: Any, body: list[ast.stmt]) -> bool:
        """for x, y in zip(X, Y), or for i in range(m) with X[i] or X[:, i] in its lines."""
        quantities = self.quantities
        if self.quiet or quantities.layout.one or len(items) != quantities.examples:
            return False
        first = items[0] if isinstance(items[0], tuple | list) else [items[0]]
        found = any(quantities.is_example(one, 0) for one in first)
        if not found:
            own = _names(target)
            places = [n for one in body for n in ast.walk(one) if isinstance(n, ast.Subscript)]
            found = any(own & _names(n.slice) and self._is_batch(n.value) for n in places)
        quantities.by_example |= found
        return found

    def _is_batch(self, node: ast.expr) -> bool:
        """Whether a name is that of the inputs or of the labels."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        kept = list(self.reads), set(self.knows), dict(self.unknown)
        try:
            value = self.of(node)
        except (NotReadError, ShapesError):
            return False
        finally:
            self.reads, self.knows, self.unknown = kept
        return any(
            isinstance(value, np.ndarray) and np.array_equal(value, self.quantities.value(name))
            for name in ("x", "y")
        )

    def _trains(self, target: ast.expr, item: Any, body: list[ast.stmt]) -> bool:
        """Whether each round of a loop gives the same parameters new values: one is judged."""
        own, here = _names(target), self.scope.number
        if any(scope == here and not own & _names(of) for of, scope in self.updated.values()):
            return True
        if all(scope == here for _, scope in self.updated.values()):
            return False
        places = [n for one in body for n in ast.walk(one) if isinstance(n, ast.Subscript)]
        parts = item if isinstance(item, tuple | list) else [item]
        of_layers = any(isinstance(part, Instance) for part in parts)
        return not of_layers and not any(own & _names(place) for place in places)

    def _test(self, test: ast.expr) -> bool:
        try:
            return self.truth(test)
        except (NotReadError, ShapesError):
            return True

    def _append(self, base: ast.expr, item: ast.expr) -> None:
        self._fresh()
        try:
            source, value = self.of(base), self.of(item)
        except (NotReadError, ShapesError):
            return
        if isinstance(source, list):
            source.append(value)

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
        source.insert(0, store.value)

    def _reverse(self, base: ast.expr) -> None:
        value = self.of(base)
        if not isinstance(value, list):
            raise NotReadError("reverse() of what is no list")
        value.reverse()

    def _is_of_text(self, call: ast.Call) -> bool:
        word = called(call)
        return word in self.helpers or any(word in of.methods for of in self.classes.values())

    def _run(self, call: ast.Call) -> None:
        """layer.backward(d): what it gives back is not kept."""
        self._fresh()
        try:
            self.of(call)
        except (NotReadError, ShapesError):
            if self.quiet:
                raise

    def _return(self, statement: ast.Return) -> Returned:
        value = statement.value
        if not self.depth:
            for part in _parts(value):
                self._returned(part)
            return ("end",)
        if value is None:
            return (None,)
        if self.quiet or isinstance(value, ast.Dict):
            return (self.of(value),)
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        given, read = [], []
        for number, part in enumerate(parts):
            self._fresh()
            given.append(self._handed_out(statement, part, number, len(parts)))
            read += self.reads
        self.reads = read
        return (tuple(given) if isinstance(value, ast.Tuple) else given[0],)

    def _handed_out(self, statement: ast.Return, part: ast.expr, number: int, count: int) -> Any:
        """One of the values that a function returns: a store, where it is computed there."""
        kind, error, found = PLAIN, "", None
        try:
            found = self.of(part)
        except ShapesError as broken:
            kind, error = BREAK, str(broken)
        except NotReadError:
            if not any(s.kind == BREAK and s.calls == self.scope.calls for s in self.stores):
                raise
            return None  # what numpy refuses is named at its own line
        if kind == PLAIN and (is_place(part) or not isinstance(found, np.ndarray)):
            return found
        path = f"{self.scope.function}()" + f"[{number}]" * (count > 1)
        store = Store(part.lineno, path, found, statement, self.reads, self.knows, kind)
        store.error = error
        if number == 0:
            store.place = goal_of_return(self.scope, self.quantities)
        self._put(store)
        self.reads = [len(self.stores) - 1]
        return store.value


def _parts(value: ast.expr | None) -> list[ast.expr]:
    """What is handed out together: (dW1, db1), [dW1, db1], {"W1": dW1, "b1": db1}."""
    match value:
        case ast.Tuple(elts) | ast.List(elts):
            return elts
        case ast.Dict(values=values):
            return values
    return [] if value is None else [value]


def _alike(first: list[Store], second: list[Store]) -> bool:
    """Whether two rounds of a loop store the same under the same names."""
    if len(first) != len(second):
        return False
    pairs = zip(first, second, strict=True)
    return all(a.path == b.path and np.array_equal(a.value, b.value) for a, b in pairs)


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
