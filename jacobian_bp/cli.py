"""The command line: parse, call, print.

jacobian-bp                       the 3-4-2-1 classifier, derived
jacobian-bp derive 4-5-3 ...      any layered network, on data of yours
jacobian-bp show dz2/dW2 ...      one Jacobian: formula, layouts, numbers
jacobian-bp check 4-5-3 ...       do all routes agree? exit 1 if not
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from . import __version__, reference, terminal
from .conventions import CONVENTIONS, Convention, find_convention
from .derivation import Derivation
from .errors import JacobianError, SpecError
from .files.csv_data import class_indices, examples, read_csv
from .layers import ACTIVATIONS, LOSSES, REDUCTIONS
from .network import Network
from .ops.cross_entropy import class_labels
from .run import Run
from .show import explain
from .symbols import for_stream, rename, safe
from .text import fold

DISAGREE, BAD_INPUT, INTERRUPTED = 1, 2, 130
LAST_FOR_LOSS = {"bce": "sigmoid", "cross_entropy": "softmax"}
LOSS_FOR_LAST = {last: loss for loss, last in LAST_FOR_LOSS.items()}


@dataclass(frozen=True, eq=False)
class Case:
    """A run, and what there is to say of its data."""

    run: Run
    remarks: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    try:
        options = _parser().parse_args(arguments)
        return _COMMANDS[options.command or "derive"](options)
    except JacobianError as error:
        terminal.fail(f"jacobian-bp: {type(error).__name__}: {error}")
        return BAD_INPUT
    except MemoryError:
        terminal.fail("jacobian-bp: the system has no memory left.\n  Use a smaller network.")
        return BAD_INPUT
    except BrokenPipeError:
        terminal.silence()
        return terminal.CLOSED_PIPE
    except KeyboardInterrupt:
        terminal.fail("jacobian-bp: interrupted")
        return INTERRUPTED
    except OSError as error:
        terminal.silence()
        terminal.fail(f"jacobian-bp: the output cannot be written: {error}")
        return terminal.OUTPUT_FAILED


def _derive(options: argparse.Namespace) -> int:
    case = _case(options)
    with terminal.progress("finite differences") as report:
        agreement = case.run.check(report)
    derivation: Derivation = case.run.derivation(options.convention, agreement)
    text = derivation.text(terminal.width(), terminal.is_ascii(), options.all)
    lines = text.splitlines()
    terminal.write([*_said(case), *lines])
    if options.network is None:
        call = "jacobian-bp" if sys.argv[0].endswith("jacobian-bp") else "python -m jacobian_bp"
        terminal.write(fold(f"next      {call} show dz2/dW2     {call} -h", terminal.width()))
    return 0 if agreement.ok else DISAGREE


def _show(options: argparse.Namespace) -> int:
    case = _case(options)
    of, wrt = _pair(options.pair, case.run)
    jacobian = case.run.jacobian(of, wrt)
    if not jacobian.links:
        other = "" if not _depends(case.run, wrt, of) else f" Did you mean d{wrt}/d{of}?"
        raise SpecError(
            f"{of} does not depend on {wrt}: every entry of ∂{of}/∂{wrt} is 0.{other}\n"
            f"  Name a value and something that it was computed from."
        )
    terminal.write(_said(case))
    convention = find_convention(options.convention)
    names = convention.names(len(list(case.run)))

    def spell(text: str) -> str:
        return for_stream(rename(text, names))

    reason = case.run.reason(of, wrt)
    terminal.write(explain(jacobian, convention.layout, reason, terminal.width(), spell))
    return 0


def _check(options: argparse.Namespace) -> int:
    case = _case(options)
    with terminal.progress("finite differences") as report:
        agreement = case.run.check(report)
    lines = [part for line in agreement.lines() for part in fold(line, terminal.width())]
    terminal.write([*_said(case), *lines])
    return 0 if agreement.ok else DISAGREE


def _depends(run: Run, of: str, wrt: str) -> bool:
    try:
        return bool(run.jacobian(of, wrt).links)
    except JacobianError:
        return False


def _said(case: Case) -> list[str]:
    return [
        part for remark in case.remarks for part in fold(f"data      {remark}", terminal.width())
    ]


def _case(options: argparse.Namespace) -> Case:
    """The network and the data that the options ask for; the reference case without any."""
    convention = find_convention(options.convention)
    if options.network is None and convention.is_seed and convention.name != "second_seed":
        options.network = "-".join(map(str, convention.sizes))
    if options.network is None:
        plain = vars(_options().parse_args([]))
        given = [
            n for n, v in plain.items() if n not in ("convention", "all") and vars(options)[n] != v
        ]
        if given:
            raise SpecError(
                f"the network is missing: --{given[0].replace('_', '-')} goes with one.\n"
                "  Write its sizes, such as 4-5-3."
            )
        return Case(reference.second_seed().run(reference.X, reference.Y), ())
    _require_effect(options)
    sizes = _sizes(options.network)
    activations, loss = _names(options, convention, len(sizes) - 1)
    net = Network.dense(
        sizes,
        activations,
        loss,
        reduction=options.reduction,
        seed=options.seed,
        squash_input=options.squash_input or convention.squash_input,
    )
    remarks = [f"weights drawn with seed {options.seed}"]
    if options.data is None:
        x, y = _drawn(sizes, loss, options)
        remarks.append(f"x and y drawn with seed {options.seed}")
    else:
        x, y, said = _read(sizes, loss, options)
        remarks = [*said, *remarks]
    if loss == "cross_entropy":
        remarks.append("y: class indices, given to the loss as one-hot rows")
    return Case(net.run(x, y), tuple(remarks))


def _require_effect(options: argparse.Namespace) -> None:
    """An option that would change nothing is a mistake, and said."""
    if options.data is None:
        for name in ("target", "example", "raw"):
            if getattr(options, name):
                raise SpecError(f"--{name} goes with --data.\n  Name the file: --data FILE.csv.")
    elif options.batch is not None and options.example:
        raise SpecError("--example and --batch exclude each other.\n  Leave one of them out.")


def _sizes(text: str) -> list[int]:
    parts = text.split("-")
    if len(parts) < 2 or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        raise SpecError(
            f"{text!r} is not a list of layer widths.\n"
            "  Write them with hyphens, the input first, such as 4-5-3."
        )
    return [int(part) for part in parts]


def _names(
    options: argparse.Namespace, convention: Convention, layers: int
) -> tuple[list[str], str]:
    """Activations and loss; what is not given follows from the other, or from the convention."""
    names = options.activations.split(",") if options.activations else []
    loss = options.loss or (LOSS_FOR_LAST.get(names[-1]) if names else None)
    loss = loss or convention.loss or "squared_error"
    if not names:
        last = LAST_FOR_LOSS.get(loss, convention.last or "identity")
        names = [convention.hidden or "relu"] * (layers - 1) + [last]
    elif len(names) == 1:
        names *= layers
    return names, loss


def _drawn(sizes: list[int], loss: str, options: argparse.Namespace) -> tuple:
    """An example, or a batch, from a generator of its own."""
    generator = np.random.default_rng([options.seed, 1])
    count = _count(options.batch, 5)
    batch = () if count is None else (count,)
    x = generator.standard_normal((*batch, sizes[0]))
    if loss == "cross_entropy":
        return x, generator.integers(0, sizes[-1], batch)
    if loss == "bce":
        return x, generator.integers(0, 2, (*batch, sizes[-1]))
    return x, generator.standard_normal((*batch, sizes[-1]))


def _read(
    sizes: list[int], loss: str, options: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """One example or a batch of the file, and what was done to it."""
    table = read_csv(options.data)
    if options.target is None:
        raise SpecError(
            f"--target is missing: which column of {safe(table.source)} is to be predicted?\n"
            f"  Its columns are {', '.join(map(safe, table.columns))}."
        )
    data = examples(table, options.target, not options.raw)
    if len(data.features) != sizes[0]:
        hint = "-".join(map(str, [len(data.features), *sizes[1:]]))
        raise SpecError(
            f"the network has {sizes[0]} inputs, {safe(table.source)} has "
            f"{len(data.features)} input columns.\n  Write {hint}."
        )
    if loss != "cross_entropy" and sizes[-1] != 1:
        raise SpecError(
            f"the network has {sizes[-1]} outputs, and {safe(options.target)} is one number.\n"
            "  For numbered classes add --loss cross_entropy; else let the sizes end in 1."
        )
    y = data.y[:, None]
    if loss == "cross_entropy":
        indices = class_indices(data.y, options.target)
        class_labels(np.zeros((len(indices), sizes[-1])), indices, options.target)
        y = indices
    count = _count(options.batch, len(data.x))
    if count is None:
        row = options.example
        if not 0 <= row < len(data.x):
            raise SpecError(
                f"--example {row} is not there: {safe(table.source)} has rows 0 to "
                f"{len(data.x) - 1}."
            )
        return data.x[row], y[row], [*data.remarks, f"one example: row {row}"]
    if count > len(data.x):
        raise SpecError(f"--batch {count}: {safe(table.source)} has {len(data.x)} rows.")
    return data.x[:count], y[:count], [*data.remarks, f"a batch: the first {count} rows"]


def _count(batch: str | None, rows: int) -> int | None:
    """How many examples are asked for; None is one example without a batch axis."""
    if batch is None:
        return None
    if batch == "all":
        return rows
    if not (batch.isascii() and batch.isdigit() and len(batch) < 10 and int(batch) > 0):
        raise SpecError(f"--batch {batch!r} is neither a number from 1 up nor all.")
    return int(batch)


def _pair(text: str, run: Run) -> tuple[str, str]:
    """The two values in dz2/dW2, ∂z2/∂W2 or z2/W2."""
    parts = text.split("/")
    names = []
    for part in parts:
        plain = part.strip().removeprefix("∂")
        names.append(plain[1:] if plain not in run and plain[:1] == "d" else plain)
    if len(names) != 2:
        raise SpecError(f"{text!r} does not name a Jacobian.\n  Write it such as dz2/dW2.")
    return names[0], names[1]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="jacobian-bp",
        description="Backpropagation written out in full: every Jacobian whole.",
        epilog="Without a command: the derivation of the 3-4-2-1 classifier of the second seed.",
    )
    parser.add_argument("--version", action="version", version=f"jacobian-bp {__version__}")
    parser.set_defaults(**vars(_options().parse_args([])))
    commands = parser.add_subparsers(dest="command", metavar="derive | show | check")
    commands.add_parser("derive", parents=[_options()], help="every gradient, step by step")
    show = commands.add_parser("show", help="one Jacobian: formula, layouts, numbers")
    show.add_argument("pair", metavar="NAME/NAME", help="such as dz2/dW2, or dJ/dW1")
    commands.add_parser("check", parents=[_options()], help="do all routes agree? exit 1 if not")
    for action in _options()._actions:
        show._add_action(action)
    return parser


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors like all others: what is wrong, what to write."""

    def error(self, message: str) -> NoReturn:
        raise SpecError(
            f"{message}.\n"
            "  Sizes have hyphens, 2-3-2; lists have commas and no blanks, tanh,softmax.\n"
            "  The commands are derive, show and check; jacobian-bp -h lists the options."
        )


def _options() -> Parser:
    options = Parser(add_help=False)
    options.add_argument("network", nargs="?", metavar="SIZES", help="layer widths, such as 4-5-3")
    known = ", ".join(ACTIVATIONS)
    options.add_argument(
        "--activations", metavar="A,B", help=f"{known} (default: relu, the last as the loss asks)"
    )
    options.add_argument("--loss", help=", ".join(LOSSES) + " (default: squared_error)")
    options.add_argument("--reduction", default="mean", help=", ".join(REDUCTIONS))
    options.add_argument("--seed", type=int, default=0, help="of weights, and of data not given")
    options.add_argument("--squash-input", action="store_true", help="a0 = sigmoid(x), first seed")
    options.add_argument(
        "--data", metavar="FILE", help="a CSV file, or iris, breast_cancer, diabetes"
    )
    options.add_argument("--target", metavar="COLUMN", help="the column that is predicted")
    options.add_argument("--example", type=int, default=0, metavar="ROW", help="from 0")
    options.add_argument("--batch", metavar="M", help="the first M rows, or all")
    options.add_argument("--raw", action="store_true", help="do not standardise the columns")
    names = ", ".join(convention.name for convention in CONVENTIONS)
    options.add_argument("--convention", "--layout", default="flat", metavar="NAME", help=names)
    options.add_argument("--all", action="store_true", help="write out repeated layers too")
    return options


_COMMANDS = {"derive": _derive, "show": _show, "check": _check}
