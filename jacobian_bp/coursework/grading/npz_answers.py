"""Answers alone, in an .npz file: numbers, masks and words, each member by itself.

One member that is no answer is named, and costs the others nothing. Nothing is unpickled:
np.lib.format reads a header as a literal, and only masks and words are read by it.
"""

import io
import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from ...network.files.answer_file import read_stored
from ...network.files.safe_npz import DAMAGED
from ...network.files.stored import Stored
from ...writing.signs import safe
from ..exercises.equality import Unusable
from ..exercises.questions import LONGEST

MASK, WORD = "b", "U"
UNREADABLE = "an array that cannot be read"
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npz_answers(path: Path, asked: Collection[str]) -> dict[str, Any]:
    """The answers by name, of those that are asked for; one that is none has its reason.

    Raises SpecError for a file that is no archive of arrays, MemoryLimitError for one that
    is too large.
    """

    def load(stored: dict[str, Stored], file: io.FileIO) -> dict[str, Any]:
        return {n: _answer(array, n, file) for n, array in stored.items() if n in asked}

    return read_stored(path, load)


def _answer(array: Stored, name: str, file: io.FileIO) -> Any:
    if not array.trouble:
        return np.array(array.load())
    try:
        value = _mask_or_word(file, name)
    except DAMAGED:
        return Unusable(UNREADABLE)
    return Unusable(_reason(array.trouble)) if value is None else value


def _mask_or_word(file: io.FileIO, name: str) -> Any:
    """A member of booleans as an array, one text as a word; None for anything else."""
    with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as member:
        read_header = HEADERS.get(np.lib.format.read_magic(member))
        if read_header is None:
            return None
        shape, fortran, dtype = read_header(member)
        size = math.prod(shape)
        if dtype.kind not in (MASK, WORD) or (dtype.kind == WORD and size != 1):
            return None
        if dtype.kind == WORD and dtype.itemsize > 4 * LONGEST:
            return None
        content = member.read(size * dtype.itemsize + 1)  # at its end the checksum is compared
        if len(content) != size * dtype.itemsize:
            return None
    flat = np.frombuffer(content, dtype)
    if dtype.kind == WORD:
        return str(flat[0])
    if np.frombuffer(content, np.uint8).max(initial=0) > 1:  # a byte that is no truth value
        return None
    return flat.reshape(shape, order="F" if fortran else "C").copy()


def _reason(trouble: str) -> str:
    """What a member is, of what the reader says it has.

    >>> _reason("has dtype <c16: complex numbers"), _reason("is no array")
    ('an array of complex numbers', 'no array')
    >>> _reason("holds records, not numbers")
    'an array that holds records, not numbers'
    """
    if trouble.startswith("holds "):
        return f"an array that {safe(trouble)}"
    if trouble.startswith("has dtype "):
        return safe(f"an array of {trouble.split(': ', 1)[-1]}")
    return safe(trouble.removeprefix("is "))
