"""What an .npz file holds: a zip archive of .npy members, each a header and raw numbers.

np.load would run a pickle where it is allowed to, and builds what a header
claims. Here the header is matched by a pattern, never evaluated, and compared
with the size of its member; the sizes of the members are added up first.
"""

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import IO, Any, cast

import numpy as np

from ...errors import JacobianError, SpecError
from ...numbers.memory import format_bytes
from ...writing.signs import plural, safe
from .paths import brief
from .stored import (
    CHUNK,
    HEADER_LIMIT,
    MOST_ARRAYS,
    OF_WEIGHTS,
    Stored,
    damaged,
    never,
    read_array,
    require_bytes,
    require_size,
)

MOST_AXES = 64  # of an array of numpy
RATIO = 100  # of unpacked to packed bytes; trained weights hardly shrink
RATIO_FROM = 16 * 2**20  # a small file may hold many zeros

NPY_HEADER = re.compile(
    r"\{\s*'descr':\s*(?:'(?P<descr>[^'\\]{1,20})'|(?P<record>\[.*\])),\s*"
    r"'fortran_order':\s*(?P<fortran>True|False),\s*"
    r"'shape':\s*\((?P<shape>[0-9L, ]*)\)\s*,?\s*\}\s*",
    re.DOTALL,
)
NPY_DTYPES = {"f2", "f4", "f8", *(k + n for k in "iu" for n in "1248")}
NPY_TEXT = re.compile(r"[US][1-9]\d{0,4}", re.ASCII)
NPY_REFUSED = {
    "O": "Python objects, stored as a pickle, which is never read",
    "b": "booleans",
    "c": "complex numbers",
    "U": "text",
    "S": "bytes",
    "M": "dates",
    "m": "time spans",
    "V": "raw bytes; numpy stores bfloat16 in this way",
}
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    OverflowError,
    LookupError,
    ValueError,
    struct.error,
)


def stored_npz(
    file: io.FileIO, name: str, instead: str = OF_WEIGHTS, texts: bool = False
) -> dict[str, Stored]:
    """The arrays of an .npz file by their names, without '.npy'; the file stays open for them.

    `instead` is what is advised where there are too many of them, or too large ones. Arrays of
    text are admitted where `texts` says so. Raises SpecError for what is damaged, encrypted,
    twice there or larger than its member, MemoryLimitError for what would unpack to more than
    the limit.
    """
    archive, members = _guarded(partial(_directory, file, name, instead), name)
    packed = os.fstat(file.fileno()).st_size
    total = sum(member.file_size for member in members)
    require_bytes(name, total, instead)
    if total > RATIO_FROM and total > RATIO * packed:
        raise SpecError(
            f"{name} has {format_bytes(packed)} and would unpack to {format_bytes(total)}, "
            f"more than {RATIO} times as much.\n"
            "  Save it with np.savez, which does not compress."
        )
    found: dict[str, Stored] = {}
    for member in members:
        plain = member.filename.removesuffix(".npy")
        if plain in found:
            raise SpecError(f"{name} holds {brief(plain)} twice.\n  Keep one of the two.")
        found[plain] = _guarded(partial(_member, archive, member, name, texts), name)
    return found


class _Capped:
    """A file that refuses to be read in one huge piece, whatever a directory claims."""

    def __init__(self, file: io.FileIO, name: str = "", instead: str = "") -> None:
        self._file, self._name, self._instead = file, name, instead
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        there = os.fstat(self._file.fileno()).st_size - self.tell()
        if size < 0:
            size = there
        if size > CHUNK:  # that of the directory; an array is read in smaller pieces
            if size > there or not self._instead:
                raise EOFError
            raise SpecError(
                f"the list of the arrays of {self._name} has {format_bytes(size)}; the limit is "
                f"{format_bytes(CHUNK)}.\n  {self._instead}"
            )
        return self._file.read(size)


def _directory(
    file: io.FileIO, name: str, instead: str
) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    archive = zipfile.ZipFile(cast(IO[bytes], _Capped(file, name, instead)))
    members = archive.infolist()
    if len(members) > MOST_ARRAYS:
        raise SpecError(
            f"{name} holds {plural(len(members), 'member')}; the limit is {MOST_ARRAYS:,}.\n"
            f"  {instead}"
        )
    for member in members:
        if member.flag_bits & 1:
            raise SpecError(f"{name}: {brief(member.filename)} is encrypted.\n  Save it openly.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SpecError(
                f"{name}: {brief(member.filename)} is compressed by method "
                f"{member.compress_type}.\n  Save it with np.savez."
            )
    return archive, members


def stored_npy(file: io.FileIO, name: str) -> Stored:
    """The one array of an .npy file, which stays open for it.

    Raises SpecError for what is damaged or no array of numpy.
    """

    def opened() -> IO[bytes]:
        file.seek(0)
        return cast(IO[bytes], nullcontext(_Capped(file)))

    found: Stored = _guarded(
        partial(_declared, opened, os.fstat(file.fileno()).st_size, name), name
    )
    return found


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, texts: bool) -> Stored:
    """The array of a member; one that numpy did not write is no array."""
    opened = partial(archive.open, member)
    if not member.filename.endswith(".npy"):
        return Stored((), None, "is no array", never)
    who = f"{name}: {brief(member.filename)}"
    return _declared(opened, member.file_size, who, name, texts)


def _declared(
    opened: Callable[[], IO[bytes]], size: int, who: str, name: str = "", texts: bool = False
) -> Stored:
    """What an array's own header declares, compared with the bytes that are there for it."""
    with opened() as stream:
        head = stream.read(8)
        if head[:6] != b"\x93NUMPY":
            return Stored((), None, "is no array", never)
        wide = 2 if head[6] == 1 else 4
        length = int.from_bytes(head[8:] + stream.read(wide), "little")
        text = stream.read(min(length, CHUNK)) if length <= HEADER_LIMIT else b""
    match = NPY_HEADER.fullmatch(text.decode("latin-1"))
    if not match or head[6] not in (1, 2, 3) or length > HEADER_LIMIT:
        raise SpecError(f"{who} has a header that is not numpy's.\n  Save it with np.savez.")
    if match["record"]:
        return Stored((), None, "holds records, not numbers", never)
    code = match["descr"][match["descr"][0] in "<>|=" :]
    shape = _npy_shape(match["shape"], who)
    if code not in NPY_DTYPES and not (texts and NPY_TEXT.fullmatch(code)):
        reason = NPY_REFUSED.get(code[:1], "a number format of one machine")
        shown = safe(match["descr"])
        return Stored(shape, None, f"has dtype {shown}: {reason}", never)
    dtype = np.dtype(match["descr"])
    start = len(head) + wide + length
    require_size(who, shape, dtype, size - start)

    def load() -> np.ndarray:
        def unpack() -> np.ndarray:
            with opened() as stream:
                stream.read(start)
                flat = shape[::-1] if match["fortran"] == "True" else shape
                array = read_array(stream.read, flat, dtype, name or who)
                stream.read(1)  # at its end the checksum is compared
            return array.T if match["fortran"] == "True" else array

        return _guarded(unpack, name or who)

    return Stored(shape, dtype, "", load)


def _npy_shape(text: str, who: str) -> tuple[int, ...]:
    sizes = [size.strip().removesuffix("L") for size in text.split(",") if size.strip()]
    if len(sizes) > MOST_AXES or not all(size.isdigit() and len(size) < 19 for size in sizes):
        raise SpecError(f"{who} has a header that is not numpy's.\n  Save it with np.savez.")
    return tuple(int(size) for size in sizes)


def _guarded(read: Callable[[], Any], name: str) -> Any:
    """What `read` gives; whatever goes wrong inside an archive is one message."""
    try:
        return read()
    except JacobianError:
        raise
    except DAMAGED:
        raise damaged(name) from None
