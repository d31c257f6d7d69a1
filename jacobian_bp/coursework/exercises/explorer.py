"""A page on which a planted mistake is chosen: what it changes, and how far that goes.

Of each mistake the line stands there, and of every answer that it changes, the later ones too, a
grid with a mark for each entry that differs. Right numbers are in the file at the level of causes
alone: below it neither they nor the wrong ones, of which the unmarked are right, are written.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from ...document.as_html import whole_file
from ...numbers.rounding import differing, of_formulas
from ...writing.signs import number, plural
from .equality import as_numbers
from .questions import ArrayQuestion, MaskQuestion, Question
from .secrecy import Gate
from .task import Planted, Task
from .verdict import LEVELS

WHERE, SYMPTOM, CAUSE = 1, LEVELS.index("symptom"), LEVELS.index("cause")
SAME, OTHER = "·", "×"
RULES = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1a18;background:#fdfcf9}details{border-top:1px solid #d8d2c5;padding:.4rem 0}"
    "summary{cursor:pointer}table{border-collapse:collapse;margin:.3rem 0}td{padding:.1rem .45rem;"
    "text-align:right;border:1px solid #d8d2c5;font-variant-numeric:tabular-nums}"
    "td.x{background:#fbe3cb;font-weight:600}code{background:#f5f2ea;padding:0 .2rem}"
    "@media(prefers-color-scheme:dark){body{color:#ecebe7;background:#17181b}td,details{border-color:"
    "#3a3c42}td.x{background:#4a3220}code{background:#1f2125}}"
)


def explorer(task: Task, level: int = SYMPTOM) -> str:
    """The page as one file of HTML, without a script; opening a mistake closes the others."""
    title = f"Exercise {task.number}: {task.title}"
    marks = f"{OTHER} marks an entry that it changes, {SAME} one that stays as it is. "
    gaps = f"A number says by how much an entry is too large, {SAME} that it stays as it is. "
    about = (
        "Choose a mistake, to see which answers it changes. "
        + (gaps if level >= CAUSE else marks if level >= WHERE else "")
        + "What is changed further down follows from it."
    )
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{escape(about)}</p>"]
    gate = Gate.of(task)
    parts += ["\n".join(_mistake(task, planted, gate, level)) for planted in task.mistakes]
    return whole_file(title, RULES, "\n".join(parts))


def _mistake(task: Task, planted: Planted, gate: Gate, level: int) -> Iterator[str]:
    answers, right = task.answers(planted), task.answers()
    lines = ", ".join(f"{name} = {line}" for name, line in planted.answers.items())
    yield f'<details name="mistake"><summary><code>{escape(lines)}</code></summary>'
    if level >= CAUSE:
        yield f"<p>{escape(gate.guarded(planted.says))}.</p>"
    for question in task.questions:
        mine, other = right[question.name], answers[question.name]
        if question.name in planted.besides or not _differs(question, mine, other):
            continue
        yield "\n".join(_answer(question, mine, other, gate, level))
    yield "</details>"


def _differs(question: Question, mine: Any, other: Any) -> bool:
    a, b = question.outcome(mine), question.outcome(other)
    if isinstance(a, str) or isinstance(b, str) or np.shape(a) != np.shape(b):
        return not np.array_equal(a, b)
    right = np.asarray(a, float)
    return bool(differing(np.asarray(b, float), right, of_formulas(right)).any())


def _answer(question: Question, mine: Any, other: Any, gate: Gate, level: int) -> Iterator[str]:
    """What changes of one answer: its name, which entries, by which pattern, by how much."""
    yield f"<p><b>{escape(question.name)}</b>: {escape(question.ask)}</p>"
    given, right = as_numbers(other, question.name), as_numbers(mine, question.name)
    secret = not isinstance(question, ArrayQuestion) or isinstance(question, MaskQuestion)
    if isinstance(given, str) or isinstance(right, str) or (secret and level < CAUSE):
        return
    if given.shape != right.shape:
        yield f"<p>{plural(given.ndim, 'axis', 'axes')} where {right.ndim} belong.</p>"
        return
    if level >= SYMPTOM:
        said = gate.guarded(question.difference(given, right)[1], "")
        yield f"<p>{escape(said)}.</p>" * bool(said)
    if level >= WHERE:
        yield _grid(given, right, level >= CAUSE)


def _grid(given: np.ndarray, right: np.ndarray, numbers: bool) -> str:
    """A row for each line of the last axis; with `numbers` how much is too much."""
    other = differing(given.astype(float), right.astype(float), of_formulas(right.astype(float)))
    wide = right.shape[-1] if right.ndim else 1
    gaps = (given.astype(float) - right.astype(float)).reshape(-1, wide)
    rows = []
    for marks, gap in zip(other.reshape(-1, wide), gaps, strict=True):
        cells = [
            f'<td class="x">{number(float(value), 3) if numbers else OTHER}</td>'
            if mark
            else f"<td>{SAME}</td>"
            for mark, value in zip(marks, gap, strict=True)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"
