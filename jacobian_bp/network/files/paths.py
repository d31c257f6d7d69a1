"""Files are looked at before they are opened, and none outside a folder is touched."""

import io
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PureWindowsPath

from ...errors import SpecError
from ...writing.signs import safe, with_article

KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def named_inside(name: str, folder: Path) -> Path:
    """The file that a network file names, which lies in that file's own folder.

    Raises SpecError for an absolute path, '..', a backslash, a drive, a control
    character, and for a link that leads out.
    """
    windows = PureWindowsPath(name)
    if not name.isprintable() or not name.strip():
        reason = "has characters that no path needs" if name.strip() else "names no file"
    elif "\\" in name or windows.drive:
        reason = "is a path of Windows"
    elif windows.root or Path(name).is_absolute():
        reason = "is an absolute path"
    elif ".." in windows.parts:
        reason = "goes up with '..'"
    else:
        return inside(Path(name), folder)
    raise SpecError(
        f"{brief(name)} {reason}.\n  Put the file beside the network file, and write its name."
    )


def inside(path: Path, folder: Path) -> Path:
    """`path`, taken from `folder`, with every link followed; SpecError if it lies outside."""
    try:
        root = folder.resolve(strict=True)
        found = (root / path).resolve()
    except (OSError, RuntimeError, ValueError):
        raise SpecError(f"{label(path)} cannot be found.\n  Write the name of a file.") from None
    if not found.is_relative_to(root):
        raise SpecError(
            f"{label(path)} leads out of its folder; no file outside is read.\n"
            "  Put the file itself into the folder of the network file."
        )
    return found


def size_of(path: Path, instead: str) -> int:
    """The bytes of a regular file, which is not opened for this; SpecError for anything else."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        reason = "cannot be found"
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            reason = f"cannot be read: {error.strerror}"
        raise SpecError(f"{label(path)} {reason}.\n  {instead}") from None
    _require_regular(path, status.st_mode, instead)
    return status.st_size


def open_regular(path: Path, instead: str) -> io.FileIO:
    """A regular file, opened for reading without ever waiting for a pipe."""
    size_of(path, instead)
    flags = os.O_RDONLY
    for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
        flags |= getattr(os, flag, 0)
    try:
        file = io.FileIO(os.open(path, flags), "rb")
    except OSError as error:
        raise SpecError(f"{label(path)} cannot be read: {error.strerror}.\n  {instead}") from None
    try:
        _require_regular(path, os.fstat(file.fileno()).st_mode, instead)
    except SpecError:
        file.close()
        raise
    return file


def read_limited(path: Path, limit: int, instead: str) -> bytes:
    """All bytes of a regular file of at most `limit` bytes; a larger one is not read."""
    size = size_of(path, instead)
    if size <= limit:
        content = b""
        with open_regular(path, instead) as file:
            while len(content) <= limit and (piece := file.read(limit + 1 - len(content))):
                content += piece
        if len(content) <= limit:
            return content
        size = len(content)  # it grew, or the system does not know its size
    raise SpecError(f"{label(path)} has {size:,} bytes; the limit is {limit:,}.\n  {instead}")


def write_new(path: Path, text: str) -> None:
    """Write a text to a file that is not there yet; SpecError where it is, or cannot be.

    What is written in part, to a full disk or until an interruption, is taken away again.
    """
    try:
        content = text.encode("utf-8")
        file = open(path, "xb")  # noqa: SIM115
        try:
            with file:
                file.write(content)
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise
    except FileExistsError:
        raise SpecError(
            f"{safe(path.name)} is there already, and is left as it is.\n  Choose another name."
        ) from None
    except (OSError, ValueError) as error:
        raise cannot_be_written(safe(path.name), error) from None


def cannot_be_written(name: str, error: OSError | ValueError) -> SpecError:
    """What is said of a file that the system refuses, `name` being how messages call it."""
    reason = getattr(error, "strerror", None) or "the name is none of a file"
    return SpecError(f"{name} cannot be written: {reason}.\n  Choose another folder or name.")


def as_path(path: object, who: str, such_as: str) -> Path:
    """The path that a caller gives; SpecError for what is none."""
    if isinstance(path, str | os.PathLike):
        return Path(path)
    raise SpecError(
        f"{who} takes the path of a file, not {with_article(type(path).__name__)}.\n"
        f'  Write such as {who}("{such_as}").'
    )


def label(path: Path) -> str:
    """A file as messages call it: its name alone, made harmless."""
    return safe(path.name or path)


def brief(value: str, most: int = 60) -> str:
    """A foreign text as it may stand in a message: quoted, escaped and cut.

    >>> brief("a" * 100, 8), brief("{0.__class__}")
    ("'aaaaaaaa…'", "'{0.__class__}'")
    """
    cut = value if len(value) <= most else value[:most] + "…"
    return safe(repr(cut))


def _require_regular(path: Path, mode: int, instead: str) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((words for test, words in KINDS if test(mode)), "something else")
    raise SpecError(f"{label(path)} is {kind}, not a regular file.\n  {instead}")


def require_replaceable(path: Path, instead: str) -> None:
    """SpecError for what is there and is neither a file nor a link: /dev/null is to stay."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return  # nothing is there
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        kind = next((words for test, words in KINDS if test(mode)), "no regular file")
        raise SpecError(f"{label(path)} is {kind}, and is left as it is.\n  {instead}")
