"""Matrices as cells: nine classes of numbers, two kinds of zero, and the legend that says so.

A structural zero is hatched, a zero of this input is plain paper with its 0: a texture and a
sign tell them apart, not a hue. Where no number is written, a bar marks the negative ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..document.palette import ZERO, level
from ..writing.signs import number
from .canvas import ADVANCE, ROOM, Canvas

HEIGHT, SIZE = 24, 11  # of a cell with a number, and of the number
NARROWEST, WIDEST = 30, 66
SMALL = 11  # a cell without a number
HATCH = 7  # between two lines
DIGITS = 3


@dataclass(frozen=True, eq=False)
class Cells:
    """A matrix, where it can be other than zero, and the largest size of what it stands beside."""

    value: np.ndarray
    possible: np.ndarray
    largest: float
    numbered: bool = True

    @property
    def width(self) -> float:
        """Of one cell: the longest number fits."""
        if not self.numbered:
            return SMALL
        texts = [said(x) for x in self.value[self.possible]]
        longest = max(map(len, texts), default=1)
        return min(WIDEST, max(NARROWEST, longest * SIZE * ADVANCE + 10))

    @property
    def height(self) -> float:
        return HEIGHT if self.numbered else SMALL

    @property
    def size(self) -> tuple[float, float]:
        """Of the whole."""
        rows, columns = self.value.shape
        return columns * self.width, rows * self.height

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        w, h = self.width, self.height
        for top, left, tall, wide in _blocks(~self.possible):
            void(canvas, x + left * w, y + top * h, wide * w, tall * h)
        for row, column in np.argwhere(self.possible):
            value = float(self.value[row, column])
            self._entry(canvas, x + column * w, y + row * h, value)
        lines = [f"M{x:g} {y + r * h:g}h{self.size[0]:g}" for r in range(1, len(self.value))]
        lines += [f"M{x + c * w:g} {y:g}v{self.size[1]:g}" for c in range(1, self.value.shape[1])]
        canvas.path("".join(lines), "grid")
        canvas.rect(x, y, *self.size, "rim")

    def _entry(self, canvas: Canvas, x: float, y: float, value: float) -> None:
        shade = level(value, self.largest)
        w, h = self.width, self.height
        canvas.rect(x, y, w, h, f"c{shade}")
        if self.numbered:
            middle = x + w / 2, y + h / 2 + SIZE * 0.36
            canvas.words(*middle, said(value), SIZE, f"i{shade}", "middle", w - 4)
        elif shade < ZERO:
            canvas.rect(x + w * 0.25, y + h * 0.42, w * 0.5, h * 0.16, f"b{shade}")


def said(value: float) -> str:
    """A number with few digits, and a minus that is one."""
    return number(value, DIGITS).replace("-", "−")


def void(canvas: Canvas, x: float, y: float, w: float, h: float) -> None:
    """A region of structural zeros; its lines go on from one region to the next."""
    canvas.rect(x, y, w, h, "void")
    lines = []
    for s in range(int((x + y) // HATCH) + 1, int((x + y + w + h) / HATCH) + 1):
        at = s * HATCH
        x0, x1 = max(x, at - y - h), min(x + w, at - y)
        if x1 > x0:
            lines.append(f"M{x0:.4g} {at - x0:.4g}L{x1:.4g} {at - x1:.4g}")
    canvas.path("".join(lines), "hatch")


def _blocks(mask: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """A mask as few rectangles: runs along a row, joined with the same run of the rows below."""
    open_: dict[tuple[int, int], int] = {}
    for row in range(len(mask) + 1):
        runs = set(_runs(mask[row])) if row < len(mask) else set()
        for run in sorted(set(open_) - runs):
            top = open_.pop(run)
            yield top, run[0], row - top, run[1] - run[0]
        for run in sorted(runs - set(open_)):
            open_[run] = row


def _runs(row: np.ndarray) -> list[tuple[int, int]]:
    """Where runs of yes begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def largest(value: np.ndarray) -> float:
    """The largest size of a finite entry."""
    finite = np.abs(value[np.isfinite(value)])
    return float(finite.max()) if finite.size else 0.0


def legend(canvas: Canvas, parts: list[Cells], room: float = ROOM) -> None:
    """What the cells stand for, below all that is drawn; only of kinds that are there."""
    top = max((cells.largest for cells in parts), default=0.0)
    items = list[tuple[str, str]]()
    if any(not cells.possible.all() for cells in parts):
        items.append(("void", "zero for every input"))
    if any((cells.possible & (cells.value == 0)).any() for cells in parts):
        items.append((f"c{ZERO}", "0 at this input"))
    x, y = 16.0, canvas.bottom + 18
    for kind, words in items:
        wide = 30 + len(words) * SIZE * ADVANCE
        if x > 16 and x + wide > room:
            x, y = 16.0, y + 22
        if kind == "void":
            void(canvas, x, y, 22, 14)
        else:
            canvas.rect(x, y, 22, 14, kind)
        canvas.rect(x, y, 22, 14, "rim")
        canvas.words(x + 29, y + 11, words, SIZE, "soft")
        x += wide + 22
    if top > 0:
        _scale(canvas, x, y, top, room)


def _scale(canvas: Canvas, x: float, y: float, top: float, room: float) -> None:
    """The classes from the most negative number to the most positive."""
    shades = [shade for shade in range(9) if shade != ZERO]
    ends = f"−{said(top)}", said(top)
    before = len(ends[0]) * SIZE * ADVANCE + 6
    if x > 16 and x + before + 8 * 17 + before > room:
        x, y = 16.0, y + 22
    canvas.words(x, y + 11, ends[0], SIZE, "soft")
    for place, shade in enumerate(shades):
        at = x + before + place * 17
        canvas.rect(at, y, 17, 14, f"c{shade}")
        if shade < ZERO:
            canvas.rect(at + 4.5, y + 6, 8, 2, f"b{shade}")
    canvas.rect(x + before, y, 8 * 17, 14, "rim")
    canvas.words(x + before + 8 * 17 + 6, y + 11, ends[1], SIZE, "soft")
