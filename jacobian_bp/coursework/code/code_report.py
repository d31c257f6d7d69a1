"""What `diagnose_code` found; printing it prints the function with a mark at each line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from ...derivation.convention import Convention
from ...document.blocks import Document, Lines, Section, Words
from ...document.report import Report
from ...writing.notebook import WHOLE_LINES
from ...writing.signs import for_stream, safe, to_ascii

WIDTH = 99
MARKS = {True: "right", False: "WRONG", None: "?"}


@dataclass(frozen=True)
class CodeLine:
    """A line that stores something: `right` is None where it is not judged.

    `stands_for` is what its value is meant to be, in words; `meant` the line that gives it.
    """

    number: int
    text: str
    right: bool | None
    stands_for: str = ""
    meant: str | None = None
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CodeReport(Report):
    """Which line of a backward function is the first wrong one.

    `right` is None where it cannot be told, `first_wrong` the number of a line of the text, from
    1. `lines` has a report for each line that stores something, given the right values of the
    wrong lines before it; `convention` is how the arrays are laid out, `ask` what is to be told.
    """

    right: bool | None
    first_wrong: int | None
    lines: tuple[CodeLine, ...]
    convention: Convention
    sentences: tuple[str, ...]
    ask: str | None
    text: str

    def document(self, names: Iterable[str] = ()) -> Document:
        """What is found, and the function with what is said of its lines between them."""
        found = Section("", "What is found", tuple(map(Words, self.sentences)))
        code = Section("", "The function, line by line", tuple(self._marked()))
        return Document("Diagnosis of a backward function", (found, code), frozenset(names))

    def printed(self, ascii_only: bool = False) -> str:
        """The sentences, then the function with a mark at each line; `text` is the function."""
        return self._set(to_ascii if ascii_only else str)

    def __str__(self) -> str:
        return self._set(for_stream)

    def _set(self, spell: Callable[[str], str]) -> str:
        shown = [part for sentence in self.sentences for part in _folded(sentence, "", spell)]
        for block in self._marked():
            if isinstance(block, Lines):
                shown += [spell(_cut(line)) for line in block.lines]
            else:
                shown += _folded(block.text, " " * 13, spell)
        return "\n".join(line.rstrip() for line in shown)

    def _marked(self) -> list[Words | Lines]:
        """The lines of the function, each with its number and its mark, and what is said of it."""
        of = {line.number: line for line in self.lines}
        found: list[Words | Lines] = []
        code: list[str] = []
        source = self.text.splitlines()
        last = max(of, default=0)
        for number in range(min(of, default=1), last + 1):
            text = safe(source[number - 1].rstrip())
            if not text:
                continue
            line = of.get(number)
            mark = MARKS[line.right] if line else ""
            code.append(f"{number:4}  {mark:5}  {text}")
            if line and line.sentences:
                found += [Lines(tuple(code)), *(Words(said, 1) for said in line.sentences)]
                code = []
        return [*found, Lines(tuple(code))]

    def __repr__(self) -> str:
        where = "" if self.first_wrong is None else f", first wrong line {self.first_wrong}"
        return f"<CodeReport: right is {self.right}{where}>"

    def _repr_html_(self) -> str:
        return f"{WHOLE_LINES}{escape(str(self), quote=False)}</pre>"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _folded(sentence: str, lead: str, spell: Callable[[str], str]) -> list[str]:
    more = {"initial_indent": lead, "subsequent_indent": lead + "  "}
    return wrap(spell(sentence), WIDTH, **more)  # type: ignore[arg-type]
