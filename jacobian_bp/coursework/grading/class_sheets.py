"""The sheets of a class written to a folder: all of them, or none."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ...errors import SpecError
from ...network.files.paths import label, write_new
from ...writing.signs import plural, safe
from .folder import made_folder


def write_sheets(folder: str | Path, sheets: Mapping[str, str]) -> None:
    """Write a new file for each name; SpecError, and no file, where one cannot be written."""
    folder = made_folder(folder)
    there = [name for name in sheets if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        raise SpecError(
            f"{label(folder)} holds {safe(there[0])} already{_more(len(there) - 1)}; nothing is "
            "written.\n  Name another folder, or take away what is there."
        )
    written: list[Path] = []
    try:
        for name, text in sheets.items():
            write_new(folder / name, text)
            written.append(folder / name)
    except BaseException:  # also an interruption: half a class has no sheets
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise


def _more(count: int) -> str:
    return f", and {plural(count, 'more sheet')}" if count else ""
