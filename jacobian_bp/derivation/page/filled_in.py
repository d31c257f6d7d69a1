"""A formula with the indices of one entry filled in, its numbers, and the reason of its zero.

    δ[k,k'] a1[i'] at k = 0, k' = 1, i' = 2:   δ[0,1] a1[2]  =  0 · 0.95  =  0

A sum is written out, term by term. All entries have one form, `template`, with gaps for the
indices; an entry has what fills them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ...algebra.axes import Axis
from ...algebra.expression import MASK, Delta, Dense, Distinct, Expression, Factor, One, Term
from ...algebra.positions.position_factors import At, Within
from ...writing.mathml import symbol
from ...writing.signs import fraction, number, plural, safe

MOST_WRITTEN = 8  # products of a sum that are written out
DIGITS = 6
EVERY, HERE = "Zero for every input", "Zero at this input"
SPACE = '<mspace width="0.17em"/>'

Spell = Callable[[str], str]
Places = Mapping[str, int]  # axis -> index


@dataclass(frozen=True)
class Read:
    """A factor at one entry: what fills its gap, its number, and why it is 0, if it is."""

    fills: str
    value: float
    structural: str = ""  # why it is 0 for every input
    at_input: str = ""  # why it is 0 here


@dataclass(frozen=True)
class Entry:
    """What fills the gaps of the template, the numbers, and the reason of a zero."""

    indices: tuple[str, ...]
    numbers: str
    reason: str


def gap(name: object) -> str:
    """A place to be filled in, between signs that no name has (`safe` escapes them)."""
    return f"\x1f{name}\x1f"


class FilledIn:
    """Every entry of an expression over these axes."""

    def __init__(self, expression: Expression, axes: Sequence[Axis], spell: Spell = str) -> None:
        self.axes = [axis.name for axis in axes]
        self.sizes = {axis.name: axis.size for axis in axes}
        self.spell = spell
        self.tables: dict[int, np.ndarray] = {}
        self.products: list[tuple[Term, Places]] = []
        self.more = 0
        for term in expression.terms:
            self._write_out(term)

    def _write_out(self, term: Term) -> None:
        """The products of a term, one for each value of the axes that it sums over."""
        sizes = term.sizes(dict(self.sizes))
        for factor in term.of(Dense):
            sizes |= dict(zip(factor.axes, factor.array.shape, strict=True))
        self.sizes |= sizes
        summed = [a for a in dict.fromkeys(_axes(term)) if a not in self.axes]
        room = max(0, MOST_WRITTEN - len(self.products))
        choices = product(*(range(sizes[axis]) for axis in summed))
        for choice, _ in zip(choices, range(room), strict=False):
            self.products.append((term, dict(zip(summed, choice, strict=True))))
        self.more += max(0, math.prod(sizes[axis] for axis in summed) - room)

    @property
    def template(self) -> str:
        """The formula in MathML, with gaps; the factors one after another, sums written out."""
        found, gaps = list[str](), 0
        for place, (term, _) in enumerate(self.products):
            less, factor = _coefficient(term)
            sign = "−" if less else "+" if place else ""
            parts = [f"<mn>{factor}</mn>"] * bool(factor)
            for each in term.factors:
                parts.append(self._form(each, gap(gaps)))
                gaps += 1
            found.append(sign and f'<mo form="infix">{sign}</mo>')
            found.append(SPACE.join(parts) or "<mn>1</mn>")
        if self.more:
            found.append(f"<mo>+</mo><mtext>… ({self.more:,} more)</mtext>")
        return "".join(found) or "<mn>0</mn>"

    def _form(self, factor: Factor, index: str) -> str:
        if isinstance(factor, Within):
            return f"<mtext>{index}</mtext>"
        if isinstance(factor, Distinct) or (isinstance(factor, Dense) and factor.label == MASK):
            inner = f"<msub><mi>δ</mi><mtext>{index}</mtext></msub>"
            fence = ('<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>')
            return f"<mrow>{fence[0]}<mn>1</mn><mo>−</mo>{inner}{fence[1]}</mrow>"
        if isinstance(factor, Dense):
            base = symbol(self.spell(safe(factor.label)))
        else:
            base = "<mn>1</mn>" if isinstance(factor, One) else "<mi>δ</mi>"
        return f"<msub>{base}<mtext>{index}</mtext></msub>" if factor.axes else base

    def entry(self, index: Sequence[int], value: float, possible: bool) -> Entry:
        """The entry at an index; `possible` is False where it is a structural zero."""
        at = dict(zip(self.axes, index, strict=True))
        read = [
            [self._read(f, {**at, **more}) for f in term.factors] for term, more in self.products
        ]
        reason = ""
        if not possible:
            reason = self._reason(
                EVERY, [[r.structural for r in one if r.structural] for one in read]
            )
        elif value == 0:
            reason = self._zero_here(read)
        return Entry(
            tuple(r.fills for one in read for r in one), self._numbers(read, value), reason
        )

    def _numbers(self, read: Sequence[Sequence[Read]], value: float) -> str:
        """0 · 0.95 = 0; the last number alone where there is one factor."""
        text, count = "", 0
        for place, ((term, _), one) in enumerate(zip(self.products, read, strict=True)):
            less, factor = _coefficient(term)
            numbers = [factor] * bool(factor) + [_bracketed(r.value) for r in one]
            count += len(numbers)
            text += (" − " if less else " + ") if place else "−" * less
            text += " · ".join(numbers) or "1"
        if self.more:
            text += f" + … ({self.more:,} more)"
        result = _number(value)
        alone = count < 2 and not self.more
        return f"= {result}" if alone or text == result else f"= {text} = {result}"

    def _zero_here(self, read: Sequence[Sequence[Read]]) -> str:
        """Why an entry that can be other than zero is 0 at this input."""
        causes = [[r.structural or r.at_input for r in one if r.value == 0] for one in read]
        if self.more or all(causes):
            return self._reason(HERE, causes)
        if len(read) > 1:
            return f"{HERE}: the {plural(len(read), 'product')} add up to 0."
        return f"{HERE}: the product is smaller than any number that can be stored."

    def _reason(self, kind: str, causes: Sequence[Sequence[str]]) -> str:
        """The first cause of each product, where all of them have one and all are written out."""
        first = list(dict.fromkeys(cause[0] for cause in causes if cause))
        if self.more or not first or not all(causes) or len(first) > 3:
            return f"{kind}."
        return f"{kind}: {'; and '.join(first)}."

    def _read(self, factor: Factor, at: Places) -> Read:
        index = ",".join(str(at[axis]) for axis in factor.axes)
        match factor:
            case One():
                return Read(index, 1.0)
            case Delta(left, right):
                equal = at[left] == at[right]
                why = f"δ[{index}] is 0, because {at[left]} and {at[right]} differ"
                return Read(index, float(equal), "" if equal else why)
            case Distinct(left, right):
                equal = at[left] == at[right]
                why = f"1−δ[{index}] is 0, because both are {at[left]}"
                return Read(index, float(not equal), why if equal else "")
            case At():
                return self._at(factor, at)
            case Within():
                return self._within(factor, at)
        return self._dense(factor, at)

    def _dense(self, factor: Dense, at: Places) -> Read:
        value = float(factor.array[tuple(at[axis] for axis in factor.axes)])
        spots = [at[axis] for axis in factor.axes]
        if factor.read_at:
            spots = [self._position(position, at) for position in factor.read_at]
        index = ",".join(map(str, spots)).replace("-", "−")
        name = self.spell(safe(factor.label))
        where = f"{name}[{index}]" if index else name
        if factor.label == MASK:
            why = f"1−δ[{index}] is 0, because both are {spots[0]}"
            return Read(index, value, "" if value else why)
        return Read(index, value, "", f"{where} is 0 here")

    def _at(self, factor: At, at: Places) -> Read:
        own, there = at[factor.axis], self._position(factor.position, at)
        index = f"{own},{there}".replace("-", "−")
        if own == there:
            return Read(index, 1.0)
        where = f"{factor} is δ[{index}]"
        if factor.here:
            return Read(index, 0.0, "", f"{where}, and the values chose another entry")
        return Read(index, 0.0, f"{where}, and {own} and {there} differ".replace("-", "−"))

    def _within(self, factor: Within, at: Places) -> Read:
        there = self._position(factor.position, at)
        low = "" if factor.low is None else f"{factor.low}≤"
        high = "" if factor.high is None else f"≤{factor.high}"
        index = f"[{low}{there}{high}]".replace("-", "−")
        holds = bool(factor.holds(np.array(there)))
        where = ", ".join(f"{axis} = {at[axis]}" for axis in factor.axes)
        return Read(index, float(holds), "" if holds else f"{factor} does not hold at {where}")

    def _position(self, position: object, at: Places) -> int:
        """Where a position is, at these indices."""
        axes = position.axes  # type: ignore[attr-defined]
        if id(position) not in self.tables:
            found = position.values(list(axes), self.sizes)  # type: ignore[attr-defined]
            self.tables[id(position)] = np.asarray(found)
        table = self.tables[id(position)]
        spot = [at[axis] if size > 1 else 0 for axis, size in zip(axes, table.shape, strict=True)]
        return int(table[tuple(spot)])


def _axes(term: Term) -> list[str]:
    return [axis for factor in term.factors for axis in factor.axes]


def _coefficient(term: Term) -> tuple[bool, str]:
    """Whether a product is taken off, and the number before it, if it is not 1."""
    size = abs(term.coefficient)
    return term.coefficient < 0, "" if size == 1 else fraction(size)


def _number(value: float) -> str:
    return number(value, DIGITS).replace("-", "−")


def _bracketed(value: float) -> str:
    text = _number(value)
    return f"({text})" if text.startswith("−") else text
