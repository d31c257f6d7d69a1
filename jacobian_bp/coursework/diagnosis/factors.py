"""Which mistakes a constant ratio between two arrays speaks for."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...ops import Mean
from .mutation import Facts

LARGEST_PART = 24  # of a fraction that somebody may have written
SMALLEST = 1e-6  # factor that somebody may have written
FEW_DIGITS = 3  # of a decimal that somebody may have written


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
    mean = any(isinstance(step.op, Mean) for step in facts.state.program.steps)
    sizes = {n for a in facts.values.values() for n in a.shape if n > 1}
    sizes |= {a.size for a in facts.values.values() if a.ndim == 2 and a.shape[:1] == (m,)}
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
    for c in (2.0, 0.5, 4.0, 0.25, 3.0):
        found.append(Ratio(("constant-factor",), c, 8))
    for n in sorted(sizes):
        found += [Ratio(("constant-factor",), float(n), 12), Ratio(("constant-factor",), 1 / n, 13)]
    return found


def named_ratios(c: float, facts: Facts, entries: int, relative: float) -> list[Ratio]:
    """Every reading of the ratio `c`, proved on so many entries; none for an odd number."""
    plain = plain_ratios(facts)
    found = [r for r in plain if close(c, r.value, relative)]
    for r in plain:
        if r.value > 0 and close(c, -r.value, relative):
            pair = ("constant-factor", "sign") if r.labels[0] == "constant-factor" else None
            found.append(Ratio(pair or ("sign", *r.labels), -r.value, r.prior + 20, r.note))
    batch = [r for r in plain if r.labels[0] in ("missing-batch-mean", "batch-mean-twice")]
    for r in batch:
        for two in (2.0, 0.5):
            if close(c, r.value * two, relative):
                found.append(
                    Ratio((*r.labels, "constant-factor"), two * r.value, r.prior + 25, r.note)
                )
    if not found and entries > 1 and is_plain(c, relative):
        found.append(Ratio(("constant-factor",), float(f"{c:.12g}"), 20))
    single = [r for r in found if len(r.labels) == 1]
    return single or found


def close(c: float, value: float, relative: float) -> bool:
    return abs(c - value) <= 10 * relative * abs(value)


def is_plain(c: float, relative: float) -> bool:
    """Whether somebody may have written this number: 2/3, 0.1, 7; not 0.38471."""
    if relative > 1e-6:  # too few digits to tell
        return any(close(c, k, relative) for k in (1 / 3, 1.5, 2 / 3, 0.1, 10.0))
    if not SMALLEST <= abs(c) <= 1 / SMALLEST:
        return False
    near = Fraction(float(c)).limit_denominator(LARGEST_PART)
    if abs(near.numerator) <= LARGEST_PART and near and close(c, float(near), relative):
        return True
    rounded = float(np.format_float_scientific(c, precision=FEW_DIGITS - 1))
    return rounded != 0 and close(c, rounded, relative)
