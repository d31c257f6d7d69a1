"""A text walked statement by statement: loops and helpers unrolled into one list of stores."""

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity, list_kind
from . import functions
from .limits import MOST_LOOPED, ONE_ROUND, NotReadError, ShapesError, TooMuchError, shown
from .parsing import Parsed
from .quantities import Quantities
from .store import ADDED, BREAK, MASKED, PLAIN, UNREAD, Store
from .updates import Updates, product

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
OF_OPTIMISER = re.compile(  # cache['W1'], self.v['b2'], velocity[0]
    r"(?:\w+\.)*(?:cache|[vms]|vel|velocit\w*|momentum\w*|moments?|mem\w*|rms\w*|history)\[",
    re.IGNORECASE,
)
RATES = re.compile(r"lr|eta|alpha|rate|step")
Returned = tuple[Any, ...]


class _EnoughError(Exception):
    """The last store that is asked for has been made."""


class Walk(Updates):
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
    ) -> None:
        super().__init__(quantities, helpers)
        self.mended, self.instead = mended or {}, instead or {}
        self.computed = computed
        self.last = last
        self.example: int | None = None  # whose round of a loop over the examples it is

    def text(self, parsed: Parsed) -> "Walk":
        """The forward function first, of which only attributes are left, then the backward one."""
        try:
            self.block(parsed.forward)
            for path in [p for p in self.stored if not p.startswith("self.")]:
                del self.stored[path]
            self.block(parsed.body)
        except _EnoughError:
            pass
        except RecursionError:
            raise TooMuchError("its functions call each other without end.") from None
        return self

    def block(self, body: Iterable[ast.stmt]) -> Returned | None:
        """Walk statements; what a return gives, or None."""
        for statement in body:
            try:
                returned = self._statement(self.instead.get(id(statement), statement))
            except (NotReadError, TooMuchError) as error:
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
            case ast.Return(value=value):
                return self._return(value)
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
        if isinstance(source, ast.Name | ast.Attribute) and _last(source).lower() in PARAMETERS:
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
            if self._trains(target) or (long and _alike(before, stored)):
                break
            before = stored
        return None

    def _goes_over_examples(self, target: ast.expr, items: Any, body: list[ast.stmt]) -> bool:
        """for x, y in zip(X, Y), or for i in range(m) with X[i] or X[:, i] in its lines."""
        quantities = self.quantities
        if self.depth or quantities.layout.one or len(items) != quantities.examples:
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

    def _trains(self, target: ast.expr) -> bool:
        """Whether each round of a loop gives the same parameters new values: one is judged."""
        own = _names(target)
        return any(not own & _names(updated) for updated in self.updated.values())

    def _test(self, test: ast.expr) -> bool:
        try:
            return self.truth(test)
        except (NotReadError, ShapesError):
            return True

    def _append(self, base: ast.expr, item: ast.expr) -> None:
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

    def _return(self, value: ast.expr | None) -> Returned:
        if not self.depth:
            for part in value.elts if isinstance(value, ast.Tuple) else [value]:
                self._returned(part)
            return ("end",)
        return (self.of(value) if value is not None else None,)

    def _returned(self, part: ast.expr | None) -> None:
        """return dW1 / m hands out what dW1 = dW1 / m would store."""
        match part:
            case ast.BinOp(left=ast.Name(id=name) as left, op=ast.Div()):
                goal = self.quantities.goal_of(name)
                if name in self.stored and goal and goal.is_parameter_gradient:
                    target = ast.copy_location(ast.Name(id=name, ctx=ast.Store()), left)
                    one = ast.copy_location(ast.Assign(targets=[target], value=part), part)
                    self._assign(one, target, part)

    # ---------------------------------------------------------------- stores

    def _assign(self, statement: ast.stmt, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            self._unpack(statement, target, value)
            return
        self._fresh()
        if isinstance(target, ast.Name) and isinstance(value, ast.Dict) and value.keys:
            self._dictionary(statement, target, value)
            return
        path = self._path_or_none(target)
        if self.quantities.is_of_dropout(_last(target)):
            return
        if path and self._is_carried(path, value):
            self._carried(statement, path)
            return
        gradient = self.quantities.parameter(path)
        if (
            gradient
            and isinstance(value, ast.BinOp)
            and isinstance(value.op, ast.Sub | ast.Add)
            and (ast.unparse(target) == ast.unparse(value.left) or self._holds(value.left, path))
        ):
            self._update(statement, target, isinstance(value.op, ast.Add), value.right)
            return
        if gradient and (decay := self._decayed(value, path)):
            self._update(statement, target, *decay)
            return
        if isinstance(value, ast.ListComp) and self._updates_list(statement, target, value):
            return
        try:
            found = self.of(value)
        except ShapesError as error:
            self._store(statement, target, None, BREAK, str(error))
        except NotReadError as error:
            if path and path not in self.stored and path in _paths(value):
                self._carried(statement, path)
            else:
                self._unread(statement, target, path, error)
        else:
            self._store_or_not(statement, target, path, found, PLAIN)

    def _is_carried(self, path: str, value: ast.expr) -> bool:
        """cache['W1'] = decay * cache['W1'] + …: the mean that an optimiser keeps."""
        if path in self.stored or not OF_OPTIMISER.match(path):
            return False
        return any(
            self._path_or_none(part) == path
            for part in ast.walk(value)
            if isinstance(part, ast.Name | ast.Attribute | ast.Subscript)
        )

    def _carried(self, statement: ast.stmt, path: str) -> None:
        """What an optimiser carries from step to step: its value is not known, nor judged."""
        self.unknown = {name: n for name, n in self.unknown.items() if n != statement.lineno}
        store = Store(statement.lineno, path, None, statement, self.reads, self.knows, UNREAD)
        store.error, store.carried = "what it was before this step", True
        self._put(store, path)

    def _store_or_not(
        self, statement: ast.stmt, target: ast.expr, path: str | None, value: Any, kind: str
    ) -> None:
        """A store whose place may be one that is not read, as the mask of an array that is not."""
        try:
            self._store(statement, target, value, kind)
        except NotReadError as error:
            if path is None and isinstance(target, ast.Subscript):
                path = self._path_or_none(target.value)
            self._unread(statement, target, path, error)

    def _dictionary(self, statement: ast.stmt, target: ast.Name, value: ast.Dict) -> None:
        """grads = {"dW1": dW1, …}: each entry is a store of its own."""
        self.stored[target.id] = {}
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                entry = ast.Subscript(value=target, slice=key, ctx=ast.Store())
                ast.copy_location(entry, item)
                one = ast.copy_location(ast.Assign(targets=[entry], value=item), item)
                goal = self.quantities.goal_of(f"{target.id}[{key.value!r}]")
                says_more = goal and goal.kind == "gradient" and isinstance(item, ast.Name)
                if not isinstance(item, ast.Name) or (
                    says_more and self.quantities.goal_of(item.id) != goal
                ):
                    self._assign(one, entry, item)
                elif item.id in self.stored:
                    self.stored[f"{target.id}[{key.value!r}]"] = self.stored[item.id]

    def _unpack(self, statement: ast.stmt, target: ast.Tuple | ast.List, value: ast.expr) -> None:
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            for name, part in zip(target.elts, value.elts, strict=True):
                self._assign(statement, name, part)
            return
        self._fresh()
        try:
            whole = self.of(value)
        except NotReadError:
            whole = None
        if isinstance(whole, tuple | list) and len(whole) == len(target.elts):
            for name, part in zip(target.elts, whole, strict=True):
                self._store(statement, name, part)
            return
        of_keys = isinstance(value, ast.GeneratorExp | ast.ListComp)
        if not (of_keys or isinstance(value, ast.Name | ast.Attribute | ast.Call | ast.Subscript)):
            raise NotReadError(shown(ast.unparse(value)))
        # W1, W2 = model: each by its own name, when it is read
        self.unknown.clear()

    def _unread(
        self, statement: ast.stmt, target: ast.expr, path: str | None, error: NotReadError
    ) -> None:
        if self.depth:
            raise error
        if path is not None:
            store = Store(statement.lineno, path, None, statement, self.reads, self.knows, UNREAD)
            store.error = str(error)
            self._put(store, path)

    def _augment(
        self, statement: ast.stmt, target: ast.expr, op: ast.operator, value: ast.expr
    ) -> None:
        path = None if _is_mask(target) else self._path_or_none(target)
        if path and path not in self.stored:
            counter = isinstance(value, ast.Constant) and isinstance(op, ast.Add)
            if counter and not isinstance(target, ast.Subscript):
                return  # self.t += 1 counts steps
            if OF_OPTIMISER.match(path) and self.depth == 0:
                self._carried(statement, path)
                return
        kept = path not in self.stored or path in self.updated or self._holds(target, path)
        of_parameter = path and kept and self.quantities.parameter(path)
        if of_parameter and isinstance(op, ast.Add | ast.Sub):
            self._update(statement, target, isinstance(op, ast.Add), value)
            return
        times = product(target, value)
        if of_parameter and isinstance(op, ast.Mult) and (decay := self._decayed(times, path)):
            self._update(statement, target, *decay)
            return
        left = ast.parse(ast.unparse(target), mode="eval").body
        whole = ast.copy_location(ast.BinOp(left=left, op=op, right=value), statement)
        ast.fix_missing_locations(whole)
        self._fresh()
        try:
            found = self.of(whole)
        except ShapesError as error:
            self._store(statement, target, None, BREAK, str(error))
        except NotReadError as error:
            if self.depth or not RATES.search(ast.unparse(value)):
                self._unread(statement, target, path, error)
        else:
            self._store_or_not(statement, target, path, found, ADDED)

    def _store(
        self, statement: ast.stmt, target: ast.expr, value: Any, kind: str = PLAIN, error: str = ""
    ) -> None:
        path = None
        place = None
        if isinstance(target, ast.Subscript):
            if _is_mask(target):
                self._masked(statement, target, value, kind, error)
                return
            base = self._base(target.value)
            if isinstance(base, np.ndarray):
                self._masked(statement, target, value, kind, error)
                return
            key = self._key(target.slice)
            if isinstance(base, list) and isinstance(key, int):
                name = self._path_or_none(target.value)
                place = self.quantities.slot(base, key, name)
                store = Store(
                    statement.lineno,
                    f"{name}[{key}]",
                    value,
                    statement,
                    self.reads,
                    self.knows,
                    kind,
                )
                store.place, store.error = place, error
                self._put(store)
                try:
                    base[key] = store.value
                except IndexError:
                    store.kind, store.error = BREAK, f"the list has {len(base)} entries"
                return
        path = self._path_or_none(target)
        if path is None:
            raise NotReadError("where it is stored")
        store = Store(statement.lineno, path, value, statement, self.reads, self.knows, kind)
        store.error = error
        self._put(store, path)

    def _masked(
        self, statement: ast.stmt, target: ast.Subscript, value: Any, kind: str, error: str
    ) -> None:
        """dz[z <= 0] = 0 and d[range(m), y] -= 1 store the whole array anew."""
        path = self._path_or_none(target.value)
        try:
            array = np.array(functions.number_like(self.of(target.value)), float)
            index = self.index(target.slice)
            if kind != BREAK:
                array[index] = value
        except (IndexError, ValueError, TypeError, ShapesError) as broken:
            kind, error = BREAK, str(broken)
        store = Store(statement.lineno, path or "?", None, statement, self.reads, self.knows)
        store.kind = BREAK if kind == BREAK else MASKED
        store.value, store.error = (None if kind == BREAK else array), error
        self._put(store, path)

    def _put(self, store: Store, path: str | None = None) -> None:
        number = len(self.stores)
        store.example = self.example
        if store.kind == PLAIN and self.quantities.goal(store) and not _is_numeric(store.value):
            store.kind, store.error = UNREAD, "what is no array"
        if self.depth == 0:
            if (
                store.kind == UNREAD and not store.carried
            ):  # its right value goes on, so that later lines are read
                goal = self.quantities.goal(store)
                store.value = self.quantities.known[goal] if goal else None
            if number in self.mended:
                store.value = self.mended[number]
                store.kind = PLAIN if store.kind == BREAK else store.kind
                store.error = store.error if store.kind == UNREAD else ""
            self.stores.append(store)
            if number == self.last:
                raise _EnoughError
        if path:
            self.stored[path] = store.value
            if self.depth == 0:
                self.maker[path] = number


def _alike(first: list[Store], second: list[Store]) -> bool:
    """Whether two rounds of a loop store the same under the same names."""
    if len(first) != len(second):
        return False
    pairs = zip(first, second, strict=True)
    return all(a.path == b.path and np.array_equal(a.value, b.value) for a, b in pairs)


def _is_numeric(value: Any) -> bool:
    """None counts: it keeps a place for what comes later."""
    return value is None or isinstance(value, bool | int | float | np.ndarray | np.generic)


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _is_place(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def _paths(node: ast.expr) -> set[str]:
    return {ast.unparse(part) for part in ast.walk(node) if _is_place(part)}


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _is_mask(target: ast.expr) -> bool:
    if not isinstance(target, ast.Subscript):
        return False
    key = target.slice
    if isinstance(key, ast.BinOp):
        return isinstance(key.op, ast.BitAnd | ast.BitOr)
    return isinstance(key, ast.Compare | ast.Tuple | ast.Slice)
