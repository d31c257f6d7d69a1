"""What can be said of a wrong array: which entries differ, and by which pattern.

The sentences name places and patterns. They never hold a right number, nor a ratio other
than 2, 1/2, -1, and m and 1/m of a batch of m examples.
"""

import numpy as np

from ...numbers.rounding import FLOOR, differing, largest, of_formulas
from ...numbers.wrong_arrays import TIMES_RIGHT, spoilt_lines, times_right
from ...writing.signs import dims, fraction, plural
from .equality import same

ROUNDED = 2e-2  # nearer than that and yet not equal: printed digits were typed in
DECIMALS = (2, 3, 4)  # to which a result is rounded
FACTORS = (-1.0, 2.0, 0.5)
MOST_NAMED = 4
ALL_ZERO = "all entries are 0"
ROUNDED_DIGITS = "the leading digits are right: give all digits, not the printed ones"
ONE_FACTOR = "every entry is the right one times the same factor"


def where_wrong(value: np.ndarray, right: np.ndarray) -> str:
    """Which entries differ, in words: all, some rows, some columns, or how many.

    >>> where_wrong(np.array([[1.0, 2.0], [3.0, 9.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    'entry [1, 1] only'
    """
    wrong = differing(value, right, of_formulas(right))
    if right.size == 1:
        return "the number"
    if wrong.all():
        return "every entry"
    if wrong.sum() > 1 and (wrong == (right != 0)).all():
        return "every entry that is not 0"
    places = np.argwhere(wrong)
    if len(places) == 1:
        return f"entry {[int(i) for i in places[0]]} only"
    spoilt = spoilt_lines(wrong)
    if spoilt is not None:
        return _which_lines(*spoilt)
    return plural(len(places), "entry", "entries")  # not of how many: that may be an answer


def symptom(value: np.ndarray, right: np.ndarray, examples: int = 0) -> str:
    """The pattern of a wrong array of the right shape, in one sentence, or nothing.

    >>> symptom(np.array([7.0, 21.0]), np.array([1.0, 3.0]), examples=7)
    'every entry is 7 times the right one'
    """
    scale = largest(right)
    if not value.any():
        return ALL_ZERO
    near = scale and largest(value - right) < ROUNDED * scale and _few_digits(value)
    if near or _is_rounded(value, right, scale):
        return ROUNDED_DIGITS
    wrong = differing(value, right, of_formulas(right))
    if int(wrong.sum()) > 1 or right.size == 1:  # one of many is not every one
        every = "every entry" if right.size > 1 else "it"
        for factor in (*FACTORS, *((examples, 1 / examples) if examples > 1 else ())):
            if same(value.astype(float), factor * right):
                return times_right(fraction(factor), every)
        if _proportional(value, right):
            return ONE_FACTOR
    zero, other = np.abs(right) <= FLOOR * scale, np.abs(value) <= FLOOR * scale
    if (zero & ~other).any() and same(value[~zero], right[~zero]):
        return "entries that are 0 in truth are not 0 here; all others are right"
    if (other & ~zero).any() and same(value[~other], right[~other]):
        return "some entries are 0 that should not be; all others are right"
    return ""


def tag_of(sentence: str) -> str:
    """What a symptom is called in statistics where no cause is known, or nothing.

    >>> tag_of("every entry is -1 times the right one"), tag_of(ROUNDED_DIGITS)
    ('sign', 'rounded-digits')
    """
    if sentence.endswith(TIMES_RIGHT):
        return "sign" if " -1 " in sentence else "constant-factor"
    return _TAGS.get(sentence, "")


_TAGS = {ALL_ZERO: "all-zero", ROUNDED_DIGITS: "rounded-digits", ONE_FACTOR: "constant-factor"}


def wrong_shape(value: np.ndarray, shapes: list[tuple[int, ...]]) -> str:
    """What a shape that fits no layout looks like."""
    text = f"shape {dims(value.shape)} fits this object in no layout"
    vectors = {max(shape) for shape in shapes if len(shape) == 1}
    if value.ndim == 2 and value.shape[0] == value.shape[1] and value.shape[0] in vectors:
        return f"{text}; a row met a column, and numpy made a table of them"
    return text


def _proportional(value: np.ndarray, right: np.ndarray) -> bool:
    size = float((right * right).sum())
    factor = float((value * right).sum()) / size if size else 0.0  # over all: digits may be few
    return right.size > 1 and factor != 0 and same(value.astype(float), factor * right)


def _few_digits(value: np.ndarray) -> bool:
    """Whether every entry is a number of at most six digits."""
    return all(float(f"{v:.5e}") == v for v in value.astype(float).ravel())


def _which_lines(word: str, spoilt: np.ndarray) -> str:
    """Which rows are wrong; where they are too many, which are right, or how many are wrong."""
    wrong, right = np.flatnonzero(spoilt), np.flatnonzero(~spoilt)
    if len(wrong) <= MOST_NAMED or (len(right) <= MOST_NAMED and len(wrong) <= 2 * MOST_NAMED):
        return f"{_named(word, wrong)} only"
    if len(right) <= MOST_NAMED:
        are = "are" if len(right) > 1 else "is"
        return f"every {word} but {_named(word, right)}, which {are} right"
    return f"{len(wrong)} of {plural(spoilt.size, word)}"


def _named(word: str, places: np.ndarray) -> str:
    return f"{word}{'s' * (len(places) > 1)} {', '.join(str(int(place)) for place in places)}"


def _is_rounded(value: np.ndarray, right: np.ndarray, scale: float) -> bool:
    """Whether it is the right array to a few decimals, with two digits at the least."""
    if value.dtype.kind != "f":
        return False
    kept = (d for d in DECIMALS if scale * 10**d >= 10)
    return any(np.array_equal(value, np.round(right, d)) for d in kept)
