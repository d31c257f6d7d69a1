"""Which mistakes a constant ratio between two arrays speaks for."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ....writing.signs import fraction
from ..mutations.mutation import Facts
from .matching import SINGLE

SMALLEST = 1e-6  # factor that somebody may have written
SUMMED = ("cost", "share", "penalty")  # kinds of lines whose number is that of the cost
COARSE = (1 / 3, 1.5, 2 / 3, 0.1, 10.0)  # all that few digits can tell from others
# (relative precision, largest part of a fraction, digits of a decimal) that somebody may write
FINE = ((1e-6, 24, 3), (SINGLE, 6, 2))


@dataclass(frozen=True)
class Ratio:
    """One reading of a ratio: its labels, and how likely it is."""

    labels: tuple[str, ...]
    value: float
    prior: int
    note: str = ""


def plain_ratios(facts: Facts) -> list[Ratio]:
    """The ratios that come from one slip: a sign, a 2, an m, a width."""
    m = facts.examples
    mean = facts.state.program.averages
    sizes = {n for a in facts.values.values() for n in a.shape if n > 1}
    sizes |= {a.size for a in facts.values.values() if a.shape[:1] == (m,)}
    found = [Ratio(("sign",), -1.0, 5)]
    if m > 1 and mean:
        found += [
            Ratio(("missing-batch-mean",), float(m), 2),
            Ratio(("batch-mean-twice",), 1 / m, 3),
        ]
        for n in sorted(sizes - {m}):
            note = f"the sum is divided by {n}, not by the m = {m} examples"
            found.append(Ratio(("examples-axis",), m / n, 30, note))
    elif m > 1:
        found.append(Ratio(("batch-mean-twice",), 1 / m, 40))
    if not m:  # x.shape[0] is the number of inputs, where x is one example
        for n in sorted(lengths_of_inputs(facts) - {1}):
            note = f"the whole is divided by {n}, and there is one example"
            found.append(Ratio(("examples-axis",), 1 / n, 30, note))
    for c in (2.0, 0.5, 4.0, 0.25, 3.0):
        found.append(Ratio(("constant-factor",), c, 8))
    for n in sorted(sizes):
        of_a_sum = "That is 1/m, and this cost is declared a sum." if n == m and not mean else ""
        found += [
            Ratio(("constant-factor",), float(n), 12),
            Ratio(("constant-factor",), 1 / n, 13, of_a_sum),
        ]
    return found


def roots(facts: Facts) -> list[Ratio]:
    """√(n/k), n and k lengths or 1: a scale of attention with another length, or with none."""
    lengths = sorted(facts.lengths)
    return [
        Ratio(
            ("constant-factor",), (n / k) ** 0.5, 16, f"That is √{n if k == 1 else f'({n}/{k})'}."
        )
        for n in lengths
        for k in lengths
        if n != k and (n / k) ** 0.5 * 12 % 1 != 0
    ]


def of_the_step(name: object, facts: Facts) -> list[Ratio]:
    """The number that the one step behind a value multiplies by, 1/width: left out, or twice."""
    lines = facts.backward.to.get(name, []) if isinstance(name, str) else []
    lines = [line for line in lines if not line.asleep]
    if len(lines) != 1 or lines[0].kind in SUMMED:
        return []
    equation = facts.equation(lines[0])
    sizes = {abs(term.coefficient) for term in equation.terms} if equation else {1.0}
    c = sizes.pop()
    if sizes or c in (0.0, 1.0):
        return []
    what = f"the factor {fraction(c)}, which ∂{lines[0].source}/∂{name} has"
    return [
        Ratio(("constant-factor",), 1 / c, 1, f"So it is without {what}."),
        Ratio(("constant-factor",), c, 1, f"So it is with {what}, twice."),
    ]


def lengths_of_inputs(facts: Facts) -> set[int]:
    """The first axes of what goes into the network, labels and parameters left out."""
    program = facts.state.program
    names = set(program.inputs) - set(program.params) - set(program.labels)
    return {facts.values[name].shape[0] for name in names if facts.values[name].ndim}


def named_ratios(
    c: float, facts: Facts, entries: int, relative: float, name: object = None
) -> list[Ratio]:
    """Every reading of the ratio `c`, proved on so many entries; none for an odd number.

    `name` is the value whose delta is the right array times `c`, if it is one.
    """
    plain = plain_ratios(facts) + of_the_step(name, facts)
    if relative <= FINE[0][0]:  # of fewer digits anything is near to some root
        plain += roots(facts)
    found = [r for r in plain if close(c, r.value, relative)]
    for r in plain:
        if r.value > 0 and close(c, -r.value, relative):
            plain_one = r.labels[0] == "constant-factor"
            labels = ("constant-factor", "sign") if plain_one else ("sign", *r.labels)
            note = "" if plain_one else r.note
            found.append(Ratio(labels, -r.value, r.prior + 20, note))
    batch = [r for r in plain if r.labels[0] in ("missing-batch-mean", "batch-mean-twice")]
    for r in batch:
        for two in (2.0, 0.5):
            if close(c, r.value * two, relative):
                found.append(
                    Ratio((*r.labels, "constant-factor"), two * r.value, r.prior + 25, r.note)
                )
    written = plain_number(c, relative)
    if not found and entries > 1 and written is not None:
        found.append(Ratio(("constant-factor",), written, 20))
    single = [r for r in found if len(r.labels) == 1]
    return single or found


def close(c: float, value: float, relative: float) -> bool:
    return abs(c - value) <= 10 * relative * abs(value)


def is_plain(c: float, relative: float) -> bool:
    """Whether somebody may have written this number: 2/3, 0.1, 7; not 0.38471."""
    return plain_number(c, relative) is not None


def plain_number(c: float, relative: float) -> float | None:
    """The number that somebody may have written where `c` was found, if there is one."""
    if not SMALLEST <= abs(c) <= 1 / SMALLEST:
        return None
    likely: tuple[float, ...] = COARSE
    for precision, part, digits in reversed(FINE):
        if relative <= precision:
            near = Fraction(c).limit_denominator(part)
            decimal = float(np.format_float_scientific(c, precision=digits - 1))
            likely = (float(near), decimal) if abs(near.numerator) <= part else (decimal,)
    return next((k for k in likely if k and close(c, k, relative)), None)
