"""What LaTeX, Markdown and HTML have in common: how a document is walked through.

A renderer of one of them says how words, a formula, a grid, lines and a table look.
Each sign that it writes is recorded, so that the meanings of those signs can be given.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import numpy as np

from ..writing.long_arrays import long_block
from ..writing.marked import Marked, Part
from ..writing.signs import dims, safe
from .blocks import (
    Block,
    Document,
    Equation,
    Equations,
    Formula,
    Lines,
    Matrix,
    Picture,
    Row,
    Signs,
    Table,
    Values,
    Words,
)
from .sentences import (
    ROOM,
    Grid,
    Stated,
    grid_of,
    grid_of_array,
    lines_of,
    parts_of,
    row_of_numbers,
    stated,
)


class Written(ABC):
    """A document in one form, block by block."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.seen: list[str] = []  # what was written, as plain text

    def blocks(self) -> list[list[str]]:
        """For each section its blocks; the tables come first, since they hold the signs."""
        tables = {
            block: self.steps(block)
            for section in self.document.sections
            for block in section.blocks
            if isinstance(block, Table) and not block.plain
        }
        return [
            [
                part
                for block in section.blocks
                for part in (tables[block] if block in tables else self.block(block))
            ]
            for section in self.document.sections
        ]

    def block(self, block: Block) -> list[str]:
        match block:
            case Words():
                text = f"{block.label}: {block.text}" if block.label else block.text
                return [self.paragraph(self.said(text) if block.plain else self.sentence(text))]
            case Lines():
                return [self.lines(list(block.lines))] if block.lines else []
            case Formula():
                return [self.paragraph(self.math(block.text))]
            case Signs():
                return [self.listing(self.sentence(s) for s in block.meanings(self.printed))]
            case Values():
                return self.values(block)
            case Equations():
                return self.equations(block)
            case Matrix():
                return [self.matrix(block)]
            case Table():
                rows = [row for row in block.rows if isinstance(row, Row)]
                heads = [self.sentence(column.head) for column in block.columns]
                cells = [[self.cell(cell) for cell in row.cells] for row in rows]
                return [self.table(heads, cells)]
            case Picture():
                return [self.picture(block)]

    @property
    def printed(self) -> str:
        return "\n".join(self.seen)

    def steps(self, block: Table) -> list[str]:
        """Each row as an equation with its facts, its reason and its numbers."""
        found = []
        for row in block.rows:
            if isinstance(row, Words):
                found.append(self.paragraph(self.sentence(row.text)))
                continue
            step = stated(row, block.columns)
            self.seen += [" = ".join(step.sides), step.reason]
            numbers = self.matrix(row.matrix, step.sides[0]) if row.matrix else ""
            found.append(self.step(step, row.key, numbers))
        return found

    def values(self, block: Values) -> list[str]:
        return [
            self.named(item.name, item.array, item.array.size > block.most) for item in block.items
        ]

    def equations(self, block: Equations) -> list[str]:
        return [
            self.paragraph(self.sentence(item.text))
            if isinstance(item, Words)
            else self.equation(item)
            for item in block.items
        ]

    def equation(self, item: Equation) -> str:
        return self.named(item.statement, item.array, item.array.size > item.most)

    def named(self, formula: str, value: np.ndarray, hidden: bool) -> str:
        """z1 = W1 x + b1 = [1.15  -0.3], the numbers beside it or below it; or its shape."""
        left = self.math(formula)
        if hidden:
            return self.paragraph(f"{left} {self.words(f'shape {dims(value.shape)}')}")
        numbers = row_of_numbers(value)
        if numbers:
            return self.paragraph(self.equals(formula, numbers, value.ndim == 0))
        grid = grid_of_array(value, of=formula.partition(" = ")[0])
        below = self.grid(grid) if grid else self.lines(self._long(value))
        return self.paragraph(left) + below

    @staticmethod
    def _long(value: np.ndarray) -> list[str]:
        return long_block(value, None, ROOM, float("inf"))

    def matrix(self, block: Matrix, of: str = "") -> str:
        grid = grid_of(block, of)
        if grid is not None:
            self.seen.append(grid.plain)
            return self.grid(grid)
        lines = lines_of(block)
        self.seen += lines
        return self.lines(lines)

    def cell(self, cell: object) -> str:
        if isinstance(cell, Formula):
            return self.math(cell.text)
        return self.sentence(cell.text) if isinstance(cell, Words) else ""

    def sentence(self, text: str) -> str:
        """Words, formulas and code, in the names of the convention."""
        kept = text if isinstance(text, Marked) else safe(text)
        return "".join(map(self.part, parts_of(kept, self.document.names)))

    def part(self, part: Part) -> str:
        match part.kind:
            case "words":
                return self.said(part.text)
            case "code":
                return self.code(part.text)
        return self.entry(part.text, part.place) if part.place else self.math(part.text)

    def spelled(self, text: str) -> str:
        """A text in the names of the convention, controls and bidi marks escaped."""
        return self.document.spell(safe(text))

    def said(self, text: str) -> str:
        """Words in which there is no formula."""
        return self.words(self.spelled(text))

    @abstractmethod
    def words(self, text: str) -> str:
        """Words, every sign of them harmless."""

    @abstractmethod
    def math(self, formula: str) -> str:
        """A formula within a line."""

    @abstractmethod
    def code(self, text: str) -> str:
        """Part of a line of a program within a sentence, controls and bidi marks escaped."""

    @abstractmethod
    def entry(self, name: str, place: str) -> str:
        """One entry of a value, a1[1]: its place below, where no seed has a layer's number."""

    @abstractmethod
    def equals(self, formula: str, numbers: list[str], scalar: bool) -> str:
        """A formula and the numbers that it gives, in one line."""

    @abstractmethod
    def paragraph(self, line: str) -> str: ...

    @abstractmethod
    def listing(self, lines: Iterable[str]) -> str: ...

    @abstractmethod
    def step(self, step: Stated, key: str, numbers: str) -> str: ...

    @abstractmethod
    def grid(self, grid: Grid) -> str: ...

    @abstractmethod
    def lines(self, lines: list[str]) -> str:
        """Lines of plain text, in columns."""

    @abstractmethod
    def table(self, heads: list[str], rows: list[list[str]]) -> str: ...

    @abstractmethod
    def picture(self, picture: Picture) -> str: ...
