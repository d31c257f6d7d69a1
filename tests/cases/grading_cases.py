"""Sheets for the tests of grading, and hostile ones; nothing here is collected."""

import json
import re

import pytest

from jacobian_bp.cli import Parser
from jacobian_bp.coursework.commands.grade import add_parser, run_command
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.sheet import script
from jacobian_bp.coursework.grading.grade import Terms, grade_file
from jacobian_bp.coursework.grading.seeds import seed_of_token, sheet_token
from jacobian_bp.coursework.sandbox import Limits

QUICK = Limits(seconds=120, memory=2**29, file=2**22)  # a slow machine has time enough

HOSTILE = {  # name: (code, kind, a part of the reason)
    "an infinite loop": ("while True: pass", "time-limit", "longer than 1 second"),
    "a sleep": ("import time\ntime.sleep(60)", "time-limit", "longer than 1 second"),
    "a memory bomb": ("x = []\nwhile True: x.append(b'x' * 10**6)", "memory-limit", "MemoryError"),
    "one huge array": ("x = np.ones(10**10)", "memory-limit", "MemoryError"),
    "sys.exit": ("import sys\nsys.exit(0)", "stopped", "SystemExit: 0"),
    "os._exit": ("import os\nos._exit(0)", "no-answers", "with exit status 0"),
    "a huge file": ("f = open('f', 'wb')\nwhile True: f.write(b'x' * 10**6)", "stopped", "large"),
    "a child that outlives": (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'while 1: pass'])",
        "stopped",
        "Resource temporarily unavailable",
    ),
    "a fork bomb": ("import os\nwhile True: os.fork()", "stopped", "unavailable"),
    "an error": ("raise ValueError('no')", "stopped", "ValueError: no"),
    "a huge error": ("raise ValueError('x' * 10**8)", "stopped", "ValueError: xxx"),
    "endless recursion": ("def f(): f()\nf()", "stopped", "RecursionError"),
    "SIGKILL to itself": ("import os\nos.kill(os.getpid(), 9)", "killed", "signal 9"),
    "a crash in C": ("import ctypes\nctypes.string_at(0)", "killed", "signal"),
    "reading input": ("input()", "stopped", "EOFError"),
}


SECRET = b"a secret of a course"


def sheet(exercise=2, seed=7, changes=(), before="", after="", token=""):
    """A sheet filled in rightly, with some text exchanged, and more code around it."""
    text = script(find_exercise(exercise).make(seed, token), solution=True)
    for old, new in changes:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return text.replace("import numpy as np\n", f"import numpy as np\n{before}\n", 1) + after


def own_sheet(student, exercise=2, secret=SECRET, **changes):
    """A student's own sheet, filled in rightly."""
    token = sheet_token(secret, student, exercise)
    return sheet(exercise, seed_of_token(secret, token, exercise), token=token, **changes)


def write(folder, text, name="ex.py"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def graded(tmp_path, exercise=2, level=2, graded_seed=None, **changes):
    path = write(tmp_path, sheet(exercise, **changes))
    return grade_file(path, exercise, Terms(level, None, graded_seed, QUICK))


def command(*arguments):
    """jacobian-bp grade, as the command line calls it; the exit code."""
    parser = Parser()
    add_parser(parser.add_subparsers(dest="command"))
    return run_command(parser.parse_args(["grade", *map(str, arguments)]))


TOP = {"execution_time", "output", "output_format", "visibility", "stdout_visibility"}
TEST = {"score", "max_score", "name", "number", "output", "output_format", "tags", "visibility"}
VISIBLE = {"visible", "hidden", "after_due_date", "after_published"}


def require_gradescope(text):
    """The specification of results.json, as far as this package uses it."""
    results = json.loads(text, parse_constant=pytest.fail)
    total = set() if results["tests"] else {"score"}  # else it is Gradescope's sum
    assert TOP | {"tests", "extra_data"} | total == set(results)
    assert results["visibility"] in VISIBLE
    assert results["stdout_visibility"] in VISIBLE
    assert results["output_format"] == "text"
    for test in results["tests"]:
        assert TEST | {"status"} == set(test)
        assert test["status"] in ("passed", "failed")
        assert (test["status"] == "passed") == (test["score"] == test["max_score"])
        assert test["visibility"] in VISIBLE
        assert re.fullmatch(r"\d+\.\d+", test["number"])
        assert all(isinstance(tag, str) for tag in test["tags"])
    score = sum(test["score"] for test in results["tests"])
    assert results["extra_data"]["score"] == score == results.get("score", score)
    return results
