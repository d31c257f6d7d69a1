"""The page: the steps of a document, its graph, and the object that is chosen, in one file.

The steps and their numbers are the document's, so that a reader without a script, and one on
paper, misses none. The script adds the object; it loads nothing.
"""

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path

from ...document.as_html import Html, inline_svg, whole_file
from ...document.blocks import Document
from ...document.mistakes import RULES
from ...document.page_style import chosen_themes, style
from ...document.sentences import Stated
from ..document_of import LAYOUT_WORDS
from ..folding import folded
from ..graph_of import graph_of
from ..ledger import DeltaStep, Folded, GradientStep, Ledger, LocalStep
from .chosen_object import Object, Spell, object_of, without_entries
from .explored import Explored

MOST_BYTES = 500_000  # of a page; above it entries are left out, steps never
HERE = Path(__file__).parent

Step = LocalStep | DeltaStep | GradientStep


def page_of(
    ledger: Ledger,
    document: Document,
    spell: Spell,
    everything: bool = False,
    explored: Explored | None = None,
) -> str:
    """A derivation as one file of HTML, with the script that shows each object.

    With mistakes to choose from, their section stands behind the steps.
    """
    numbers = explored is None or explored.numbers
    steps = places_of(ledger, everything)
    writer = _Steps(document)
    sections = writer.sections()
    if explored is not None:
        sections += f"\n{explored.section(writer)}"
    links = _links(ledger.cost, steps)
    picture = inline_svg(graph_of(ledger, spell, links, numbers).svg)
    script = (HERE / "page.js").read_text("utf-8")
    rules = style() + chosen_themes() + RULES + (HERE / "page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    title = writer.spelled(document.title)
    layouts = escape(_data(LAYOUT_WORDS))
    heading = writer.heading("h1", document.title)

    def filled(data: str) -> str:
        body = f"""<a class="skip" href="#steps">to the steps</a>
<header>{heading}<div class="bar"></div></header>
<p class="unseen" role="status" id="said"></p>
<div class="columns">
<nav class="graph" aria-label="computation graph"><details open><summary>Graph</summary>
<p class="hint">A value, a parameter and an edge lead to their step.</p>
{picture}</details></nav>
<main id="steps" tabindex="-1" aria-label="the derivation">
{sections}
</main>
<aside id="object" aria-label="the chosen step" data-layouts="{layouts}"></aside>
</div>
<script type="application/json" id="objects">{data}</script>
<script>{script}</script>"""
        return whole_file(title, rules, body, meta)

    objects = [
        object_of(step, ledger.layout, spell, writer.sentence, numbers)
        | {"drawn": _drawn_as(place, step, steps)}
        for place, step in steps.items()
    ]
    room = MOST_BYTES - len(filled("").encode())
    return filled(_data(dict(zip(steps, _fitting(objects, room), strict=True))))


def places_of(ledger: Ledger, everything: bool = False) -> dict[str, Step]:
    """Where on the page each step stands: step-1, step-2, …"""
    shown = ledger if everything else folded(ledger)
    steps = [s for s in (*shown.backward, *shown.gradients) if not isinstance(s, Folded)]
    return {f"step-{number}": step for number, step in enumerate(steps, start=1)}


class _Steps(Html):
    """The steps, each with the formula by which a reader who hears the page knows it."""

    def step(self, step: Stated, key: str, numbers: str) -> str:
        written = super().step(step, key, numbers)
        label = escape(self.spelled(f"{step.number} {step.sides[0]}".strip()))
        named = f'<div class="step" role="group" aria-label="{label}"'
        return written.replace('<div class="step"', named, 1)


def _links(cost: str, steps: dict[str, Step]) -> dict[tuple[str, ...], str]:
    """Where a value and an edge of the graph lead to."""
    found: dict[tuple[str, ...], str] = {}
    for place, step in steps.items():
        if isinstance(step, LocalStep):
            found.setdefault((step.jacobian.of, step.jacobian.wrt), f"#{place}")
        else:
            _, _, value = step.name.partition("/∂")
            if step.name == f"∂{cost}/∂{value}":
                found.setdefault((value,), f"#{place}")
    return found


def _drawn_as(place: str, step: Step, steps: dict[str, Step]) -> list[str]:
    """Whose links in the graph stand for a step: for a gradient those of its parameter."""
    if not isinstance(step, GradientStep):
        return [place]
    _, _, name = step.name.partition("/∂")
    return [
        other
        for other, local in steps.items()
        if isinstance(local, LocalStep) and local.jacobian.wrt == name
    ]


def _fitting(objects: list[Object], room: int) -> list[Object]:
    """The objects without the entries of the largest, until the rest has room."""
    sizes = [len(_data(made).encode()) for made in objects]
    while sum(sizes) > room:
        at = max(range(len(sizes)), key=sizes.__getitem__)
        if "cells" not in objects[at]:
            break
        objects[at] = without_entries(objects[at])
        sizes[at] = len(_data(objects[at]).encode())
    return objects


def _data(content: object) -> str:
    """JSON that cannot end the element in which it stands."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = re.sub("<(?!/?(?:m|wbr|sup))", r"\\u003c", text)  # all but a formula's own
    return text.replace("</", "<\\/")
