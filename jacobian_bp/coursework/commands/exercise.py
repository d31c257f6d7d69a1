"""jacobian-bp exercise: list, new, check, hint, audit.

jacobian-bp exercise list                            the exercises there are
jacobian-bp exercise new 3 --seed 7 --out ex3.py     a sheet to fill in (.py or .ipynb)
jacobian-bp exercise new 3 --student ada --secret-file secret.txt     that student's own sheet
jacobian-bp exercise check ex3.py                    right or wrong, where, and the symptom
jacobian-bp exercise hint 3 --level 2                the first two hints
jacobian-bp exercise audit                           the checkers, checked
"""

import argparse
import shlex
from typing import Any

from ...errors import SpecError
from ...writing import terminal
from ...writing.signs import plural, safe
from ...writing.tables import fold_all
from ..exercises.audit import SEEDS, audit
from ..exercises.catalogue import EXERCISES, find_exercise
from ..exercises.check_file import check_file
from ..exercises.sheet import write_sheet
from ..exercises.task import Task
from ..exercises.verdict import LEVELS
from ..grading.seeds import VARIABLE, needed, read_secret, seed_of_token, sheet_token
from ..sandbox import stopped_in_order

NOT_RIGHT = 1


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of jacobian-bp."""
    parser = commands.add_parser("exercise", help="set and check exercises")
    actions = parser.add_subparsers(dest="action", metavar="list | new | check | hint | audit")
    actions.add_parser("list", help="the exercises there are")
    new = actions.add_parser("new", help="write a sheet to fill in")
    new.add_argument("number", type=int, metavar="N", help="which exercise")
    new.add_argument("--seed", type=int, help="of the numbers, for practice (default: 0)")
    new.add_argument("--student", metavar="NAME", help="whose own numbers; with a secret")
    new.add_argument(
        "--secret-file", metavar="FILE", help=f"the course's secret (or the variable {VARIABLE})"
    )
    new.add_argument("--out", metavar="FILE", help="a new .py or .ipynb file (default: exN.py)")
    new.add_argument("--solution", action="store_true", help="with the answers, for instructors")
    check = actions.add_parser("check", help="which answers are right; exit 1 if not all are")
    check.add_argument("file", metavar="FILE", help="a sheet that was filled in")
    words = ", ".join(f"{level} {word}" for level, word in enumerate(LEVELS))
    check.add_argument("--level", type=int, default=2, help=f"of the messages: {words}")
    hint = actions.add_parser("hint", help="hints, one more at each level")
    hint.add_argument("number", type=int, metavar="N", help="which exercise")
    hint.add_argument("--level", type=int, default=1, help="how many hints (default: 1)")
    actions.add_parser("audit", help="planted mistakes and right forms through every checker")


def run_command(options: argparse.Namespace) -> int:
    """Run jacobian-bp exercise; the result is the exit code."""
    return _ACTIONS[getattr(options, "action", None) or "list"](options)


def _list(options: argparse.Namespace) -> int:
    _write([f"{exercise.number:>3}  {exercise.title}" for exercise in EXERCISES])
    _write(["next      jacobian-bp exercise new 1 --seed 7 --out ex1.py"])
    return 0


def _new(options: argparse.Namespace) -> int:
    task = _task_of(options)
    name = options.out or f"ex{task.number}.py"
    write_sheet(task, name, options.solution)
    _write(
        [f"written: {safe(name)}", f"next: jacobian-bp exercise check {shlex.quote(safe(name))}"]
    )
    return 0


def _task_of(options: argparse.Namespace) -> Task:
    """The task of the seed that is written, for practice, or the student's own, with a token."""
    exercise = find_exercise(options.number)
    if options.student is None:
        if options.secret_file is not None:
            raise SpecError("a secret needs a student.\n  Write --student and a name or number.")
        return exercise.make(0 if options.seed is None else int(options.seed))
    if options.seed is not None:
        raise SpecError("--seed and --student both say which numbers.\n  Write one of the two.")
    secret = needed(read_secret(options.secret_file))
    token = sheet_token(secret, options.student, options.number)
    return exercise.make(seed_of_token(secret, token, options.number), token)


def _check(options: argparse.Namespace) -> int:
    _require_level(options.level, len(LEVELS) - 1)
    with stopped_in_order():
        report = check_file(options.file)
    _write(report.lines(options.level))
    return 0 if report.ok else NOT_RIGHT


def _hint(options: argparse.Namespace) -> int:
    exercise = find_exercise(options.number)
    _require_level(options.level, len(exercise.hints))
    shown = exercise.hints[: options.level]
    _write([f"hint {place}    {text}" for place, text in enumerate(shown, 1)])
    left = len(exercise.hints) - len(shown)
    _write([f"{plural(left, 'hint')} left: --level {options.level + 1}"] * bool(left))
    return 0


def _audit(options: argparse.Namespace) -> int:
    found = audit(EXERCISES, SEEDS)
    _write(found.lines())
    return 0 if found.ok else NOT_RIGHT


def _require_level(level: int, most: int) -> None:
    if not 0 <= level <= most:
        raise SpecError(f"--level is {level}.\n  Write a whole number from 0 to {most}.")


def _write(lines: list[str]) -> None:
    terminal.write(fold_all(lines, terminal.width()))


_ACTIONS = {"list": _list, "new": _new, "check": _check, "hint": _hint, "audit": _audit}
