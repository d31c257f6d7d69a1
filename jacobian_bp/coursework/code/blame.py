"""Which line a wrong value is to be blamed on, where the line that shows it may not be the one."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity
from .edits import edits, of_forward, other_activations, other_names
from .limits import NotReadError, ShapesError
from .store import ADDED, BREAK, PLAIN
from .trace import Trace, near
from .trials import Trials

MOST_BEFORE_A_BREAK = 4


@dataclass
class Found:
    """A store to blame, what it is meant to be, and why it is wrong.

    `why` is one of break, count, factor, value, is (another quantity), edit (one change mends
    it), helper, overwritten (what other examples gave), layer (of none that there is), ones (at
    the other end), updated (it reads a parameter too late), inside (a line of a function that it
    calls), argument (of a call), order (of the arguments), unknown; `instead` is the statement
    that mends it, where one is known, and `change` what is changed in it.
    """

    number: int
    quantity: Quantity | None
    why: str
    detail: str = ""
    factor: float | None = None
    instead: ast.stmt | None = None
    change: str = ""


class Blame:
    """Looks before a wrong store. `unknown` holds the stores so far that are no known quantity."""

    def __init__(
        self, trials: Trials, trace: Trace, mended: Mapping[int, Any], passed: set[int]
    ) -> None:
        self.trials, self.trace, self.mended, self.passed = trials, trace, mended, passed
        self.quantities = trace.quantities
        self.unknown: list[int] = []
        self.added_up: set[int] = set()  # the lines that have been tried with += for =

    def helps(
        self, number: int, quantity: Quantity, factors: Iterable[float] = (), more: int = 1
    ) -> bool:
        """Whether the right value here makes gradients right that are wrong now, and none wrong."""
        before, beside = self.trace.gradients, self._beside(number)
        for factor in factors or self.trace.usual:
            right = self.trace.right(number, quantity, factor) | beside
            try:
                after = self.trials.trace({**self.mended, **right}).gradients
            except (NotReadError, ShapesError):
                continue
            lost = [n for n, right in before.right.items() if right and not after.right.get(n)]
            gained = [n for n, right in after.right.items() if right and not before.right.get(n)]
            if len(gained) >= more and all(self._made_again(number, n) for n in lost):
                return True
        return False

    def _beside(self, number: int) -> dict[int, Any]:
        """The right values of what else a line stores, and has wrong: di, dg = dc * i, dc * g."""
        own, found = self.trace.stores[number], dict[int, Any]()
        for n, store in enumerate(self.trace.stores):
            goal = self.quantities.goal(store) if store.statement is own.statement else None
            alone = store.path != own.path and store.time is not None and store.calls == own.calls
            of_delta = goal and goal.kind == "gradient" and not goal.is_parameter_gradient
            if goal and alone and of_delta and self.trace.matching(store.value, goal) is None:
                found[n] = self.quantities.right(goal, store)
        return found

    def _made_again(self, number: int, gradient: int) -> bool:
        """Whether the same line of a loop stands between: two wrong signs make a right one."""
        stores = self.trace.stores
        between = self.trace.ancestors(gradient) - {number}
        return any(stores[n].statement is stores[number].statement for n in between)

    def for_break(self, number: int) -> Found | None:
        """A line before the break of which one change lets it pass, and more come out right."""
        stores, before = self.trace.stores, self.trace.gradients
        chain = sorted(self.trace.ancestors(number) - set(self.mended) - self.passed, reverse=True)
        for each in chain[:MOST_BEFORE_A_BREAK]:
            matches = self.quantities.matches(stores[each].value)
            if self.quantities.goal(stores[each]) or any(
                m.quantity.is_derivative for m in matches[:1]
            ):
                continue
            for words, instead in edits(stores[each].statement):
                if not self._has_another_shape(each, instead):
                    continue
                trace = self.trials.edited(self.trace, each, instead, self.mended)
                if trace is None or trace.gradients.count <= before.count:
                    continue
                if len(trace.stores) > number and trace.stores[number].kind != BREAK:
                    found = self.quantities.matches(trace.stores[each].value)[:1]
                    quantity = found[0].quantity if found else None
                    return Found(each, quantity, "edit", words, instead=instead, change=words)
        return None

    def _has_another_shape(self, number: int, instead: ast.stmt) -> bool:
        """Whether a changed line gives another shape: with the same one numpy refuses it again."""
        before, after = self.trace.stores[number], self.trials.alone(number, self.trace, instead)
        if after is None:
            return False
        arrays = isinstance(before.value, np.ndarray) and isinstance(after.value, np.ndarray)
        return not arrays or np.shape(before.value) != np.shape(after.value)

    def upstream(self, number: int, goal: Quantity, factor: float | None) -> Found | None:
        """A gradient is wrong although what it reads is known: is the mistake before it?"""
        stores = self.trace.stores
        known = {}
        for each in sorted(self.trace.ancestors(number) - set(self.mended) - self.passed):
            matches = self.quantities.matches(stores[each].value)
            of_layer = [
                m for m in matches if m.quantity.kind == "gradient" and m.quantity.of[0] in "za"
            ]
            if of_layer:
                known[each] = of_layer[0]
        if factor is not None:
            for each, match in known.items():
                others = [f for f in self.trace.factors if f != match.factor]
                before = [known[n].factor for n in self.trace.ancestors(each) if n in known]
                # the delta's, where two gradients come right by it, or it broke with the one before
                needed = 2 if all(near(f, match.factor) for f in before) else 1
                if others and self.helps(each, match.quantity, others, needed):
                    return Found(each, match.quantity, "factor", factor=match.factor)
            return None
        own = self.one_change(number, number, goal)
        if own:
            return own
        for each in reversed(known):
            if self.quantities.goal(stores[each]):
                continue
            quantity = known[each].quantity
            for kind in "za":
                other = Quantity("gradient", f"{kind}{quantity.of[1:]}")
                if other in self.quantities.known and other != quantity and self.helps(each, other):
                    return Found(each, other, "is", str(quantity))
        return None

    def one_change(
        self, number: int, at: int, goal: Quantity, factor: float | None = None
    ) -> Found | None:
        """The change of the statement of `at` by which the store `number` is its goal.

        A delta may be any factor that is usual times its goal, or only the one that is given.
        """
        statement = self.trace.stores[at].statement
        local = {n: v for n, v in self.trace.plain_names(at).items() if isinstance(v, np.ndarray)}
        own = at == number or self._is_draft_of(at, number)
        tried = [*other_names(statement, local)] if own else []
        if own and goal.kind == "value":
            step = self.quantities.studied.state.step(goal.of)
            tried = [*of_forward(statement, goal.of, step.op.name if step else ""), *tried]
        elif goal.kind == "value":
            tried = [*of_forward(statement, "z", ""), *tried]
        if goal.kind == "value":
            tried = [*other_activations(statement, self.quantities.activations), *tried]
        of_this_round: Found | None = None
        for words, instead in (*tried, *edits(statement)):
            if _reads_itself(instead) and not _reads_itself(statement):
                continue
            given = self.trials.gives(
                number, goal, self.trace, self.mended, at=at, instead=instead, factor=factor
            )
            if given:
                found = Found(
                    at, goal if own else None, "edit", words, instead=instead, change=words
                )
                if at != number or self._holds_in_each_step(number, instead):
                    return found
                of_this_round = of_this_round or found
        return of_this_round

    def _holds_in_each_step(self, number: int, instead: ast.stmt) -> bool:
        """Whether a changed line of a loop over the steps is what its name says in every round."""
        own = self.trace.stores[number]
        if own.time is None:
            return True
        trace = self.trials.edited(self.trace, number, instead, self.mended)
        for each, store in enumerate(trace.stores if trace else ()):
            if store.statement is not instead or store.path != own.path or each in self.mended:
                continue
            goal = self.quantities.goal(store)
            if trace and goal and trace.matching(store.value, goal) is None:
                return goal.is_parameter_gradient and trace.draft(each)
        return trace is not None

    def _is_draft_of(self, draft: int, number: int) -> bool:
        """Whether the later store makes the value of the earlier one anew, as dW2 += reg * W2."""
        stores = self.trace.stores
        in_loop = stores[draft].is_of_a_round and draft in self.trace.ancestors(number)
        read = draft in stores[number].reads or in_loop
        return read and stores[draft].path == stores[number].path

    def overwritten(self, number: int) -> Found | None:
        """dW1 = … in a loop over the examples, where += makes a gradient right."""
        stores, gradients = self.trace.stores, self.trace.gradients
        statement, last = stores[number].statement, self._last_round(number)
        if stores[number].kind != PLAIN or not isinstance(statement, ast.Assign):
            return None
        if not isinstance(stores[number].value, np.ndarray | np.generic | int | float):
            return None
        (target, *more), value = statement.targets, statement.value
        place = ast.Name | ast.Attribute | ast.Subscript
        if more or not isinstance(target, place) or number in self.mended:
            return None
        if id(statement) in self.added_up:
            return None  # of the same line in another round
        self.added_up.add(id(statement))
        added = ast.copy_location(ast.AugAssign(target, ast.Add(), value), statement)
        for each, goal in gradients.of.items():
            reads = each == last or last in self.trace.ancestors(each)
            shapes = np.shape(stores[number].value), self.quantities.known[goal].shape
            if gradients.right[each] or not reads or np.prod(shapes[0]) != np.prod(shapes[1]):
                continue
            if self.trials.gives(each, goal, self.trace, self.mended, at=number, instead=added):
                others = "examples" if stores[number].time is None else "steps"
                return Found(number, goal, "overwritten", others, None, added, "+= for =")
        return None

    def _last_round(self, number: int) -> int:
        """The store of the same line in the last round of its loop."""
        own = self.trace.stores[number]
        alike = [
            n
            for n, s in enumerate(self.trace.stores)
            if s.statement is own.statement and s.same_place(own)
        ]
        return alike[-1] if own.time is not None else self.trace.rounds(number)[-1]

    def broken_sum(self, number: int) -> Found | None:
        """A line of a loop over the examples that breaks: the change that mends a gradient."""
        gradients = self.trace.gradients
        for each, goal in gradients.of.items():
            if gradients.right[each] or number not in self.trace.ancestors(each) | {each}:
                continue
            if found := self.one_change(each, number, goal):
                found.quantity, found.why = None, "break"
                found.detail = self.trace.stores[number].error
                return found
        return None

    def added(self, number: int, goal: Quantity) -> Found | None:
        """What a loop over the examples adds up for this gradient: one change that mends it."""
        stores = self.trace.stores
        for each in sorted(self.trace.ancestors(number) - set(self.mended)):
            store = stores[each]
            first = store.example is not None and self.trace.rounds(each)[0] == each
            same = first and store.path == stores[number].path and store.kind == ADDED
            if same and (found := self.one_change(number, each, goal)):
                return found
        return None

    def feeding(self, number: int, goal: Quantity) -> Found | None:
        """Lines that are no known quantity feed this one: the one where a change mends it."""
        before = self.trace.ancestors(number)
        suspects = [n for n in self.unknown if n in before and self.trace.rounds(n)[0] == n]
        suspects = self._first_of_each_line(suspects)
        of_step = self.trace.stores[number].time is not None  # each of its factors has a name
        if of_step:
            suspects = [n for n in suspects if not self._gives_right_ones(n)]
        part = None if of_step else self._part(number, goal, before)
        if not suspects:
            return part
        for each in [*suspects, number]:
            found = self.one_change(number, each, goal)
            if found:
                found.quantity = found.quantity or self._value_given_by(found)
                return found
        if part:
            return part
        for each in suspects:
            if self._is_draft_of(each, number):
                return Found(each, goal, "value")
            if self.trace.carries_derivative(each):
                return Found(each, None, "unknown")
        return None

    def _gives_right_ones(self, number: int) -> bool:
        """Whether a line of a loop over the steps feeds a gradient that comes out right."""
        right = {n for n, is_right in self.trace.gradients.right.items() if is_right}
        return self.trace.carries_derivative(number) and bool(
            right & self.trace.descendants(number)
        )

    def _first_of_each_line(self, numbers: list[int]) -> list[int]:
        """A change of a line in a loop over the steps is one in every round of it."""
        found: dict[tuple[int, str], int] = {}
        for number in numbers:
            store = self.trace.stores[number]
            key = (store.line, store.path) if store.time is not None else (number, "")
            found.setdefault(key, number)
        return list(found.values())

    def _value_given_by(self, found: Found) -> Quantity | None:
        """The value of the network that a forward line is, once it is mended."""
        if found.instead is None or self.trace.carries_derivative(found.number):
            return None
        store = self.trials.alone(found.number, self.trace, found.instead)
        same = self.quantities.matches(store.value)[:1] if store else []
        return same[0].quantity if same and same[0].quantity.kind == "value" else None

    def _part(self, number: int, goal: Quantity, before: set[int]) -> Found | None:
        """An unnamed factor such as da2_dz2: which known quantity makes this line come right?"""
        stores = self.trace.stores
        for each in sorted(before - set(self.mended), reverse=True):
            if self.quantities.goal(stores[each]) or not isinstance(stores[each].value, np.ndarray):
                continue
            in_call = stores[each].calls == stores[number].calls
            if self.trace.rounds(each)[0] != each or not (
                in_call or stores[each].example is not None
            ):
                continue
            matches = self.quantities.matches(stores[each].value)
            if any(m.quantity.is_derivative for m in matches):
                continue
            for quantity in [q for q in self.quantities.known if q.kind in ("slope", "value")]:
                right = self.trace.right(each, quantity, 1)
                if right[each].size != stores[each].value.size or self._has(right):
                    continue
                if self._cannot_mend(each, number, goal, right[each]):
                    continue
                mended = {**self.mended, **right}
                if self.trials.gives(number, goal, self.trace, mended):
                    detail = str(matches[0].quantity) if matches else ""
                    return Found(each, quantity, "is" if matches else "value", detail)
        return None

    def _has(self, right: Mapping[int, np.ndarray]) -> bool:
        """Whether the stores have these very values: nothing would come of putting them in."""
        values = ((self.trace.stores[n].value, array) for n, array in right.items())
        return all(
            isinstance(v, np.ndarray) and v.shape == a.shape and np.allclose(v, a)
            for v, a in values
        )

    def _cannot_mend(self, part: int, number: int, goal: Quantity, right: Any) -> bool:
        """Whether a store is surely not its goal with the right value in what it reads."""
        stores, trials = self.trace.stores, self.trials
        between = {n for n in stores[number].reads if n != part}
        if part not in stores[number].reads or not trials.is_first(number, self.trace):
            return False
        if any(part in self.trace.ancestors(n) for n in between):
            return False
        put = {stores[part].path: right}
        store = trials.alone(number, self.trace, stores[number].statement, put)
        return store is None or self.trace.matching(store.value, goal) is None


def _reads_itself(statement: ast.stmt) -> bool:
    """Whether a line reads the name that it stores."""
    stored = getattr(statement, "targets", [])
    targets, kinds = [ast.unparse(target) for target in stored], tuple(map(type, stored))
    value = getattr(statement, "value", None)
    parts = ast.walk(value) if value is not None else ()
    return any(ast.unparse(part) in targets for part in parts if isinstance(part, kinds))
