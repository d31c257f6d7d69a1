"""A line in the names of its writer's convention: read in ours, and told in the writer's.

dTheta2 = delta3.T @ A2      is read as      dW2 = delta2.T @ a1
"""

import re
from dataclasses import replace

from ...derivation.convention import LAYERED, Convention
from ...errors import SpecError
from ...program.forward_pass import Pass
from ...writing.signs import rename, safe
from .line_report import LineReport

LEADS = re.compile(r"(?:delta|grad|d)_?(?=.)", re.IGNORECASE)
NUMBERED = re.compile(r"([^\W\d]+)_?(\d+)")
JACOBIAN = re.compile(r"d([^\W\d]+_?\d+)_?d([^\W\d]+_?\d+)")
LAYERS = re.compile(r"\b(layers? )(\d+)(?:( and )(\d+))?")


class Spelling:
    """Turns the names of a line, or of a whole text, into ours, and a report's back."""

    def __init__(self, written: Convention, state: Pass, who: str = "diagnose_line") -> None:
        self.written, self.values, self.who = written, tuple(state.values), who
        self.shift = written.first - 1
        self.plain = not written.names and not self.shift
        self.back: dict[str, str] = {}  # our word → the writer's, as it stands in the line

    def ours(self, line: str) -> str:
        """The line in our names; SpecError for a layer that the writer's numbers do not reach."""
        if self.plain or not isinstance(line, str):
            return line
        return self._tokens().sub(lambda found: self._word(found[0]), line)

    def _tokens(self) -> re.Pattern[str]:
        """Names with signs in them, W[1], then any identifier; of attributes self.W1, not .T."""
        forms = []
        for name in sorted(self.written.names, key=len, reverse=True):
            form = re.sub(r"\\\{l(?:\\?[+-]\d)?\\\}", r"\\d+", re.escape(name))
            forms.append(rf"(?:(?:delta|grad|d)_?)?{form}(?!\w)")
        any_of = "|".join([*forms, r"[^\W\d]\w*"])
        return re.compile(rf"(?<![\w.])(?:{any_of})|(?<=\.)[^\W\d]+_?\d+\b")

    def _word(self, word: str) -> str:
        found = self._quantity(word) or self._derivative(word) or self._jacobian(word)
        if found is None:
            if width := re.fullmatch(r"n_?(\d+)", word):
                return f"n_{int(width[1]) - self.shift}"
            self._require_layer(word)
            return word
        if not self.shift and word.lower() in (found.lower(), found.replace("delta", "dz")):
            return word  # A1, dZ2 and X are read as they are
        self.back.setdefault(found, word)
        return found

    def _derivative(self, word: str) -> str | None:
        """dA1, grad_W2 and d2: the derivative of what stands behind the d."""
        lead = LEADS.match(word)
        rest = word[lead.end() :] if lead else ""
        if rest.isdecimal():
            return self._quantity(f"delta{rest}")
        value = self._quantity(rest) if rest else None
        return None if value is None else f"d{value}"

    def _jacobian(self, word: str) -> str | None:
        """da1_dz1, of which both are counted as the writer counts."""
        quotient = JACOBIAN.fullmatch(word)
        both = [self._quantity(name) for name in quotient.groups()] if quotient else [None]
        return None if None in both else f"d{both[0]}_d{both[1]}"

    def _quantity(self, word: str) -> str | None:
        numbered = NUMBERED.fullmatch(word)
        small = word[:1].lower() + word[1:]
        forms = [word, f"{numbered[1]}{numbered[2]}" if numbered else word, small]
        found = map(self.written.quantity, dict.fromkeys(forms))
        return next((quantity for quantity in found if quantity is not None), None)

    def _require_layer(self, word: str) -> None:
        """SpecError for the symbol of a layer, or its derivative, with a number of none."""
        lead = LEADS.match(word)
        rest = word[lead.end() :] if lead else ""
        for name in (word, f"delta{rest}" if rest.isdecimal() else rest):
            numbered = NUMBERED.fullmatch(name)
            if numbered and {numbered[1], numbered[1].lower()} & set(LAYERED):
                raise SpecError(
                    f"{self.who}: {safe(word)} is of no layer in this convention, whose first "
                    f"weights are {safe(self.written.name('W1'))}.\n"
                    "  Write the layers' numbers as the convention counts them."
                )

    def theirs(self, report: LineReport) -> LineReport:
        """The report in the writer's names and numbers."""
        if self.plain:
            return report
        said = self.said
        return replace(
            report,
            line=said(report.line),
            target=report.target and said(report.target),
            broke_at=report.broke_at and said(report.broke_at),
            meant=report.meant and said(report.meant),
            passes_when=said(report.passes_when),
            sentences=tuple(map(said, report.sentences)),
        )

    def said(self, text: str) -> str:
        """One text, in one go: no name is exchanged twice."""
        text = LAYERS.sub(self._counted, text) if self.shift else text
        return rename(text, self._names | self.back)

    def _counted(self, found: re.Match[str]) -> str:
        more = f"{found[3]}{int(found[4]) + self.shift}" if found[3] else ""
        return f"{found[1]}{int(found[2]) + self.shift}{more}"

    @property
    def _names(self) -> dict[str, str]:
        """The writer's words for our values and for their derivatives."""
        name, meant = self.written.name, set(self.written.names.values())
        found = {value: name(value) for value in self.values}
        for value in self.values:
            symbol, number = value[:1], value[1:]
            derivative = name(f"d{value}") if f"d{symbol}" in meant else f"d{found[value]}"
            if symbol == "z" and number.isdecimal():
                delta = name(f"delta{number}")
                named = "delta" in meant
                found[f"delta{number}"] = delta
                found[f"d{number}"] = delta if named else f"d{int(number) + self.shift}"
                derivative = delta if named else derivative
            found[f"d{value}"] = derivative
        return found
