"""jacobian-bp compare: what whole Jacobians cost, predicted and measured.

add_parser describes the command, run_command runs it: a cost card of one
network, a sweep, or a preset.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from ..document.saving import FORMS
from ..numbers.memory import current_limit, memory_limit
from ..writing import terminal
from ..writing.interrupts import INTERRUPTED
from ..writing.tables import WIDTH, fold, fold_all
from .report.options import UNHEARD, Asked, Options, add_options, parse
from .report.parts import Part, document_of_parts, screen_lines
from .report.plot import draw
from .report.provenance import Clock, fitted, now, provenance
from .report.result_files import Output, as_csv, as_json
from .report.screen import lines_of, unseen_parts
from .timing.machine import limited_threads
from .timing.measure import Journal
from .timing.stopping import require_none, termination_as_interrupt, undisturbed


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
    for action in parser._actions:  # they come with the options of a network, and are refused
        if action.dest in UNHEARD:
            action.help = argparse.SUPPRESS
    add_options(parser)
    return parser


def run_command(options: argparse.Namespace, parser: Options, clock: Clock = now) -> int:
    """Measure, print, save: 0; 130 where it was interrupted, 3 where a file was not written.

    What is finished is kept in either case. Raises SpecError for bad options and for
    files that cannot be written, before anything is timed.
    """
    with termination_as_interrupt(), memory_limit(current_limit()):  # one limit for the whole run
        asked, journal = parse(options, parser), Journal()  # this imports the peers
        require_none()
        with limited_threads(asked.threads):
            about = provenance(asked, clock)
            shown: list[Part] = []
            try:
                for parts in lines_of(asked, journal):
                    shown += parts
                    _write(parts)
                complete = True
            except KeyboardInterrupt:
                complete = False
            except BaseException:  # a closed pipe, an error further on: the rows are kept
                with undisturbed():
                    written, failed = _saved(asked, journal, about, False, shown)
                    _fail([*written, *failed])
                raise
            with undisturbed():
                return _finish(asked, journal, about, complete, shown)


def _write(parts: Sequence[Part]) -> None:
    terminal.write(fold_all(screen_lines(parts), terminal.width()))


def _fail(sentences: list[str]) -> None:
    for sentence in sentences:
        terminal.fail("\n".join(fold(sentence, terminal.PAGE)))


def _finish(
    asked: Asked, journal: Journal, about: dict[str, Any], complete: bool, shown: list[Part]
) -> int:
    """The files, and the rows that are not on the screen yet."""
    more: list[Part] = []
    if not complete:
        more = ["", "incomplete: it was interrupted", *unseen_parts(asked, journal)]
    written, failed = _saved(asked, journal, about, complete, [*shown, *more])
    _write([*more, *written])
    if not complete:
        kept = "the rows above are what was finished" if journal.rows else "nothing was finished"
        terminal.fail(f"jacobian-bp: interrupted; {kept}")
    if failed:
        _fail([f"jacobian-bp: {sentence}" for sentence in failed])
        return terminal.OUTPUT_FAILED
    return 0 if complete else INTERRUPTED


def _saved(
    asked: Asked, journal: Journal, about: dict[str, Any], complete: bool, shown: Sequence[Part]
) -> tuple[list[str], list[str]]:
    """Each file written, as far as there are rows: a sentence for each that is, and that is not.

    One that fails does not keep the others from being written; the picture, which takes most,
    comes last.
    """
    written, failed = [], []
    about = about | fitted(asked, journal)
    for kind, output in sorted(asked.outputs.items(), key=lambda item: item[0] == "plot"):
        if not journal.rows:
            written.append(output.nothing())
            continue
        try:
            if kind == "out":
                content = _document(output, asked, shown)
            else:
                content = _content(kind, output, asked, journal, about, complete)
            written.append(output.write(content, complete))
        except Exception as error:
            failed.append(output.failed(error))
    return written, failed


def _document(output: Output, asked: Asked, shown: Sequence[Part]) -> bytes:
    """What was on the screen, in the form that the ending of the file asks for."""
    form = FORMS[output.path.suffix.lower()]
    if form is None:
        return ("\n".join(fold_all(screen_lines(shown), WIDTH)) + "\n").encode()
    what = asked.preset or (f"a sweep of the {asked.sweep.axis}" if asked.sweep else "one network")
    return form(document_of_parts(shown, f"What whole Jacobians cost: {what}")).encode()


def _content(
    kind: str, output: Output, asked: Asked, journal: Journal, about: dict[str, Any], complete: bool
) -> bytes:
    if kind != "plot":
        return (as_json if kind == "json" else as_csv)(about, journal.rows, complete)
    axis = asked.sweep.axis if asked.sweep else ""
    title = f"The gradient by every route, {axis} swept"
    title += "" if complete else ", incomplete"
    return draw(axis, journal.rows, title, output.path.suffix.lower(), current_limit())
