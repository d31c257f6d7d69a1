"""How a wrong array comes out of the right one: by a factor, by exchanged axes, in some rows.

What is found here is put into words where it is said: a check names right numbers, an
exercise must not.
"""

from itertools import combinations

import numpy as np

from .rounding import agree

SAME_FACTOR = 1e-6  # relative: a factor that near to m is m
TIMES_RIGHT = "times the right one"


def factor_between(found: np.ndarray, right: np.ndarray) -> float:
    """c = found / right at the largest entry of `right`, where rounding matters least.

    If found = c · right holds at all, it holds with this c; 0 where `right` has only zeros.

    >>> factor_between(np.array([2.0, -6.0]), np.array([1.0, -3.0]))
    2.0
    """
    if not right.size:
        return 0.0
    place = np.unravel_index(np.abs(right).argmax(), right.shape)
    return float(found[place] / right[place]) if right[place] else 0.0


def of_examples(factor: float, examples: float) -> str:
    """What the factor is in the number of examples, "m" or "1/m"; "" for any other.

    >>> of_examples(0.2, 5), of_examples(5.0, 5), of_examples(2.0, 5)
    ('1/m', 'm', '')
    """
    if examples > 1:
        for value, word in ((examples, "m"), (1 / examples, "1/m")):
            if abs(factor - value) < SAME_FACTOR * value:
                return word
    return ""


def times_right(factor: str, who: str = "every entry") -> str:
    """The words for found = c · right."""
    return f"{who} is {factor} {TIMES_RIGHT}"


def exchanged_axes(
    found: np.ndarray, right: np.ndarray, allowed: np.ndarray | float
) -> tuple[int, int] | None:
    """The two axes whose exchange gives the right array: (0, 1) of a transpose.

    >>> W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
    >>> exchanged_axes(W.T, W, 1e-9), exchanged_axes(W, W, 1e-9)
    ((0, 1), None)
    """
    if found.ndim == right.ndim:
        for first, second in combinations(range(right.ndim), 2):
            if agree(np.swapaxes(found, first, second), right, allowed):
                return first, second
    return None


def spoilt_lines(wrong: np.ndarray) -> tuple[str, np.ndarray] | None:
    """Which rows have a wrong entry, else which columns; None where neither says anything.

    >>> spoilt_lines(np.array([[False, True], [False, True]]))
    ('column', array([False,  True]))
    """
    for word, axis in (("row", 1), ("column", 0)) if wrong.ndim == 2 else ():
        spoilt = np.asarray(wrong.any(axis=axis))
        if not spoilt.all():
            return word, spoilt
    return None
