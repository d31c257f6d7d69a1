"""jacobian-bp diagnose: which mistake gives these numbers, and where a line breaks or is wrong.

jacobian-bp diagnose net.toml answer.npz                     arrays of a student
jacobian-bp diagnose net.toml --line "d3 * W3 * slope(z2)"   one line of a student
jacobian-bp diagnose net.toml --code backward.py             a whole backward function
jacobian-bp diagnose net.toml answer.npz --convention ng     as a course writes them
"""

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...algebra.layouts import LAYOUTS
from ...derivation.convention import CHOICES, Convention
from ...derivation.ready_made import ReadyMade
from ...document.files import DOCUMENTS, place_for
from ...document.report import Report, save_report
from ...errors import SpecError
from ...network.files.answer_file import read_answers, read_arrays
from ...network.files.convention_file import convention_of
from ...network.files.paths import read_limited
from ...network.model_files import is_model_file, require_a_network, run_on_arrays
from ...network.network import Network
from ...network.run import Run
from ...writing import terminal
from ...writing.signs import safe
from ...writing.tables import fold_all
from ..code.code_report import CodeReport
from ..code.limits import LONGEST_TEXT
from ..code.one_text import diagnose_code
from ..diagnosis.of_arrays import diagnose
from ..lines.one_line import diagnose_line

WRONG = 1
LINE_HELP = (
    'a line such as "dW2 = d2.T @ a1", "Z1 = np.dot(W1, X) + b1", "da1_dz1 = 1 - a1**2"; read are '
    "numpy's operators and functions, self.W1, cache['A1'], activations[-2], sigmoid_prime(z1)"
)


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of jacobian-bp."""
    parser = commands.add_parser("diagnose", help="which mistake gives these numbers")
    parser.add_argument(
        "network",
        metavar="NET.toml",
        help="the network, with its data; or a model, .onnx or .keras, with --data",
    )
    parser.add_argument("--data", metavar="FILE.npz", help="x and y of a model's file")
    parser.add_argument("--loss", help="of a model's file: cross_entropy, …")
    parser.add_argument("answers", metavar="ANSWER.npz", nargs="?", help="dW2, delta2, dz2_dW2, …")
    parser.add_argument("--line", metavar="TEXT", help=LINE_HELP)
    parser.add_argument("--target", metavar="NAME", help="what the line is meant to give: z2, W2")
    parser.add_argument("--code", metavar="FILE.py", help="a whole backward function, never run")
    parser.add_argument("--function", metavar="NAME", help="which function of the file it is")
    parser.add_argument(
        "--let", metavar="NAME=NUMBER", action="append", help="a number of the code: reg=0.01"
    )
    parser.add_argument(
        "--convention", metavar="NAME|FILE.toml", help="how it is written: ng, nielsen, cs231n, …"
    )
    parser.add_argument("--examples", help="in short, where they stand: rows or columns")
    parser.add_argument("--weights", help="in short, the axes of W: out,in or in,out")
    names = ", ".join(LAYOUTS)
    parser.add_argument(
        "--layout", help=f"of arrays: {names} (default: gradient; of Jacobians numerator)"
    )
    ends = f"write a report instead; the name ends in {DOCUMENTS.named}"
    parser.add_argument("--out", metavar="FILE", help=ends)


def run_command(options: argparse.Namespace) -> int:
    """Say what is right and wrong: exit code 0 if all is right, else 1."""
    if options.out is not None:
        place_for(options.out)
    if [options.answers, options.line, options.code].count(None) != 2:
        raise SpecError(
            "diagnose takes a file of arrays, or one line, or the code of a function.\n"
            "  Write jacobian-bp diagnose net.toml answer.npz, or --line 'd3 @ W3',\n"
            "  or --code backward.py."
        )
    if options.code is not None:
        return _run_code(options)
    for name in ("function", "let"):
        if getattr(options, name):
            raise SpecError(f"--{name} goes with --code.\n  Leave it out, or name the file.")
    if options.target and options.line is None:
        raise SpecError("--target goes with --line.\n  Leave it out: arrays have their names.")
    if options.layout and options.line is not None:
        raise SpecError(
            "--layout goes with a file of arrays.\n"
            "  Leave it out: a line gives a gradient the shape of its parameter."
        )
    said = _convention(options)
    run, data = _run(options)
    written = said or _of_file(run)
    if options.line is not None:
        # --examples alone leaves open where the 1/m stands
        alone = options.examples and options.weights is None
        examples, convention = (options.examples, None) if alone else (None, written)
        report = diagnose_line(options.line, run, options.target, examples, convention)
        _hand_over(report, data, run, options)
        return 0 if report.right else WRONG
    if written is None:
        diagnosis = diagnose(run, read_answers(options.answers, list(run)), options.layout)
    else:
        arrays = read_arrays(Path(options.answers))
        diagnosis = diagnose(run, arrays, options.layout, written)
    _hand_over(diagnosis, data, run, options)
    return 0 if diagnosis.ok else WRONG


def _run_code(options: argparse.Namespace) -> int:
    """A whole function: exit code 0 if every line is right, else 1."""
    for name in ("target", "layout"):
        if getattr(options, name):
            raise SpecError(f"--{name} does not go with --code.\n  Leave it out: names say it.")
    if options.convention is None and (options.examples is None) != (options.weights is None):
        raise SpecError(
            "--examples and --weights go together with --code.\n"
            "  Write both, such as --examples columns --weights out,in; or neither: the lines tell."
        )
    written = _convention(options)
    text = read_limited(Path(options.code), LONGEST_TEXT, "Name a file of Python.")
    run, data = _run(options)
    try:
        code = text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise SpecError(
            f"{safe(options.code)}, line {line}: this is no UTF-8 text.\n  Save it as UTF-8."
        ) from None
    let = dict(map(_number, options.let or ()))
    report = diagnose_code(code, run, written or _of_file(run), let, options.function)
    _hand_over(_with_options(report), data, run, options)
    return 0 if report.right else WRONG


def _with_options(report: CodeReport) -> CodeReport:
    """What is advised, as it is written on the command line."""
    python = re.compile(r"convention=Convention\('(\w+)', '(\w+,\w+)'\)")

    def said(sentence: str) -> str:
        return python.sub(r"--examples \1 --weights \2", sentence)

    sentences = tuple(map(said, report.sentences))
    return replace(report, sentences=sentences, ask=report.ask and said(report.ask))


def _convention(options: argparse.Namespace) -> Convention | ReadyMade | None:
    """The convention that is named, or that --examples and --weights say in short."""
    for name in ("examples", "weights"):
        given, choices = getattr(options, name), CHOICES[name]
        if given is not None and options.convention is not None:
            raise SpecError(
                f"--{name} and --convention both say how it is written.\n  Leave one of them out."
            )
        if given not in (None, *choices):
            raise SpecError(
                f"--{name} {safe(given)} is not known.\n  Write {' or '.join(choices)}."
            )
    if options.convention is not None:
        return convention_of(options.convention)
    said = {n: getattr(options, n) for n in ("examples", "weights") if getattr(options, n)}
    return Convention(**said) if said else None


def _of_file(run: Run) -> ReadyMade | None:
    """What the network's file says, by name or in a table; None where it names a layout only."""
    found = run.convention()
    return None if found.name in LAYOUTS else found


def _number(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise SpecError(f"--let {safe(text)} gives no number.\n  Write --let reg=0.01.") from None


def _run(options: argparse.Namespace) -> tuple[Run, list[str]]:
    """The run on the data of the file, and what was assumed of the table that they stand in."""
    name: str = options.network
    require_a_network(name)
    if is_model_file(name):
        run, said = run_on_arrays(name, options.data, options.loss)
        return run, [f"data      {remark}" for remark in said]
    for other in ("data", "loss"):
        if getattr(options, other) is not None:
            raise SpecError(
                f"--{other} goes with a model's file, such as net.onnx; a network file has its "
                "own.\n  Leave it out."
            )
    net = Network.from_toml(name)
    if not net.facts.data:
        raise SpecError(
            f"{safe(name)} has no data to run on.\n"
            "  Add a table [data] with x and y: the numbers the answer was computed for."
        )
    of_table = net.facts.remarks[:-1] if net.facts.sizes else ()  # the last tells of the weights
    return net.run(), [f"data      {remark}" for remark in of_table]


def _hand_over(report: Report, data: list[str], run: Run, options: argparse.Namespace) -> None:
    """The report to the screen; or to a file, and to the screen where it is."""
    width = terminal.width()
    lines = fold_all(data, width)
    if options.out is not None:
        save_report(place_for(options.out), report, names=run)
        lines.append(f"written: {safe(options.out)}")
    elif options.code is not None:  # a line of code stays whole
        lines += str(report).splitlines()
    else:
        printed = report.printed() if options.line is None else str(report)
        lines += fold_all(printed.splitlines(), width)
    terminal.write(lines)
