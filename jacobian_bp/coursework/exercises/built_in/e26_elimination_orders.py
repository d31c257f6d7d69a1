"""Exercise 26: in which order a chain of Jacobians is multiplied, by counting."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..generator import Redraw
from ..questions import ChoiceQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A chain of four steps takes x with n0 entries to v1, v2, v3 and y with n1, n2, n3 and n4 entries.
Their whole Jacobians A1 = ∂v1/∂x (n1, n0), A2 (n2, n1), A3 (n3, n2) and A4 (n4, n3) are
multiplied to ∂y/∂x = A4 A3 A2 A1, two neighbours at a time. Count the products of two numbers: a
matrix (a, b) times a matrix (b, c) takes a b c of them. "From x" begins with A2 A1 and goes on to
the left, as forward mode does; "from y" begins with A4 A3 and goes on to the right, as reverse mode
does.
"""

HINTS = (
    "A product in the middle has the rows of its left factor and the columns of its right one: "
    "A2 A1 is (n2, n0).",
    "From x every product has n0 columns; from y every product has n4 rows.",
    "There are five orders: what is multiplied last has A4 alone, A4 A3, or A4 A3 A2 on its left.",
    "A vector in front makes every product a vector: the count is n4 n3 + n3 n2 + n2 n1 + n1 n0. A "
    "diagonal matrix multiplies each entry of the other one once.",
)

WORDS = ("from x", "from y", "neither")


def attempt(rng: np.random.Generator) -> Task:
    sizes = [int(size) for size in rng.permutation([2, 3, 5, 7, 11])]
    return of_given({f"n{place}": size for place, size in enumerate(sizes)})


def of_given(given: Mapping[str, Any]) -> Task:
    sizes = [given[f"n{place}"] for place in range(5)]
    forward, reverse, best = _from_x(sizes), _from_x(sizes[::-1]), fewest(tuple(sizes))
    if forward == reverse or len(set(sizes)) < 5:
        raise Redraw("all sizes are different, and so are the two counts")
    word = {forward: "from x", reverse: "from y"}.get(best, "neither")
    middle = sizes[4] * sizes[3] * sizes[2] + sizes[2] * sizes[1] * sizes[0]
    questions = (
        NumberQuestion("from_x", "how many products from x", FROM_X, forward),
        NumberQuestion("from_y", "how many products from y", FROM_Y, reverse),
        NumberQuestion(
            "paired",
            "how many products for (A4 A3) (A2 A1)",
            PAIRED,
            middle + sizes[4] * sizes[2] * sizes[0],
        ),
        NumberQuestion("fewest", "how many products in the best order", FEWEST, best),
        ChoiceQuestion(
            "best",
            "whose count is the fewest: from x, from y or neither",
            "'from x' if fewest == from_x else 'from y' if fewest == from_y else 'neither'",
            word,
            WORDS,
        ),
        NumberQuestion(
            "pulled",
            "how many products for g A4 A3 A2 A1 from the left, where g is one row of n4 entries",
            "n4 * n3 + n3 * n2 + n2 * n1 + n1 * n0",
            sum(before * after for before, after in pairwise(sizes)),
        ),
        NumberQuestion(
            "with_diagonal",
            "how many products from y, with a diagonal matrix (n2, n2) between A3 and A2, "
            "without its zeros",
            f"{FROM_Y} + n4 * n2",
            reverse + sizes[4] * sizes[2],
        ),
    )
    return Task(questions, given)


def _from_x(sizes: Sequence[int]) -> int:
    """Products when the matrices are taken one after another from the side of the first size."""
    return sum(sizes[0] * sizes[place] * sizes[place + 1] for place in range(1, len(sizes) - 1))


@cache
def fewest(sizes: tuple[int, ...]) -> int:
    """Products in the best of all orders, by the best place for the last product.

    >>> fewest((2, 3, 5)), fewest((2, 3, 5, 7))
    (30, 100)
    """
    if len(sizes) <= 2:
        return 0
    return min(
        fewest(sizes[: k + 1]) + fewest(sizes[k:]) + sizes[0] * sizes[k] * sizes[-1]
        for k in range(1, len(sizes) - 1)
    )


FROM_X = "n2 * n1 * n0 + n3 * n2 * n0 + n4 * n3 * n0"
FROM_Y = "n4 * n3 * n2 + n4 * n2 * n1 + n4 * n1 * n0"
PAIRED = "n4 * n3 * n2 + n2 * n1 * n0 + n4 * n2 * n0"
FEWEST = (
    "min(from_x, from_y, paired, n3 * n2 * n1 + n3 * n1 * n0 + n4 * n3 * n0, "
    "n3 * n2 * n1 + n4 * n3 * n1 + n4 * n1 * n0)"
)
EVERY = FEWEST.replace("from_x", FROM_X).replace("from_y", FROM_Y).replace("paired", PAIRED)
BEST = f"'from x' if {EVERY} == {FROM_X} else 'from y' if {EVERY} == {FROM_Y} else 'neither'"
BESIDES = {"fewest": EVERY, "best": BEST}
DIRECTIONS = "the count from the other side stands there"
MISTAKES = (
    Planted(
        "from-the-other-side", {"from_x": FROM_Y}, DIRECTIONS, label="direction", besides=BESIDES
    ),
    Planted(
        "first-product-alone",
        {"from_x": "n2 * n1 * n0"},
        "the first product alone was counted",
        label="last-product-forgotten",
        besides=BESIDES,
    ),
    Planted(
        "entries-for-products",
        {"from_x": "n2 * n1 + n3 * n2 + n4 * n3 + n1 * n0"},
        "the entries of the factors were counted",
        besides=BESIDES,
    ),
    Planted(
        "results-for-products",
        {"from_x": "n2 * n0 + n3 * n0 + n4 * n0"},
        "the entries of the products were counted: each is a sum of several products of numbers",
        besides=BESIDES,
    ),
    Planted(
        "from-the-other-side, from_y",
        {"from_y": FROM_X},
        DIRECTIONS,
        label="direction",
        besides=BESIDES,
    ),
    Planted(
        "last-product-forgotten",
        {"from_y": "n4 * n3 * n2 + n4 * n2 * n1"},
        "A1 was left out",
        besides=BESIDES,
    ),
    Planted(
        "sizes-multiplied",
        {"from_y": "n4 * n3 * n2 * n1 * n0"},
        "all sizes were multiplied",
        besides=BESIDES,
    ),
    Planted(
        "pairs-without-the-last",
        {"paired": "n4 * n3 * n2 + n2 * n1 * n0"},
        "the product of the two pairs was not counted",
        besides=BESIDES,
    ),
    Planted(
        "pairs-by-the-inner-size",
        {"paired": "n4 * n3 * n2 + n2 * n1 * n0 + n4 * n3 * n0"},
        "the pairs meet at n2; n3 stands there",
        besides=BESIDES,
    ),
    Planted(
        "pulled-for-fewest",
        {"fewest": "n4 * n3 + n3 * n2 + n2 * n1 + n1 * n0"},
        "the count of one row stands for that of a whole Jacobian",
        besides={"best": BEST},
    ),
    Planted(
        "most-for-fewest",
        {"fewest": FEWEST.replace("min", "max")},
        "the count of the worst order stands there",
        besides={"best": BEST},
    ),
    Planted("no-such-word", {"best": "'reverse mode'"}, "none of the three words"),
    Planted("whole-for-row", {"pulled": FROM_Y}, "the count of a whole Jacobian stands there"),
    Planted(
        "from-the-right",
        {"pulled": f"{FROM_X} + n4 * n0"},
        "the whole Jacobian was built, and the row multiplied with it",
    ),
    Planted("row-once", {"pulled": "n4 * n3"}, "the first product alone was counted"),
    Planted(
        "diagonal-as-matrix",
        {"with_diagonal": f"{FROM_Y} + n4 * n2 * n2"},
        "the zeros of the diagonal matrix were multiplied too",
    ),
    Planted("diagonal-for-nothing", {"with_diagonal": FROM_Y}, "the diagonal was not counted"),
    Planted(
        "diagonal-of-a3",
        {"with_diagonal": f"{FROM_Y} + n3 * n2"},
        "the diagonal was multiplied with A3 alone; A4 A3 is there by then",
    ),
)

RIGHT_FORMS = (
    Planted(
        "factored",
        {
            "from_x": "n0 * (n2 * n1 + n3 * n2 + n4 * n3)",
            "from_y": "n4 * (n3 * n2 + n2 * n1 + n1 * n0)",
        },
    ),
    Planted("by numpy", {"pulled": "int(np.dot([n4, n3, n2, n1], [n3, n2, n1, n0]))"}),
    Planted("a float", {"paired": f"float({PAIRED})"}),
    Planted(
        "capitals",
        {
            "best": "('from x' if fewest == from_x else 'from y' if fewest == from_y"
            " else 'neither').upper()"
        },
    ),
    Planted("from the count", {"with_diagonal": "from_y + n4 * n2"}),
)

EXERCISE = Exercise(
    26,
    "orders of elimination",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="a chain of matrices has as many products in every convention",
)
