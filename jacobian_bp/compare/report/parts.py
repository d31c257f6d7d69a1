"""What `compare` says, part by part: as lines for the screen, and as a document at the end.

A part is a line, or a block with its lines; "" begins a section, whose title follows it.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from ...document.as_text import LABEL, set_already
from ...document.blocks import Block, Document, Lines, Row, Section, Table, Words

Part = str | Words | Lines | Table
FIRST = "What was compared"


def screen_lines(parts: Iterable[Part]) -> list[str]:
    """The lines, one under another.

    >>> screen_lines(["", "measured", Lines(("  a  1",))])
    ['', 'measured', '  a  1']
    """
    return [
        line
        for part in parts
        for line in ([part] if isinstance(part, str) else set_already([part]))
    ]


def labelled(lines: Iterable[str]) -> list[Words]:
    """Lines of which each has its label in the margin: machine, versions, timing.

    >>> labelled(["timing    15 rounds"])
    [Words(text='15 rounds', indent=0, label='timing', plain=True, pack=False)]
    """
    return [Words(line[LABEL:], label=line[:LABEL].rstrip(), plain=True) for line in lines]


def document_of_parts(parts: Sequence[Part], title: str) -> Document:
    """A section for each part of the report, tables of the same columns as one."""
    sections: list[tuple[str, list[Block]]] = [(FIRST, [])]
    begins = False
    for part in parts:
        if part == "":
            begins = True
        elif begins and isinstance(part, str):
            sections.append((part, []))
            begins = False
        elif isinstance(part, str):
            sections[-1][1].append(Words(part.strip(), int(part.startswith(" "))))
        else:
            sections[-1][1].append(part)
    made = [Section("", head, tuple(_joined(blocks))) for head, blocks in sections if blocks]
    return Document(title, tuple(made))


def _joined(blocks: Iterable[Block]) -> list[Block]:
    """Neighbouring tables under the same heads as one, set in columns by each renderer."""
    found: list[Block] = []
    for heads, group in groupby(blocks, key=lambda b: b.columns if isinstance(b, Table) else None):
        if heads is None:
            found += group
            continue
        tables = [block for block in group if isinstance(block, Table)]
        rows: list[Row | Words] = [row for table in tables for row in table.rows]
        plain = [line for table in tables for line in table.plain]
        found.append(Table(heads, tuple(rows), tuple(plain)))
    return found
