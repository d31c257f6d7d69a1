"""What a notebook shows of an object: its formula, a few facts, a small table.

Two kinds of zero are told apart, as in print: '.' is zero for every input, '0'
at this input. Every name is escaped; nothing is loaded from anywhere.
"""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Protocol, TypeVar

import numpy as np

from ..errors import JacobianError
from .mathml import mathml
from .signs import dims, number, safe

MOST_SHOWN = 16  # rows, and columns
MOST_LINES = 24
# A notebook's own style breaks the lines of <pre> anywhere, in the middle of a word too.
WHOLE_WORDS = '<pre style="word-break: normal; overflow-wrap: normal">'
WHOLE_LINES = '<pre style="white-space: pre; overflow-x: auto">'

T = TypeVar("T")
Cells = Callable[[], tuple[np.ndarray, np.ndarray]]


class NamedArray(Protocol):
    """What a table says of a value: its name and its shape."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


class Said(str):
    """Words in the place of a formula: what a table leaves out."""


def page(formula: str, lines: Sequence[str] = (), numbers: str = "") -> str:
    """A formula as it is printed, lines of plain text under it, and a table.

    >>> print(page("z = x", ["shape (2, 2)"]))
    <p><math><mi>z</mi><mo>=</mo><mi>x</mi></math></p>
    <pre style="word-break: normal; overflow-wrap: normal">shape (2, 2)</pre>
    """
    text = "\n".join(safe(line).removeprefix("  ") for line in ends(lines, "… {:,} more …".format))
    head = f"<p>{_set(formula)}</p>" if formula else ""
    below = f"{WHOLE_WORDS}{_plain(text)}</pre>" if text else ""
    return "\n".join(part for part in (head, below, numbers) if part)


def steps(
    rows: Sequence[tuple[str, str, str]], numbers: Sequence[Sequence[str]] = (), caption: str = ""
) -> str:
    """A derivation: in each row a formula, its layout and shape, and the reason for it.

    `numbers` are lines for each row, which stand under it; `caption` says what stands there.
    """
    found = [f"<caption>{_plain(safe(caption))}</caption>"] if caption else []
    for place, (formula, shape, reason) in enumerate(rows):
        cells = _set(formula), _plain(safe(shape)), _plain(safe(reason))
        found.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
        if place < len(numbers) and numbers[place]:
            text = _plain("\n".join(map(safe, numbers[place])))
            found.append(f'<tr><td colspan="3">{WHOLE_LINES}{text}</pre></td></tr>')
    return "\n".join(["<table>", *found, "</table>"])


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Words in rows and columns, under a head for each column.

    >>> print(grid(["name", "shape"], [["W<1>", "(2, 4)"]]))
    <table>
    <tr><th>name</th><th>shape</th></tr>
    <tr><th>W&lt;1&gt;</th><td>(2, 4)</td></tr>
    </table>
    """

    def left_out(count: int) -> list[str]:
        return [f"… {count:,} more …", *[""] * (len(heads) - 1)]

    def row(kind: str, cells: Sequence[str]) -> str:
        return _row(kind, [_plain(safe(cell)) for cell in cells])

    shown = [row("th", heads), *(row("td", cells) for cells in ends(rows, left_out))]
    above = [f"<caption>{_plain(safe(caption))}</caption>"] if caption else []
    return "\n".join(["<table>", *above, *shown, "</table>"])


def bullets(sentences: Sequence[str]) -> str:
    """A list of sentences.

    >>> print(bullets(["W2 is right."]))
    <ul>
    <li>W2 is right.</li>
    </ul>
    """
    items = [f"<li>{_plain(safe(text))}</li>" for text in sentences]
    return "\n".join(["<ul>", *items, "</ul>"])


def ends(lines: Sequence[T], left_out: Callable[[int], T]) -> list[T]:
    """The first and the last of many lines, and in between how many are left out."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    return [*lines[: MOST_LINES - 3], left_out(len(lines) - MOST_LINES + 1), *lines[-2:]]


def entries_table(of: NamedArray, wrt: NamedArray, cells: Cells) -> str:
    """A Jacobian's entries in layout flat, one row an output; nothing where it is not small.

    `cells` gives the numbers, and where they can be other than zero.
    """
    height, width = math.prod(of.shape), math.prod(wrt.shape)
    if not 0 < height <= MOST_SHOWN or not 0 < width <= MOST_SHOWN:
        return ""
    try:
        value, mask = (array.reshape(height, width) for array in cells())
    except JacobianError:  # small, but not on the way there
        return ""
    rows = [_row("th", ["", *_entries(wrt)])]
    for name, numbers, possible in zip(_entries(of), value, mask, strict=True):
        pairs = zip(numbers, possible, strict=True)
        rows.append(_row("td", [name, *(number(x) if p else "." for x, p in pairs)]))
    legend = [f"layout flat, shape {dims((height, width))}"]
    legend += ["'.' is zero for every input"] * bool(not mask.all())
    legend += ["'0' is zero at this input"] * bool((mask & (value == 0)).any())
    caption = f"<caption>{'; '.join(legend)}</caption>"
    return "\n".join(["<table>", caption, *rows, "</table>"])


def _entries(value: NamedArray) -> list[str]:
    """W2[0,0], W2[0,1], … row by row."""
    if not value.shape:
        return [_code(value.name)]
    return [_code(f"{value.name}[{','.join(map(str, i))}]") for i in np.ndindex(value.shape)]


def _set(formula: str) -> str:
    """A formula in MathML, which needs no script; words as they are."""
    return _plain(safe(formula)) if isinstance(formula, Said) else mathml(safe(formula))


def _code(name: str) -> str:
    """A name that no reader of formulas touches."""
    return f"<code>{_plain(safe(name))}</code>"


def _plain(text: str) -> str:
    """Text as the content of an element."""
    return escape(text, quote=False)


def _row(kind: str, cells: Sequence[str]) -> str:
    first, *others = cells
    return f"<tr><th>{first}</th>{''.join(f'<{kind}>{cell}</{kind}>' for cell in others)}</tr>"
