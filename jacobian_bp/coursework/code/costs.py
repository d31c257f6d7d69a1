"""The lines of a cost: J, or as often J as a course may write it, and never minus J.

loss = -np.sum(Y * np.log(A)) / m  is J; without the / m it is m J, without the minus it is wrong
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from .blame import Found
from .edits import Edit, edits
from .limits import NotReadError, ShapesError
from .one_op import StudiedOp
from .quantities import Quantities
from .store import BREAK, UNREAD, Store
from .trace import Trace
from .trials import Trials

NAMES = re.compile(
    r"j|bce|mse|(?:data_?|total_?|train_?|epoch_?)?(?:loss|cost)(?:_?val(?:ue)?)?"
    r"|cross_?entropy(?:_?(?:loss|cost))?|logloss|(?:loss|cost)es",
    re.IGNORECASE,
)
CLOSE = 1e-4  # np.log(p + 1e-8)
SCALES = ("divided by m", "halved", "doubled", "sum for mean", "mean for sum")


@dataclass(frozen=True)
class Costs:
    """The cost of a run, the losses of its examples, and how many times these a text may have."""

    cost: float
    losses: np.ndarray
    usual: tuple[float, ...]

    def times(self, value: Any) -> float | None:
        """How many times the cost a value is, or its entries the losses; None for anything else."""
        if not isinstance(value, float | int | np.ndarray | np.generic):
            return None
        array = np.asarray(value, float).ravel()
        right = np.full(1, self.cost) if array.size == 1 else self.losses
        if array.size != right.size or not np.isfinite(array).all():
            return None
        factors = np.array([f * sign for sign in (1, -1) for f in self.usual])
        meant = np.outer(factors, right)
        close = (np.abs(array - meant) <= CLOSE * np.abs(meant)).all(axis=1)
        return float(factors[close.argmax()]) if close.any() else None

    def is_right(self, value: Any) -> bool:
        return (self.times(value) or 0.0) > 0


def costs_of(quantities: Quantities) -> Costs | None:
    """The costs of the network that a text is judged on; None of an op by itself."""
    if isinstance(quantities.studied, StudiedOp):
        return None
    state = quantities.studied.state
    step = next(step for step in state.program.steps if step.op.labels)
    losses = np.ravel(state.values[step.name]).astype(float)
    m, units = len(losses), np.shape(quantities.studied.state.values[quantities.output])[-1]
    scales = product((1, m), (1, 2, 0.5), (1, units, 1 / units))
    usual = tuple(dict.fromkeys(float(a * b * c) for a, b, c in scales))
    return Costs(float(losses.mean()), losses, usual) if losses.all() else None


def names_cost(store: Store) -> bool:
    """Whether a store has the name of a cost: self.loss, cost, J."""
    word = re.split(r"[.']", store.path.rstrip("']"))[-1]
    return bool(NAMES.fullmatch(word))


def holds_cost(store: Store, quantities: Quantities, costs: Costs | None) -> bool:
    """Whether a line has the name of a cost, and as many numbers as one: that it is right, too."""
    if costs is None or not names_cost(store) or store.kind in (BREAK, UNREAD):
        return False
    value = store.value
    if not isinstance(value, float | int | np.ndarray | np.generic):
        return False
    if np.size(value) == 1:
        return True
    return np.size(value) == len(costs.losses) and not quantities.matches(value)


def wrong_cost(
    number: int, trace: Trace, trials: Trials, mended: Mapping[int, Any]
) -> Found | None:
    """The line by which a cost is minus the run's, or by one change of which it is the run's."""
    store = trace.stores[number]
    costs = costs_of(trace.quantities) if names_cost(store) else None
    if costs is None or not holds_cost(store, trace.quantities, costs) or trace.draft(number):
        return None
    if trace.is_after_update(number):
        return None  # the cost at other parameters
    times = costs.times(store.value)
    if times is not None and times > 0:
        return None
    first = number if times is None else _first_that_is(number, trace, costs)
    if times is None and (rounds := [n for n in store.reads if _is_of_a_round(n, number, trace)]):
        first = rounds[-1]
    negative = costs.times(trace.stores[first].value)
    own = store.statement, trace.stores[first].statement
    drafts = [own[1]] if first != number else []
    for statement in dict.fromkeys((*drafts, *_called(own[0], trials), own[0])):
        for words, instead in _changes(statement, first, trace):
            try:
                found = trials.trace(mended, {id(statement): instead}, last=number)
            except (NotReadError, ShapesError):
                continue
            if len(found.stores) > number and costs.is_right(found.stores[number].value):
                shows = "" if statement in own else str(store.line)
                return Found(first, None, "cost", shows, negative, instead, words)
    return None if times is None else Found(first, None, "cost", "", negative)


def _is_of_a_round(draft: int, number: int, trace: Trace) -> bool:
    """Whether a store is the cost so far in a loop over the examples."""
    stores = trace.stores
    return stores[draft].example is not None and stores[draft].same_place(stores[number])


def _changes(statement: ast.stmt, number: int, trace: Trace) -> Iterator[Edit]:
    """One change of a line; none that is only another number times what it gives."""
    if isinstance(statement, ast.Assign) and trace.stores[number].example is not None:
        (target, *_), value = statement.targets, statement.value
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            added = ast.AugAssign(target, ast.Add(), value)
            yield "+= for =", ast.copy_location(added, statement)
    yield from (edit for edit in edits(statement) if edit[0] not in SCALES)


def _first_that_is(number: int, trace: Trace, costs: Costs) -> int:
    """The first draft of a cost, or the return of a function, by which it is minus the cost."""
    stores = trace.stores
    while before := [
        n
        for n in stores[number].reads
        if n < number
        and (names_cost(stores[n]) or stores[n].path.endswith("()"))
        and (costs.times(stores[n].value) or 0.0) < 0
    ]:
        number = before[-1]
    return number


def _called(statement: ast.stmt, trials: Trials) -> Iterator[ast.stmt]:
    """The lines of the functions of the text that a statement calls."""
    for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        classes = trials.parsed.classes.values()
        methods = [of.own.get(name) for of in classes if of.is_loss]
        for function in filter(None, dict.fromkeys((trials.helpers.get(name), *methods))):
            for part in ast.walk(function):
                if isinstance(part, ast.Assign | ast.AugAssign | ast.Return) and part.value:
                    yield part
