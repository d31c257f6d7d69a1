"""A sheet with a token, checked without the course's secret: by its own numbers alone."""

import re

import numpy as np
import pytest

from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.check_file import BY_ITS_NUMBERS, check_file
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.numbers_of_sheet import task_in
from jacobian_bp.coursework.exercises.sheet import notebook, script
from jacobian_bp.coursework.exercises.submission import read_submission
from jacobian_bp.coursework.exercises.task import UNKNOWN, Exercise
from jacobian_bp.errors import SpecError

TOKEN = "0123456789abcdef" * 2
SEED = 5_431_986_027_443


@pytest.mark.one_in(10)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.title)
def test_the_numbers_of_a_sheet_give_the_verdicts_of_its_seed(exercise, tmp_path):
    by_seed = exercise.make(SEED, TOKEN)
    for text, name in ((script(by_seed), "a.py"), (notebook(by_seed), "a.ipynb")):
        assert str(SEED) not in text
        (tmp_path / name).write_text(text)
        by_numbers = read_submission(tmp_path / name).task
        assert (by_numbers.seed, by_numbers.token) == (UNKNOWN, TOKEN)
        assert by_numbers.statement == by_seed.statement
        for planted in (None, *by_seed.mistakes, *by_seed.right_forms):
            answers = by_seed.answers(planted)
            assert check_answers(by_numbers, answers) == check_answers(by_seed, answers)


def test_check_needs_no_secret_and_says_by_what_it_judged(tmp_path):
    path = tmp_path / "ada.py"
    path.write_text(script(find_exercise(3).make(SEED, TOKEN), solution=True))
    report = check_file(path)
    assert report.ok
    assert report.lines()[0] == (
        f"exercise 3, token {TOKEN}: which entries of ∂z/∂W can be non-zero"
    )
    assert report.lines()[-2:] == [f"note      {BY_ITS_NUMBERS}", "score     5 of 5, all right"]
    path.write_text(script(find_exercise(3).make(SEED), solution=True))
    assert BY_ITS_NUMBERS not in check_file(path).remarks


TAMPERED = {  # what is done to a sheet of exercise 6: (pattern, replacement, why it is refused)
    "no marks": ("# --- given: end", "", "the marks around what is given are not there once each"),
    "no Python": (r"z = np.array\(\[", "z = np.array([[", "what is given is no Python"),
    "a name less": (r"g = np", "h = np", "g is not among what is given"),
    "a call": (r"z = np.array\(.*", "z = np.ones(5)", "z is not the one of a sheet"),
    "a table": (r"z = np.array\(.*", "z = np.array([[1.0]])", "z is not the one of a sheet"),
    "nothing": (r"z = np.array\(.*", "z = np.array([])", "z is not the one of a sheet"),
    "long": (r"z = np.array\(.*", f"z = np.array({[0.5] * 201})", "z is not the one of a sheet"),
    "infinite": (r"z = np.array\(.*", "z = np.array([1e999])", "z is not the one of a sheet"),
    "ragged": (r"z = np.array\(.*", "z = np.array([[1], [2, 3]])", "z is not the one of a sheet"),
    "a text": (r"z = np.array\(.*", "z = 'np.array'", "z is not the one of a sheet"),
    "apart": (r"z = np.array\(.*", "z = np.array([0.25])", "the numbers do not fit each other"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_numbers_of_no_sheet_are_refused_before_anything_is_computed(name, tmp_path):
    pattern, instead, why = TAMPERED[name]
    text, count = re.subn(pattern, instead, script(find_exercise(6).make(SEED, TOKEN)), count=1)
    assert count == 1
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(SpecError) as error:
        check_file(tmp_path / "a.py")
    assert str(error.value) == (
        f"a.py: {why}, so it is no sheet of exercise 6.\n"
        "  Put back what stood between its two marks, or ask for the sheet again."
    )


@pytest.mark.one_in(4)
@pytest.mark.parametrize("number", range(1, len(EXERCISES) + 1))
def test_one_number_that_was_changed_is_seen(number, tmp_path):
    text = script(find_exercise(number).make(SEED, TOKEN))
    one = r"(?<=\d\.)\d+(?=[,\]])|(?<=^n0 = )\d"
    changed = re.sub(one, lambda m: str(10 - int(m[0][0])), text, count=1, flags=re.M)
    assert changed != text
    (tmp_path / "a.py").write_text(changed)
    fingerprint = re.search(r"sheet (\w{8})", text)[1]
    with pytest.raises(SpecError) as error:
        check_file(tmp_path / "a.py")
    assert str(error.value) == (
        f"a.py: its first line says exercise {number}, token {TOKEN}, and sheet {fingerprint}, "
        "which is another one.\n"
        "  Put the first line, or its numbers, back as it was, or begin with a fresh sheet."
    )


@pytest.mark.parametrize("value", [0, -3, 10**15, True, 1.5])
def test_a_whole_number_of_no_sheet_is_refused(value):
    exercise = find_exercise(9)
    text = re.sub(r"^K = .*", f"K = {value}", script(exercise.make(7, TOKEN)), flags=re.M)
    with pytest.raises(SpecError, match=r"^a\.py: K is not the one of a sheet"):
        task_in(text, exercise, TOKEN, "a.py")


def test_the_numbers_are_read_and_never_run(tmp_path):
    text = script(find_exercise(6).make(SEED, TOKEN))
    mark = tmp_path / "mark"
    call = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    with pytest.raises(SpecError, match="z is not the one of a sheet"):
        task_in(
            re.sub(r"z = np.array\(.*", f"z = np.array({call})", text),
            find_exercise(6),
            TOKEN,
            "a.py",
        )
    assert not mark.exists()


def test_an_exercise_that_cannot_be_made_of_numbers_says_who_judges_it():
    known = find_exercise(6)
    own = Exercise(100, known.title, "", ("",), known.attempt)
    with pytest.raises(SpecError) as error:
        task_in(script(own.make(1, TOKEN)), own, TOKEN, "a.py")
    assert str(error.value) == (
        "exercise 100 cannot be made from the numbers of a sheet.\n"
        "  Its sheets with a token are judged by jacobian-bp grade, with the secret."
    )


def test_the_wrong_line_of_exercise_5_follows_from_its_numbers():
    tasks = [find_exercise(5).make(seed) for seed in range(12)]
    assert len({task.right["word"] for task in tasks}) > 5
    again = [find_exercise(5).task_of(task.given, TOKEN) for task in tasks]
    assert [task.statement for task in again] == [task.statement for task in tasks]
    changed = {**tasks[0].given, "x": tasks[0].given["x"] + np.eye(*tasks[0].given["x"].shape)}
    others = [find_exercise(5).task_of({**changed, "y": tasks[0].given["y"] * f}, TOKEN) for f in
              (1.0, 0.5, 0.25, 0.125)]  # fmt: skip
    assert len({task.right["word"] for task in others}) > 1
