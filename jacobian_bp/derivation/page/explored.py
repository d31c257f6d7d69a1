"""Mistakes on the page of a derivation: chosen from a section, or in the bar of the page.

Sentences and names are in the package's own terms; the page writes them in its convention.
"""

from dataclasses import dataclass, replace

from ...document.as_html import Html
from ...document.mistakes import Mistake, mistake_html

LEVELS = ("objects", "entries", "patterns", "numbers")  # what is told of what a mistake changes
ENTRIES, PATTERNS, NUMBERS = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Explored:
    """The mistakes, what is said of all of them, and whether the page may have numbers."""

    mistakes: tuple[Mistake, ...]
    about: str
    key: str  # what a cell of the tables says; empty where there are none
    numbers: bool

    def section(self, writer: Html) -> str:
        """The mistakes under their heading, as the writer of the page sets its sentences."""
        said = [f"<p>{writer.sentence(self.about)}</p>"]
        said += [f'<p class="key">{writer.sentence(self.key)}</p>'] * bool(self.key)
        found = [mistake_html(_set(mistake, writer)) for mistake in self.mistakes]
        return "\n".join(['<section id="mistakes"><h2>Mistakes</h2>', *said, *found, "</section>"])


def _set(mistake: Mistake, writer: Html) -> Mistake:
    """A mistake in plain sentences, its sentences and names as HTML."""
    changes = tuple(
        replace(
            changed, name=writer.math(changed.name), said=tuple(map(writer.sentence, changed.said))
        )
        for changed in mistake.changes
    )
    title, says = writer.sentence(mistake.title), writer.sentence(mistake.says)
    return Mistake(title, changes, says, writer.spelled(mistake.title))
