"""The search: which mistakes reproduce the numbers that were handed in.

First one mistake, then one mistake with a factor or another layout, then two. The
first of these that explains the numbers ends the search, so two mistakes never
overrule one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..mutations.contractions import squeezed
from ..mutations.mutation import Facts, Variation
from ..passes.backward import Changes
from .matching import PROVE_A_FACTOR, PROVE_TWO, TIGHT, Precision, constant_ratio, is_same
from .ratios import named_ratios
from .readings import OTHER, Reading

REORDERED = (  # of a right array
    "they are read in column-major order for row-major, or reshaped where they should be transposed"
)
VANISHED = 1e-12  # of the terms of a sum: what is less is their rounding error
FARTHER = 30  # than single precision: by so much a mistake has to change the right array


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """Mistakes that together give exactly these numbers."""

    labels: tuple[str, ...]
    mistakes: int
    prior: int
    where: str = ""
    factor: float | None = None
    note: str = ""
    missing: str = ""  # the factor that is wrong or left out
    by: str = ""
    changes: Changes = field(default_factory=dict)
    layout: str = ""
    parts: tuple["Hypothesis", ...] = ()  # of a pair: what is said of each


@dataclass(frozen=True, eq=False)
class Context:
    """Student's own deltas and mistakes already found, from which the rest is judged."""

    own: Mapping[str, np.ndarray] = field(default_factory=dict)
    changes: Changes = field(default_factory=dict)
    names: tuple[str, ...] = ()  # of the student's own objects


@dataclass(frozen=True, eq=False)
class Question:
    """One object: how its value is computed, its readings, and how exact it can be."""

    name: str
    compute: Callable[[Changes], np.ndarray]
    submitted: np.ndarray
    readings: list[Reading]
    precision: Precision
    right: np.ndarray

    def candidate(self, changes: Changes) -> np.ndarray | None:
        """What these changes give; None where shapes do not fit or nothing is said."""
        try:
            found = np.asarray(self.compute(changes))
        except (ValueError, IndexError, TypeError, AttributeError, MemoryError):
            return None
        if not np.isfinite(found).all() or not np.any(found):
            return None
        return found

    def forms(self, candidate: np.ndarray) -> Iterator[Reading]:
        """The readings that have the candidate's shape."""
        if candidate.shape == self.right.shape:
            yield from self.readings
            return
        S = self.submitted
        if not S.size:
            return
        if squeezed(S.shape) == squeezed(candidate.shape):
            yield Reading(S.reshape(candidate.shape))
        if squeezed(S.T.shape) == squeezed(candidate.shape) and len(squeezed(S.shape)) > 1:
            yield Reading(S.T.reshape(candidate.shape), OTHER, "turned round", 20)


def one_mistake(
    question: Question, possible: Iterable[Variation], facts: Facts
) -> list[Hypothesis]:
    """Single variations, and the factors and layouts in which they come."""
    found: list[Hypothesis] = []
    tried: list[tuple[Variation, np.ndarray]] = []
    for variation in possible:
        candidate = question.candidate(variation.changes)
        if candidate is None or unchanged(candidate, question):
            continue
        tried.append((variation, candidate))
        found += agreeing(question, variation, candidate)
    if found:
        return found
    for variation, candidate in tried:
        found += proportional(question, variation, candidate, facts)
    return found


def unchanged(candidate: np.ndarray, question: Question) -> bool:
    """A mistake that cannot be seen at this run explains nothing."""
    right, precision = question.right, question.precision
    if candidate.shape != right.shape:
        return False
    slack = TIGHT if not precision.single else FARTHER * precision.relative
    slack = 3 * precision.relative if precision.digits else slack
    return bool(np.abs(candidate - right).max(initial=0.0) <= slack * np.abs(right).max(initial=0))


def agreeing(
    question: Question, variation: Variation, candidate: np.ndarray
) -> Iterator[Hypothesis]:
    """The variation itself, in each reading that agrees with it."""
    for reading in question.forms(candidate):
        same = is_same(reading.array, candidate, question.precision)
        if same or both_vanish(reading.array, candidate, question.right):
            wrong_layout = not reading.accepted
            labels = (variation.label, reading.label) if wrong_layout else (variation.label,)
            yield Hypothesis(
                labels,
                1 + wrong_layout,
                variation.prior + reading.prior,
                variation.where,
                None,
                variation.note,
                missing_of(variation),
                "",
                variation.changes,
                reading.layout,
            )


def both_vanish(submitted: np.ndarray, candidate: np.ndarray, right: np.ndarray) -> bool:
    """Deltas that cancel, one sum an example: rounding errors, in a shape of their own."""
    if submitted.shape != candidate.shape or candidate.shape == right.shape:
        return False
    if not np.any(submitted):
        return False
    floor = VANISHED * np.abs(right).max(initial=0.0)
    return bool(max(np.abs(submitted).max(), np.abs(candidate).max()) <= floor)


def proportional(
    question: Question, variation: Variation, candidate: np.ndarray, facts: Facts
) -> Iterator[Hypothesis]:
    """The variation times a number that one more slip explains."""
    for reading in question.forms(candidate):
        rounding = VANISHED * question.precision.terms
        if not reading.accepted or np.abs(reading.array).max(initial=0.0) <= rounding:
            continue
        c = constant_ratio(reading.array, candidate, question.precision, PROVE_TWO)
        if c is None:
            continue
        for named in named_ratios(c, facts, 1, question.precision.relative):
            meant = named.value * candidate
            if unchanged(meant, question) or not is_same(reading.array, meant, question.precision):
                continue
            yield Hypothesis(
                (variation.label, *named.labels),
                1 + len(named.labels),
                variation.prior + named.prior,
                variation.where,
                named.value,
                variation.note,
                missing_of(variation),
                f"{named.value:.6g}",
                variation.changes,
                reading.layout,
            )


def factor_alone(question: Question, right: np.ndarray, facts: Facts) -> list[Hypothesis]:
    """The right array times a number."""
    found = []
    entries = int(np.count_nonzero(right))
    for reading in question.readings:
        c = constant_ratio(reading.array, right, question.precision)
        if c is None or abs(c - 1) < 1e-6:
            continue
        for named in named_ratios(c, facts, entries, question.precision.relative, question.name):
            wrong = (reading.label,) if not reading.accepted else ()
            meant = named.value * right
            if not is_same(reading.array, meant, question.precision, PROVE_A_FACTOR):
                continue
            found.append(
                Hypothesis(
                    (*named.labels, *wrong),
                    len(named.labels) + len(wrong),
                    named.prior + reading.prior,
                    question.name,
                    named.value,
                    named.note,
                    by=f"{named.value:.6g}",
                    layout=reading.layout,
                )
            )
    return found


def layout_alone(question: Question, right: np.ndarray) -> list[Hypothesis]:
    """The right array in the wrong layout: one that is not the same in the right one."""
    if not np.any(right) or any(
        r.accepted and is_same(r.array, right, question.precision) for r in question.readings
    ):
        return []
    return [
        Hypothesis((r.label,), 1, r.prior, question.name, note=REORDERED, layout=r.layout)
        for r in question.readings
        if np.any(right)
        and not r.accepted
        and is_same(r.array, right, question.precision, PROVE_A_FACTOR)
    ]


def everywhere(possible: list[Variation]) -> list[Variation]:
    """The same slip in every layer, or in all but the last: one mistake in a loop."""
    groups: dict[tuple[str, str], list[Variation]] = {}
    for v in possible:
        groups.setdefault((v.label.replace("-output", ""), v.tag), []).append(v)
    found = []
    for group in groups.values():
        top = group[-1].line.key  # a loop over the hidden layers leaves it alone
        for chosen in ([v for v in group if v.line.key != top], group):
            distinct = {v.line.key: v for v in chosen}
            if len(distinct) < 2:
                continue
            changes: dict = {}
            for v in reversed(distinct.values()):  # what is said is of the first one
                changes |= v.changes
            first, last = chosen[0], chosen[-1]
            found.append(
                Variation(
                    first.label,
                    last.prior + 2 + (chosen is group),
                    changes,
                    first.where,
                    first.line,
                    first.note,
                    last.tag,
                    True,
                    first.missing,
                )
            )
    return found


def missing_of(variation: Variation) -> str:
    """The factor of the right line, by its name."""
    factors = variation.line.factors
    return variation.missing or (factors[0].name if factors else "")
