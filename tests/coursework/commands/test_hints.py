"""What `diagnose`, `exercise` and `grade` advise is done, and then the command works.

Each row is a command in the folder of a course, what is wrong there, and what is done: taken out
of the message, and no more. A last test looks through the source for advice without a row.
"""

import os
import re
import shlex
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from course_hints import fresh_course, said
from course_rows import COMMANDS
from followed import Told, advice_in, lines_run, not_covered
from grading_cases import sheet

from jacobian_bp import Convention
from jacobian_bp.cli import main
from jacobian_bp.coursework.commands import exercise as exercise_command
from jacobian_bp.coursework.commands import grade as grade_command
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.check_file import check_file
from jacobian_bp.coursework.exercises.checker import Report, check_answers
from jacobian_bp.coursework.exercises.convention_line import convention_said
from jacobian_bp.coursework.exercises.in_convention import task_in
from jacobian_bp.coursework.exercises.own_exercises import sound
from jacobian_bp.coursework.exercises.sheet import BEGIN, END, with_numbers_of
from jacobian_bp.coursework.exercises.sheet_in_convention import sheet_in
from jacobian_bp.coursework.exercises.submission import read_parts, read_submission
from jacobian_bp.coursework.exercises.wording import worded
from jacobian_bp.coursework.grading.frameworks import grade, passes
from jacobian_bp.coursework.grading.grade import grade_answers
from jacobian_bp.errors import JacobianError

PAGES = (  # no messages
    "coursework/course/pages.py",
    "coursework/exercises/explorer.py",
    "coursework/exercises/mistakes_of_run.py",
)
ROOMS = tuple(f"coursework/{room}" for room in ("commands", "course", "grading", "exercises"))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        fresh_course()
    return folder


@pytest.fixture
def in_course(course, tmp_path, monkeypatch):
    """A course of its own for the test, and nothing that is graded takes long."""
    shutil.copytree(course, tmp_path / "course")
    monkeypatch.chdir(tmp_path / "course")
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)


def refused(row, capsys):
    """The message by which the command of a row is refused."""
    for prepare in row[2:]:
        prepare()
    capsys.readouterr()
    assert main(shlex.split(row[0])) == 2
    return re.sub(r".*?\w+Error: ", "", capsys.readouterr().err, count=1, flags=re.S)


def quick(monkeypatch):
    """The sheets are read as ever, and not run: that takes long, and is tested elsewhere."""
    report = grade_answers({}, 2, 7)
    check = partial(check_answers, find_exercise(2).make(7), {})
    made = Report(2, 7, "BP1", tuple(check()))
    monkeypatch.setattr(grade_command, "grade_file", lambda path, *_: read_for(path, report))
    monkeypatch.setattr(
        exercise_command,
        "check_parts",
        lambda path, *_, **__: [read_for(path, made) for _ in read_parts(path)],
    )


def read_for(path, report):
    if Path(path).suffix != ".npz":
        read_parts(path)
    return report


@pytest.mark.one_in(10)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_is_told_is_done_and_it_works(name, in_course, capsys, monkeypatch):
    if "closed" in name:
        monkeypatch.setattr(os, "access", lambda path, mode: "closed" not in str(path))
    row = COMMANDS[name]
    message = refused(row, capsys)
    quick(monkeypatch)
    code = main(row[1](shlex.split(row[0]), message))
    out, err = capsys.readouterr()
    assert (code in (0, 1), "Error" in err, "not graded" in out) == (True, False, False), err + out
    assert out


def test_no_advice_about_coursework_is_without_a_row(course, tmp_path, capsys):
    told, advice = [], advice_in(*ROOMS, without=["coursework/exercises/built_in", *PAGES])
    for number, (name, row) in enumerate(COMMANDS.items()):
        with pytest.MonkeyPatch.context() as patch, lines_run(advice) as lines:
            shutil.copytree(course, tmp_path / str(number))
            patch.chdir(tmp_path / str(number))
            if "closed" in name:
                patch.setattr(os, "access", lambda path, mode: "closed" not in str(path))
            message = refused(row, capsys)
        told.append(Told(message, lines))
    for provoke, _ in PYTHON.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(course)
            with lines_run(advice) as lines, pytest.raises(JacobianError) as caught:
                provoke()
        told.append(Told(str(caught.value), lines))
    assert not_covered(advice, told) == sorted(NOT_FOLLOWED)
    assert len(not_covered(advice, told[: len(told) // 2])) > len(NOT_FOLLOWED) + 10


# ---------------------------------------------------------------- in Python

TASK = find_exercise(2).make(7)
ANSWERS = TASK.answers()


def call_told(pattern, message, **names):
    """The call that the message shows, made."""
    return eval(said(pattern, message), {"grade": grade, "globals": lambda: ANSWERS, **names})


PYTHON = {
    "answers of another type": (
        lambda: grade([1], 2),
        lambda message: call_told(r"such as (grade\(.*?\)), or", message),
    ),
    "named values without a seed": (
        lambda: grade(ANSWERS, 2),
        lambda message: call_told(r"Write (grade\(.*?\)), with", message),
    ),
    "a sheet of several": (
        lambda: read_submission("ex2_3.py", 5),
        lambda message: [
            read_submission("ex2_3.py", int(number))
            for number in said(r"Name one of (.*)\.", message).split(", ")
        ],
    ),
    "a sheet of another seed": (
        lambda: check_file("ex2.py", seed=8),
        lambda message: (
            check_file("ex2.py") if "leave the choice to the sheet" in message else 1 / 0
        ),
    ),
    "an answer that is not asked for": (
        lambda: passes(ANSWERS, 2, seed=7, answer="z9"),
        lambda message: [
            passes(ANSWERS, 2, seed=7, answer=name)
            for name in said(r"Write one of (.*)\.", message).split(", ")
        ],
    ),
    "points": (
        lambda: grade(ANSWERS, 2, seed=7).points(max=0),
        lambda message: eval(
            said(r"(points\(.*?\))", message), {"points": grade(ANSWERS, 2, seed=7).points}
        ),
    ),
    "points, scaled": (
        lambda: grade(ANSWERS, 2, seed=7).scaled(-1),
        lambda message: eval(
            said(r"(scaled\(.*?\))", message), {"scaled": grade(ANSWERS, 2, seed=7).scaled}
        ),
    ),
    "a seed": (
        lambda: find_exercise(2).make(-1),
        lambda message: [find_exercise(2).make(eval(end)) for end in ends_in(message)],
    ),
    "a sheet in another convention": (
        lambda: task_in(sheet_in(TASK, "ng"), "cs231n", "check"),
        lambda message: (
            task_in(sheet_in(TASK, "ng"), None, "check")
            if "Leave the convention away" in message
            else 1 / 0
        ),
    ),
    "no convention in a first line": (
        lambda: convention_said("{1}"),
        lambda message: convention_said("") if "begin with a fresh sheet" in message else 1 / 0,
    ),
    "a name that no program can have": (
        lambda: sheet_in(TASK, Convention(names={"W-{l}": "W"})),
        lambda message: sheet_in(
            TASK, Convention(names={said("Give (W)1 another", message) + "{l}": "W"})
        ),
    ),
    "two names that are one": (
        lambda: sheet_in(TASK, Convention(names={"S{l}": "W"})),
        lambda message: sheet_in(
            TASK, Convention(names={"Theta{l}" if "another name" in message else "S{l}": "W"})
        ),
    ),
    "alike, of what is not given": (
        lambda: with_alike({"g": "a1"}),
        lambda message: with_alike({said(r"one of (\w+),", message): "x"}),
    ),
    "alike, as no value": (
        lambda: with_alike({"x": "q"}),
        lambda message: with_alike({"x": said(r"values are (\w+),", message)}),
    ),
    "a choice that no convention has": (
        lambda: worded("in {examples: rows}", Convention()),
        lambda message: worded(f"in {said(r'way: ({.*?})', message)}", Convention()),
    ),
    "no marks": (
        lambda: with_numbers_of(sheet().replace(marks()[0], ""), TASK),
        lambda message: with_numbers_of(
            sheet().replace(marks()[0], said(r"lines '(.*?)' and", message)), TASK
        ),
    ),
}


def with_alike(alike):
    """An exercise of one's own, read, whose task says which given array stands as which value."""
    two = find_exercise(2)
    own = replace(two, attempt=lambda rng: replace(two.attempt(rng), alike=alike))
    return sound(own, "own.py")


def ends_in(message):
    low, high = re.search(r"from (\d+) to (.*)\.$", message).groups()
    return low, high


def marks():
    return BEGIN, END


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("provoke", "follow"), PYTHON.values(), ids=PYTHON)
def test_what_a_call_is_told_is_done_and_it_works(provoke, follow, in_course):
    with pytest.raises(JacobianError) as caught:
        provoke()
    follow(str(caught.value))


STATEMENT = "coursework/exercises/sheet.py: Put an expression in the place of every None."
NOT_FOLLOWED = {  # and why
    f"{STATEMENT} numpy only. Then": "the statement of a sheet",
}
