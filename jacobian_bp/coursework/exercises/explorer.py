"""A page on which a planted mistake is chosen: what it changes, and how far that goes.

Of each mistake the line stands there, and of every answer that it changes, the later ones too, a
grid with a mark for each entry that differs. Right numbers are in the file at the level of causes
alone: below it neither they nor the wrong ones, of which the unmarked are right, are written.
"""

from html import escape
from typing import Any

import numpy as np

from ...document.as_html import whole_file
from ...document.mistakes import OTHER, RULES, SAME, Changed, Mistake, mistake_html
from ...document.page_style import style
from ...numbers.rounding import differing, of_formulas
from ...writing.signs import plural
from .equality import as_numbers
from .questions import ArrayQuestion, MaskQuestion, Question
from .secrecy import Gate
from .task import Planted, Task
from .verdict import LEVELS

WHERE, SYMPTOM, CAUSE = 1, LEVELS.index("symptom"), LEVELS.index("cause")


def explorer(task: Task, level: int = SYMPTOM) -> str:
    """The page as one file of HTML, without a script; opening a mistake closes the others."""
    title = f"Exercise {task.number}: {task.title}"
    marks = f"{OTHER} marks an entry that it changes, {SAME} one that stays as it is. "
    gaps = f"A number says by how much an entry is too large, {SAME} that it stays as it is. "
    gate = Gate.of(task)
    mistakes = [_mistake(task, planted, gate, level) for planted in task.mistakes]
    marked = any(changed.differs is not None for one in mistakes for changed in one.changes)
    about = (
        "Choose a mistake, to see which answers it changes. "
        + (gaps if level >= CAUSE else marks) * marked
        + "What is changed further down follows from it."
    )
    parts = [f"<main>\n<h1>{escape(title)}</h1>", f"<p>{escape(about)}</p>"]
    parts += map(mistake_html, mistakes)
    return whole_file(title, style() + RULES, "\n".join([*parts, "</main>"]))


def _mistake(task: Task, planted: Planted, gate: Gate, level: int) -> Mistake:
    answers, right = task.answers(planted), task.answers()
    lines = ", ".join(f"{name} = {line}" for name, line in planted.answers.items())
    changes = [
        _answer(question, right[question.name], answers[question.name], gate, level)
        for question in task.questions
        if question.name not in planted.besides
        and _differs(question, right[question.name], answers[question.name])
    ]
    says = _sentence(gate.guarded(planted.says)) if level >= CAUSE else ""
    return Mistake(f"<code>{escape(lines)}</code>", tuple(changes), says)


def _differs(question: Question, mine: Any, other: Any) -> bool:
    a, b = question.outcome(mine), question.outcome(other)
    if isinstance(a, str) or isinstance(b, str) or np.shape(a) != np.shape(b):
        return not np.array_equal(a, b)
    right = np.asarray(a, float)
    return bool(differing(np.asarray(b, float), right, of_formulas(right)).any())


def _answer(question: Question, mine: Any, other: Any, gate: Gate, level: int) -> Changed:
    """What changes of one answer: its name, which entries, by which pattern, by how much."""
    name, said = escape(question.name), [escape(question.ask)]
    given, right = as_numbers(other, question.name), as_numbers(mine, question.name)
    secret = not isinstance(question, ArrayQuestion) or isinstance(question, MaskQuestion)
    if isinstance(given, str) or isinstance(right, str) or (secret and level < CAUSE):
        return Changed(name, tuple(said))
    if given.shape != right.shape:
        axes = f"{plural(given.ndim, 'axis', 'axes')} where {right.ndim} belong."
        said.append(axes if given.ndim != right.ndim else "The axes have other sizes.")
        return Changed(name, tuple(said))
    if level >= SYMPTOM:
        pattern = gate.guarded(question.difference(given, right)[1], "")
        said += [_sentence(pattern)] * bool(pattern)
    if level < WHERE:
        return Changed(name, tuple(said))
    given, right = given.astype(float), right.astype(float)
    gaps = given - right if level >= CAUSE else None
    return Changed(name, tuple(said), differing(given, right, of_formulas(right)), gaps)


def _sentence(text: str) -> str:
    """Words as a sentence of HTML."""
    return escape(f"{text[:1].upper()}{text[1:]}.")
