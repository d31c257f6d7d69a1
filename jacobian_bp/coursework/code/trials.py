"""Walks of one text with right values put in, or with other statements: what would come of it."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity, derivative_of
from .limits import Budget, NotReadError, ShapesError
from .parsing import Parsed
from .quantities import Quantities
from .resuming import Checkpoint
from .store import BREAK, UNREAD, UPDATE, Store
from .trace import Trace, near
from .walk import Walk

ENTRIES_A_STEP = 1_000
MARGIN = 1e-6  # of what a penalty adds


@dataclass
class _Walked:
    """A walk, by what was put in for what, and the checkpoints that it has left."""

    mended: Mapping[int, Any]
    instead: Mapping[int, ast.stmt]
    helpers: dict[str, ast.FunctionDef]
    asked: tuple[bool, bool]  # whether penalties count, whether functions are taken as written
    trace: Trace = field(init=False)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    reached: dict[int, int] = field(default_factory=dict)

    def first_mended(self, other: "_Walked") -> int:
        """The first store for which one of the two puts another value in."""
        ours, theirs = self.mended, other.mended
        differ = [n for n in {*ours, *theirs} if ours.get(n) is not theirs.get(n)]
        return min(differ, default=len(self.trace.stores))

    def first_instead(self, other: "_Walked") -> int:
        """How many checkpoints there are before the first statement that is another one."""
        ours, theirs = self.instead, other.instead
        differ = [key for key in {*ours, *theirs} if ours.get(key) is not theirs.get(key)]
        every = len(self.checkpoints)
        return min((self.reached.get(key, every) for key in differ), default=every)

    def go_on_from(self, before: "_Walked", start: Checkpoint) -> None:
        """Puts what stands before the checkpoint, from the walk before, in front of its own."""
        own = before.checkpoints.index(start)
        self.checkpoints = before.checkpoints[:own] + self.checkpoints
        kept = {key: n for key, n in before.reached.items() if n <= own}
        self.reached = {key: n + own for key, n in self.reached.items()} | kept


class Trials:
    """Traces of one text."""

    def __init__(self, parsed: Parsed, quantities: Quantities, budget: Budget) -> None:
        self.parsed, self.quantities, self.budget = parsed, quantities, budget
        self.helpers = dict(parsed.helpers)
        self.swapped: dict[int, ast.stmt] = {}  # statements mended for good, by their id
        self.before: _Walked | None = None  # the last walk that kept its states
        quantities.defaulted = frozenset(parsed.defaults)
        quantities.of_gradients = parsed.of_gradients
        naming, layers = quantities.naming, quantities.layers
        self.computed = frozenset(
            name
            for name in parsed.plain_targets
            if derivative_of(name, naming, layers) and not quantities.is_of_dropout(name)
        ) | frozenset(filter(quantities.holds_gradients, parsed.filled))

    def trace(
        self,
        mended: Mapping[int, Any],
        instead: Mapping[int, ast.stmt] | None = None,
        helpers: dict[str, ast.FunctionDef] | None = None,
        last: int | None = None,
        keeps: bool = False,
    ) -> Trace:
        """One walk, to the store `last`; with the state before each store, where it `keeps` them.

        It starts where it first differs from the last walk that kept its states.
        NotReadError, ShapesError where a statement cannot be walked at all.
        """
        made = _Walked(
            dict(mended),
            {**self.swapped, **(instead or {})},
            self.helpers if helpers is None else helpers,
            (self.quantities.penalised, self.quantities.as_written),
        )
        classes = self.parsed.classes
        walk = Walk(
            self.quantities, made.helpers, mended, made.instead, self.computed, last, classes
        )
        walk.keeps = keeps
        start = self._start(made, last)
        with np.errstate(all="ignore"):
            if start is None or self.before is None:
                walk.text(self.parsed)
            else:
                walk.text(self.parsed, start, self.before.trace)
        self.budget.spend(walk.steps + walk.entries // ENTRIES_A_STEP)
        if not mended:
            self.quantities.walked()
        self.quantities.settle(walk.stores)
        found = Trace(walk.stores, self.quantities, walk.unknown, walk.steps)
        found.states, found.unread_back = walk.states, walk.unread_back
        found.unread_steps = walk.unread_steps
        if keeps:
            made.trace = found
            made.checkpoints, made.reached = walk.checkpoints, walk.reached
            if start is not None and self.before is not None:
                made.go_on_from(self.before, start)
            self.before = made
        return found

    def _start(self, made: "_Walked", last: int | None) -> Checkpoint | None:
        """The last checkpoint before anything that differs from the walk before."""
        before = self.before
        if before is None or made.helpers != before.helpers or made.asked != before.asked:
            return None
        count = min(before.first_mended(made), len(before.trace.stores) if last is None else last)
        place = before.first_instead(made)
        found = [each for each in before.checkpoints[:place] if each.count <= count]
        return found[-1] if found else None

    def alone(
        self, number: int, before: Trace, instead: ast.stmt, put: Mapping[str, Any] | None = None
    ) -> Store | None:
        """The store that another statement makes in the place of this one, if it makes one.

        The state is that of the trace before, with what is `put` under names.
        """
        old, state = before.stores[number], before.states[number]
        if put:
            state = replace(state, stored={**state.stored, **put})
        walk = Walk(
            self.quantities, self.helpers, {}, self.swapped, self.computed, None,
            self.parsed.classes,
        )  # fmt: skip
        with np.errstate(all="ignore"):
            try:
                stores = walk.alone(instead, state)
            except (NotReadError, ShapesError):
                return None
        self.budget.spend(walk.steps + walk.entries // ENTRIES_A_STEP)
        return next((s for s in reversed(stores) if s.path == old.path), None)

    def is_first(self, number: int, before: Trace) -> bool:
        """Whether a statement has not been walked before: another one finds the same state."""
        stores = before.stores
        own = stores[number].statement
        if stores[number].time is not None:
            return bool(before.states)  # what the rounds before it have stored is right
        return bool(before.states) and all(s.statement is not own for s in stores[:number])

    def _cannot_give(
        self,
        number: int,
        goal: Quantity,
        before: Trace,
        instead: ast.stmt,
        allowed: Iterable[float],
    ) -> bool:
        """Whether a statement by itself, in the state that it finds, is surely not its goal."""
        if not self.is_first(number, before):
            return False
        store = self.alone(number, before, instead)
        if store is None or store.kind in (BREAK, UNREAD):
            return True
        if (store.kind == UPDATE) != (before.stores[number].kind == UPDATE):
            return True
        found = before.matching(store.value, goal)
        return found is None or not any(near(found * store.sign, f) for f in allowed)

    def count(self, mended: Mapping[int, Any], beside: Iterable[int] = ()) -> int | None:
        """How many gradients of parameters are right then, but for those of the stores `beside`.

        None where it cannot be walked.
        """
        try:
            right = self.trace(mended).gradients.right
        except (NotReadError, ShapesError):
            return None
        return sum(right[number] for number in right.keys() - set(beside))

    def edited(
        self, before: Trace, number: int, instead: ast.stmt, mended: Mapping[int, Any]
    ) -> Trace | None:
        """The trace with another statement, where it can be walked."""
        if self._breaks(number, before, instead):
            return None
        try:
            return self.trace(mended, {id(before.stores[number].statement): instead})
        except (NotReadError, ShapesError):
            return None

    def gives(
        self,
        number: int,
        goal: Quantity,
        before: Trace,
        mended: Mapping[int, Any],
        *,
        at: int | None = None,
        instead: ast.stmt | None = None,
        helpers: dict[str, ast.FunctionDef] | None = None,
        factor: float | None = None,
    ) -> bool:
        """Whether the store is its goal with another statement at `at`, and nothing else breaks."""
        place = number if at is None else at
        swapped = {id(before.stores[place].statement): instead} if instead is not None else None
        allowed = self._allowed(number, goal, before, factor)
        if instead is not None and place == number:
            if self._cannot_give(number, goal, before, instead, allowed):
                return False
        elif instead is not None and self._breaks(place, before, instead):
            return False
        try:
            trace = self.trace(mended, swapped, helpers, number)
        except (NotReadError, ShapesError):
            return False
        if not unbroken(trace, before, number):
            return False
        store = trace.stores[number]
        if (store.kind == UPDATE) != (before.stores[number].kind == UPDATE):
            return False  # W = lr * dW is no update
        found = trace.matching(store.value, goal)
        if found is None or not any(near(found * store.sign, f) for f in allowed):
            return False
        another = swapped is not None or self.quantities.as_written  # a line inside of a function
        if another and not self._has_the_shape(store.value, goal):
            return False
        if swapped is None or not goal.is_parameter_gradient:
            return True
        return self._penalises(trace, number, goal, mended, swapped, before.stores[place].statement)

    def _has_the_shape(self, value: Any, goal: Quantity) -> bool:
        """Whether a value that is meant fits b: (n, 1) in columns, (1, n) in rows, or (n,)."""
        shape, right = np.shape(value), self.quantities.known[goal].shape
        whole = right if len(right) > 1 else (1, *right)
        return goal.of[0] != "b" or len(shape) < 2 or shape == whole

    def _allowed(
        self, number: int, goal: Quantity, before: Trace, factor: float | None
    ) -> list[float]:
        """How many times its goal a store may be."""
        kept = goal.is_parameter_gradient and not before.draft(number)
        if goal.kind != "gradient":
            return [1.0]
        if kept:
            return [before.gradients.factor]
        return [factor] if factor is not None else before.usual

    def _breaks(self, place: int, before: Trace, instead: ast.stmt) -> bool:
        """Whether numpy refuses another statement in the state that it finds."""
        if not self.is_first(place, before) or before.stores[place].kind == BREAK:
            return False
        store = self.alone(place, before, instead)
        return store is None or store.kind in (BREAK, UNREAD)

    def _penalises(
        self,
        without: Trace,
        number: int,
        goal: Quantity,
        mended: Mapping[int, Any],
        swapped: Mapping[int, ast.stmt],
        written: ast.stmt,
    ) -> bool:
        """Whether what a penalty adds is a multiple of the parameter, where the text has one.

        A walk has next to nothing for the number of a penalty, so that reg for reg * W would
        pass, too. Of a weight whose line had the penalty, it is kept.
        """
        if not self.quantities.penalties:
            return True
        self.quantities.penalised = True
        try:
            value = self.trace(mended, swapped, last=number).stores[number].value
        except (NotReadError, ShapesError):
            return False
        finally:
            self.quantities.penalised = False
        added = np.asarray(value) - np.asarray(without.stores[number].value)
        if not np.abs(added).max() > MARGIN:
            words = {getattr(p, "id", getattr(p, "attr", None)) for p in ast.walk(written)}
            return goal.of[0] == "b" or not words & self.quantities.penalties
        times = penalised(added, goal.of, self.quantities)
        return times is not None and times * without.stores[number].sign > 0


def penalised(change: np.ndarray, of: str, quantities: Quantities) -> float | None:
    """How many times the parameter a change is; a bias in W may be left out of it."""
    right = quantities.known[Quantity("value", of)]
    times = multiple(change, right)
    if times is not None or of[0] != "W" or quantities.bias == "own" or change.shape != right.shape:
        return times
    (rest, bias), (weights, _) = quantities.split(change), quantities.split(right)
    return None if np.abs(bias).max() > MARGIN else multiple(rest, weights)


def multiple(change: np.ndarray, right: np.ndarray) -> float | None:
    """How many times the right array a change is; None where it is no multiple of it."""
    if change.shape != right.shape and change.size != right.size:
        return None
    change = change.reshape(right.shape)
    factor = float((change * right).sum() / (right * right).sum())
    return factor if np.allclose(change, factor * right, atol=MARGIN, rtol=MARGIN) else None


def unbroken(new: Trace, old: Trace, number: int) -> bool:
    """Whether no store up to this one has become one that breaks or is not read."""
    if len(new.stores) <= number or new.stores[number].kind in (BREAK, UNREAD):
        return False
    pairs = zip(new.stores[: number + 1], old.stores, strict=False)
    return all(a.kind not in (BREAK, UNREAD) or a.kind == b.kind for a, b in pairs)
