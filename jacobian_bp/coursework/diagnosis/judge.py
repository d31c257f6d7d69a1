"""One object after another: right, right given what came before, or wrong in a known way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from ...derivation.convention import Convention
from .diagnosis import Finding, Key
from .each_example import DECLARED, IF_IN_GRADIENTS, REMARK, each_example
from .edits import edits_of
from .evidence.earlier import Earlier
from .evidence.matching import Precision
from .evidence.other_quantities import other_quantities
from .evidence.own_numbers import kinks, stale_weights, weight_decay
from .evidence.proofs import nearly_right, not_finite, proved
from .evidence.readings import OTHER, Reading, readings
from .evidence.rounded_on_paper import carried, unrounded
from .evidence.saturation import by_subtraction, said_of, saturated, saturated_outputs
from .evidence.search import (
    Context,
    Hypothesis,
    Question,
    everywhere,
    factor_alone,
    layout_alone,
    one_mistake,
)
from .evidence.strength import off_by_the_same, proved_only, tried_all
from .evidence.two_mistakes import pairs
from .filled_sentences import Words, accepted_reading, in_single, promoted_reading
from .handed_in import Handed
from .inside_formulas import Inside
from .mutations.mutation import Facts, Variation, variations
from .orientation import Orientation
from .passes.backward import BUDGET, Changes, Line, LineKey
from .ranking import ranked

MOST_STEPS = 250_000  # lines that all variations of one object compute, in a very deep network
MOST_OBJECTS = 10  # whose whole budget may be spent
LOST = "{a} is 0 or 1 to rounding: what divides by {a} (1 − {a}) has no digits, clipped or not."
CUT = "The search was cut short: the network is too large for every mistake to be tried."

Lister = Callable[[Line, Facts], list[Variation]]  # the mistakes in one line


class Deeper:
    """The same arrays judged where the formulas are written out; made when it is first asked."""

    def __init__(self, made: "Callable[[], Judge | None]", keys: Sequence[str]) -> None:
        self._made, self._keys = made, keys
        self._found: dict[str, Finding] = {}

    @cached_property
    def _judge(self) -> "Judge | None":
        return self._made()

    def finding(self, key: str) -> Finding | None:
        """One object, judged from those before it; None where there is nothing to write out."""
        if self._judge is None:
            return None
        for other in self._keys[: self._keys.index(key) + 1]:
            if other not in self._found:
                self._found[other] = self._judge.finding(other)
        return self._found[key]


class Judge:
    """Judges the objects of one submission in the order in which they are asked for."""

    def __init__(
        self,
        facts: Facts,
        truth: Mapping[str, np.ndarray],
        arrays: Mapping[Key, np.ndarray],
        exact: Mapping[Key, Precision],
        layout: str | None,
        handed: Mapping[Key, Handed],
        in_own_shape: bool = False,
        written: Convention | None = None,
        inside: Inside | None = None,
    ) -> None:
        self.facts, self.truth, self.arrays, self.exact = facts, truth, arrays, exact
        self.declared, self.layout, self.handed = layout, layout or "gradient", handed
        self.written, self.inside = written, inside
        self.deeper: Deeper | None = None
        self.words = Words(facts, written)
        self.variations: dict[tuple[Lister, LineKey], list[Variation]] = {}
        self.earlier = Earlier(facts)
        self.right: dict[str, Question] = {}
        self.total = MOST_OBJECTS * BUDGET
        self.cut = False  # whether the mistakes of this object were not all listed
        orientation = Orientation(facts, truth, arrays, exact)
        asked = written is None  # else every array stands in our axes already
        self.turned = asked and not in_own_shape and orientation.weights_turned(self.layout)
        self.in_columns = asked and orientation.in_columns()

    def finding(self, key: str) -> Finding:
        """What is said about one gradient or delta."""
        self.begin()
        found = self._finding(key)
        more = ""
        if found.ok and self.handed[key].times != 1:
            more = DECLARED.format(name=key)
        elif found.ok and key in self.each:
            more = REMARK.format(name=key)
        elif found.label == "missing-batch-mean" and self._may_be_of_each_example(key):
            more = IF_IN_GRADIENTS.format(name=key)
        return replace(found, sentences=(*found.sentences, more)) if more else found

    def _may_be_of_each_example(self, key: str) -> bool:
        """Whether a delta is handed in without a gradient that would show where the 1/m stands."""
        params = self.facts.params
        return key in self.facts.state.batched and params.isdisjoint(self.arrays)

    def begin(self) -> None:
        """A new object has a budget of its own, as long as there is any."""
        self.facts.backward.budget = min(BUDGET, self.total)
        self.cut = False

    def was_cut(self) -> list[str]:
        """What is said where the search ended before every mistake was tried."""
        left = self.facts.backward.budget
        self.total -= BUDGET - max(left, 0)
        return [CUT] if self.cut or left < 0 else []

    def _finding(self, key: str) -> Finding:
        question = self._question(key)
        if not question.readings and not self.facts.fits(question.submitted.shape):
            # nothing is computed from it: it may be empty, and stand for gigabytes
            return self.words.unknown(key, self._facts_proved(key, question))
        if not np.isfinite(question.submitted).all():
            return self._not_finite(key, question)
        accepted = accepted_reading(question, question.right)
        if accepted is not None:
            self.right[key] = question
            return self.words.right(key, accepted, question)
        kinked = tried_all(kinks(question, self.facts, Context()))
        if kinked:
            return self.words.explained(key, kinked[:1], False)
        if self._right_by_subtraction(key, question):
            return self.words.rounded(key, saturated_outputs(question, self.facts))
        finding, best, meant = self._wrong(key, question)
        if finding.label == "correct-float32":
            self.right[key] = question
        else:
            self._remember(key, question, best, meant)
        return finding

    def _remember(
        self, key: str, question: Question, best: Hypothesis | None, meant: Question | None
    ) -> None:
        """What comes after is judged from it: from the exact numbers, where they are known."""
        array = next((r.array for r in question.readings if r.accepted), question.submitted)
        if question.precision.digits and key not in self.facts.params:
            asked = [given for given, _, _ in self._after_mistakes(key, question)]
            array, units = unrounded(array, [*asked, question], best, meant)
            self.earlier.units[key] = units
        self.earlier.remember(key, array, best)

    def path(self, key: str, context: Context) -> tuple[str, ...]:
        """Where a mistake may sit: not behind a delta that is right or the student's own."""
        return self.facts.backward.since(key, {*self.right, *context.own})

    def possible(self, path: Sequence[str], listed: Lister = variations) -> list[Variation]:
        """The mistakes in the lines to these names, the last name's first."""
        allowed, steps = set(path), 0
        found: list[Variation] = []
        for distance, name in enumerate(reversed(path), start=1):
            for line in self.facts.backward.to.get(name, ()):
                kept = (listed, line.key)
                if self.inside is not None and line.source not in self.inside.formulas:
                    continue  # what may be wrong outside of formulas has been tried
                if kept not in self.variations:
                    self.variations[kept] = listed(line, self.facts)
                here = [
                    v
                    for v in self.variations[kept]
                    if v.changes and all(target in allowed for target, _, _ in v.changes)
                ]
                if name == path[-1]:  # what was handed in, also where z is on paper, not a
                    here = [replace(v, where=name) for v in here]
                found += here
                steps += distance * len(here)
            if steps > MOST_STEPS:
                self.cut = True
                break
        return found

    def ranked(self, key: Key, found: list[Hypothesis]) -> list[Hypothesis]:
        """Those with the fewest mistakes, most likely first."""
        return ranked(key, found, self.facts.backward, self.right)

    def _question(self, key: str) -> Question:
        S = self.arrays[key]
        if key not in self.each:
            return self._reading(key, S)
        m = self.facts.examples
        return self._reading(key, S / m, float(m))

    def _reading(self, key: str, S: np.ndarray, times: float = 1.0) -> Question:
        right = self.truth[key]
        batched = key in self.facts.state.batched and right.ndim > 0
        forms = readings(S, right.shape, self.layout, batched)
        if self.in_columns if batched else self.turned:
            forms = [replace(r, label=OTHER) if r.label == "transposed" else r for r in forms]
        if batched and self.in_columns and is_square(right):
            forms = [r for r in forms if r.label == OTHER]  # not the one with examples in rows
        precision = replace(self.exact[key], terms=self.facts.backward.terms(key))
        precision = replace(precision, times=precision.times * times)
        return self._given(key, Context(), S, forms, precision, right)

    @cached_property
    def each(self) -> frozenset[str]:
        """The deltas that are meant for each example, without the 1/m."""

        def right(key: str, S: np.ndarray) -> bool:
            return accepted_reading(self._reading(key, S), self.truth[key]) is not None

        if self.written is not None and self.written.mean is not None:
            return frozenset()  # said already: the arrays are brought to our scale
        return each_example(self.facts, self.arrays, right)

    def _right_by_subtraction(self, key: str, question: Question) -> bool:
        """Right as a − y gives it in floating point, where an output is saturated."""
        if not saturated_outputs(question, self.facts):
            return False
        plain = self.facts.backward.value(key, by_subtraction(self.facts))
        return accepted_reading(question, plain) is not None

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

    def _wrong(
        self, key: str, question: Question
    ) -> tuple[Finding, Hypothesis | None, Question | None]:
        """Judged given what came before; then by every known mistake.

        With the finding come the mistake, or else the question that the answer is right in.
        """
        asked = list(self._after_mistakes(key, question))
        for given, context, cause in asked:
            if accepted_reading(given, given.right) is not None and self._follows(given, context):
                if cause is None:
                    return self._follows_own(key, context, given), None, given
                return self.words.follows_mistake(key, cause), None, given
        for cause in self.earlier.factors:
            if off_by_the_same(question, cause):
                return self.words.follows_mistake(key, cause), None, None
        tried = [(g, context, self.words.premise(context.names, c)) for g, context, c in asked]
        tried += [(question, Context(), "")]
        found, premise = self._fewest(key, tried)
        if not found:
            single = promoted_reading(question)
            if single is not None:
                return self.words.right(key, single, in_single(question)), None, question
            for given, context, cause in asked:
                if cause is None and self._follows(given, context) and promoted_reading(given):
                    return self._follows_own(key, context, given), None, given
            deeper = self.deeper.finding(key) if self.deeper else None
            if deeper is not None and deeper.label != "unknown":
                return deeper, None, None
            for given, context, what in tried if len(tried) < 2 else (tried[0], tried[-1]):
                if not found:
                    found, premise = self._pairs(key, given, context), what
        if found:
            square = is_square(question.right)
            return self.words.explained(key, found, square, premise), found[0], None
        said = self._proved(key, question)
        return self.words.unknown(key, said + self.was_cut()), None, None

    def _follows_own(self, key: str, context: Context, given: Question) -> Finding:
        return self.words.follows_own(key, context.names, not np.any(given.right))

    def _follows(self, given: Question, context: Context) -> bool:
        """Zeros follow from the student's own zeros, and from nothing else."""
        if np.any(given.right):
            return True
        return bool(context.own) and not any(np.any(own) for own in context.own.values())

    def _fewest(
        self, key: str, tried: list[tuple[Question, Context, str]]
    ) -> tuple[list[Hypothesis], str]:
        """What explains the numbers with the fewest mistakes, from own objects or right ones.

        With it comes the premise: what the numbers are compared with, if not the right ones.
        """
        best: list[Hypothesis] = []
        premise = ""
        for given, context, what in tried:
            found = self._explained(key, given, context)
            if found and (not best or found[0].mistakes < best[0].mistakes):
                best, premise = found, what
            if best and best[0].mistakes == 1:
                break
        return best, premise

    def _after_mistakes(self, key: str, question: Question):
        """(question, context, cause) for the student's own objects and earlier mistakes."""
        for context, cause in self.earlier.contexts(key):
            try:
                right = np.asarray(self.facts.backward.value(key, context.changes, context.own))
            except (ValueError, IndexError):
                continue
            if np.isfinite(right).all() and right.shape == question.right.shape:
                S, forms = question.submitted, question.readings
                more = carried(self.facts.backward, key, self.earlier.units, context.own, right)
                precision = replace(question.precision, carried=more)
                given = self._given(key, context, S, forms, precision, right)
                yield given, context, cause

    def _explained(self, key: str, question: Question, context: Context) -> list[Hypothesis]:
        """Everything that explains the numbers with the fewest mistakes, most likely first."""
        path = self.path(key, context)
        possible = self.possible(path)
        found = layout_alone(question, question.right)
        found += factor_alone(question, question.right, self.facts)
        found += one_mistake(question, self._with_several(possible), self.facts)
        found += tried_all(stale_weights(question, self.facts, context, path))
        if key in self.facts.params:
            known = self.earlier.decays
            found += weight_decay(question, self.facts, question.right, known)
        found += other_quantities(question, self.facts)
        found = proved_only(found, question)
        if not any(h.mistakes == 1 and (h.changes or h.factor or h.layout) for h in found):
            edits = self.possible(path, edits_of)
            more = one_mistake(question, self._with_several(edits), self.facts)
            found += proved_only(more, question)
        return self.ranked(key, found)

    def _with_several(self, possible: list[Variation]) -> list[Variation]:
        """Each variation, in a formula at every use of it; then the same slip in every layer."""
        once = possible if self.inside is None else self.inside.at_every_use(possible)
        return [*once, *everywhere(possible)]

    def _pairs(self, key: str, question: Question, context: Context) -> list[Hypothesis]:
        """Two mistakes that explain the numbers together, most likely first."""
        if self.inside is not None:
            return []  # of two inside a formula there are too many
        path = self.path(key, context)
        found = pairs(question, self.facts, context, path, self.possible(path))
        return self.ranked(key, proved_only(found, question))

    def _not_finite(self, key: str, question: Question) -> Finding:
        """NaN is never right; it is known where the textbook's formula gives it too."""
        names = saturated(question, self.facts)
        said = not_finite(self.handed[key].array, self.handed[key].place)
        if not names:
            return self.words.unknown(key, [said])
        note = said_of(names, self.facts)
        h = Hypothesis(("saturated-nan",), 1, 0, names[0], note=note)
        return replace(self.words.explained(key, [h], False), proved=(said,))

    def _proved(self, key: str, question: Question) -> list[str]:
        array = next((r.array for r in question.readings if r.accepted), None)
        close = [] if array is None else nearly_right(array, question.right)
        if close:
            return close
        said = [LOST.format(a=a) for a in saturated_outputs(question, self.facts)]
        return said + self._facts_proved(key, question)

    def _facts_proved(self, key: str, question: Question) -> list[str]:
        """What is certain, said of the array as it was handed in: its rows, its columns."""
        handed, right = self.handed[key], question.right
        name, plain = self.words.object(key), replace(question.precision, times=1.0)
        reading = next((r for r in question.readings if r.accepted), None)
        if reading is None:
            return proved(name, None, handed.own(right), plain)
        place = replace(handed.place, of_vector="unit" if right.ndim == 1 else "entry")
        times = self.facts.examples if key in self.each else 1
        meant = handed.laid(right, reading.turned) * times
        return proved(name, handed.array.astype(np.float64), meant, plain, place)


def is_square(array: np.ndarray) -> bool:
    return array.ndim == 2 and array.shape[0] == array.shape[1]
