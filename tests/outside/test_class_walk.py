"""The page on grading walks a class from roster to gradebook; this walks along."""

import os
import re
import shlex
import subprocess
import sys

from project import DOCS

PAGE = (DOCS / "grading.md").read_text("utf-8")


def blocks(kind):
    """What the page shows in blocks of this kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)


def run(folder, line):
    """A line of the page that begins with $: what it prints, and nothing to standard error."""
    program, *words = shlex.split(line)
    assert program == "jacobian-bp"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "JACOBIAN"))}
    done = subprocess.run(
        [sys.executable, "-I", "-m", "jacobian_bp", *words],
        cwd=folder,
        env={**kept, "PYTHONIOENCODING": "utf-8", "COLUMNS": "99"},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_the_class_of_the_page_is_graded_as_it_says(tmp_path):
    (roster,), (marks,) = blocks("csv class.csv"), blocks("csv marks.csv")
    calls = [block.split("\n", 1) for block in blocks("console")]
    (make, made), (solve, solved), (grade, graded) = calls
    (tmp_path / "class.csv").write_text(roster)
    (tmp_path / "secret.txt").write_text("a secret of a course\n")
    (tmp_path / "secret.txt").chmod(0o600)
    assert run(tmp_path, make.removeprefix("$ ")) == made
    folder = tmp_path / "handed_in"
    assert run(tmp_path, solve.removeprefix("$ ")) == solved
    assert "score     22 of 22" in run(tmp_path, " ".join(solved.partition("next: ")[2].split()))
    folder.mkdir()
    for student in ("ada", "bob", "eve"):
        (tmp_path / "solutions" / f"{student}_solution.py").rename(folder / f"{student}.py")
        sheet = (tmp_path / "sheets" / f"{student}.py").read_text()
        heads = re.findall(r"^# jacobian-bp exercise .*$", sheet, re.M)
        assert len(heads) == 2
        assert heads == re.findall(
            r"^# jacobian-bp exercise .*$", (folder / f"{student}.py").read_text(), re.M
        )
    (folder / "eve.py").rename(folder / "zoe.py")
    (folder / "notes.txt").write_text("notes")
    bob = (folder / "bob.py").read_text()
    assert bob.count("S3 @ (a3 - y)") == 1
    (folder / "bob.py").write_text(bob.replace("S3 @ (a3 - y)", "S3 @ (y - a3)"))
    assert run(tmp_path, grade.removeprefix("$ ")) == graded
    assert (tmp_path / "marks.csv").read_text() == marks
