"""Blocks beside and below each other: a Hessian, or Jacobians by several variables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..document.picture import Picture
from .canvas import ROOM, Canvas, shortened
from .cells import SMALL, Cells, largest, legend, void
from .matrices import Block, signs

MOST_SIDE = int(ROOM // SMALL) - 4  # rows, and columns, that are drawn
MOST_NAMES = 12  # blocks, along a side
TILE = (58.0, 34.0)  # of a block whose entries are not drawn


@dataclass(frozen=True)
class Side:
    """The names of the blocks along one side, and how many entries each has."""

    names: tuple[str, ...]
    entries: tuple[int, ...]

    @property
    def starts(self) -> list[int]:
        return [sum(self.entries[:place]) for place in range(len(self.entries))]


def fits(rows: Side, columns: Side) -> bool:
    """Whether every entry is drawn, not blocks alone."""
    tall, wide = sum(rows.entries), sum(columns.entries)
    return 0 < tall <= MOST_SIDE and 0 < wide <= MOST_SIDE and len(rows.names) <= MOST_SIDE


def blocks(
    name: str, facts: str, rows: Side, columns: Side, value: np.ndarray, possible: np.ndarray
) -> Picture:
    """Every entry, a line where a block ends."""
    canvas = Canvas()
    numbered = sum(columns.entries) <= 12 and value.size <= 150
    cells = Cells(value, possible, largest(value), numbered)
    left_out = "" if numbered else "; too many entries for their numbers"
    canvas.math(16, 30, shortened(name, 40), 19)
    canvas.paragraph(16, canvas.bottom + 12, f"{facts}{left_out}", max(330, cells.size[0]))
    left = 16 + max(len(shortened(n, 10)) for n in rows.names) * 8 + 8
    top = canvas.bottom + 44
    for place, (start, count) in enumerate(zip(columns.starts, columns.entries, strict=True)):
        middle = left + (start + count / 2) * cells.width
        narrow = count * cells.width < 28
        level = top - 8 - 18 * (place % 2 if narrow else 0)
        canvas.math(middle, level, shortened(columns.names[place], 10), 13, "", "middle")
        if narrow and place % 2:
            canvas.line([(middle, level + 5), (middle, top - 2)], "edge thin")
    for place, (start, count) in enumerate(zip(rows.starts, rows.entries, strict=True)):
        middle = top + (start + count / 2) * cells.height + 4
        canvas.math(left - 6, middle, shortened(rows.names[place], 10), 13, "", "end")
    cells.draw(canvas, left, top)
    ends = []
    for start in rows.starts[1:]:
        ends.append(f"M{left:g} {top + start * cells.height:g}h{cells.size[0]:g}")
    for start in columns.starts[1:]:
        ends.append(f"M{left + start * cells.width:g} {top:g}v{cells.size[1]:g}")
    canvas.path("".join(ends), "part")
    legend(canvas, [cells], max(canvas.right, 330))
    lines = signs(Block(name, facts, value, possible))
    return canvas.picture(
        f"The blocks of {shortened(name, 60)}", f"{name}, {facts}{left_out}.", lines
    )


def tiles(name: str, facts: str, rows: Side, columns: Side, nonzeros: np.ndarray) -> Picture:
    """A tile for each block, with how many of its entries can be other than zero."""
    canvas = Canvas()
    canvas.math(16, 30, shortened(name, 40), 19)
    down, across = _shown(len(rows.names)), _shown(len(columns.names))
    w, h = TILE
    said = f"{facts}; too many entries to be drawn: in each block, how many can be other than zero"
    if len(down) < len(rows.names) or len(across) < len(columns.names):
        said += f"; of more than {MOST_NAMES} blocks the first ones and the last"
    canvas.paragraph(16, canvas.bottom + 12, said, max(330, len(across) * w))
    left, top = 90.0, canvas.bottom + 28
    full = np.outer(np.array(rows.entries, object), np.array(columns.entries, object))
    for place, column in enumerate(across):
        text = "…" if column is None else shortened(columns.names[column], 8)
        canvas.math(left + (place + 0.5) * w, top - 7, text, 13, "", "middle")
    for line, row in enumerate(down):
        y = top + line * h
        text = "…" if row is None else shortened(rows.names[row], 8)
        canvas.math(left - 8, y + h / 2 + 4, text, 13, "", "end")
        for place, column in enumerate(across):
            x = left + place * w
            if row is None or column is None:
                canvas.words(x + w / 2, y + h / 2 + 4, "…", 11, "soft", "middle")
                continue
            count = nonzeros[row, column]
            shade = _kind(count, full[row, column])
            _tile(canvas, x, y, w, h, shade)
            if shade:
                words = f"{count:,}"
                canvas.words(x + w / 2, y + h / 2 + 4, words, 10, f"i{shade}", "middle", w - 6)
    _legend(canvas, {_kind(n, f) for n, f in zip(nonzeros.ravel(), full.ravel(), strict=True)})
    lines = [
        "  ".join("…" if r is None or c is None else f"{int(nonzeros[r, c])}" for c in across)
        for r in down
    ]
    return canvas.picture(f"The blocks of {shortened(name, 60)}", f"{name}, {said}.", lines)


def _kind(count: int, full: int) -> int:
    """The class of a tile: all of its entries, some, or none."""
    return 8 if count == full and count else 6 if count else 0


def _tile(canvas: Canvas, x: float, y: float, w: float, h: float, shade: int) -> None:
    if shade:
        canvas.rect(x, y, w, h, f"c{shade}")
    else:
        void(canvas, x, y, w, h)
    canvas.rect(x, y, w, h, "rim")


def _legend(canvas: Canvas, kinds: set[int]) -> None:
    """What the tiles that are there stand for."""
    y = canvas.bottom + 18
    words = {8: "every entry can", 6: "some entries can", 0: "none: zero for every input"}
    for shade in (shade for shade in words if shade in kinds):
        _tile(canvas, 16, y, 22, 14, shade)
        canvas.words(45, y + 11, words[shade], 11, "soft")
        y += 22


def _shown(count: int) -> Sequence[int | None]:
    if count <= MOST_NAMES:
        return list(range(count))
    return [*range(MOST_NAMES - 2), None, count - 1]
