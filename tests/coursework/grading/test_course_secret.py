"""With a course's secret a sheet is no key to its solution, and only the course's are graded."""

import re

import pytest
from grading_cases import QUICK, SECRET, command, own_sheet, sheet, write

from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.sheet import HEADER
from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.grade import PRACTICE, Terms, grade_file
from jacobian_bp.coursework.grading.seeds import sheet_seed, sheet_token
from jacobian_bp.errors import SpecError


@pytest.fixture
def secret(tmp_path, monkeypatch):
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


def grade(path, *options):
    return command("--exercise", 2, "--submission", path, *options)


def test_token_and_seed_change_with_student_exercise_and_secret():
    calls = [(SECRET, "ada", 2), (SECRET, "bob", 2), (SECRET, "ada", 3), (SECRET + b"!", "ada", 2)]
    assert len({sheet_token(*call) for call in calls}) == len(calls)
    assert len({sheet_seed(*call) for call in calls}) == len(calls)
    assert all(re.fullmatch("[0-9a-f]{32}", sheet_token(*call)) for call in calls)


def test_nothing_that_a_student_sees_holds_the_seed(secret, tmp_path, capsys):
    seed = str(sheet_seed(SECRET, "ada", 2))
    path, out = tmp_path / "ada.py", tmp_path / "r.json"
    options = ["--student", "ada", "--secret-file", str(secret)]
    assert main(["exercise", "new", "2", *options, "--out", str(path)]) == 0
    assert main(["exercise", "check", str(path)]) == 1
    for owner in ("ada", "bob"):
        grade(path, *options[2:], "--student", owner, "--sheet-seed", "own")
        command("--exercise", 2, "--submission", path, *options[2:], "--student", owner,
                "--sheet-seed", "own", "--format", "gradescope", "--out", out)  # fmt: skip
        assert seed not in out.read_text()
    shown = capsys.readouterr().out
    log = "\n".join(line for line in shown.splitlines() if "seed:" in line)
    assert seed in log  # the instructor's
    assert seed not in path.read_text() + shown.replace(log, "").replace(seed, "", shown.count(
        f"seed: {seed}"))  # fmt: skip


def test_the_solution_of_a_graded_sheet_needs_the_secret(secret, tmp_path, capsys):
    new = ["exercise", "new", "2", "--solution", "--out", str(tmp_path / "s.py")]
    assert main([*new, "--student", "ada"]) == 2
    assert not (tmp_path / "s.py").exists()
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: a student's own seed needs the course's secret.\n"
        "  Write --secret-file FILE, or set JACOBIAN_BP_SECRET.\n"
    )
    assert main([*new, "--student", "ada", "--secret-file", str(secret)]) == 0
    options = ["--secret-file", secret, "--student", "ada", "--sheet-seed", "own"]
    assert grade(tmp_path / "s.py", *options) == 0


def test_a_practice_sheet_cannot_be_handed_in_as_a_graded_one(secret, tmp_path, capsys):
    path = write(tmp_path, sheet(seed=7))
    for options in (["--student", "ada"], ["--student", "ada", "--sheet-seed", "own"]):
        assert grade(path, "--secret-file", secret, *options) == 1
        assert capsys.readouterr().out.splitlines() == [
            "exercise 2, ada: BP1 and BP2 with diagonal matrices",
            f"not run   {PRACTICE}",
            "score     0 of 35",
        ]
    assert grade(path) == 0  # for practice it is graded as before
    own = HEADER.search(own_sheet("ada"))[0]
    write(tmp_path, HEADER.sub(own, sheet(seed=7), count=1))  # ada's first line, other numbers
    assert grade(path, "--secret-file", secret, "--student", "ada") == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [  # what formulas earn on fresh numbers
        "note      the file changes x, y, W1, b1, W2, b2, W3, b3, which was given",
        "score     14 of 35",
    ]


def test_the_practice_seed_of_a_students_sheet_is_refused_too(secret, tmp_path, capsys):
    """Who found the seed out would still have a sheet that says it is for practice."""
    path = write(tmp_path, sheet(seed=sheet_seed(SECRET, "ada", 2)))
    assert grade(path, "--secret-file", secret, "--student", "ada", "--sheet-seed", "own") == 1
    assert PRACTICE in capsys.readouterr().out


def test_a_sheet_of_another_course_is_none_of_this_one(secret, tmp_path, capsys):
    path = write(tmp_path, own_sheet("ada", secret=b"a secret of another course"))
    assert grade(path, "--secret-file", secret, "--student", "ada") == 1
    assert ", which is another one" in capsys.readouterr().out


def test_one_sheet_for_all_has_a_token_too(secret, tmp_path):
    path = write(tmp_path, own_sheet("everybody"))
    assert grade(path, "--secret-file", secret, "--student", "ada") == 0
    assert grade(path, "--secret-file", secret, "--student", "ada", "--sheet-seed", "own") == 1


def test_a_sheet_with_a_token_is_not_graded_without_the_secret(tmp_path):
    path = write(tmp_path, own_sheet("ada"))
    with pytest.raises(SpecError) as error:
        grade_file(path, 2, Terms(limits=QUICK))
    assert str(error.value) == (
        "ex.py has a token, and is graded with --secret-file only: its numbers follow from the "
        "course's secret.\n"
        "  Grade it with --secret-file FILE --student NAME; exercise check needs no secret."
    )


def test_a_practice_seed_and_a_secret_do_not_go_together(secret, tmp_path):
    path = write(tmp_path, own_sheet("ada"))
    with pytest.raises(SpecError) as error:
        grade(path, "--secret-file", secret, "--student", "ada", "--sheet-seed", 7)
    assert str(error.value) == (
        "--sheet-seed 7 is of a practice sheet; with a secret, sheets with a token are graded.\n"
        "  Write --sheet-seed own, or leave the secret and the student away."
    )


def test_the_terms_do_not_print_the_secret(tmp_path):
    terms = Terms(seed_of=lambda token, exercise, secret=SECRET: 7)
    assert "secret" not in repr(terms)
    assert "seed_of" not in repr(terms)


def test_a_practice_sheet_is_no_mistake_in_a_summary(secret, tmp_path):
    report = grade_file(write(tmp_path, sheet()), 2, Terms(seed_of=lambda token, exercise: 7))
    assert (report.kind, report.labels, report.score) == ("practice-sheet", ("practice-sheet",), 0)
    assert PRACTICE in FORMATS["gradescope"](report)
