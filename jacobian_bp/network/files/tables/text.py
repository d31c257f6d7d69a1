"""The bytes of a table as text: looked at before they are read, and never guessed at."""

import os
from pathlib import Path

from ....errors import SpecError
from ....numbers.memory import format_bytes, require_memory
from ....writing.signs import safe
from ..data_files import SHIPPED, require_at_most, shipped_names
from ..paths import open_regular
from .options import TableOptions, refuse

LONGEST_LINE = 4 * 2**20
TIMES_ITS_BYTES = 5  # what a text takes while it is decoded and split
NO_TEXT = (  # how such a file begins, and what it is
    (b"PK\x03\x04", "a zip archive, or an Excel file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x93NUMPY", "an array of numpy"),
    (b"PAR1", "a Parquet file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"%PDF", "a PDF"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)


def find_file(source: str | os.PathLike[str]) -> Path:
    """The regular file that is meant, or a shipped data set by its name.

    Raises SpecError for an address, a path of another machine, and what is no file.
    """
    text = os.fspath(source)
    if "://" in text or text.startswith(("\\\\", "//")):
        refuse(safe(text[:80]), " is on another machine; nothing is fetched.", (), "Save it here.")
    path = Path(text)
    try:
        found, regular = path.exists(), path.is_file()
    except (OSError, ValueError):
        found = regular = False
    if not found:
        shipped = SHIPPED / f"{path.name.removesuffix('.csv')}.csv"
        if path.name == text and path.name and "\0" not in text and shipped.is_file():
            return shipped
        raise SpecError(
            f"{safe(text)} cannot be found.\n"
            f"  Give the path of a CSV file, or one of {', '.join(shipped_names())}."
        )
    if not regular:
        raise SpecError(f"{safe(text)} is not a regular file.\n  Give the path of a CSV file.")
    return path


def require_file_at_most(path: Path, options: TableOptions) -> None:
    """SpecError for a file above the limit, and how the caller raises it."""
    python = options.spelling == "python"
    way = "data_limit={} * 2**20" if python else "--data-limit {}MiB"
    require_at_most(path, path.stat().st_size, options.data_limit, way)


def read_text(path: Path, options: TableOptions) -> str:
    """All of a file as text in UTF-8, or in the encoding that the options say.

    Raises SpecError for what is no text or above the limit, MemoryLimitError for what is too large.
    """
    name = safe(path.name)
    size = path.stat().st_size
    require_file_at_most(path, options)
    require_memory(
        f"{name}, {format_bytes(size)} of text,", (size,), TIMES_ITS_BYTES, "Keep fewer rows."
    )
    with open_regular(path, "Give the path of a CSV file.") as file:
        data = file.read(size + 1)
    if len(data) > size:
        refuse(name, " grows while it is read.", (), "Give a file that is finished.")
    for magic, kind in NO_TEXT:
        if data.startswith(magic):
            refuse(name, f" is {kind}, not a table in plain text.", (), "Save it as CSV in UTF-8.")
    _require_lines(name, data)
    if options.encoding == "cp1252":
        text = data.decode("cp1252", "replace")
        if "\ufffd" in text:
            line = text[: text.index("\ufffd")].count("\n") + 1
            refuse(f"{name}, line {line}:", " a byte that is no letter of cp1252.")
    else:
        text = _of_utf8(name, data, options)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        refuse(
            f"{name}, line {line}:",
            " a NUL character, so this is not a text file.",
            (),
            "Save the table as CSV.",
        )
    return text


def _require_lines(name: str, data: bytes) -> None:
    """SpecError for a line that is too long to belong to a table; found without splitting."""
    begun = 0
    while len(data) - begun > LONGEST_LINE:
        piece = slice(begun, begun + LONGEST_LINE + 1)
        end = max(data.rfind(sign, piece.start, piece.stop) for sign in (b"\n", b"\r"))
        if end < 0:
            line = data.count(b"\n", 0, begun) + 1
            refuse(
                f"{name}, line {line}",
                f" is longer than {format_bytes(LONGEST_LINE)}.",
                (),
                "Write one line for each example.",
            )
        begun = end + 1


def _of_utf8(name: str, data: bytes, options: TableOptions) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start + 3 * data.startswith(b"\xef\xbb\xbf")
        line = data.count(b"\n", 0, at) + 1
        begun = data.rfind(b"\n", 0, at) + 1
        piece = data[max(begun, at - 30) : at + 20].split(b"\n")[0].decode("cp1252", "replace")
        refuse(
            f"{name}, line {line}:",
            f" byte 0x{data[at]:02x} is not UTF-8.",
            [f"as cp1252 it reads {safe(repr(piece.strip()))}"],
            f"Say {options.way('encoding', 'cp1252')} if that is right, or save it as UTF-8.",
        )
