r"""A document as a LaTeX article: amsmath, array, longtable and geometry, nothing else.

A step is a paragraph of mathematics in which a line may end between two factors, so that
formulas and pages break and nothing stands out of the margins.
"""

import re
from collections.abc import Iterable

from ..writing.latex import GREEK, OPERATORS, formula
from ..writing.signs import safe
from ..writing.tables import WIDTH, wrapped
from .as_markdown import power_of_ten
from .blocks import Block, Document, Lines, Picture
from .picture import without_braille
from .sentences import Grid, Stated
from .svg_in_latex import PACKAGES, latex_picture
from .written import Written

OF_PAPER = 85  # columns of a line that is broken
PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,array,longtable}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}\sloppy
\setlength{\arraycolsep}{3pt}\setlength{\LTpre}{0pt}\setlength{\LTpost}{4pt}
\allowdisplaybreaks
% A step: its number, the equation, the facts beside it, the reason for it.
\newcommand{\step}[4]{\par\addvspace{7pt}\pagebreak[1]
  {\raggedright\hangindent=2.8em\hangafter=1
  \makebox[2.8em][l]{#1}$\displaystyle #2$\hspace{1em}{\small #3}\par}
  \if\relax\detokenize{#4}\relax\else
  \nopagebreak{\raggedright\small\itshape\leftskip=2.8em #4\par}\fi}
\newcommand{\formula}[1]{{\raggedright\hangindent=2.8em\hangafter=1 $\displaystyle #1$\par}}
\newcommand{\numbers}[1]{\nopagebreak{\raggedright\leftskip=2.8em $\displaystyle #1$\par}}
\newcommand{\lines}[1]{{\raggedright\footnotesize\ttfamily\leftskip=2.8em #1\par}}
"""
WIDEST = 400  # points that a grid may take
TABLE, GAP = 440, 12  # that a table may take, and between two of its columns
MOST_TOGETHER = 16  # rows of a table that no page cuts
SIZES = ((5.6, ""), (5.1, r"\small"), (4.7, r"\footnotesize"), (4.1, r"\scriptsize"))
SPECIAL = {c: f"\\{c}" for c in "{}_%$#&"} | {
    "^": r"\^{}",
    "~": r"\~{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "-": "{-}",
    "`": r"\textasciigrave{}",
    "…": r"\dots{}",
    "\u200a": r"\,",
    "½": r"$\frac12$",
    "∂": r"$\partial$",
    "ᵀ": r"$^{\top}$",
    "√": r"$\surd$",
    "‖": r"$\|$",
    "⊘": r"$\oslash$",
    "∘": r"$\circ$",
    "⁻": r"$^{-}$",
    **{sign: rf"$^{{{n}}}$" for n, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}


def article(document: Document) -> str:
    """A whole file, which pdflatex sets."""
    writer = _Latex(document)
    title = rf"\title{{\vspace{{-3em}}\Large {writer.sentence(document.title)}}}"
    drawn = any(isinstance(b, Picture) for section in document.sections for b in section.blocks)
    body = [
        PREAMBLE + (f"{PACKAGES}\n" * drawn) + title,
        r"\author{}\date{}",
        r"\begin{document}",
        r"\maketitle",
    ]
    for section, blocks in zip(document.sections, writer.blocks(), strict=True):
        body += [rf"\section*{{{writer.sentence(section.title)}}}", *blocks]
    return "\n".join([*body, r"\end{document}", ""])


class _Latex(Written):
    def words(self, text: str) -> str:
        return "".join(map(_character, text))

    def math(self, formula_: str) -> str:
        return f"${self.set(formula_)}$"

    def set(self, text: str) -> str:
        """A formula in which a line may end behind each factor."""
        return formula(self.spelled(text)).replace(r"\,", r"\,\allowbreak ")

    def code(self, text: str) -> str:
        return rf"\texttt{{{self.words(safe(text))}}}"

    def entry(self, name: str, place: str) -> str:
        return rf"$({formula(self.spelled(name))})_{{{place}}}$"

    def equals(self, formula: str, numbers: list[str], scalar: bool) -> str:
        cells = r"\;\;\allowbreak ".join(map(power_of_ten, numbers))
        right = cells if scalar else rf"[\,{cells}\,]"
        return rf"{{\raggedright$\displaystyle {self.set(formula)} = {right}$\par}}"

    def paragraph(self, line: str) -> str:
        return rf"{line}\par"

    def listing(self, lines: Iterable[str]) -> str:
        return "{\\raggedright\\small " + ";\n".join(lines) + r"\par}"

    def step(self, step: Stated, key: str, numbers: str) -> str:
        statement = " = ".join(map(self.set, step.sides))
        facts = r",\ ".join(map(self.sentence, step.facts))
        head, reason = self.said(step.number), self.sentence(step.reason)
        return rf"\step{{{head}}}{{{statement}}}{{{facts}}}{{{reason}}}" + f"\n{numbers}"

    def grid(self, grid: Grid) -> str:
        columns = list(zip(*grid.cells, strict=True))
        letters = sum(max(len(cell) + 1 for cell in column) for column in columns)
        fitting = [size for each, size in SIZES if letters * each + 6 * len(columns) <= WIDEST]
        if not fitting:
            return self.lines(grid.plain.splitlines())
        rows = r" \\ ".join(" & ".join(map(power_of_ten, row)) for row in grid.cells)
        array = rf"\left[\begin{{array}}{{{'r' * len(columns)}}}{rows}\end{{array}}\right]"
        if fitting[0]:
            array = rf"\mbox{{{fitting[0]}$\displaystyle {array}$}}"
        return rf"\numbers{{{array}}}"

    def block(self, block: Block) -> list[str]:
        if isinstance(block, Lines) and block.latex:
            return [rf"\formula{{{line}}}" for line in block.latex]
        return super().block(block)

    def lines(self, lines: list[str]) -> str:
        parts = (part for line in lines for part in _of_a_page(line))
        kept = (self.words(line).replace(" ", "\\ ") for line in map(self.spelled, parts))
        whole = " \\\\\n".join(rf"\mbox{{{line}}}" for line in kept)
        return rf"\lines{{{whole}}}"

    def table(self, heads: list[str], rows: list[list[str]]) -> str:
        size, columns = _fitting([heads, *rows])
        lines = [" & ".join(row) + r" \\" for row in rows]
        top = " & ".join(heads) + r" \\ \hline"
        if len(rows) <= MOST_TOGETHER:  # a longtable knows its widths in the second run only
            begin = rf"{{{size}\begin{{tabular}}{{@{{}}{columns}@{{}}}}"
            return "\n".join([begin, top, *lines, r"\end{tabular}\par}"])
        begin = rf"{{{size}\begin{{longtable}}[l]{{@{{}}{columns}@{{}}}}"
        return "\n".join([begin, rf"{top}\endhead", *lines, r"\end{longtable}}"])

    def picture(self, picture: Picture) -> str:
        """Drawn, and its words below it; a foreign one by its words and lines."""
        drawn = latex_picture(picture.svg, self.words)
        columns = drawn.count(r"\begin{picture}") > 1
        alt = picture.alt + " It goes on from column to column." * columns
        said = f"{{\\raggedright\\small {self.sentence(alt)}\\par}}"
        if drawn or not picture.lines:
            return f"{drawn}\n{said}".strip()
        return f"{said}\n{self.lines(list(without_braille(picture.lines)))}"


def _of_a_page(line: str) -> list[str]:
    """A line as it is; one that is wider than any page as several."""
    if len(line) <= WIDTH:
        return [line]
    begin = line[: len(line) - len(line.lstrip())]
    return wrapped(line.strip(), OF_PAPER, begin, begin + " " * 4)


def _fitting(rows: list[list[str]]) -> tuple[str, str]:
    """The largest size in which a table fits, and its columns: wide ones break their lines."""
    letters = [max(_letters(cell) for cell in column) for column in zip(*rows, strict=True)]
    for each, size in SIZES:
        natural = [each * count for count in letters]
        room = TABLE - GAP * (len(letters) - 1)
        narrow = [width for width in natural if width <= room / 3]
        wide = [width for width in natural if width > room / 3]
        left = room - sum(narrow)
        if sum(wide) <= left:
            return size, "l" * len(letters)
        if wide and left >= 0.3 * room * len(wide):
            break
    left = max(left, 0.2 * room * len(wide))
    shares = [left * width / sum(wide) if width > room / 3 else 0.0 for width in natural]
    breaking = r">{{\raggedright\arraybackslash}}p{{{:.0f}pt}}"
    return size, "".join(breaking.format(share) if share else "l" for share in shares)


def _letters(cell: str) -> int:
    """About how many letters wide a cell is: a command counts as one."""
    return len(re.sub(r"\\[A-Za-z]+|\\.", "x", cell).translate(str.maketrans("", "", "{}$^_")))


def _character(c: str) -> str:
    """A sign of a sentence; one that no font of the article has, by its number."""
    if c in SPECIAL:
        return SPECIAL[c]
    if c.isascii() or c in "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ":
        return c
    if c in GREEK:
        return f"$\\{GREEK[c]}$"
    return f"${OPERATORS[c]}$" if c in OPERATORS else f"u{ord(c):04x}"
