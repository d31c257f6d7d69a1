"""What `diagnose_code` found; printing it prints the function with a mark at each line."""

from dataclasses import dataclass
from html import escape
from textwrap import wrap

from ...derivation.convention import Convention
from ...writing.notebook import WHOLE_LINES
from ...writing.shown import Printed
from ...writing.signs import for_stream, safe

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
class CodeReport(Printed):
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

    def __str__(self) -> str:
        of = {line.number: line for line in self.lines}
        shown = [part for sentence in self.sentences for part in _folded(sentence, "")]
        source = self.text.splitlines()
        last = max(of, default=0)
        for number in range(min(of, default=1), last + 1):
            text = safe(source[number - 1].rstrip())
            if not text:
                continue
            line = of.get(number)
            mark = MARKS[line.right] if line else ""
            shown.append(for_stream(_cut(f"{number:4}  {mark:5}  {text}")))
            for sentence in line.sentences if line else ():
                shown += _folded(sentence, " " * 13)
        return "\n".join(line.rstrip() for line in shown)

    def __repr__(self) -> str:
        where = "" if self.first_wrong is None else f", first wrong line {self.first_wrong}"
        return f"<CodeReport: right is {self.right}{where}>"

    def _repr_html_(self) -> str:
        return f"{WHOLE_LINES}{escape(str(self), quote=False)}</pre>"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _folded(sentence: str, lead: str) -> list[str]:
    more = {"initial_indent": lead, "subsequent_indent": lead + "  "}
    return wrap(for_stream(sentence), WIDTH, **more)  # type: ignore[arg-type]
