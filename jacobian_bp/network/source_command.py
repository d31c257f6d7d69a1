"""jacobian-bp source: a step of training as a NumPy file.

add_parser describes the command, run_command runs it.
"""

import argparse
from collections.abc import Callable
from typing import Any

from ..document.files import PYTHON, place_for, write_text
from ..source.styles import require_style
from ..writing import terminal
from ..writing.signs import safe
from .from_options import case_of

ABOUT = "a step of training as a NumPy file: the cost and all gradients"

Options = Callable[[], argparse.ArgumentParser]


def add_parser(commands: Any, options: Options) -> None:
    """Add `source` to the commands; `options` are those that describe a network."""
    parser = commands.add_parser("source", parents=[options()], help=ABOUT, description=ABOUT + ".")
    parser.add_argument(
        "--style",
        metavar="NAME",
        default="numpy",
        help="numpy (the default): whole arrays, to the bit; loops: entry by entry, to rounding",
    )
    parser.add_argument(
        "--out", metavar="FILE", help=f"write it to a file whose name ends in {PYTHON.named}"
    )


def run_command(options: argparse.Namespace, parser: Options) -> int:
    """Write the text: 0. Raises SpecError for a file that cannot be written."""
    place = None if options.out is None else place_for(options.out, kind=PYTHON)
    style = require_style(options.style, "--style")
    text = case_of(options, parser).run.source(style)
    if place is None:
        terminal.write(text.splitlines())
    else:
        write_text(place, text)
        terminal.write([f"written: {safe(options.out)}"])
    return 0
