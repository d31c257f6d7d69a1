"""What a command does with a picture: it writes a file, or prints what a terminal can show."""

from pathlib import Path

from ..document.files import write_text
from ..document.picture import Picture
from ..writing import terminal
from ..writing.signs import safe
from ..writing.tables import fold_all


def show_or_write(picture: Picture, place: Path | None, out: str, said: list[str]) -> int:
    """A picture in a file, or its words and its lines: 0."""
    if place is None:
        first, *lines = picture.text(terminal.is_ascii()).splitlines()
        terminal.write([*said, *fold_all([first], terminal.width()), *lines])
        return 0
    write_text(place, picture.svg)
    terminal.write([*said, f"written: {safe(out)}"])
    return 0
