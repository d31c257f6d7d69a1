"""How text is set: lines folded, cells in columns, arrays row by row.

Two kinds of zero are told apart in every printed array: '.' is zero for every
input, '0' is zero at this input.
"""

import re
import textwrap
from collections.abc import Container, Iterable, Sequence

import numpy as np
from rich.cells import cell_len

from .signs import number

MOST_ROWS = 16
QUOTED = re.compile(r"(?<=[ =])'[^' ][^']* [^']*'(?=[ ,.;:)]|$)")  # a word of a shell, with a space
HELD = "\0"  # in place of a space at which no line is broken
DIGITS = (6, 5, 4, 3)
WIDTH = 99  # of a page
PAIRS = (("(", ")"), ("[", "]"))


def fold(line: str, width: int) -> list[str]:
    """A line that is too wide, broken at spaces and indented; no word is cut, nor a quoted one.

    >>> fold("next: grade 'my ex2.py'", 20)
    ['next: grade', "    'my ex2.py'"]
    """
    if cell_len(line) <= width:
        return [line]
    indent = " " * min(width // 2, len(line) - len(line.lstrip(" ")) + 4)
    held = QUOTED.sub(lambda found: found[0].replace(" ", HELD), line)
    return [part.replace(HELD, " ") for part in wrapped(held, width, rest=indent)]


def fold_terms(equation: str, width: int) -> list[str]:
    """An equation that is too wide, each term of its right-hand side on a line.

    >>> fold_terms("∂y/∂x = δ[k,k'] s[k] − (a − b)[k] 1[k']", 30)
    ["∂y/∂x = δ[k,k'] s[k]", "        − (a − b)[k] 1[k']"]
    """
    if cell_len(equation) <= width:
        return [equation]
    head, equals, terms = equation.partition(" = ")
    if not equals:
        return fold(equation, width)
    cuts = [
        sign.start()
        for sign in re.finditer(r" (?=[+−-] )", terms)
        if all(terms.count(a, 0, sign.start()) == terms.count(b, 0, sign.start()) for a, b in PAIRS)
    ]
    ends = zip([0, *cuts], [*cuts, len(terms)], strict=True)
    first, *others = [terms[start:end].lstrip() for start, end in ends]
    room = width - cell_len(head + equals)
    if any(cell_len(term) > room for term in (first, *others)):
        under = " " * (len(head) - len(head.lstrip(" ")) + 4)
        return fold_all([head, f"{under}= {first}", *(under + term for term in others)], width)
    under = " " * cell_len(head + equals)
    return [head + equals + first, *(under + term for term in others)]


def fold_all(lines: Iterable[str], width: int) -> list[str]:
    """Lines of which each that is too wide is folded."""
    return [part for line in lines for part in fold(line, width)]


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """A text broken between words only: weight-not-transposed is one word.

    `first` stands in front of the first line, `rest` in front of each further one.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def array_block(
    value: np.ndarray, can_be_nonzero: np.ndarray | None, room: int, most_rows: int = MOST_ROWS
) -> list[str]:
    """An array row by row in aligned columns, or one line about it where it is too large."""
    return plain_block(value, can_be_nonzero, room, most_rows) or [about(value)]


def plain_block(
    value: np.ndarray, can_be_nonzero: np.ndarray | None, room: int, most_rows: int = MOST_ROWS
) -> list[str]:
    """An array row by row in aligned columns, each row on a line; nothing where that is too much.

    Fewer digits are written before it is too wide.
    """
    if not value.size:
        return []
    rows = np.atleast_2d(value).reshape(-1, value.shape[-1] if value.ndim else 1)
    mask = (
        np.ones(rows.shape, bool) if can_be_nonzero is None else can_be_nonzero.reshape(rows.shape)
    )
    if len(rows) <= most_rows and rows.shape[1] <= room // 2:
        for digits in DIGITS:
            cells = [zero_or_number(r, m, digits) for r, m in zip(rows, mask, strict=True)]
            lines = _sliced([f"[{row}]" for row in right_aligned(cells)], value.shape)
            if max(map(len, lines)) <= room:
                return lines
    return []


def about(value: np.ndarray) -> str:
    """How many entries an array has, and their range, in place of its numbers."""
    if not value.size:
        return "[no entries]"
    low, high = number(value.min(), 3), number(value.max(), 3)
    return f"[{value.size:,} entries, from {low} to {high}]"


def zero_or_number(row: np.ndarray, can_be_nonzero: np.ndarray, digits: int) -> list[str]:
    """The cells of one row: '.' for a structural zero, else the number."""
    pairs = zip(row, can_be_nonzero, strict=True)
    return [number(value, digits) if possible else "." for value, possible in pairs]


def table(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows of words in columns, set to the left.

    >>> table([["name", "shape"], ["W1", "(4, 3)"]])
    ['name  shape', 'W1    (4, 3)']
    """
    widths = _widths(rows)
    everywhere = range(len(widths))
    return [line_of(row, widths, everywhere, gap).rstrip() for row in rows]


def right_aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of numbers in columns, set to the right.

    >>> right_aligned([["1", "20"], ["300", "4"]])
    ['  1  20', '300   4']
    """
    widths = _widths(rows)
    return [line_of(row, widths) for row in rows]


def line_of(
    cells: Sequence[str], widths: Sequence[int], left: Container[int] = (), gap: str = "  "
) -> str:
    """One row: cells as wide as their columns, by display width, those at `left` to the left.

    A cell that is too long pushes the others on.
    """
    placed = []
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        blanks = " " * (width - cell_len(cell))
        placed.append(cell + blanks if place in left else blanks + cell)
    return gap.join(placed)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column: that of its widest cell."""
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]


def packed(words: Sequence[str], room: int, gap: str = "  ") -> list[str]:
    """As many words on a line as fit."""
    lines: list[str] = []
    for word in words:
        if lines and cell_len(lines[-1]) + len(gap) + cell_len(word) <= room:
            lines[-1] += gap + word
        else:
            lines.append(word)
    return lines


def _sliced(lines: list[str], shape: tuple[int, ...]) -> list[str]:
    """Mark where a slice of a 3-tensor begins."""
    if len(shape) < 3:
        return lines
    rows = shape[-2]
    return [
        f"{'[' + str(p // rows) + ']' if p % rows == 0 else '':<4} {line}"
        for p, line in enumerate(lines)
    ]
