"""One object after another: right, right given what came before, or wrong in a known way."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from .backward import Changes
from .backward import Key as LineKey
from .fits import kinks, stale_weights, weight_decay
from .matching import Precision, is_right, is_same, precision_of
from .mutation import Facts, Variation, variations
from .proofs import nearly_right, not_finite, proved
from .quantities import other_quantities, saturated
from .readings import OTHER, Reading, readings
from .report import Finding, Key
from .search import (
    Context,
    Hypothesis,
    Question,
    everywhere,
    factor_alone,
    layout_alone,
    one_mistake,
    two_mistakes,
)
from .words import Words, accepted_reading

INCONSISTENT = 1000  # added to the rank of what contradicts an object that is right
FARTHER = 25  # added for each layer between a mistake and the object
MOST_CONTEXTS = 6
MOST_STEPS = 400_000  # lines computed for one object, in a very deep network
CLOSE = "It agrees to about four digits: finite differences, or rounding on the way?"


class Judge:
    """Judges the objects of one submission in the order in which they are asked for."""

    def __init__(
        self,
        facts: Facts,
        truth: Mapping[str, np.ndarray],
        arrays: Mapping[Key, np.ndarray],
        layout: str,
    ) -> None:
        self.facts, self.truth, self.arrays, self.layout = facts, truth, arrays, layout
        self.words = Words(facts.params)
        self.variations: dict[LineKey, list[Variation]] = {}
        self.own: dict[str, np.ndarray] = {}  # wrong deltas of the student's
        self.right: dict[str, Question] = {}
        self.mistakes: list[Hypothesis] = []  # in deltas that were not handed in
        self.factors: list[Hypothesis] = []  # a number by which an earlier gradient was off

    def finding(self, key: str) -> Finding:
        """What is said about one gradient or delta."""
        question = self._question(key)
        if not np.isfinite(question.submitted).all():
            return self._not_finite(key, question)
        accepted = accepted_reading(question, question.right)
        if accepted is not None:
            self.right[key] = question
            return self.words.right(key, accepted, question)
        kinked = next(kinks(question, self.facts, Context()), None)
        if kinked is not None:
            return self.words.explained(key, [kinked], False)
        finding, best = self._wrong(key, question)
        self._remember(key, question, best)
        return finding

    def possible(self, wrt: str, of: str = "") -> list[Variation]:
        """The mistakes on the way from `of` (the cost) to an object, nearest first."""
        backward = self.facts.backward
        path = backward.needed(wrt)
        names = path[path.index(of) + 1 :] if of in path else path
        allowed, steps = set(names), 0
        found: list[Variation] = []
        for distance, name in enumerate(reversed(names), start=1):
            for line in backward.to.get(name, ()):
                if line.key not in self.variations:
                    self.variations[line.key] = variations(line, self.facts)
                here = [
                    v
                    for v in self.variations[line.key]
                    if v.changes and all(target in allowed for target, _, _ in v.changes)
                ]
                found += here
                steps += distance * len(here)
            if steps > MOST_STEPS:
                break
        return found

    def ranked(self, key: Key, found: list[Hypothesis]) -> list[Hypothesis]:
        """Those with the fewest mistakes, most likely first."""
        fewest = min((h.mistakes for h in found), default=0)
        kept = [h for h in found if h.mistakes == fewest]
        return sorted(kept, key=lambda h: self._unlikely(key, h))

    def _question(self, key: str) -> Question:
        S, right = self.arrays[key], self.truth[key]
        batched = key in self.facts.state.batched and right.ndim > 0
        forms = readings(S, right.shape, self.layout, batched)
        if self._all_turned:
            forms = [replace(r, label=OTHER) if r.label == "transposed" else r for r in forms]
        precision = precision_of(S, self.facts.state.dtype)
        return self._given(key, Context(), S, forms, precision, right)

    def _given(
        self,
        key: str,
        context: Context,
        S: np.ndarray,
        forms: list[Reading],
        precision: Precision,
        right: np.ndarray,
    ) -> Question:
        def compute(changes: Changes) -> np.ndarray:
            merged = {**context.changes, **changes}
            return self.facts.backward.value(key, merged, context.own)

        return Question(key, compute, S, forms, precision, right)

    def _wrong(self, key: str, question: Question) -> tuple[Finding, Hypothesis | None]:
        """Judged given what came before; then by every known mistake."""
        asked = list(self._after_mistakes(key, question))
        for given, context, cause in asked:
            if accepted_reading(given, given.right) is not None:
                if cause is None:
                    return self.words.follows_own(key, list(context.own)), None
                return self.words.follows_mistake(key, cause), None
        for cause in self.factors:
            if off_by_the_same(question, cause):
                return self.words.follows_mistake(key, cause), None
        tried = [*((given, context) for given, context, _ in asked), (question, Context())]
        square = question.right.ndim == 2 and len(set(question.right.shape)) == 1
        for given, context in tried:
            found = self._explained(key, given, context)
            if found:
                return self.words.explained(key, found, square), found[0]
        for given, _ in [*tried[:1], *tried[-1:]]:
            found = self.ranked(key, two_mistakes(given, self.possible(key), self.facts))
            if found:
                return self.words.explained(key, found, square), found[0]
        return self.words.unknown(key, self._proved(key, question)), None

    def _after_mistakes(self, key: str, question: Question):
        """(question, context, cause) for the student's own deltas and earlier mistakes."""
        path = set(self.facts.backward.needed(key))
        own = {name: array for name, array in self.own.items() if name in path and name != key}
        causes: list[Hypothesis | None] = [None] if own else []
        for cause in [*causes, *self.mistakes]:
            context = Context(own, cause.changes if cause else {})
            try:
                right = np.asarray(self.facts.backward.value(key, context.changes, own))
            except (ValueError, IndexError):
                continue
            if np.isfinite(right).all() and right.shape == question.right.shape:
                S, forms = question.submitted, question.readings
                given = self._given(key, context, S, forms, question.precision, right)
                yield given, context, cause

    def _explained(self, key: str, question: Question, context: Context) -> list[Hypothesis]:
        """Everything that explains the numbers with the fewest mistakes, most likely first."""
        possible = self.possible(key)
        found = layout_alone(question, question.right)
        found += factor_alone(question, question.right, self.facts)
        found += one_mistake(question, [*possible, *everywhere(possible)], self.facts)
        found += stale_weights(question, self.facts, context)
        if key in self.facts.params:
            found += weight_decay(question, self.facts, question.right)
        found += other_quantities(question, self.facts)
        return self.ranked(key, found)

    def _unlikely(self, key: Key, h: Hypothesis) -> int:
        """The mistake's own rank; far from the object, or against a right one, it ranks lower."""
        path = self.facts.backward.needed(key) if isinstance(key, str) else ()
        places = [path.index(target) for target, _, _ in h.changes if target in path]
        between = path[max(places) + 1 :] if places else ()
        layers = sum(k.kind == "weights" for name in between for k in self.facts.backward.to[name])
        return h.prior + FARTHER * layers + INCONSISTENT * self._contradicts(h)

    def _contradicts(self, h: Hypothesis) -> bool:
        """Whether the mistake would have spoilt an object that is right."""
        for name, question in self.right.items():
            if h.changes and name != h.where:
                candidate = question.candidate(h.changes)
                if candidate is None or not any(
                    is_right(r.array, candidate, question.precision)
                    for r in question.forms(candidate)
                ):
                    return True
        return False

    def _remember(self, key: str, question: Question, best: Hypothesis | None) -> None:
        """A wrong delta is the student's own from here on; a mistake is made from here on."""
        if key not in self.facts.params:
            own = next((r.array for r in question.readings if r.accepted), question.submitted)
            self.own[key] = own
        elif best is not None and best.factor and not best.changes and best.by:
            if "weight-decay" not in best.labels:
                self.factors.append(best)
        elif best is not None and any(t not in self.facts.params for t, _, _ in best.changes):
            self.mistakes = [*self.mistakes, best][:MOST_CONTEXTS]

    def _not_finite(self, key: str, question: Question) -> Finding:
        """NaN is never right; it is known where the textbook's formula gives it too."""
        names = saturated(question, self.facts)
        said = not_finite(question.submitted)
        if not names:
            return self.words.unknown(key, [said])
        note = f"{', '.join(dict.fromkeys(names))} is saturated"
        h = Hypothesis(("saturated-nan",), 1, 0, names[0], note=note)
        return replace(self.words.explained(key, [h], False), proved=(said,))

    def _proved(self, key: str, question: Question) -> list[str]:
        array = next((r.array for r in question.readings if r.accepted), None)
        if array is not None and nearly_right(array, question.right):
            return [CLOSE]
        return proved(key, array, question.right, question.precision)

    @cached_property
    def _all_turned(self) -> bool:
        """Whether every weight gradient comes transposed: a layout, then, not a mistake."""
        weights = [k for k in self.arrays if k in self.facts.params and self.truth[k].ndim == 2]
        return len(weights) > 1 and all(self._may_be_turned(k) for k in weights)

    def _may_be_turned(self, key: str) -> bool:
        """Transposed by its shape; where that says nothing, right when it is turned."""
        S, right = self.arrays[key], self.truth[key]
        if S.shape != right.shape[::-1]:
            return False
        precision = precision_of(S, self.facts.state.dtype)
        return S.shape != right.shape or is_right(S.T, right, precision)


def off_by_the_same(question: Question, cause: Hypothesis) -> bool:
    """Whether the array is the right one times the number of an earlier mistake."""
    factor = cause.factor or 1.0
    return any(
        is_same(reading.array, factor * question.right, question.precision)
        for reading in question.readings
        if reading.accepted
    )
