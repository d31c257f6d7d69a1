"""A table of fixed columns, or one stacked entry a row where the terminal is too narrow.

Columns have fixed widths, so that a row can be printed as soon as it is finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...document.blocks import Column, Row, Table, Words
from ...writing.tables import line_of

GAP = "  "


@dataclass(frozen=True)
class Columns:
    """The heads of the columns and their widths; the first `names` are set to the left."""

    heads: tuple[str, ...]
    widths: tuple[int, ...]
    names: tuple[int, ...] = (0,)  # the columns that say what a row is about

    def fits(self, room: int) -> bool:
        """Whether a row is at most `room` wide."""
        return sum(self.widths) + len(GAP) * (len(self.widths) - 1) <= room

    def head(self, room: int) -> list[str]:
        """The line of heads; none where rows are stacked."""
        return [self._line(self.heads)] if self.fits(room) else []

    def row(self, cells: Sequence[str], room: int) -> list[str]:
        """One row; stacked it names each of its numbers.

        >>> columns = Columns(("route", "bytes", "seconds"), (9, 9, 9))
        >>> columns.row(("vjp", "464", "1 ms"), 40)
        ['vjp              464       1 ms']
        >>> columns.row(("vjp", "464", "1 ms"), 22)
        ['vjp', '  bytes 464', '  seconds 1 ms']
        >>> Columns(("width", "route", "bytes"), (9, 9, 9), (0, 1)).row(("4", "vjp", "464"), 22)
        ['width 4, vjp', '  bytes 464']
        """
        if self.fits(room):
            return [self._line(cells)]
        about = {*self.names, *(p for p, head in enumerate(self.heads) if not head)}
        lines = [self._title([cells[p] for p in sorted(about)])]
        words = [f"{self.heads[p]} {cells[p]}" for p in range(len(cells)) if p not in about]
        for word in words:
            if len(lines) > 1 and len(lines[-1]) + len(word) + 2 <= room:
                lines[-1] += f"; {word}"
            else:
                lines.append(f"  {word}")
        return lines

    def table(self, rows: Sequence[Sequence[str]], lines: Sequence[str]) -> Table:
        """Rows as a table whose lines are set already; one of names and words is filled up."""
        columns = tuple(Column(head) for head in self.heads)
        short = len(self.names) + 1
        filled = [
            [*row[:-1], *[""] * (len(columns) - short), row[-1]] if len(row) == short else row
            for row in rows
        ]
        made = tuple(Row(tuple(map(Words, cells))) for cells in filled)
        return Table(columns, made, tuple(lines))

    def sentence(self, cells: Sequence[str], words: str, room: int) -> list[str]:
        """A row that has words in place of its numbers; `cells` are those of `names`."""
        if self.fits(room):
            widths = [self.widths[p] for p in self.names]
            return [line_of(cells, widths, range(len(widths)), GAP) + GAP + words]
        return [self._title(cells), f"  {words}"]

    def _line(self, cells: Sequence[str]) -> str:
        return line_of(cells, self.widths, self.names, GAP).rstrip()

    def _title(self, names: Sequence[str]) -> str:
        """What a stacked row is about: all but the last, the subject, with their heads."""
        *before, subject = names
        heads = [self.heads[p] for p in sorted(self.names)]
        titled = [f"{head} {name}" for head, name in zip(heads, before, strict=False)]
        return ", ".join([*titled, subject])
