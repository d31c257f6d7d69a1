"""Whether the first line holds names or values, told by what stands below it."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ....writing.signs import safe
from .cells import DATE, is_missing, is_number, plain_numeral
from .dialect import Grid
from .options import TableOptions, quoted, refuse, some

MOSTLY = 0.9  # of the cells of a column are of one kind
YEARS = range(1900, 2100)


@dataclass(frozen=True, eq=False)
class Named:
    """Columns of cells, each with a name; `lines` tells where each row stands."""

    source: str
    names: list[str]
    unnamed: list[bool]  # where the name was made here
    columns: list[list[str]]
    lines: list[int]
    remarks: list[str]  # in words, what was assumed so far
    unit: str = "line"  # or row, where there are no lines

    def where(self, row: int, column: int) -> str:
        """A cell as messages call it."""
        name = self.names[column]
        shown = name if self.unnamed[column] else f"column {safe(name[:40])}"
        return f"{self.source}, {self.unit} {self.lines[row]}, {shown}:"


def name_columns(grid: Grid, tokens: Collection[str], options: TableOptions) -> Named:
    """The columns with their names, or with numbers from 1 where the first line is no header."""
    rows = grid.rows
    columns = [list(cells) for cells in zip(*(r for _, r in grid.rows), strict=True)]
    said = list(grid.remarks)
    has = options.header
    if has is None:
        has = _is_header(grid, columns, tokens, options)
    if not has:
        names = [f"column {place}" for place in range(1, len(columns) + 1)]
        told = f" ({options.way('header', True)})" if options.header is None else ""
        said.insert(0, f"no header, columns numbered from 1{told}")
        lines = [line for line, _ in rows]
        return Named(grid.source, names, [True] * len(names), columns, lines, said)
    first, cells = rows[0]
    if len(rows) == 1:
        fact = " has a header and no rows."
        refuse(grid.source, fact, (), "Write one line for each example.")
    for line, row in rows[1:]:
        if row == cells and not any(map(is_number, row)):
            refuse(
                f"{grid.source}, line {line}",
                f" repeats the header, line {first}: {some(row, 4)}.",
                ["names written twice, or two tables one below the other"],
                f"Leave the line out; if line {first} holds values, "
                f"say {options.way('header', False)}.",
            )
    names, more = _distinct(cells)
    told = f" ({options.way('header', False)})" if options.header is None else ""
    said.append(f"line {first} is the header{told}")
    return Named(
        grid.source,
        names,
        [not cell for cell in cells],
        [column[1:] for column in columns],
        [line for line, _ in rows[1:]],
        [*said, *more],
    )


def _distinct(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """A name for each column, and what is said of those that had none of their own."""
    counted = Counter(cells)
    names, said = [], {}
    for place, cell in enumerate(cells, 1):
        name = cell or f"column {place}"
        if cell and counted[cell] > 1:
            name = f"{cell} (column {place})"
            said[cell] = f"the name {quoted(cell)} stands twice: its columns are told by numbers"
        names.append(name)
    if len(set(names)) < len(names):  # somebody called a column 'column 3'
        names = [f"column {place}" for place in range(1, len(cells) + 1)]
    return names, [*said.values()]


def _is_header(
    grid: Grid, columns: Sequence[Sequence[str]], tokens: Collection[str], options: TableOptions
) -> bool:
    """Each column votes: a word above numbers is a name, a number above numbers a value."""
    first = [column[0] for column in columns]
    if len(grid.rows) < 2:
        return not any(map(is_number, first))
    kinds: tuple[Callable[[str], object], ...] = (_is_numeral, DATE.match)
    names: list[int] = []
    values: list[int] = []
    for place, column in enumerate(columns):
        below = [cell for cell in column[1:] if not is_missing(cell, tokens)]
        if not below or is_missing(column[0], tokens):
            continue
        for kind in kinds:
            if sum(bool(kind(cell)) for cell in below) >= MOSTLY * len(below):
                (values if kind(column[0]) else names).append(place)
                break
    if names and values:
        name, value = first[names[0]], first[values[0]]
        why = f"{quoted(name)} is a word above numbers, {quoted(value)} a number above numbers"
        _ask(grid, why, options)
    if values and _count_up([first[place] for place in values]):
        shown = some([first[place] for place in values], 3)
        _ask(grid, f"{shown} count up, as names of columns do", options)
    voted = {*names, *values}
    recurs = [p not in voted and c[0] in c[1:] for p, c in enumerate(columns)]
    if names and any(recurs):
        again = first[recurs.index(True)]
        why = f"{quoted(first[names[0]])} is a word above numbers, {quoted(again)} stands below too"
        _ask(grid, why, options)
    if voted:
        return bool(names)
    if not any(recurs) and not any(len(set(c[1:])) < len(c) - 1 for c in columns):
        _ask(grid, "every line differs from every other, in every column", options)
    return not any(recurs)


def _is_numeral(cell: str) -> bool:
    return is_number(cell) or plain_numeral(cell) is not None


def _count_up(cells: Sequence[str]) -> bool:
    """Whether first cells are 0, 1, 2, … or years one after another."""
    if not all(cell.isascii() and cell.isdigit() and len(cell) < 10 for cell in cells):
        return False
    found = [int(cell) for cell in cells]
    start = found[0]
    begins = start == 0 or (start == 1 and len(found) > 2) or start in YEARS
    return len(found) > 1 and begins and found == [*range(start, start + len(found))]


def _ask(grid: Grid, why: str, options: TableOptions) -> None:
    line, cells = grid.rows[0]
    refuse(
        f"{grid.source}, line {line}:",
        f" names or values? {why}.",
        [
            f"names: {some(cells, 4)}, and {len(grid.rows) - 1} rows",
            f"values: {len(grid.rows)} rows, the columns numbered from 1",
        ],
        f"Say {options.way('header', True)} or {options.way('header', False)}.",
    )
