"""What a text may be and cost, and how what goes beyond is refused."""

from typing import NoReturn

from ...errors import SpecError
from ...writing.signs import safe

LONGEST_TEXT, LONGEST_WORD = 20_000, 200
MOST_NODES, DEEPEST = 6_000, 60
MOST_STEPS, MOST_STEPS_IN_ALL = 20_000, 1_000_000
MOST_LOOPED, MOST_CALLS_DEEP = 1_000, 3
MOST_ENTRIES, MOST_PRODUCTS = 10**6, 2 * 10**7
LARGEST_NUMBER = 2**53

LANGUAGE = (
    "  What is read: assignments, +=, masks, if, for over range, zip, reversed and lists,\n"
    "  + - * / @ **, .T, np.dot, np.sum, np.where, … and functions of the text itself."
)


FEWER = "  Hand in fewer lines: one layer or one function alone, or the lines of one round."
ONE_ROUND = "  Write the lines of one round by themselves: each round is judged like the first."


class NotReadError(Exception):
    """An expression that is not in the language, or a name that nothing tells."""

    line: int | None = None


class TooMuchError(Exception):
    """More steps, entries or products than a backward function needs; what to write instead."""

    line: int | None = None

    def __init__(self, what: str, instead: str = LANGUAGE) -> None:
        super().__init__(what)
        self.instead = instead


def with_line(error: NotReadError | TooMuchError) -> str:
    """What is not read, with its line where that is known."""
    return f"line {error.line}: {error}" if error.line else str(error)


class ShapesError(Exception):
    """numpy refuses the shapes."""


def refuse(what: str, instead: str = LANGUAGE) -> NoReturn:
    """SpecError: what it is, and what to write."""
    raise SpecError(f"diagnose_code: {what}\n{instead}")


def shown(text: str, most: int = 40) -> str:
    """A part of the text in a message, on one line, no longer than `most`."""
    line = safe(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"


class Budget:
    """The steps of all walks through one text together."""

    def __init__(self) -> None:
        self.left = MOST_STEPS_IN_ALL

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooMuchError(f"it takes more than {MOST_STEPS_IN_ALL:,} steps to judge.", FEWER)
