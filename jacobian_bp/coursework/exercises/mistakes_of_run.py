"""The known mistakes in a run's backward pass, for the page of its derivation.

Each is planted in one line of the right pass; what it changes is computed by the pass itself:
the Jacobian of that line, and every error and gradient that follows from it. It stands on the
page where a step has the very same right numbers, in the step's axes; else with its name alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ...derivation.derivation import Derivation
from ...derivation.ledger import DeltaStep, ForwardStep, GradientStep, LocalStep
from ...derivation.page.explored import ENTRIES, NUMBERS, PATTERNS, Explored
from ...derivation.page.page_of import Step, places_of
from ...document.mistakes import OTHER, Changed, Mistake
from ...network.run import Run
from ...numbers.arrays import quiet
from ...numbers.rounding import agree, differing, of_formulas
from ...writing.signs import dims, plural
from ..diagnosis.evidence.search import Hypothesis, missing_of
from ..diagnosis.filled_sentences import Words
from ..diagnosis.mutations.mutation import Facts, Variation, variations
from ..diagnosis.passes.backward import Backward, LineKey
from ..diagnosis.passes.pass_lines import backward_pass
from ..diagnosis.speech import Speech
from .secrecy import SAFE_RATIOS, Gate
from .symptoms import symptom

MOST_MISTAKES = 40  # on one page: the likeliest
MOST_MARKED = 400  # entries of an object that are marked one by one
TOO_LARGE = "A marked number says by how much an entry is too large; the others stay as they are."
MARKED = f"A {OTHER} marks an entry that the mistake changes; the others stay as they are."
NOT_RUN = (ValueError, IndexError, TypeError, AttributeError, MemoryError)

Array = np.ndarray


@quiet
def explored(
    run: Run, derivation: Derivation, level: int = NUMBERS, everything: bool = False
) -> Explored:
    """The mistakes that change a gradient of the run, the likeliest, in the order of the pass.

    `level` says what the page tells: 0 which objects a mistake changes, 1 which entries, 2 the
    pattern, 3 by how much; below 3 no number that was computed from the run is on it.
    """
    found, more = _Pages(run, derivation, level, everything).mistakes()
    told = level >= NUMBERS
    key = TOO_LARGE if told else MARKED if level >= ENTRIES else ""
    return Explored(tuple(found), _about(len(found), more, told), key if found else "", told)


def _about(count: int, more: bool, told: bool) -> str:
    if not count:
        return "No known mistake changes a gradient of this run."
    said = "Choose a mistake, to see which Jacobian it changes, and what follows from it."
    said += "" if told else " The right numbers are not on this page."
    return said + f" Of all that are known the {count} likeliest stand here." * more


@dataclass(frozen=True, eq=False)
class _Object:
    """What a mistake may change: the step that shows it, and its right numbers in both axes."""

    place: str
    step: Step
    right: Array  # as the backward pass has it
    order: tuple[int, ...] | None  # of its axes on the page; None where the page has it otherwise
    times: float = 1.0

    def shown(self, array: Array) -> Array:
        """An array of the pass as the step has it."""
        return array.transpose(self.order) * self.times


class _Pages:
    """The mistakes of one run, and where on the page of its derivation they are seen."""

    def __init__(self, run: Run, derivation: Derivation, level: int, everything: bool) -> None:
        self.derivation, self.level = derivation, level
        self.facts = Facts(backward_pass(run.forward_pass), frozenset())
        self.backward: Backward = self.facts.backward
        self.words = Words(self.facts)
        written = derivation.convention
        self.speech = Speech(written.examples == "columns", written.weights == "in,out")
        self.params = run.forward_pass.program.params
        self.steps = places_of(derivation, everything)
        self.written = {
            **{s.name: s.value for s in derivation.forward if isinstance(s, ForwardStep)},
            **dict(derivation.given),
            **dict(derivation.parameters),
        }
        self.objects = dict(self._objects())
        numbers = [np.abs(np.ravel(a)) for a in self.backward.base.values()]
        m = str(self.facts.examples)
        ratios = frozenset({*SAFE_RATIOS, m, f"1/{m}"})
        self.gate = Gate(np.unique(np.concatenate(numbers)), ratios)

    def mistakes(self) -> tuple[list[Mistake], bool]:
        """Each way to go wrong once, in the order of the pass; and whether there are more."""
        likeliest: dict[tuple[str, LineKey], Variation] = {}
        for name in self.backward.order:
            for line in self.backward.to.get(name, ()):
                for found in variations(line, self.facts):
                    key = found.label, line.key
                    if key not in likeliest or found.prior < likeliest[key].prior:
                        likeliest[key] = found
        made: dict[tuple[bytes, ...], tuple[Variation, Mistake]] = {}
        for found in sorted(likeliest.values(), key=lambda each: each.prior):
            wrong = self._wrong(found)
            numbers = tuple(f"{name}{a.shape}".encode() + a.tobytes() for name, a in wrong.items())
            if not wrong or numbers in made:
                continue
            mistake = self._mistake(found, wrong)
            if not mistake.changes:
                continue
            if len(made) == MOST_MISTAKES:
                return self._in_order(made.values()), True
            made[numbers] = found, mistake
        return self._in_order(made.values()), False

    def _in_order(self, made: Iterable[tuple[Variation, Mistake]]) -> list[Mistake]:
        places = {line.key: place for place, line in enumerate(self.backward.lines)}
        return [m for _, m in sorted(made, key=lambda one: places[one[0].line.key])]

    def _wrong(self, found: Variation) -> dict[str, Array]:
        """The errors and gradients that a mistake changes; none where a later step cannot run."""
        right = self.backward.base
        try:
            values = self.backward.values(found.changes)
        except NOT_RUN:
            return {}
        values = {name: np.asarray(value) for name, value in values.items()}
        if not all(np.isfinite(value).all() for value in values.values()):
            return {}
        wrong = {n: v for n, v in values.items() if n in right and _differs(v, right[n])}
        return wrong if any(name in self.params for name in wrong) else {}

    def _mistake(self, found: Variation, wrong: dict[str, Array]) -> Mistake:
        note, factor = found.note, missing_of(found)
        h = Hypothesis(
            (found.label,), 1, found.prior, found.where, None, note, factor, changes=found.changes
        )
        said = self.speech.said(self.words.sentence(found.label, found.line.target, h))
        if self.level < NUMBERS:
            said = self.gate.guarded(said, found.label)
        names = [name for name in self.objects if name in wrong]
        follows = (self._changed(name, wrong[name]) for name in names)
        return Mistake(said, (*self._own(found), *follows))

    def _own(self, found: Variation) -> list[Changed]:
        """The Jacobian of the line at which the mistake sits, where the page has it as a step."""
        line = found.line
        name = f"∂{line.source}/∂{line.target}"
        place = next((p for p, s in self.steps.items() if s.name == name), "")
        if not place or not isinstance(step := self.steps[place], LocalStep):
            return []
        here = "The mistake sits here."
        if step.entries > MOST_MARKED:
            return [Changed(name, (here,), place=place)]
        try:
            changes = dict(found.changes)
            right = self.backward.jacobian(line.source, line.target)
            wrong = np.asarray(self.backward.jacobian(line.source, line.target, changes))
        except NOT_RUN:
            return [Changed(name, (here,), place=place)]
        value = step.jacobian.materialise(finite=False)
        split = np.ndim(self.facts.values[line.source])
        order = self._order(line.source, line.target, right, value, split)
        if order is None or wrong.shape != right.shape or not np.isfinite(wrong).all():
            return [Changed(name, (here,), place=place)]
        seen = _Object(place, step, right, order)
        return [self._compared(name, seen, wrong, [here])]

    def _objects(self) -> Iterator[tuple[str, _Object]]:
        """Each error and each gradient that the page has as a step, in its order."""
        for place, step in self.steps.items():
            _, _, name = step.name.partition("/∂")
            if isinstance(step, LocalStep) or name not in self.backward.base:
                continue
            right = self.backward.base[name]
            value = np.reshape(_numbers(step), [axis.size for axis in step.axes])
            scales = (1.0, float(self.facts.examples or 1))  # of each example, without the 1/m
            orders = {times: self._order("", name, right * times, value, 0) for times in scales}
            times = next((t for t, order in orders.items() if order is not None), 1.0)
            yield name, _Object(place, step, right, orders[times], times)

    def _order(
        self, of: str, wrt: str, right: Array, value: Array, split: int
    ) -> tuple[int, ...] | None:
        """How the axes of an array of the pass stand on the page, if it has the same numbers."""
        for first in self._orders(of):
            for second in self._orders(wrt):
                order = (*first, *(split + axis for axis in second))
                if len(order) == right.ndim and agree(
                    right.transpose(order), value, of_formulas(value)
                ):
                    return order
        return None

    def _orders(self, name: str) -> list[tuple[int, ...]]:
        """The orders of the axes of a value in which the page may have it."""
        own, there = self.facts.values.get(name), self.written.get(name)
        if own is None or own.ndim < 2 or there is None:
            return [tuple(range(np.ndim(own)))] if own is not None else [()]
        return [p for p in permutations(range(own.ndim)) if np.array_equal(own.transpose(p), there)]

    def _changed(self, name: str, wrong: Array) -> Changed:
        """An error or a gradient: which entries differ, and by which pattern."""
        seen = self.objects[name]
        return self._compared(seen.step.name, seen, wrong, [])

    def _compared(self, name: str, seen: _Object, wrong: Array, said: list[str]) -> Changed:
        if wrong.shape != seen.right.shape:
            plain = seen.order == tuple(range(seen.right.ndim))  # else the page has other axes
            shapes = f": {dims(wrong.shape)}, where {dims(seen.right.shape)} is right" * plain
            said = [*said, f"It has another shape{shapes}."]
            return Changed(name, tuple(said), place=seen.place)
        if self.level >= PATTERNS:
            pattern = self.gate.guarded(symptom(wrong, seen.right, self.facts.examples), "")
            said = [*said, *[f"{pattern[:1].upper()}{pattern[1:]}."] * bool(pattern)]
        if seen.order is None or self.level < ENTRIES:
            return Changed(name, tuple(said), place=seen.place)
        wrong, right = seen.shown(wrong), seen.shown(seen.right)
        differs = differing(wrong, right, of_formulas(right))
        if differs.size > MOST_MARKED:
            said = [
                *said,
                f"{differs.sum():,} of {plural(differs.size, 'entry', 'entries')} differ.",
            ]
            return Changed(name, tuple(said), place=seen.place)
        gaps = wrong - right if self.level >= NUMBERS else None
        return Changed(name, tuple(said), differs, gaps, seen.place)


def _numbers(step: DeltaStep | GradientStep) -> Array:
    return step.row if isinstance(step, DeltaStep) else step.value


def _differs(wrong: Array, right: Array) -> bool:
    return wrong.shape != right.shape or not agree(wrong, right, of_formulas(right))
