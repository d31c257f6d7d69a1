"""A document in a file, whose ending decides the form."""

import os
from collections.abc import Callable
from pathlib import Path

from ..errors import SpecError
from ..writing.signs import safe
from ..writing.whole_file import write_whole
from .as_html import page
from .as_latex import article
from .as_markdown import markdown
from .blocks import Document

FORMS: dict[str, Callable[[Document], str] | None] = {
    ".html": page,
    ".tex": article,
    ".md": markdown,
    ".txt": None,  # the text of whatever is saved, in its own columns
}
NAMED = ".html, .tex, .md or .txt"


def place_for(path: str | os.PathLike[str], replace: bool = False, instead: str = "") -> Path:
    """The path, where a document can be written to it; asked for before any work is done.

    Raises SpecError for what is no path, for an ending that is no form, for a folder that
    is not there, and for a file that is there unless it shall be replaced; `instead` is
    what the caller may write then.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        kind = type(path).__name__
        raise SpecError(f"a {kind} is no path.\n  Write a name that ends in {NAMED}.")
    place = Path(path)
    name = safe(place.name or place)
    if place.suffix.lower() not in FORMS:
        raise SpecError(
            f"{name} does not end in one of the forms that a document has.\n"
            f"  Write a name that ends in {NAMED}."
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


def save(place: Path, document: Callable[[], Document], text: Callable[[], str]) -> None:
    """Write the form that the ending asks for, whole or not at all; SpecError where it fails."""
    form = FORMS[place.suffix.lower()]
    content = (form(document()) if form else text() + "\n").encode("utf-8", "backslashreplace")
    try:
        write_whole(place, lambda file: file.write(content))
    except OSError as error:
        raise SpecError(
            f"{safe(place.name)} cannot be written: {error.strerror}.\n  Choose another folder."
        ) from None
