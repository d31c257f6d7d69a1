"""From a file to a report: sheets as students hand them in, hostile ones among them."""

import json
import os

import pytest

from jacobian_bp import SpecError
from jacobian_bp.cli import Parser
from jacobian_bp.coursework.commands import exercise
from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.check_file import check_file
from jacobian_bp.coursework.exercises.sheet import HEADER, notebook, script
from jacobian_bp.coursework.grading.seeds import sheet_seed, sheet_token
from jacobian_bp.errors import JacobianError
from jacobian_bp.writing import terminal


@pytest.fixture
def call(capsys):
    """Run `jacobian-bp exercise ...`; exit code, lines, and what went to standard error."""

    def run(*words):
        parser = Parser(prog="jacobian-bp")
        exercise.add_parser(parser.add_subparsers(dest="command"))
        try:
            code = exercise.run_command(parser.parse_args(["exercise", *words]))
        except JacobianError as error:
            terminal.fail(str(error))
            code = 2
        out, err = capsys.readouterr()
        assert all(len(line) <= 99 for line in out.splitlines())
        assert "\x1b" not in out + err
        return code, out.splitlines(), err

    return run


def handed_in(tmp_path, text, name="ex2.py"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def solved(number=2, seed=7):
    return script(find_exercise(number).make(seed), solution=True)


def refusal(path, **options):
    with pytest.raises(SpecError) as caught:
        check_file(path, **options)
    return str(caught.value)


# ---------------------------------------------------------------- list, new, check, hint


@pytest.mark.parametrize("ending", ["py", "ipynb"])
def test_an_exercise_is_listed_made_and_checked(call, tmp_path, ending):
    code, lines, _ = call("list")
    assert (code, len(lines)) == (0, len(EXERCISES) + 1)
    file = str(tmp_path / f"ex3.{ending}")
    assert call("new", "3", "--seed", "7", "--out", file)[0] == 0
    code, lines, _ = call("check", file)
    assert code == 1
    assert lines[-1] == "score     0 of 5"
    solution = str(tmp_path / f"done.{ending}")
    assert call("new", "3", "--seed", "7", "--out", solution, "--solution")[0] == 0
    code, lines, err = call("check", solution)
    assert (code, err) == (0, "")
    assert lines == [
        "exercise 3, seed 7: which entries of ∂z/∂W can be non-zero",
        "  can_be_nonzero  right",
        "  count           right",
        "  nonzero_here    right",
        "  count_here      right",
        "  entries         right",
        "score     5 of 5, all right",
    ]


def test_new_leaves_a_file_alone(call, tmp_path):
    file = handed_in(tmp_path, "mine")
    code, lines, err = call("new", "2", "--out", str(file))
    assert (code, lines) == (2, [])
    assert err == "ex2.py is there already, and is left as it is.\n  Choose another name.\n"
    assert file.read_text() == "mine"


def test_the_name_of_a_sheet_has_a_default(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, lines, _ = call("new", "4", "--seed", "1")
    assert code == 0
    assert lines == ["written: ex4.py", "next: jacobian-bp exercise check ex4.py"]
    assert (tmp_path / "ex4.py").read_text() == script(find_exercise(4).make(1))


def test_a_students_own_sheet_from_the_command_line(call, tmp_path, monkeypatch):
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)
    content = b"a secret of a course\r\n"
    secret, file = tmp_path / "secret.txt", tmp_path / "ada.py"
    secret.write_bytes(content)
    new = ("new", "2", "--out", str(file))
    assert call(*new, "--student", "ada", "--secret-file", str(secret))[0] == 0
    token, seed = (make(content.strip(), "ada", 2) for make in (sheet_token, sheet_seed))
    assert seed == sheet_seed(content, "ada", 2)  # Python and the command line agree
    assert file.read_text() == script(find_exercise(2).make(seed, token), name="ada.py")
    assert str(seed) not in file.read_text()
    for words, said in (
        (("--student", "ada"), "a student's own seed needs the course's secret."),
        (("--student", "ada", "--seed", "3"), "--seed and --student both say which numbers."),
        (("--secret-file", str(secret)), "a secret needs a student."),
    ):
        code, _, err = call(*new, *words)
        assert (code, err.splitlines()[0]) == (2, said)


def test_the_next_command_can_be_copied(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = call("new", "3", "--out", "my ex3.py")[1]
    assert lines[-1] == "next: jacobian-bp exercise check 'my ex3.py'"
    assert "#     jacobian-bp exercise check 'my ex3.py'" in (tmp_path / "my ex3.py").read_text()


def test_hints_come_one_by_one(call):
    first, all_of_them = call("hint", "2")[1], call("hint", "2", "--level", "4")[1]
    assert first[0].startswith("hint 1 ")
    assert first[-1] == "3 hints left: --level 2"
    assert sum(line.startswith("hint ") for line in all_of_them) == 4
    assert call("hint", "2", "--level", "9")[2] == (
        "--level is 9.\n  Write a whole number from 0 to 4.\n"
    )


def test_hints_take_the_sheet_as_check_does(call, tmp_path):
    file = str(handed_in(tmp_path, solved()))
    assert call("hint", file) == call("hint", "2")
    assert call("hint", str(handed_in(tmp_path, "def (:\n" + solved())))[0] == 0  # however it is
    code, _, err = call("hint", "two")
    assert (code, err) == (
        2,
        "'two' is no exercise.\n"
        "  Write a number or a sheet: jacobian-bp exercise hint 2, or hint ex2.py.\n",
    )
    assert call("hint")[2].startswith("no exercise is named.\n")
    assert call("hint", str(tmp_path / "no.py"))[2].startswith("no.py is not there.\n")


def test_a_level_that_is_none(call, tmp_path):
    code, _, err = call("check", str(handed_in(tmp_path, solved())), "--level", "7")
    assert (code, err) == (2, "--level is 7.\n  Write a whole number from 0 to 3.\n")


def test_levels_on_the_command_line(call, tmp_path):
    text = solved().replace("delta3 = S3 @ (a3 - y)", "delta3 = 2 * S3 @ (a3 - y)")
    file = str(handed_in(tmp_path, text))
    assert call("check", file, "--level", "0")[1][2] == "  delta3  WRONG"
    code, lines, _ = call("check", file)
    assert code == 1
    assert lines[2] == "  delta3  WRONG    every entry; every entry is 2 times the right one"
    assert lines[4] == "  delta2  follows  right, given your delta3, which is not"
    assert lines[-2:] == ["score     6 of 7", "next      --level 3 names the cause"]
    said = call("check", file, "--level", "3")[1]
    assert said[-1] == "score     6 of 7"
    assert "the 1/2 of the cost was lost" in said[2] + said[3]
    file = str(handed_in(tmp_path, solved(3).replace("count = ", "count = 1 + "), "ex3.py"))
    assert call("check", file)[1][-1] == "score     4 of 5"  # no cause is known: none is promised


# ---------------------------------------------------------------- which sheet it is


def test_a_sheet_without_its_first_line(tmp_path):
    text = solved().split("\n", 1)[1]
    assert refusal(handed_in(tmp_path, text)) == (
        "ex2.py has no line that says which exercise it answers.\n"
        "  Keep the first line of the sheet as it is: # jacobian-bp exercise 2, seed 7 "
        "(or a token), sheet and eight digits."
    )


def test_a_sheet_with_two_first_lines(tmp_path):
    text = solved() + solved(seed=8)
    assert refusal(handed_in(tmp_path, text)).startswith("ex2.py has more than one line that says")


@pytest.mark.parametrize("change", ["seed 8", "seed 7, sheet 00000000", "exercise 3"])
def test_a_changed_first_line(tmp_path, change):
    text = solved()
    if change.startswith("exercise"):
        text = text.replace("exercise 2,", "exercise 3,", 1)
    elif "sheet" in change:
        text = text.replace(HEADER.search(text)[4], "00000000", 1)
    else:
        text = text.replace("seed 7", "seed 8", 1)
    message = refusal(handed_in(tmp_path, text))
    assert "which is another one.\n  Put the first line back as it was" in message


def test_a_header_of_no_exercise(tmp_path):
    text = solved().replace("exercise 2,", "exercise 77,", 1)
    assert refusal(handed_in(tmp_path, text)).startswith("there is no exercise 77.\n")


def test_the_file_of_another_exercise(tmp_path):
    file = handed_in(tmp_path, solved())
    assert refusal(file, exercise=3) == (
        "ex2.py is a sheet of exercise 2, not of exercise 3.\n"
        "  Name another file, or leave the choice to the sheet."
    )
    assert refusal(file, seed=1).startswith("ex2.py is a sheet of seed 7, not of seed 1.")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"x", "a.txt ends neither in .py nor in .ipynb.\n  Hand in one of the two."),
        ("a.py", b"\xff\xfe", "a.py: byte 0 is not UTF-8.\n  Save the file as UTF-8."),
        ("a.ipynb", b"{", "a.ipynb is no notebook: it is not JSON at line 1."),
        ("a.ipynb", b"[" * 200_000, "a.ipynb is no notebook: it is not JSON."),
        ("a.ipynb", b'{"cells": 3}', "a.ipynb is no notebook of format 4"),
        (
            "a.ipynb",
            b'{"cells": [{"cell_type": "code", "source": [1]}]}',
            "a.ipynb is no notebook: the source of a cell is not text.",
        ),
        ("a.ipynb", b'{"cells": []}', "a.ipynb has no line that says which exercise"),
        ("a.py", b"#" * (5 * 2**20 + 1), "a.py has 5,242,881 bytes; a sheet has at most 5,242,880"),
        ("a\x1b[31m.py", b"", "a\\x1b[31m.py has no line that says which exercise"),
        ("; rm -rf $HOME.py", b"", "; rm -rf $HOME.py has no line that says which exercise"),
    ],
)
def test_files_that_are_no_sheets(tmp_path, name, content, message):
    assert refusal(handed_in(tmp_path, content, name)).startswith(message)


def test_no_file_and_a_folder(tmp_path):
    said = "\n  Name a sheet that you filled in."
    assert refusal(tmp_path / "no.py") == f"no.py is not there.{said}"
    (tmp_path / "folder.py").mkdir()
    assert refusal(tmp_path / "folder.py") == f"folder.py is no file.{said}"
    assert refusal("a\0b.py").startswith("a\\x00b.py")
    assert refusal(".") == ". ends neither in .py nor in .ipynb.\n  Hand in one of the two."


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["ex 2 (copy).py", "übung-2.py", "'2'.py", "-2.py", "%s{0}.py"])
def test_odd_names_are_only_names(tmp_path, name):
    assert check_file(handed_in(tmp_path, solved(), name)).ok


def test_a_byte_order_mark_and_other_line_ends(tmp_path):
    text = "\ufeff" + solved().replace("\n", "\r\n")
    assert check_file(handed_in(tmp_path, text)).ok


# ---------------------------------------------------------------- what the code does


def report_of(tmp_path, *lines, number=3, **options):
    """The report on a solved sheet with some lines added at its end."""
    text = solved(number) + "\n".join(lines) + "\n"
    return check_file(handed_in(tmp_path, text), **options)


def test_a_syntax_error_is_told_with_its_line(tmp_path):
    report = report_of(tmp_path, "def (:")
    line = len(solved(3).splitlines()) + 1
    assert report.failure.startswith(f"line {line}: the syntax is wrong: ")
    assert (report.ok, report.score) == (False, 0)
    assert all(verdict.status == "missing" for verdict in report.verdicts)


def test_a_syntax_error_without_a_line_names_none(tmp_path):
    report = report_of(tmp_path, "x = '\0'")
    assert report.failure.startswith(("the syntax is wrong: ", "the file cannot be read"))
    assert "None" not in report.failure


def test_what_was_answered_before_an_exception_counts(tmp_path):
    text = solved(3).replace("count_here = ", "count_here = 1 / 0 + ")
    report = check_file(handed_in(tmp_path, text))
    assert report.failure.endswith("ZeroDivisionError: division by zero")
    assert report.failure.startswith("line ")
    assert [verdict.status for verdict in report.verdicts] == ["right"] * 3 + ["missing"] * 2
    assert report.lines()[1] == f"stopped   {report.failure}"


@pytest.mark.one_in(8)
@pytest.mark.parametrize(
    ("line", "status", "where"),
    [
        ("del count", "missing", "no answer yet"),
        ("count = None", "missing", "no answer yet"),
        ("count = 'many'", "wrong", "is text, not numbers"),
        ("count = {'a': 1}", "wrong", "is a dict, not numbers"),
        ("count = True", "wrong", "not one number"),
        ("count = float('nan')", "wrong", "the number is nan, and that is never right"),
        ("count = count + 0.5", "wrong", "not a whole number"),
        ("count = 10**400", "wrong", "is an int, not numbers"),
        ("count = [count, count]", "wrong", "not one number"),
        ("count = lambda: 3", "wrong", "is a function, not numbers"),
        ("count = 1j", "wrong", "is complex, not real"),
        (
            "count = np.zeros((3000, 3000))",
            "wrong",
            "is an array of 9000000 entries, which is too large",
        ),
        ("count = np.array([2**70, 2**71])", "wrong", "not one number"),
        ("count = np.ones((2,) + (1,) * 63)", "wrong", "not one number"),
        ("count = 2**70", "wrong", "another number"),
        ("count = np.array([object()])", "wrong", "is an ndarray, not numbers"),
        ("class E:\n    __array__ = None\ncount = E()", "wrong", "is an E, not numbers"),
    ],
)
def test_answers_that_are_none(tmp_path, line, status, where):
    report = report_of(tmp_path, line)
    assert (report["count"].status, report["count"].where) == (status, where)
    assert report["entries"].ok


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "failure"),
    [
        ("import os; os._exit(0)", "the process ended without giving answers"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise Exception('\\x1b[31m red')", "Exception: \\x1b[31m red"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("a = np.ones(2**40)", "MemoryError: Unable to allocate 8.00 TiB"),
    ],
)
def test_a_sheet_that_ends_early_is_reported(tmp_path, line, failure):
    report = report_of(tmp_path, line)
    assert failure in report.failure
    assert not report.ok


def test_a_sheet_that_does_not_end(tmp_path):
    report = report_of(tmp_path, "while True: print('x' * 10000)", seconds=1.0)
    assert report.failure == "the file runs longer than 1 second"
    assert not report.ok


@pytest.mark.skipif(os.name != "posix", reason="the alarm is that of POSIX")
def test_what_was_answered_before_the_time_limit_counts(tmp_path):
    alarm = "import signal; signal.raise_signal(signal.SIGALRM)\ncount_here = "
    report = check_file(handed_in(tmp_path, solved(3).replace("count_here = ", alarm)))
    assert report.failure == "the file runs longer than 20 seconds"
    assert [verdict.status for verdict in report.verdicts] == ["right"] * 3 + ["missing"] * 2


def test_a_sheet_that_prints_changes_folder_and_warns(tmp_path):
    lines = ["import os, warnings", "os.chdir('/')", "print('x')", "warnings.warn('w')"]
    assert report_of(tmp_path, *lines).ok


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("import jacobian_bp.run as r", "jacobian_bp"),
        ("from torch.nn import Linear", "torch"),
        ("m = __import__('jax')", "jax"),
        ("import importlib; m = importlib.import_module('autograd.numpy')", "autograd"),
    ],
)
def test_the_import_of_a_package_that_knows_the_answers_is_noted(tmp_path, line, package):
    report = report_of(tmp_path, f"try:\n    {line}\nexcept ImportError:\n    pass")
    assert report.remarks[0].startswith(f"the file imports {package}: ")
    assert report.lines()[-2].startswith("note      the file imports")


def test_plain_imports_are_not_noted(tmp_path):
    assert report_of(tmp_path, "import math, json", "from numpy import linalg").remarks == ()


def test_given_numbers_that_were_changed_are_noted(tmp_path):
    report = report_of(tmp_path, "W2 = 2 * W2")
    assert report.remarks == ("the file changes W2, which was given",)


def test_magics_in_a_notebook_are_left_out(tmp_path):
    document = json.loads(notebook(find_exercise(3).make(7), solution=True))
    document["cells"].insert(
        1, {"cell_type": "code", "source": "%matplotlib inline\n!ls\n", "metadata": {}}
    )
    document["cells"].append({"cell_type": "raw", "source": "1 / 0", "metadata": {}})
    report = check_file(handed_in(tmp_path, json.dumps(document), "ex3.ipynb"))
    assert report.ok


def test_a_notebook_may_display_and_leave_the_shell_a_cell(tmp_path):
    document = json.loads(notebook(find_exercise(3).make(7), solution=True))
    for source in ("%%bash\nls -l | head", "%%time\nkept = 1", "display(kept)"):
        document["cells"].append({"cell_type": "code", "source": source, "metadata": {}})
    assert check_file(handed_in(tmp_path, json.dumps(document), "ex3.ipynb")).ok


def test_more_code_than_a_sheet_has(tmp_path):
    text = solved(3) + "x = 1\n" * 50_000
    assert refusal(handed_in(tmp_path, text)) == (
        f"ex2.py has {len(text):,} characters of code; a sheet has at most 262,144.\n"
        "  Hand in the sheet with your lines alone."
    )


def test_what_python_warns_of_in_a_sheet_stays_there(tmp_path):
    assert report_of(tmp_path, r"x = '\d'", "x is 'd'").ok


def test_a_sheet_starts_no_processes(tmp_path):
    """The grader's sandbox runs it; the tests of the sandbox try its walls."""
    lines = ["import subprocess, sys", "subprocess.Popen([sys.executable, '-c', ''])"]
    assert "BlockingIOError" in report_of(tmp_path, *lines).failure


def test_a_sheet_does_not_see_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "42")
    report = report_of(tmp_path, "import os", "count = os.environ.get('COURSE_SECRET')")
    assert report["count"].status == "missing"


def test_many_small_arrays_meet_the_memory_limit(tmp_path):
    lines = ["kept = []", "while True: kept.append(np.empty(2**24))"]
    assert "MemoryError" in report_of(tmp_path, *lines).failure
