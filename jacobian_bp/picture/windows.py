"""What each output position reads: the windows of a convolution or of a pool, one after another."""

from collections.abc import Sequence

import numpy as np

from ..document.picture import Picture
from ..writing.signs import plural
from .canvas import ROOM, Canvas
from .cells import HATCH, void

MOST_OUTPUTS = 36  # drawn; of more the first ones and the last
LARGEST, SMALLEST = 14, 5  # of a cell
LONGEST = 96  # entries along an axis of the input


def windows(
    name: str, facts: str, axes: tuple[Sequence[str], Sequence[str]], reads: np.ndarray
) -> Picture:
    """`reads` says over the output's axes, then the input's, one or two each, what is read."""
    out, wrt = axes
    shape = reads.shape[len(out) :]
    maps = reads.reshape(-1, *((1, *shape) if len(shape) == 1 else shape))
    indices = list(np.ndindex(*reads.shape[: len(out)]))
    shown: list[int | None] = list(range(len(maps)))
    if len(maps) > MOST_OUTPUTS:
        shown = [*range(MOST_OUTPUTS - 2), None, len(maps) - 1]
    rows, columns = maps.shape[1:]
    size = min(LARGEST, max(SMALLEST, int(200 // max(rows, columns))))
    if len(shape) == 1:
        size = min(20, max(SMALLEST, int((ROOM - 100) // columns)))
    canvas = Canvas()
    canvas.math(16, 30, name, 19)
    many = plural(len(maps) - len(shown) + 1, "output")
    left_out = f"; {many} left out" if None in shown else ""
    said = (
        f"{facts}; for each output [{','.join(out)}] what it reads of [{','.join(wrt)}]{left_out}"
    )
    canvas.paragraph(16, canvas.bottom + 12, said, 420)
    wide, tall = max(columns * size, 44), rows * size
    a_row = 1 if len(shape) == 1 else max(1, int((ROOM - 16) // (wide + 18)))
    x, y = 16.0, canvas.bottom + 22
    for place, number in enumerate(shown):
        if place and place % a_row == 0:
            x, y = 16.0, y + tall + (24 if len(shape) > 1 else 5)
        beside = len(shape) == 1
        if number is None:
            canvas.words(x, y + tall / 2 + 4, "…", 12, "soft")
        else:
            index = ",".join(map(str, indices[number]))
            if beside:
                canvas.words(x + 34, y + tall / 2 + 4, f"[{index}]", 10, "soft", "end")
            else:
                canvas.words(x, y - 5, f"[{index}]", 10, "soft")
            _map(canvas, x + (40 if beside else 0), y, size, maps[number])
        x += wide + 18
    y = canvas.bottom + 18
    for kind, words in (("c7", "read"), ("void", "not read: zero for every input")):
        if kind == "void":
            void(canvas, 16, y, 22, 14)
        else:
            canvas.rect(16, y, 22, 14, kind)
        canvas.rect(16, y, 22, 14, "rim")
        canvas.words(45, y + 11, words, 11, "soft")
        y += 22
    lines = []
    for number in shown:
        lines += ["…"] if number is None else _signs(indices[number], maps[number])
    return canvas.picture(f"The windows of {name}", f"{name}, {said}.", lines)


def _map(canvas: Canvas, x: float, y: float, size: float, reads: np.ndarray) -> None:
    tall, wide = reads.shape
    void(canvas, x, y, wide * size, tall * size)
    for row, column in np.argwhere(reads):
        canvas.rect(x + column * size, y + row * size, size, size, "c7")
    if size > HATCH:
        lines = [f"M{x:g} {y + r * size:g}h{wide * size:g}" for r in range(1, tall)]
        lines += [f"M{x + c * size:g} {y:g}v{tall * size:g}" for c in range(1, wide)]
        canvas.path("".join(lines), "grid")
    canvas.rect(x, y, wide * size, tall * size, "rim")


def _signs(index: tuple[int, ...], reads: np.ndarray) -> list[str]:
    """The same in text: # for what is read."""
    lines = ["".join("#" if cell else "." for cell in row) for row in reads]
    head = f"[{','.join(map(str, index))}]"
    return [f"{head} {lines[0]}"] if len(lines) == 1 else [head, *lines]
