"""Mistakes that a reader chooses from: what each changes, entry by entry, in HTML without a script.

Opening one closes the others. A page with a script reads the same tables, and marks the entries
where they stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

from ..writing.signs import number
from .html_tables import matrix_table

SAME, OTHER = "·", "×"
DIGITS = 3
RULES = (
    "details[name=mistake]{border-top:1px solid var(--line);padding:.45rem 0}"
    "details[name=mistake] summary{cursor:pointer;overflow-wrap:anywhere}"
    ".marks td{padding:1px 7px;text-align:right;border:1px solid var(--line);white-space:nowrap}"
    ".marks td.x{background:var(--panel);color:var(--accent);font-weight:700;"
    "outline:1.5px solid var(--accent);outline-offset:-2px}"
    ".marks th{font-size:0;line-height:0;padding:0;user-select:none}"
    ".marks td:empty{padding:0;border:0}"
)


@dataclass(frozen=True, eq=False)
class Changed:
    """One object that a mistake changes: which entries, and by how much each is too large.

    Without `differs` nothing is told of entries, without `gaps` no number. `place` is where the
    object stands on the page; `said` are sentences about it, in HTML.
    """

    name: str
    said: tuple[str, ...] = ()
    differs: np.ndarray | None = None
    gaps: np.ndarray | None = None
    place: str = ""


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake by the words or the line by which it is chosen, in HTML, and what it changes.

    `plain` are the same words as text, for a menu.
    """

    title: str
    changes: tuple[Changed, ...]
    says: str = ""
    plain: str = ""


def mistake_html(mistake: Mistake) -> str:
    """One mistake, closed: a reader opens it by its title."""
    said = f"<p>{mistake.says}</p>" if mistake.says else ""
    parts = "\n".join(part for changed in mistake.changes for part in _changed(changed))
    plain = f' data-title="{escape(mistake.plain)}"' if mistake.plain else ""
    title = f"<summary>{mistake.title}</summary>"
    return f'<details name="mistake"{plain}>{title}{said}\n{parts}\n</details>'


def _changed(changed: Changed) -> Iterator[str]:
    place = f' data-step="{escape(changed.place)}"' if changed.place else ""
    yield f"<div{place}><p><b>{changed.name}</b></p>"
    yield from (f'<p class="said">{said}</p>' for said in changed.said)
    if changed.differs is not None:
        yield _grid(changed.differs, changed.gaps)
    yield "</div>"


def _grid(differs: np.ndarray, gaps: np.ndarray | None) -> str:
    """A row for each line of the last axis."""
    wide = differs.shape[-1] if differs.ndim else 1
    told = np.zeros(differs.shape) if gaps is None else gaps
    rows = []
    for marks, numbers in zip(differs.reshape(-1, wide), told.reshape(-1, wide), strict=True):
        cells = [
            f'<td class="x">{_too_large(float(value)) if gaps is not None else OTHER}</td>'
            if mark
            else f"<td>{SAME}</td>"
            for mark, value in zip(marks, numbers, strict=True)
        ]
        rows.append(cells)
    return matrix_table("marks", rows, "what the mistake changes")


def _too_large(gap: float) -> str:
    return number(gap, DIGITS).replace("-", "−")
