"""The page of mistakes: what each changes is what the checker sees, and no level tells too much."""

import re
from html import unescape

import numpy as np
import pytest

from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.explorer import explorer
from jacobian_bp.coursework.exercises.questions import ArrayQuestion, MaskQuestion
from jacobian_bp.document.mistakes import OTHER, SAME

NUMBERS = (2, 14, 19, 20, 24, 26)
by_number = pytest.mark.parametrize("number", NUMBERS)


def parts_of(page):
    """Of each mistake its line, and the grid below each answer that it changes."""
    for text in re.findall(r'<details name="mistake">(.*?)</details>', page, re.S):
        line = unescape(re.search(r"<code>(.*?)</code>", text)[1])
        names = re.split(r"<p><b>(\w+)</b>", text)[1:]
        yield line, dict(zip(names[::2], names[1::2], strict=True))


def grid(text):
    _, *rows = re.findall(r"<tr>(.*?)</tr>", text)  # below the heads
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def seen(page):
    """The text that a reader sees, but for the lines of code and the questions."""
    body = re.sub(r"<style>.*?</style>|<code>.*?</code>|<b>.*?</p>", "", page, flags=re.S)
    return re.sub(r"<[^>]*>", " ", body)


@pytest.mark.one_in(3)
@by_number
def test_a_mistake_changes_what_the_checker_does_not_call_right(number):
    task = find_exercise(number).make(3)
    parts = list(parts_of(explorer(task, 1)))
    assert len(parts) == len(task.mistakes)
    for planted, (line, changed) in zip(task.mistakes, parts, strict=True):
        assert all(f"{name} = {text}" in line for name, text in planted.answers.items())
        verdicts = check_answers(task, task.answers(planted))
        assert set(changed) - {v.name for v in verdicts if v.ok} >= set(planted.answers)
        assert {v.name for v in verdicts if not v.ok} <= set(changed) | set(planted.besides)


def test_the_marks_are_at_the_entries_that_differ_and_the_numbers_say_by_how_much():
    task = find_exercise(14).make(3)
    right = task.answers()
    marked, told = (list(parts_of(explorer(task, level))) for level in (1, 3))
    checked = 0
    for planted, (_, marks), (_, gaps) in zip(task.mistakes, marked, told, strict=True):
        wrong = task.answers(planted)
        for question in task.questions:
            name = question.name
            if name not in marks or np.shape(wrong[name]) != np.shape(right[name]):
                continue
            gap = (np.asarray(wrong[name]) - np.asarray(right[name])).reshape(
                -1, right[name].shape[-1]
            )
            differs = np.abs(gap) > 1e-9
            if not isinstance(question, MaskQuestion):
                expected = [[OTHER if d else SAME for d in row] for row in differs]
                assert grid(marks[name]) == expected
            shown = [
                float(cell.replace("−", "-"))
                for row in grid(gaps[name])
                for cell in row
                if cell != SAME
            ]
            assert np.allclose(shown, gap[differs], rtol=5e-3)
            checked += 1
    assert checked > 15


@pytest.mark.one_in(3)
@by_number
def test_below_the_level_of_causes_no_value_of_an_answer_is_in_the_file(number):
    task = find_exercise(number).make(3)
    arrays = [q for q in task.questions if isinstance(q, ArrayQuestion)]
    values = {
        f"{abs(v):.3g}" for q in arrays for v in np.ravel(q.right) if len(f"{abs(v):.3g}") > 3
    }
    for level in (0, 1, 2):
        words = set(re.findall(r"[\d.]+\d", seen(explorer(task, level))))
        assert not words & values
        assert not any("." in word for word in words)
        for planted in task.mistakes:
            assert planted.says not in unescape(seen(explorer(task, level)))
    assert (OTHER in seen(explorer(task, 0))) is False


def test_a_page_has_no_script_and_two_calls_give_the_same():
    task = find_exercise(16).make(3)
    page = explorer(task, 3)
    assert "<script" not in page
    assert page == explorer(task, 3)
    said = [f">{planted.says[0].upper()}{planted.says[1:]}.<" for planted in task.mistakes]
    assert all(sentence in unescape(page) for sentence in said)


def test_the_command_writes_a_new_page_and_no_other_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", "explore", "16", "--convention", "ng", "--out", "a.html"]) == 0
    assert capsys.readouterr().out == "written: a.html, 20 mistakes to choose from\n"
    assert "dX = du / s[:, None]" in unescape((tmp_path / "a.html").read_text("utf-8"))
    for words in (["--out", "a.html"], ["--out", "a.txt"], ["--level", "9", "--out", "b.html"]):
        assert main(["exercise", "explore", "16", *words]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_sheet_says_which_exercise_convention_and_numbers_but_none_of_a_secret(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", "new", "2", "--seed", "7", "--convention", "ng"]) == 0
    assert main(["exercise", "explore", "ex2.py", "--out", "a.html"]) == 0
    asked = ["exercise", "explore", "2", "--convention", "ng"]
    for name, words in (("b.html", ["--seed", "7"]), ("c.html", []), ("d.html", ["--seed", "5"])):
        assert main([*asked, *words, "--out", name]) == 0
    a, b, c, d = ((tmp_path / f"{name}.html").read_bytes() for name in "abcd")
    assert a == b
    assert len({a, c, d}) == 3
    assert main(["exercise", "explore", "ex2.py", "--seed", "5", "--out", "e.html"]) == 0
    assert (tmp_path / "e.html").read_bytes() == d
    (tmp_path / "secret").write_text("long enough to be a secret of a course\n")
    secret = ["--student", "ada", "--secret-file", "secret", "--convention", "ng"]
    assert main(["exercise", "new", "2", *secret, "--out", "ada.py"]) == 0
    capsys.readouterr()
    assert main(["exercise", "explore", "ada.py", "--out", "f.html"]) == 0
    assert capsys.readouterr().out.endswith("; the numbers are those of seed 0\n")
    assert (tmp_path / "f.html").read_bytes() == c
    assert main(["exercise", "explore", "ex2.py", "--convention", "nielsen"]) == 2
    assert "the sheet is written in the convention" in capsys.readouterr().err
    assert main(["exercise", "new", "3", "2", "--out", "two.py"]) == 0
    assert main(["exercise", "explore", "two.py", "--out", "d.html"]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: --out is the page of one exercise, and these are 3, 2.\n"
        "  Write jacobian-bp exercise explore 3, or leave --out away, for a page of each.\n"
    )
    (tmp_path / "ex2.html").touch()
    assert main(["exercise", "explore", "two.py"]) == 2  # all pages or none
    assert not (tmp_path / "ex3.html").exists()
    (tmp_path / "ex2.html").unlink()
    capsys.readouterr()
    assert main(["exercise", "explore", "two.py"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in said] == ["written: ex3.html", "written: ex2.html"]
    for number in (2, 3):
        page = explorer(find_exercise(number).make(0))
        assert (tmp_path / f"ex{number}.html").read_text("utf-8") == page
    assert main(["exercise", "explore", "two"]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: 'two' is no exercise.\n"
        "  Write a number or a sheet: jacobian-bp exercise explore 14, or explore ex14.py.\n"
    )


@pytest.mark.parametrize(("number", "marked"), [(2, True), (24, False)])
def test_marks_are_explained_where_there_are_some(number, marked):
    for level in (1, 2):
        page = explorer(find_exercise(number).make(7), level)
        assert (f"{OTHER} marks an entry" in page) is marked
        assert (">" + OTHER + "<" in page) is marked
