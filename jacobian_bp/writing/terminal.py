"""Standard output as it is: a terminal or a pipe, with or without Unicode.

Colour and a progress bar appear on a terminal only, NO_COLOR and TERM=dumb are
honoured, and a reader that stops reading ends the program quietly.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from shutil import get_terminal_size

from .signs import carries_unicode, for_stream
from .tables import fold, fold_all

NARROWEST, PAGE = 40, 99
CLOSED_PIPE = 141  # what a shell reports for a writer whose reader went away
OUTPUT_FAILED = 3


def is_watched() -> bool:
    """Whether standard output is a terminal, before which someone waits."""
    return bool(sys.stdout and sys.stdout.isatty())


def width() -> int:
    """The width to write for: the terminal's, or COLUMNS, and 40 at the least; 99 in a pipe."""
    return _of_terminal() if is_watched() else PAGE


def _of_terminal() -> int:
    return max(NARROWEST, get_terminal_size((80, 24)).columns)


def is_ascii() -> bool:
    """Whether standard output can carry ASCII only."""
    return not carries_unicode()


def is_plain() -> bool:
    """Whether the user asked for text without escape codes."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def write(lines: Iterable[str]) -> None:
    """Write lines to standard output, in colour on a terminal that has it."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    if not sys.stdout.isatty() or is_plain():
        for line in lines:
            sys.stdout.write(for_stream(line) + "\n")
    else:
        from .colour import write_coloured

        write_coloured(map(for_stream, lines))
    sys.stdout.flush()


def fail(message: str) -> None:
    """One message to standard error, as far as there is one; on a terminal as wide as that."""
    if sys.stderr is None:
        return
    if sys.stderr.isatty():
        message = "\n".join(fold_all(message.split("\n"), _of_terminal()))
    try:
        sys.stderr.write(for_stream(message, sys.stderr) + "\n")
        sys.stderr.flush()
    except OSError:
        silence()


def announce(message: str) -> None:
    """What takes long, said before it begins: to standard error, on a terminal and in a pipe."""
    if message:
        fail("\n".join(fold(f"jacobian-bp: {message}", width())))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal; nothing otherwise."""
    if sys.stderr is None or not sys.stderr.isatty() or is_plain():
        yield None
        return
    from .colour import progress_bar

    with progress_bar(what, _of_terminal()) as report:
        yield report


def silence() -> None:
    """Point the outputs that fail at nothing, so that the interpreter's last flush cannot."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            with suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
