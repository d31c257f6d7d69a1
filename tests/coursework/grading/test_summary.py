"""The table for a class: which mistakes, and which files are none of ours."""

import ast
import os
from pathlib import Path

import pytest
from grading_cases import QUICK, command, sheet, write

from jacobian_bp.coursework.exercises import questions
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.grade import Terms, grade_answers, grade_file
from jacobian_bp.coursework.grading.grade_report import NO_CAUSE, not_graded
from jacobian_bp.coursework.grading.results_file import write_results
from jacobian_bp.coursework.grading.summary import summarise
from jacobian_bp.errors import SpecError

WRONG = [("delta3 = S3 @ (a3 - y)", "delta3 = S3 @ (y - a3)")]


def class_folder(folder):
    """Four submissions in both formats: two with one mistake, one with two, one right."""
    both = [*WRONG, ("dW2 = np.outer(delta2, a1)", "dW2 = np.outer(delta2, z1)")]
    for place, changes in enumerate(([], WRONG, WRONG, both)):
        form = "json" if place % 2 else "gradescope"
        path = write(folder, sheet(changes=changes), f"ex{place}.py")
        report = grade_file(path, 2, Terms(limits=QUICK))
        where = folder / f"student{place}"
        where.mkdir()
        write_results(where / "results.json", FORMATS[form](report))


def test_the_table_of_a_class(tmp_path, capsys):
    class_folder(tmp_path)
    assert command("--summary", tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        "exercise  mistake                       submissions  percent",
        "       2  sign                                    3       75",
        "       2  preactivation-for-activation            1       25",
        "exercise 2: 4 submissions, on average 89 percent of the points",
    ]


def test_one_object_has_one_tag_and_what_names_no_mistake_stands_apart(tmp_path, capsys):
    """S1 = diag(a1) is known on the sheet; two entries of the fresh one may be no pattern."""
    changes = [("S1 = np.diag((z1 > 0) * 1.0)", "S1 = np.diag(a1)")]
    text = sheet(changes=changes).replace("S1 = np.diag(a1)", TWO_MISTAKES)
    report = grade_file(write(tmp_path, text), 2, Terms(graded_seed=3, limits=QUICK))
    assert {mark.tags for mark in report.marks if mark.tags} == {("value-for-slope",)}
    assert report.labels == ("value-for-slope",)
    write_results(tmp_path / "one.json", FORMATS["gradescope"](report))
    unknown = [("dW2 = np.outer(delta2, a1)", "dW2 = np.outer(delta2, a1) + 1")]
    unknown += [("S1 = np.diag((z1 > 0) * 1.0)", "S1 = np.ones((2, 9))")]
    unknown += [("delta1 = S1 @ W2.T @ delta2", "delta1 = {1}")]
    unknown += [("S3 = np.diag(a3 * (1 - a3))", "S3 = np.full((3, 3), np.nan)")]
    unknown += [("delta3 = S3 @ (a3 - y)", "delta3 = a3 * (1 - a3) * (a3 - y)")]
    report = grade_file(write(tmp_path, sheet(changes=unknown)), 2, Terms(limits=QUICK))
    write_results(tmp_path / "two.json", FORMATS["json"](report))
    assert command("--summary", tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[:-1] == [
        "exercise  mistake           submissions  percent",
        "       2  value-for-slope             1       50",
        "exercise  no known mistake  submissions  percent",
        "       2  not-finite                  1       50",
        "       2  not-numbers                 1       50",
        "       2  shape                       1       50",
        "       2  wrong                       1       50",
    ]


NAMES_A_MISTAKE = {"axes-number", "axes-order", "follows"}  # of what a question itself tags


def test_what_cannot_be_read_names_no_mistake(tmp_path, capsys):
    """Whatever a question itself says of an answer; a mistake is named by what was planted."""
    folder = Path(questions.__file__).parent
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(folder.glob("*.py"))]
    words = [w for tree in trees for w in ast.walk(tree) if isinstance(w, ast.keyword)]
    tags = {w.value.value for w in words if w.arg == "tag" and isinstance(w.value, ast.Constant)}
    assert {"formula", "not-a-word", "shape", "subscripts"} <= tags
    assert tags - NAMES_A_MISTAKE <= set(NO_CAUSE)
    task = find_exercise(24).make(7)
    (first, *_) = task.questions
    report = grade_answers({**task.answers(), first.name: "delta[i,"}, 24, 7)
    assert report.labels == ("formula",)
    write_results(tmp_path / "one.json", FORMATS["json"](report))
    assert command("--summary", tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[1:3] == [
        "exercise  no known mistake  submissions  percent",
        "      24  formula                     1      100",
    ]


TWO_MISTAKES = "S1 = np.diag(a1) if W1[0, 0] == {} else np.diag(a1 + 1)".format(
    find_exercise(2).make(7).given["W1"][0, 0]
)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("form", ["json", "gradescope"])
def test_what_was_not_graded_is_no_zero(form, tmp_path, capsys):
    report = grade_file(write(tmp_path, sheet()), 2, Terms(limits=QUICK))
    write_results(tmp_path / "ada.json", FORMATS[form](report))
    for name, kind in (("bob", "grader-failed"), ("eve", "grader-stopped")):
        write_results(tmp_path / f"{name}.json", FORMATS[form](not_graded(2, kind, "why")))
    unread = not_graded(None, "grader-failed", "no exercise was said")
    write_results(tmp_path / "joe.json", FORMATS[form](unread))
    assert command("--summary", tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [
        "exercise  mistake           submissions  percent",
        "exercise 2: 1 submission, on average 100 percent of the points",
        "not graded  bob.json: grader-failed",
        "not graded  eve.json: grader-stopped",
        "not graded  joe.json: grader-failed",
    ]


BROKEN = {
    "a.json": (b"{", "not JSON at line 1"),
    "b.json": (b"\xff\xfe", "not UTF-8"),
    "c.json": (b"[]", "no results file"),
    "d.json": (b"[" * 100_000, "nested too deeply"),
    "e.json": (b'{"score": 1, "tests": []}', "no results file of this grader"),
    "f.json": (b'{"format": "jacobian-bp grade 1"}', "exercise is missing"),
    "g.json": (b'{"format": "jacobian-bp grade 1", "exercise": "2", "max_score": 1}', "no number"),
    "g2.json": (b'{"format": "jacobian-bp grade 1", "exercise": -1, "max_score": 1}', "no number"),
    "h.json": (
        b'{"format": "jacobian-bp grade 1", "exercise": 2, "max_score": 1, "score": NaN}',
        "its points are no number",
    ),
    "i.json": (
        b'{"format": "jacobian-bp grade 1", "exercise": 2, "max_score": 1, "score": 5}',
        "its score is above its maximum",
    ),
    "j.json": (
        b'{"format":"jacobian-bp grade 1","exercise":2,"max_score":1,"score":1,"labels":[{}]}',
        "its labels are no words",
    ),
    "k\x1b[31m.json": (b" ", "not JSON"),
    "l.json": (b" " * (5 * 2**20 + 1), "the limit is"),
}


def test_broken_files_are_named_and_skipped(tmp_path, capsys):
    for name, (content, _) in BROKEN.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    (tmp_path / "folder.json").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.json")
    write(tmp_path, sheet())
    report = grade_file(tmp_path / "ex.py", 2, Terms(limits=QUICK))
    write_results(tmp_path / "z.json", FORMATS["json"](report))
    assert command("--summary", tmp_path) == 1
    out = capsys.readouterr().out
    assert "exercise 2: 1 submission, on average 100 percent" in out
    assert "\x1b" not in out
    skipped = summarise(tmp_path).skipped
    for name, (_, reason) in BROKEN.items():
        (said,) = [line for line in skipped if line.startswith(name.split("\x1b")[0][:3])]
        assert reason in said
    assert len(skipped) == len(BROKEN) + hasattr(os, "mkfifo")


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_folder_without_results(name, tmp_path):
    with pytest.raises(SpecError, match=r"is no folder|holds no \.json file"):
        summarise(tmp_path / name)
    assert Path(tmp_path).is_dir()
