"""jacobian-bp exercise: list, new, check, hint, explore, audit.

jacobian-bp exercise list                            the exercises there are
jacobian-bp exercise new 3 --seed 7 --out ex3.py     a sheet to fill in (.py or .ipynb)
jacobian-bp exercise new 3 --student ada --secret-file secret.txt     that student's own sheet
jacobian-bp exercise new 2 3 --roster class.csv --secret-file secret.txt --out-dir sheets/
                                                     a sheet of both for each of a class
jacobian-bp exercise new 2 --convention ng           as a course writes it: names, axes, 1/m
jacobian-bp exercise check ex3.py                    right or wrong, where, and the symptom
jacobian-bp exercise hint 3 --level 2                the first two hints; also hint ex3.py
jacobian-bp exercise explore 14 --out mistakes.html  a page: choose a mistake, see what it changes
jacobian-bp exercise audit                           the checkers, checked

With --exercise my_exercise.py each of them knows the exercise in that file, which is run.
"""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...document.files import DOCUMENTS, PAGE, Kind, place_for, write_text
from ...document.saving import save
from ...errors import SpecError
from ...network.files.convention_file import convention_of
from ...network.files.paths import brief
from ...writing import terminal
from ...writing.signs import plural, safe
from ...writing.tables import WIDTH, fold_all
from ..exercises.audit import SEEDS, audit
from ..exercises.catalogue import all_exercises, exercises_of, find_exercise
from ..exercises.cause import UNKNOWN
from ..exercises.check_file import check_parts
from ..exercises.checker import Report, document_of_reports
from ..exercises.explorer import explorer
from ..exercises.in_convention import task_in
from ..exercises.own_exercises import OwnExercise
from ..exercises.sheet import sheet_text, write_sheet
from ..exercises.sheet_in_convention import sheet_in
from ..exercises.submission import read_parts
from ..exercises.task import Task, any_task
from ..exercises.verdict import LEVELS, WRONG
from ..grading.class_sheets import write_sheets
from ..grading.roster import read_roster
from ..grading.seeds import VARIABLE, needed, read_secret, seed_of_token, sheet_token
from ..sandbox import stopped_in_order

NOT_RIGHT = 1
SOLUTION = "_solution"  # behind a sheet's name: no solution is taken for the sheet of a student


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of jacobian-bp."""
    parser = commands.add_parser("exercise", help="set and check exercises")
    actions = parser.add_subparsers(
        dest="action", metavar="list | new | check | hint | explore | audit"
    )
    listed = actions.add_parser("list", help="the exercises there are")
    new = actions.add_parser("new", help="write a sheet to fill in, or one for each of a class")
    new.add_argument("numbers", type=_number, nargs="*", metavar="N", help="which exercises")
    new.add_argument("--seed", type=int, help="of the numbers, for practice (default: 0)")
    new.add_argument("--student", metavar="NAME", help="whose own numbers; with a secret")
    new.add_argument(
        "--secret-file", metavar="FILE", help=f"the course's secret (or the variable {VARIABLE})"
    )
    new.add_argument("--out", metavar="FILE", help="a new .py or .ipynb file (default: exN.py)")
    new.add_argument("--solution", action="store_true", help="with the answers, for instructors")
    new.add_argument("--roster", metavar="CSV", help="a sheet for each student in it")
    new.add_argument("--out-dir", metavar="DIR", help="of a class: where its sheets are written")
    new.add_argument("--notebook", action="store_true", help="of a class: notebooks, not scripts")
    check = actions.add_parser("check", help="which answers are right; exit 1 if not all are")
    check.add_argument("file", metavar="FILE", help="a sheet that was filled in")
    words = ", ".join(f"{level} {word}" for level, word in enumerate(LEVELS))
    check.add_argument("--level", type=int, default=2, help=f"of the messages: {words}")
    ends = f"write a report instead; the name ends in {DOCUMENTS.named}"
    check.add_argument("--out", metavar="FILE", help=ends)
    hint = actions.add_parser("hint", help="hints, one more at each level")
    hint.add_argument("which", nargs="?", metavar="N|FILE", help="an exercise, or a sheet of it")
    hint.add_argument("--level", type=int, default=1, help="how many hints (default: 1)")
    page = actions.add_parser("explore", help="a page: what each planted mistake changes")
    page.add_argument("which", nargs="?", metavar="N|FILE", help="an exercise, or a sheet of it")
    page.add_argument("--seed", type=int, help="of the numbers (default: the sheet's own, else 0)")
    page.add_argument("--level", type=int, default=2, help=f"of what is told: {words}")
    page.add_argument(
        "--out", metavar="FILE", help="a new .html file (default: exN.html, one each)"
    )
    audited = actions.add_parser("audit", help="planted mistakes and right forms through checkers")
    for action, said in (
        (new, "in which it is written: ng, nielsen, …"),
        (check, "in which a sheet that says none is answered"),
        (hint, "in which they are written: ng, nielsen, …"),
        (page, "in which the lines are written"),
        (audited, "in which the sheets are written"),
    ):
        action.add_argument("--convention", metavar="NAME|FILE", help=said)
    for action in (listed, new, check, hint, page, audited):
        action.add_argument(
            "--exercise",
            action="append",
            default=[],
            metavar="FILE",
            help="a Python file with an exercise of your own; it is run",
        )


def _number(word: str) -> int:
    """The number of an exercise; of a file it is said where a file is written."""
    if word.isdecimal() and len(word) < 20:
        return int(word)
    shown = safe(word[:40])
    if Path(word).suffix.lower() in (".py", ".ipynb"):
        raise argparse.ArgumentTypeError(
            f"{shown!r} is a file, no number: write --exercise {shown} for an exercise in it, "
            f"--out {shown} for the sheet to be written"
        )
    raise argparse.ArgumentTypeError(
        f"{shown!r} is no number of an exercise; jacobian-bp exercise list shows them"
    )


def run_command(options: argparse.Namespace) -> int:
    """Run jacobian-bp exercise; the result is the exit code."""
    with exercises_of(*getattr(options, "exercise", [])) as own:
        return _ACTIONS[getattr(options, "action", None) or "list"](options, own)


def _list(options: argparse.Namespace, own: Sequence[OwnExercise]) -> int:
    exercises, failed = all_exercises()
    _write([f"{exercise.number:>3}  {exercise.title}" for exercise in exercises])
    _write([f"not to be used  {reason}" for reason in failed])
    _write(["next      jacobian-bp exercise new 1 --seed 7 --out ex1.py"])
    return 0


def _new(options: argparse.Namespace, own: Sequence[OwnExercise]) -> int:
    numbers = _numbers(options.numbers, own)
    if options.convention is not None:
        options.convention = convention_of(options.convention)  # of a class it is read once
    if options.roster is not None:
        return _new_class(options, numbers)
    for name in ("out_dir", "notebook"):
        if getattr(options, name):
            raise SpecError(
                f"--{name.replace('_', '-')} is for the sheets of a class.\n"
                "  Write --roster class.csv too; one sheet has --out ex2.py, or ex2.ipynb."
            )
    tasks = [_task_of(options, number) for number in numbers]
    ending = f"{SOLUTION}.py" if options.solution else ".py"
    name = options.out or f"ex{'_'.join(map(str, numbers))}{ending}"
    write_sheet(tasks, name, options.solution)
    words = ["jacobian-bp", "exercise", "check", safe(name)]
    words += [word for file in options.exercise for word in ("--exercise", safe(file))]
    if tasks[0].token and any(find_exercise(number).of_given is None for number in numbers):
        words = ["jacobian-bp", "grade", *_exercises_of(options), "--submission", safe(name)]
        words += [f"--student={options.student}", *_own_seed(options)]
    _write([f"written: {safe(name)}", f"next: {shlex.join(words)}"])
    return 0


def _exercises_of(options: argparse.Namespace) -> list[str]:
    """The exercises of a sheet, as grade takes them."""
    return ["--exercise", *map(str, options.numbers), *map(safe, options.exercise)]


def _own_seed(options: argparse.Namespace) -> list[str]:
    """What grade needs to know whose a sheet with a token is."""
    named = options.secret_file is not None
    return ["--sheet-seed", "own", *(["--secret-file", safe(options.secret_file)] if named else [])]


def _new_class(options: argparse.Namespace, numbers: Sequence[int]) -> int:
    """A sheet, or its solution, for each student of the roster: all of them or none."""
    for name in ("student", "seed", "out"):
        if getattr(options, name) is not None:
            raise SpecError(
                f"--{name} is for one sheet, --roster for a class.\n  Write one of them."
            )
    if options.out_dir is None:
        raise SpecError(
            "the sheets of a class need a folder.\n  Write --out-dir sheets/ beside --roster."
        )
    roster = read_roster(options.roster)
    needed(read_secret(options.secret_file))
    ending = SOLUTION * options.solution + (".ipynb" if options.notebook else ".py")
    sheets = {}
    for student in roster.students:
        own = argparse.Namespace(**{**vars(options), "student": student})
        tasks = [_task_of(own, number) for number in numbers]
        name = f"{student}{ending}"
        sheets[name] = sheet_text(tasks, name, options.solution)
    write_sheets(options.out_dir, sheets)
    said = f", {min(sheets)} to {max(sheets)}" * (len(sheets) > 1) or f": {min(sheets)}"
    words = _exercises_of(options)
    if options.solution:
        first = roster.students[0]
        solved = Path(options.out_dir, f"{first}{ending}")
        words += ["--submission", safe(str(solved)), f"--student={first}"]
    else:
        words += ["--submission", "HANDED_IN", "--roster", safe(options.roster)]
        words += ["--gradebook", "marks.csv"]
    words += _own_seed(options)
    kind = "solution" if options.solution else "sheet"
    _write([f"written: {plural(len(sheets), kind)}{said}"])
    _write([f"next: jacobian-bp grade {shlex.join(words)}"])
    return 0


def _numbers(written: Sequence[int], own: Sequence[OwnExercise]) -> list[int]:
    """The exercises of a sheet: those written, then those of files, each once."""
    for number in written:
        if list(written).count(number) > 1:
            raise SpecError(f"exercise {number} is written twice.\n  Write each exercise once.")
    numbers = [*written, *(exercise.number for exercise in own if exercise.number not in written)]
    if not numbers:
        raise SpecError(
            "no exercise is named.\n"
            "  Write jacobian-bp exercise new 2, or --exercise my_exercise.py; "
            "jacobian-bp exercise list shows those there are."
        )
    return numbers


def _task_of(options: argparse.Namespace, number: int) -> Task:
    """The task of the seed that is written, for practice, or the student's own, with a token."""
    return sheet_in(_own_task(options, number), options.convention)


def _own_task(options: argparse.Namespace, number: int) -> Task:
    exercise = find_exercise(number)
    if options.student is None:
        if options.secret_file is not None:
            raise SpecError("a secret needs a student.\n  Write --student and a name or number.")
        return exercise.make(0 if options.seed is None else int(options.seed))
    if options.seed is not None:
        raise SpecError("--seed and --student both say which numbers.\n  Write one of the two.")
    secret = needed(read_secret(options.secret_file))
    token = sheet_token(secret, options.student, number)
    return exercise.make(seed_of_token(secret, token, number), token)


def _check(options: argparse.Namespace, own: Sequence[OwnExercise]) -> int:
    _require_level(options.level, len(LEVELS) - 1)
    place = None if options.out is None else place_for(options.out)
    with stopped_in_order():
        reports = check_parts(options.file, convention=options.convention)
    lines = [line for report in reports for line in report.lines(options.level)]
    if place is not None:
        level = options.level
        text = lambda: "\n".join(fold_all(lines, WIDTH))  # noqa: E731
        save(place, lambda: document_of_reports(reports, level), text)
        lines = [f"written: {safe(options.out)}"]
    _write(lines)
    if options.level < LEVELS.index("cause") and any(map(_has_cause, reports)):
        _write(["next      --level 3 names the cause"])
    return 0 if all(report.ok for report in reports) else NOT_RIGHT


def _has_cause(report: Report) -> bool:
    return any(v.status == WRONG and v.cause not in ("", UNKNOWN) for v in report.verdicts)


def _hint(options: argparse.Namespace, own: Sequence[OwnExercise]) -> int:
    hinted = _hinted(options.which, own, options.convention)
    _require_level(options.level, max(len(hints) for _, _, hints in hinted))
    for number, title, hints in hinted:
        if len(hinted) > 1:
            _write([f"exercise {number}: {title}"])
        shown = hints[: options.level]
        _write([f"hint {place}    {text}" for place, text in enumerate(shown, 1)])
        left = len(hints) - len(shown)
        _write([f"{plural(left, 'hint')} left: --level {options.level + 1}"] * bool(left))
    return 0


def _hinted(
    which: str | None, own: Sequence[OwnExercise], convention: str | None
) -> list[tuple[int, str, tuple[str, ...]]]:
    """Number, title and hints of an exercise, of all in a sheet, or of those of files."""
    tasks = [_as_asked(task, convention, "hint") for task in _meant(which, own, "hint", "2")]
    return [(task.number, task.title, task.hints) for task in tasks]


def _explore(options: argparse.Namespace, own: Sequence[OwnExercise]) -> int:
    _require_level(options.level, len(LEVELS) - 1)
    tasks = _meant(options.which, own, "explore", "14")
    if options.out is not None and len(tasks) > 1:
        numbers = ", ".join(str(task.number) for task in tasks)
        raise SpecError(
            f"--out is the page of one exercise, and these are {numbers}.\n"
            f"  Write jacobian-bp exercise explore {tasks[0].number}, or leave --out away, for a "
            "page of each."
        )
    pages = []
    for asked in tasks:
        _as_asked(asked, options.convention, "explore")
        name = options.out or _page_of(asked)
        place = place_for(name, kind=Kind("a page", (PAGE,), PAGE))
        convention = asked.convention or options.convention
        task = sheet_in(_with_numbers(asked, options.seed), convention)
        said = f"; the numbers are those of seed {task.seed}" if asked.token else ""
        pages.append((name, place, task, said))
    for name, place, task, said in pages:
        write_text(place, explorer(task, options.level))
        many = plural(len(task.mistakes), "mistake")
        _write([f"written: {safe(name)}, {many} to choose from{said}"])
    return 0


def _with_numbers(asked: Task, seed: int | None) -> Task:
    """The exercise with the numbers of a seed, the sheet's own, or 0 where its token hides it."""
    own = 0 if asked.token else asked.seed
    return find_exercise(asked.number).make(own if seed is None else seed)


def _page_of(task: Task) -> str:
    return f"ex{task.number}.html"


def _meant(which: str | None, own: Sequence[OwnExercise], action: str, number: str) -> list[Task]:
    """The tasks that are named by a number or a sheet, or those of files; SpecError for none."""
    if which is None and own:
        return [any_task(exercise) for exercise in own]
    if which is not None and which.isdecimal() and len(which) < 20:
        return [any_task(find_exercise(int(which)))]
    if which is not None and Path(which).suffix:
        return [part.task for part in read_parts(which)]
    said = "no exercise is named" if which is None else f"{brief(which, 40)} is no exercise"
    raise SpecError(
        f"{said}.\n  Write a number or a sheet: jacobian-bp exercise {action} {number}, "
        f"or {action} ex{number}.py."
    )


def _as_asked(task: Task, convention: str | None, action: str) -> Task:
    """The sheet as it is written; one that says no convention in the one that is asked for."""
    if task.convention is None:
        return sheet_in(task, convention)
    return task_in(task, convention, f"exercise {action}")


def _audit(options: argparse.Namespace, own: Sequence[OwnExercise]) -> int:
    convention = getattr(options, "convention", None)
    found = audit(own or all_exercises()[0], SEEDS, convention=convention)
    _write(found.lines())
    return 0 if found.ok else NOT_RIGHT


def _require_level(level: int, most: int) -> None:
    if not 0 <= level <= most:
        raise SpecError(f"--level is {level}.\n  Write a whole number from 0 to {most}.")


def _write(lines: list[str]) -> None:
    terminal.write(fold_all(lines, terminal.width()))


_ACTIONS = {
    "list": _list,
    "new": _new,
    "check": _check,
    "hint": _hint,
    "explore": _explore,
    "audit": _audit,
}
