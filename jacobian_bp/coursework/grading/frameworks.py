"""The one line that a test framework needs."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import SpecError
from ...writing.signs import safe
from ..exercises.catalogue import exercises_of
from ..exercises.in_convention import Asked
from .formats import as_text
from .grade import Terms, grade_answers, grade_file
from .grade_report import GradeReport


def grade(
    answers: Mapping[str, Any] | str | Path,
    exercise: int | str | Path,
    seed: int | None = None,
    level: int = 2,
    convention: Asked | None = None,
) -> GradeReport:
    """The report on a file, which is run in a process of its own, or on named values.

    `exercise` is a number, or the Python file of an instructor's own, which is run here.
    `seed` is that of the sheet; named values need it, a sheet has it in its first line, and
    its `convention` too, if it is written in one.
    Raises SpecError for a wrong call.
    """
    if isinstance(exercise, Path) or str(exercise).endswith(".py"):
        with exercises_of(str(exercise)) as (own,):
            return grade(answers, own.number, seed, level, convention)
    if not isinstance(answers, Mapping | str | Path):
        raise SpecError(
            f"answers of type {type(answers).__name__} are neither named values nor a file.\n"
            "  Write such as grade(globals(), 2, seed=7), or grade('ex2.py', 2)."
        )
    if not isinstance(answers, Mapping):
        terms = Terms(level=level, sheet_seed=seed, convention=convention)
        return grade_file(answers, exercise, terms)
    if seed is None:
        raise SpecError(
            "named values do not say from which sheet they are.\n"
            f"  Write grade(globals(), {exercise}, seed=7), with the seed of the sheet."
        )
    return grade_answers(answers, exercise, seed, level, convention=convention)


def passes(
    answers: Mapping[str, Any] | str | Path,
    exercise: int | str | Path,
    seed: int | None = None,
    level: int = 2,
    convention: Asked | None = None,
    answer: str | None = None,
) -> bool:
    """True where all is right; else AssertionError with the report, and no right number.

    With the name of an `answer` that one alone counts: a test for each of them gives partial
    credit. The frameworks print the text of an exception, and hide what a False was about.
    Raises SpecError for a wrong call.
    """
    __tracebackhide__ = True
    report = grade(answers, exercise, seed, level, convention)
    if answer is not None:
        report = _of_one(report, answer)
    if not report.ok:
        raise AssertionError("\n" + as_text(report)) from None
    return True


def _of_one(report: GradeReport, answer: str) -> GradeReport:
    """The marks on one answer; a report without any mark says by itself why it has none."""
    kept = tuple(mark for mark in report.marks if mark.object == answer)
    if report.marks and not kept:
        known = ", ".join(dict.fromkeys(mark.object for mark in report.marks))
        raise SpecError(
            f"exercise {report.exercise} asks for no {safe(answer)!r}.\n  Write one of {known}."
        )
    return replace(report, marks=kept)
