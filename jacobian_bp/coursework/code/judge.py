"""The wrong lines of one reading: each judged given the right values of those before it.

Gradients of parameters anchor the judgement: they must be right as they are; a delta may be
m times ∂J/∂z, and a name that contradicts its value is a misnomer where what follows is right.
"""

import ast
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..lines.vocabulary import COUNT, Quantity, gradient_of_no_layer
from .already_updated import UPDATED, read_too_late
from .bias_shapes import of_other_shape
from .blame import Blame, Found
from .called_functions import RETURNED, Called
from .costs import names_cost, wrong_cost
from .edits import edits
from .laid_out import CLOSE, Match
from .limits import Budget
from .parsing import Parsed
from .quantities import Quantities
from .store import ADDED, BREAK, MASKED, PLAIN, UNREAD, UPDATE
from .trace import Trace, last_word, near
from .trials import Trials
from .unnamed_steps import unnamed_step

MOST_WRONG = 10


@dataclass
class Wrong:
    """A wrong line: what its value is meant to be, if that is known, and how it fails."""

    number: int
    line: int
    path: str
    quantity: Quantity | None
    found: Found
    value: Any
    wanted: float = 1.0  # how many times its quantity the lines after it need
    example: int | None = None
    calls: tuple[int, ...] = ()  # the lines of the calls in which it stands


@dataclass
class Judgement:
    """What one reading of a text says of its lines."""

    wrong: list[Wrong]
    unread: dict[int, str]
    misnamed: dict[int, str]
    trace: Trace
    swapped: dict[int, ast.stmt] = field(default_factory=dict)
    helpers: frozenset[str] = frozenset()  # the functions that the text has

    @property
    def computes_derivatives(self) -> bool:
        return bool(self.trace.gradients.of) or any(
            store.value is not None
            and (goal := self.trace.quantities.goal(store))
            and goal.is_derivative
            for store in self.trace.stores
        )


class Judge:
    """Judges one text in one layout and naming, until more than `most` lines are wrong."""

    def __init__(
        self, parsed: Parsed, quantities: Quantities, budget: Budget, most: int = MOST_WRONG
    ) -> None:
        self.parsed, self.quantities, self.most = parsed, quantities, most
        self.trials = Trials(parsed, quantities, budget)
        self.mended: dict[int, Any] = {}
        self.passed: set[int] = set()
        self.broken: set[int] = set()  # lines of a loop over the examples that numpy refuses
        self.misnamed: dict[int, str] = {}
        self.resting: dict[int, str] = {}
        self._near: tuple[int, Trace | None, list[Match]] = -1, None, []

    def judgement(self) -> Judgement | None:
        """What is wrong; None where it is more than `most` lines."""
        wrong: list[Wrong] = []
        for _ in range(MOST_WRONG):
            self.misnamed = {}
            trace = self.trials.trace(self.mended, keeps=True)
            found = self._first_wrong(trace)
            if found is None:
                break
            found = read_too_late(found, trace, self.trials)
            store = trace.stores[found.number]
            if store.kind == UNREAD and found.why == "factor":
                # taken as right, with or without the 1/m that the lines after it need
                of = found.number, store.line, store.said, found.quantity, found, store.value
                self._mend(Wrong(*of), trace)
                self.resting[store.line] = store.error
                continue
            line = self._line_to_blame(found, trace) or store.line
            one = Wrong(found.number, line, store.said, found.quantity, found, store.value)
            one.example = store.example
            one.calls = store.calls if line == store.line else ()
            wrong.append(one)
            if len({each.line for each in wrong}) > self.most:
                return None
            self._mend(one, trace)
        trace = self.trials.trace(self.mended)
        swapped = self.trials.swapped
        unread, helpers = self._unread(trace), frozenset(self.parsed.helpers)
        return Judgement(wrong, unread, dict(self.misnamed), trace, swapped, helpers)

    def _line_to_blame(self, found: Found, trace: Trace) -> int | None:
        """The line to blame, where it is another one than that of the store."""
        if found.why == UPDATED:
            return None
        if found.why == "cost":
            return found.instead.lineno if found.detail and found.instead else None
        return Called(self.trials, self.mended).to_blame(found, trace)

    # ---------------------------------------------------------------- one store after the other

    def _first_wrong(self, trace: Trace) -> Found | None:
        blame = Blame(self.trials, trace, self.mended, self.passed)
        for number, store in enumerate(trace.stores):
            if number in self.mended or number in self.passed or store.kind == UNREAD:
                continue
            if self.broken and self._follows_a_break(number, trace):
                continue
            found = self._judged(number, trace, blame)
            if found and (line := self._rests_on(found, trace, blame)):
                self.passed.add(number)
                self.resting[trace.stores[found.number].line] = f"line {line}, which it reads"
            elif found:
                return found
        return None

    def _follows_a_break(self, number: int, trace: Trace) -> bool:
        """Whether a line of a loop over the examples that numpy refuses is it, or comes before."""
        before = trace.ancestors(number) | {number}
        return any(id(trace.stores[n].statement) in self.broken for n in before)

    def _rests_on(self, found: Found, trace: Trace, blame: Blame) -> int | None:
        """The line that is not read, where the blame could lie with what is taken for its value."""
        number = found.number
        unread = [n for n in trace.ancestors(number) if trace.stores[n].kind == UNREAD]
        if not unread or found.instead is not None:
            return None
        if found.quantity and blame.one_change(number, number, found.quantity):
            return None
        return trace.stores[min(unread)].line

    def _judged(self, number: int, trace: Trace, blame: Blame) -> Found | None:
        store, quantities = trace.stores[number], self.quantities
        goal = trace.gradients.of.get(number) or quantities.goal(store)
        if found := self._of_no_layer(number, trace):
            return found
        if goal is None and (found := wrong_cost(number, trace, self.trials, self.mended)):
            return found
        if store.is_of_a_round and (found := blame.overwritten(number)):
            return found
        if store.decays:
            return None  # what a penalty takes off is judged by itself
        if store.kind == BREAK:
            if store.example is not None and (found := blame.broken_sum(number)):
                return found
            if store.example is not None:
                self.broken.add(id(store.statement))
                meant = goal if goal and goal.is_parameter_gradient else None
                return Found(number, meant, "break", store.error)
            return blame.for_break(number) or Found(number, goal, "break", store.error)
        if not isinstance(store.value, int | float | np.ndarray | np.generic):
            return None
        if np.ndim(store.value) == 0:
            word = last_word(store.path)
            counts = word.lower() in COUNT and store.kind == PLAIN and quantities.examples > 1
            if counts and not near(float(store.value), quantities.examples):
                return Found(number, None, "count", f"{float(store.value):g}")
            if goal is None or goal.kind != "gradient":
                return None
        if goal is None:
            return self._unnamed(number, trace, blame)
        if goal.kind == "value":
            return self._named_value(number, goal, trace, blame)
        if number in trace.gradients.of or self._is_wrong_inside(number, goal, trace):
            if trace.gradients.right.get(number):
                return of_other_shape(number, goal, trace, self.trials)
            if found := Called(self.trials, self.mended).out_of_order(number, goal, trace):
                return found
            factor = trace.matching(store.value, goal)
            up = store.kind == UPDATE and factor is not None and factor * store.sign < 0
            uphill = ("adds" if store.sign < 0 else "takes off") if up else ""
            draft = self._draft_with(factor, number, trace)
            if draft:
                return draft
            reads = (n for n in store.reads if trace.gradients.of.get(n) == goal)
            if uphill and any(trace.gradients.right[n] for n in reads):
                return Found(number, goal, "factor", uphill, factor)
            found = (
                (factor is not None and blame.upstream(number, goal, factor))
                or blame.added(number, goal)
                or blame.upstream(number, goal, factor)
                or unnamed_step(blame, number)
                or blame.feeding(number, goal)
                or Found(number, goal, "value" if factor is None else "factor", uphill, factor)
            )
            if uphill and (found.number, found.why) == (number, "edit"):
                found.why, found.detail, found.factor = "factor", uphill, factor
            return found
        return self._named_delta(number, goal, trace, blame)

    def _is_wrong_inside(self, number: int, goal: Quantity, trace: Trace) -> bool:
        """Whether what a call hands on is no multiple of the gradient that it is meant to be."""
        store = trace.stores[number]
        return (
            goal.is_parameter_gradient
            and store.example is None
            and bool(np.any(store.value))
            and trace.is_handed_on(number)
            and trace.matching(store.value, goal) is None
            and not self._fine_below(number, trace)
        )

    def _of_no_layer(self, number: int, trace: Trace) -> Found | None:
        """dW7, of a layer that the network does not have, with the gradient of another one."""
        store, quantities = trace.stores[number], self.quantities
        said = gradient_of_no_layer(store.path, quantities.naming, quantities.layers)
        if said is None or store.kind not in (PLAIN, ADDED, MASKED):
            return None
        matches = self.quantities.matches(store.value)
        known = [m.quantity for m in matches if m.quantity.is_parameter_gradient]
        return Found(number, known[0] if known else None, "layer", said)

    def _draft_with(self, factor: float | None, number: int, trace: Trace) -> Found | None:
        """The first draft of this value that has its wrong factor: dh before dh[h <= 0] = 0."""
        found = None
        while factor is not None:
            path = trace.stores[number].path
            before = [n for n in trace.stores[number].reads if n < number]
            drafts = [n for n in before if trace.stores[n].path == path]
            if not drafts or drafts[-1] in self.mended:
                break
            number = drafts[-1]
            matches = self.quantities.matches(trace.stores[number].value)
            same = [m for m in matches if m.quantity.kind == "gradient" and near(m.factor, factor)]
            if not same:
                break
            found = Found(number, same[0].quantity, "factor", factor=factor)
        return found

    def _fine_below(self, number: int, trace: Trace) -> bool:
        """Whether it feeds gradients of parameters, and all of them are right."""
        below = trace.descendants(number) & set(trace.gradients.of)
        return bool(below) and all(trace.gradients.right[n] for n in below)

    def _named_value(self, number: int, goal: Quantity, trace: Trace, blame: Blame) -> Found | None:
        store = trace.stores[number]
        if trace.updated(number, goal):
            return None
        right = self.quantities.right(goal, store)
        if np.array_equal(store.value, right):
            return None  # also where all is 0, and no multiple of anything
        matches = self.quantities.matches(store.value, goal)
        own = [m for m in matches if m.quantity in (goal, Quantity("padded", goal.of))]
        fine = self._fine_below(number, trace)
        is_own = bool(own) and near(own[0].factor, 1)
        if is_own and own[0].turned and not fine:
            return Found(number, goal, "value")
        if is_own or self._is_shifted(store.value, goal):
            return None
        if trace.draft(number) or (not matches and fine):
            return None
        exact = matches[0].quantity if matches and near(matches[0].factor, 1) else None
        if exact and trace.gradients.of and not blame.helps(number, goal, [1.0]):
            self.misnamed[number] = str(exact)
            return None
        if own and not fine:
            return Found(number, goal, "factor", factor=own[0].factor)
        if own:
            return None
        if matches and exact is None:
            return None
        if exact:
            return Found(number, goal, "is", str(exact))
        before = None if trace.carries_derivative(number) else blame.feeding(number, goal)
        return before or Found(number, goal, "value")

    def _is_shifted(self, value: Any, goal: Quantity) -> bool:
        """Whether only one number for each example is taken off the scores before a softmax."""
        quantities = self.quantities
        step = quantities.studied.state.step(quantities.output)
        if step is None or step.op.name != "Softmax" or goal.of != f"z{quantities.layers}":
            return False
        right = quantities.value(goal.of)
        if np.shape(value) != right.shape:
            return False
        off = value - right
        axis = 0 if quantities.columns or right.ndim == 1 else 1
        return np.allclose(off, off.mean(axis, keepdims=True), rtol=CLOSE, atol=CLOSE)

    def _named_delta(self, number: int, goal: Quantity, trace: Trace, blame: Blame) -> Found | None:
        store = trace.stores[number]
        matches = self.quantities.matches(store.value, goal)
        own = [m for m in matches if m.quantity == goal]
        usual = own and (
            near(own[0].factor, trace.gradients.factor)
            if _is_of_parameter(goal)
            else trace.legitimate(own[0].factor)
        )
        if usual and not own[0].turned:
            return None
        if self._fine_below(number, trace):
            starts = own or store.is_of_a_round or not np.any(store.value)
            if not (trace.draft(number) and starts):
                self.misnamed[number] = str(matches[0].quantity) if matches else ""
            return None
        if trace.draft(number):
            if not matches:
                blame.unknown.append(number)
            return None
        other = [m for m in matches if m.quantity != goal and trace.legitimate(m.factor)]
        below = trace.descendants(number) & set(trace.gradients.of)
        last = not below and bool(other) and _is_of_parameter(other[0].quantity)
        if last and not own:
            self.misnamed[number] = str(other[0].quantity)  # delta1 of Theta1, handed out
            return None
        if other and not own and below and not blame.helps(number, goal):
            self.misnamed[number] = str(other[0].quantity)
            return None
        if store.kind == MASKED and other and other[0].quantity.of[1:] == goal.of[1:]:
            self.misnamed[number] = str(other[0].quantity)  # dA1[Z1 <= 0] = 0 makes a delta of it
            return None
        found = None if own or other else blame.feeding(number, goal)
        if found:
            return found
        if own:
            draft = self._draft_with(own[0].factor, number, trace)
            return draft or Found(number, goal, "factor", factor=own[0].factor)
        return (
            Found(number, goal, "is", str(other[0].quantity))
            if other
            else Found(number, goal, "value")
        )

    def _unnamed(self, number: int, trace: Trace, blame: Blame) -> Found | None:
        store = trace.stores[number]
        matches = self.quantities.matches(store.value)
        if not matches:
            if padded := self.quantities.padded_elsewhere(store.value):
                return Found(number, padded, "ones", self.quantities.bias)
            if store.is_returned and (meant := self._only_gradient_near(number, trace)):
                return Found(number, meant, "value")
            blame.unknown.append(number)
            return None
        first = matches[0]
        odd = first.quantity.is_derivative and not any(trace.legitimate(m.factor) for m in matches)
        below = trace.descendants(number) & set(trace.gradients.of)
        judged = odd and below and not self._fine_below(number, trace) and not trace.draft(number)
        if judged and blame.helps(number, first.quantity):
            draft = self._draft_with(first.factor, number, trace)
            return draft or Found(number, first.quantity, "factor", factor=first.factor)
        return None

    def _only_gradient_near(self, number: int, trace: Trace) -> Quantity | None:
        """The one gradient that a returned value is by one change, where no line computes it."""
        missing = {
            match.quantity
            for match in self._one_change_away(number, trace)
            if match.quantity.is_parameter_gradient
            and not match.turned
            and near(match.factor, trace.gradients.factor)
        } - set(trace.gradients.of.values())
        return missing.pop() if len(missing) == 1 else None

    # ---------------------------------------------------------------- what follows

    def _mend(self, wrong: Wrong, trace: Trace) -> None:
        """Puts the right value in the place of the wrong one, or passes by where it is unknown."""
        best: tuple[int, Quantity, float] | None = None
        if wrong.found.why == "count":
            self.mended[wrong.number] = self.quantities.examples
            return
        if wrong.found.why == "cost":
            self.passed.update(n for n, s in enumerate(trace.stores) if names_cost(s))
            return
        if wrong.found.change == RETURNED and isinstance(wrong.found.instead, ast.Assign):
            self._mend_each_returned(wrong, trace)
            return
        if wrong.found.why in ("inside", "order"):
            return  # the line inside of its function, or its call, is walked as it is right
        store = trace.stores[wrong.number]
        unnamed_value = wrong.found.why == "edit" and self.quantities.goal(store) is None
        unnamed_value &= wrong.quantity is not None and wrong.quantity.kind == "value"
        if wrong.found.instead is not None and (store.is_of_a_round or unnamed_value):
            statement = store.statement
            self.trials.swapped[id(statement)] = wrong.found.instead
            return
        if self.broken and self._follows_a_break(wrong.number, trace):
            self.passed.update(trace.rounds(wrong.number))
            return
        if wrong.found.why == "layer":
            self.passed.add(wrong.number)  # no gradient of the network is asked for there
            return
        takes_any = wrong.quantity is None or trace.stores[wrong.number].kind == BREAK
        for quantity in self._choices(wrong, trace):
            for factor in trace.usual:
                if quantity.kind != "gradient" and factor != 1:
                    continue
                right = self._right(wrong.number, quantity, factor, trace)
                told = wrong.quantity or self._gives(wrong, quantity, factor, trace)
                beside = () if told else right  # what is put there is no witness of itself
                count = self.trials.count({**self.mended, **right}, beside)
                if count is None or (best and count < best[0]):
                    continue
                if best is None or count > best[0]:
                    best = count, quantity, factor
                elif (
                    takes_any
                    and best[1] != quantity
                    and self._gives(wrong, quantity, factor, trace)
                ):
                    best = count, quantity, factor  # behind a mask ∂J/∂a1 does as ∂J/∂z1
        if best and (wrong.quantity or best[0] > trace.gradients.count):
            self.mended |= self._right(wrong.number, best[1], best[2], trace)
            wrong.wanted = best[2]
            wrong.quantity = best[1]
        else:
            self.passed.update(trace.rounds(wrong.number))

    def _mend_each_returned(self, wrong: Wrong, trace: Trace) -> None:
        """Puts the right value under each name that a call's values are unpacked into."""
        statement = trace.stores[wrong.number].statement
        for number, store in enumerate(trace.stores):
            goal = self.quantities.goal(store) if store.statement is statement else None
            if goal is not None:
                self.mended |= self._right(number, goal, 1.0, trace)

    def _choices(self, wrong: Wrong, trace: Trace) -> list[Quantity]:
        """What may be put there: what its name says; what has its shape; for a break, any delta.

        Of the deltas those that one change of the line gives, where there are any.
        """
        known, said = self.quantities.known, wrong.quantity
        broken = trace.stores[wrong.number].kind == BREAK
        kinds = ("gradient",) if broken and said else ("gradient", "slope", "error")
        others = [q for q in known if q.kind in kinds and not (said and _is_of_parameter(q))]
        if said is None and not self._may_be_derivative(wrong.number, trace):
            others = [q for q in others if q.kind == "slope"]
        if broken and (said is None or (said.is_derivative and not _is_of_parameter(said))):
            near_by = {m.quantity for m in self._one_change_away(wrong.number, trace)}
            others = [q for q in others if q in near_by] or ([] if said else others)
            return [*([said] if said else []), *[q for q in others if q != said]]
        if said:
            masked = trace.stores[wrong.number].is_masked_by_itself
            behind = self.quantities.behind(said) if masked else None
            others = self.quantities.also_meant(trace.stores[wrong.number])
            return list(dict.fromkeys([said, *([behind] if behind else []), *others]))
        store = trace.stores[wrong.number]
        return [q for q in others if self.quantities.right(q, store).shape == np.shape(wrong.value)]

    def _may_be_derivative(self, number: int, trace: Trace) -> bool:
        """Whether a line, or one before it, has read the label or a derivative: none is without."""
        names = (n.id for n in ast.walk(trace.stores[number].statement) if isinstance(n, ast.Name))
        said = [goal for name in names if (goal := self.quantities.goal_of(name))]
        return any(q.is_derivative or q == Quantity("value", "y") for q in said) or any(
            trace.carries_derivative(n) for n in range(number + 1)
        )

    def _gives(self, wrong: Wrong, quantity: Quantity, factor: float, trace: Trace) -> bool:
        """Whether one change of the line gives this quantity."""
        return any(
            match.quantity == quantity and not match.turned and near(match.factor, factor)
            for match in self._one_change_away(wrong.number, trace)
        )

    def _one_change_away(self, number: int, trace: Trace) -> list[Match]:
        """The quantities that a line gives when one thing in it is changed."""
        if (self._near[0], self._near[1]) != (number, trace):
            statement = trace.stores[number].statement
            stores = [self.trials.alone(number, trace, instead) for _, instead in edits(statement)]
            values = [store.value for store in stores if store and store.kind != UNREAD]
            found = [match for value in values for match in self.quantities.matches(value)]
            self._near = number, trace, found
        return self._near[2]

    def _right(
        self, number: int, quantity: Quantity, factor: float, trace: Trace
    ) -> dict[int, Any]:
        if quantity.is_parameter_gradient and not trace.draft(number):
            factor = trace.gradients.factor
        store = trace.stores[number]
        sign = store.sign if store.kind == UPDATE else 1
        return trace.right(number, quantity, factor * sign)

    def _unread(self, trace: Trace) -> dict[int, str]:
        """Lines that are not read and matter, with what is not read of them."""
        found = {**trace.unread_back, **self.resting}
        for number, store in enumerate(trace.stores):
            if store.carried:
                continue
            goal = self.quantities.goal(store)
            if store.kind == UNREAD and (
                (goal and goal.is_derivative)
                or (goal is None and trace.descendants(number) & set(trace.gradients.of))
                or (store.is_returned and trace.reads_derivative(number))
                or store.line in trace.unknown.values()
            ):
                found[store.line] = store.error
            elif number not in self.mended and self._is_loose(number, trace):
                found[store.line] = f"what {store.said} stands for"
        return found

    def _is_loose(self, number: int, trace: Trace) -> bool:
        """Computed from derivatives, read by nothing, and no known quantity."""
        store = trace.stores[number]
        if not isinstance(store.value, np.ndarray) or not store.value.ndim:
            return False
        stores = trace.stores
        alike = [n for n, s in enumerate(stores) if s.statement is store.statement]
        own = {n for n in alike if stores[n].same_place(store)}  # a sum reads itself
        if (
            any(trace.descendants(n) - own for n in alike)
            or number != max(own)
            or self.quantities.goal(store)
            or names_cost(store)
        ):
            return False
        if self.quantities.unrolled(store.value):
            return False
        return not self.quantities.matches(store.value) and trace.carries_derivative(number)


def _is_of_parameter(goal: Quantity | None) -> bool:
    return goal is not None and goal.is_parameter_gradient
