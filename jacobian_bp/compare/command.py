"""jacobian-bp compare: what whole Jacobians cost, predicted and measured.

add_parser describes the command, run_command runs it: a cost card of one
network, a sweep, or a preset.
"""

import argparse
from typing import Any

from .. import terminal
from ..memory import current_limit
from ..text import fold
from .facts import Clock, facts, fitted, now
from .machine import limited_threads
from .measure import Journal
from .options import Asked, Options, add_options, parse
from .plot import draw
from .results import as_csv, as_json
from .stopping import require_none, termination_as_interrupt, undisturbed
from .views import unseen_lines, view

INTERRUPTED = 130


def add_parser(commands: Any, options: Options) -> argparse.ArgumentParser:
    """Add `compare` to the commands; `options` are those that describe a network."""
    about = "what whole Jacobians cost: predicted and measured"
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        parents=[options()],
        help=about,
        description=about + ".",
        epilog="A sweep with an exponent for most routes: --widths 32,64,128,256,512.",
    )
    add_options(parser)
    return parser


def run_command(options: argparse.Namespace, parser: Options, clock: Clock = now) -> int:
    """Measure, print, save: 0, or 130 where it was interrupted, what is finished being kept.

    Raises SpecError for bad options and for files that cannot be written, before
    anything is timed.
    """
    with termination_as_interrupt():
        asked, journal = parse(options, parser), Journal()  # this imports the peers
        require_none()
        with limited_threads(asked.threads):
            about = facts(asked, clock)
            try:
                for lines in view(asked, journal):
                    _write(lines)
                complete = True
            except KeyboardInterrupt:
                complete = False
            except BaseException:  # a closed pipe, an error further on: the rows are kept
                with undisturbed():
                    for sentence in _saved(asked, journal, about, False):
                        terminal.fail(sentence)
                raise
            with undisturbed():
                return _finish(asked, journal, about, complete)


def _write(lines: list[str]) -> None:
    room = terminal.width()
    terminal.write(part for line in lines for part in fold(line, room))


def _finish(asked: Asked, journal: Journal, about: dict[str, Any], complete: bool) -> int:
    """The rows that are not on the screen yet, and the files."""
    lines: list[str] = []
    if not complete:
        lines = ["", "incomplete: it was interrupted", *unseen_lines(asked, journal)]
    _write([*lines, *_saved(asked, journal, about, complete)])
    if complete:
        return 0
    kept = "the rows above are what was finished" if journal.rows else "nothing was finished"
    terminal.fail(f"jacobian-bp: interrupted; {kept}")
    return INTERRUPTED


def _saved(asked: Asked, journal: Journal, about: dict[str, Any], complete: bool) -> list[str]:
    """Each file written, as far as there are rows; a sentence for each."""
    said = []
    about = about | fitted(asked, journal)
    for kind, output in asked.outputs.items():
        if not journal.rows:
            said.append(output.nothing())
            continue
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
