"""On a terminal no line is wider than it: results, help and errors, at three widths."""

import os
import re
import struct
import sys
import threading

import pytest
from rich.cells import cell_len

from jacobian_bp.cli import main

pty = pytest.importorskip("pty", reason="a pseudo-terminal is for POSIX")
fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")

WIDTHS = (60, 80, 99)
RESULTS = ["", "derive 3-4-2-1", "show dz2/dW2", "check", "ops", "ops softmax"]
COMMANDS = ["derive", "show", "check", "draw", "source", "ops", "compare", "diagnose", "exercise"]
COMMANDS += ["exercise new", "grade", "course", "course new", "new"]
HELP = ["--help", *(f"{name} --help" for name in COMMANDS)]
ERRORS = ["show", "show dz7/dW2", "diagnose", "chain", "grade", "course", "compare 4-x", "ops Con"]


def on_a_terminal(command, columns, monkeypatch):
    """What one command leaves on a terminal of so many columns, line by line; and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    parts = []

    def read():
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                return
            if not part:
                return
            parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    with monkeypatch.context() as patch, open(theirs, "w", encoding="utf-8") as stream:
        for name in ("stdout", "stderr", "__stdout__"):
            patch.setattr(sys, name, stream)
        patch.delenv("COLUMNS", raising=False)
        patch.setenv("TERM", "xterm")
        try:
            code = main(command.split())
        except SystemExit as stop:  # help
            code = stop.code
        stream.flush()
    reader.join()
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", b"".join(parts).decode())
    return re.split(r"[\r\n]+", text), code


def too_wide(commands, columns, code, monkeypatch):
    found = {}
    for command in commands:
        lines, left_by = on_a_terminal(command, columns, monkeypatch)
        assert (left_by or 0) == code, (command, lines)
        assert len(lines) > 2, command
        wide = [line for line in lines if cell_len(line) > columns]
        found |= {command: wide} if wide else {}
    return found


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_of_a_result_is_wider_than_the_terminal(columns, monkeypatch):
    assert too_wide(RESULTS, columns, 0, monkeypatch) == {}


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_of_help_is_wider_than_the_terminal(columns, monkeypatch):
    assert too_wide(HELP, columns, 0, monkeypatch) == {}


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_of_an_error_is_wider_than_the_terminal(columns, monkeypatch):
    assert too_wide(ERRORS, columns, 2, monkeypatch) == {}


def test_in_a_file_a_message_keeps_its_lines(capsys):
    assert main(["grade"]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: an exercise and a submission are needed.\n"
        "  Write jacobian-bp grade --exercise 2 --submission ex2.py, or --summary DIR.\n"
    )


def test_the_table_of_ops_says_first_what_its_signs_mean(monkeypatch):
    lines, _ = on_a_terminal("ops", 60, monkeypatch)
    first = next(n for n, line in enumerate(lines) if line.startswith("Activations"))
    said = " ".join(lines[:first])
    for sign in ("3 of 9:", "A primed index", "δ[k,k'] = 1", "[i'≤o] = 1", "1[n] = 1", "marked ?"):
        assert sign in said
    assert not any(sign in line for line in lines[:first] for sign in ("∂", "->"))
