"""Where a matrix of any size can be other than zero, from exact counts; in a terminal as dots."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..document.picture import Picture
from .canvas import Canvas
from .cells import SIZE, void

SHADES = 8
FAINTEST = 0.3
MOST_CHANGES = 1500  # of the shade along a row, in all: as fine as a small file allows
FINEST = (120, 320)  # cells of the picture
TEXT = (12, 64)  # characters of braille, which have 4 × 2 dots each
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


@dataclass(frozen=True, eq=False)
class Sparsity:
    """Of a Jacobian in a flat layout: what is said of it, its rows and columns, its shares."""

    name: str
    facts: str
    full: tuple[int, int]
    share: np.ndarray  # in FINEST cells at the most
    dots: np.ndarray  # in as many as the dots of TEXT


def sparsity(found: Sparsity) -> Picture:
    """The share of each cell as a shade, structural zeros hatched."""
    canvas = Canvas()
    canvas.math(16, 30, found.name, 19)
    width, height = _box(*found.full)
    canvas.paragraph(16, canvas.bottom + 12, found.facts, max(width, 330))
    top = canvas.bottom + 10
    void(canvas, 16, top, width, height)
    share = _few_shades(found.share)
    w, h = width / share.shape[1], height / share.shape[0]
    for row, line in enumerate(share):
        edges = [0, *(np.flatnonzero(np.diff(line)) + 1).tolist(), len(line)]
        for begin, end in pairwise(edges):
            if line[begin] > 0:
                size = f'width="{(end - begin) * w:.2f}" height="{h:.2f}"'
                where = f'x="{16 + begin * w:.2f}" y="{top + row * h:.2f}"'
                shade = f'fill-opacity="{line[begin]:.2f}"'
                canvas.parts.append(f'<rect {where} {size} class="c8" {shade}/>')
    canvas.rect(16, top, width, height, "rim")
    below = top + height + 16
    canvas.words(16, below, f"{found.full[0]:,} rows", SIZE, "soft")
    canvas.words(16 + width, below, f"{found.full[1]:,} columns", SIZE, "soft", "end")
    said = _grain(found.full, share.shape)
    y = canvas.paragraph(16, below + 18, said, max(width, 330))
    if (found.share == 0).any():
        void(canvas, 16, y - 6, 22, 14)
        canvas.rect(16, y - 6, 22, 14, "rim")
        canvas.words(45, y + 5, "zero for every input", SIZE, "soft")
    alt = f"Where {found.name} can be other than zero: {found.facts}."
    return canvas.picture(f"Where {found.name} can be other than zero", alt, braille(found))


def braille(found: Sparsity) -> list[str]:
    """The same in a terminal: 2 × 4 dots a character, a dot where some entry can stand."""
    share = found.dots > 0
    rows, columns = -(-share.shape[0] // 4) * 4, -(-share.shape[1] // 2) * 2
    dots = np.zeros((rows, columns), bool)
    dots[: share.shape[0], : share.shape[1]] = share
    codes = (dots.reshape(rows // 4, 4, columns // 2, 2) * DOTS[None, :, None, :]).sum((1, 3))
    lines = ["".join(chr(0x2800 + int(code)) for code in line) for line in codes]
    return [*lines, _grain(found.full, share.shape, "dot")]


def grid_of(full: tuple[int, int], most: tuple[int, int] = FINEST) -> tuple[int, int]:
    """How many cells: at most these, of equal sizes where half as many or more allow it.

    >>> grid_of((128, 100352)), grid_of((127, 3))
    ((64, 256), (120, 3))
    """
    rows, columns = (
        next((c for c in range(min(n, m), m // 2 - 1, -1) if n % c == 0), min(n, m))
        for n, m in zip(full, most, strict=True)
    )
    return rows, columns


def _grain(full: tuple[int, int], cells: tuple[int, ...], what: str = "cell") -> str:
    """How many entries one cell of the picture has."""
    sizes = [_one_or_many(n, c) for n, c in zip(full, cells, strict=True)]
    if sizes == ["1", "1"]:
        return f"a {what} is one entry"
    shade = (
        "; the stronger its colour, the more of them can be other than zero"
        if what == "cell"
        else ""
    )
    return f"a {what} has {sizes[0]} × {sizes[1]} entries{shade}"


def _one_or_many(lines: int, cells: int) -> str:
    few, rest = divmod(lines, cells)
    return f"{few:,} or {few + 1:,}" if rest else f"{few:,}"


def _few_shades(share: np.ndarray) -> np.ndarray:
    """Shares in so few shades that equal neighbours run together; none of them is lost."""
    for shades in (SHADES, 3, 1):
        found = np.ceil(share * shades - 1e-9) / shades
        if (np.diff(found, axis=1) != 0).sum() < MOST_CHANGES:
            break
    return np.where(share > 0, np.maximum(FAINTEST, found), 0)


def _box(rows: int, columns: int) -> tuple[int, int]:
    """The size on the page: wide, square or tall as the matrix is, within bounds."""
    if columns > 2 * rows:
        return 640, 240
    return (320, 320) if rows < 2 * columns else (200, 400)
