"""A grader that is asked to end cleans up first: the sheet is ended, its folder deleted."""

import signal
from contextlib import AbstractContextManager
from typing import Any, NoReturn

from ...writing.interrupts import handled

ASKED = ("SIGTERM", "SIGHUP")  # SIGINT is a KeyboardInterrupt already; SIGKILL asks nobody


def stopped_in_order() -> AbstractContextManager[None]:
    """Within this, a request to end is a SystemExit, which runs every `finally` on its way.

    A signal that the caller ignores, as under nohup, stays ignored.
    """
    numbers = [getattr(signal, name) for name in ASKED if hasattr(signal, name)]
    return handled(numbers, _end, only_unhandled=True)


def _end(number: int, frame: Any) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough; the cleaning is not to be disturbed
    raise SystemExit(128 + number)
