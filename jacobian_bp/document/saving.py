"""A document in a file, whose ending decides the form."""

from collections.abc import Callable
from pathlib import Path

from .as_html import page
from .as_latex import article
from .as_markdown import markdown
from .blocks import Document
from .files import NAMED as NAMED
from .files import place_for as place_for
from .files import write_text

FORMS: dict[str, Callable[[Document], str] | None] = {
    ".html": page,
    ".tex": article,
    ".md": markdown,
    ".txt": None,  # the text of whatever is saved, in its own columns
}


def save(place: Path, document: Callable[[], Document], text: Callable[[], str]) -> None:
    """Write the form that the ending asks for, whole or not at all; SpecError where it fails."""
    form = FORMS[place.suffix.lower()]
    write_text(place, form(document()) if form else text() + "\n")
