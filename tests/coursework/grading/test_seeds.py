"""Seeds: the same everywhere, different for everybody, and the secret is told to nobody."""

import os
import subprocess
import sys

import pytest
from sampled import seldom

from jacobian_bp.coursework.grading.seeds import apart_from, graded_seed, read_secret, sheet_seed
from jacobian_bp.errors import SpecError

SECRET = b"a secret of a course"


def test_student_exercise_secret_and_purpose_each_change_the_seed():
    calls = [(SECRET, "ada", 2), (SECRET, "bob", 2), (SECRET, "ada", 3), (SECRET + b"!", "ada", 2)]
    seeds = [make(*call) for make in (graded_seed, sheet_seed) for call in calls]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_parts_do_not_run_together():
    assert graded_seed(SECRET, "ada1", 2) != graded_seed(SECRET, "ada", 12)


def test_the_spelling_of_a_name_is_normalised():
    assert graded_seed(SECRET, " Jose\u0301 ", 2) == graded_seed(SECRET, "Jos\u00e9", 2)


OTHER = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"


@pytest.mark.parametrize("other", [OTHER, *map(seldom, ("0", "3", "random"))])
def test_the_seed_does_not_depend_on_the_hash_of_the_process(other):
    code = (
        "from jacobian_bp.coursework.grading.seeds import graded_seed;"
        f"print(graded_seed({SECRET!r}, 'ada', 2))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": other},
        capture_output=True,
        check=True,
        text=True,
    )
    assert found.stdout == f"{graded_seed(SECRET, 'ada', 2)}\n"


def test_a_seed_apart_from_another_differs_and_is_always_the_same():
    assert apart_from(1, 2) == 1
    assert apart_from(2, 2) == apart_from(2, 2) != 2


def test_a_secret_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)
    assert read_secret() is None
    monkeypatch.setenv("JACOBIAN_BP_SECRET", "another secret of a course")
    assert read_secret() == b"another secret of a course"
    (tmp_path / "s").write_bytes(SECRET + b"\r\n")
    assert read_secret(tmp_path / "s") == SECRET


def test_a_short_secret_is_refused_and_not_told(tmp_path, monkeypatch):
    monkeypatch.setenv("JACOBIAN_BP_SECRET", "hunter2")
    with pytest.raises(SpecError) as error:
        read_secret()
    assert str(error.value) == (
        "JACOBIAN_BP_SECRET holds 7 bytes; a secret has at least 16.\n"
        '  Make one: python3 -c "import secrets; print(secrets.token_hex(16))" > secret.txt'
    )
    with pytest.raises(SpecError, match="the student has no name"):
        graded_seed(SECRET, "  ", 2)
