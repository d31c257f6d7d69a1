"""Ctrl-C and requests to end: who handles them inside a block, and the exit code behind it."""

import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended

Handler = Callable[[int, FrameType | None], Any] | signal.Handlers


@contextmanager
def handled(
    signals: Collection[int], handler: Handler, *, only_unhandled: bool = False
) -> Iterator[None]:
    """Inside the block `handler` is called for `signals`; behind it all is as before.

    A signal that the caller ignores, as under nohup or in the background of a shell, stays
    ignored; `only_unhandled` leaves those alone too that have a handler already. Only the main
    thread may install one; in any other nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in signals}
    taken = [
        number
        for number, other in before.items()
        if other is not signal.SIG_IGN and (other is signal.SIG_DFL or not only_unhandled)
    ]
    try:
        for number in taken:
            signal.signal(number, handler)
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
