"""Code from a student in a process of its own: every attack ends in a report without points."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from grading_cases import HOSTILE, QUICK, sheet, write
from sampled import seldom

from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.grade import Terms, grade_file
from jacobian_bp.coursework.sandbox import Limits, run_code, stopped_in_order
from jacobian_bp.coursework.sandbox.read_back import Unreadable, read_answers

posix = pytest.mark.skipif(os.name != "posix", reason="the limits are those of POSIX")
SHORT = replace(QUICK, seconds=1)


def test_values_of_every_kind_come_back():
    code = """
import numpy as np
W = np.arange(6.0).reshape(2, 3).T
half = np.float32([1.5, 2.5])
mask = np.array([True, False])
m = 10**40
long = [[2**70, 1]]
name, nothing, other, complex_one = 'flat', None, {1}, 1j
"""
    names = ["W", "half", "mask", "m", "long", "name", "nothing", "other", "complex_one", "absent"]
    found = run_code(code, names, QUICK)
    assert (found.failure, found.kind) == ("", "")
    assert np.array_equal(found.values["W"], [[0, 3], [1, 4], [2, 5]])
    assert found.values["half"].dtype == np.float32
    assert found.values["mask"].tolist() == [True, False]
    assert (found.values["m"], found.values["name"]) == (10**40, "flat")
    assert found.values["nothing"] is None
    assert found.unusable == {"other": "a set, not numbers", "complex_one": "complex, not real"}
    assert found.values["long"].tolist() == [[2.0**70, 1.0]]
    assert "absent" not in found.values


@pytest.mark.one_in(2)
@posix
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_submission_gets_a_valid_report_without_points(name, tmp_path):
    code, kind, part = HOSTILE[name]
    path = write(tmp_path, sheet(before=code))
    limits = SHORT if kind == "time-limit" else QUICK
    report = grade_file(path, 2, Terms(limits=limits))
    assert (report.score, report.ok, report.kind) == (0, False, kind)
    assert part in report.failure
    results = json.loads(FORMATS["gradescope"](report))
    assert results["extra_data"]["score"] == 0
    assert part in results["output"]
    assert {test["status"] for test in results["tests"]} == {"failed"}
    assert len(results["tests"]) == len(report.marks) == 21


@posix
@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("x = 1\n\ndef f():\n    raise ValueError('no')\n\nf()", "line 4: ValueError: no"),
        ("\nnp.reshape(1,\n  (2, 3))", "line 2: ValueError: cannot reshape array of size 1"),
    ],
)
def test_an_error_is_told_with_the_last_line_of_the_sheet_on_its_way(code, failure):
    found = run_code(f"import numpy as np; {code}", ["x"], QUICK)
    assert found.failure.startswith(failure)


def test_answers_before_a_failure_count(tmp_path):
    path = write(tmp_path, sheet(after="\nraise ValueError('at the end')\n"))
    report = grade_file(path, 2, Terms(limits=QUICK))
    assert report.score == report.max_score
    assert not report.ok
    assert report.failure.endswith("ValueError: at the end")


@posix
def test_answers_before_memory_is_full_of_small_objects_count():
    """Not even a sentence has room in it then: what is spare is given first."""
    found = run_code("W = 1\nx = []\nwhile True: x.append(bytes(100))", ["W"], QUICK)
    assert (found.values, found.failure, found.kind) == (
        {"W": 1},
        "line 3: MemoryError",
        "memory-limit",
    )


@pytest.mark.parametrize("megabytes", [100, seldom(1_000)])
def test_output_without_end_is_dropped_and_the_answers_count(megabytes):
    code = f"W = 1\nfor _ in range({megabytes}): print('x' * 10**6)"
    found = run_code(code, ["W"], Limits(seconds=300))
    assert (found.values, found.failure) == ({"W": 1}, "")
    assert len(found.output) == Limits().output


@posix
def test_what_is_printed_is_kept_for_the_instructor():
    found = run_code("print('one'); import sys; print('two', file=sys.stderr)", [], QUICK)
    assert sorted(found.output.split()) == ["one", "two"]
    broken = run_code("import sys\nW = 1\nsys.stdout = None", ["W"], QUICK)
    assert (broken.values, broken.failure) == ({"W": 1}, "")


@posix
def test_no_process_and_no_file_is_left():
    code = """
import os, time
started = 0
for attempt in range(3):
    try:
        if os.fork() == 0:
            os.setsid()
            time.sleep(5)
            os._exit(0)
        started += 1
    except OSError: pass
folder = os.getcwd()
open('f', 'w').close()
"""
    found = run_code(code, ["started", "folder"], QUICK)
    assert found.values["started"] == 0
    assert not Path(found.values["folder"]).exists()


GRADER = """
import subprocess, sys
from jacobian_bp.coursework.sandbox import Limits, run_code, stopped_in_order

class Told(subprocess.Popen):
    def wait(self, timeout=None):
        print(self.pid, flush=True)
        return super().wait(timeout)

subprocess.Popen = Told
with stopped_in_order():
    run_code("import time; time.sleep(250)", [], Limits(seconds=250))
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="by /proc")


def runs(pid):
    """Whether a process is there, and not only waits to be asked how it ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@linux
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_the_sheet_ends_with_its_grader(name, tmp_path):
    number = getattr(signal, name)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", GRADER]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as grader:
        sheet_pid = int(grader.stdout.readline())
        assert runs(sheet_pid)
        grader.send_signal(number)
        ended = grader.wait(300)
    assert ended == (-number if name == "SIGKILL" else 128 + number)
    guard = time.monotonic() + 300
    while runs(sheet_pid) and time.monotonic() < guard:
        time.sleep(0.05)
    assert not runs(sheet_pid)
    if name != "SIGKILL":  # which gives nobody the time to tidy up
        assert list(tmp_path.iterdir()) == []


@posix
def test_signals_are_handled_as_before_afterwards():
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)]
    kept = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_in_order():
            assert callable(signal.getsignal(signal.SIGTERM))
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # as under nohup
    finally:
        signal.signal(signal.SIGHUP, kept)
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)] == before
    thread = threading.Thread(target=lambda: stopped_in_order().__enter__())
    thread.start()
    thread.join(300)


@posix
def test_deleting_the_working_directory_changes_nothing():
    code = "import os, shutil\nW = 1\nopen('f', 'w').close()\nshutil.rmtree(os.getcwd(), True)"
    found = run_code(code, ["W"], QUICK)
    assert (found.values, found.failure) == ({"W": 1}, "")


@posix
def test_the_working_directory_is_empty_and_can_be_written():
    code = (
        "import os\nW = len(os.listdir('.'))\nopen('f', 'w').write('x')\nV = len(os.listdir('.'))"
    )
    assert run_code(code, ["W", "V"], QUICK).values == {"W": 0, "V": 1}


@posix
def test_the_environment_and_the_packages_are_not_the_graders(monkeypatch):
    monkeypatch.setenv("JACOBIAN_BP_SECRET", "a secret of a course")
    code = """
import os
names, told = " ".join(os.environ), "a secret of a course" in os.environ.values()
try:
    import jacobian_bp
    V = 1
except ImportError:
    V = 0
"""
    found = run_code(code, ["names", "told", "V"], QUICK, numpy_only=True).values
    threads = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"}
    assert {*found["names"].split()} - {"LC_CTYPE"} == threads | {"PATH", "HOME", "TMPDIR", "LANG"}
    assert not found["told"]
    assert found["V"] == 0


@posix
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="as root only")
def test_root_gives_its_rights_up(tmp_path):
    protected = tmp_path / "protected"
    code = f"""
import os
W = os.getuid()
try:
    os.kill(os.getppid(), 9)
except OSError as error:
    V = type(error).__name__
try:
    open({str(protected)!r}, 'w')
except OSError as error:
    U = type(error).__name__
"""
    found = run_code(code, ["W", "V", "U"], QUICK)
    assert found.values["W"] != 0
    assert (found.values["V"], found.values["U"]) == ("PermissionError", "PermissionError")
    assert not protected.exists()


@posix
def test_a_patched_numpy_cannot_reach_the_judge(tmp_path):
    patch = "np.allclose = np.array_equal = lambda *a, **k: True\nnp.isfinite = np.abs\n"
    report = grade_file(
        write(
            tmp_path,
            sheet(
                changes=[("dW2 = np.outer(delta2, a1)", "dW2 = 0 * np.outer(delta2, a1)")],
                after=patch + "np.asarray = lambda *a, **k: 1\nnp.ndarray = None\n",
            ),
        ),
        2,
        Terms(limits=QUICK),
    )
    assert not report.ok
    assert all(mark.score == 0 for mark in report.marks if mark.object == "dW2")
    assert np.allclose([1.0], [1.0])
    assert not np.allclose([1.0], [2.0])


@posix
@pytest.mark.parametrize(
    "value", ["np.nan", "1e308 * np.ones(3)", *map(seldom, ("np.full((3,), np.nan)", "np.inf"))]
)
def test_nan_and_infinity_are_never_right(tmp_path, value):
    changed = [("delta3 = S3 @ (a3 - y)", f"delta3 = {value}")]
    report = grade_file(write(tmp_path, sheet(changes=changed)), 2, Terms(limits=QUICK))
    assert all(m.score == 0 for m in report.marks if m.object == "delta3" and m.aspect != "shape")
    json.loads(FORMATS["gradescope"](report), parse_constant=pytest.fail)


# ---------------------------------------------------------------- what the process wrote


FORGED = {
    "no JSON": b"hello",
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "a zip": b"PK\x03\x04" + bytes(100),
    "a list": b"[]\n",
    "more bytes claimed": b'{"failure":"","kind":"","values":{"W":["array",["<f8",[9]]]}}\n'
    + bytes(8),
    "a giant shape": b'{"failure":"","kind":"","values":{"W":["array",["<f8",[9999999999999]]]}}\n',
    "a negative shape": b'{"failure":"","kind":"","values":{"W":["array",["<f8",[-1]]]}}\n'
    + bytes(8),
    "objects": b'{"failure":"","kind":"","values":{"W":["array",["|O",[1]]]}}\n' + bytes(8),
    "a record": b'{"failure":"","kind":"","values":{"W":["array",["V8",[1]]]}}\n' + bytes(8),
    "a true size": b'{"failure":"","kind":"","values":{"W":["array",["<f8",[true]]]}}\n' + bytes(8),
    "bytes left over": b'{"failure":"","kind":"","values":{}}\n' + bytes(8),
    "another name": b'{"failure":"","kind":"","values":{"score":["number",5]}}\n',
    "a float as number": b'{"failure":"","kind":"","values":{"W":["number",1e999]}}\n',
    "an odd kind": b'{"failure":"","kind":"","values":{"W":["call","os.system"]}}\n',
    "failure no text": b'{"failure":[],"kind":"","values":{}}\n',
    "deep": b'{"failure":"","kind":"","values":' + b"[" * 100_000,
    "a long number": b'{"failure":"","kind":"","values":{"W":["number",' + b"9" * 5000 + b"]}}\n",
    "a failure without a kind": b'{"failure":"W1 = 0.79","kind":"","values":{}}\n',
    "a kind without a failure": b'{"failure":"","kind":"stopped","values":{}}\n',
    "the grader's own kind": b'{"failure":"f","kind":"killed","values":{}}\n',
    "two lines": b'{"failure":"","kind":"","values":{}}\n' * 2,
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_result_is_refused(name, tmp_path):
    with open(write_bytes(tmp_path, FORGED[name]), "rb") as file, pytest.raises(Unreadable):
        read_answers(file, ["W"], 2**20)


def test_a_result_that_is_too_large_is_not_read(tmp_path):
    with (
        open(write_bytes(tmp_path, bytes(2**20 + 1)), "rb") as file,
        pytest.raises(Unreadable, match="too large together"),
    ):
        read_answers(file, ["W"], 2**20)


def test_what_is_well_formed_is_read(tmp_path):
    raw = np.array([[1.5, -2.0]], "<f4").tobytes()
    text = b'{"failure":"f","kind":"stopped","values":{"W":["array",["<f4",[1,2]]]}}\n' + raw
    with open(write_bytes(tmp_path, text), "rb") as file:
        found = read_answers(file, ["W"], 2**20)
    assert (found.failure, found.kind) == ("f", "stopped")
    assert found.values["W"].tolist() == [[1.5, -2.0]]
    assert found.values["W"].flags.writeable


@posix
def test_forging_from_inside_earns_nothing(tmp_path):
    forged = b'{"failure":"","kind":"","score":99,"values":{"delta3":["number",1]}}\n'
    code = f"""
import os
for number in range(3, 20):
    try: os.write(number, {forged!r})
    except OSError: pass
os._exit(0)
"""
    report = grade_file(write(tmp_path, sheet(before=code)), 2, Terms(limits=QUICK))
    assert report.score == 0


def write_bytes(folder, content):
    path = folder / "result"
    path.write_bytes(content)
    assert io.BytesIO(content).getbuffer().nbytes == path.stat().st_size
    return path
