"""The bytes of a table as text: looked at before they are read, and never guessed at."""

import os
import re
import shlex
from pathlib import Path

from ....errors import SpecError
from ....numbers.memory import format_bytes, require_memory
from ....writing.signs import safe
from ..data_files import SHIPPED, require_at_most, shipped_names
from ..paths import open_regular
from .options import TableOptions, refuse

LONGEST_LINE = 4 * 2**20
TIMES_ITS_BYTES = 5  # what a text takes while it is decoded and split
AS_CSV = "Save it as CSV in UTF-8."
ARRAYS = "Save its arrays with numpy.savez, as X and Y, and give the .npz file."
NO_TEXT = (  # how such a file begins, what it is, and what to do
    (
        b"PK\x03\x04",
        "a zip archive, or an Excel file",
        "Unpack it, or save the sheet as CSV in UTF-8.",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", AS_CSV),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first: gunzip < {} > table.csv"),
    (b"BZh", "a bzip2 archive", "Unpack it first: bunzip2 < {} > table.csv"),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first: unxz < {} > table.csv"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it first: unzstd < {} > table.csv"),
    (b"\x93NUMPY", "an array of numpy", "Let its name end in .npy."),
    (b"PAR1", "a Parquet file", AS_CSV),
    (b"ARROW1", "an Arrow file", AS_CSV),
    (b"\x89HDF", "an HDF5 file", ARRAYS),
    (b"MATLAB", "a MATLAB file", ARRAYS),
    (b"\x00\x00\x08\x01", "an IDX file of labels, as MNIST has", ARRAYS),
    (b"\x00\x00\x08\x03", "an IDX file of images, as MNIST has", ARRAYS),
    (b"SQLite format 3", "a database of SQLite", "Save one table of it as CSV in UTF-8."),
    (b"%PDF", "a PDF", AS_CSV),
    *((bytes([0x80, n]), "a pickle of Python, which is never read", AS_CSV) for n in (2, 3, 4, 5)),
    (b"\xff\xfe", "text in UTF-16", AS_CSV),
    (b"\xfe\xff", "text in UTF-16", AS_CSV),
)
NO_TABLE = (  # how such a text begins, what it is, and what to do
    (r"<!doctype html|<html", "a web page", "Save the table itself, as a raw file."),
    (r"<\?xml|<svg", "XML", AS_CSV),
    (r"\{\s*\"|\[\s*[\[{]", "JSON", AS_CSV),
    (r"version https://git-lfs", "a pointer of Git LFS", "Fetch the file itself: git lfs pull"),
)
ARFF = re.compile(r"(?:[ \t]*(?:%[^\n]*)?\r?\n)*[ \t]*@relation\b", re.IGNORECASE)
ARFF_ROWS = re.compile(r"^[ \t]*@data[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE)


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
    for magic, kind, told in NO_TEXT:
        if data.startswith(magic):
            told = told.format(safe(shlex.quote(path.name)))
            refuse(name, f" is {kind}, not a table in plain text.", (), told)
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
            "Save the table as CSV in UTF-8.",
        )
    _require_table(name, text, options)
    return text


def _require_table(name: str, text: str, options: TableOptions) -> None:
    """SpecError for a text that is another format; behind lines that are skipped all is a table."""
    if options.skip:
        return
    begun = text[:200].lstrip()
    for beginning, kind, told in NO_TABLE:
        if re.match(beginning, begun, re.IGNORECASE):
            refuse(name, f" is {kind}, not a table of rows.", (), told)
    rows = ARFF_ROWS.search(text) if ARFF.match(text) else None
    if rows:
        line = text.count("\n", 0, rows.end())
        told = f"{options.way('skip', line)} and {options.way('header', False)}"
        fact = f" is an ARFF file: its rows begin below @data, line {line}."
        refuse(name, fact, (), f"Say {told}; the columns are numbered from 1.")


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
