"""The marks on one object: what each aspect is worth, and what is said about it.

    shape 1    values 2 (at edge points and elsewhere 1 each)    fresh numbers 2

An answer that follows from the student's own wrong one has all of its points.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...ops import Activation
from ...ops.labels import PROBABILITIES
from ..exercises.equality import as_numbers, same
from ..exercises.questions import ArrayQuestion, Question
from ..exercises.secrecy import Gate
from ..exercises.task import Task
from ..exercises.verdict import LEVELS, MISSING, OTHER_LAYOUT, TRANSPOSED, WRONG, Verdict
from .grade_report import NO_CAUSE, NOT_RUN, STOPPED, Mark

SHAPE, VALUES, FRESH = 1.0, 2.0, 2.0
NO_ANSWER_STOPPED = "no answer, the file stopped"
NO_FIT = "not numbers of a right shape"
NOT_RIGHT = "a text that is not right"  # such as a formula; of what it says nothing is repeated
REPEATED = "one number repeated earns no point for its shape"


@dataclass(frozen=True, eq=False)
class Judged:
    """All answers to one task with their verdicts, and why the code stopped."""

    task: Task
    answers: Mapping[str, Any]
    verdicts: Mapping[str, Verdict]
    failure: str = ""
    kind: str = ""
    undiagnosed: str = ""  # why no cause could be looked for


def marks_of(sheet: Judged, fresh: Judged | None, gate: Gate) -> tuple[Mark, ...]:
    """The marks on every object, in the order of the sheet."""
    marks: list[Mark] = []
    for place, question in enumerate(sheet.task.questions, 1):
        found = [*_on_sheet(sheet, question, gate)]
        if fresh is not None:
            found.append(_on_fresh(fresh, sheet, question, gate))
        found = _one_tag(found)
        marks += [replace(mark, number=f"{place}.{nr}") for nr, mark in enumerate(found, 1)]
    return tuple(marks)


def _one_tag(marks: list[Mark]) -> list[Mark]:
    """The marks on one object with one tag: a known cause, where one is found, names them all."""
    tags = [tag for mark in marks for tag in mark.tags]
    named = [tag for tag in tags if tag not in NO_CAUSE] or tags
    return [replace(mark, tags=tuple(named[:1])) if mark.tags else mark for mark in marks]


def _on_sheet(judged: Judged, question: Question, gate: Gate) -> list[Mark]:
    verdict = judged.verdicts[question.name]
    said = _messages(judged, question, gate)
    tags = _tags(judged, verdict)
    full, marks = float(verdict.credited), []
    if isinstance(question, ArrayQuestion):
        fits = full or float(_fits(question, judged.answers.get(question.name)))
        marks.append(_mark(question, "shape", SHAPE * fits, SHAPE, tags, said))
    edges = _edge_rows(judged.task, question)
    if edges is None:
        aspect = f"values{_points(judged.task)}"
        return [*marks, _mark(question, aspect, VALUES * full, VALUES, tags, said)]
    assert isinstance(question, ArrayQuestion)
    half = VALUES / 2
    in_layout = verdict.tag not in (TRANSPOSED, OTHER_LAYOUT)
    outside = _right_outside(question, judged.answers.get(question.name), edges)
    rest = full or float(in_layout and outside)
    marks.append(_mark(question, "values, ordinary points", half * rest, half, tags, said))
    return [*marks, _mark(question, "values, edge points", half * full, half, tags, said)]


def _on_fresh(fresh: Judged, sheet: Judged, question: Question, gate: Gate) -> Mark:
    question = next(q for q in fresh.task.questions if q.name == question.name)
    verdict = fresh.verdicts[question.name]
    said = _messages(fresh, question, gate, fresh=True)
    tags = _tags(fresh, verdict)
    if fresh.kind and fresh.kind in tags:  # how it stopped there, the sheet may have chosen
        tags = (sheet.kind or STOPPED,)
    if sheet.verdicts[question.name].ok and not verdict.credited and verdict.status != MISSING:
        hint = "right on the sheet, not on other numbers: is a number typed in?"
        said = (said[0], f"{hint} {said[1]}", f"{hint} {said[2]}", f"{hint} {said[3]}")
        tags = tags or ("typed-in",)
    score = FRESH * verdict.credited
    return _mark(question, "values, fresh numbers", score, FRESH, tags, said, fresh=True)


def _mark(
    question: Question,
    aspect: str,
    score: float,
    most: float,
    tags: tuple[str, ...],
    said: tuple[str, str, str, str],
    fresh: bool = False,
) -> Mark:
    if score >= most and tags:  # what is said is about another aspect
        tags, said = (), ("", "", "", "")
    return Mark("", question.name, aspect, score, most, tags, said, fresh)


def _messages(
    judged: Judged, question: Question, gate: Gate, fresh: bool = False
) -> tuple[str, str, str, str]:
    """What is said about an object at the four levels.

    On fresh numbers nothing is repeated that the sheet has chosen, as a shape or the name
    of a class: it could be made of those numbers.
    """
    verdict, value = gate.said(judged.verdicts[question.name]), judged.answers.get(question.name)
    if verdict.status == MISSING:
        verdict = replace(verdict, where=_no_answer(judged))
    elif verdict.status == WRONG:
        verdict = replace(verdict, where=_where(judged.task, question, value, verdict.where, fresh))
    zero, one, two, three = ("; ".join(verdict.words(level)) for level in range(len(LEVELS)))
    return zero, one, two, three


def _no_answer(judged: Judged) -> str:
    if not judged.failure:
        return "no answer"
    return "no answer, the file was not run" if judged.kind in NOT_RUN else NO_ANSWER_STOPPED


def _where(task: Task, question: Question, value: Any, entries: str, fresh: bool) -> str:
    """Object, layer, whether the shape is right, and which entries are wrong."""
    layer = _layer(question, task.written.first - 1 if task.written is not None else 0)
    if not isinstance(question, ArrayQuestion):
        if not fresh or not _unreadable(value, question):
            return entries
        return NOT_RIGHT if isinstance(value, str) and isinstance(question.right, str) else NO_FIT
    if _fits(question, value):
        return f"{layer}shape right, values wrong: {entries}"
    if _has_shape(question, value):
        return f"{layer}{REPEATED}; {entries}"
    return f"{layer}{NO_FIT if fresh else entries}"


def _layer(question: Question, shift: int = 0) -> str:
    """The layer of an object, as the sheet counts."""
    key = getattr(question, "key", None)
    name = key if isinstance(key, str) else key[-1] if key else ""
    layer = re.search(r"\d+$", name)
    return f"layer {int(layer[0]) + shift}: " if layer else ""


def _tags(judged: Judged, verdict: Verdict) -> tuple[str, ...]:
    if verdict.credited:
        return ()
    if verdict.status == MISSING:
        return (judged.kind or "missing",)
    return (verdict.tag or "wrong",)


def _unreadable(value: Any, question: Question) -> bool:
    return isinstance(as_numbers(value, question.name), str)


def _fits(question: ArrayQuestion, value: Any) -> bool:
    """Whether an array has a right shape and is filled in; all zeros, ones or NaN are not."""
    if not _has_shape(question, value):
        return False
    array = np.asarray(value)
    numbers = array[np.isfinite(array)]
    return numbers.size == 1 or bool((numbers != numbers[:1]).any())


def _has_shape(question: ArrayQuestion, value: Any) -> bool:
    array = as_numbers(value, question.name) if value is not None else ""
    forms = [*question.forms.values(), *(question.others or {}).values()]
    return not isinstance(array, str) and array.shape in {form.shape for form in forms}


def _points(task: Task) -> str:
    """Where the sheet's values are taken: at one example or on a batch, where a network reads x.

    That x has two axes is no sign of a batch: those of an image are none.
    """
    if task.run is None or not isinstance(task.own_given.get("x"), np.ndarray):
        return ""
    return ", a batch" if "x" in task.run.forward_pass.batched else ", one example"


def _edge_rows(task: Task, question: Question) -> np.ndarray | None:
    """For a delta of a batch: which examples saturate a sigmoid exactly; None without any."""
    delta = isinstance(question, ArrayQuestion) and isinstance(question.key, str)
    if task.run is None or not delta or not _points(task).endswith("batch"):
        return None
    assert isinstance(question, ArrayQuestion)
    steps = task.run.forward_pass.program.steps
    probable = [s for s in steps if isinstance(s.op, Activation) and PROBABILITIES in s.op.gives]
    values = [task.run[step.name] for step in probable]
    rows = np.zeros(len(task.own_given["x"]), bool)
    for value in values:
        rows |= ((value == 0) | (value == 1)).any(axis=1)
    if question.key in task.run.params or not rows.any() or rows.all():
        return None
    return rows


def _right_outside(question: ArrayQuestion, value: Any, edges: np.ndarray) -> bool:
    array = as_numbers(value, question.name) if value is not None else ""
    if isinstance(array, str):
        return False
    array, right = question.in_sheet(array), question.in_sheet(question.right)
    if question.in_columns:
        array, right = array.T, right.T
    if array.shape != right.shape:
        array = array.T
    return array.shape == right.shape and same(array[~edges], right[~edges])
