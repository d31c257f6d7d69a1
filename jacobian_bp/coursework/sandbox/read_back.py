"""What a student's process wrote, read as what it is: not to be believed.

One line of JSON, then the bytes of the arrays in its order:

    {"failure": "", "kind": "", "values": {"W": ["array", ["<f8", [2, 3]]], "m": ["number", 5]}}

Whatever does not fit this to the byte is refused; nothing is unpickled, evaluated or
unpacked, and no array is larger than the bytes that are there.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

LONGEST_LINE = 2**20
LONGEST = 1000
MOST_AXES = 64  # of an array of numpy
DTYPES = frozenset(
    ("|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)))
) | {"<f2", "<f4", "<f8"}
TIME_LIMIT = "time-limit"
KINDS = ("", "stopped", "memory-limit", TIME_LIMIT)


class Unreadable(Exception):  # noqa: N818 - an outcome, not an error of the grader's
    """No answers are there; the text says why, and is empty where nothing was written."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Values by name, reasons for those that are none, and why the code stopped."""

    values: dict[str, Any] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    kind: str = ""


def read_answers(file: IO[bytes], names: Sequence[str], most: int) -> Answers:
    """The answers in a file of at most `most` bytes; Unreadable with the reason."""
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise Unreadable("")
    if size > most:
        raise Unreadable("the answers are too large together")
    file.seek(0)
    line, _, content = file.read(most + 1).partition(b"\n")
    try:
        return _answers(_index(line), memoryview(content), names)
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError, OverflowError):
        raise Unreadable("the answers cannot be read back") from None


def _index(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise ValueError("the index is too long")
    index = json.loads(line.decode("ascii"))
    if not isinstance(index, dict) or not isinstance(index["values"], dict):
        raise ValueError("no index")
    return index


def _answers(index: dict[str, Any], content: memoryview, names: Sequence[str]) -> Answers:
    failure, kind = _text(index["failure"]), index["kind"]
    if kind not in KINDS or bool(failure) != bool(kind):  # our own child writes no such thing
        raise ValueError("no such kind")
    found = Answers(failure=failure, kind=kind)
    for name, (what, value) in index["values"].items():
        if name not in names:
            raise ValueError("a name that was not asked for")
        if what == "unusable":
            found.unusable[name] = _text(value)
        elif what == "array":
            array, content = _array(value, content)
            found.values[name] = array
        else:
            found.values[name] = _plain(what, value)
    if len(content):
        raise ValueError("bytes that belong to no array")
    return found


def _plain(what: str, value: Any) -> Any:
    if what == "none" and value is None:
        return None
    if what == "text":
        return _text(value)
    if what == "number" and type(value) is int:
        return value
    raise ValueError("no such kind")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value[:LONGEST]


def _array(value: Any, content: memoryview) -> tuple[np.ndarray, memoryview]:
    """The next array, and the bytes behind it."""
    code, shape = value
    if code not in DTYPES or not isinstance(shape, list) or len(shape) > MOST_AXES:
        raise ValueError("no such array")
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("no such shape")
    dtype = np.dtype(code)
    needed = math.prod(shape) * dtype.itemsize
    if needed > len(content):
        raise ValueError("more is claimed than is there")
    array = np.frombuffer(content[:needed], dtype).reshape(shape).copy()
    return array.astype(dtype.newbyteorder("="), copy=False), content[needed:]
