"""Ctrl-C and SIGTERM end a measurement in the same way: what is finished is kept.

An exception that is raised within a callback of another package may be swallowed
there. The signal therefore is also written down, and `require_none` looks at that.
"""

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from ...writing.interrupts import handled

BOTH = (signal.SIGINT, signal.SIGTERM)
_arrived: list[int] = []  # the signals since the block began


class Terminated(KeyboardInterrupt):
    """A signal that ends the program, as the exception that Ctrl-C raises."""


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Inside the block both signals raise; behind it the handlers of before are in place again.

    A signal that is ignored, as in the background of a shell, stays ignored.
    """
    with handled(BOTH, _note_and_raise):
        _arrived.clear()
        try:
            yield
        finally:
            _arrived.clear()


def undisturbed() -> AbstractContextManager[None]:
    """A few moments in which neither Ctrl-C nor SIGTERM interrupts: results are being saved."""
    return handled(BOTH, signal.SIG_IGN)


def require_none() -> None:
    """Raise Terminated where a signal has arrived, also if its exception was swallowed."""
    if _arrived:
        raise Terminated(f"signal {_arrived[0]}")


def _note_and_raise(number: int, frame: FrameType | None) -> None:
    _arrived.append(number)
    raise Terminated(f"signal {number}")
