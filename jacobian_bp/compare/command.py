"""jacobian-bp compare: what whole Jacobians cost, predicted and measured.

add_parser describes the command, run_command runs it: a cost card of one
network, a sweep, or a preset.
"""

import argparse
from typing import Any

from .. import terminal
from ..memory import current_limit
from ..text import fold
from .machine import limited_threads
from .measure import Journal
from .options import Asked, Options, add_options, parse
from .plot import draw
from .report import measured_table
from .results import as_csv, as_json
from .stopping import termination_as_interrupt, undisturbed
from .views import facts, view

INTERRUPTED = 130


def add_parser(commands: Any, options: Options) -> argparse.ArgumentParser:
    """Add `compare` to the commands; `options` are those that describe a network."""
    about = "what whole Jacobians cost: predicted and measured"
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare", parents=[options()], help=about, description=about + "."
    )
    add_options(parser)
    return parser


def run_command(options: argparse.Namespace, parser: Options) -> int:
    """Measure, print, save: 0, or 130 where it was interrupted, what is finished being kept.

    Raises SpecError for bad options and for files that cannot be written, before
    anything is timed.
    """
    asked, journal = parse(options, parser), Journal()
    with limited_threads(asked.threads), termination_as_interrupt():
        about = facts(asked)
        try:
            for lines in view(asked, journal):
                terminal.write(part for line in lines for part in fold(line, terminal.WIDEST))
            complete = True
        except KeyboardInterrupt:
            complete = False
        except BaseException:  # a closed pipe, an error further on: the rows are kept all the same
            with undisturbed():
                _saved(asked, journal, about, False)
            raise
        with undisturbed():
            return _finish(asked, journal, about, complete)


def _finish(asked: Asked, journal: Journal, about: dict[str, Any], complete: bool) -> int:
    """The rows that are not on the screen yet, and the files."""
    lines: list[str] = []
    if not complete:
        unseen = journal.rows[journal.shown :]
        lines = ["", "incomplete: it was interrupted"]
        lines += measured_table(unseen, "", "") if unseen else []
    terminal.write([*lines, *_saved(asked, journal, about, complete)])
    if complete:
        return 0
    terminal.fail("jacobian-bp: interrupted; the rows above are what was finished")
    return INTERRUPTED


def _saved(asked: Asked, journal: Journal, about: dict[str, Any], complete: bool) -> list[str]:
    """Each file written, as far as there are rows; a sentence for each."""
    if not journal.rows:
        return []
    said = []
    for kind, output in asked.outputs.items():
        if kind == "plot":
            axis = asked.sweep.axis if asked.sweep else ""
            title = f"The gradient by every route, {axis} swept"
            title += "" if complete else ", incomplete"
            suffix = output.path.suffix.lower()
            content = draw(axis, journal.rows, title, suffix, current_limit())
        else:
            write = as_json if kind == "json" else as_csv
            content = write(about, journal.rows, complete)
        said.append(output.write(content, complete))
    return said
