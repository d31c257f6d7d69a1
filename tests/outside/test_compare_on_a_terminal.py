"""`compare` on a real terminal: what is long is announced before it is started, and asked about."""

import os
import re
import signal
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="a pseudo-terminal is for POSIX")
LONG = ["1000-1000-1000"]  # predicted from its shapes: above a minute
MIDDLING = ["200-200-10", "--batch", "32"]  # its largest call above a second
ASKED = (
    "jacobian-bp: SpecError: this comparison takes about 73 s.",
    "Its largest call is full, planned at 1000-1000-1000, one example, float64:",
    "2,010,000,000 multiplications, 7.5 GiB at its peak, about 9 s.",
    "Add --yes to start it, or write smaller sizes.",
)


def on_a_terminal(arguments, until=None, limit="32GiB"):
    """What stands on the terminal, one blank for any white space, and the exit code.

    With `until` the command is interrupted as soon as these words stand there.
    """
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "jacobian_bp", "compare", *arguments]
    environment = {**os.environ, "TERM": "dumb", "JACOBIAN_BP_MEMORY_LIMIT": limit}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    shown, interrupted = b"", False
    try:
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
            if until and until in plain(shown) and not interrupted:
                process.send_signal(signal.SIGINT)
                interrupted = True
    finally:
        os.close(ours)
        code = process.wait()
    return plain(shown), code


def plain(shown):
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode("utf-8", "replace"))
    return " ".join(text.split())


def test_above_a_minute_yes_is_asked_for_before_anything_is_timed():
    shown, code = on_a_terminal(LONG)
    assert shown == " ".join(ASKED)
    assert code == 2


@pytest.mark.full
def test_above_half_of_the_memory_it_is_asked_for_too():
    shown, code = on_a_terminal(MIDDLING, limit="3GiB")
    assert shown == (
        "jacobian-bp: SpecError: this comparison takes more than half of the memory limit, "
        "3.0 GiB. Its fullest call is full, reverse at 200-200-10, batch 32, float64: "
        "301,043,840 multiplications, 1.9 GiB at its peak, about 2 s. "
        "Add --yes to start it, or write smaller sizes."
    )
    assert code == 2


@pytest.mark.full
def test_the_largest_call_is_announced_before_it_is_started():
    shown, code = on_a_terminal(MIDDLING, until="at its peak")
    before, _, _ = shown.partition("largest full, planned at 200-200-10, batch 32, float64:")
    assert before != shown
    assert not {"predicted", "measured"} & set(before.split())
    assert "344,389,760 multiplications, 1.9 GiB at its peak, about 2 s" in shown
    assert code != 0


def test_with_yes_it_is_started():
    shown, code = on_a_terminal([*LONG, "--yes"], until="at its peak")
    before, largest, _ = shown.partition(
        "largest full, planned at 1000-1000-1000, one example, float64:"
    )
    assert largest
    assert not {"SpecError:", "predicted", "measured"} & set(before.split())
    assert code != 0
