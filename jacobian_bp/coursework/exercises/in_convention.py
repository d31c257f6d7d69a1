"""A task of the package's own sheet, whose gradients and deltas are answered in a convention.

    examples in columns: δ is (units, examples);  W (inputs, outputs): dW is too;
    1/m in the gradients: δ is m times ∂J/∂z

The names are those of the sheet. What is said of rows and columns is said of the answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ...derivation.ready_made import ReadyMade
from ...errors import SpecError
from ...network.files.convention_file import convention_of
from ..diagnosis.asked_convention import Asked, asked_convention
from ..diagnosis.handed_in import Handed, parts_of
from .accepted_forms import Forms, batch_forms, matrix_forms
from .convention_line import convention_line, same_convention
from .questions import ArrayQuestion, Question
from .task import Task

AGAINST = "of the sheet"


def task_in(task: Task, convention: Asked | None, who: str) -> Task:
    """The task as it is asked in a convention; where it has no network, as it is.

    A task whose sheet is written in that convention is asked in it already. Raises SpecError
    for a convention that is not known, or is not the sheet's.
    """
    if task.convention is not None and convention is not None:
        _require_same(task.convention, convention, who)
        return task
    if task.run is None or convention is None:
        return task
    asked = asked_convention(convention, task.run, who)
    assert asked is not None
    written = Convention(asked.examples, asked.weights, asked.mean)
    questions = tuple(_question_in(question, task, written) for question in task.questions)
    return replace(task, questions=questions, written=written)


def _require_same(sheet: ReadyMade, convention: Asked, who: str) -> None:
    try:
        asked = convention_of(convention)
    except SpecError as error:
        raise SpecError(f"{who}: {error}") from None
    if not same_convention(sheet, asked):
        raise SpecError(
            f"{who}: the sheet is written in the convention {convention_line(sheet)}, and "
            f"{convention_line(asked)} is asked for.\n"
            "  Leave the convention away: the sheet's first line says it."
        )


def _question_in(question: Question, task: Task, written: Convention) -> Question:
    if not isinstance(question, ArrayQuestion) or not isinstance(question.key, str):
        return question
    assert task.run is not None
    right = question.right
    (handed,) = parts_of(task.run.forward_pass, question.key, right, written).values()
    if right.ndim != 2 or not (handed.turned or handed.times != 1):
        return question
    return replace(
        question,
        forms=_forms(question.forms, right, handed),
        others={**(question.others or {}), **({AGAINST: right} if handed.turned else {})},
        turned=handed.turned,
        times=handed.times,
    )


def _forms(forms: Forms, right: np.ndarray, handed: Handed) -> Mapping[str, Any]:
    """The forms that are accepted, of the array as the convention has it, but for its transpose."""
    theirs = (right.T if handed.turned else right) * handed.times
    every = matrix_forms(theirs) if "gradient" in forms else batch_forms(theirs)
    return {name: every[name] for n, name in enumerate(forms) if n == 0 or "flat" in name}
