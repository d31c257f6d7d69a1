"""jacobian-bp diagnose: which mistake gives these numbers, and where a line breaks.

jacobian-bp diagnose net.toml answer.npz                     arrays of a student
jacobian-bp diagnose net.toml --line "d3 * W3 * slope(z2)"   one line of a student
"""

import argparse
from typing import Any

from ...algebra.layouts import LAYOUTS
from ...errors import SpecError
from ...network.files.answer_file import read_answers
from ...network.network import Network
from ...network.run import Run
from ...writing import terminal
from ...writing.signs import safe
from ...writing.tables import fold_all
from ..diagnosis.of_arrays import diagnose
from ..lines.one_line import diagnose_line

WRONG = 1


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of jacobian-bp."""
    parser = commands.add_parser("diagnose", help="which mistake gives these numbers")
    parser.add_argument("network", metavar="NET.toml", help="the network, with its data")
    parser.add_argument("answers", metavar="ANSWER.npz", nargs="?", help="dW2, delta2, dz2_dW2, …")
    parser.add_argument("--line", metavar="TEXT", help='a line such as "dW2 = d2.T @ a1"')
    parser.add_argument("--target", metavar="NAME", help="what the line is meant to give: z2, W2")
    parser.add_argument("--examples", help="where a line has them: rows, columns (default: rows)")
    names = ", ".join(LAYOUTS)
    parser.add_argument(
        "--layout", help=f"of arrays: {names} (default: gradient; of Jacobians numerator)"
    )


def run_command(options: argparse.Namespace) -> int:
    """Say what is right and wrong: exit code 0 if all is right, else 1."""
    if (options.answers is None) == (options.line is None):
        raise SpecError(
            "diagnose takes a file of arrays, or one line.\n"
            "  Write jacobian-bp diagnose net.toml answer.npz, or --line 'd3 @ W3'."
        )
    for name in ("target", "examples"):
        if getattr(options, name) and options.line is None:
            raise SpecError(f"--{name} goes with --line.\n  Leave it out: arrays have their names.")
    if options.layout and options.line is not None:
        raise SpecError(
            "--layout goes with a file of arrays.\n"
            "  Leave it out: a line gives a gradient the shape of its parameter."
        )
    if options.examples not in (None, "rows", "columns"):
        raise SpecError(f"--examples {safe(options.examples)} is neither rows nor columns.")
    run = _run(options.network)
    if options.line is not None:
        report = diagnose_line(options.line, run, options.target, options.examples or "rows")
        _write(str(report))
        return 0 if report.right else WRONG
    answers = read_answers(options.answers, list(run))
    diagnosis = diagnose(run, answers, options.layout)
    _write(diagnosis.text())
    return 0 if diagnosis.ok else WRONG


def _run(name: str) -> Run:
    net = Network.from_toml(name)
    if not net.facts.data:
        raise SpecError(
            f"{safe(name)} has no data to run on.\n"
            "  Add a table [data] with x and y: the numbers the answer was computed for."
        )
    return net.run()


def _write(text: str) -> None:
    width = terminal.width()
    terminal.write(fold_all(text.splitlines(), width))
