"""One submission graded: run, judged on its own numbers and on fresh ones, marked.

    grade_file("ex2.py", 2).score
    grade_answers(globals(), 2, seed=7).points(max=5)

Whatever the submission does, there is a report; only a wrong call is an error.
"""

import builtins
import hashlib
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import JacobianError, SpecError
from ...network.files.paths import label
from ...numbers.arrays import quiet
from ...writing.signs import safe
from ..exercises.catalogue import find_exercise
from ..exercises.cause import diagnosed
from ..exercises.checker import check_answers
from ..exercises.collect import Collected, collect
from ..exercises.in_convention import Asked, task_in
from ..exercises.secrecy import Gate
from ..exercises.sheet import HEADER, with_numbers_of
from ..exercises.sheet_in_convention import sheet_in
from ..exercises.submission import NoSuchPartError, SeedOf, Submission, read_submission
from ..exercises.task import Task
from ..exercises.verdict import LEVELS
from ..sandbox import Limits
from .grade_report import STOPPED, GradeReport
from .marks import Judged, marks_of
from .npz_answers import read_npz_answers
from .seeds import apart_from

ENDINGS = (".py", ".ipynb", ".npz")
OWN_WORDS = (STOPPED, "memory-limit")  # failures that are told in the student's words
ON_FRESH = "on fresh numbers the file did not come to its end"
PRACTICE = "this is a practice sheet, which says its own seed; hand in the sheet of the course."
NO_SECRET = "the graded numbers follow from the sheet's own; a secret would hide them"


@dataclass(frozen=True)
class Terms:
    """How to grade.

    `sheet_seed` is the seed that the sheet has to have; None takes the sheet's own. `seed_of`
    gives the seed of a token, by the course's secret: then sheets without a token are refused.
    `student` stands at the head of the report; without one the file's name does.
    `graded_seed` is that of the fresh numbers. `numpy_only` takes every other package away.
    With `strict_layout` an array is right in the layout that is asked for alone. A sheet that is
    written in a convention says so itself; of another sheet, and of named values, `convention`
    says in which axes and with which 1/m gradients and deltas are answered.
    """

    level: int = 2
    sheet_seed: int | None = None
    graded_seed: int | None = None
    limits: Limits = field(default_factory=Limits)
    numpy_only: bool = False
    strict_layout: bool = False
    convention: Asked | None = None
    seed_of: SeedOf | None = field(default=None, repr=False)  # it holds the secret
    student: str = ""

    def __post_init__(self) -> None:
        if self.level not in range(len(LEVELS)):
            raise SpecError(
                f"the level is {str(self.level)[:20]}.\n"
                f"  Write a whole number from 0 to {len(LEVELS) - 1}."
            )


@quiet
def grade_file(path: str | Path, exercise: int, terms: Terms = Terms()) -> GradeReport:
    """The report on a sheet (.py, .ipynb), or on answers alone (.npz).

    Raises SpecError for an exercise that is not there, for answers alone without the seed of
    their sheet, for a sheet with a token without the secret, and for fresh numbers that cannot
    be drawn: what is wrong with the submission is in the report, what is not is an error.
    """
    began = time.monotonic()
    path = Path(path)
    find_exercise(exercise)
    task = _task_of_arrays(path, exercise, terms) if path.suffix.lower() == ".npz" else None
    try:
        _require_fit_for_reading(path)
        found = (
            read_submission(path, exercise, terms.seed_of)
            if task is None
            else _own_arrays(path, task, terms.convention)
        )
    except NoSuchPartError as error:
        report = without_answers(exercise, _first_lines(error), "another-exercise", terms)
    except JacobianError as error:
        report = without_answers(exercise, _first_lines(error), "not-a-sheet", terms)
    else:
        report = (
            _of_sheet(found, exercise, terms)
            if isinstance(found, Submission)
            else grade_answers(
                found,
                exercise,
                terms.sheet_seed or 0,
                terms.level,
                terms.strict_layout,
                terms.convention,
            )
        )
    report.record["total_seconds"] = round(time.monotonic() - began, 3)
    return replace(report, whose=terms.student or path.name)


@quiet
def grade_answers(
    answers: Mapping[str, Any],
    exercise: int,
    seed: int,
    level: int = 2,
    strict_layout: bool = False,
    convention: Asked | None = None,
) -> GradeReport:
    """The report on named values in this very process, such as a notebook's globals().

    `seed` is that of the sheet; with a `convention` they have its names, or those of the
    package's own sheet. Raises SpecError for an exercise that is not there.
    """
    task = _by_their_names(find_exercise(exercise).make(seed), answers, convention)
    task = _asked(task, strict_layout, convention)
    known = {q.name: answers[q.name] for q in task.questions if q.name in answers}
    return _report(_judged(task, known), None, Terms(level=level), {"sheet_seed": seed})


def without_answers(exercise: int, failure: str, kind: str, terms: Terms = Terms()) -> GradeReport:
    """The report on what cannot be judged at all: no points, and the reason."""
    seed = terms.sheet_seed if terms.sheet_seed is not None else 0
    task = sheet_in(find_exercise(exercise).make(seed), terms.convention, "grade")
    sheet = _judged(task, {}, failure, kind)
    fresh = sheet if find_exercise(exercise).fresh else None
    return _report(sheet, fresh, terms, {"sheet_seed": terms.sheet_seed})


def _of_sheet(submission: Submission, exercise: int, terms: Terms) -> GradeReport:
    """The report on a sheet, if it is one of this exercise and, where one is set, this seed."""
    task = submission.task
    if task.token and terms.seed_of is None:
        raise SpecError(
            f"{safe(submission.name)} has a token, and is graded with --secret-file only: its "
            "numbers follow from the course's secret.\n"
            "  Grade it with --secret-file FILE --student NAME; exercise check needs no secret."
        )
    if task.number != exercise:
        said = f"this is a sheet of exercise {task.number}, not of exercise {exercise}."
        return without_answers(exercise, said, "another-exercise", terms)
    if terms.seed_of is not None and not task.token:
        return without_answers(exercise, PRACTICE, "practice-sheet", terms)
    if terms.sheet_seed not in (None, task.seed):
        which = "another token" if task.token else f"seed {task.seed}"
        said = f"this is the sheet of {which}, which is not the one set for you."
        report = without_answers(exercise, said, "not-own-sheet", terms)
        report.record["found_seed"] = task.seed
        return report
    return _of_own_sheet(submission, terms)


def _by_their_names(task: Task, names: Collection[str], convention: Asked | None) -> Task:
    """The task of the sheet whose names are there: in the convention, or the package's own."""
    theirs = sheet_in(task, convention, "grade")
    counts = [sum(q.name in names for q in each.questions) for each in (theirs, task)]
    return theirs if counts[0] >= counts[1] else task


def _asked(task: Task, strict_layout: bool, convention: Asked | None) -> Task:
    task = task_in(task, convention, "grade")
    return task.strict() if strict_layout else task


def _require_fit_for_reading(path: Path) -> None:
    """The grader may read what the student may not: another's sheet, a solution."""
    if path.is_symlink():
        raise SpecError(f"{safe(path.name)} is a link, which is not followed.")
    if path.suffix.lower() not in ENDINGS:
        raise SpecError(f"{label(path)} ends in none of {', '.join(ENDINGS)}.")


def _task_of_arrays(path: Path, exercise: int, terms: Terms) -> Task:
    if terms.sheet_seed is None:
        raise SpecError(
            f"{label(path)} does not say from which sheet its answers are.\n"
            f"  Write --sheet-seed 7, or grade(path, {exercise}, seed=7), with the sheet's seed."
        )
    return find_exercise(exercise).make(terms.sheet_seed)


def _own_arrays(path: Path, task: Task, convention: Asked | None) -> Mapping[str, Any]:
    theirs = sheet_in(task, convention, "grade")
    asked = [question.name for each in (task, theirs) for question in each.questions]
    return read_npz_answers(path, dict.fromkeys(asked))


def _of_own_sheet(submission: Submission, terms: Terms) -> GradeReport:
    task = _asked(submission.task, terms.strict_layout, terms.convention)
    record: dict[str, Any] = {"sheet_seed": task.seed}
    sheet, ran = _run(submission.code, task, terms, submission.failure)
    outcome = ran.outcome
    notes = [*submission.remarks, *ran.remarks]
    record |= {"sheet_seconds": round(outcome.seconds, 3), "output": outcome.output[:4000]}
    fresh = None
    if find_exercise(task.number).fresh:
        seed = _fresh_seed(task, terms)
        other = sheet_in(find_exercise(task.number).make(seed), task.convention, "grade")
        other = _asked(other, terms.strict_layout, terms.convention)
        if _has_answers(sheet) or not outcome.failure:
            fresh, again = _run_fresh(submission, other, terms)
        else:  # it would only stop again, after as long a time
            fresh, again = _judged(other, {}, sheet.failure, sheet.kind), Collected()
        record |= {"graded_seed": seed, "fresh_seconds": round(again.outcome.seconds, 3)}
        record |= {"fresh_failure": again.outcome.failure}
        record |= {"remark": NO_SECRET} if terms.graded_seed is None else {}
    return _report(sheet, fresh, terms, record, notes)


def _has_answers(judged: Judged) -> bool:
    return any(judged.answers.get(q.name) is not None for q in judged.task.questions)


def _run(code: str, task: Task, terms: Terms, failure: str = "") -> tuple[Judged, Collected]:
    if failure:
        return _judged(task, {}, failure, "not-python"), Collected()
    ran = collect(code, task, terms.limits, terms.numpy_only)
    return _judged(task, ran.answers, ran.outcome.failure, ran.outcome.kind), ran


def _run_fresh(submission: Submission, task: Task, terms: Terms) -> tuple[Judged, Collected]:
    """The same lines on other numbers, without the line that says which seed made them."""
    try:
        code = with_numbers_of(submission.code, task)
    except SpecError as error:
        return _judged(task, {}, _first_lines(error), "not-a-sheet"), Collected()
    return _run(HEADER.sub("#", code), task, terms, submission.failure)


def _judged(task: Task, answers: Mapping[str, Any], failure: str = "", kind: str = "") -> Judged:
    verdicts = check_answers(task, answers)
    trouble = ""
    try:
        verdicts = diagnosed(task, answers, verdicts)
    except Exception as error:  # the points stand; only the cause is not known
        trouble = f"{type(error).__name__}: {error}"[:300]
    named = {verdict.name: verdict for verdict in verdicts}
    return Judged(task, answers, named, failure, kind, trouble)


def _report(
    sheet: Judged,
    fresh: Judged | None,
    terms: Terms,
    record: dict[str, Any],
    notes: list[str] | None = None,
) -> GradeReport:
    task = sheet.task
    gate = Gate.of(task, *([fresh.task] if fresh is not None else []))
    failure, kind = sheet.failure, sheet.kind
    if fresh is not None and fresh.failure and not failure:
        failure, kind = ON_FRESH, STOPPED
    told = gate.guarded(failure, _brief(failure, kind)) if kind in OWN_WORDS else failure
    judged = [sheet] if fresh is None else [sheet, fresh]
    undiagnosed = [each.undiagnosed for each in judged if each.undiagnosed]
    record |= {"failure": failure, **({"undiagnosed": undiagnosed} if undiagnosed else {})}
    return GradeReport(
        task.number,
        task.title,
        marks_of(sheet, fresh, gate),
        safe(told),
        kind,
        tuple(safe(note) for note in notes or []),
        terms.level,
        record.get("sheet_seconds", 0.0),
        record,
    )


def _brief(failure: str, kind: str) -> str:
    """Line and class of an exception, as its text may hold numbers that are not to be told.

    The sheet can choose even the number of the line, so a long one is left out.
    """
    if kind not in OWN_WORDS:
        return failure
    line, *rest = failure.split(": ")
    name = rest[0] if rest else line
    known = hasattr(builtins, name)  # a class of the student's own may be named after a number
    at = f"{line}: " if rest and re.fullmatch(r"line \d{1,4}", line) else ""
    return f"{at}{name if known else 'an error'}"


def _fresh_seed(task: Task, terms: Terms) -> int:
    """The graded seed, never the sheet's; without one it follows from the sheet's."""
    if terms.graded_seed is not None:
        return apart_from(terms.graded_seed, task.seed)
    digest = hashlib.sha256(f"fresh {task.number} {task.seed}".encode()).digest()
    return apart_from(int.from_bytes(digest[:8], "big") >> 1, task.seed)


def _first_lines(error: JacobianError) -> str:
    return str(error).splitlines()[0].rstrip(":")
