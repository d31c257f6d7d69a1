"""A document as one HTML file that loads nothing: MathML, tables, and no script.

Structural zeros are hatched and hold '.', a zero of this input is a plain 0: a texture and
a sign tell them apart, not a hue.
"""

from collections.abc import Callable, Iterable
from html import escape

import numpy as np

from ..writing.mathml import mathml, mathml_entry
from ..writing.signs import safe
from .blocks import Document, Picture
from .html_tables import matrix_table, scrolling
from .mistakes import RULES
from .page_style import style
from .palette import level
from .sentences import Grid, Stated
from .written import Written

NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'


def page(document: Document, more: Callable[["Html"], str] | None = None) -> str:
    """A whole file; `more` is what stands behind its sections."""
    writer = Html(document)
    title = writer.heading("h1", document.title)
    below = f"\n{more(writer)}" if more else ""
    body = f"<main>\n{title}\n{writer.sections()}{below}\n</main>"
    rules = style() + (RULES if more else "")
    return whole_file(writer.spelled(document.title), rules, body)


def whole_file(title: str, rules: str, body: str, meta: str = "") -> str:
    """A file of HTML with its style within it."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'{meta}<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{rules}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n",
        ]
    )


class Html(Written):
    """The sections of a document; its steps have the places step-1, step-2, …."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.count = 0

    def sections(self) -> str:
        """All of them, each under its title."""
        return "\n".join(
            "\n".join([f"<section>{self.heading('h2', section.title)}", *blocks, "</section>"])
            for section, blocks in zip(self.document.sections, self.blocks(), strict=True)
        )

    def heading(self, tag: str, text: str) -> str:
        """A heading; one with a formula has a name too, in which browsers leave formulas out."""
        inner = self.sentence(text)
        name = f' aria-label="{escape(self.spelled(text))}"' if "<math" in inner else ""
        return f"<{tag}{name}>{inner}</{tag}>"

    def words(self, text: str) -> str:
        return escape(text).replace("ᵀ", "<sup>⊤</sup>")

    def math(self, formula: str) -> str:
        return mathml(self.spelled(formula))

    def code(self, text: str) -> str:
        return f"<code>{escape(safe(text))}</code>"

    def entry(self, name: str, place: str) -> str:
        return mathml_entry(self.spelled(name), place)

    def equals(self, formula: str, numbers: list[str], scalar: bool) -> str:
        cells = "&ensp;".join(f"<span>{_minus(number)}</span>" for number in numbers)
        value = cells if scalar else f"[{cells}]"
        return f'{self.math(formula)} = <span class="value">{value}</span>'

    def paragraph(self, line: str) -> str:
        return f"<p>{line}</p>"

    def listing(self, lines: Iterable[str]) -> str:
        items = "\n".join(f"<li>{line}</li>" for line in lines)
        return f'<ul class="signs">\n{items}\n</ul>'

    def step(self, step: Stated, key: str, numbers: str) -> str:
        self.count += 1
        place = f"step-{self.count}"
        sides = " = ".join(map(self.math, step.sides))
        number = f'<a href="#{place}">{self.said(step.number)}</a>' if step.number else ""
        said = "; ".join(map(self.sentence, step.facts))
        facts = f'<p class="facts">{said}</p>' if said else ""
        reason = f'<p class="reason">{self.sentence(step.reason)}</p>' if step.reason else ""
        return (
            f'<div class="step" id="{place}"><span class="number">{number}</span>'
            f"<p>{sides}</p>{facts}{reason}{numbers}</div>"
        )

    def grid(self, grid: Grid) -> str:
        finite = np.abs(grid.values[np.isfinite(grid.values)])
        largest = float(finite.max()) if finite.size else 0.0
        rows = [
            [
                f'<td class="k{level(float(value), largest)}">{_minus(text)}</td>'
                if possible
                else '<td class="z" title="zero for every input">.</td>'
                for text, value, possible in zip(*row, strict=True)
            ]
            for row in zip(grid.cells, grid.values, grid.possible, strict=True)
        ]
        return matrix_table("grid", rows, self.spelled(grid.of) or "the matrix")

    def lines(self, lines: list[str]) -> str:
        text = escape("\n".join(map(self.spelled, lines)))
        return scrolling(f"<pre>{text}</pre>", "text in columns")

    def table(self, heads: list[str], rows: list[list[str]]) -> str:
        head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
        body = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
        lines = "\n".join(f"<tr>{line}</tr>" for line in [head, *body])
        return scrolling(f"<table>\n{lines}\n</table>", "table")

    def picture(self, picture: Picture) -> str:
        """A wide one scrolls within its frame."""
        svg = scrolling(inline_svg(picture.svg), "picture")
        return f"<figure>{svg}<figcaption>{self.sentence(picture.alt)}</figcaption></figure>"


def inline_svg(svg: str) -> str:
    """An SVG within a page, where it needs no name of its language."""
    return svg.strip().replace(NAMESPACE, "", 1)


def _minus(number: str) -> str:
    return escape(number.replace("-", "−"))
