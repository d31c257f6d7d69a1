"""jacobian-bp grade: one submission graded, or a folder of them, or a class summarised.

jacobian-bp grade --exercise 2 --submission ex2.py                       points and messages
jacobian-bp grade --exercise 2 --submission ex2.py --format gradescope --out results.json
jacobian-bp grade --exercise 2 --submission ex2.py --out ada.html        a report for the instructor
jacobian-bp grade --exercise 2 --submission ex2.py --secret-file S --student ada
jacobian-bp grade --exercise 2 --submission DIR --out-dir RESULTS --format json
jacobian-bp grade --exercise 2 3 --submission DIR --roster class.csv --gradebook marks.csv
jacobian-bp grade --exercise my_exercise.py --submission ex13.py         one of your own
jacobian-bp grade --summary DIR                                          which mistakes
"""

import argparse
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import JacobianError, SpecError
from ...network.files.convention_file import convention_of
from ...writing import terminal
from ...writing.signs import safe
from ...writing.tables import fold_all
from ..exercises.catalogue import exercises_of, find_exercise
from ..exercises.verdict import LEVELS
from ..grading.at_once import graded, require_workers
from ..grading.folder import (
    name_of,
    owners,
    require_apart,
    require_gradable,
    require_one,
    results_file,
    submissions,
    words_on,
)
from ..grading.formats import FORMATS, format_for, log_lines
from ..grading.grade import Terms, grade_file
from ..grading.grade_report import GradeReport
from ..grading.gradebook import points_of
from ..grading.results_of_call import ResultsOfCall, leaving_results
from ..grading.roster import students_files
from ..grading.seeds import (
    VARIABLE,
    graded_seed,
    needed,
    open_to_all,
    read_secret,
    seed_of_token,
    sheet_seed,
)
from ..grading.summary import summarise
from ..sandbox import Limits, stopped_in_order
from .grade_class import Job, grade_class, require_class

NOT_RIGHT = 1


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of jacobian-bp."""
    parser = commands.add_parser("grade", help="grade a submission, or summarise a class")
    words = ", ".join(f"{level} {word}" for level, word in enumerate(LEVELS))
    parser.add_argument(
        "--exercise",
        nargs="+",
        type=number_or_file,
        metavar="N|FILE",
        help="which exercises; of your own the Python file, which is run",
    )
    parser.add_argument(
        "--submission", metavar="FILE", help="a .py, .ipynb or .npz file, or a folder"
    )
    parser.add_argument(
        "--format", help=", ".join(FORMATS) + " (default: as --out ends, else text)"
    )
    parser.add_argument("--level", type=int, default=2, help=f"of the messages: {words}")
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="of the fresh numbers; a sheet can read it, a secret not",
    )
    parser.add_argument(
        "--secret-file", metavar="FILE", help=f"the course's secret (or the variable {VARIABLE})"
    )
    parser.add_argument("--student", metavar="NAME", help="whose fresh numbers; with a secret")
    parser.add_argument(
        "--sheet-seed", metavar="N", help="the seed the sheet must have; own: the student's"
    )
    parser.add_argument(
        "--strict-layout", action="store_true", help="the usual layout of an array alone is right"
    )
    parser.add_argument(
        "--convention", metavar="NAME|FILE.toml", help="in which it is answered: ng, nielsen, …"
    )
    parser.add_argument(
        "--points", nargs="+", type=float, metavar="P", help="in all, or for each exercise"
    )
    parser.add_argument("--numpy-only", action="store_true", help="no other package is there")
    parser.add_argument("--seconds", type=float, default=20.0, help="for a run (default: 20)")
    parser.add_argument("--memory", type=int, default=2048, metavar="MB", help="(default: 2048)")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="of a folder: so many at once"
    )
    parser.add_argument("--out", metavar="FILE", help="write the results there, whole or not")
    parser.add_argument("--out-dir", metavar="DIR", help="of a folder: a results file each")
    parser.add_argument("--roster", metavar="CSV", help="of a folder: the class, a student a line")
    parser.add_argument("--gradebook", metavar="CSV", help="with a roster: write the points there")
    parser.add_argument("--summary", metavar="DIR", help="a table of the mistakes in DIR")
    parser.set_defaults(whose=None)  # of a class: the student, where no secret needs one
    parser.parse_known_args = leaving_results(parser.parse_known_args, parser.error)


def run_command(options: argparse.Namespace) -> int:
    """Run jacobian-bp grade: 0 all is right, 1 it is not; of a summary, 1 not all counted."""
    if options.summary is not None:
        summary = summarise(options.summary)
        _say(summary.lines())
        return 0 if summary.ok else NOT_RIGHT
    if options.format is None:
        options = argparse.Namespace(**{**vars(options), "format": format_for(options.out)})
    require_class(options)
    require_workers(options.workers, options.out_dir is not None or options.roster is not None)
    with ExitStack() as stack:
        stack.enter_context(stopped_in_order())
        calls = _calls(options, stack)
        if options.roster is not None:
            _require_call(calls[0])
            return grade_class(calls, options, _graded, _require_files)
        if options.out_dir is not None and options.out is None:
            for call in calls:
                _require_folder(call)
            return max([_grade_folder(call) for call in calls])
        reports = [_grade_one(call) for call in calls]
    for report in reports:
        _hand_over(report, options)
    return 0 if all(report.ok for report in reports) else NOT_RIGHT


def number_or_file(word: str) -> int | str:
    """An exercise as it is written: its number, or the Python file that it stands in."""
    if word.endswith(".py"):
        return word
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{safe(repr(word[:40]))} is neither a number nor a .py file"
        ) from None


def _calls(options: argparse.Namespace, stack: ExitStack) -> list[argparse.Namespace]:
    """The options for each exercise, by its number, with the points that it is worth.

    The files of an instructor's own exercises are read for as long as `stack` is open. Where
    that fails, a results file that is waited for says so.
    """
    words: list[int | str] = options.exercise or []
    numbers = [word for word in words if isinstance(word, int)]
    try:
        files = [word for word in words if isinstance(word, str)]
        require_apart(files, options.submission)
        read = iter(stack.enter_context(exercises_of(*files)))
        numbers = [next(read).number if isinstance(word, str) else word for word in words]
        _require_numbers(numbers, options.out)
        scaled = options.points is not None or options.roster is not None
        worth: Sequence[float | None] = [None] * len(numbers)
        if scaled:
            worth = points_of(numbers, options.points)
    except JacobianError as error:
        first = numbers[0] if numbers else None
        results = ResultsOfCall.of(argparse.Namespace(**{**vars(options), "exercise": first}))
        results.begin()
        results.failed(str(error).splitlines()[0])
        raise
    if not numbers:  # what is missing is told where a call is looked through
        return [
            argparse.Namespace(
                **{**vars(options), "worth": None, "several": False, "own_files": []}
            )
        ]
    calls, several = [], len(numbers) > 1
    for number, points in zip(numbers, worth, strict=True):
        folder = options.out_dir
        if folder is not None and several:
            folder = str(Path(folder) / f"exercise-{number}")
        own = {
            "exercise": number,
            "worth": points,
            "out_dir": folder,
            "several": several,
            "own_files": files,
        }
        calls.append(argparse.Namespace(**{**vars(options), **own}))
    return calls


def _require_numbers(numbers: Sequence[int], out: str | None) -> None:
    for number in numbers:
        if numbers.count(number) > 1:
            raise SpecError(f"exercise {number} is written twice.\n  Write each exercise once.")
    if out is not None and len(numbers) > 1:
        raise SpecError(
            "--out is the file of one exercise.\n"
            f"  Write --exercise {numbers[0]} --out FILE, and a call for each further one."
        )


def _grade_one(options: argparse.Namespace) -> GradeReport:
    """One submission graded, and its results written; where that fails, they say so."""
    results = ResultsOfCall.of(options)
    results.begin()
    try:
        _require_call(options)
        require_one(Path(options.submission), report_anyway=options.out is not None)
        report = grade_file(options.submission, options.exercise, _terms(options))
        report = report if options.worth is None else report.scaled(options.worth)
    except JacobianError as error:
        results.failed(str(error).splitlines()[0])
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        why = f"the grader failed: {type(error).__name__} in {last.name}, line {last.lineno}."
        results.failed(why)
        raise SpecError(f"{why}\n  Please report it; the submission is not graded.") from None
    results.write(report)
    return report


def _require_folder(options: argparse.Namespace) -> None:
    """What is wrong with the call on a folder is told before anything in it is run."""
    _require_call(options)
    if options.student is not None:
        raise SpecError(
            "the submissions in a folder are not of one student.\n"
            "  Leave --student away: with a secret, each file's name is its student's."
        )
    find_exercise(options.exercise)
    _require_files(submissions(options.submission), options)


def _require_files(files: Sequence[Path], options: argparse.Namespace) -> None:
    """What is wrong with the call on these files is told once, before one is run."""
    secret, roster = read_secret(options.secret_file), options.roster is not None
    require_gradable(files, secret, options.sheet_seed, roster)
    unwritten = argparse.Namespace(**{**vars(options), "out_dir": None})
    for path in files[:1]:
        _terms(_options_for(path, unwritten))
        _options_for(path, options)  # the folder for the results can be made


def _grade_folder(options: argparse.Namespace) -> int:
    """Every submission in a folder, a line each; one that cannot be graded stops no other."""
    if options.several:
        _say([f"exercise {options.exercise}"])
    files = submissions(options.submission)
    wide = max(len(name_of(path)) for path in files)
    whose = owners(files, read_secret(options.secret_file), options.exercise)
    right = True
    reports = _graded([(path, options, None) for path in files], options)
    for path, report in zip(files, reports, strict=True):
        if isinstance(report, JacobianError):
            right, said = False, f"not graded: {str(report).splitlines()[0]}"
        else:
            right, said = right and report.ok, words_on(report, whose)
        _say([f"{name_of(path):<{wide}}  {said}"])
    _say([f"left out  {reason}" for reason in students_files(options.submission)[1]])
    _say(_warnings(options))
    return 0 if right else NOT_RIGHT


def _graded(
    jobs: Sequence[Job], options: argparse.Namespace
) -> Iterator[GradeReport | JacobianError]:
    """The report on each file, or why there is none, in their order."""
    files = [word for word in options.own_files if isinstance(word, str)]
    return graded(_grade_job, jobs, options.workers, files)


def _grade_job(job: Job) -> GradeReport:
    """One file of a folder, as it is graded alone; here or in a process of its own."""
    path, options, student = job
    return _grade_one(_options_for(path, options, student))


def _options_for(
    path: Path, options: argparse.Namespace, student: str | None = None
) -> argparse.Namespace:
    """The options for one file of a folder; with a secret the student has the file's name."""
    whose = student
    student = (student or path.stem) if read_secret(options.secret_file) is not None else None
    out = None
    if options.out_dir is not None:
        out = str(results_file(options.out_dir, path, options.format))
    own = {"submission": str(path), "out": out, "out_dir": None, "student": student}
    own["whose"] = whose
    return argparse.Namespace(**{**vars(options), **own})


def _require_call(options: argparse.Namespace) -> None:
    if options.exercise is None or options.submission is None:
        raise SpecError(
            "an exercise and a submission are needed.\n"
            "  Write jacobian-bp grade --exercise 2 --submission ex2.py, or --summary DIR."
        )
    if options.out is not None and options.out_dir is not None:
        raise SpecError(
            "--out is the file of one submission, --out-dir is for a folder.\n  Write one of them."
        )
    if options.format not in FORMATS:
        raise SpecError(
            f"there is no format {options.format[:20]!r}.\n  Write one of {', '.join(FORMATS)}."
        )


def _terms(options: argparse.Namespace) -> Terms:
    secret = read_secret(options.secret_file)
    graded, wanted = options.seed, options.sheet_seed
    if options.student is not None and graded is None:
        graded = graded_seed(needed(secret), options.student, options.exercise)
    elif options.secret_file is not None and options.student is None:
        raise SpecError("a secret needs a student.\n  Write --student and a name or number.")
    by_secret = secret is not None and (options.student or options.secret_file) is not None
    seed_of = partial(seed_of_token, secret) if secret is not None and by_secret else None
    if seed_of is not None and wanted not in (None, "own"):
        raise SpecError(
            f"--sheet-seed {str(wanted)[:20]} is of a practice sheet; with a secret, sheets with "
            "a token are graded.\n"
            "  Write --sheet-seed own, or leave the secret and the student away."
        )
    if wanted == "own":
        wanted = sheet_seed(needed(secret), options.student or "", options.exercise)
    limits = Limits(_above_0(options.seconds, "--seconds"), _megabytes(options.memory))
    return Terms(
        options.level,
        _whole(wanted),
        _whole(graded),
        limits,
        options.numpy_only,
        options.strict_layout,
        convention_of(options.convention) if options.convention is not None else None,
        seed_of,
        options.whose or options.student or "",
    )


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    text = str(value)
    if not text.isdecimal() or len(text) > 20 or int(text) >= 2**64:
        raise SpecError(f"the seed is {text[:30]!r}.\n  Write a whole number from 0 to 2**64 - 1.")
    return int(text)


def _above_0(value: float, name: str) -> float:
    if not 0 < value < 10**5:
        raise SpecError(f"{name} is {value:g}.\n  Write a number above 0.")
    return value


def _megabytes(value: int) -> int:
    if not 128 <= value <= 2**20:
        raise SpecError(f"--memory is {value}.\n  Write megabytes, from 128 up.")
    return value * 2**20


def _hand_over(report: GradeReport, options: argparse.Namespace) -> None:
    """The results to the screen; or the instructor's log, where a file has the results."""
    if options.out is None:
        terminal.write(FORMATS[options.format](report).splitlines())
    else:
        _say([*log_lines(report), *_warnings(options)])


def _warnings(options: argparse.Namespace) -> list[str]:
    """For the instructor: what a sheet that is run could read."""
    seen = ["warning: a sheet can read --seed on the command line; a secret is not on it"]
    return [*open_to_all(options.secret_file), *seen * (options.seed is not None)]


def _say(lines: Sequence[str]) -> None:
    terminal.write(fold_all(lines, terminal.PAGE))
