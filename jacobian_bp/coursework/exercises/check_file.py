"""A file from a student, checked: read, run in a process of its own, judged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SpecError
from ...symbols import safe
from .cause import diagnosed
from .checker import Report, check_answers
from .collect import SECONDS, collect
from .submission import Submission, read_submission
from .task import Task


def check_file(
    path: str | Path, exercise: int | None = None, seed: int | None = None, seconds: float = SECONDS
) -> Report:
    """The report on a filled-in sheet; SpecError where it is no sheet of ours.

    Where `exercise` or `seed` is given, a sheet of another one is refused.
    """
    submission = read_submission(path)
    for word, wanted, found in (
        ("exercise", exercise, submission.task.number),
        ("seed", seed, submission.task.seed),
    ):
        if wanted is not None and wanted != found:
            raise SpecError(
                f"{safe(submission.name)} is a sheet of {word} {found}, not of {word} {wanted}.\n"
                "  Name another file, or leave the choice to the sheet."
            )
    return check_submission(submission, seconds)


def check_submission(submission: Submission, seconds: float = SECONDS) -> Report:
    """The report on a sheet that was read."""
    task, failure, answers = submission.task, submission.failure, {}
    remarks = list(submission.remarks)
    if not failure:
        asked = [question.name for question in task.questions]
        collected = collect(submission.code, [*asked, *task.given], seconds)
        failure, answers = collected.failure, collected.answers
        remarks += _changed(task, answers)
    verdicts = diagnosed(task, answers, check_answers(task, answers))
    return Report(task.number, task.seed, task.title, verdicts, failure, tuple(remarks))


def _changed(task: Task, values: Mapping[str, Any]) -> list[str]:
    """A remark for what was given and is another now: the answers are judged by the old."""
    changed = [n for n, value in task.given.items() if n in values and not _equal(value, values[n])]
    return [f"the file changes {', '.join(changed)}, which was given"] if changed else []


def _equal(given: Any, found: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(given), np.asarray(found)))
    except (ValueError, TypeError):
        return False
