"""The stores of one walk: what feeds what, and which gradients of parameters are right."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..lines.vocabulary import COUNT, Quantity
from .quantities import Quantities
from .store import ADDED, BREAK, MASKED, PLAIN, UNREAD, UPDATE, Store

ENOUGH = 1e-6


def near(first: float, second: float) -> bool:
    return abs(first - second) < ENOUGH * max(abs(second), 1e-12)


def at_another_step(quantity: Quantity, later: int) -> Quantity:
    """What a quantity of one step is so many steps later.

    >>> print(at_another_step(Quantity("gradient", "h2 through step 3"), -1))
    ∂J/∂h1 through step 2
    """
    of = re.sub(r"\d+", lambda step: str(int(step[0]) + later), quantity.of)
    return Quantity(quantity.kind, of)


def last_word(path: str) -> str:
    return path.split(".")[-1]


@dataclass(frozen=True)
class Gradients:
    """Which stores are gradients of parameters, which of them are right, and their factor.

    The factor is 1, or m where every one is m times ∂J/∂W: a cost summed over the examples.
    """

    of: dict[int, Quantity]
    right: dict[int, bool]
    factor: float

    @property
    def count(self) -> int:
        return sum(self.right.values())


class Trace:
    """Stores in order, and what can be told from them."""

    def __init__(
        self, stores: list[Store], quantities: Quantities, unknown: dict[str, int], steps: int
    ) -> None:
        self.stores, self.quantities = stores, quantities
        self.unknown, self.steps = unknown, steps
        self.unread_back: dict[int, str] = {}  # lines that call a backward, which is not read
        self.unread_steps: dict[int, str] = {}  # lines that update parameters, which are not read
        self._handed_on: dict[int, bool] = {}
        self.states: list[Any] = []  # before each store, where the walk kept them
        self.of_each = quantities.layout.convention.mean == "gradient"  # as it is declared
        self.has_ascent = any(s.kind == UPDATE and s.sign < 0 for s in stores)
        m = float(quantities.per_example)
        self.factors = {m} if self.of_each else {1.0, m}

    @property
    def usual(self) -> list[float]:
        """How many times ∂J/∂z a delta may be: 1 or m; minus that where an update adds it."""
        own = sorted(self.factors)
        return own + ([-factor for factor in own] if self.has_ascent else [])

    def legitimate(self, factor: float) -> bool:
        """Whether a delta may be this many times ∂J/∂z."""
        return any(near(factor, usual) for usual in self.usual)

    @cached_property
    def gradients(self) -> Gradients:
        """The gradients of parameters among the stores."""
        quantities = self.quantities
        of: dict[int, Quantity] = {}
        for number, store in enumerate(self.stores):
            if (
                store.decays
                or store.kind == UNREAD
                or (store.value is None and store.kind != BREAK)
            ):
                continue
            goal = quantities.goal(store)
            if goal is None:
                goal = self._matching_gradient(store)
            if goal and goal.is_parameter_gradient and not self.draft(number):
                of[number] = goal
        factors: dict[int, float | None] = {}
        for number, goal in of.items():
            store = self.stores[number]
            factor = self.matching(store.value, goal)
            factors[number] = None if factor is None else store.sign * factor
        common = self._common(of, factors)
        right = {n: f is not None and near(f, common) for n, f in factors.items()}
        return Gradients(of, right, common)

    def _matching_gradient(self, store: Store) -> Quantity | None:
        """The gradient of a parameter that a value is, where it is no value of the run itself."""
        found = self.quantities.matches(store.value)
        if found and found[0].quantity.kind == "value" and near(found[0].factor, 1):
            return None
        if found and np.size(store.value) == 1:  # of one number every other one is a multiple
            found = [m for m in found if self.legitimate(abs(m.factor))]
        found = [m for m in found if not self.quantities.by_chance(store.value, m.factor)]
        return next((m.quantity for m in found if m.quantity.is_parameter_gradient), None)

    def _common(self, of: dict[int, Quantity], factors: dict[int, float | None]) -> float:
        """1, or m where every weight has it and the text never divides by a number that it sets."""
        quantities = self.quantities
        m = float(quantities.per_example)
        of_weights = [f for n, f in factors.items() if f is not None and of[n].of[0] == "W"]
        found = [f for f in factors.values() if f is not None]
        if self.of_each or any(last_word(s.path).lower() in COUNT for s in self.stores):
            return 1.0
        if not of_weights or not all(near(f, m) for f in of_weights):
            return 1.0
        if len(of_weights) == 1:
            unread = [quantities.goal(s) for s in self.stores if s.kind == UNREAD]
            count = len(of) + sum(bool(q and q.is_parameter_gradient) for q in unread)
            return m if count > 1 and all(near(f, m) for f in found) else 1.0
        return 1.0 if any(near(f, 1) for f in found) else m

    def matching(self, value: object, quantity: Quantity) -> float | None:
        """How many times a quantity, untransposed, a value is."""
        for match in self.quantities.matches(value, quantity):
            if match.quantity == quantity and not match.turned:
                return match.factor
        return None

    def draft(self, number: int) -> bool:
        """Whether a later line makes the value under this name anew: from itself, or from zeros."""
        value = self.stores[number].value
        zeros = isinstance(value, np.ndarray) and not value.any()
        if self.rounds(number)[-1] != number:
            return True  # the last example's round decides
        if self.is_handed_on(number):
            return True
        own = self.stores[number]
        if self._runs_on(number):
            return True
        for later in self.stores[number + 1 :]:
            if later.same_place(own) and zeros:
                return True
            if later.same_place(own):
                return later.kind in (ADDED, MASKED, PLAIN, BREAK) and number in later.reads
            if number in later.reads:
                return False
        return False

    def _runs_on(self, number: int) -> bool:
        """out = layer.forward(out) in a loop: a value of the network by its last round alone."""
        own = self.stores[number]
        goal = self.quantities.goal(own)
        return (goal is not None and goal.kind == "value" and own.time is None) and any(
            later.statement is own.statement
            and later.same_place(own)
            and number in self.ancestors(place)
            for place, later in enumerate(self.stores[number + 1 :], number + 1)
        )

    def is_handed_on(self, number: int) -> bool:
        """Whether what a call computes is a gradient that the text around it stores, too."""
        if number not in self._handed_on:
            own = self.stores[number]
            summed = own.example is not None
            goal = self.quantities.goal(own) if own.calls or summed else None
            if summed and not (goal and goal.is_parameter_gradient):
                goal = self._matching_gradient(own)  # a sum under a name that says nothing
            below = self.descendants(number) if goal and goal.is_parameter_gradient else set()
            self._handed_on[number] = any(
                self._is_around(self.stores[n], own)
                and (
                    self.quantities.goal(self.stores[n]) or self._matching_gradient(self.stores[n])
                )
                == goal
                for n in below
            )
        return self._handed_on[number]

    @staticmethod
    def _is_around(store: Store, own: Store) -> bool:
        """Whether a store stands behind the loop over the examples, or outside of the call."""
        behind = own.example is not None and store.example is None
        if store.kind == UPDATE:
            return own.example is not None
        return behind or len(store.calls) < len(own.calls)

    def rounds(self, number: int) -> list[int]:
        """The stores of the same line in the other rounds of a loop over the examples, and it."""
        own = self.stores[number]
        if own.example is None:
            return [number]
        same: dict[int | None, list[int]] = {}
        for n, store in enumerate(self.stores):
            if store.statement is own.statement and store.path == own.path:
                same.setdefault(store.example, []).append(n)
        place = same[own.example].index(number)  # the same round of a loop over the layers
        return [found[place] for found in same.values() if place < len(found)]

    def right(self, number: int, quantity: Quantity, factor: float) -> dict[int, Any]:
        """The right values to put in for a store: in a loop over the examples for each of them."""
        own = self.stores[number]
        if own.time is not None and quantity == self.quantities.goal(own):
            return self._right_in_each_step(number, factor)
        if own.time is not None and quantity.kind == "gradient":
            return self._right_under_any_name(number, quantity, factor)
        each = [number] if quantity.is_parameter_gradient else self.rounds(number)
        return {n: self.quantities.right(quantity, self.stores[n]) * factor for n in each}

    def _right_in_each_step(self, number: int, factor: float) -> dict[int, Any]:
        """The right values of a line in each round of a loop over the steps, dh_t in round t."""
        own, found = self.stores[number], dict[int, Any]()
        for n, store in enumerate(self.stores):
            alike = store.statement is own.statement and store.path == own.path
            goal = self.quantities.goal(store) if alike and store.calls == own.calls else None
            if goal is not None and (n == number or not goal.is_parameter_gradient):
                found[n] = self.quantities.right(goal, store) * factor
        return found

    def _right_under_any_name(
        self, number: int, quantity: Quantity, factor: float
    ) -> dict[int, Any]:
        """The same in each round for a name that does not say it, or that says something else."""
        own, found = self.stores[number], dict[int, Any]()
        for n, store in enumerate(self.stores):
            alike = store.statement is own.statement and store.path == own.path
            if not alike or store.calls != own.calls or store.time is None or own.time is None:
                continue
            there = at_another_step(quantity, store.time - own.time)
            if n == number or there in self.quantities.known:
                found[n] = self.quantities.right(there, store) * factor
        return found

    def descendants(self, number: int) -> set[int]:
        seen = {number}
        for later in range(number + 1, len(self.stores)):
            if seen & set(self.stores[later].reads):
                seen.add(later)
        return seen - {number}

    def ancestors(self, number: int) -> set[int]:
        seen: set[int] = set()
        todo = [number]
        while todo:
            fresh = set(self.stores[todo.pop()].reads) - seen
            seen |= fresh
            todo += fresh
        return seen

    def updated(self, number: int, value: Quantity) -> bool:
        """Whether a store is what an update has made of a parameter: params['W2'] = W2.

        Or a value that comes after one: another forward pass, at the new parameters.
        """
        before = [self.stores[n] for n in self.ancestors(number) if self.stores[n].kind == UPDATE]
        of_parameter = value.of[0] in "Wb"
        return any(not of_parameter or (s.place and s.place.of == value.of) for s in before)

    def is_after_update(self, number: int) -> bool:
        """Whether a store comes from a parameter that was given a new value before."""
        return any(self.stores[each].kind == UPDATE for each in self.ancestors(number))

    def carries_derivative(self, number: int) -> bool:
        """Whether a store comes from the label, or from a derivative."""
        for each in self.ancestors(number) | {number}:
            store = self.stores[each]
            if Quantity("value", "y") in store.knows:
                return True
        return self.reads_derivative(number)

    def reads_derivative(self, number: int) -> bool:
        """Whether a store comes from one that is a derivative."""
        return any(
            match.quantity.is_derivative
            for each in self.ancestors(number)
            for match in self.quantities.matches(self.stores[each].value)[:1]
        )

    def plain_names(self, before: int) -> dict[str, object]:
        """The arrays under plain names that are stored before a store."""
        named = self.stores[:before]
        return {
            s.path: s.value for s in named if re.fullmatch(r"\w+", s.path) and s.value is not None
        }
