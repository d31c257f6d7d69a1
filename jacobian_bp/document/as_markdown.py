r"""A document as Markdown, its formulas as GitHub sets them.

Inline formulas stand between $` and `$: inside them Markdown touches no \, and no _, as it
does between bare dollars. `plain` writes $…$ and $$ … $$, which Jupyter and pandoc read.
Matrices are displayed formulas, so that no table needs a |.
"""

import re
from collections.abc import Iterable

from ..writing.latex import formula
from ..writing.signs import safe
from .blocks import Document, Picture
from .sentences import Grid, Stated
from .written import Written

SPECIAL = re.compile(r"([\\`*_{}\[\]!|<>~$&])")
BEGINS_A_BLOCK = re.compile(r"^(\s*)([-+#=:]|\d+(?=[.)]))")


def markdown(document: Document, plain: bool = False) -> str:
    """A whole file."""
    writer = _Markdown(document, plain)
    found = [f"# {writer.sentence(document.title)}"]
    for section, blocks in zip(document.sections, writer.blocks(), strict=True):
        found += [f"## {writer.sentence(section.title)}", *blocks]
    return "\n\n".join(part.strip("\n") for part in found) + "\n"


class _Markdown(Written):
    def __init__(self, document: Document, plain: bool) -> None:
        super().__init__(document)
        self.left, self.right = ("$", "$") if plain else ("$`", "`$")
        self.plain = plain

    def words(self, text: str) -> str:
        return SPECIAL.sub(r"\\\1", text).replace("ᵀ", self.inline(r"{}^{\top}"))

    def inline(self, latex: str) -> str:
        kept = latex.replace("|", r"\vert ").strip()
        return f"{self.left}{kept}{self.right}"

    def display(self, latex: str) -> str:
        return f"\n\n$$\n{latex}\n$$" if self.plain else f"\n\n```math\n{latex}\n```"

    def set(self, text: str) -> str:
        return formula(self.spelled(text))

    def math(self, text: str) -> str:
        return self.inline(self.set(text))

    def code(self, text: str) -> str:
        return "`" + safe(text).replace("`", "'") + "`"

    def entry(self, name: str, place: str) -> str:
        return self.inline(rf"({self.set(name)})_{{{place}}}")

    def equals(self, text: str, numbers: list[str], scalar: bool) -> str:
        cells = r"\;\;".join(map(power_of_ten, numbers))
        right = cells if scalar else rf"[\,{cells}\,]"
        return self.inline(f"{self.set(text)}={right}")

    def paragraph(self, line: str) -> str:
        mark = BEGINS_A_BLOCK.match(line)
        if mark is None:
            return line
        digits = mark[2] if mark[2].isdigit() else ""  # 1\\. is no item of a list
        return f"{mark[1]}{digits}\\{line[mark.end(1) + len(digits) :]}"

    def listing(self, lines: Iterable[str]) -> str:
        return "\n".join(f"- {self.paragraph(line)}" for line in lines)

    def step(self, step: Stated, key: str, numbers: str) -> str:
        number = f"**{self.said(step.number)}** " if step.number else ""
        statement = self.inline("=".join(map(self.set, step.sides)))
        facts = ", ".join(map(self.sentence, step.facts))
        reason = f"\n\n{self.paragraph(self.sentence(step.reason))}" if step.reason else ""
        return f"{number}{statement}{' — ' * bool(facts)}{facts}{reason}{numbers}"

    def grid(self, grid: Grid) -> str:
        rows = r" \\ ".join(" & ".join(map(power_of_ten, row)) for row in grid.cells)
        columns = "r" * len(grid.cells[0])
        return self.display(rf"\left[\begin{{array}}{{{columns}}}{rows}\end{{array}}\right]")

    def lines(self, lines: list[str]) -> str:
        text = "\n".join(map(self.spelled, lines))
        fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
        return f"\n\n{fence}text\n{text}\n{fence}"

    def table(self, heads: list[str], rows: list[list[str]]) -> str:
        lines = [heads, [":--"] * len(heads), *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def picture(self, picture: Picture) -> str:
        """Its words and its lines: GitHub and Jupyter show no SVG that stands in a text."""
        below = self.lines(list(picture.lines)) if picture.lines else ""
        return self.paragraph(self.sentence(picture.alt)) + below


def power_of_ten(text: str) -> str:
    """0.25, and 2e-05 as a power of ten.

    >>> power_of_ten("2e-05")
    '2\\\\cdot10^{-5}'
    """
    match = re.fullmatch(r"(-?[\d.]+)e([+-]\d+)", text)
    if match:
        return rf"{match[1]}\cdot10^{{{int(match[2])}}}"
    return rf"\mathrm{{{text}}}" if text.lstrip("-").isalpha() else text
