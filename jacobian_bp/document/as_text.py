"""A document as plain text in columns, for a terminal and a file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from rich.cells import cell_len

from ..writing.long_arrays import long_block
from ..writing.short_arrays import in_fewer_lines
from ..writing.signs import dims, vector
from ..writing.tables import DIGITS, WIDTH, fold_all, packed
from .blocks import (
    Block,
    Document,
    Equation,
    Equations,
    Formula,
    Lines,
    Matrix,
    Named,
    Picture,
    Signs,
    Table,
    Values,
    Words,
)
from .text_matrices import matrix_lines
from .text_tables import table_lines

LABEL = 10  # columns in front of a section's lines
MOST_LINES = 4  # of the numbers of an equation that stand elsewhere too
NO_LIMIT = float("inf")

Spell = Callable[[str], str]


def text_lines(document: Document, width: int = WIDTH, spell: Spell = str) -> list[str]:
    """The lines of a document, each section behind its label.

    `spell` rewrites every word before it is measured: a seed's names, or ASCII
    where the reader has no other symbols.
    """
    tables = {
        block: table_lines(block, width, spell)
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Table) and not block.plain
    }
    printed = "\n".join(line for lines in tables.values() for line in lines)
    room, found = width - LABEL, list[str]()
    for section in document.sections:
        if all(isinstance(block, Picture) and not block.lines for block in section.blocks):
            continue
        found += [""] if found else []
        label, margin = section.label, list[str]()
        for block in _packed_together(section.blocks, room, spell):
            if isinstance(block, Table) and not block.plain:
                found += [*_labelled(label, margin, room, spell), *tables[block]]
                label, margin = "", []
            else:
                margin += _beside_the_label(block, room, spell, printed)
        found += _labelled(label, margin, room, spell)
    return fold_all([spell(line.rstrip()) for line in found], width)


def _packed_together(blocks: Iterable[Block], room: int, spell: Spell) -> Iterator[Block]:
    """The blocks, statements that follow one another as many on a line as fit."""
    for pack, run in groupby(blocks, key=lambda block: isinstance(block, Words) and block.pack):
        if not pack:
            yield from run
            continue
        statements = [spell(block.text) for block in run if isinstance(block, Words)]
        yield Lines(tuple(packed(statements, room, "; ")))


def set_already(blocks: Iterable[Block]) -> list[str]:
    """The lines of a report, whose tables and lines are set for its width already.

    >>> set_already([Words("all right", label="score"), Lines(("a  1",)), Words("why", 1)])
    ['score     all right', 'a  1', '  why']
    """
    found: list[str] = []
    for block in blocks:
        match block:
            case Words():
                found.append(worded(block))
            case Lines():
                found += block.lines
            case Table():
                found += block.plain
    return found


def worded(words: Words) -> str:
    """A sentence behind its label, or as deep as it stands."""
    return (
        f"{words.label:<{LABEL}}{words.text}" if words.label else "  " * words.indent + words.text
    )


def _beside_the_label(block: Block, room: int, spell: Spell, printed: str) -> list[str]:
    match block:
        case Words():
            return [worded(block)]
        case Lines():
            return list(block.lines)
        case Signs():
            return packed(block.meanings(printed), room, "; ")
        case Values():
            return _values(block, room, spell)
        case Equations():
            return _equations(block, room, spell)
        case Matrix():
            return matrix_lines(block, room)
        case Table():
            return list(block.plain)
        case Formula():
            return [block.text]
        case Picture():
            return [block.alt, *block.lines] if block.lines else []  # else a text has none


def _values(block: Values, room: int, spell: Spell) -> list[str]:
    """One sentence where it fits; else W1 = […], as many on a line as fit."""
    few = [item for item in block.items if item.array.size <= block.most]
    many = [
        f"{item.name} of shape {dims(item.array.shape)}"
        for item in block.items
        if item.array.size > block.most
    ]
    if block.sentence:
        one_line = ", ".join([*map(_named, few), *many])
        if cell_len(spell(one_line)) <= room:
            return [one_line]
    return [*_arrays(few, room, spell), *many]


def _named(item: Named) -> str:
    return f"{item.name} = {vector(item.array, most=item.array.size)}"


def _arrays(items: Sequence[Named], room: int, spell: Spell) -> list[str]:
    """W1 = […]: as many on a line as fit; what is too long for one, row by row."""
    lines: list[str] = []
    short: list[str] = []
    for item in items:
        head = spell(f"{item.name} = ")
        text = head + vector(item.array, most=item.array.size)
        if cell_len(text) <= room:
            short.append(text)
            continue
        lines += packed(short, room)
        short, indent = [], cell_len(head)
        first, *others = long_block(item.array, None, room - indent, NO_LIMIT)
        lines += [head + first, *(" " * indent + other for other in others)]
    return lines + packed(short, room)


def _equations(block: Equations, room: int, spell: Spell) -> list[str]:
    """A line for each value: the step that makes it, and its numbers where they are few."""
    items = block.items
    calls = [spell(item.statement) if isinstance(item, Equation) else "" for item in items]
    wide = max((w for w in map(cell_len, calls) if w <= room // 2), default=0)
    found = []
    for item, call in zip(items, calls, strict=True):
        if isinstance(item, Words):
            found.append(item.text)
            continue
        numbers = _numbers(item, room, room - max(wide, cell_len(call)) - 2)
        if len(numbers) == 1 and max(wide, cell_len(call)) + 2 + len(numbers[0]) <= room:
            found.append(f"{call}{' ' * (wide - cell_len(call))}  {numbers[0]}")
        else:
            found += [call, *(f"    {line}" for line in numbers)]
    return found


def _numbers(item: Equation, room: int, beside: int) -> list[str]:
    """The numbers of an equation: in the room beside it, else below it, else where they stand."""
    if item.array.size > item.most:
        return [f"shape {dims(item.array.shape)}"]
    block = _on_a_line(item.array, beside) or in_fewer_lines(item.array, None, room - 4)
    block = block or long_block(item.array, None, room - 4, NO_LIMIT)
    if len(block) > MOST_LINES and item.elsewhere is not None:
        said = item.elsewhere()
        return [said] if said else block
    return block


def _on_a_line(value: np.ndarray, room: int) -> list[str]:
    """The numbers on one line, with fewer digits before it is too long; nothing where it is."""
    texts = (vector(value, digits, value.size) for digits in DIGITS)
    return next(([text] for text in texts if len(text) <= room), [])


def _labelled(label: str, lines: Sequence[str], room: int, spell: Spell) -> list[str]:
    """Lines in `room` columns behind a label; what is too wide is folded beside it."""
    parts = fold_all(map(spell, lines), room)
    return [
        f"{label if position == 0 else '':<{LABEL}}{line}" for position, line in enumerate(parts)
    ]
