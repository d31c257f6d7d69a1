"""A student's code run in a process of its own, and the values of the named answers.

The one place that runs what a student wrote. What comes back is read as numbers
and short text, never unpickled.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...symbols import safe
from .compare import Unusable

SECONDS = 20.0
MOST_BYTES = 2**28
KEPT = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
SILENT: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
UNREADABLE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError),
    zipfile.BadZipFile,
)
CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, eq=False)
class Collected:
    """The values by name; where the code did not come to its end, why."""

    answers: dict[str, Any] = field(default_factory=dict)
    failure: str = ""


def collect(code: str, names: Sequence[str], seconds: float = SECONDS) -> Collected:
    """Run `code` and read `names` from it; what could not be read is left out with a reason."""
    with tempfile.TemporaryDirectory(prefix="sheet") as folder:
        script, result = Path(folder, "sheet.py"), Path(folder, "answers.zip")
        script.write_text(code, encoding="utf-8", newline="\n")
        command = [sys.executable, "-I", str(CHILD), str(script), str(result), *names]
        if not _ends(command, folder, seconds):
            return Collected(failure=f"the file runs longer than {seconds:g} seconds")
        if not result.is_file():
            return Collected(failure="the process ended without giving answers")
        return _read(result)


def _ends(command: list[str], folder: str, seconds: float) -> bool:
    """Run a command to its end; False if it had to be ended, with all that it started."""
    environment = {**KEPT, "HOME": folder, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True, **SILENT
    )
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        with suppress(OSError, AttributeError):  # nothing left to end, or no groups here
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def _read(path: Path) -> Collected:
    answers: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                return Collected(failure="the answers are too large together")
            index = json.loads(archive.read("index.json"))
            for name, (kind, value) in index.items():
                if kind == "array":
                    data = io.BytesIO(archive.read(value))
                    answers[name] = np.lib.format.read_array(data, allow_pickle=False)
                else:
                    answers[name] = Unusable(safe(value)) if kind == "unusable" else value
    except UNREADABLE:
        return Collected(failure="the answers cannot be read back")
    return Collected(answers, safe(answers.pop("", "")))
