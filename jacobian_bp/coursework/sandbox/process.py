"""A student's code run in a process of its own, and the values of the names asked for.

    run_code("W = 2 * 3", ["W"]).values    {'W': 6}

When the time is up, the values that are there are handed over, if the code lets it.
Limited: wall and processor time, memory, the size of a file, processes and threads (none
further), output. The process has an empty working directory, an environment without
anything of the grader's, no input; as root the grader runs it as a user of its own. What comes
back is read as numbers and short text, never unpickled. Not limited: reading files, and
the network; for that a container is needed.
"""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...writing.signs import plural, safe
from .forbidden_calls import filter_program
from .read_back import TIME_LIMIT, Unreadable, read_answers
from .run_folder import run_folder

CHILD = Path(__file__).with_name("child.py")
PACKAGES = tuple({str(Path(np.__file__).parents[1]): 0, str(Path(__file__).parents[3]): 0})
HANDING_OVER = 2.0  # seconds for a file whose time is up to hand over what it has
GRACE = 2.0  # seconds to wait for a process that was killed, and for its last words


@dataclass(frozen=True)
class Limits:
    """What a student's code may use; bytes, and seconds of wall and of processor time."""

    seconds: float = 20.0
    memory: int = 2 * 2**30
    file: int = 64 * 2**20  # of each file, and of all answers together
    output: int = 2**16  # what is kept of it; the rest is dropped


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came back: values, reasons for those that are none, and why the code stopped.

    `kind` is "" where it came to its end, else one of stopped, time-limit, memory-limit,
    killed, no-answers.
    """

    values: dict[str, Any] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    kind: str = ""
    output: str = ""
    seconds: float = 0.0


def run_code(
    code: str, names: Sequence[str], limits: Limits = Limits(), numpy_only: bool = False
) -> Outcome:
    """Run `code` and read `names` from it; whatever it does, there is an outcome.

    With `numpy_only` no other package can be imported but those of Python itself.
    """
    began = time.monotonic()
    with (
        run_folder() as folder,
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as result,
    ):
        request = _request(code, names, limits, numpy_only, folder.user)
        asked.write(json.dumps(request).encode("ascii"))
        asked.seek(0)
        ended, output = _process(folder.path, asked, result, limits)
        seconds = time.monotonic() - began
        return _outcome(ended, result, names, limits, output, seconds)


def _request(
    code: str, names: Sequence[str], limits: Limits, numpy_only: bool, user: int | None
) -> dict[str, Any]:
    return {
        "code": code,
        "names": list(names),
        "packages": PACKAGES,
        "numpy_only": numpy_only,
        "grader": os.getpid(),
        "user": user,
        "forbidden_calls": filter_program().hex(),
        "memory": limits.memory,
        "until": time.monotonic() + limits.seconds,  # one clock for all processes
        "seconds": math.ceil(limits.seconds + HANDING_OVER),
        "file": limits.file,
    }


def _process(
    folder: str, asked: IO[bytes], result: IO[bytes], limits: Limits
) -> tuple[int | None, str]:
    """The exit status, None for a time-out, and the beginning of what was printed."""
    command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(CHILD)]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(folder),
        stdin=asked,
        stdout=result,
        stderr=subprocess.PIPE,
        bufsize=0,  # a reader that waits must not keep the pipe from being closed
        start_new_session=True,
    ) as process:
        try:
            kept = bytearray()
            assert process.stderr is not None
            reader = threading.Thread(
                target=_drain, args=(process.stderr, kept, limits.output), daemon=True
            )
            reader.start()
            ended: int | None = process.wait(limits.seconds + HANDING_OVER)
        except subprocess.TimeoutExpired:
            ended = None
        finally:  # also where the grader itself is asked to end
            _kill(process)
        reader.join(GRACE)
        return ended, bytes(kept).decode("utf-8", "replace")


def _environment(folder: str) -> dict[str, str]:
    """Nothing of the grader's own, which may hold the course's secret."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    system = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    places = {"PATH": os.defpath, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"}
    return {**system, **threads, **places}


def _drain(stream: IO[bytes], kept: bytearray, most: int) -> None:
    with suppress(OSError, ValueError):
        while piece := stream.read(2**16):
            kept += piece[: max(0, most - len(kept))]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and all of its group."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)


def _outcome(
    ended: int | None,
    result: IO[bytes],
    names: Sequence[str],
    limits: Limits,
    output: str,
    seconds: float,
) -> Outcome:
    if ended is None or (ended < 0 and -ended == getattr(signal, "SIGXCPU", 0)):
        said = _too_long(limits)
        return Outcome(failure=said, kind=TIME_LIMIT, output=output, seconds=seconds)
    try:
        answers = read_answers(result, names, limits.file)
    except Unreadable as error:
        said, kind = _why(ended, output, str(error))
        return Outcome(failure=said, kind=kind, output=output, seconds=seconds)
    unusable = {name: safe(says) for name, says in answers.unusable.items()}
    said = _too_long(limits) if answers.kind == TIME_LIMIT else safe(answers.failure)
    return Outcome(answers.values, unusable, said, answers.kind, output, seconds)


def _why(ended: int, output: str, error: str) -> tuple[str, str]:
    """Why there is nothing to read, and its kind."""
    if ended < 0:
        return f"the process was ended by signal {-ended}", "killed"
    if "MemoryError" in output[-2000:]:
        return "the memory limit was reached", "memory-limit"
    if error:
        return error, "no-answers"
    return f"the process ended without giving answers, with exit status {ended}", "no-answers"


def _too_long(limits: Limits) -> str:
    """In the grader's own words, as these are shown without a look at what they say."""
    seconds = limits.seconds
    said = plural(int(seconds), "second") if seconds == int(seconds) else f"{seconds:g} seconds"
    return f"the file runs longer than {said}"
