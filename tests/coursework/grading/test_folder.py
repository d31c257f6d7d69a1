"""A folder of submissions graded with one call."""

import json
import os
import re
from pathlib import Path

import pytest
from grading_cases import SECRET, command, own_sheet, sheet, write

from jacobian_bp.coursework.commands import grade
from jacobian_bp.coursework.grading.folder import (
    WIDEST_NAME,
    labels_on,
    name_of,
    require_one,
    results_file,
)
from jacobian_bp.coursework.grading.grade import grade_answers
from jacobian_bp.coursework.grading.grade_report import UNGRADED
from jacobian_bp.coursework.grading.seeds import graded_seed
from jacobian_bp.errors import SpecError

WRONG = [("delta3 = S3 @ (a3 - y)", "delta3 = S3 @ (y - a3)")]


def class_folder(tmp_path):
    """Three of ada's and bob's class with their own sheets, and what is none."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name, changes in (("ada", ()), ("bob", WRONG)):
        write(folder, own_sheet(name, changes=changes), f"{name}.py")
    write(folder, "no sheet", "eve.ipynb")
    write(folder, "while True: pass", "joe.py")
    write(folder, (folder / "ada.py").read_text(), "max.py")
    write(folder, sheet(seed=7), "zoe.py")
    write(folder, sheet(), ".hidden.py")
    write(folder, "notes", "notes.txt")
    (folder / "kim.npz").mkdir()
    return folder


def test_a_folder_is_graded_one_after_the_other(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("JACOBIAN_BP_SECRET", SECRET.decode())
    folder, out = class_folder(tmp_path), tmp_path / "results" / "ex2"
    options = ["--exercise", 2, "--submission", folder, "--out-dir", out, "--format", "json"]
    assert command(*options, "--sheet-seed", "own") == 1
    assert capsys.readouterr().out.splitlines() == [
        "ada.py     35 of 35",
        "bob.py     31 of 35    sign",
        "eve.ipynb  0 of 35     not-a-sheet",
        "joe.py     0 of 35     not-a-sheet",
        "kim.npz    0 of 35     not-a-sheet",
        "max.py     0 of 35     not-own-sheet, the one of ada.py",
        "zoe.py     0 of 35     practice-sheet",
        "left out  .hidden.py: its name begins with a dot",
        "left out  notes.txt: ends in none of .py, .ipynb, .npz",
    ]
    records = {path.name: json.loads(path.read_text()) for path in out.iterdir()}
    assert set(records) == {
        f"{name}.json"
        for name in ("ada.py", "bob.py", "eve.ipynb", "joe.py", "kim.npz", "max.py", "zoe.py")
    }
    assert records["ada.py.json"]["record"]["graded_seed"] == graded_seed(SECRET, "ada", 2)
    assert [records[f"{name}.json"]["whose"] for name in ("ada.py", "max.py")] == ["ada", "max"]
    assert command("--summary", out) == 0
    assert capsys.readouterr().out.splitlines()[:5] == [
        "exercise  mistake           submissions  percent",
        "       2  sign                        1       14",
        "exercise  no known mistake  submissions  percent",
        "       2  not-a-sheet                 3       43",
        "       2  not-own-sheet               1       14",
    ]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("form", "ending"),
    [("text", ".txt"), ("json", ".json"), ("gradescope", ".json"), ("junit", ".xml")],
)
def test_one_that_cannot_be_graded_stops_no_other(form, ending, tmp_path, capsys, monkeypatch):
    def broken(path, *args):
        if "ada" in path:
            raise ZeroDivisionError("oh")
        return graded(path, *args)

    graded = grade.grade_file
    monkeypatch.setattr(grade, "grade_file", broken)
    (tmp_path / "in").mkdir()
    for name in ("ada", "bob"):
        write(tmp_path / "in", sheet(), f"{name}.py")
    options = ["--submission", tmp_path / "in", "--out-dir", tmp_path / "out", "--format", form]
    assert command("--exercise", 2, *options) == 1
    ada, bob = capsys.readouterr().out.splitlines()
    assert ada.startswith("ada.py  not graded: the grader failed: ZeroDivisionError in broken")
    assert bob == "bob.py  35 of 35"
    assert UNGRADED in (tmp_path / "out" / f"ada.py{ending}").read_text()
    assert UNGRADED not in (tmp_path / "out" / f"bob.py{ending}").read_text()


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--student", "ada"], "the submissions in a folder are not of one student"),
        (["--out", "r.json"], "--out is the file of one submission"),
        (["--level", 9], "the level is 9"),
        (["--format", "pdf"], "there is no format 'pdf'"),
        (["--exercise", 99], "there is no exercise 99"),
        (["--submission", "none"], "none is no folder that can be read"),
        (["--submission", "empty"], "empty holds 0 submissions"),
        (["--out-dir", "in/ada.py"], "ada.py cannot be made: File exists"),
    ],
)
def test_a_wrong_call_on_a_folder(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "empty").mkdir()
    write(tmp_path / "in", sheet(), "ada.py")
    with pytest.raises(SpecError, match=re.escape(message)) as error:
        command("--exercise", 2, "--submission", "in", "--out-dir", "out", *options)
    assert re.search(r"\n  \S", str(error.value))
    assert (tmp_path / "in" / "ada.py").read_text() == sheet()


def test_a_name_is_shown_whole_up_to_its_widest_and_harmless():
    whole, longer = "a" * (WIDEST_NAME - 3) + ".py", "b" * (WIDEST_NAME - 2) + ".py"
    assert name_of(Path("class") / whole) == whole
    assert name_of(Path("class") / longer) == longer[: WIDEST_NAME - 1] + "…"
    assert len(name_of(Path(longer))) == WIDEST_NAME
    assert name_of(Path("a\x1b[31m.py")) == r"a\x1b[31m.py"


def test_names_of_any_length_have_results_of_their_own(tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    stems = ["a" * 251, "a" * 252, "a" * 250 + "b", "δ" * 125, "a" * 247]
    for stem in stems:
        write(folder, sheet(5), f"{stem}.py")
    options = ["--exercise", 5, "--submission", folder, "--out-dir", out, "--format", "json"]
    assert command(*options) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(stems)
    names = sorted(path.name for path in out.iterdir())
    assert len(names) == len(stems)
    assert f"{'a' * 247}.py.json" in names  # as it fits
    cut = [name for name in names if "~" in name]
    assert all(re.fullmatch(r"(a{200}|δ{100})~[0-9a-f]{16}\.json", name) for name in cut)
    assert len(cut) == 4
    assert command("--summary", out) == 0
    assert "exercise 5: 5 submissions, on average 100 percent" in capsys.readouterr().out


def test_a_cut_name_is_no_name_that_a_submission_can_have():
    long = results_file(".", Path("a" * 251 + ".py"), "json").name
    for ending in (".py", ".ipynb", ".npz"):
        crafted = Path(long.removesuffix(".json") + ending)
        assert results_file(".", crafted, "json").name != long


def test_the_owner_of_a_sheet_is_named_where_its_seed_was_found_and_nowhere_else():
    owners = {seed: f"student {seed}.py" for seed in range(3)}
    report = grade_answers({}, 2, seed=1)
    assert labels_on(report, owners) == "missing"
    report.record["found_seed"] = 2
    assert labels_on(report, owners) == "missing, the one of student 2.py"
    report.record["found_seed"] = 7
    assert labels_on(report, owners) == "missing"


def test_one_submission_is_a_file_or_a_link_even_to_nothing(tmp_path):
    """A link to nothing was handed in, and gets a report; a pipe and a missing file were not."""
    (tmp_path / "ada.py").write_text("x = 1")
    (tmp_path / "link.py").symlink_to(tmp_path / "nothing.py")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("ada.py", "link.py"):
        require_one(tmp_path / name, False)
    for name, kind in [("bob.py", "not there"), ("pipe.py", "no file"), ("folder.py", "no file")]:
        with pytest.raises(SpecError) as caught:
            require_one(tmp_path / name, False)
        assert str(caught.value).endswith(
            f"{name} is {kind}.\n  Name the file that was handed in, such as ex2.py."
        )
        require_one(tmp_path / name, True)
