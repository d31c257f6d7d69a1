"""Files with an exercise of an instructor's own: each that cannot be used says what to write."""

import sys
import textwrap

import numpy as np
import pytest
from grading_cases import command, require_gradescope

from jacobian_bp.coursework.exercises.catalogue import all_exercises, exercises_of, find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.grading.grade_report import UNGRADED
from jacobian_bp.errors import SpecError

HEAD = """
import numpy as np
from jacobian_bp.coursework.exercises.accepted_forms import only
from jacobian_bp.coursework.exercises.questions import ArrayQuestion
from jacobian_bp.coursework.exercises.task import Exercise, Planted, Task
"""
ATTEMPT = """
def attempt(rng):
    v = np.round(rng.uniform(1, 2, 3), 2)
    return Task((ArrayQuestion("d", "2 v", "2 * v", only(2.0 * v)),), {"v": v})
"""
EXERCISE = (
    "EXERCISE = Exercise(number=100, title='t', statement='s', hints=('h',), attempt=attempt)\n"
)
WHOLE = HEAD + ATTEMPT + EXERCISE


def file_of(tmp_path, text, name="my.py"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path):
    with pytest.raises(SpecError) as caught, exercises_of(path):
        pass
    return str(caught.value)


def test_an_exercise_is_there_inside_and_gone_outside(tmp_path):
    before, modules, state = all_exercises(), set(sys.modules), np.random.get_state()[1].tolist()
    with exercises_of(file_of(tmp_path, WHOLE)) as (own,):
        assert find_exercise(100) is own
        assert own in all_exercises()[0]
        task = find_exercise(100).make(7)
        assert all(verdict.ok for verdict in check_answers(task, task.answers()))
        assert not check_answers(task, {"d": 3 * task.given["v"]})[0].ok
    with pytest.raises(SpecError, match=r"^there is no exercise 100\.\n"):
        find_exercise(100)
    assert (all_exercises(), np.random.get_state()[1].tolist()) == (before, state)
    assert not [name for name in set(sys.modules) - modules if "own exercise" in name]
    assert [path.name for path in tmp_path.iterdir()] == ["my.py"]  # no __pycache__


def test_two_files_side_by_side_and_the_same_one_twice(tmp_path):
    one = file_of(tmp_path, WHOLE)
    two = file_of(tmp_path, WHOLE.replace("number=100", "number=101"), "two.py")
    with exercises_of(one, two):
        assert [find_exercise(number).source for number in (100, 101)] == ["my.py", "two.py"]
    with pytest.raises(SpecError) as caught, exercises_of(one, two, one):
        pass
    assert str(caught.value) == (
        "my.py: exercise 100 is one of my.py already: t.\n  Give yours another number, such as 102."
    )


def changed(old, new):
    assert WHOLE.count(old) == 1, old
    return WHOLE.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x = 1\n",
            "my.py holds 0 exercises.\n  Write one in a file, EXERCISE = Exercise(number=100, "
            "...); of another file import the module, not its exercise.",
        ),
        (
            WHOLE + EXERCISE.replace("100", "101").replace("EXERCISE", "OTHER"),
            "my.py holds 2 exercises: 100 (t), 101 (t).\n  Write one in a file, EXERCISE = "
            "Exercise(number=100, ...); of another file import the module, not its exercise.",
        ),
        (
            WHOLE + "1 / 0\n",
            f"my.py cannot be run: line {len(WHOLE.splitlines()) + 1}: ZeroDivisionError: division "
            "by zero.\n  Correct the line, and try it in its folder: python my.py.",
        ),
        (
            "raise SystemExit(3)",
            "my.py cannot be run: line 1: SystemExit: 3.\n"
            "  Correct the line, and try it in its folder: python my.py.",
        ),
        ("def (:", "my.py, line 1: invalid syntax.\n  Correct the line."),
        (b"\xff", "my.py: byte 0 is not UTF-8.\n  Save the file as UTF-8."),
        (
            changed("number=100", "number=2"),
            "my.py: exercise 2 is one of this package already: BP1 and BP2 with diagonal matrices."
            "\n  Give yours another number, such as 100.",
        ),
        (
            changed("number=100", "number='100'"),
            "my.py: the exercise's number is '100'.\n"
            "  Write a whole number from 1 to 999999, such as number=100.",
        ),
        (
            changed("title='t'", "title=' '"),
            "my.py: the exercise has no title.\n  Write title='...'.",
        ),
        (
            changed("hints=('h',)", "hints='h'"),
            "my.py: the hints are no tuple of texts.\n"
            "  Write hints=('the first', 'the second'), or hints=() for none.",
        ),
        (
            changed("attempt=attempt", "attempt=attempt(np.random.default_rng(0))"),
            "my.py: attempt is a Task, not a function.\n"
            "  Write def attempt(rng), which returns a Task.",
        ),
        (
            changed("    return Task", "    Task"),
            "my.py: attempt(rng) gave a NoneType, not a Task.\n  Return Task(questions, given).",
        ),
        (
            changed("    v = np", "    v = 1 / 0\n    v = np"),
            "my.py: exercise 100, seed 0, cannot be made: line 8: ZeroDivisionError: division by "
            "zero.\n  Correct the line, and try attempt(np.random.default_rng(0)) by itself.",
        ),
        (
            changed('"2 * v"', '"2 * w"'),
            "my.py, line 9: the line '2 * w' of the answer d, in the solution, ends in an error: "
            "NameError: name 'w' is not defined.\n"
            "  Correct it; the names that it can read are np, v.",
        ),
        (
            changed('"2 * v"', '"2 * (v"'),
            "my.py, line 9: the line '2 * (v' of the answer d, in the solution, ends in an error: "
            "SyntaxError: '(' was never closed.\n"
            "  Correct it; the names that it can read are np, v.",
        ),
        (
            changed("attempt=attempt", "attempt=attempt, mistakes=(Planted('m', {'d': 'q'}),)"),
            "my.py, line 10: the line 'q' of the answer d, in 'm', ends in an error: NameError: "
            "name 'q' is not defined.\n  Correct it; the names that it can read are np, v.",
        ),
        (
            changed("attempt=attempt", "attempt=attempt, right_forms=(Planted('r', {'d': 'q'}),)"),
            "my.py, line 10: the line 'q' of the answer d, in 'r', ends in an error: NameError: "
            "name 'q' is not defined.\n  Correct it; the names that it can read are np, v.",
        ),
        (
            changed('{"v": v}', '{"v": v}, forward="\\nu = v\\nz = uu"'),
            "my.py: exercise 100, seed 0, cannot be made: forward, line 3: NameError: name 'uu' is "
            "not defined.\n"
            "  Write forward in np, what is given, and what its own lines compute before.",
        ),
        (
            changed(" hints=('h',),", ""),
            "my.py cannot be run: line 10: TypeError: Exercise.__init__() missing 1 required "
            "positional argument: 'hints'.\n"
            "  Correct the line, and try it in its folder: python my.py.",
        ),
        (
            "\nimport no_such_module.at_all\n" + WHOLE,
            "my.py cannot be run: line 2: ModuleNotFoundError: No module named 'no_such_module'.\n"
            "  Install the module no_such_module, or import another, and try it in its folder: "
            "python my.py.",
        ),
        (
            "\nimport jacobian_bp.no_such_room\n" + WHOLE,
            "my.py cannot be run: line 2: ModuleNotFoundError: No module named "
            "'jacobian_bp.no_such_room'.\n"
            "  Correct the line, and try it in its folder: python my.py.",
        ),
        (
            changed('"2 * v"', '"3 * v"'),
            "my.py, line 9: exercise 100, seed 0: the solution fails its own check at d: wrong; "
            "every entry; every entry is the right one times the same factor.\n"
            "  Make the line '3 * v' and the right value agree.",
        ),
        (
            changed('"d", "2 v"', '"v", "2 v"'),
            "my.py: the answer v has a name that is taken.\n"
            "  Give each answer a name that is not given and not another answer's.",
        ),
        (
            changed('"d", "2 v"', '"d v", "2 v"'),
            "my.py: 'd v' is no name of Python.\n  Write such as 'dW2'.",
        ),
        (
            changed("{'v': v}".replace("'", '"'), '{"v": v, "far": np.inf}'),
            "my.py: seed 0: the line of the sheet that gives far does not give its value back "
            "(NameError: name 'inf' is not defined).\n  Give finite numbers, texts, and arrays of "
            "them; compute others in forward.",
        ),
        (
            changed("attempt=attempt", "attempt=attempt, mistakes=(Planted('m', {'e': 'v'}),)"),
            "my.py: 'm' answers e, which the sheet does not ask.\n  Write one of d.",
        ),
        (
            changed("attempt=attempt", "attempt=attempt, mistakes=(Planted('m', {'d': 'v + v'}),)"),
            "my.py: exercise 100, seed 0: 300 draws, and none is fit for use.\n"
            "  300 times: the solution and m give the same answers\n"
            "  Seeds 0 to 2 all end so: change the mistakes, or attempt.",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_to_write(tmp_path, text, message):
    assert refused(file_of(tmp_path, text)) == message


PROGRAM = """
    Network.program(
        "a = Tanh(x)",
        "z = Linaer(a, W, b)",
        params={"W": v},
    )
"""


@pytest.mark.parametrize("top", [False, True])
def test_a_wrong_step_of_a_program_is_told_with_the_line_of_the_file_and_of_the_program(
    tmp_path, top
):
    """In attempt and outside of it; the package's own advice is not lost."""
    program = textwrap.dedent(PROGRAM).replace("v}", "3}") if top else PROGRAM
    after = ATTEMPT if top else changed_attempt(program)
    head = HEAD + "from jacobian_bp import Network\n"
    text = head + (program if top else "") + after + EXERCISE
    line = text.splitlines().index("Network.program(" if top else "    Network.program(") + 1
    first, *advice = refused(file_of(tmp_path, text)).splitlines()
    assert first.startswith(f"my.py, line {line}: in the text there, line 2: 'z = Linaer(a, W, b)'")
    assert any("Linear" in words for words in advice)


def test_what_goes_wrong_with_the_numbers_of_a_sheet_is_told_with_the_line(tmp_path):
    text = changed("attempt=attempt", "attempt=attempt, of_given=lambda given: given['w']")
    with exercises_of(file_of(tmp_path, text)) as (own,), pytest.raises(SpecError) as caught:
        own.task_of(own.make(7).given, "0" * 32)
    assert str(caught.value) == (
        "my.py: exercise 100, cannot be made of the numbers of a sheet: line 10: KeyError: 'w'.\n"
        "  Correct the line, and try of_given(given) by itself."
    )


def changed_attempt(program):
    return ATTEMPT.replace("    return Task", program.lstrip("\n") + "    return Task")


def test_no_file_a_folder_and_one_that_is_too_large(tmp_path):
    instead = "Name a Python file with one exercise in it, EXERCISE = Exercise(...)."
    assert refused(tmp_path / "no.py") == f"no.py cannot be found.\n  {instead}"
    (tmp_path / "dir.py").mkdir()
    assert refused(tmp_path / "dir.py") == (f"dir.py is a folder, not a regular file.\n  {instead}")
    assert refused(file_of(tmp_path, "#" * (2**20 + 1))) == (
        f"my.py has 1,048,577 bytes; the limit is 1,048,576.\n  {instead}"
    )


def test_a_grader_whose_exercise_cannot_be_read_leaves_valid_results(tmp_path):
    path, out = file_of(tmp_path, "1 / 0\n"), tmp_path / "results.json"
    call = ("--exercise", path, "--submission", "ex100.py", "--out", out, "--format", "gradescope")
    with pytest.raises(SpecError, match=r"^my.py cannot be run: line 1: ZeroDivisionError"):
        command(*call)
    assert require_gradescope(out.read_text())["output"] == UNGRADED


def test_what_goes_wrong_on_one_seed_alone_is_named_then(tmp_path):
    late = "    if v[0] > 1.9:\n        raise KeyError('late')\n    return Task"
    with exercises_of(file_of(tmp_path, changed("    return Task", late))) as (own,):
        refusals = {}
        for seed in range(3, 40):
            try:
                own.make(seed)
            except SpecError as error:
                refusals[seed] = str(error)
    assert 0 < len(refusals) < 37
    for seed, message in refusals.items():
        assert message == (
            f"my.py: exercise 100, seed {seed}, cannot be made: line 10: KeyError: 'late'.\n"
            "  Correct the line, and try attempt(np.random.default_rng(0)) by itself."
        )
