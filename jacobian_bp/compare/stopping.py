"""Ctrl-C and SIGTERM end a measurement in the same way: what is finished is kept."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM, as the exception that Ctrl-C raises."""


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Inside the block SIGTERM raises; behind it the handler of before is in place again.

    Only the main thread may install a handler; in any other nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A few moments in which neither Ctrl-C nor SIGTERM interrupts: results are being saved."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    both = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in both}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated(f"signal {number}")
