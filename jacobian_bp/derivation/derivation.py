"""The derivation of every gradient of a run as it is read: printed, saved, shown in a notebook."""

import dataclasses
import os
import re
from dataclasses import dataclass

from ..document.as_html import page as html_page
from ..document.as_markdown import markdown
from ..document.as_text import text_lines
from ..document.blocks import Document, Picture, Section
from ..document.files import PAGE, place_for, write_text
from ..document.saving import save
from ..document.text_matrices import matrix_lines
from ..writing.latex import aligned, formula, words
from ..writing.notebook import Said, page, steps
from ..writing.shown import Shown
from ..writing.signs import dims, for_stream, plural, rename
from ..writing.tables import WIDTH
from .document_of import document_of, matrix_of_step, withheld
from .folding import folded
from .graph_of import graph_of
from .ledger import DeltaStep, Folded, ForwardStep, GradientStep, Ledger, LocalStep
from .page.explored import Explored
from .page.page_of import page_of
from .spelled_once import as_ascii, read_aloud, spelled_once

ROOM = 80  # columns for the numbers of a step in a notebook
ZEROS = "under each step its numbers; '.' is zero for every input, '0' at this input"


@dataclass(frozen=True, eq=False, repr=False)
class Derivation(Shown, Ledger):
    """The ledger of a run; printing it prints the derivation."""

    def text(self, width: int = WIDTH, ascii_only: bool = False, everything: bool = False) -> str:
        """The derivation as plain text; `everything` writes out repeated layers too."""

        names = spelled_once(self.names)

        def spell(text: str) -> str:
            named = self._spelled(text, names)
            return as_ascii(named) if ascii_only else named

        return read_aloud("\n".join(text_lines(document_of(self, everything), width, spell)))

    def document(self, everything: bool = False, numbers: bool = True) -> Document:
        """The derivation as blocks, which every form but the text is made from, and its graph.

        Without `numbers` it has those that are given, and none that was computed from them.
        """
        made = document_of(self, everything)
        plain, spelled = (graph_of(self, how, numbers=numbers) for how in (str, self.spelled))
        picture = Picture(spelled.svg, plain.alt)  # the document spells the words
        network, *others = made.sections
        sections = network, Section("", "Graph", (picture,)), *others
        made = dataclasses.replace(made, sections=sections, spell=self.spelled)
        return made if numbers else withheld(made)

    def html(
        self, everything: bool = False, static: bool = False, explored: Explored | None = None
    ) -> str:
        """The derivation as one HTML file that loads nothing; a `static` one has no script.

        Its script shows the step that a reader chooses: each entry with its formula filled in
        and the reason of its zero, the five layouts, and how the deltas are spent. With mistakes
        `explored` one is chosen, and what it changes is marked where it stands.
        """
        numbers = explored is None or explored.numbers
        if static:
            more = explored.section if explored else None
            return html_page(self.document(everything, numbers), more)
        made = dataclasses.replace(document_of(self, everything), spell=self.spelled)
        made = made if numbers else withheld(made)
        return page_of(self, made, self.spelled, everything, explored)

    def markdown(self, everything: bool = False, plain: bool = False) -> str:
        """The derivation as Markdown; formulas as GitHub marks them, or in `plain` dollars."""
        return markdown(self.document(everything), plain)

    def save(
        self,
        path: str | os.PathLike[str],
        everything: bool = False,
        replace: bool = False,
        static: bool = False,
        explored: Explored | None = None,
    ) -> None:
        """Write it to a file: a page, an article, Markdown or text, as .html .tex .md .txt says.

        A `static` page has no script: its steps and all their numbers, as on paper. Mistakes
        `explored` stand on a page alone.
        Raises SpecError for another ending, for a folder that is not there, and for a file
        that is there already, unless `replace` is said.
        """
        place = place_for(path, replace, ", or say replace=True")
        if place.suffix.lower() == PAGE:
            write_text(place, self.html(everything, static, explored))
        else:
            save(place, lambda: self.document(everything), lambda: self.text(everything=everything))

    def spelled(self, text: str) -> str:
        """A text with the symbols of the convention: W1 is Θ^(1), ∂J/∂W1 may be dW1."""
        return self._spelled(text, self.names)

    def _spelled(self, text: str, names: dict[str, str]) -> str:
        named = rename(text, names)
        for ours, called in self.gradient_names.items():
            whole = re.escape(rename(ours, names)) + r"(?![\w^])"
            named = re.sub(whole, called.replace("\\", r"\\"), named)
        return named

    def latex(self) -> str:
        """The steps one under another, as LaTeX without delimiters; layout and shape as words."""
        lines = []
        for said, shape, _ in self._rows():
            latex = words(said) if isinstance(said, Said) else formula(said)
            lines.append(latex.replace("=", "&=", 1) + (rf" &&{words(shape)}" if shape else ""))
        return aligned(lines)

    def _repr_html_(self) -> str:
        """For a notebook: each step with its numbers under it, then what the checks found."""
        checks = self.agreement.lines() if self.agreement else []
        return steps(self._rows(), self._numbers(), ZEROS) + "\n" + page("", checks)

    def _numbers(self) -> list[list[str]]:
        """The numbers of each row."""
        ledger = folded(self)
        return [
            [] if isinstance(step, Folded) else matrix_lines(matrix_of_step(step), ROOM)
            for step in (*ledger.forward, *ledger.backward, *ledger.gradients)
        ]

    def _rows(self) -> list[tuple[str, str, str]]:
        """For each step its formula, layout and shape, and reason; repeated layers are folded."""
        ledger, found = folded(self), list[tuple[str, str, str]]()
        for step in (*ledger.forward, *ledger.backward, *ledger.gradients):
            if isinstance(step, Folded):
                found.append((Said(step), "", ""))
                continue
            reason = "" if isinstance(step, ForwardStep) else self.spelled(step.reason)
            found.append((self.spelled(step.statement), self._place(step), reason))
        return found

    def _place(self, step: ForwardStep | LocalStep | DeltaStep | GradientStep) -> str:
        """The number of a step where it has one, its layout and its shape: [7] flat (2, 8)."""
        if isinstance(step, ForwardStep):
            return dims(step.value.shape)
        number = f"[{step.number}] " if isinstance(step, LocalStep) else ""
        shape = step.jacobian_shape if isinstance(step, GradientStep) else step.shape
        return f"{number}{self.layout} {dims(shape)}"

    def __str__(self) -> str:
        return for_stream(self.text())

    def __repr__(self) -> str:
        count = sum(isinstance(step, LocalStep) for step in self.backward)
        return (
            f"<Derivation of {plural(len(self.gradients), 'gradient')} of {self.cost} in layout "
            f"{self.layout}: {plural(self.parameter_count, 'parameter')}, "
            f"{plural(count, 'local Jacobian')}; print() shows it>"
        )
