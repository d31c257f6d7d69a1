"""What `diagnose_line` found; printing it says it in a few sentences."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from textwrap import wrap

import numpy as np

from ...document.blocks import Document, Lines, Section, Words
from ...document.report import Report
from ...writing.notebook import page
from ...writing.signs import for_stream, to_ascii

WIDTH, MOST_LINES = 99, 12


@dataclass(frozen=True, eq=False)
class LineReport(Report):
    """What numpy makes of a line; printing it says it in a few sentences.

    `value` is a fresh array, or None where the line breaks. `right` is None where
    there is nothing to compare. `meant` is a corrected line that gives the right
    array, `passes_when` says at which sizes numpy would let a wrong line pass. `label`
    is that of the mistake which gives these numbers, where `diagnose` was asked.
    """

    line: str
    target: str | None
    runs: bool
    value: np.ndarray | None
    right: bool | None
    broke_at: str | None
    meant: str | None
    passes_when: str
    broadcast: bool
    other_layout: bool
    label: str | None
    sentences: tuple[str, ...]

    def document(self, names: Iterable[str] = ()) -> Document:
        """The line, and every sentence on it."""
        line = Section("", "The line", (Lines((self.line,)),))
        found = Section("", "What is found", tuple(map(Words, self.sentences)))
        return Document("Diagnosis of one line", (line, found), frozenset(names))

    def printed(self, ascii_only: bool = False) -> str:
        """The sentences, as many as twelve lines have room for."""
        return self._set(to_ascii if ascii_only else str)

    def __str__(self) -> str:
        return self._set(for_stream)

    def _set(self, spell: Callable[[str], str]) -> str:
        lines: list[str] = []
        for position, sentence in enumerate(self.sentences):
            lead = "  " if position else ""
            more = wrap(spell(sentence), WIDTH, initial_indent=lead, subsequent_indent="    ")
            lines += more if len(lines) + len(more) <= MOST_LINES else []
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<LineReport of {self.line}>"

    def _repr_html_(self) -> str:
        return page("", str(self).splitlines())
