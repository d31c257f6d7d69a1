"""A file from a student, checked: read, run in the sandbox, judged."""

from pathlib import Path

from ...errors import SpecError
from ...writing.signs import safe
from ..sandbox import Limits
from .cause import diagnosed
from .checker import Report, check_answers
from .collect import Collected, collect
from .submission import Submission, read_parts, read_submission

SECONDS = 20.0


def check_file(
    path: str | Path, exercise: int | None = None, seed: int | None = None, seconds: float = SECONDS
) -> Report:
    """The report on a filled-in sheet; SpecError where it is no sheet of ours.

    Where `exercise` or `seed` is given, a sheet of another one is refused.
    """
    submission = read_submission(path, exercise)
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


def check_parts(path: str | Path, seconds: float = SECONDS) -> tuple[Report, ...]:
    """A report on each exercise of a sheet, in their order; each has the time to itself."""
    return tuple(check_submission(part, seconds) for part in read_parts(path))


def check_submission(submission: Submission, seconds: float = SECONDS) -> Report:
    """The report on a sheet that was read."""
    task, ran = submission.task, Collected()
    if not submission.failure:
        ran = collect(submission.code, task, Limits(seconds))
    verdicts = diagnosed(task, ran.answers, check_answers(task, ran.answers))
    failure = submission.failure or ran.outcome.failure
    remarks = (*submission.remarks, *ran.remarks)
    return Report(task.number, task.seed, task.title, verdicts, failure, remarks)
