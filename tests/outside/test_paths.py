"""The paths beside five courses: each page, script and exercise is there, each command works."""

import re
import shlex

import pytest
from project import DOCS

from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.catalogue import EXERCISES
from jacobian_bp.coursework.exercises.sheet import HEADER

PAGE = (DOCS / "paths.md").read_text("utf-8")
COURSES = dict(re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
COMMANDS = re.findall(r"^\$ (jacobian-bp .*)$", PAGE, re.M)
KNOWN = {exercise.number for exercise in EXERCISES}


def rows(text):
    """The page, the script and the exercises of each part."""
    found = re.findall(
        r"^\| [^|]+ \| \[[^]]+\]\(([^)]+)\) \| \[(\w+)\]\(([^)]+)\) \| ([\d, ]+) \|$", text, re.M
    )
    return [(page, name, script, list(map(int, n.split(", ")))) for page, name, script, n in found]


@pytest.mark.parametrize("course", COURSES)
def test_each_part_of_a_course_names_what_is_there(course):
    parts = rows(COURSES[course])
    assert len(parts) == COURSES[course].count("\n| ") - 2  # all but the head and its rule
    assert len(parts) >= 4
    for page, name, script, numbers in parts:
        assert (DOCS / page).is_file()
        assert script == f"../derivations/{name}.py"
        assert (DOCS / script).is_file()
        assert KNOWN.issuperset(numbers)
    assert "$ jacobian-bp derive" in COURSES[course]
    assert "$ jacobian-bp exercise new" in COURSES[course]


def test_there_are_five_courses_and_every_new_exercise_is_on_one_path():
    assert len(COURSES) == 5
    used = {n for text in COURSES.values() for *_, numbers in rows(text) for n in numbers}
    assert used >= set(range(14, max(KNOWN) + 1))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_a_path_works(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said
    if words[0] == "exercise":
        text = (tmp_path / words[-1]).read_text()
        named = words[words.index("--convention") + 1] if "--convention" in words else ""
        numbers = [int(word) for word in words if word.isdecimal()]
        assert [int(found[0]) for found in HEADER.findall(text)] == numbers
        assert all(found[2] in ("", named) for found in HEADER.findall(text))
        assert any(found[2] == named for found in HEADER.findall(text))


def test_a_row_with_an_exercise_that_is_not_there_would_be_seen():
    wrong = PAGE.replace("| 25 |", "| 250 |")
    assert not KNOWN.issuperset(n for *_, numbers in rows(wrong) for n in numbers)
