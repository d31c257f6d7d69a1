"""Every way to stop `compare`, and every file that fails: no row is lost."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import compare_main
import pytest
from compare_main import QUICK, caller, plain, table
from sampled import seldom

from jacobian_bp.compare import command
from jacobian_bp.compare.report import options, screen
from jacobian_bp.compare.timing import stopping, timer
from jacobian_bp.compare.timing.subjects import ROUTES
from jacobian_bp.errors import SpecError


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def test_nothing_finished_is_said(call, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(screen, "overheads", interrupted)
    code, lines, err = call("--widths 3,5 --json r.json")
    assert code == 130
    assert err == "jacobian-bp: interrupted; nothing was finished\n"
    assert lines[-2:] == [
        "incomplete: it was interrupted",
        "not written: r.json; there are no rows",
    ]


@pytest.mark.parametrize("complete", [True, False])
def test_one_file_that_fails_does_not_lose_the_others(call, monkeypatch, complete):
    """The picture cannot be drawn and a folder is gone: the table is written all the same."""
    pytest.importorskip("matplotlib")
    Path("gone").mkdir()

    def end(*arguments):
        if Path("gone").exists():
            Path("gone").rmdir()
            if not complete:
                raise KeyboardInterrupt
        return []

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(screen, "built_lines", end)
    monkeypatch.setattr(command, "draw", full)
    code, lines, err = call(f"--widths 3,5,7 {QUICK} --plot p.svg --json gone/r.json --csv r.csv")
    assert code == 3
    assert lines[-1] == "written   r.csv" + ("" if complete else ", incomplete")
    assert len(list(csv.DictReader(Path("r.csv").read_text().splitlines()))) == 15
    said = [line for line in err.splitlines() if not plain(line)]
    assert said[-2:] == [
        "jacobian-bp: not written: gone/r.json: No such file or directory",
        "jacobian-bp: not written: p.svg: No space left on device",
    ]
    assert os.listdir() == ["r.csv"]


def test_a_picture_that_fails_in_any_way_loses_no_file(call, monkeypatch):
    def broken(*arguments):
        raise MemoryError

    monkeypatch.setattr(command, "draw", broken)
    monkeypatch.setattr(options, "require_matplotlib", lambda: None)
    code, lines, err = call(f"--widths 3,5 {QUICK} --plot p.png --json r.json")
    assert (code, lines[-1]) == (3, "written   r.json")
    assert err.splitlines()[-1] == "jacobian-bp: not written: p.png: MemoryError"


def test_an_interrupted_card_has_all_that_is_known(call, monkeypatch):
    """Interrupted in the rounds of the routes: predictions, ratios, and what the mark means."""
    right = timer.Timer._seconds
    rounds = []

    def interrupted(self, call, calls):
        rounds.append(calls)
        if len(rounds) > 60:
            raise KeyboardInterrupt
        return right(self, call, calls)

    monkeypatch.setattr(timer.Timer, "_seconds", interrupted)
    code, lines, _ = call("5-3-2 --batch 7 --repeats 500")
    assert code == 130
    assert [row[:14].strip() for row in table(lines, "predicted from the shapes")[:5]] == list(
        ROUTES
    )
    start = lines.index("incomplete: it was interrupted")
    head, rows = lines[start + 2], lines[start + 3 : start + 3 + len(ROUTES)]
    assert "× vjp" in head
    assert [row[:14].strip() for row in rows] == list(ROUTES)
    assert all(row.endswith(" …") for row in rows)
    assert rows[-1].split()[-3:][0] != "-"
    assert lines[start + 3 + len(ROUTES)] == (
        "  …: interrupted; the times are those of so many rounds"
    )


def test_an_error_further_on_says_what_was_saved(call, monkeypatch):
    def failed(*arguments):
        raise SpecError("planted")

    monkeypatch.setattr(screen, "own_chain", failed)
    code, _, err = call(f"3-2 {QUICK} --json r.json")
    assert code == 2
    assert "written   r.json, incomplete" in err.splitlines()


COMMAND = [sys.executable, compare_main.__file__, "compare"]


def started(folder, *options):
    """A process that has begun to time its first size."""
    env = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    lines = [process.stdout.readline().decode() for _ in range(3)]
    return process, lines


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("older", "how"),
    [
        (False, signal.SIGINT),
        (True, signal.SIGTERM),
        seldom(True, signal.SIGINT),
        seldom(False, signal.SIGTERM),
    ],
)
def test_a_signal_keeps_what_is_finished(tmp_path, how, older):
    path = tmp_path / "r.json"
    if older:
        path.write_text("{}")
    process, _ = started(tmp_path, "--widths", "3,5,7,400", "--repeats", "2", "--json", "r.json")
    while not process.stdout.readline().strip().startswith(b"7  vjp"):
        assert process.poll() is None
    process.send_signal(how)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    said = [line for line in err.decode().splitlines() if not plain(line)]
    assert said == ["jacobian-bp: interrupted; the rows above are what was finished"]
    lines = out.decode().splitlines()
    assert "incomplete: it was interrupted" in lines
    assert "exponent of the width, with its 95 % interval" in lines
    written = tmp_path / ("r.incomplete.json" if older else "r.json")
    found = json.loads(written.read_text())
    assert found["complete"] is False
    assert [row["complete"] for row in found["rows"]][:15] == [True] * 15
    if older:
        assert path.read_text() == "{}"
        assert lines[-1] == "written   r.incomplete.json, incomplete; r.json is as it was"
    else:
        assert lines[-1] == "written   r.json, incomplete"


def test_a_reader_that_goes_away_leaves_the_rows_in_the_file(tmp_path):
    process, lines = started(tmp_path, "3-2", "--repeats", "2", "--json", "r.json")
    assert lines[0] == "network   3-2, one example, float64; Identity; SquaredError\n"
    process.stdout.close()
    err = process.stderr.read().decode().splitlines()
    assert [line for line in err if not plain(line)] in (
        ["written   r.json, incomplete"],
        ["not written: r.json; there are no rows"],
    )
    assert process.wait(timeout=300) == 141
    process.stderr.close()
    if (tmp_path / "r.json").exists():  # the pipe may break before the first row
        assert json.loads((tmp_path / "r.json").read_text())["complete"] is False


@pytest.mark.one_in(2)
@pytest.mark.parametrize("where", ["> /dev/full", ">&-"])
def test_an_output_that_fails(tmp_path, where):
    line = f"{' '.join(COMMAND)} 3-2 --repeats 1 {where}"
    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 3
    said = [line for line in done.stderr.decode().splitlines() if not plain(line)]
    assert said[0].startswith("jacobian-bp: the output cannot be written: ")


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C", "PYTHONCOERCECLOCALE": "0"}]
)
def test_an_output_without_unicode_gets_ascii(tmp_path, env):
    done = subprocess.run(
        [*COMMAND, "3-2", "--repeats", "1"],
        env=os.environ | {"TERM": "dumb", "PYTHONUTF8": "0"} | env,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0
    assert plain(done.stderr.decode())
    if "PYTHONIOENCODING" in env:
        text = done.stdout.decode("ascii")
        assert "\\x" not in text
        assert "\\u" not in text
        assert max(map(len, text.splitlines())) < 100


def test_the_handler_of_sigterm_is_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping.termination_as_interrupt():
        assert signal.getsignal(signal.SIGTERM) is not before
        with stopping.undisturbed():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_installs_nothing():
    found = []

    def run():
        before = signal.getsignal(signal.SIGTERM)
        with stopping.termination_as_interrupt(), stopping.undisturbed():
            found.append(signal.getsignal(signal.SIGTERM) is before)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [True]
