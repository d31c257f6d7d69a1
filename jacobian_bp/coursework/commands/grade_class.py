"""jacobian-bp grade --roster: a folder graded for a class, a line a student, and a gradebook."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from ...errors import JacobianError, SpecError
from ...writing import terminal
from ...writing.tables import fold_all
from ..grading.folder import labels_on, owners, submissions
from ..grading.grade_report import GradeReport
from ..grading.gradebook import Earned, Gradebook
from ..grading.results_file import write_results
from ..grading.roster import read_roster, students_files
from ..grading.seeds import open_to_all, read_secret

NOT_RIGHT = 1
Job = tuple[Path, argparse.Namespace, str | None]  # a file, how it is graded, and whose it is
Reports = Iterator[GradeReport | JacobianError]
Graded = Callable[[Sequence[Job], argparse.Namespace], Reports]
RequireFiles = Callable[[Sequence[Path], argparse.Namespace], None]


def require_class(options: argparse.Namespace) -> None:
    """SpecError for options of a class without a class, and the other way round."""
    if options.gradebook is not None and options.roster is None:
        raise SpecError(
            "a gradebook needs the class.\n  Write --roster class.csv, with a column student."
        )
    for name in ("student", "out") if options.roster is not None else ():
        if getattr(options, name) is not None:
            raise SpecError(
                f"--{name} is for one submission, --roster for a class.\n  Write one of them."
            )


def grade_class(
    calls: Sequence[argparse.Namespace],
    options: argparse.Namespace,
    graded: Graded,
    require_files: RequireFiles,
) -> int:
    """Every student of the roster graded, exercise by exercise; exit code 0 if all is right.

    `calls` are the options for each exercise. The gradebook is written at the end, whole.
    """
    roster = read_roster(options.roster)
    book = Gradebook(roster, tuple(c.exercise for c in calls), tuple(c.worth for c in calls))
    if options.gradebook is not None:
        book.require_place(options.gradebook, [options.roster, options.secret_file])
    submissions(options.submission)  # a folder without any is the wrong one
    files, left_out = students_files(options.submission, roster)
    for call in calls:
        require_files([path for one in files.values() for path in one], call)
    secret = read_secret(options.secret_file)
    sheets = [Path(f"{student}.py") for student in roster.students]
    whose = [owners(sheets, secret, call.exercise) for call in calls]
    present = [student for student in roster.students if student in files]
    jobs = [(path, call, name) for name in present for call in calls for path in files[name]]
    reports = graded(jobs, calls[0])
    earned: dict[str, Sequence[Earned] | None] = {}
    _say(book.head())
    for student in roster.students:
        if student in files:
            earned[student] = [
                _best(islice(reports, len(files[student])), known) for known in whose
            ]
        else:
            earned[student] = None
        _say([book.line(student, earned[student])])
    _say([f"left out  {reason}" for reason in left_out])
    if options.gradebook is not None:
        write_results(options.gradebook, book.text(earned))
    _say(open_to_all(options.secret_file))
    return 0 if book.all_full(earned) else NOT_RIGHT


def _best(reports: Reports, whose: Mapping[int, str]) -> Earned:
    """What a student has earned for one exercise: of several files, by the best."""
    found = []
    for report in reports:
        if isinstance(report, JacobianError):
            found.append(Earned(None, f"not graded: {str(report).splitlines()[0]}"))
        else:
            found.append(Earned(report.score, labels_on(report, whose)))
    best = max(found, key=lambda e: -1.0 if e.points is None else e.points)
    several = f"the best of {len(found)} files" if len(found) > 1 else ""
    return Earned(best.points, ", ".join(filter(None, [best.words, several])))


def _say(lines: Sequence[str]) -> None:
    terminal.write(fold_all(lines, terminal.PAGE))
