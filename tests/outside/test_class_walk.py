"""The page on grading walks a class from roster to gradebook; this walks along."""

import re
import shlex

from project import DOCS
from run_here import run_here

from jacobian_bp.cli import main

PAGE = (DOCS / "grading.md").read_text("utf-8")


def blocks(kind):
    """What the page shows in blocks of this kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)


def run(folder, line):
    """A line of the page that begins with $: what it prints, and nothing to standard error."""
    program, *words = shlex.split(line)
    assert program == "jacobian-bp"
    done = run_here(main, *words, cwd=folder)
    assert done.stderr == b""
    return done.stdout.decode()


def test_the_class_of_the_page_is_graded_as_it_says(tmp_path, monkeypatch):
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)
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
