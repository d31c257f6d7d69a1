"""Stores of a walk: what = puts under a name, of masks, lists, dictionaries and tuples, too."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity, is_numbered, is_penalty, list_kind, words
from . import functions
from .classes import back_called_in, called
from .expressions import Alias, Slots
from .laid_out import LayerCache
from .limits import NotReadError, ShapesError, shown
from .scope import Instance, Scope, local_goal, value_of_layer, value_that_it_is
from .store import ADDED, BREAK, MASKED, PLAIN, UNREAD, UPDATE, Store
from .updates import Updates, product

OF_OPTIMISER = re.compile(  # cache['W1'], self.v['b2'], velocity[0]
    r"(?:\w+\.)*(?:(?:cache|[vms]|vel|velocit\w*|momentum\w*|moments?|mem\w*|rms\w*|history)\["
    r"|(?:[vms]|mem|cache)_?d?[wbuv](?:[xhyzfiocg]{1,2}|\d)?\Z)",
    re.IGNORECASE,
)
STARTS = words(
    "zeros ones full empty randn rand normal standard_normal uniform random random_sample"
)
BAGS = {"params", "parameters", "model", "weights"}
OF_TWO_NAMES = BAGS | {"grads", "gradients"}
KEPT_WITH = re.compile(r"(\w+)\.(?:g|grad)")  # W2.g: the derivative is kept with the array
RATES = re.compile(r"lr|eta|alpha|rate|step")


class EnoughError(Exception):
    """The last store that is asked for has been made."""


@dataclass(frozen=True)
class State:
    """The names before a store, and the call and the round of a loop in which it stands."""

    stored: dict[str, Any]
    scope: Scope
    example: int | None
    depth: int
    time: int | None = None


class Assignments(Updates):
    """Expressions, calls and updates, with the statements that store a value under a name."""

    keeps = False  # the states before the stores
    states: list[State]
    mended: Mapping[int, Any]
    last: int | None
    example: int | None
    time: int | None

    def _assign(self, statement: ast.stmt, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            self._unpack(statement, target, value)
            return
        self._fresh()
        if isinstance(target, ast.Name) and self._is_another_name(target, value):
            return
        if (
            isinstance(target, ast.Name | ast.Attribute)
            and isinstance(value, ast.Dict)
            and value.keys
        ):
            self._dictionary(statement, target, value)
            return
        if isinstance(target, ast.Name) and isinstance(value, ast.List):
            for part in value.elts:
                self._returned(part)  # grads = [dW1 / m, db1 / m]
        path = self._path_or_none(target)
        if self.quantities.is_of_dropout(last_of(target)) or _names_a_penalty(target, value):
            return
        if path and self._is_carried(path, value):
            self._carried(statement, path)
            return
        gradient = self.parameter(path)
        is_start = self.lenient or self._is_start(value)
        if is_start and gradient and path and not path.startswith("#"):
            return  # what a parameter starts from is the run's
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
        if isinstance(value, ast.ListComp) and (
            self._updates_list(statement, target, value) or self._fills_list(statement, path, value)
        ):
            return
        if self._is_bare_cache(target, value):
            return
        try:
            found = self.of(value)
        except ShapesError as error:
            self._store(statement, target, None, BREAK, str(error))
        except NotReadError as error:
            if path and path not in self.stored and path in paths_in(value):
                self._carried(statement, path)
            else:
                self._unread(statement, target, path, error)
        else:
            self._store_or_not(statement, target, path, found, PLAIN)

    def _is_another_name(self, target: ast.Name, value: ast.expr) -> bool:
        """p = self.params: what is read and stored under p from here on is the dictionary's."""
        if isinstance(self.stored.get(target.id), Alias):
            del self.stored[target.id]
        if not isinstance(value, ast.Name | ast.Attribute):
            return False
        place = self.meant(value)
        word, path = last_of(place).lower(), self._path_or_none(place)
        held = self.stored.get(path or "")
        if (
            path is None
            or path == target.id
            or not (word in OF_TWO_NAMES or isinstance(held, dict))
        ):
            return False
        if isinstance(held, np.ndarray | list | tuple) or self.instance(place) is not None:
            return False
        self.stored[target.id] = Alias(place)
        self.maker.pop(target.id, None)
        return True

    def _is_start(self, value: ast.expr) -> bool:
        """np.zeros((4, 1)), rng.normal(size=(4, 3)) * 0.01: made of no array of the text."""
        made = {called(part) for part in ast.walk(value) if isinstance(part, ast.Call)}
        if not made & STARTS:
            return False
        held = (self.stored.get(path) for path in paths_in(value))
        return not any(isinstance(each, np.ndarray) and each.ndim for each in held)

    def _returned(self, part: ast.expr) -> None:
        """return dW1 / m hands out what dW1 = dW1 / m would store."""
        match part:
            case ast.BinOp(left=ast.Name(id=name) as left, op=ast.Div()):
                goal = self.quantities.goal_of(name)
                if name in self.stored and goal and goal.is_parameter_gradient:
                    target = ast.copy_location(ast.Name(id=name, ctx=ast.Store()), left)
                    one = ast.copy_location(ast.Assign(targets=[target], value=part), part)
                    self._assign(one, target, part)

    def _fills_list(self, statement: ast.stmt, path: str | None, value: ast.ListComp) -> bool:
        """nabla_w = [nw + dnw for nw, dnw in zip(…)]: each entry is a store of its own."""
        each, kind = value.generators[0], list_kind(path or "")
        if kind is None or len(value.generators) > 1 or each.ifs:
            return False
        items = self.listed(self.of(each.iter))
        if len(items) != self.quantities.layers:
            return False
        found = Slots()
        found.kind = kind
        for number, item in enumerate(items):
            self.bind(each.target, item)
            self._fresh()
            of, line = f"{path}[{number}]", statement.lineno
            store = Store(line, of, None, statement, self.reads, self.knows)
            store.place = self.quantities.slot(items, number, path)
            try:
                store.value = self.of(value.elt)
            except ShapesError as error:
                store.kind, store.error = BREAK, str(error)
            except NotReadError as error:
                store.kind, store.error = UNREAD, str(error)
            store.reads, store.knows = self.reads, self.knows
            if isinstance(store.value, np.ndarray) and not store.value.any():
                found.append(store.value)  # what a sum starts from
                continue
            self._put(store)
            found.append(store.value)
        self.stored[path or ""] = found
        self.maker.pop(path or "", None)
        return True

    def _is_bare_cache(self, target: ast.expr, value: ast.expr) -> bool:
        """Z = cache, where nothing says what the cache is: Z is read by its own name."""
        if not (isinstance(value, ast.Name) and isinstance(target, ast.Name)):
            return False
        if value.id in self.stored or "cache" not in value.id:
            return False
        return value_of_layer(target.id, self.scope, self.quantities) is not None

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

    def _dictionary(
        self, statement: ast.stmt, target: ast.Name | ast.Attribute, value: ast.Dict
    ) -> None:
        """grads = {"dW1": dW1, …}: each entry is a store of its own."""
        name = self._path_or_none(target)
        if name is None:
            raise NotReadError("where it is stored")
        self.stored[name] = whole = {}
        for part, item in zip(value.keys, value.values, strict=True):
            key = None if part is None else self._key(part)
            if part is not None and key is not None:
                entry = ast.Subscript(value=target, slice=part, ctx=ast.Store())
                ast.copy_location(entry, item)
                one = ast.copy_location(ast.Assign(targets=[entry], value=item), item)
                path = f"{name}[{key!r}]"
                goal = self.quantities.goal_of(path)
                says_more = goal and goal.kind == "gradient" and isinstance(item, ast.Name)
                if not isinstance(item, ast.Name) or (
                    says_more and self.quantities.goal_of(item.id) != goal
                ):
                    self._assign(one, entry, item)
                elif (held := self._held_under(item)) is not None:
                    self.stored[path] = held
                if self.stored.get(path) is not None:
                    whole[key] = self.stored[path]

    def _held_under(self, name: ast.Name) -> Any:
        """What a name stands for, where the text has stored it or it tells."""
        if name.id in self.stored:
            return self.stored[name.id]
        kept = list(self.reads), set(self.knows), dict(self.unknown)
        try:
            return self.of(name)
        except (NotReadError, ShapesError):
            return None
        finally:
            self.reads, self.knows, self.unknown = kept

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
        if isinstance(whole, LayerCache):
            whole = self._by_their_names(target, whole) or whole
        if isinstance(whole, tuple | list) and len(whole) == len(target.elts):
            reads, knows = self.reads, self.knows
            for name, part in zip(target.elts, whole, strict=True):
                self.reads, self.knows = self.makers_of(part) or list(reads), set(knows)
                if part is None:  # what it is computed from breaks inside of the call
                    error = NotReadError("what breaks inside of it")
                    self._unread(statement, name, self._path_or_none(name), error)
                    continue
                self._store_or_not(statement, name, self._path_or_none(name), part, PLAIN)
            return
        of_keys = isinstance(value, ast.GeneratorExp | ast.ListComp)
        if not (of_keys or isinstance(value, ast.Name | ast.Attribute | ast.Call | ast.Subscript)):
            raise NotReadError(shown(ast.unparse(value)))
        # W1, W2 = model: each by its own name, when it is read
        self.unknown.clear()
        if isinstance(value, ast.Call) and called(value) not in self.helpers:
            named = {part.id for part in target.elts if isinstance(part, ast.Name)}
            handed = sorted(named & self.computed)
            if handed and back_called_in(value):
                self.computed -= named
                self.quantities.taken_for[called(value)] = f"what gives {', '.join(handed)}"

    def _by_their_names(
        self, target: ast.Tuple | ast.List, cache: LayerCache
    ) -> list[np.ndarray] | None:
        """A_prev, Z = caches[l]: the values of the layer, where every name says which it is."""
        of = Scope(layer=cache.layer, of_network=False)
        behind = replace(of, of_activation=True)
        each = [self._of_cached(last_of(name), of, behind) for name in target.elts]
        found = [value for value in each if value is not None]
        return found if len(found) == len(each) else None

    def _of_cached(self, word: str, of: Scope, behind: Scope) -> np.ndarray | None:
        """A_prev is what comes into the layer, A what goes out of it."""
        value = value_of_layer(word, of, self.quantities)
        if value is None and "cache" not in word:
            value = value_of_layer(word, behind, self.quantities)
        return value

    def _unread(
        self, statement: ast.stmt, target: ast.expr, path: str | None, error: NotReadError
    ) -> None:
        if self.quiet:
            raise error
        self.leaves_back_out(statement, str(error))
        if path is None and is_entry_of_parameters(target):
            self.unread_steps.setdefault(statement.lineno, str(error))
        if path is not None:
            store = Store(statement.lineno, path, None, statement, self.reads, self.knows, UNREAD)
            store.error = str(error)
            goal = self.quantities.goal_of(path)
            if goal and goal.kind == "value" and goal.of[0] in "Wb":
                # a parameter cut from theta is what its name says: nothing is to be asked
                self.unknown = {n: at for n, at in self.unknown.items() if at != statement.lineno}
            self._put(store, path)

    def leaves_back_out(self, statement: ast.stmt, why: str) -> None:
        """A line that is not read, where it calls a backward: what that computes is not judged."""
        if back_called_in(statement) and not self.lenient:
            self.unread_back.setdefault(statement.lineno, why)

    def _augment(
        self, statement: ast.stmt, target: ast.expr, op: ast.operator, value: ast.expr
    ) -> None:
        path = None if is_mask(target) else self._path_or_none(target)
        if path and path not in self.stored:
            counter = isinstance(value, ast.Constant) and isinstance(op, ast.Add)
            if counter and not isinstance(target, ast.Subscript):
                return  # self.t += 1 counts steps
            if OF_OPTIMISER.match(path) and not self.quiet:
                self._carried(statement, path)
                return
        kept = path not in self.stored or path in self.updated or self._holds(target, path)
        of_parameter = path and kept and self.parameter(path)
        if of_parameter and isinstance(op, ast.Add | ast.Sub):
            self._update(statement, target, isinstance(op, ast.Add), value)
            return
        times = product(target, value)
        if of_parameter and isinstance(op, ast.Mult) and (decay := self._decayed(times, path)):
            self._update(statement, target, *decay)
            return
        whole = _read_and_changed(statement, target, op, value)
        self._fresh()
        try:
            found = self.of(whole)
        except ShapesError as error:
            self._store(statement, target, None, BREAK, str(error))
        except NotReadError as error:
            if self.quiet or not RATES.search(ast.unparse(value)):
                self._unread(statement, target, path, error)
        else:
            self._store_or_not(statement, target, path, found, ADDED)

    def _store(
        self, statement: ast.stmt, target: ast.expr, value: Any, kind: str = PLAIN, error: str = ""
    ) -> None:
        path = None
        place = None
        if isinstance(target, ast.Subscript):
            if is_mask(target):
                self._masked(statement, target, value, kind, error)
                return
            base = self._base(target.value)
            if isinstance(base, np.ndarray):
                self._masked(statement, target, value, kind, error)
                return
            key = self._key(target.slice)
            if isinstance(base, dict) and isinstance(key, str):
                base[key] = value
            if isinstance(base, list) and isinstance(key, int):
                base = self._to_be_changed(target.value, base)
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

    def _to_be_changed(self, node: ast.expr, found: list[Any]) -> list[Any]:
        """A list of the text; of one that is the run's a copy, which the name means from here."""
        path = self._path_or_none(node)
        if path is None or self.quantities.kind_of_list(found) is None:
            return found
        self.stored[path] = list(found)
        own: list[Any] = self.stored[path]
        return own

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
        store.example, store.time = self.example, self.time
        if not self.quiet:
            self._place_in_its_call(store)
        if store.place is None and (kept := KEPT_WITH.fullmatch(store.path)):
            held = value_that_it_is(self.stored.get(kept[1]), self.quantities)
            store.place = Quantity("gradient", held.of) if held else None
        told = _is_numeric(store.value) or isinstance(store.value, Instance)
        if store.kind == PLAIN and self.quantities.goal(store) and not told:
            store.kind, store.error = UNREAD, "what is no array"
        if not self.quiet:
            if (
                store.kind == UNREAD and not store.carried
            ):  # its right value goes on, so that later lines are read
                goal = self.quantities.goal(store)
                store.value = self.quantities.known[goal] if goal else None
                if goal is None:
                    store.value = self.quantities.size_named(store.path)
            if self.keeps:
                self.states.append(self._state())
            if number in self.mended:
                store.value = self.mended[number]
                store.kind = PLAIN if store.kind == BREAK else store.kind
                store.error = store.error if store.kind == UNREAD else ""
            self.stores.append(store)
            if number == self.last:
                raise EnoughError
        if path:
            self.stored[path] = store.value
            if not self.quiet:
                self.maker[path] = (number,)

    def _names_the_network(self, path: str) -> bool:
        """Whether a name within a call is one of the network's: the output, no x, no dx."""
        goal = self.quantities.goal_of(path)
        return goal is None or (goal.kind == "value" and goal.of not in ("x", "y"))

    def _state(self) -> State:
        """What a statement finds, to try another one in its place."""
        stored = {p: list(v) if type(v) is list else v for p, v in self.stored.items()}
        return State(stored, self.scope, self.example, self.depth, self.time)

    def _place_in_its_call(self, store: Store) -> None:
        """Where a store inside of a function stands, and what its name says there."""
        scope = self.scope
        store.calls = scope.calls
        store.holder = 0 if store.path.startswith(("#", "self.")) else scope.number
        if not scope.number and not store.path.startswith("#"):
            return
        lead = scope.instance.path("") if scope.instance else "#"
        for path, value in self.stored.items():
            if isinstance(value, np.ndarray) and (path.startswith(lead) or path[0] != "#"):
                store.visible[path.replace(lead, "self.")] = value
        said = self.quantities.goal_of(store.path) if is_numbered(store.path) else None
        if scope.of_network and (said or self._names_the_network(store.path)):
            return
        store.is_local = True
        if store.place is None and store.kind != UPDATE:
            store.place = local_goal(store.path, scope, self.stored, self.quantities)
        if store.place is None and said and said.is_parameter_gradient:
            store.place = said


@lru_cache(maxsize=512)
def _read_and_changed(
    statement: ast.stmt, target: ast.expr, op: ast.operator, value: ast.expr
) -> ast.BinOp:
    """target + value of target += value."""
    left = ast.parse(ast.unparse(target), mode="eval").body
    whole = ast.copy_location(ast.BinOp(left=left, op=op, right=value), statement)
    return ast.fix_missing_locations(whole)


def _names_a_penalty(target: ast.expr, value: ast.expr) -> bool:
    """reg = 1e-3: the name goes on to stand for any number, so that what it adds can be told."""
    return (
        isinstance(target, ast.Name) and isinstance(value, ast.Constant) and is_penalty(target.id)
    )


def _is_numeric(value: Any) -> bool:
    """None counts: it keeps a place for what comes later."""
    return value is None or isinstance(value, bool | int | float | np.ndarray | np.generic)


def is_entry_of_parameters(target: ast.expr) -> bool:
    """params[k], whatever k is."""
    if not isinstance(target, ast.Subscript) or not isinstance(
        target.value, ast.Name | ast.Attribute
    ):
        return False
    return last_of(target.value).lower() in BAGS


def last_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def is_place(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def paths_in(node: ast.expr) -> set[str]:
    return {ast.unparse(part) for part in ast.walk(node) if is_place(part)}


def is_mask(target: ast.expr) -> bool:
    if not isinstance(target, ast.Subscript):
        return False
    key = target.slice
    if isinstance(key, ast.BinOp):
        return isinstance(key.op, ast.BitAnd | ast.BitOr)
    return isinstance(key, ast.Compare | ast.Tuple | ast.Slice)
