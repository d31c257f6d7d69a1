"""A report: what was found about something, as text, and as a document in every form."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from ..writing.shown import Printed
from ..writing.signs import for_stream
from ..writing.tables import WIDTH, fold_all
from .as_html import page
from .as_latex import article
from .as_markdown import markdown
from .blocks import Document
from .saving import place_for, save


class Report(Printed):
    """A finding that is printed, and written to a file as a page, an article or Markdown.

    `names` are those of values: a sentence that holds one has it set as a formula.
    """

    def document(self, names: Iterable[str] = ()) -> Document:
        """The report as blocks, which every form of it is made from."""
        raise NotImplementedError

    def printed(self, ascii_only: bool = False) -> str:
        """The report as plain text."""
        raise NotImplementedError

    def html(self, names: Iterable[str] = ()) -> str:
        """The report as one HTML file that loads nothing."""
        return page(self.document(names))

    def tex(self, names: Iterable[str] = ()) -> str:
        """The report as a LaTeX article."""
        return article(self.document(names))

    def markdown(self, names: Iterable[str] = (), plain: bool = False) -> str:
        """The report as Markdown; formulas as GitHub marks them, or in `plain` dollars."""
        return markdown(self.document(names), plain)

    def save(
        self, path: str | os.PathLike[str], names: Iterable[str] = (), replace: bool = False
    ) -> None:
        """Write it to a file, as .html .tex .md .txt says; what is there stays without `replace`.

        Raises SpecError for another ending, a folder that is not there, and a file that is.
        """
        place = place_for(path, replace, ", or say replace=True")
        save(place, lambda: self.document(names), self.printed)

    def __str__(self) -> str:
        return for_stream(self.printed())


def save_report(
    place: Path, report: Report, spell: Callable[[str], str] = str, names: Iterable[str] = ()
) -> None:
    """A report in a file, in the names that `spell` gives the values in `names`."""

    def document() -> Document:
        return replace(report.document(names), spell=spell)

    save(
        place,
        document,
        lambda: "\n".join(fold_all(map(spell, report.printed().splitlines()), WIDTH)),
    )
