"""A table as lines of text: a column that does not fit gives way.

What stands in it goes below its row, with its name.
"""

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from ..writing.signs import dims
from ..writing.tables import table
from .blocks import Cell, Column, Formula, Row, Shape, Table, Words
from .text_matrices import lines_below

INDENT = " " * 8

Spell = Callable[[str], str]


def table_lines(block: Table, width: int, spell: Spell) -> list[str]:
    """Each row, and below it the cells that gave way, what it equals further, its numbers."""
    if not block.rows:
        return []
    columns = block.columns
    heads = [spell(column.head) for column in columns]
    rows = [_cells(row, columns, spell) for row in block.rows]
    lines, gone = _fitted([heads, *rows], columns, width)
    wide = max(map(cell_len, lines)) + 2
    at_end = [place for place, column in enumerate(columns) if column.last]
    named = at_end or [place for place in _giving_way(columns) if place in gone]
    found = _beside(lines[0], heads[named[0]] if named else "", wide, width)[:1]
    for line, row, cells in zip(lines[1:], block.rows, rows, strict=True):
        if isinstance(row, Words):
            found.append(f"      {row.text}")
            continue
        given_way = [
            place
            for place, column in enumerate(columns)
            if cells[place] and (place in gone or _is_long(row.cells[place], column))
        ]
        below = [_below(row.cells[place], columns[place]) for place in given_way]
        if at_end:
            first, *rest = _beside(line, cells[at_end[0]], wide, width)
        else:
            beside, *below = map(spell, below or [""])
            first, *rest = _beside(line, beside, wide, width)
            rest, below = [*rest, *below], []
        equals = _equals(row, width, spell)
        if not at_end and rest and len(equals) == 1 and columns[given_way[-1]].kind == "formula":
            one_line = f"{rest[-1]} = {equals[0]}"
            if cell_len(INDENT + one_line) <= width:
                rest, equals = [*rest[:-1], one_line], []
        if at_end and not below and not cells[at_end[0]] and len(equals) > 2:
            both = _beside(line, spell(equals[0]), wide, width)  # in the place of a reason
            if len(both) == 1:
                first, equals = both[0], equals[1:]
        found += [first, *(f"{INDENT}{words}" for words in [*below, *rest, *equals])]
    return found


def _giving_way(columns: Sequence[Column]) -> list[int]:
    """The places of the columns that may leave the table, the first to leave first."""
    places = [place for place, column in enumerate(columns) if column.gives_way]
    return sorted(places, key=lambda place: columns[place].gives_way)


def _fitted(
    rows: Sequence[Sequence[str]], columns: Sequence[Column], width: int
) -> tuple[list[str], set[int]]:
    """The table without as many of its columns as it takes to fit, and which."""
    kept = [place for place, column in enumerate(columns) if not column.last]
    gone: set[int] = set()
    for place in (None, *_giving_way(columns)):
        gone |= {place} if place is not None else set()
        lines = table([[row[p] for p in kept if p not in gone] for row in rows])
        if max(map(cell_len, lines)) <= width:
            break
    return lines, gone


def _beside(line: str, words: str, wide: int, width: int) -> list[str]:
    """A row with its reason in the last column, or as near to it as fits; else the two apart."""
    begin = min(wide, width - cell_len(words))
    if words and cell_len(line) + 2 <= begin:
        return [line + " " * (begin - cell_len(line)) + words]
    return [line, words] if words else [line]


def _cells(row: Row | Words, columns: Sequence[Column], spell: Spell) -> list[str]:
    if isinstance(row, Words):
        return [""] * len(columns)
    return [
        spell("below" if _is_long(cell, column) else _cell(cell))
        for cell, column in zip(row.cells, columns, strict=True)
    ]


def _is_long(cell: Cell, column: Column) -> bool:
    return isinstance(cell, Formula) and cell_len(cell.text) > column.longest and not cell.goes_on


def _cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Shape():
            return dims(cell.sizes)
        case Formula():
            tensor = f"  {dims(cell.tensor)}" if cell.tensor else ""
            return f"{'= ' * cell.goes_on}{cell.text}{tensor}"
    return cell.text


def _below(cell: Cell, column: Column) -> str:
    """A cell that gave way, as it stands below its row."""
    if isinstance(cell, Formula) and cell.tensor:
        return column.below.format(f"{cell.text}, tensor {dims(cell.tensor)}")
    return column.below.format(cell.text if isinstance(cell, Formula) else _cell(cell))


def _equals(row: Row, width: int, spell: Spell) -> list[str]:
    """The further sides of an equation, the last with the numbers on one line where they fit."""
    block = lines_below(row.matrix, width - len(INDENT)) if row.matrix else []
    if not row.equals:
        return block
    sides = [f"= {formula.text}" for formula in row.equals]
    one_line = f"{sides[-1]} = {block[0]}" if len(block) == 1 else ""
    if one_line and cell_len(spell(INDENT + one_line)) <= width:
        return [*sides[:-1], one_line]
    return [*sides, *block]
