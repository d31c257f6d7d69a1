"""A sentence cut into words and formulas, and a row of a table as one equation with its facts.

What LaTeX, Markdown and HTML share: they set formulas as formulas, also within a sentence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import MemoryLimitError
from ..writing.signs import dims, number
from ..writing.tables import DIGITS, zero_or_number
from .blocks import Column, Formula, Matrix, Row, Shape, Words
from .text_matrices import matrix_lines

MOST_ROWS, MOST_COLUMNS = 16, 12  # of a grid; beyond them an array stands in lines of text
ROOM = 84  # columns of such a line

_PIECE = re.compile(
    r"""(?<![\w'])(?:
      ∂\w+/(?:∂\w+)+(?:\[[^][]*\])?         # ∂J/∂z3, ∂²J/∂W2∂W1
    | Σ_\w+'?                              # a sum
    | (?P<entry>[^\W\d_]\w*)\[(?P<at>\d+(?:,\d+)*)\]  # a1[1]
    | (?:1|[^\W\d_]\w*'?)\[[\w',]+\]       # δ[k,k'], 1[n]
    | \d+/[^\W\d_]\w*                     # 1/a3
    | (?P<name>[^\W\d_]\w*)'?              # W3, z1, σ'
    )(?!\w)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Piece:
    """Part of a sentence: words, a formula, or a value with the place of one of its entries."""

    text: str
    is_formula: bool = False
    place: str = ""


def pieces(sentence: str, names: frozenset[str]) -> Iterator[Piece]:
    """Words and formulas; a name is a formula where it cannot be read as a word.

    >>> [piece.text for piece in pieces("unit k reads only row k of W3", frozenset(["W3"]))]
    ['unit ', 'k', ' reads only row ', 'k', ' of ', 'W3']
    """
    done = 0
    for match in _PIECE.finditer(sentence):
        word = match["name"]
        if word is not None and not (match[0].endswith("'") or _is_symbol(word, names)):
            continue
        if match.start() > done:
            yield Piece(sentence[done : match.start()])
        done = match.end()
        if match["entry"]:
            yield Piece(match["entry"], True, match["at"])
        else:
            yield Piece(match[0], True)
    if done < len(sentence):
        yield Piece(sentence[done:])


def _is_symbol(word: str, names: frozenset[str]) -> bool:
    if word in names:
        return (len(word) == 1 and word != "a") or not word.isalpha()
    letter = len(word) == 1 and word not in "aAIᵀ"
    return letter or re.fullmatch(r"δ\d+", word) is not None


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
    """A small matrix as cells: a number, or '.' for what is zero for every input."""

    cells: tuple[tuple[str, ...], ...]
    values: np.ndarray
    possible: np.ndarray

    @property
    def plain(self) -> str:
        """The cells as a text has them."""
        return "\n".join(f"[{'  '.join(row)}]" for row in self.cells)


def grid_of(matrix: Matrix) -> Grid | None:
    """The matrix as cells; None where it is too large, or refused."""
    if matrix.refused:
        return None
    try:
        value, mask = matrix.laid_out()
    except MemoryLimitError:
        return None
    return grid_of_array(value, mask)


def grid_of_array(value: np.ndarray, mask: np.ndarray | None = None) -> Grid | None:
    """An array of at most two axes as cells; None where it is too large."""
    rows = np.atleast_2d(value)
    if value.ndim > 2 or not value.size or len(rows) > MOST_ROWS or rows.shape[1] > MOST_COLUMNS:
        return None
    possible = np.ones(rows.shape, bool) if mask is None else np.atleast_2d(mask)
    digits = DIGITS[0] if rows.shape[1] <= 6 else DIGITS[-2]
    cells = [zero_or_number(row, flags, digits) for row, flags in zip(rows, possible, strict=True)]
    return Grid(tuple(map(tuple, cells)), rows, possible)


def lines_of(matrix: Matrix) -> list[str]:
    """The matrix in lines of text, where it is no grid."""
    return matrix_lines(matrix, ROOM)


def row_of_numbers(value: np.ndarray) -> list[str]:
    """The numbers of a short vector; none of what is no vector, or is long."""
    short = value.ndim < 2 and 0 < value.size <= 4 * MOST_ROWS
    return [number(entry) for entry in np.atleast_1d(value)] if short else []
