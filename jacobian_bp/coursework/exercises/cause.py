"""The mistake that gives a wrong answer, where one is known: message level 3."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import JacobianError
from ...writing.signs import fraction
from ..diagnosis.diagnosis import Finding
from ..diagnosis.of_arrays import diagnose
from .equality import as_numbers, same
from .questions import ArrayQuestion, Question, answer_of
from .secrecy import Gate
from .task import Task
from .verdict import OTHER_LAYOUT, WRONG, Verdict

UNKNOWN = "no known mistake gives these numbers"
OF_SHAPE = {"bias-not-summed", "examples-axis", "flat-labels", "row-column-broadcast"}


def cause_of(
    task: Task, question: Question, value: Any, names: Mapping[str, Any]
) -> tuple[str, str]:
    """The sentence and the tag of the planted mistake with this very answer, or two empty texts.

    `names` holds what is given and the earlier answers, the student's own where wrong.
    """
    for planted in task.mistakes:
        line = planted.answers.get(question.name)
        if line is None:
            continue
        other = answer_of(line, names)
        other = question.asked_as(other) if isinstance(question, ArrayQuestion) else other
        if _is(question, value, other):
            return planted.says, planted.tag
    return "", ""


def diagnosed(
    task: Task, answers: Mapping[str, Any], verdicts: Sequence[Verdict]
) -> tuple[Verdict, ...]:
    """The verdicts, with the cause that `diagnose` finds where no planted mistake is one.

    An array of which nothing at all is known has a sentence that says so.
    """
    arrays = {q.name for q in task.questions if isinstance(q, ArrayQuestion)}
    return tuple(
        replace(v, cause=UNKNOWN) if v.name in arrays and _unexplained(v) else v
        for v in _by_diagnose(task, answers, verdicts)
    )


def _unexplained(verdict: Verdict) -> bool:
    """Whether a wrong answer has neither a cause nor a pattern, nor another thing said of it."""
    known = verdict.tag != "wrong" or verdict.cause or verdict.symptom
    return verdict.status == WRONG and not known


def _by_diagnose(
    task: Task, answers: Mapping[str, Any], verdicts: Sequence[Verdict]
) -> tuple[Verdict, ...]:
    """What `diagnose` knows.

    All answers that are gradients, deltas or Jacobians of the run are diagnosed
    together, so each is judged given the student's own earlier one.
    """
    asked = {q.name: q for q in task.questions if isinstance(q, ArrayQuestion) and q.key}
    keys = {name: _called(task, question.key) for name, question in asked.items()}
    usable = {name: as_numbers(answers.get(name), name) for name in keys if name in answers}
    numbers = {keys[n]: a for n, a in usable.items() if not isinstance(a, str)}
    open_ones = [v for v in verdicts if v.status == WRONG and v.tag != OTHER_LAYOUT]
    unexplained = [v.name for v in open_ones if not v.cause]
    if task.run is None or not any(keys.get(name) in numbers for name in unexplained):
        return tuple(verdicts)
    try:
        diagnosis = diagnose(task.run, numbers, convention=task.written)
    except JacobianError:
        return tuple(verdicts)
    found, gate = [], Gate.of(task)
    for verdict in verdicts:
        finding = diagnosis.get(keys.get(verdict.name)) if verdict.name in unexplained else None
        if finding is not None and _usable(finding, usable[verdict.name], asked[verdict.name]):
            verdict = gate.said(replace(verdict, cause=_sentence(finding), tag=finding.label))
        found.append(verdict)
    return tuple(found)


def _called(task: Task, key: str | tuple[str, str] | None) -> Any:
    """The object of a question by the name that it has in the convention of the task."""
    if task.written is None or key is None:
        return key
    if isinstance(key, str):
        return task.written.name(key)
    return task.written.name(key[0]), task.written.name(key[1])


def _usable(finding: Finding, array: Any, question: ArrayQuestion) -> bool:
    """Whether a finding names a mistake, and one that gives an array of this many axes.

    Numbers may agree in a shape where they mean nothing, so there only shapes are believed.
    """
    if finding.ok or finding.label == "unknown":
        return False
    shapes = {form.shape for form in question.forms.values()}
    fits = np.shape(array) in shapes or np.ndim(array) == question.right.ndim
    return fits or finding.label in OF_SHAPE


def _sentence(finding: Finding) -> str:
    """What a finding says, its factor as a fraction: 1/5, not 0.2.

    Of the cost behind an exercise its gradient is given, and nothing is declared of it.
    """
    text = " ".join(finding.sentences).replace(", and this cost is declared a sum", "")
    if finding.factor is None:
        return text
    return text.replace(f"{finding.factor:.6g} times", f"{fraction(finding.factor)} times")


def _is(question: Question, value: Any, planted: Any) -> bool:
    """Whether an answer is the planted one, infinite entries in the same places.

    Zeros come out of many mistakes, so an array of them is a sign of none.
    """
    if isinstance(value, str) and isinstance(planted, str):
        return _same_text(question.outcome(value), question.outcome(planted))
    if planted is None:
        return False
    given, known = as_numbers(value, "it"), as_numbers(planted, "it")
    if isinstance(given, str) or isinstance(known, str) or given.shape != known.shape:
        return False
    if isinstance(question, ArrayQuestion) and not known.any():
        return False
    finite = np.isfinite(known)
    if not np.array_equal(given[~finite], known[~finite], equal_nan=True):
        return False
    return same(given[finite], known[finite].astype(float))


def _same_text(value: Any, planted: Any) -> bool:
    """Whether two texts come to the same, a word or numbers."""
    if isinstance(value, str) or isinstance(planted, str):
        return bool(np.array_equal(value, planted))
    return same(np.asarray(value), np.asarray(planted))
