"""What `diagnose_line` found; printing it says it in a few sentences."""

from dataclasses import dataclass
from textwrap import wrap

import numpy as np

from ...writing.notebook import page
from ...writing.shown import Printed
from ...writing.signs import for_stream

WIDTH, MOST_LINES = 99, 12


@dataclass(frozen=True, eq=False)
class LineReport(Printed):
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

    def __str__(self) -> str:
        lines: list[str] = []
        for position, sentence in enumerate(self.sentences):
            lead = "  " if position else ""
            more = wrap(for_stream(sentence), WIDTH, initial_indent=lead, subsequent_indent="    ")
            lines += more if len(lines) + len(more) <= MOST_LINES else []
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<LineReport of {self.line}>"

    def _repr_html_(self) -> str:
        return page("", str(self).splitlines())
