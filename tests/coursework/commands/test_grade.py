"""jacobian-bp grade on the command line: results, log, exit codes, wrong calls."""

import json
import os
import re

import pytest
from grading_cases import SECRET, command, own_sheet, require_gradescope, sheet, write

from jacobian_bp.coursework.commands import grade
from jacobian_bp.coursework.exercises.task import Exercise
from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.grade_report import UNGRADED
from jacobian_bp.coursework.grading.seeds import graded_seed
from jacobian_bp.errors import SpecError

WRONG = [("delta3 = S3 @ (a3 - y)", "delta3 = S3 @ (y - a3)")]


def test_the_command_prints_and_tells_by_its_exit_code(tmp_path, capsys):
    path = write(tmp_path, sheet())
    assert command("--exercise", 2, "--submission", path) == 0
    assert capsys.readouterr().out.endswith("score     35 of 35\n")
    path = write(tmp_path, sheet(changes=WRONG))
    assert command("--exercise", 2, "--submission", path, "--level", 0) == 1
    out = capsys.readouterr().out
    assert "every entry" not in out
    assert out.endswith("score     31 of 35\n")


def test_the_command_writes_results_and_logs_seeds(tmp_path, capsys):
    path, out = write(tmp_path, own_sheet("ada")), tmp_path / "results.json"
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET + b"\n")
    secret.chmod(0o600)
    options = ["--exercise", 2, "--submission", path, "--format", "gradescope", "--out", out]
    assert command(*options, "--secret-file", secret, "--student", "ada") == 0
    require_gradescope(out.read_text())
    log = capsys.readouterr().out
    assert f"graded seed: {graded_seed(SECRET, 'ada', 2)}" in log
    assert "secret" not in log.replace("a secret would hide them", "")
    assert str(graded_seed(SECRET, "ada", 2)) not in out.read_text()


@pytest.mark.one_in(2)
@pytest.mark.skipif(os.name != "posix", reason="the rights are those of POSIX")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_secret_that_a_sheet_could_read_is_warned_of(tmp_path, capsys, mode, warned):
    path, secret = write(tmp_path, own_sheet("ada")), tmp_path / "secret"
    secret.write_bytes(SECRET)
    secret.chmod(mode)
    options = ["--exercise", 2, "--submission", path, "--out", tmp_path / "r", "--student", "ada"]
    command(*options, "--secret-file", secret)
    assert ("warning: other users can read" in capsys.readouterr().out) == warned


@pytest.mark.parametrize("seed", [(), ("--seed", 11)])
def test_a_seed_that_a_sheet_could_read_is_warned_of(tmp_path, capsys, seed):
    path = write(tmp_path, sheet(5))
    command("--exercise", 5, "--submission", path, "--out", tmp_path / "r", *seed)
    said = "warning: a sheet can read --seed on the command line; a secret is not on it"
    assert (said in capsys.readouterr().out.splitlines()) == bool(seed)


def test_the_results_never_take_the_place_of_the_submission(tmp_path):
    path = write(tmp_path, sheet())
    before = path.read_text()
    (tmp_path / "link").symlink_to(path)
    for out in (path, tmp_path / "link", f"{tmp_path}/./{path.name}"):
        with pytest.raises(SpecError) as error:
            command("--exercise", 2, "--submission", path, "--out", out)
        assert str(error.value) == (
            "--out would overwrite ex.py.\n  Name another file for the results."
        )
    assert path.read_text() == before


def test_a_students_own_sheet(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("JACOBIAN_BP_SECRET", SECRET.decode())
    own = write(tmp_path, own_sheet("ada"))
    options = ["--exercise", 2, "--submission", own, "--sheet-seed", "own"]
    assert command(*options, "--student", "ada") == 0
    assert command(*options, "--student", "bob") == 1
    out = capsys.readouterr().out
    assert "not run   this is the sheet of another token, which is not the one set for you." in out


def test_with_numpy_only_other_packages_cannot_be_imported(tmp_path, capsys):
    path = write(tmp_path, sheet(before="import jacobian_bp"))
    assert command("--exercise", 2, "--submission", path, "--numpy-only") == 1
    out = capsys.readouterr().out
    assert "ModuleNotFoundError: No module named 'jacobian_bp'" in out
    assert "the file imports jacobian_bp: the toolkit, which knows the answers" in out
    assert out.endswith("score     0 of 35\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "an exercise and a submission are needed"),
        (["--exercise", 2], "an exercise and a submission are needed"),
        (["--exercise", 99, "--submission", "x.py"], "there is no exercise 99"),
        (["--exercise", 2, "--submission", "x.py", "--format", "pdf"], "there is no format 'pdf'"),
        (["--exercise", 2, "--submission", "x.py", "--level", 9], "the level is 9"),
        (["--exercise", 2, "--submission", "x.py", "--seed", -1], "the seed is '-1'"),
        (["--exercise", 2, "--submission", "x.py", "--seconds", 0], "--seconds is 0"),
        (["--exercise", 2, "--submission", "x.py", "--memory", 1], "--memory is 1"),
        (["--exercise", 2, "--submission", "x.py", "--student", "a"], "needs the course's secret"),
        (["--exercise", 2, "--submission", "x.py", "--secret-file", "no"], "no cannot be found"),
    ],
)
def test_a_wrong_call_is_an_error_and_the_results_are_valid_all_the_same(
    options, message, tmp_path, monkeypatch
):
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)
    out = tmp_path / "results"
    with pytest.raises(SpecError, match=re.escape(message)) as error:
        command(*options, "--out", out)
    assert re.search(r"\n  \S", str(error.value))
    *first, told = out.read_text().splitlines()
    assert (len(first), told) == ("--exercise" in options, UNGRADED)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "class",
            "class is a folder.\n  Write --out-dir RESULTS too, to grade each submission in it.",
        ),
        (
            "nope.py",
            "nope.py is not there.\n  Name the file that was handed in, such as ex2.py.",
        ),
        ("dir.py", "dir.py is no file.\n  Name the file that was handed in, such as ex2.py."),
    ],
)
def test_a_submission_that_is_no_file_is_a_wrong_call(name, message, tmp_path, capsys):
    """But a result where an autograder waits for one, unless it was given a whole folder."""
    (tmp_path / "class").mkdir()
    (tmp_path / "dir.py").mkdir()
    options = ["--exercise", 2, "--submission", tmp_path / name]
    with pytest.raises(SpecError) as error:
        command(*options)
    assert str(error.value) == message
    out = tmp_path / "results"
    if name == "class":
        with pytest.raises(SpecError, match="class is a folder"):
            command(*options, "--out", out)
        assert UNGRADED in out.read_text()
        return
    assert command(*options, "--out", out) == 1
    _, said, score = out.read_text().splitlines()
    assert said == "not run   " + message.splitlines()[0]
    assert score == "score     0 of 35"


UNREADABLE = [  # what argparse refuses: (words, why)
    (["--student", "-ada@x.org"], "argument --student: expected one argument"),
    (["--level", "x"], "argument --level: invalid int value: 'x'"),
    (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    (["--submission"], "argument --submission: expected one argument"),
    (["--exercise", "two"], "argument --exercise: 'two' is neither a number nor a .py file"),
]


@pytest.mark.parametrize("between", [" ", "="])
@pytest.mark.parametrize(("words", "why"), UNREADABLE)
def test_a_call_that_cannot_be_read_leaves_valid_results(words, why, between, tmp_path):
    out = tmp_path / "results.json"
    named = [f"--out={out}"] if between == "=" else ["--out", out]
    with pytest.raises(SpecError, match=re.escape(why)):
        command("--exercise", 2, "--submission", "x.py", "--format", "json", *named, *words)
    record = json.loads(out.read_text())
    assert (record["failure"], record["labels"]) == (UNGRADED, ["grader-failed"])
    assert record["record"]["failure"] == f"{why}."
    assert record["exercise"] == (2 if "--exercise" not in words else 0)


def test_a_call_that_cannot_be_read_overwrites_no_submission(tmp_path):
    path = write(tmp_path, "mine")
    with pytest.raises(SpecError, match="unrecognized"):
        command("--exercise", 2, "--submission", path, "--out", path, "--frobnicate")
    assert path.read_text() == "mine"
    with pytest.raises(SpecError, match="argument --out: expected one argument"):
        command("--frobnicate", "--out")


@pytest.mark.parametrize(("name", "start"), [("r.json", "{"), ("r.txt", UNGRADED)])
def test_the_format_of_results_where_none_was_said(name, start, tmp_path):
    with pytest.raises(SpecError, match="there is no format"):
        command("--format", "pdf", "--exercise", 2, "--submission", "x", "--out", tmp_path / name)
    assert start in (tmp_path / name).read_text()


def test_a_grader_that_breaks_leaves_valid_results(tmp_path, monkeypatch):
    def broken(*args):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(grade, "grade_file", broken)
    out = tmp_path / "results.json"
    options = ["--exercise", 2, "--submission", "x.py", "--format", "gradescope", "--out", out]
    with pytest.raises(SpecError, match="the grader failed: ZeroDivisionError in broken"):
        command(*options)
    results = require_gradescope(out.read_text())
    assert (results["score"], results["extra_data"]["labels"]) == (0, ["grader-failed"])
    assert (results["tests"], results["output"]) == ([], UNGRADED)


RECORDS = {"json", "html", "tex", "md"}  # the instructor's


@pytest.mark.parametrize("form", list(FORMATS))
def test_students_read_nothing_of_the_graders_own_error(form, tmp_path):
    path, out, secret = write(tmp_path, sheet()), tmp_path / "ada.json", tmp_path / "secret.txt"
    secret.write_text("abc\n")
    options = ["--exercise", 2, "--submission", path, "--format", form, "--out", out]
    with pytest.raises(SpecError) as error:
        command(*options, "--secret-file", secret, "--student", "ada")
    assert str(error.value).startswith("the secret file holds 3 bytes; a secret has at least 16.")
    text = out.read_text()
    assert UNGRADED in text
    assert "no answer" not in text
    assert ("the secret file holds 3 bytes" in text) == (form in RECORDS)
    if form == "text":
        assert text == f"exercise 2, ada\n{UNGRADED}\n"


def test_fresh_numbers_that_cannot_be_drawn_are_no_fault_of_the_student(tmp_path, monkeypatch):
    def undrawn(self, seed, token="", make=Exercise.make):
        if seed == 5:
            raise SpecError("300 draws, and none is fit for use.")
        return make(self, seed, token)

    monkeypatch.setattr(Exercise, "make", undrawn)
    path, out = write(tmp_path, sheet()), tmp_path / "out"
    with pytest.raises(SpecError, match="300 draws"):
        command("--exercise", 2, "--submission", path, "--seed", 5, "--out", out)
    assert UNGRADED in out.read_text()


def test_the_log_leaves_out_what_is_empty(tmp_path, capsys):
    path = write(tmp_path, sheet())
    command("--exercise", 2, "--submission", path, "--out", tmp_path / "out")
    log = capsys.readouterr().out.splitlines()
    assert not any(line.startswith("failure") or line.endswith(":") for line in log)
    assert any(line.startswith("graded seed: ") for line in log)


def test_the_text_on_a_wrong_sheet_is_its_reason_alone(tmp_path, capsys):
    path = write(tmp_path, sheet(3))
    assert command("--exercise", 2, "--submission", path) == 1
    assert capsys.readouterr().out.splitlines() == [
        "exercise 2, ex.py: BP1 and BP2 with diagonal matrices",
        "not run   this is a sheet of exercise 3, not of exercise 2.",
        "score     0 of 35",
    ]


def test_the_text_repeats_nothing_and_names_no_usual_layout(tmp_path, capsys):
    wrong = [("S1 = np.diag((z1 > 0) * 1.0)", "S1 = z1 > 0")]
    wrong += [("delta1 = S1 @ W2.T @ delta2", "delta1 = S1 * (W2.T @ delta2)")]
    path = write(tmp_path, sheet(changes=wrong))
    command("--exercise", 2, "--submission", path)
    rows = capsys.readouterr().out.splitlines()
    assert [row for row in rows if "dW2" in row] == [
        "    1/1  dW2: shape                     passed",
        "    2/2  dW2: values, one example       passed",
        "    2/2  dW2: values, fresh numbers     passed",
    ]
    assert [row.split("failed   ")[1] for row in rows if "S1" in row] == [
        "layer 1: shape (2,) fits this object in no layout",
        "as above",
        "layer 1: not numbers of a right shape",
    ]


def test_a_grader_that_is_killed_has_left_valid_results(tmp_path, monkeypatch):
    def killed(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(grade, "grade_file", killed)
    out = tmp_path / "results.json"
    options = ["--exercise", 2, "--submission", "x.py", "--format", "gradescope", "--out", out]
    with pytest.raises(KeyboardInterrupt):
        command(*options)
    results = require_gradescope(out.read_text())
    assert (results["score"], results["output"]) == (0, UNGRADED)
