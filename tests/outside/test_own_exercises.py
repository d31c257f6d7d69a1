"""The documented exercise of one's own, from a folder of its own, by the installed command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from project import DOCS

from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.catalogue import EXERCISES

PAGE = (DOCS / "exercises.md").read_text("utf-8")
COMMAND = [sys.executable, "-I", "-m", "jacobian_bp"]  # -I: the folder is not on the path


def documented(name):
    """The file that the page shows under this name."""
    return re.search(rf"^```\w+ {name}\n(.*?)^```$", PAGE, re.M | re.S)[1]


@pytest.fixture
def call(tmp_path):
    """Run `jacobian-bp` in the folder of the documented file: exit code, output, complaint."""
    (tmp_path / "my_exercise.py").write_text(documented("my_exercise.py"), "utf-8")

    def run(*words, before=COMMAND, **environment):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        kept |= {"PYTHONIOENCODING": "utf-8", "COLUMNS": "99", **environment}
        done = subprocess.run(
            [*before, *map(str, words)], cwd=tmp_path, env=kept, capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def here(call, tmp_path, monkeypatch, capsys):
    """The same in this process, which is quicker."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main([*map(str, words)])
        return code, *capsys.readouterr()

    return run


def test_every_command_works_with_the_documented_exercise(call, here, tmp_path):
    own = ("--exercise", "my_exercise.py")
    assert call("exercise", "new", *own, "--seed", 7, "--out", "ex100.py") == (
        0,
        "written: ex100.py\nnext: jacobian-bp exercise check ex100.py --exercise my_exercise.py\n",
        "",
    )
    sheet = (tmp_path / "ex100.py").read_text()
    assert "Then hand in this file." in sheet
    assert "z = W @ x + b\na = np.tanh(z)\n# --- given: end" in sheet
    code, said, _ = here("exercise", "check", "ex100.py", *own)
    assert (code, said.splitlines()[-1]) == (1, "score     0 of 3")
    assert here("exercise", "hint", "ex100.py", *own)[1] == (
        "hint 1    Entry k of a reads entry k of z only.\n2 hints left: --level 2\n"
    )
    filled = sheet.replace("S = None", "S = np.diag(a)").replace("dz = None", "dz = S @ g")
    (tmp_path / "ex100.py").write_text(filled.replace("dW = None", "dW = np.outer(x, dz)"))
    code, said, _ = here("exercise", "check", "ex100.py", *own, "--level", 3)
    assert code == 1
    assert "the value tanh(z) stands for its slope" in said
    assert "right, given your S, which is not" in said
    code, said, _ = here("grade", *own, "--submission", "ex100.py")
    assert (code, said.splitlines()[-1]) == (1, "score     11 of 15")
    code, audited, _ = here("exercise", "audit", *own)
    assert code == 0
    made = here("exercise", "new", *own, "--convention", "cs231n", "--solution", "--out", "14.py")
    assert made[0] == 0
    assert "\nz = W.T @ X + b\n" in (tmp_path / "14.py").read_text()
    assert "\ndW = np.outer(X, dz)\n" in (tmp_path / "14.py").read_text()
    assert (
        here("exercise", "check", "14.py", *own)[1].splitlines()[-1]
        == "score     3 of 3, all right"
    )
    assert audited in PAGE


def test_what_is_said_to_be_next_of_a_sheet_with_a_token_works(here):
    """`exercise check` with of_given; `grade`, which has the secret, without."""
    Path("secret.txt").write_text("a secret of a course")
    text = documented("my_exercise.py")
    own = ("--exercise", "my_exercise.py", "--student", "ada", "--secret-file", "secret.txt")
    for form, without, score in (
        ("exercise check", "", "3 of 3, all right"),
        ("grade", "    of_given=of_given,\n", "15 of 15"),
    ):
        Path("my_exercise.py").write_text(text.replace(without, ""), "utf-8")
        _, said, _ = here("exercise", "new", *own, "--solution", "--out", f"{form[0]}.py")
        then = " ".join(said.split()).split("next: jacobian-bp ")[1]
        assert then.startswith(form)
        code, said, _ = here(*then.split())
        assert (code, said.splitlines()[-1]) == (0, f"score     {score}")


def test_a_sheet_without_the_file_says_what_is_missing(here):
    here("exercise", "new", "--exercise", "my_exercise.py", "--out", "ex100.py")
    assert here("exercise", "check", "ex100.py") == (
        2,
        "",
        "jacobian-bp: SpecError: there is no exercise 100.\n"
        f"  Write a number from 1 to {len(EXERCISES)}; jacobian-bp exercise list shows them.\n"
        "  One of an instructor's own needs its file: --exercise my_exercise.py.\n",
    )


@pytest.mark.full
def test_the_documented_test_file_passes_and_fails(call, here, tmp_path):
    tests = documented("test_ex100.py")
    (tmp_path / "test_ex100.py").write_text(tests)
    (tmp_path / "test_wrong.py").write_text(tests.replace("ex100.py", "wrong.py"))
    own = ("--exercise", "my_exercise.py", "--out", "ex100.py")
    assert here("exercise", "new", *own, "--solution")[0] == 0
    sheet = (tmp_path / "ex100.py").read_text()
    (tmp_path / "wrong.py").write_text(sheet.replace("S @ g", "g"))
    pytest_here = [sys.executable, "-I", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    bare = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # quick to start
    code, said, _ = call("test_ex100.py", "test_wrong.py", before=pytest_here, **bare)
    assert (code, said.splitlines()[-1].startswith("1 failed, 1 passed")) == (1, True)
    assert "FAILED test_wrong.py::test_answers" in said
    assert re.search("dz: values, one example +failed", said)


def install(site, name, module, target):
    """A package with one entry point, as pip would leave it."""
    facts = site / f"{name}-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    group = re.search(r'entry-points."([\w.]+)"', documented("pyproject.toml"))[1]
    (facts / "entry_points.txt").write_text(f"[{group}]\ntanh = {target}\n")
    for file, text in module.items():
        (site / file).write_text(text, "utf-8")


def test_an_installed_package_offers_its_exercise_and_a_broken_one_is_named(call, tmp_path):
    site = tmp_path / "site"
    install(site, "good", {"good_tanh.py": documented("my_exercise.py")}, "good_tanh:EXERCISE")
    install(site, "bad", {"bad_tanh.py": "EXERCISE = 1 / 0\n"}, "bad_tanh:EXERCISE")
    commands = (["list"], ["new", "100", "--solution"], ["check", "ex100_solution.py"])
    run = f"from jacobian_bp.cli import main; print([main(['exercise', *c]) for c in {commands}])"
    code, said, complaint = call(before=[sys.executable, "-P", "-c", run], PYTHONPATH=str(site))
    assert (code, complaint, said.splitlines()[-1]) == (0, "", "[0, 0, 0]")
    assert " ".join(said.partition("written:")[0].split()).endswith(
        f"{len(EXERCISES)} {EXERCISES[-1].title} 100 one layer with tanh not to be used bad, "
        "entry point tanh: bad_tanh:EXERCISE cannot be loaded: ZeroDivisionError: division by "
        "zero. next jacobian-bp exercise new 1 --seed 7 --out ex1.py"
    )


def test_what_lies_in_the_present_folder_is_not_installed(call, tmp_path):
    """A student's folder, say: nothing in it is run, though `python -m` has it on its path."""
    install(tmp_path, "evil", {"evil_tanh.py": "open('was-run', 'w')\n"}, "evil_tanh:EXERCISE")
    code, said, _ = call("exercise", "list", before=[sys.executable, "-m", "jacobian_bp"])
    assert (code, "evil" in said) == (0, False)
    assert not (tmp_path / "was-run").exists()
    (tmp_path / "elsewhere").mkdir()
    move = "import os; os.chdir('elsewhere'); from jacobian_bp.cli import main; main(['exercise'])"
    call(before=[sys.executable, "-P", "-c", move], PYTHONPATH=str(tmp_path))
    assert (tmp_path / "elsewhere" / "was-run").exists()  # the same, where it is installed
