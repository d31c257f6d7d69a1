"""A course in a box: what lies in the folder, that the key is right, and that no sheet tells it."""

import base64
import csv
import io
import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
import types
import zipfile
from contextlib import redirect_stdout
from xml.etree import ElementTree

import numpy as np
import pytest
from project import DOCS

from jacobian_bp import SpecError
from jacobian_bp.cli import main
from jacobian_bp.coursework.course import PLAN, autograders, box, new_course
from jacobian_bp.coursework.course.box import Course, files_of
from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.sheet import HEADER
from jacobian_bp.coursework.exercises.sheet_in_convention import sheet_in
from jacobian_bp.coursework.grading.merged_results import merge_results, merged
from jacobian_bp.coursework.grading.roster import read_roster
from jacobian_bp.coursework.grading.seeds import seed_of_token
from jacobian_bp.coursework.grading.summary import summarise
from jacobian_bp.derivation.ready_made import find_convention

SECRET = b"a secret of a course"
PAGE = (DOCS / "course.md").read_text("utf-8")
CLASS = re.search(r"^```csv class.csv\n(.*?)^```$", PAGE, re.M | re.S)[1]
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="run_autograder is for bash")
CONSOLE = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the class, the secret and the first command of the page make."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "class.csv").write_text(CLASS)
    (folder / "secret.txt").write_bytes(SECRET)
    (folder / "secret.txt").chmod(0o600)
    command, shown = CONSOLE[0]
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.chdir(folder)
        assert main(shlex.split(command)[1:]) == 0
    assert said.getvalue() == shown
    return folder


@pytest.fixture(scope="module")
def course(folder):
    roster = read_roster(folder / "class.csv")
    return Course("A course", SECRET, "secret.txt", 1, roster, find_convention("ng"))


@pytest.fixture(scope="module")
def files(folder):
    made = [path for path in sorted((folder / "autumn").rglob("*")) if path.is_file()]
    names = {path.relative_to(folder / "autumn").as_posix(): path for path in made}
    return {
        name: path.read_bytes() if path.suffix == ".zip" else path.read_text("utf-8")
        for name, path in names.items()
    }


def tasks_of(text):
    """The tasks of a sheet, by its first lines, its token and the course's secret."""
    found = []
    for number, which, convention, _ in HEADER.findall(text):
        word, value = which.split()
        seed = int(value) if word == "seed" else seed_of_token(SECRET, value, int(number))
        token = value if word == "token" else ""
        found.append(sheet_in(find_exercise(int(number)).make(seed, token), convention or None))
    return found


def parts_of(text):
    """What each part of a sheet gives, run by itself."""
    starts = [found.start() for found in HEADER.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        names = {}
        with np.errstate(all="ignore"):
            exec(compile(text[start:end], "sheet", "exec"), names)
        yield names


def code_of(notebook):
    cells = json.loads(notebook)["cells"]
    return [c for c in cells if c["cell_type"] == "code"]


# ---------------------------------------------------------------- the walk-through


def test_the_walk_through_is_followed_and_prints_what_the_page_shows(
    folder, files, monkeypatch, capsys
):
    monkeypatch.chdir(folder)
    handed_in = folder / "handed_in/2-softmax"
    handed_in.mkdir(parents=True)
    (handed_in / "ada.py").write_text(files["key/2-softmax/ada_solution.py"])
    wrong = files["key/2-softmax/bob_solution.py"]
    for line, instead in (
        (r"^rank = .*$", "rank = None"),
        (r"^(p = .*)axis=0, keepdims=True", r"\1axis=1, keepdims=True"),
    ):
        wrong, count = re.subn(line, instead, wrong, flags=re.M)
        assert count == 1
    (handed_in / "bob.py").write_text(wrong)
    command, shown = CONSOLE[1]
    assert main(shlex.split(command)[1:]) == 1
    assert capsys.readouterr().out == shown
    rows = list(csv.DictReader(io.StringIO((folder / "marks.csv").read_text())))
    assert [row["total"] for row in rows] == [line.split()[3] for line in shown.splitlines()[2:]]
    assert not [path for path in folder.iterdir() if path.name.startswith(".autumn")]


def test_the_page_has_the_plan():
    rows = re.findall(r"^\| (\d-\w+) \| ([\d, ]+) \| (.*) \|$", PAGE, re.M)
    assert rows == [(s.name, ", ".join(map(str, s.exercises)), s.about) for s in PLAN]
    numbers = [number for sheet in PLAN for number in sheet.exercises]
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= {exercise.number for exercise in EXERCISES}


# ---------------------------------------------------------------- sheets and key


@pytest.mark.one_in(3)
@pytest.mark.parametrize("sheet", PLAN, ids=lambda s: s.name)
def test_the_key_is_right_and_is_that_of_the_students_own_sheet(sheet, files):
    for student in ("ada", "bob"):
        key = files[f"key/{sheet.name}/{student}_solution.py"]
        own = files[f"sheets/{sheet.name}/{student}.py"]
        assert [m[1] for m in HEADER.finditer(key)] == list(map(str, sheet.exercises))
        assert HEADER.findall(key) == HEADER.findall(own)
        for task, names in zip(tasks_of(key), parts_of(key), strict=True):
            assert all(verdict.ok for verdict in check_answers(task, names))
        for task, names in zip(tasks_of(own), parts_of(own), strict=True):
            assert all(names[question.name] is None for question in task.questions)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("sheet", PLAN, ids=lambda s: s.name)
def test_a_sheet_that_is_handed_out_has_no_line_of_the_key(sheet, files):
    for name in (f"sheets/{sheet.name}/ada", f"practice/{sheet.name}"):
        script, notebook = files[f"{name}.py"], files[f"{name}.ipynb"]
        for task in tasks_of(script):
            lines = [q.solution for q in task.questions if len(q.solution) > 12]
            assert lines
            assert [line for line in lines if line in script or line in notebook] == []


def test_students_have_different_numbers_and_a_call_gives_the_same_again(course, files):
    again = dict(itertools.islice(files_of(course), 3))
    again |= {**dict(box._shared(PLAN[3], course)), **dict(box._own(PLAN[3], course, "ada"))}
    assert again.pop("README.md") != files["README.md"]  # another call, and it says so
    assert again.pop("students.html") != files["students.html"]  # another title
    assert {name: files[name] for name in again} == again
    heads = {s: HEADER.findall(files[f"sheets/4-norm/{s}.py"]) for s in ("ada", "bob")}
    assert all(one != other for one, other in zip(heads["ada"], heads["bob"], strict=True))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("sheet", PLAN, ids=lambda s: s.name)
def test_a_notebook_shows_pictures_without_a_number(sheet, files):
    text = files[f"sheets/{sheet.name}/ada.ipynb"]
    pictures = re.findall(r"!\[([^]]*)\]\(data:image/svg\+xml;base64,([\w+/=]+)\)", text)
    runs = [task.run for task in tasks_of(files[f"sheets/{sheet.name}/ada.py"])]
    assert len(pictures) == sum(run is not None for run in runs) >= 1
    for alt, content in pictures:
        svg = ElementTree.fromstring(base64.b64decode(content))
        said = "".join(
            text for node in svg.iter() if node.tag.endswith("text") for text in node.itertext()
        )
        assert alt
        assert said
        assert not re.search(r"\d\.\d|\d, |shape", said)


def test_a_sheet_in_the_convention_has_its_names(files):
    assert "convention ng" in files["sheets/4-norm/ada.py"]
    assert "dZ2 = None" not in files["sheets/4-norm/ada.py"]
    assert "m examples in columns" in files["sheets/4-norm/ada.py"]
    assert "in the convention ng" in files["students.html"]


# ---------------------------------------------------------------- platforms


def test_the_archive_for_gradescope_has_what_its_scripts_name(files, tmp_path, course):
    (tmp_path / "a.zip").write_bytes(files["gradescope/5-attention.zip"])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["setup.sh", "run_autograder", "secret.txt"]
        assert archive.read("secret.txt") == SECRET + b"\n"
        modes = [entry.external_attr >> 16 for entry in archive.infolist()]
    assert modes == [0o755, 0o755, 0o600]
    wheel = autograders.gradescope_zip(PLAN[0], SECRET, True, ("jacobian_bp-1.whl", b"PK"))
    (tmp_path / "b.zip").write_bytes(wheel)
    assert "jacobian_bp-1.whl" in zipfile.ZipFile(tmp_path / "b.zip").namelist()


GRADER = """#!/usr/bin/env bash
if [ "$1" = course ]; then exec '{python}' -m jacobian_bp "$@"; fi
echo "$@" >> '{folder}/calls'
while [ "$1" != --out ]; do shift; done
cp '{folder}/part.json' "$2"
"""


@pytest.mark.one_in(2)
@needs_bash
@pytest.mark.parametrize(("own", "said"), [(True, " --sheet-seed own"), (False, "")])
def test_run_autograder_leaves_one_valid_result_of_all_exercises(own, said, tmp_path):
    """With a grader that hands over results that are there already."""
    for folder in ("submission", "results", "env/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "submission/mine.py").write_text("x = 1\n")
    (tmp_path / "submission_metadata.json").write_text('{"users": [{"email": "ada@uni.example"}]}')
    part = {"tests": [{"number": "1.1", "name": "dX", "score": 1, "max_score": 2}], "output": ""}
    (tmp_path / "part.json").write_text(json.dumps(part))
    grader = tmp_path / "env/bin/jacobian-bp"
    grader.write_text(GRADER.format(python=sys.executable, folder=tmp_path))
    grader.chmod(0o755)
    script = autograders.gradescope_files(PLAN[4], own)["run_autograder"]
    script = script.replace("/autograder", str(tmp_path)).replace(
        "python3 -c", f"'{sys.executable}' -c"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    calls = (tmp_path / "calls").read_text().splitlines()
    secret = f"--secret-file {tmp_path}/secret.txt --student=ada@uni.example{said}"
    assert calls == [
        f"grade --exercise {n} --submission {tmp_path}/submission/mine.py {secret} "
        f"--format gradescope --out {tmp_path}/results/exercise-{n}.json"
        for n in (18, 20)
    ]
    results = json.loads((tmp_path / "results/results.json").read_text())
    assert [test["number"] for test in results["tests"]] == ["18.1.1", "20.1.1"]


@needs_bash
def test_before_the_first_exercise_is_graded_the_result_is_valid(tmp_path):
    script = autograders.gradescope_files(PLAN[4], True)["run_autograder"]
    first = script.splitlines()[1:3]
    command = "\n".join(first).replace("/autograder/results", str(tmp_path))
    assert subprocess.run(["bash", "-c", command]).returncode == 0
    assert json.loads((tmp_path / "results.json").read_text()) == {
        "score": 0,
        "output": "The grader did not come to its end; tell your instructor.",
    }


def otter_names(monkeypatch):
    module = types.ModuleType("otter.test_files")
    module.test_case = lambda **_: lambda function: function
    monkeypatch.setitem(sys.modules, "otter", types.ModuleType("otter"))
    monkeypatch.setitem(sys.modules, "otter.test_files", module)
    return {}


@pytest.mark.parametrize("number", [18, 20])
def test_a_test_of_otter_passes_the_solution_and_tells_no_answer(number, files, monkeypatch):
    text = files[f"otter/5-attention/exercise-{number}/tests/exercise-{number}.py"]
    names = otter_names(monkeypatch)
    exec(compile(text, "test", "exec"), names)
    notebook = files[f"otter/5-attention/exercise-{number}/exercise-{number}.ipynb"]
    (task,) = tasks_of("".join("".join(c["source"]) + "\n" for c in code_of(notebook)))
    answers = task.answers()
    cases = {question.name: names[f"test_{question.name}"] for question in task.questions}
    assert all(case(answers) is None for case in cases.values())
    last = task.questions[-1]
    answers[last.name] = 2 * answers[last.name]
    *others, _ = cases
    assert all(cases[name](answers) is None for name in others)
    with pytest.raises(AssertionError) as caught:
        cases[last.name](answers)
    assert "every entry" in str(caught.value)
    assert not any(f"{v:.3g}" in str(caught.value) for v in np.ravel(last.right) if v)


def test_otter_itself_gives_the_share_of_the_answers_that_are_right(files, tmp_path):
    test_file = pytest.importorskip("otter.test_files.exception_test")
    path = tmp_path / "exercise-20.py"
    path.write_text(files["otter/5-attention/exercise-20/tests/exercise-20.py"], "utf-8")
    notebook = files["otter/5-attention/exercise-20/exercise-20.ipynb"]
    (task,) = tasks_of("".join("".join(c["source"]) + "\n" for c in code_of(notebook)))
    answers = task.answers()
    for wrong, share in (([], 1), ([task.questions[-1].name], 1 - 1 / len(task.questions))):
        given = answers | {name: 2 * answers[name] for name in wrong}
        test = test_file.ExceptionTestFile.from_file(str(path))
        test.run(given)
        assert test.grade == pytest.approx(share)


@pytest.mark.parametrize("convention", ["ng", None], ids=["ng", "none"])
def test_the_cells_of_nbgrader_give_all_points_to_the_solution_and_none_to_nothing(convention):
    tasks = [sheet_in(find_exercise(n).make(1), convention) for n in (6, 19)]
    text = autograders.nbgrader_notebook(tasks, "2-softmax.ipynb", 10)
    facts = [c["metadata"].get("nbgrader") for c in code_of(text)]
    ids = [fact["grade_id"] for fact in facts if fact]
    assert len(set(ids)) == len(ids) == sum(len(task.questions) + 2 for task in tasks)
    assert sum(fact["points"] for fact in facts if fact and fact["grade"]) == 20
    for taken_out, earned in ((False, [10.0, 10.0]), (True, [0.0, 0.0])):
        names, found = {}, []
        for cell in code_of(text):
            source, about = "".join(cell["source"]), cell["metadata"].get("nbgrader")
            if taken_out:
                source = re.sub(r"### BEGIN SOLUTION\n.*?### END SOLUTION", "", source, flags=re.S)
            if about and about["grade"]:
                found.append(eval(source, names))
            else:
                exec(source, names)
        assert found == earned


# ---------------------------------------------------------------- results of several exercises


def part_of(number, score):
    test = {"number": "1.1", "name": "dx: values", "score": score, "max_score": 2.0}
    record = {"format": "jacobian-bp grade 1", "exercise": number, "score": score, "max_score": 2.0}
    extra = {**record, "labels": ["sign"] * (score < 2)}
    return {"tests": [test], "output": "", "execution_time": 0.5, "extra_data": extra}


def test_results_are_merged_counted_once_and_summed_up(tmp_path):
    for number, score in ((20, 1.0), (6, 2.0)):
        long = json.dumps(part_of(number, score)) + " " * 2**22
        (tmp_path / f"exercise-{number}.json").write_text(long)
    assert merge_results(tmp_path) == 2
    results = json.loads((tmp_path / "results.json").read_text())
    assert [(t["number"], t["name"], t["score"]) for t in results["tests"]] == [
        ("6.1.1", "exercise 6, dx: values", 2.0),
        ("20.1.1", "exercise 20, dx: values", 1.0),
    ]
    assert (results["execution_time"], "score" in results) == (1.0, False)
    (tmp_path / "class").mkdir()
    (tmp_path / "results.json").rename(tmp_path / "class/ada.json")
    averages = [f"{n}: 1 submission, on average {p}" for n, p in ((6, 100), (20, 50))]
    assert [line.split() for line in summarise(tmp_path / "class").lines()] == [
        ["exercise", "mistake", "submissions", "percent"],
        ["20", "sign", "1", "100"],
        *(f"exercise {line} percent of the points".split() for line in averages),
    ]


def test_a_part_that_cannot_be_read_is_said_to_be_unfinished():
    said = "The grader did not come to its end; tell your instructor."
    assert merged({6: part_of(6, 2.0), 20: None})["output"] == f"exercise 20: {said}"
    both = merged({6: None, 20: None})
    assert (both["score"], both["tests"]) == (0, [])
    assert both["output"] == f"exercise 6: {said}\nexercise 20: {said}"


# ---------------------------------------------------------------- whole or not at all


def test_a_course_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch, course):
    def fails(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(box, "otter_test", fails)
    with pytest.raises(KeyboardInterrupt):
        new_course(tmp_path / "autumn", course)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path, course):
    (tmp_path / "autumn").mkdir()
    with pytest.raises(SpecError) as caught:
        new_course(tmp_path / "autumn", course)
    assert str(caught.value) == (
        "autumn is there already, and is left as it is.\n  Choose another folder."
    )
    assert list((tmp_path / "autumn").iterdir()) == []


def test_without_a_roster_a_sheet_is_for_everybody_and_the_readme_grades_it(course):
    alone = Course("A course", SECRET, "secret.txt", 1)
    text = dict(zip(("students.html", "README.md"), (c for _, c in files_of(alone)), strict=False))
    assert "--out-dir results/3-conv --format json" in text["README.md"]
    assert "--roster" not in text["README.md"]
    assert alone.students == ("everybody",)


@pytest.mark.parametrize("known", [True, False], ids=["of the environment", "made"])
def test_a_secret_that_is_written_into_the_course_is_named_and_closed(
    known, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)
    if known:
        monkeypatch.setenv("JACOBIAN_BP_SECRET", SECRET.decode())
    monkeypatch.setattr(box, "PLAN", PLAN[1:2])
    assert main(["course", "new", "autumn"]) == 0
    whose = "that of JACOBIAN_BP_SECRET" if known else "made for this course"
    assert f"\nsecret:  autumn/secret.txt, {whose}\n" in capsys.readouterr().out
    secret = tmp_path / "autumn/secret.txt"
    assert (secret.read_bytes().strip() == SECRET) is known
    for path in (secret, tmp_path / "autumn/gradescope/2-softmax.zip"):
        assert path.stat().st_mode & 0o077 == 0
