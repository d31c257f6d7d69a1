"""A file from a student, checked: read, run in the sandbox, judged."""

from pathlib import Path

from ...errors import SpecError
from ...writing.signs import safe
from ..diagnosis.asked_convention import Asked
from ..sandbox import Limits
from .cause import diagnosed
from .checker import Report, check_answers
from .collect import Collected, collect
from .in_convention import task_in
from .submission import Submission, read_parts, read_submission
from .task import UNKNOWN

SECONDS = 20.0
BY_ITS_NUMBERS = (
    "judged by the numbers that stand in the sheet; grading takes those of the course's secret"
)


def check_file(
    path: str | Path,
    exercise: int | None = None,
    seed: int | None = None,
    seconds: float = SECONDS,
    convention: Asked | None = None,
) -> Report:
    """The report on a filled-in sheet; SpecError where it is no sheet of ours.

    Where `exercise` or `seed` is given, a sheet of another one is refused. A sheet that is written
    in a convention says so itself; of another, a `convention` says in which axes, and with which
    1/m, gradients and deltas are answered.
    """
    submission = read_submission(path, exercise)
    for word, wanted, found in (
        ("exercise", exercise, submission.task.number),
        ("seed", seed, submission.task.seed),
    ):
        if wanted is not None and wanted != found:
            is_of = f"{word} {found}" if found != UNKNOWN else "a token, of unknown seed"
            raise SpecError(
                f"{safe(submission.name)} is a sheet of {is_of}, not of {word} {wanted}.\n"
                "  Name another file, or leave the choice to the sheet."
            )
    return check_submission(submission, seconds, convention)


def check_parts(
    path: str | Path, seconds: float = SECONDS, convention: Asked | None = None
) -> tuple[Report, ...]:
    """A report on each exercise of a sheet, in their order; each has the time to itself."""
    return tuple(check_submission(part, seconds, convention) for part in read_parts(path))


def check_submission(
    submission: Submission, seconds: float = SECONDS, convention: Asked | None = None
) -> Report:
    """The report on a sheet that was read."""
    task, ran = task_in(submission.task, convention, "exercise check"), Collected()
    if not submission.failure:
        ran = collect(submission.code, task, Limits(seconds))
    verdicts = diagnosed(task, ran.answers, check_answers(task, ran.answers))
    failure = submission.failure or ran.outcome.failure
    by_numbers = [BY_ITS_NUMBERS] if task.seed == UNKNOWN else []
    remarks = (*submission.remarks, *ran.remarks, *by_numbers)
    return Report(task.number, task.seed, task.title, verdicts, failure, remarks, task.token)
