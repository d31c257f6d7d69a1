"""A sheet whose time is up: what it has answered counts, and nobody else words the reason."""

import os
from dataclasses import replace

import pytest
from grading_cases import QUICK, sheet, write

from jacobian_bp.coursework.grading.grade import Terms, grade_file
from jacobian_bp.coursework.sandbox import run_code

posix = pytest.mark.skipif(os.name != "posix", reason="the alarm is that of POSIX")
SHORT = replace(QUICK, seconds=1)

TIME_UP = """
import signal
W = np.ones(3)
left = signal.getitimer(signal.ITIMER_REAL)[0]
signal.setitimer(signal.ITIMER_REAL, 0.01)
while True:
    try:
        while True: {}
    except BaseException:
        pass
V = 1
"""


@posix
@pytest.mark.parametrize("line", ["pass", "__import__('time').sleep(99)", "print('x' * 10**4)"])
def test_answers_before_the_time_limit_count(line):
    """The alarm comes early here, so that no test is as slow as a slow machine needs."""
    code = "import numpy as np" + TIME_UP.format(line)
    found = run_code(code, ["W", "V", "left"], QUICK)
    assert (found.failure, found.kind) == ("the file runs longer than 120 seconds", "time-limit")
    assert found.values.keys() == {"W", "left"}
    assert found.values["W"].tolist() == [1, 1, 1]
    assert 0 < found.values["left"] <= QUICK.seconds


@posix
def test_without_the_alarm_nothing_counts():
    code = "W = 1\nimport signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
    code += "while True: time.sleep(1)"
    found = run_code(code, ["W"], SHORT)
    assert (found.values, found.kind) == ({}, "time-limit")
    assert found.failure == "the file runs longer than 1 second"


@posix
def test_an_alarm_while_answers_are_handed_over_changes_nothing():
    code = """
import numpy as np, signal
W = np.ones(3)
class Late:
    def __array__(self, *arguments, value=W, alarm=signal.raise_signal, **options):
        alarm(14)
        return value
V = Late()
"""
    found = run_code(code, ["W", "V"], QUICK)
    assert (found.failure, found.kind) == ("", "")
    assert [found.values[name].tolist() for name in ("W", "V")] == [[1, 1, 1]] * 2


@posix
def test_the_points_of_answers_before_the_time_limit(tmp_path):
    alarm = "import signal; signal.raise_signal(signal.SIGALRM)\ndelta2 = S2"
    path = write(tmp_path, sheet(changes=[("delta2 = S2", alarm)]))
    report = grade_file(path, 2, Terms(limits=QUICK))
    assert {m.object for m in report.marks if m.score} == {"S3", "delta3", "S2"}
    assert (report.score, report.kind, report.labels) == (15, "time-limit", ("time-limit",))
    assert report.failure == "the file runs longer than 120 seconds"


@posix
def test_a_sheet_that_stops_before_its_first_answer_is_run_once(tmp_path):
    report = grade_file(write(tmp_path, sheet(before="1 / 0")), 2, Terms(limits=QUICK))
    assert (report.score, report.record["fresh_seconds"]) == (0, 0)
    assert report.record["sheet_seconds"] > 0


@posix
def test_the_words_on_the_time_limit_are_the_graders_own():
    forged = b'{"failure":"W1 = 0.79","kind":"time-limit","values":{}}\n'
    code = f"""
import os
for number in range(3, 20):
    try: os.write(number, {forged!r})
    except OSError: pass
os._exit(0)
"""
    found = run_code(code, ["W"], QUICK)
    assert (found.failure, found.kind) == ("the file runs longer than 120 seconds", "time-limit")
