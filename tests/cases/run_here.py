"""A script or the command run in this process, and what it would have given as one of its own.

Starting an interpreter and loading numpy takes longer than most commands do. What a process of
its own is asked for (signals, pipes, terminals, flags) is in tests/outside/test_process.py.
"""

import io
import runpy
import sys
import traceback
from functools import partial
from typing import NamedTuple

import pytest


class Done(NamedTuple):
    """As subprocess.run gives it."""

    returncode: int
    stdout: bytes
    stderr: bytes


def run_here(start, *arguments, cwd=None, encoding="utf-8"):
    """What `start()` gives with these arguments; where it raises, a traceback and 1."""
    out, err = (
        io.TextIOWrapper(io.BytesIO(), encoding, errors, write_through=True)
        for errors in ("strict", "backslashreplace")
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("stdout", out), ("stderr", err), ("argv", ["here", *arguments])):
            patch.setattr(sys, name, value)
        if cwd is not None:
            patch.chdir(cwd)
        try:
            code = start()
        except SystemExit as end:
            code = end.code
        except Exception:
            traceback.print_exc()
            code = 1
    assert code is None or isinstance(code, int)
    return Done(code or 0, out.buffer.getvalue(), err.buffer.getvalue())


def run_script(path, *arguments, **settings):
    """A script, run from its first line to its last."""
    return run_here(partial(_run, path), *arguments, **settings)


def _run(path):
    runpy.run_path(str(path), run_name="__main__")
