"""What can be said for certain of an array that no known mistake explains."""

from dataclasses import dataclass

import numpy as np

from ....numbers.arrays import entry
from ....numbers.rounding import differing, largest, of_formulas
from ....numbers.wrong_arrays import spoilt_lines
from ....writing.signs import dims, plural
from .matching import Precision, constant_ratio, is_right

MOST_NAMED = 6
NEAR = 1e-4  # of the largest entry
CLOSE = "It agrees to about {digits}: finite differences, or rounding on the way?"


@dataclass(frozen=True)
class Place:
    """Where an array stands in what was handed in: rows and columns before it, a bias's among them.

    `of_vector` is what an entry of a 1-D array is: a unit, but for an array written out flat.
    """

    before: tuple[int, int] = (0, 0)
    of_vector: str = "unit"

    def of(self, index: np.ndarray) -> tuple[int, ...]:
        """An entry's index in the array that was handed in."""
        before = self.before if len(index) == 2 else (0,) * len(index)
        return tuple(int(i) + b for i, b in zip(index, before, strict=True))


WHOLE = Place()


def proved(
    name: str,
    array: np.ndarray | None,
    right: np.ndarray,
    precision: Precision,
    place: Place = WHOLE,
) -> list[str]:
    """Shape, right rows and columns, constant ratios, rank; no right number is printed.

    Both arrays are laid out as the array was handed in: its rows are rows here.
    """
    if array is None:
        return [f"Its shape fits no layout of {name}, whose own is {dims(right.shape)}."]
    if not np.any(array):
        return ["Every entry is 0; the right array has entries that are not."]
    if right.size == 1:
        return ["The number is wrong."]
    said = [*places(array, right, precision, place), *ratios(array, right, precision)]
    if right.ndim == 2 and min(right.shape) > 1:
        said += ranks(array, right)
    lines = "row, column or entry" if right.ndim == 2 and min(right.shape) > 1 else "entry"
    return said or [f"No {lines} is right, and no ratio is constant."]


def places(
    array: np.ndarray, right: np.ndarray, precision: Precision, place: Place = WHOLE
) -> list[str]:
    """Which rows or columns are right, else which entries."""
    wrong = differing(array, right, np.maximum(of_formulas(right), precision.allowed(right)))
    if wrong.all() or right.ndim == 0:
        return []
    if right.ndim > 1 and wrong.sum() == 1:
        at = entry("", place.of(np.argwhere(wrong)[0]))
        return [f"Wrong in one entry only: {at} (counted from 0)."]
    spoilt = (place.of_vector, wrong) if right.ndim == 1 else spoilt_lines(wrong)
    if spoilt is not None:
        word, lines = spoilt
        return [_named(word, lines, place.before[word == "column"] if right.ndim == 2 else 0)]
    return [f"{int((~wrong).sum())} of {plural(wrong.size, 'entry', 'entries')} are right."]


def _named(word: str, spoilt: np.ndarray, before: int) -> str:
    wrong, right = np.flatnonzero(spoilt) + before, np.flatnonzero(~spoilt) + before
    many = "entries" if word == "entry" else f"{word}s"
    if len(wrong) <= len(right):
        return f"Wrong in {plural(len(wrong), word, many)} only: {_numbers(wrong)}."
    return f"Right in {plural(len(right), word, many)}: {_numbers(right)}."


def _numbers(indices: np.ndarray) -> str:
    shown = ", ".join(str(int(i)) for i in indices[:MOST_NAMED])
    return shown + (", …" if len(indices) > MOST_NAMED else "") + " (counted from 0)"


def ratios(array: np.ndarray, right: np.ndarray, precision: Precision) -> list[str]:
    """A constant ratio overall, else one a row or one a column; its value where it is plain."""
    if np.count_nonzero(right) < 2:
        return []
    c = constant_ratio(array, right, precision)
    if c is not None and abs(c - 1) > 1e-9:
        return [f"Every entry is the right one times one and the same number, {c:.4g}."]
    if right.ndim != 2 or min(right.shape) < 2:
        return []
    for word, one, two in (("row", array, right), ("column", array.T, right.T)):
        lines = [(a, b) for a, b in zip(one, two, strict=True) if np.any(a) or np.any(b)]
        found = [constant_ratio(a, b, precision) for a, b in lines]
        if found and all(c is not None for c in found):
            return [f"Each {word} is the right one times a number of its own."]
    return []


def ranks(array: np.ndarray, right: np.ndarray) -> list[str]:
    """Rank one against more: an outer product of sums in the place of a sum of products."""
    if not np.isfinite(array).all():
        return []
    mine, meant = (rank(a) for a in (array, right))
    return [f"It has rank {mine}, the right array rank {meant}."] if mine != meant else []


def rank(array: np.ndarray) -> int:
    """The rank to nine digits, by entries of at most 1: no sum of squares overflows."""
    scale = np.abs(array).max() or 1.0
    return int(np.linalg.matrix_rank(array / scale, rtol=1e-9))


def not_finite(array: np.ndarray, place: Place = WHOLE) -> str:
    """The entries that are NaN or infinite."""
    bad = np.argwhere(~np.isfinite(array))
    shown = ", ".join(entry("", place.of(i)) or "the number" for i in bad[:MOST_NAMED])
    count = plural(len(bad), "entry is", "entries are")
    return f"{count} NaN or infinite: {shown}{', …' if len(bad) > MOST_NAMED else ''}."


def nearly_right(array: np.ndarray, right: np.ndarray) -> list[str]:
    """Said of what is closer than a mistake comes and farther than rounding does."""
    error, scale = largest(array - right), largest(right)
    if error > NEAR * scale or is_right(array, right, Precision()):
        return []
    return [CLOSE.format(digits=plural(int(-np.log10(error / scale)), "digit"))]
