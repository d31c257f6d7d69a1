"""A sentence in words and formulas, and a row of a table as one equation with its facts.

What LaTeX, Markdown and HTML share: they set formulas as formulas, also within a sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import MemoryLimitError
from ..writing.marked import Marked, Part
from ..writing.signs import dims, number
from ..writing.tables import DIGITS, zero_or_number
from .blocks import Column, Formula, Matrix, Row, Shape, Words
from .formulas_in_words import formulas_in
from .text_matrices import matrix_lines

MOST_ROWS, MOST_COLUMNS = 16, 12  # of a grid; beyond them an array stands in lines of text
ROOM = 84  # columns of such a line


def parts_of(sentence: str, names: frozenset[str]) -> Iterator[Part]:
    """Words, formulas and code, as the sentence marks them; where it marks none, as they read."""
    if isinstance(sentence, Marked):
        yield from sentence.parts
    else:
        yield from formulas_in(sentence, names)


@dataclass(frozen=True)
class Stated:
    """A row as one equation: its number, its sides, the facts beside it, the reason for it."""

    number: str
    sides: tuple[str, ...]
    facts: tuple[str, ...]
    reason: str


def stated(row: Row, columns: tuple[Column, ...]) -> Stated:
    """The cells of a row, by what their columns hold."""
    number, reason, sides, facts = "", "", list[str](), list[str]()
    for cell, column in zip(row.cells, columns, strict=True):
        match cell:
            case Formula():
                sides += cell.text.split(" = ")
                if cell.tensor:
                    facts.append(f"tensor {dims(cell.tensor)}")
            case Shape():
                facts.append(f"{column.head} {dims(cell.sizes)}")
            case Words() if column.kind == "step":
                number = cell.text
            case Words() if column.kind == "reason":
                reason = cell.text
            case Words():
                below = column.below.format(cell.text)
                facts.append(below if below != cell.text else f"{column.head} {cell.text}")
    sides += [formula.text for formula in row.equals]
    return Stated(number, tuple(dict.fromkeys(sides)), tuple(facts), reason)


@dataclass(frozen=True)
class Grid:
    """A small matrix as cells: a number, or '.' for what is zero for every input.

    `of` says whose numbers they are, for a reader who hears the page.
    """

    cells: tuple[tuple[str, ...], ...]
    values: np.ndarray
    possible: np.ndarray
    of: str = ""

    @property
    def plain(self) -> str:
        """The cells as a text has them."""
        return "\n".join(f"[{'  '.join(row)}]" for row in self.cells)


def grid_of(matrix: Matrix, of: str = "") -> Grid | None:
    """The matrix as cells; None where it is too large, or refused."""
    if matrix.refused:
        return None
    try:
        value, mask = matrix.laid_out()
    except MemoryLimitError:
        return None
    return grid_of_array(value, mask, of)


def grid_of_array(value: np.ndarray, mask: np.ndarray | None = None, of: str = "") -> Grid | None:
    """An array of at most two axes as cells; None where it is too large."""
    rows = np.atleast_2d(value)
    if value.ndim > 2 or not value.size or len(rows) > MOST_ROWS or rows.shape[1] > MOST_COLUMNS:
        return None
    possible = np.ones(rows.shape, bool) if mask is None else np.atleast_2d(mask)
    digits = DIGITS[0] if rows.shape[1] <= 6 else DIGITS[-2]
    cells = [zero_or_number(row, flags, digits) for row, flags in zip(rows, possible, strict=True)]
    return Grid(tuple(map(tuple, cells)), rows, possible, of)


def lines_of(matrix: Matrix) -> list[str]:
    """The matrix in lines of text, where it is no grid."""
    return matrix_lines(matrix, ROOM)


def row_of_numbers(value: np.ndarray) -> list[str]:
    """The numbers of a short vector; none of what is no vector, or is long."""
    short = value.ndim < 2 and 0 < value.size <= 4 * MOST_ROWS
    return [number(entry) for entry in np.atleast_1d(value)] if short else []
