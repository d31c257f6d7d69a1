"""Run one sheet and hand back the named values; a script for a process of its own.

Reads a request (JSON) from standard input. Before the sheet runs, the rights are given up
where the grader is root, the process is set to end with the grader (on Linux), and the
limits are set. At its end, or when its time is up, one line of JSON and the bytes of the
arrays go to what was standard output; what the sheet prints goes to standard error.
"""

import importlib
import json
import os
import signal
import sys
import time
import types
from contextlib import suppress
from functools import partial
from typing import Any

resource: Any
try:
    import resource
except ImportError:
    resource = None  # Windows: the time limit is left

ctypes: Any
try:
    import ctypes
except ImportError:
    ctypes = None

LARGEST, LONGEST = 2 * 10**6, 1000  # entries of an answer, characters of a text
PRELOADED = (
    *("ast", "bisect", "collections", "copy", "dataclasses", "decimal", "enum", "fractions"),
    *(
        "functools",
        "heapq",
        "io",
        "itertools",
        "math",
        "operator",
        "pathlib",
        "pprint",
        "random",
        "re",
    ),
    *("shutil", "signal", "statistics", "string", "subprocess", "tempfile", "textwrap"),
    *("threading", "time", "typing", "unicodedata", "unittest", "warnings"),
    *("csv", "inspect", "zipfile"),
    *("numpy.fft", "numpy.linalg", "numpy.ma", "numpy.polynomial", "numpy.random"),
)
DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG of Linux
NO_NEW_PRIVILEGES, SECCOMP, SECCOMP_FILTER = 38, 22, 2
TIME_UP = "time-limit"
SOON = 1e-3  # seconds; 0 would set no alarm
SPARE = 2**26  # memory that is left to report with, once the sheet has used its own


def main():
    request = json.load(sys.stdin.buffer)
    result = _part_streams()
    np = _numpy(request.pop("packages"), request["numpy_only"])
    _give_up_rights(request["user"])
    _end_with(request["grader"])
    _set_limits(request)
    _forbid_calls(bytes.fromhex(request["forbidden_calls"]))
    module = types.ModuleType("__main__")
    hand_over = partial(_hand_over, np, request["names"], module.__dict__, result)
    _hand_over_at(request["until"], hand_over)
    hand_over(*_run(request["code"], module))


def _hand_over_at(moment, hand_over):
    """Hand over what is there when the time is up; where there is no alarm, nothing counts.

    Nothing is raised, so no `except` of the sheet can be in the way. An alarm waits for the
    end of a call into C, and a sheet can switch it off: then the grader ends the process.
    """
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: hand_over(TIME_UP, TIME_UP))
        signal.setitimer(signal.ITIMER_REAL, max(moment - time.monotonic(), SOON))


def _hand_over(np, names, space, result, failure, kind):
    """Write the answers, and end."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # once is enough
    with suppress(BaseException):  # what is printed, before os._exit; the sheet may have changed it
        sys.stdout.flush()
    _allow_spare()
    values = {name: space[name] for name in names if name in space}
    space.clear()
    arrays: list[bytes] = []
    index = {name: _described(np, value, arrays) for name, value in values.items()}
    line = json.dumps({"failure": failure, "kind": kind, "values": index})
    with os.fdopen(result, "wb") as file:
        file.write(line.encode("ascii") + b"\n")
        for array in arrays:
            file.write(array)
    os._exit(0)  # neither atexit nor __del__ of the sheet


def _part_streams():
    """Keep standard output for the result; the sheet prints to standard error, reads nothing."""
    result = os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return result


def _numpy(packages, numpy_only):
    """numpy, from where the grader has it; with `numpy_only` nothing else is found there."""
    known = list(sys.path)
    sys.path += packages
    import numpy  # not before the path is set

    if numpy_only:
        sys.path[:] = known
    return numpy


def _give_up_rights(user):
    """Become another user, for good.

    Python may lie where that user cannot read, so what a sheet may want is loaded first.
    """
    if user is None:
        return
    for name in PRELOADED:
        importlib.import_module(name)
    try:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    except OSError:
        pass  # not allowed here: what the limits can do is left


def _end_with(grader):
    """Be killed when the grader is, on Linux; asked for last, as a change of user undoes it."""
    if not sys.platform.startswith("linux") or ctypes is None:
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(DEATH_OF_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != grader:  # it ended before it was asked for
        os._exit(1)


def _forbid_calls(program):
    """From here on the kernel refuses the calls of this filter; where it cannot, none."""
    if not program or ctypes is None:
        return
    code = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    held = Filter(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    with suppress(OSError, AttributeError):
        system = ctypes.CDLL(None)
        system.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        system.prctl(SECCOMP, SECCOMP_FILTER, ctypes.byref(held), 0, 0)


def _set_limits(request):
    if resource is None:
        return
    memory, seconds = request["memory"], request["seconds"]
    wanted = {
        "RLIMIT_AS": (memory, memory + SPARE),
        "RLIMIT_CPU": (seconds, seconds + 1),
        "RLIMIT_FSIZE": (request["file"], request["file"]),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_NPROC": (0, 0),  # no further process, no thread
        "RLIMIT_NOFILE": (64, 64),
    }
    for name, limits in wanted.items():
        if hasattr(resource, name):
            _set_limit(getattr(resource, name), limits)


def _set_limit(which, limits):
    most = resource.getrlimit(which)[1]
    if most != resource.RLIM_INFINITY:
        limits = tuple(min(limit, most) for limit in limits)
    with suppress(OSError, ValueError):  # not on this system: the other limits are left
        resource.setrlimit(which, limits)


def _allow_spare():
    if resource is not None:
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        _set_limit(resource.RLIMIT_AS, (most, most))


def _run(code, module):
    """Why the code stopped, and the kind of that; two empty texts where it came to its end."""
    sys.modules["__main__"], sys.argv = module, ["sheet.py"]
    try:
        exec(compile(code, "your file", "exec"), module.__dict__)
    except BaseException as error:
        _allow_spare()
        kind = "memory-limit" if isinstance(error, MemoryError) else "stopped"
        return _told(error), kind
    return "", ""


def _told(error):
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "your file":
            line = trace.tb_lineno
        trace = trace.tb_next
    at = f"line {line}: " if line else ""
    try:
        said = str(error)
    except BaseException:
        said = ""
    words = f": {said[:LONGEST]}" if said else ""
    return f"{at}{type(error).__name__}{words}"[:300]


def _described(np, value, arrays):
    """Kind and value; of an array dtype and shape, its bytes being put into `arrays`."""
    if value is None:
        return ["none", None]
    if type(value) is str:
        return ["text", value[:LONGEST]]
    if type(value) is int and abs(value) < 10**300:
        return ["number", value]
    try:
        return _array(np, value, arrays)
    except BaseException:
        name = type(value).__name__
        article = "an" if name[:1].lower() in "aeiou" or name == "ndarray" else "a"
        return ["unusable", f"{article} {name}, not numbers"[:LONGEST]]


def _are_numbers(entries):
    return all(isinstance(entry, int | float) for entry in entries)


def _array(np, value, arrays):
    if isinstance(value, np.ma.MaskedArray):
        return ["unusable", "a masked array, not numbers"]
    array = np.asarray(value)
    if array.dtype == object and 0 < array.size <= LARGEST and _are_numbers(array.flat):
        array = array.astype(np.float64)  # integers beyond 64 bits
    if array.dtype.kind == "c":
        return ["unusable", "complex, not real"]
    if array.dtype.kind not in "biuf":
        raise TypeError
    if array.size > LARGEST:
        return ["unusable", f"an array of {array.size} entries, which is too large"]
    if array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    array = array.astype(array.dtype.newbyteorder("<"))
    arrays.append(array.tobytes())
    return ["array", [array.dtype.str, [int(size) for size in array.shape]]]


if __name__ == "__main__":
    main()
