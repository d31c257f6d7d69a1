"""The marks on one object: what each aspect is worth, and what is said about it.

    shape 1    values 2 (at edge points and elsewhere 1 each)    fresh numbers 2

An answer that follows from the student's own wrong one has all of its points.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...ops import Sigmoid
from ..diagnosis.labels import LABELS
from ..exercises.compare import as_numbers, same
from ..exercises.questions import ArrayQuestion, Question
from ..exercises.task import Task
from ..exercises.verdict import MISSING, Verdict
from .report import Mark
from .secrecy import Gate

SHAPE, VALUES, FRESH = 1.0, 2.0, 2.0
WITHHELD = "what went wrong has numbers in it that are not told"


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
        marks += [replace(mark, number=f"{place}.{nr}") for nr, mark in enumerate(found, 1)]
    return tuple(marks)


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
    rest = full or float(_right_outside(question, judged.answers.get(question.name), edges))
    marks.append(_mark(question, "values, ordinary points", half * rest, half, tags, said))
    return [*marks, _mark(question, "values, edge points", half * full, half, tags, said)]


def _on_fresh(fresh: Judged, sheet: Judged, question: Question, gate: Gate) -> Mark:
    question = next(q for q in fresh.task.questions if q.name == question.name)
    verdict = fresh.verdicts[question.name]
    said = _messages(fresh, question, gate)
    tags = _tags(fresh, verdict)
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


def _messages(judged: Judged, question: Question, gate: Gate) -> tuple[str, str, str, str]:
    """What is said about an object at the four levels."""
    verdict = judged.verdicts[question.name]
    if verdict.credited:
        layout = f"in layout {verdict.layout}" if verdict.layout else ""
        remark = "; ".join(part for part in (layout, verdict.remark) if part)
        return "", remark, remark, remark
    if verdict.status == MISSING:
        why = "no answer" + (", the file stopped" if judged.failure else "")
        return "", why, why, why
    where = _where(question, judged.answers.get(question.name), verdict, gate)
    symptom = gate.guarded(verdict.symptom, WITHHELD) if verdict.symptom else ""
    cause = _cause(verdict, gate)
    levels = [where], [where, symptom], [where, symptom, cause]
    one, two, three = ("; ".join(part for part in parts if part) for parts in levels)
    return "", one, two, three


def _where(question: Question, value: Any, verdict: Verdict, gate: Gate) -> str:
    """Object, layer, whether the shape is right, and which entries are wrong."""
    layer = _layer(question)
    entries = gate.guarded(verdict.where, WITHHELD)
    if isinstance(question, ArrayQuestion) and _fits(question, value):
        entries = f"shape right, values wrong: {entries}"
    return f"{layer}{entries}"


def _layer(question: Question) -> str:
    key = getattr(question, "key", None)
    name = key if isinstance(key, str) else key[-1] if key else ""
    layer = re.search(r"\d+$", name)
    return f"layer {layer[0]}: " if layer else ""


def _cause(verdict: Verdict, gate: Gate) -> str:
    if not verdict.cause:
        return ""
    known = f"the mistake is known as {verdict.tag}" if verdict.tag in LABELS else WITHHELD
    return gate.guarded(verdict.cause, known)


def _tags(judged: Judged, verdict: Verdict) -> tuple[str, ...]:
    if verdict.credited:
        return ()
    if verdict.status == MISSING:
        return (judged.kind or "missing",)
    return (verdict.tag or "wrong",)


def _fits(question: ArrayQuestion, value: Any) -> bool:
    """Whether an array has a right shape and is filled in; all zeros, or all ones, are not."""
    array = as_numbers(value, question.name) if value is not None else ""
    if isinstance(array, str):
        return False
    forms = [*question.forms.values(), *(question.others or {}).values()]
    if array.shape not in {form.shape for form in forms}:
        return False
    return array.size == 1 or bool((array != array.flat[0]).any())


def _points(task: Task) -> str:
    """Where the sheet's values are taken: at one example or on a batch, if it has data."""
    x = task.given.get("x")
    if not isinstance(x, np.ndarray):
        return ""
    return ", a batch" if x.ndim == 2 else ", one example"


def _edge_rows(task: Task, question: Question) -> np.ndarray | None:
    """For a delta of a batch: which examples saturate a sigmoid exactly; None without any."""
    delta = isinstance(question, ArrayQuestion) and isinstance(question.key, str)
    if task.run is None or not delta or not _points(task).endswith("batch"):
        return None
    assert isinstance(question, ArrayQuestion)
    steps = task.run._state.program.steps
    values = [task.run[step.name] for step in steps if isinstance(step.op, Sigmoid)]
    rows = np.zeros(len(task.given["x"]), bool)
    for value in values:
        rows |= ((value == 0) | (value == 1)).any(axis=1)
    if question.key in task.run.params or not rows.any() or rows.all():
        return None
    return rows


def _right_outside(question: ArrayQuestion, value: Any, edges: np.ndarray) -> bool:
    array = as_numbers(value, question.name) if value is not None else ""
    if isinstance(array, str):
        return False
    right = question.right
    if array.shape != right.shape:
        array = array.T
    return array.shape == right.shape and same(array[~edges], right[~edges])
