"""The table for a class: which mistakes, and which files are none of ours."""

import os
from pathlib import Path

import pytest
from grading_cases import QUICK, command, sheet, write

from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.grade import Terms, grade_file
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
        "exercise  label                         submissions  percent",
        "       2  sign                                    3       75",
        "       2  preactivation-for-activation            1       25",
        "exercise 2: 4 submissions, on average 89 percent of the points",
    ]


BROKEN = {
    "a.json": (b"{", "not JSON at line 1"),
    "b.json": (b"\xff\xfe", "not UTF-8"),
    "c.json": (b"[]", "no results file"),
    "d.json": (b"[" * 100_000, "nested too deeply"),
    "e.json": (b'{"score": 1, "tests": []}', "no results file of this grader"),
    "f.json": (b'{"format": "jacobian-bp grade 1"}', "exercise is missing"),
    "g.json": (b'{"format": "jacobian-bp grade 1", "exercise": "2", "max_score": 1}', "no number"),
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
    skipped = " ".join(summarise(tmp_path).skipped)
    for _, reason in BROKEN.values():
        assert reason in skipped
    assert len(summarise(tmp_path).skipped) == len(BROKEN) + hasattr(os, "mkfifo")


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_folder_without_results(name, tmp_path):
    with pytest.raises(SpecError, match=r"is no folder|holds no \.json file"):
        summarise(tmp_path / name)
    assert Path(tmp_path).is_dir()
