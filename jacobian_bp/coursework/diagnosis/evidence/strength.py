"""How much an array of numbers proves: ones, or a single 2, may come from anywhere."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from .matching import Precision, is_same
from .ratios import is_plain
from .search import Hypothesis, Question

SIGNIFICANT = 1e-6  # of the largest entry
LIKELY = 26  # a mistake that is at least as common as this may be named by plain numbers
FEW = 3  # different entries
PATTERN = 12  # entries whose signs say something, where zeros are among them
WEAK = ("value-for-slope", "examples-axis")


def significant(submitted: np.ndarray) -> np.ndarray:
    """The entries that are not 0 beside the largest: their sizes, each counted once."""
    size = np.abs(submitted[np.isfinite(submitted)])
    largest = float(size.max(initial=0.0))
    if largest == 0:
        return np.zeros(0)
    parts = np.unique(np.round(size[size > SIGNIFICANT * largest] / largest, 9))
    return np.asarray(parts * largest)


def is_round(number: float) -> bool:
    """Whether its digits, whatever the power of ten, are those of a number somebody writes."""
    return is_plain(number / 10.0 ** np.floor(np.log10(number)), 1e-8)


def says_little(submitted: np.ndarray) -> bool:
    """Whether all entries that are not 0 are one and the same round number, in no pattern."""
    sizes = significant(submitted)
    if sizes.size == 1 and is_pattern(np.sign(submitted)):
        return False
    return sizes.size == 0 or (sizes.size == 1 and is_round(sizes[0]))


def is_pattern(signs: np.ndarray) -> bool:
    """Whether −, 0 and + all stand there, more than once each, among many entries."""
    often = [np.count_nonzero(signs == sign) for sign in (-1, 0, 1)]
    return bool(signs.size >= PATTERN and min(often) > 1)


def says_enough(submitted: np.ndarray, precision: Precision) -> bool:
    """Whether it can be told whose numbers these are: several, and not only round ones."""
    sizes = significant(submitted)
    if precision.relative > 1e-8:
        return sizes.size >= FEW
    return sizes.size > FEW or not all(is_round(size) for size in sizes)


def is_proved(h: Hypothesis, submitted: np.ndarray, precision: Precision) -> bool:
    """Whether the array has enough in it to name this mistake.

    The right numbers of something else that the run has need one entry that is no round
    number, or several entries; two mistakes at once need numbers that are not all the same.
    """
    if h.labels[0] == "check-of-wrong-quantity" and not h.changes:
        return says_enough(submitted, precision)
    weak = h.labels[0] in WEAK or (h.changes and h.prior > LIKELY)
    if weak or (h.mistakes > 1 and h.changes):
        return not says_little(submitted)
    return True


def proved_only(found: list[Hypothesis], question: Question) -> list[Hypothesis]:
    """Those for which the array has enough in it."""
    return [h for h in found if is_proved(h, question.submitted, question.precision)]


def tried_all(search: Iterator[Hypothesis]) -> list[Hypothesis]:
    """What a search finds before the budget is spent."""
    found: list[Hypothesis] = []
    with suppress(ValueError):
        found.extend(search)
    return found


def off_by_the_same(question: Question, cause: Hypothesis) -> bool:
    """Whether the array is the right one times the number of an earlier mistake."""
    factor = cause.factor or 1.0
    return any(
        is_same(reading.array, factor * question.right, question.precision)
        for reading in question.readings
        if reading.accepted
    )
