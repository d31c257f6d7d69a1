"""The student's words: rows, columns, indices and names as in the arrays that were handed in.

A sentence is made in the network's own terms, examples in rows, W (outputs, inputs), z1. Where
the student's arrays stand otherwise, what it says of rows and columns is said the other way
round; where the student's names are others, they stand for ours.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...derivation.convention import Convention
from ...writing.signs import rename
from .diagnosis import Finding

OPEN, CLOSE = "\ue000", "\ue001"  # around a name that is the student's already
MARKED = re.compile(f"{OPEN}(.*?){CLOSE}")
THROUGH_WEIGHTS = "\ue002"  # before an equation of δ and W
LETTERS = re.compile(f"({THROUGH_WEIGHTS}?)\\b([a-z]+),([a-z]+)->([a-z]*)")
LAYER = re.compile(r"\(layer (\d+)\)")
# What is said of data and deltas with the examples in rows, and with the examples in columns;
OF_EXAMPLES = {
    "a row for each example": "a column for each example",
    "softmax along axis 0": "softmax along axis 1",
    "examples read along the columns": "examples read along the rows",
    "the delta's columns read as examples": "the delta's rows read as examples",
}
# and of a weight that is (outputs, inputs), and (inputs, outputs).
OF_WEIGHTS = {
    "in every row": "in every column",
    "in every column": "in every row",
    "W as (inputs, outputs)": "W as (outputs, inputs)",
    "rows with one index": "columns with one index",
    "the last row with an index": "the last column with an index",
}
FLAT = {"flat": "flat_column", "flat_column": "flat"}


def marked(name: str) -> str:
    """A name that is the student's already."""
    return f"{OPEN}{name}{CLOSE}"


@dataclass(frozen=True)
class Speech:
    """How one submission is spoken of.

    `columns` and `turned` say how deltas and weights stand; `parts` which bias is a column of
    which weight: {"b1": ("column 0", "W1")}.
    """

    columns: bool = False
    turned: bool = False
    written: Convention | None = None
    known: Iterable[str] = ()
    parts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, finding: Finding) -> Finding:
        """The finding in the student's words."""
        return replace(
            finding,
            sentences=tuple(map(self.said, finding.sentences)),
            proved=tuple(map(self.said, finding.proved)),
            where=self.said(finding.where),
            layout=self._layout(finding.layout),
        )

    def said(self, text: str) -> str:
        """One sentence: axes first, names last."""
        phrases = self._exchanged
        if phrases:
            any_of = re.compile("|".join(map(re.escape, phrases)))
            text = any_of.sub(lambda found: phrases[found[0]], text)
        text = LETTERS.sub(self._letters, text)
        for bias, (part, weight) in self.parts.items():
            text = re.sub(
                rf"([Tt])he gradient of {re.escape(bias)}\b", self._in(part, weight), text
            )
        return self._named(text)

    def name(self, name: str) -> str:
        """The student's name for one of ours."""
        return name if self.written is None else self.written.name(name)

    @property
    def _exchanged(self) -> dict[str, str]:
        return (OF_EXAMPLES if self.columns else {}) | (OF_WEIGHTS if self.turned else {})

    def _letters(self, found: re.Match[str]) -> str:
        """The equation of an einsum with the axes of each operand in the student's order.

        Through weights it is of δ and W, else of δ and what the layer reads.
        """
        through, first, second, out = found.groups()
        lifted = first[:1] == "n" and len(first) > 1
        of_data, of_weights = self.columns and lifted, self.turned
        kinds = (of_data, of_weights, of_data) if through else (of_data, of_data, of_weights)
        turned = zip((first, second, out), kinds, strict=True)
        words = [word[::-1] if exchanged else word for word, exchanged in turned]
        return f"{words[0]},{words[1]}->{words[2]}"

    @staticmethod
    def _in(part: str, weight: str) -> Callable[[re.Match[str]], str]:
        def called(match: re.Match[str]) -> str:
            return f"{part.capitalize() if match[1] == 'T' else part} of the gradient of {weight}"

        return called

    def _named(self, text: str) -> str:
        if self.written is None:
            return text
        names = {own: self.written.name(own) for own in self.known}
        names = {own: theirs for own, theirs in names.items() if theirs != own}
        shift = self.written.first - 1

        def plain(part: str) -> str:
            part = rename(part, names)
            return LAYER.sub(lambda found: f"(layer {int(found[1]) + shift})", part)

        pieces = MARKED.split(text)  # what stands between two marks is every second piece
        return "".join(p if n % 2 else plain(p) for n, p in enumerate(pieces))

    def _layout(self, layout: str) -> str:
        if self.written is not None and self.columns and layout == "examples in columns":
            return "examples in rows"
        return FLAT.get(layout, layout) if self.written is not None and self.turned else layout
