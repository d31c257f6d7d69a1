"""The rooms import downwards only: the contracts hold, and each can be broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
FORBIDDEN = [  # the last one downwards, past the exercises
    ("numbers", "algebra"),
    ("coursework", "compare"),
    ("compare.cost", "compare.timing"),
    ("ops", "routes"),
    ("coursework.lines", "coursework.grading"),
    ("coursework.sandbox", "coursework.diagnosis"),
    ("coursework.grading", "coursework.diagnosis"),
]


def linted(folder):
    """Whether all contracts hold for the package in the folder, and what is said, on one line."""
    done = subprocess.run(LINT, cwd=folder, capture_output=True, encoding="utf-8", timeout=300)
    assert done.stderr == ""
    return done.returncode == 0, " ".join(done.stdout.split())


@pytest.fixture
def copy(tmp_path):
    """The package and its contracts, to plant an import in."""
    without = shutil.ignore_patterns("__pycache__", "data")
    shutil.copytree(ROOT / "jacobian_bp", tmp_path / "jacobian_bp", ignore=without)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def plant(copy, file, line):
    path = copy / "jacobian_bp" / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as module:
        module.write(f"{line}\n")


def test_every_contract_holds():
    holds, said = linted(ROOT)
    assert holds, said
    assert "0 broken" in said


def test_each_import_that_no_contract_allows_and_a_circle_among_siblings_are_named(copy):
    for room, other in FORBIDDEN:
        plant(copy, f"{room.replace('.', '/')}/__init__.py", f"import jacobian_bp.{other}")
    plant(copy, "numbers/planted.py", "from . import planted_too")
    plant(copy, "numbers/planted_too.py", "from . import planted")
    holds, said = linted(copy)
    assert not holds
    for room, other in FORBIDDEN:
        assert f"jacobian_bp.{room} is not allowed to import jacobian_bp.{other}:" in said
    assert "No cycles are allowed in jacobian_bp.numbers." in said
    assert ".planted_too" in said


def test_a_room_without_a_place_is_named(copy):
    plant(copy, "attic/__init__.py", '"""A room that no contract knows."""')
    holds, said = linted(copy)
    assert not holds
    assert "jacobian_bp.attic" in said
