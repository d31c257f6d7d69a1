"""One Jacobian as cells: a matrix, two beside each other, or a tensor slice by slice.

    kron(I, aᵀ)   a staircase, where a matrix is laid flat row by row
    δ[k,k'] a[i'] a 3-tensor: the row that is other than zero moves from slice to slice

What is too large for numbers is drawn without them, and that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..document.picture import Picture
from .canvas import ADVANCE, ROOM, Canvas
from .cells import Cells, largest, legend

MOST_NUMBERS = 400  # above them cells have no numbers
MOST_CELLS = 2500  # above them nothing is drawn cell by cell
MOST_LINES = 40  # rows, and columns, of a matrix with numbers
HEADS = 16  # entries that are named along a side
GAP = 26


@dataclass(frozen=True, eq=False)
class Block:
    """A Jacobian as it is drawn: what is said of it, its numbers, and the names at its sides."""

    name: str
    facts: str
    value: np.ndarray
    possible: np.ndarray
    rows: tuple[str, ...] = ()  # of a tensor: of its slices
    columns: tuple[str, ...] = ()
    ends: tuple[int, ...] = ()  # the columns in front of which a row of the variable begins

    @property
    def alt(self) -> str:
        return f"{self.name}, {self.facts}"


def fits(shape: Sequence[int]) -> bool:
    """Whether an array of this shape is drawn cell by cell."""
    cells = int(np.prod(shape, dtype=object))
    tall, wide = (*shape, 1, 1)[-2:] if len(shape) < 2 else shape[-2:]
    return 0 < cells <= MOST_CELLS and max(tall, wide) * 11 <= ROOM


def matrix(block: Block) -> Picture:
    """A matrix with the entry that each row and each column stands for."""
    canvas = Canvas()
    cells = _cells(block, block.value, largest(block.value))
    said = _heading(canvas, block, cells, 16, max(cells.size[0] + 60, 330))
    _matrix(canvas, block, cells, 16, canvas.bottom + 8)
    legend(canvas, [cells], max(canvas.right, 330))
    return canvas.picture(f"{block.name} as a matrix", f"{block.alt}{said}.", signs(block))


def beside(left: Block, right: Block) -> Picture:
    """Two matrices beside each other: a diagonal and a full one are told apart at sight."""
    canvas, x, parts, said = Canvas(), 16.0, list[Cells](), list[str]()
    top = max(largest(left.value), largest(right.value))
    for block in (left, right):
        cells = _cells(block, block.value, top)
        wide = max(cells.size[0] + 60, 220)
        if x > 16 and x + wide > ROOM:
            x, below = 16.0, canvas.bottom + GAP
        else:
            below = 0.0
        inner = Canvas()
        inner.bottom = below
        said.append(_heading(inner, block, cells, x, wide))
        _matrix(inner, block, cells, x, inner.bottom + 8)
        canvas.parts += inner.parts
        canvas.reaches(inner.right, inner.bottom)
        x = inner.right + GAP
        parts.append(cells)
    legend(canvas, parts)
    alt = f"{left.alt}{said[0]}; beside it {right.alt}{said[1]}."
    lines = [*signs(left), "", *signs(right)]
    return canvas.picture(f"{left.name} beside {right.name}", alt, lines)


def slices(block: Block) -> Picture:
    """A 3-tensor as matrices, one for each entry of its first axis."""
    canvas, top = Canvas(), largest(block.value)
    parts = [
        Cells(value, possible, top, block.value.size <= MOST_NUMBERS)
        for value, possible in zip(block.value, block.possible, strict=True)
    ]
    wide = max(cells.width for cells in parts) / parts[0].width * parts[0].size[0]
    a_row = max(1, min(len(parts), int((ROOM - 16 + GAP) // (wide + GAP))))
    said = _heading(canvas, block, parts[0], 16, max(330, a_row * (wide + GAP)))
    x, y = 16.0, canvas.bottom + 24
    for place, (cells, head) in enumerate(zip(parts, block.rows, strict=True)):
        if place and place % a_row == 0:
            x, y = 16.0, canvas.bottom + 28
        canvas.words(x, y - 6, head, 10, "soft", most=wide)
        cells.draw(canvas, x, y)
        x += wide + GAP
    legend(canvas, parts, max(canvas.right, 330))
    alt = f"{block.alt}{said}; one slice for each of {block.rows[0]} to {block.rows[-1]}."
    if len(parts) == 1:
        alt = f"{block.alt}{said}; its one slice, {block.rows[0]}."
    return canvas.picture(f"{block.name} as slices", alt, signs(block))


def signs(block: Block) -> list[str]:
    """The same in text: + and − for numbers, 0 for a zero of this input, '.' for the others."""
    lines = []
    for head, value, possible in zip(
        block.rows if block.value.ndim == 3 else [""],
        block.value if block.value.ndim == 3 else [block.value],
        block.possible if block.value.ndim == 3 else [block.possible],
        strict=True,
    ):
        lines += [head] * bool(head)
        for row, flags in zip(value, possible, strict=True):
            lines.append("".join(map(_sign, row, flags)))
    return lines


def _sign(value: float, possible: bool) -> str:
    if not possible:
        return "."
    return "0" if value == 0 else "-" if value < 0 else "+" if value > 0 else "?"


def _cells(block: Block, value: np.ndarray, top: float) -> Cells:
    numbered = value.size <= MOST_NUMBERS and max(value.shape) <= MOST_LINES
    cells = Cells(value, block.possible, top, numbered)
    if numbered and cells.size[0] > ROOM + 260:
        return Cells(value, block.possible, top, False)
    return cells


def _heading(canvas: Canvas, block: Block, cells: Cells, x: float, width: float) -> str:
    """Name and facts above the cells; the result is what is said where numbers are left out."""
    left_out = "" if cells.numbered else "; too many entries for their numbers"
    canvas.math(x, canvas.bottom + 30, block.name, 19)
    canvas.paragraph(x, canvas.bottom + 12, f"{block.facts}{left_out}", width)
    return left_out


def _matrix(canvas: Canvas, block: Block, cells: Cells, x: float, y: float) -> None:
    names = cells.numbered and len(block.columns) <= HEADS and bool(block.columns)
    at_side = cells.numbered and len(block.rows) <= HEADS and bool(block.rows)
    side = max((len(row) for row in block.rows), default=0) * 10 * ADVANCE + 8 if at_side else 0
    top = y + (18 if names else 4)
    left = x + side
    if names:
        for place, head in enumerate(block.columns):
            middle = left + (place + 0.5) * cells.width
            canvas.words(middle, top - 6, head, 10, "soft", "middle", cells.width - 3)
    if at_side:
        for place, head in enumerate(block.rows):
            middle = top + (place + 0.5) * cells.height + 3.5
            canvas.words(left - 6, middle, head, 10, "soft", "end", side - 6)
    cells.draw(canvas, left, top)
    for column in block.ends:
        at = left + column * cells.width
        canvas.line([(at, top), (at, top + cells.size[1])], "part")
