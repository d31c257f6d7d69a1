"""The one line for pytest, otter-grader and nbgrader: the examples of the documentation, run."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from grading_cases import sheet, write
from project import DOCS

from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.grading import grade, passes
from jacobian_bp.coursework.grading.seeds import SHORTEST, read_secret
from jacobian_bp.errors import SpecError

PAGE = DOCS / "grading.md"
WRONG = [("dW2 = np.outer(delta2, a1)", "dW2 = np.outer(delta2, z1)")]


def blocks(kind, language="python"):
    found = re.findall(
        rf"^```{language} {re.escape(kind)}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S
    )
    assert found
    return found


@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_the_files_for_gradescope_are_shell_scripts(name, tmp_path):
    path = write(tmp_path, blocks(name, "bash")[0], name)
    assert path.read_text().startswith("#!/usr/bin/env bash\n")
    if shutil.which("bash"):
        assert subprocess.run(["bash", "-n", str(path)], capture_output=True).stderr == b""


@pytest.mark.skipif(not shutil.which("bash"), reason="run_autograder is for bash")
def test_the_name_of_the_student_comes_from_gradescope(tmp_path):
    """run_autograder with other paths, and a command that prints its arguments."""
    metadata = {"id": 1, "users": [{"email": "ada@uni.example", "id": 5, "name": "Ada"}]}
    (tmp_path / "submission_metadata.json").write_text(json.dumps(metadata))
    code = blocks("run_autograder", "bash")[0].replace("python3 -c", f"'{sys.executable}' -c")
    code = code.replace("/autograder/env/bin/jacobian-bp", "echo")
    code = code.replace("/autograder", str(tmp_path))
    said = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")
    assert "--student=ada@uni.example --format gradescope" in said.stdout


def test_the_page_says_how_to_make_a_secret(tmp_path):
    made = re.search(
        r'^python3 -c "(import secrets; .*)" > secret.txt$', PAGE.read_text("utf-8"), re.M
    )
    command = [sys.executable, "-c", made[1]]
    (tmp_path / "s").write_bytes(subprocess.run(command, capture_output=True).stdout)
    assert len(read_secret(tmp_path / "s")) == 32
    assert f"at least {SHORTEST} bytes" in PAGE.read_text("utf-8")


def notebook_names(changes=()):
    """What a notebook has after all of its cells: the sheet, run here."""
    names = {"__name__": "__main__"}
    exec(compile(sheet(changes=changes), "sheet", "exec"), names)
    return names


def test_the_pytest_file_passes_a_right_sheet_and_fails_with_reasons_without_answers(tmp_path):
    tests = blocks("test_ex2.py")[0]
    write(tmp_path, sheet(), "ex2.py")
    write(tmp_path, sheet(changes=WRONG), "wrong.py")
    (tmp_path / "test_ex2.py").write_text(tests)
    (tmp_path / "test_wrong.py").write_text(tests.replace('"ex2.py"', '"wrong.py"'))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no"]
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # quick to start
    found = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stdout.splitlines()[-1].startswith("1 failed, 1 passed")
    assert "FAILED test_wrong.py::test_answers" in found.stdout
    assert "dW2: values, one example" in found.stdout
    assert "values wrong: column" in found.stdout
    for number in find_exercise(2).make(7).right["dW2"].ravel():
        assert f"{abs(number):.3g}"[1:] not in found.stdout or number == 0


@pytest.mark.parametrize(("changes", "right"), [((), True), (WRONG, False)])
def test_the_lines_of_the_otter_file(changes, right):
    """Its function, called as otter calls it; the decorator stands in where otter is not there."""
    lines = blocks("otter")[0]
    assert lines.startswith("from otter.test_files import test_case\n")
    names = {"test_case": lambda **options: lambda function: function}
    exec(lines.split("\n", 1)[1], names)
    assert (names["OK_FORMAT"], names["points"]) == (False, 5)
    if right:
        names["test_answers"](notebook_names(changes))
    else:
        with pytest.raises(AssertionError, match="dW2: values, one example") as error:
            names["test_answers"](notebook_names(changes))
        assert error.value.__suppress_context__


def test_one_answer_alone_passes_where_another_is_wrong():
    names = notebook_names(WRONG)
    assert passes(names, 2, seed=7, answer="S3") is True
    with pytest.raises(AssertionError) as caught:
        passes(names, 2, seed=7, answer="dW2")
    assert "dW2: values" in str(caught.value)
    assert "S3" not in str(caught.value)
    with pytest.raises(SpecError) as refused:
        passes(names, 2, seed=7, answer="dW9")
    assert str(refused.value) == (
        "exercise 2 asks for no 'dW9'.\n  Write one of S3, delta3, S2, delta2, S1, delta1, dW2."
    )


def test_the_otter_file_in_otter(tmp_path):
    test_file = pytest.importorskip("otter.test_files.exception_test")
    path = write(tmp_path, blocks("otter")[0], "ex2.py")
    for changes, share in (((), 1), (WRONG, 0)):
        test = test_file.ExceptionTestFile.from_file(str(path))
        test.run(notebook_names(changes))
        assert test.grade == share


@pytest.mark.parametrize(("changes", "points"), [((), 5), (WRONG, 4.5238)])
def test_the_nbgrader_cells_give_reasons_and_points(changes, points, capsys):
    reasons, last = blocks("nbgrader")
    names = notebook_names(changes)
    exec(reasons, names)
    assert capsys.readouterr().out.startswith("exercise 2: BP1 and BP2")
    assert len(ast.parse(last).body) == 1
    assert eval(last, names) == pytest.approx(points, abs=1e-4)


def test_the_points_as_nbgrader_reads_them():
    utils = pytest.importorskip("nbgrader.utils")
    node = pytest.importorskip("nbformat").v4
    about = {"grade": True, "solution": False, "locked": True, "points": 5, "grade_id": "points"}
    for share in ("4.5238", "0.0"):
        shown = node.new_output("execute_result", data={"text/plain": share})
        cell = node.new_code_cell("report.points(max=5)", outputs=[shown])
        cell.metadata["nbgrader"] = {**about, "schema_version": 3, "task": False}
        assert utils.determine_grade(cell) == (float(share), 5)


def test_named_values_need_the_seed_of_the_sheet():
    with pytest.raises(SpecError) as error:
        grade({}, 2)
    assert str(error.value) == (
        "named values do not say from which sheet they are.\n"
        "  Write grade(globals(), 2, seed=7), with the seed of the sheet."
    )


def test_pytest_shows_the_line_of_the_test_and_none_of_the_grader():
    with pytest.raises(AssertionError) as caught:
        passes({}, 6, seed=4)
    assert [frame.name for frame in caught.traceback if not frame.ishidden(caught)] == [
        "test_pytest_shows_the_line_of_the_test_and_none_of_the_grader"
    ]


def test_the_level_of_passes(tmp_path):
    names, texts = notebook_names(WRONG), []
    for level in range(4):
        with pytest.raises(AssertionError) as error:
            passes(names, 2, seed=7, level=level)
        texts.append(str(error.value))
    assert ["column" in text for text in texts] == [False, True, True, True]
    assert ["z1 stands for a1" in text for text in texts] == [False, False, False, True]
    assert passes(write(tmp_path, sheet()), 2, seed=7) is True
