"""`jacobian-bp`, and `python -m jacobian_bp`: Ctrl-C and SIGTERM end both with 130.

All else is imported within reach of the `except`: loading it takes a while, in which it may
be interrupted too.
"""

import sys
from types import FrameType

INTERRUPTED = 130  # as in writing/interrupts.py, which is not loaded yet


def main() -> int:
    """Run the command line; the result is the exit code."""
    try:
        import signal

        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _interrupt)
        from . import cli

        return cli.main()
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("jacobian-bp: interrupted", file=sys.stderr)
        return INTERRUPTED


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM, as what Ctrl-C raises."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
