"""What the page knows of one step: its formula, factors, entries, layouts and stages.

Every number, place, reason and sentence is made here; the script moves and colours them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...algebra.axes import Axis
from ...algebra.expression import Delta, Dense, Distinct, Expression, Factor, One
from ...algebra.layouts import LAYOUTS
from ...algebra.positions.position_factors import At
from ...document.palette import ZERO, level
from ...writing.mathml import mathml, signs, symbol
from ...writing.signs import dims, fraction, number, safe
from ..ledger import DeltaStep, GradientStep, LocalStep
from .filled_in import SPACE, FilledIn, Spell, gap
from .places import Head, Laid, laid, rounded
from .spent_deltas import Frame, Spent, spent_deltas

MOST_ENTRIES = 600
LONGEST = 7  # signs in a cell
MOST_SHOWN = 12  # numbers of a factor
NOTHING = "·"  # in a cell that is zero for every input
WITHHELD = "can be other than zero; the number is not told"

Object = dict[str, Any]  # as the script reads it


@dataclass(frozen=True, eq=False)
class _Facts:
    name: str  # ∂z2/∂W2, δ2
    out: tuple[Axis, ...]
    wrt: tuple[Axis, ...]
    expression: Expression
    layout: str
    count: str
    spell: Spell

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (*self.out, *self.wrt)

    def said(self, text: object) -> str:
        """A text in the names of the convention, primes as primes."""
        return self.spell(safe(text)).replace("'", "′")


def object_of(
    step: LocalStep | DeltaStep | GradientStep,
    layout: str,
    spell: Spell,
    sentence: Spell,
    numbers: bool = True,
) -> Object:
    """All that the page shows of a step; without entries where these are too many.

    `spell` writes a text in the names of a convention, `sentence` does so as markup. Without
    `numbers` each entry has its formula, and whether it is zero for every input, alone.
    """
    if isinstance(step, LocalStep):
        jacobian = step.jacobian
        found = jacobian.links[0].expression
        count = f"{step.nonzeros:,} of {step.entries:,} entries can be ≠ 0: {step.structure}"
        name, out, wrt = step.name, jacobian.out_axes, jacobian.wrt_axes
    else:
        name = step.symbol if isinstance(step, DeltaStep) else step.name
        found, out, wrt, count = step.expression, (), step.axes, ""
    facts = _Facts(name, out, wrt, found, layout, count, spell)
    size = int(np.prod([axis.size for axis in facts.axes], dtype=object))
    chips = _chips(facts, numbers)
    made: Object = {
        "name": facts.said(name),
        "title": mathml(spell(safe(name))),
        "says": _says(facts),
        "formula": _formula(facts, list(chips)),
        "chips": [*chips.values()],
    }
    if isinstance(step, GradientStep) and numbers:
        spent = spent_deltas(step)
        if spent is not None:
            made["spent"] = _stages(spent, spell, sentence)
    if size > MOST_ENTRIES:
        return without_entries(made, size)
    if isinstance(step, LocalStep):
        possible = step.jacobian.can_be_nonzero()
        value = step.jacobian.materialise(finite=False) if numbers else np.ones(possible.shape)
    else:
        value = np.reshape(_in_order(step), [axis.size for axis in wrt])
        possible = np.ones(value.shape, bool)
    if not numbers:
        made |= {"withheld": WITHHELD}
    return made | _entries(facts, value, possible, numbers)


def without_entries(made: Object, size: int | None = None) -> Object:
    """The object of a page that would be too large with its entries; it says so."""
    size = len(made["cells"]) if size is None else size
    stays = ("name", "title", "says", "formula", "chips", "drawn")
    kept = {key: made[key] for key in stays if key in made}
    return kept | {"left_out": f"Its {size:,} entries are left out, to keep this page small."}


def _in_order(step: DeltaStep | GradientStep) -> np.ndarray:
    """The numbers of a row in the order of the axes of its variable."""
    return step.row if isinstance(step, DeltaStep) else step.value


def _entries(
    facts: _Facts, value: np.ndarray, possible: np.ndarray, numbers: bool = True
) -> Object:
    filled = FilledIn(facts.expression, facts.axes, facts.spell)
    finite = np.abs(value[np.isfinite(value)])
    largest = float(finite.max(initial=0.0))
    cells, reasons = [], {"": 0}
    for index in np.ndindex(value.shape):
        one, stands = float(value[index]), bool(possible[index])
        made = filled.entry(index, one, stands)
        shown = (_short(one), level(one, largest)) if numbers else ("", ZERO)
        cells.append(
            [
                *(shown if stands else (NOTHING, -1)),
                "|".join(made.indices),
                made.numbers if numbers else "",
                reasons.setdefault(made.reason, len(reasons)),
            ]
        )
    places = {layout: laid(layout, facts.out, facts.wrt) for layout in LAYOUTS}
    return {
        "axes": [axis.name for axis in facts.axes],
        "sizes": list(value.shape),
        "outputs": len(facts.out),
        "called": _called(facts),
        "lead": _lead(facts),
        "template": filled.template,
        "cells": cells,
        "reasons": list(reasons),
        "layout": facts.layout,
        "layouts": {name: _placed(facts, found) for name, found in places.items()},
    }


def _placed(facts: _Facts, found: Laid) -> Object:
    words = f"{found.shape}, axes {facts.said(found.axes)}"
    return {
        "facts": f"{words}; {facts.count}" if facts.count else words,
        "spots": [coordinate for spot in found.spots for coordinate in spot],
        "heads": [_margin(facts.said(head.text), head) for head in found.heads],
        "size": found.size,
    }


def _margin(text: str, head: Head) -> list[Any]:
    return [rounded(head.x), rounded(head.y), text, int(head.slice), head.at]


def _called(facts: _Facts) -> str:
    """∂z2[]/∂W2[], as a reader hears it: with gaps for the indices of an entry."""
    of, by = _parts(facts)
    out, wrt = f"[{gap('o')}]" * bool(facts.out), f"[{gap('w')}]" * bool(facts.wrt)
    return f"∂{of}{out}/∂{by}{wrt}" if by else f"{of}{wrt}"


def _lead(facts: _Facts) -> str:
    """The same in MathML."""
    of, by = _parts(facts)

    def indexed(text: str, axis: str, axes: Sequence[Axis]) -> str:
        return f"<msub>{symbol(text)}<mtext>{gap(axis)}</mtext></msub>" if axes else signs(text)

    if not by:
        return indexed(of, "w", facts.wrt)
    top, below = indexed(of, "o", facts.out), indexed(by, "w", facts.wrt)
    return f"<mfrac><mrow><mi>∂</mi>{top}</mrow><mrow><mi>∂</mi>{below}</mrow></mfrac>"


def _parts(facts: _Facts) -> tuple[str, str]:
    """z2 and W2 of ∂z2/∂W2, spelled; a name that is no fraction, δ2 or dW2, and nothing."""
    whole = facts.spell(safe(facts.name))
    of, slash, by = facts.name.removeprefix("∂").partition("/∂")
    if not slash or not whole.startswith("∂"):
        return whole, ""
    return facts.spell(safe(of)), facts.spell(safe(by))


def _head(facts: _Facts) -> str:
    """∂z2/∂W2[k,k',i']"""
    own = ",".join(axis.name for axis in facts.axes)
    return f"{facts.name}[{own}]" if own else facts.name


def _says(facts: _Facts) -> str:
    """The formula as a reader hears it."""
    return facts.said(f"{_head(facts)} = {facts.expression}")


def _formula(facts: _Facts, known: list[str]) -> str:
    """name[axes] = its factors, each marked with the number of its chip."""
    own = [axis.name for axis in facts.axes]
    head = _head(facts)
    parts = [f"<math>{signs(facts.spell(safe(head)))}</math>"]
    for place, term in enumerate(facts.expression.terms):
        axes = [axis for factor in term.factors for axis in factor.axes if axis not in own]
        sums = [signs(f"Σ_{axis}") for axis in dict.fromkeys(axes)]
        less, size = term.coefficient < 0, abs(term.coefficient)
        sign = "−" if less else "+"
        lead = ("=" if place == 0 else sign, "<mo>−</mo>" if less and place == 0 else "")
        found = sums + ([signs(fraction(size))] if size != 1 or not term.factors else [])
        found += [
            f'<mrow data-chip="{known.index(str(factor))}">{_factor(factor, facts)}</mrow>'
            for factor in term.factors
        ]
        parts.append(f'<math><mo form="infix">{lead[0]}</mo>{lead[1]}{SPACE.join(found)}</math>')
    if not facts.expression.terms:
        parts.append("<math><mo>=</mo><mn>0</mn></math>")
    return "<wbr>".join(parts)


def _factor(factor: Factor, facts: _Facts) -> str:
    return signs(facts.spell(safe(factor)))


def _chips(facts: _Facts, numbers: bool) -> dict[str, Object]:
    """Each factor once: its formula, its axes, and what it is."""
    found: dict[str, Object] = {}
    for term in facts.expression.terms:
        for factor in term.factors:
            found[str(factor)] = {
                "name": facts.said(factor),
                "formula": f"<math>{_factor(factor, facts)}</math>",
                "axes": list(factor.axes),
                "words": facts.said(_meaning(factor, numbers)),
                "forbids": int(isinstance(factor, Delta)),
            }
    return found


def _meaning(factor: Factor, with_numbers: bool) -> str:
    match factor:
        case Delta(left, right):
            return f"1 where {left} = {right}, else 0"
        case Distinct(left, right):
            return f"0 where {left} = {right}, else 1"
        case One(axis):
            return f"1: the same for every {axis}"
        case At(axis, position, here):
            chosen = ", which the values chose" if here else ""
            return f"1 where {axis} = {position}{chosen}, else 0"
        case Dense(_, _, array):
            few = array.size <= MOST_SHOWN and with_numbers
            numbers = (
                "  ".join(number(x, 4).replace("-", "−") for x in array.ravel()) if few else ""
            )
            if not array.ndim:
                return f"a number: {numbers}" if few else "a number"
            return f"shape {dims(array.shape)}" + (f": {numbers}" if few else "")
    return f"1 where {factor} holds, else 0"


def _stages(spent: Spent, spell: Spell, sentence: Spell) -> Object:
    """The stages of the slider; of each cell what changes from one to the next."""
    cells = spent.entries + spent.errors
    entries = [frame for cell in spent.entries for frame in cell]
    largest = {is_product: _largest(entries, is_product) for is_product in (False, True)}
    error = _largest([frame for cell in spent.errors for frame in cell], False)
    made = [[_framed(f, largest[f.multiplied]) for f in cell] for cell in spent.entries]
    made += [[_framed(f, error) for f in cell] for cell in spent.errors]
    sizes = []
    for place in range(len(spent.stages)):
        seen = [cell[place] for cell in cells if not cell[place].gone]
        sizes.append([rounded(max(f.x for f in seen) + 1), rounded(max(f.y for f in seen) + 1)])
    return {
        "stages": [
            {
                "number": stage.number,
                "formula": mathml(spell(safe(stage.equation))),
                "words": sentence(stage.words),
                "heads": [_margin(spell(safe(h.text)).replace("'", "′"), h) for h in stage.heads],
                "size": size,
            }
            for stage, size in zip(spent.stages, sizes, strict=True)
        ],
        "cells": list(map(_changes, made)),
        "errors": len(spent.errors),
    }


def _largest(frames: Sequence[Frame], is_product: bool) -> float:
    """The largest size of the numbers of one kind, by which their colours go."""
    sizes = [abs(f.value) for f in frames if f.value is not None and f.multiplied == is_product]
    return max(filter(np.isfinite, sizes), default=0.0)


def _framed(frame: Frame, largest: float) -> list[Any]:
    value = frame.value
    text = NOTHING if value is None else _short(value)
    shade = -1 if value is None else level(value, largest)
    return [rounded(frame.x), rounded(frame.y), text, shade, int(frame.gone)]


def _changes(frames: list[list[Any]]) -> list[Any]:
    """0 stands for a frame like the one before it."""
    before = [None, *frames]
    return [0 if frame == old else frame for frame, old in zip(frames, before, strict=False)]


def _short(value: float, digits: int = 3) -> str:
    """A number that has room in a cell: -0.000234 is −2.3e-4."""
    text = number(value, digits)
    if len(text) > LONGEST:
        text = number(value, 2)
    if len(text) > LONGEST and np.isfinite(value):
        mantissa, _, power = f"{value:.1e}".partition("e")
        text = f"{mantissa}e{int(power)}"
    return text.replace("-", "−")
