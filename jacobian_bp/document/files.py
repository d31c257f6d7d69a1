"""Where a document or a picture is written: its name is looked at first, the file is whole."""

import os
from pathlib import Path
from typing import NamedTuple

from ..errors import SpecError
from ..writing.signs import safe, type_of
from ..writing.whole_file import write_whole

NAMED = ".html, .tex, .md or .txt"
PAGE, PICTURE = ".html", ".svg"


class Kind(NamedTuple):
    """What is written, and the endings that it may have."""

    name: str
    endings: tuple[str, ...]
    named: str


DOCUMENTS = Kind("a document", (".html", ".tex", ".md", ".txt"), NAMED)
PICTURES = Kind("a picture", (PICTURE,), PICTURE)
PYTHON = Kind("a text", (".py",), ".py")
EITHER = Kind(
    "a document or a picture", (*DOCUMENTS.endings, PICTURE), ".html, .tex, .md, .txt or .svg"
)


def place_for(
    path: str | os.PathLike[str],
    replace: bool = False,
    instead: str = "",
    kind: Kind = DOCUMENTS,
) -> Path:
    """The path, where a file of this kind can be written; asked for before any work is done.

    Raises SpecError for what is no path, for an ending that is no form, for a folder that
    is not there, and for a file that is there unless it shall be replaced; `instead` is
    what the caller may write then.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise SpecError(f"{type_of(path)} is no path.\n  Write a name that ends in {kind.named}.")
    place = Path(path)
    name = safe(place.name or place)
    if place.suffix.lower() not in kind.endings:
        raise SpecError(
            f"{name} does not end in one of the forms that {kind.name} has.\n"
            f"  Write a name that ends in {kind.named}."
        )
    if "\0" in str(place) or not place.parent.is_dir():
        folder = safe(place.parent)
        raise SpecError(f"{name} cannot be written: {folder} is no folder.\n  Make it first.")
    if place.is_dir() or (os.path.lexists(place) and not place.is_file()):
        raise SpecError(f"{name} is no regular file, and is left as it is.\n  Choose another name.")
    if not replace and os.path.lexists(place):
        raise SpecError(
            f"{name} is there already, and is left as it is.\n  Choose another name{instead}."
        )
    return place


def write_text(place: Path, text: str) -> None:
    """Write a text, whole or not at all; SpecError where it fails."""
    content = text.encode("utf-8", "backslashreplace")
    try:
        write_whole(place, lambda file: file.write(content))
    except OSError as error:
        raise SpecError(
            f"{safe(place.name)} cannot be written: {error.strerror}.\n  Choose another folder."
        ) from None
