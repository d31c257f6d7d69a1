"""Ctrl-C and SIGTERM end a measurement in the same way: what is finished is kept.

An exception that is raised within a callback of another package may be swallowed
there. The signal therefore is also written down, and `require_none` looks at that.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

BOTH = (signal.SIGINT, signal.SIGTERM)
_arrived: list[int] = []  # the signals since the block began


class Terminated(KeyboardInterrupt):
    """A signal that ends the program, as the exception that Ctrl-C raises."""


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Inside the block both signals raise; behind it the handlers of before are in place again.

    Only the main thread may install a handler; in any other nothing changes. A
    signal that is ignored, as in the background of a shell, stays ignored.
    """
    with _handled(_note_and_raise):
        _arrived.clear()
        try:
            yield
        finally:
            _arrived.clear()


@contextmanager
def undisturbed() -> Iterator[None]:
    """A few moments in which neither Ctrl-C nor SIGTERM interrupts: results are being saved."""
    with _handled(signal.SIG_IGN):
        yield


def require_none() -> None:
    """Raise Terminated where a signal has arrived, also if its exception was swallowed."""
    if _arrived:
        raise Terminated(f"signal {_arrived[0]}")


@contextmanager
def _handled(handler: object) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in BOTH}
    changed = [number for number in BOTH if before[number] is not signal.SIG_IGN]
    try:
        for number in changed:
            signal.signal(number, handler)  # type: ignore[arg-type]
        yield
    finally:
        for number in changed:
            signal.signal(number, before[number] or signal.SIG_DFL)


def _note_and_raise(number: int, frame: FrameType | None) -> None:
    _arrived.append(number)
    raise Terminated(f"signal {number}")
