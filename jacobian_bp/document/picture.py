"""A picture: an SVG, the words that say the same, and lines of text for a terminal.

An SVG holds its own colours, light and dark, on opaque paper; it loads nothing, and has no id,
so that several stand on one page.
"""

import os
from dataclasses import dataclass
from typing import Any

from ..writing.signs import carries_unicode, to_ascii
from .files import PICTURES, place_for, write_text

BRAILLE, PATTERNS = 0x2800, 256


@dataclass(frozen=True)
class Picture:
    """An SVG, and the words that say the same; `lines` draw it in text, as far as that goes.

    Without lines it is left out of a text, and its words stand for it in LaTeX and Markdown.
    """

    svg: str
    alt: str
    lines: tuple[str, ...] = ()

    def save(self, path: str | os.PathLike[str], replace: bool = False) -> None:
        """Write the SVG to a file whose name ends in .svg.

        Raises SpecError for another ending, for a folder that is not there, and for a file
        that is there already, unless `replace` is said.
        """
        place = place_for(path, replace, ", or say replace=True", PICTURES)
        write_text(place, self.svg)

    def text(self, ascii_only: bool = False) -> str:
        """The words, and below them the lines."""
        lines = without_braille(self.lines) if ascii_only else self.lines
        whole = "\n".join([self.alt, *lines])
        return to_ascii(whole) if ascii_only else whole

    def __str__(self) -> str:
        return self.text(ascii_only=not carries_unicode())

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "image/svg+xml": self.svg}


def framed(picture: Picture) -> str:
    """A picture within the HTML of a notebook; a wide one scrolls in its frame."""
    return f'<div style="overflow-x: auto">{picture.svg.strip()}</div>'


def without_braille(lines: tuple[str, ...]) -> tuple[str, ...]:
    """A character of dots as '#', one without a dot as '.'.

    >>> without_braille(("⡇⠀⣿",))
    ('#.#',)
    """
    signs = {BRAILLE + n: "#" if n else "." for n in range(PATTERNS)}
    return tuple(line.translate(signs) for line in lines)
