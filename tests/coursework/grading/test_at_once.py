"""Submissions that are graded at once get what each gets alone, in the same order."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from grading_cases import command, sheet, write
from network_cases import refusal

from jacobian_bp import SpecError
from jacobian_bp.coursework.grading.at_once import graded


def class_of(folder):
    folder.mkdir()
    write(folder, sheet(seed=7), "ada.py")
    write(folder, sheet(seed=7, before="raise ValueError('no')"), "bob.py")
    write(folder, "print('no sheet')", "cyd.py")
    return folder


def test_a_folder_graded_by_two_workers_is_told_as_by_one(tmp_path, capsys):
    said = []
    for workers in (1, 2):
        words = ["--exercise", "2", "--submission", str(class_of(tmp_path / f"in{workers}"))]
        words += ["--out-dir", str(tmp_path / f"out{workers}"), "--format", "json"]
        assert command(*words, "--workers", str(workers)) == 1
        said.append(capsys.readouterr().out)
        written = sorted(path.name for path in (tmp_path / f"out{workers}").iterdir())
        assert written == ["ada.py.json", "bob.py.json", "cyd.py.json"]
    assert said[0] == said[1]
    assert "ada" in said[0].splitlines()[0]


def length(job):
    if job == "no":
        raise SpecError("no job.\n  Write another.")
    return len(job)


def killed_once(folder, job):
    """Its process is killed the first time that it is graded."""
    if job == "poison" or (job == "dies" and not os.path.exists(f"{folder}/dead")):
        open(f"{folder}/dead", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def killed_when_told(folder, job):
    """Its process is killed once, when the file is there that says so."""
    if job == "dies" and not os.path.exists(f"{folder}/dead"):
        for _ in range(2000):
            if os.path.exists(f"{folder}/now"):
                break
            time.sleep(0.02)
    return killed_once(folder, job)


def test_what_was_graded_before_a_process_ended_is_graded_once(tmp_path):
    jobs = ["a", "b", "dies", "c", "d"]
    reports = graded(partial(killed_when_told, str(tmp_path)), jobs, 2)
    first = [next(reports), next(reports)]
    (tmp_path / "now").touch()
    assert [*first, *reports] == jobs


def test_one_worker_grades_in_this_process_and_only_what_is_asked_for():
    seen = []
    reports = graded(seen.append, ["a", "b"], 1)
    assert seen == []
    next(reports)
    assert seen == ["a"]
    found = list(graded(length, ["abc", "no", "ab"], 1))
    assert (found[0], str(found[1]), found[2]) == (3, "no job.\n  Write another.", 2)


def ended_by_the_other(job):
    """A slow job, beside which every other one ends the process that it is in."""
    if job == "slow":
        time.sleep(1)
    else:
        os.kill(os.getpid(), signal.SIGKILL)
    return job


@pytest.mark.full
def test_a_slow_job_is_not_blamed_for_the_processes_that_others_end(tmp_path):
    found = list(graded(ended_by_the_other, ["slow", "x", "slow", "y", "z"], 2))
    assert [str(one) for one in found] == [
        "slow",
        ended := "the process that graded it was ended, twice.",
        "slow",
        ended,
        ended,
    ]


@pytest.mark.full
def test_a_worker_that_is_killed_takes_no_other_submission_with_it(tmp_path):
    jobs = ["a", "dies", "b", "poison", "c"]
    found = list(graded(partial(killed_once, str(tmp_path)), jobs, 2))
    assert found[:3] == ["a", "dies", "b"]
    assert str(found[3]) == "the process that graded it was ended, twice."
    assert found[4] == "c"


@pytest.mark.full
def test_a_grader_that_is_asked_to_end_ends_its_workers_and_their_sheets(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("ada.py", "bob.py"):
        write(folder, sheet(seed=7, before="import time\ntime.sleep(500.25)"), name)
    call = [sys.executable, "-m", "jacobian_bp", "grade", "--exercise", "2"]
    call += ["--submission", str(folder), "--out-dir", str(tmp_path / "out")]
    call += ["--workers", "2", "--seconds", "600"]
    process = subprocess.Popen(call, stderr=subprocess.PIPE, start_new_session=True)
    until(lambda: len(processes_of(process.pid)) >= 5)  # the grader, two workers, two sheets
    family = processes_of(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode in (130, 143)
    lines = [Path(f"/proc/{pid}/cmdline") for pid in family]
    until(lambda: not any(line.exists() and line.read_text() for line in lines))


def until(holds, seconds=200):
    """Wait, however slow the machine is; what never comes fails."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def processes_of(session):
    """The processes of a session, and of those that they began in sessions of their own."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,sid"], capture_output=True, text=True)
    rows = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()[1:]]
    family = {pid for pid, _, sid in rows if sid == session}
    for _ in range(3):
        family |= {pid for pid, parent, _ in rows if parent in family}
    return sorted(family)


def test_workers_for_one_submission_or_none_are_refused(tmp_path):
    path = str(write(tmp_path, sheet(seed=7)))
    words = ["--exercise", "2", "--submission", path]
    assert refusal(SpecError, command, *words, "--workers", "2") == (
        "--workers is for a folder, whose submissions are graded at once.\n"
        "  Write --out-dir DIR or --roster CSV, or leave --workers out."
    )
    for number in ("0", "-1", "257"):
        assert refusal(SpecError, command, *words, "--workers", number) == (
            f"--workers is {number}.\n  Write a whole number from 1 to 256."
        )
