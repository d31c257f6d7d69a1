"""The command line: parse, call, print.

jacobian-bp                       the 3-4-2-1 classifier, derived
jacobian-bp derive 4-5-3 ...      any layered network, on data of yours
jacobian-bp derive "sum((W @ x - y)**2)"
                                  a formula: its gradient in matrix notation, checked
jacobian-bp show dz2/dW2 ...      one Jacobian: formula, layouts, numbers
jacobian-bp check 4-5-3 ...       do all routes agree? exit 1 if not
jacobian-bp draw 4-5-3 graph --out g.svg
                                  a picture: network, layer, graph, chain, a Jacobian
jacobian-bp source 4-5-3          the same network's step as a file of plain NumPy
jacobian-bp ops Conv1d            one op, or without a name the table of all
jacobian-bp compare 4-5-3 ...     what whole Jacobians cost, predicted and measured
jacobian-bp diagnose net.toml answer.npz
                                  which mistake gives these numbers
jacobian-bp exercise new 3        a sheet to fill in, and its check
jacobian-bp grade --exercise 3 --submission ex3.py
                                  a submission graded
jacobian-bp course new autumn     a course in a box: sheets, key, autograders

What only one command needs is loaded by that command.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from .derivation.names_of import names_of
from .derivation.ready_made import COURSES, READY_MADE, SEEDS
from .document.files import DOCUMENTS, EITHER, PAGE, PICTURE, place_for
from .errors import JacobianError, SpecError
from .formulas import command
from .network.files.tables.switches import add_switches
from .network.from_options import Case, case_of, options_given
from .network.model_files import require_a_pair
from .network.run import Run
from .ops.names import ACTIVATIONS, LOSSES, REDUCTIONS
from .version import __version__
from .writing import terminal
from .writing.interrupts import INTERRUPTED
from .writing.signs import for_stream, rename, safe
from .writing.tables import WIDTH, fold_all, packed, wrapped

if TYPE_CHECKING:
    from .checks.agreement import Agreement
    from .derivation.derivation import Derivation

PROGRAM = "jacobian-bp"
_OF_A_PAGE = ("static", "mistakes", "level")
_PLAIN = {"out": None, "second": False, "static": False, "mistakes": False, "level": None}
DISAGREE, BAD_INPUT = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        if "derive" in given[:1]:
            given = command.shielded(given)
        options = _parser(given).parse_args(given)
        name = options.command or "derive"
        return _ELSEWHERE[name].run(options) if name in _ELSEWHERE else _HERE[name](options)
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
    if command.is_formula(options.network):
        others = options_given(options, _options, "network", "seed")
        given = [name for name in _OF_A_PAGE if vars(options)[name] not in (None, False)]
        place = None if options.out is None else place_for(options.out)
        found = command.formula_of(options, [*others, *given])
        if place is not None:
            ok = command.saved(found, options.second, place)
            terminal.write([f"written: {safe(options.out)}"])
            return 0 if ok else DISAGREE
        lines, ok = command.page_of(found, options.second, terminal.width())
        terminal.write([for_stream(line) for line in lines])
        return 0 if ok else DISAGREE
    if command.given(options):
        raise SpecError(
            f"--{command.given(options)[0]} goes with a formula.\n"
            "  Write one: jacobian-bp derive 'sum((W @ x - y)**2)'."
        )
    place = None if options.out is None else place_for(options.out)
    if options.static and (place is None or place.suffix.lower() != PAGE or options.second):
        raise SpecError(
            "--static leaves the script out of a page, and no page is written.\n"
            "  Write it with --out FILE.html, without --second; any other form has no script."
        )
    _require_a_page(options, place)
    case = case_of(options, _options)
    if options.second:
        return _derive_second(options, case, place)
    agreement = _agreement(case.run.written_in(options.convention))
    derivation = case.run.derivation(options.convention, agreement)
    if place is not None:
        mistakes = _mistakes_of(case.run, derivation, options)
        derivation.save(place, options.all, static=options.static, explored=mistakes)
        terminal.write([*_said(case), f"written: {safe(options.out)}"])
        return 0 if agreement.ok else DISAGREE
    text = derivation.text(terminal.width(), terminal.is_ascii(), options.all)
    lines = text.splitlines()
    terminal.write([*_said(case), *lines])
    if options.network is None:
        call = "jacobian-bp" if sys.argv[0].endswith("jacobian-bp") else "python -m jacobian_bp"
        calls = [f"{call} show dz2/dW2", f"{call} -h"]
        lines = packed(calls, terminal.width() - 10, "     ")
        if max(map(len, lines)) > terminal.width() - 10:  # a command stays whole
            terminal.write(["next", *(f"    {line}" for line in lines)])
        else:
            terminal.write([f"{'' if n else 'next':<10}{line}" for n, line in enumerate(lines)])
    return 0 if agreement.ok else DISAGREE


def _require_a_page(options: argparse.Namespace, place: Path | None) -> None:
    """SpecError where mistakes are asked for, and no page is written on which they stand."""
    from .derivation.page.explored import LEVELS

    if options.level is not None and not options.mistakes:
        raise SpecError("--level says what is told of mistakes.\n  Write it with --mistakes.")
    if options.level is not None and not 0 <= options.level < len(LEVELS):
        raise SpecError(
            f"--level is {options.level}.\n  Write a whole number from 0 to {len(LEVELS) - 1}."
        )
    if options.mistakes and (place is None or place.suffix.lower() != PAGE or options.second):
        raise SpecError(
            "--mistakes puts them on a page, and no page is written.\n"
            "  Write it with --out FILE.html, without --second."
        )


def _mistakes_of(run: Run, derivation: "Derivation", options: argparse.Namespace) -> Any:
    """The mistakes to choose from, where they are asked for: only then coursework is imported."""
    if not options.mistakes:
        return None
    from .derivation.page.explored import LEVELS

    coursework = import_module(".coursework.exercises.mistakes_of_run", __package__)
    level = len(LEVELS) - 1 if options.level is None else options.level
    return coursework.explored(run, derivation, level, options.all)


def _derive_second(options: argparse.Namespace, case: Case, place: Path | None) -> int:
    from .derivation.second_derivation import announcement_of_second

    terminal.announce(announcement_of_second(case.run.forward_pass, options.all))
    page = case.run.second_derivation(options.convention, options.all)
    if place is not None:
        page.save(place)
        terminal.write([*_said(case), f"written: {safe(options.out)}"])
    else:
        text = page.text(terminal.width(), terminal.is_ascii())
        terminal.write([*_said(case), *text.splitlines()])
    return 0 if page.check.ok else DISAGREE


def _show(options: argparse.Namespace) -> int:
    from .algebra.pictured import pictured
    from .derivation.one_jacobian import document_of_jacobian, explain
    from .document.saving import save
    from .network.named_jacobian import named_jacobian
    from .network.show_picture import show_or_write

    require_a_pair(options.pair, options.network)
    place = None if options.out is None else place_for(options.out, kind=EITHER)
    case = case_of(options, _options)
    run = case.run.written_in(options.convention)
    convention = run.convention()
    names = names_of(run.forward_pass, convention)
    jacobian = named_jacobian(options.pair, run)
    of, wrt = jacobian.of, jacobian.wrt
    reason = run.reason(of, wrt)

    def in_convention(text: str) -> str:
        return rename(text, names)

    if options.picture or (place is not None and place.suffix.lower() == PICTURE):
        layout = "numerator" if options.convention is None else convention.layout
        drawn = pictured(jacobian, layout, spell=in_convention)
        return show_or_write(drawn, place, options.out, _said(case))
    if place is not None:
        how = convention.layout, reason
        blocks = document_of_jacobian(jacobian, *how, options.all, in_convention)
        named = dataclasses.replace(blocks, spell=in_convention)
        lines = explain(jacobian, *how, spell=named.spell, everything=options.all)
        save(place, lambda: named, lambda: "\n".join(lines))
        terminal.write([*_said(case), f"written: {safe(options.out)}"])
        return 0
    terminal.write(_said(case))

    def spell(text: str) -> str:
        return for_stream(in_convention(text))

    width = terminal.width()
    terminal.write(explain(jacobian, convention.layout, reason, width, spell, options.all))
    return 0


def _check(options: argparse.Namespace) -> int:
    place = None if options.out is None else place_for(options.out)
    case = case_of(options, _options)
    run = case.run.written_in(options.convention)
    names = names_of(run.forward_pass, run.convention())
    agreement = _agreement(run).beside({*run, *names.values()})
    if place is not None:
        from .document.report import save_report

        def spell(text: str) -> str:
            return rename(text, names)

        save_report(place, agreement, spell, list(case.run.forward_pass.values))
        terminal.write([*_said(case), f"written: {safe(options.out)}"])
        return 0 if agreement.ok else DISAGREE
    lines = [for_stream(rename(line, names)) for line in agreement.lines()]
    terminal.write([*_said(case), *fold_all(lines, terminal.width())])
    return 0 if agreement.ok else DISAGREE


def _agreement(run: Run) -> "Agreement":
    """The routes compared; what takes long is said beforehand."""
    from .checks.announced import announcement

    terminal.announce(announcement(run.forward_pass))
    with terminal.progress("finite differences") as progress:
        return run.check(progress)


def _new(options: argparse.Namespace) -> int:
    from .network.files.net_file import write_example

    if not options.file:
        raise SpecError("a file name is missing.\n  Write jacobian-bp new net.toml.")
    write_example(options.file)
    terminal.write(
        [f"written: {safe(options.file)}", f"next: jacobian-bp derive {safe(options.file)}"]
    )
    return 0


def _said(case: Case) -> list[str]:
    return fold_all([f"data      {remark}" for remark in case.remarks], terminal.width())


def _parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Every command, with its options where `arguments` ask for it: only then it is imported."""
    parser = Parser(
        prog=PROGRAM,
        description="Backpropagation written out in full: every Jacobian whole.",
        epilog="Without a command: the derivation of the 3-4-2-1 classifier of the second seed. "
        "A seed is a text that derives backpropagation by hand; the package writes out three: "
        f"{_texts()}. Lines are as wide as the terminal, or as COLUMNS says there, 99 columns in a "
        "pipe; NO_COLOR turns colour off.",
    )
    parser.add_argument("--version", action="version", version=f"jacobian-bp {__version__}")
    parser.set_defaults(**_PLAIN, **vars(_options().parse_args([])))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    derive = commands.add_parser(
        "derive", parents=[_options()], help="every gradient, step by step"
    )
    derive.add_argument(
        "--second",
        action="store_true",
        help="the second derivatives instead: what bends, each block, what holds of its parts",
    )
    command.add_options(derive)
    show = commands.add_parser("show", help="one Jacobian: formula, layouts, numbers")
    show.add_argument("pair", metavar="NAME/NAME", help="such as dz2/dW2, or dJ/dW1")
    check = commands.add_parser(
        "check", parents=[_options()], help="do all routes agree? exit 1 if not"
    )
    for name, other in _ELSEWHERE.items():
        if name in arguments:
            other.add_parser(commands)
        else:
            commands.add_parser(name, help=other.help)
    new = commands.add_parser("new", help="write a network file with comments, to begin from")
    new.add_argument("file", metavar="FILE.toml")
    for action in _options()._actions:
        show._add_action(action)
    for command_, kind in ((derive, DOCUMENTS), (show, EITHER), (check, DOCUMENTS)):
        command_.add_argument(
            "--out",
            metavar="FILE",
            help=f"write {kind.name} instead; the name ends in {kind.named}",
        )
    derive.add_argument(
        "--static", action="store_true", help="with --out FILE.html: a page without a script"
    )
    derive.add_argument(
        "--mistakes",
        action="store_true",
        help="with --out FILE.html: choose a mistake, see which Jacobian and gradients it changes",
    )
    derive.add_argument(
        "--level",
        type=int,
        metavar="0-3",
        help="with --mistakes, what is told: 0 the objects, 1 which entries, 2 the pattern, "
        "3 the numbers (default: 3); below 3 no computed number is on the page",
    )
    show.add_argument(
        "--picture", action="store_true", help="draw it: its signs, or dots where it is large"
    )
    return parser


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors like all others: what is wrong, what to write."""

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help and version, by the way of all output."""
        terminal.write(message.rstrip().splitlines())

    def error(self, message: str) -> NoReturn:
        advice = [f"{self.prog} -h lists the options."]
        if any(action.dest == "network" for action in self._actions):
            advice[:0] = [
                "Sizes have hyphens, 2-3-2; lists have commas and no blanks, tanh,softmax."
            ]
        elif self._subparsers is not None and self.prog == PROGRAM:
            message = message.partition(" (choose from")[0]
            advice = [
                *wrapped(f"The commands are {', '.join(_NAMES)}.", WIDTH - 4),
                f"{PROGRAM} COMMAND -h lists the options.",
            ]
        raise SpecError("\n  ".join([f"{safe(message[:300])}.", *advice]))


def _texts() -> str:
    """first_seed, author and title; and so on."""
    return "; ".join(f"{seed.name}, {seed.source}" for seed in SEEDS)


def _options() -> Parser:
    options = Parser(add_help=False)
    options.add_argument(
        "network",
        nargs="?",
        metavar="NETWORK",
        help="layer widths such as 4-5-3, auto-8-auto with --data; or a .toml file; derive takes a "
        "formula too",
    )
    known = ", ".join(ACTIVATIONS)
    options.add_argument(
        "--activations", metavar="A,B", help=f"{known} (default: relu, the last as the loss asks)"
    )
    options.add_argument("--loss", help=", ".join(LOSSES) + " (default: squared_error)")
    options.add_argument("--reduction", default="mean", help=", ".join(REDUCTIONS))
    options.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the random numbers: weights, and data not given",
    )
    options.add_argument(
        "--squash-input", action="store_true", help="a0 = sigmoid(x), as in first_seed"
    )
    options.add_argument(
        "--data", metavar="FILE", help="a table, .npz, .npy, or iris, breast_cancer, diabetes"
    )
    options.add_argument(
        "--target",
        metavar="COLUMN",
        action="append",
        help="what is predicted: a name, a number from 1, -1 for the last; several for outputs",
    )
    options.add_argument(
        "--data-limit", metavar="SIZE", help="the bytes that --data may have (default: 8MiB)"
    )
    options.add_argument("--example", type=int, default=0, metavar="ROW", help="from 0")
    options.add_argument("--batch", metavar="M", help="the first M rows, or all")
    options.add_argument(
        "--raw",
        action=argparse.BooleanOptionalAction,
        help="do not standardise the columns (default: tables are standardised, arrays are not)",
    )
    add_switches(options)
    layouts = ", ".join(r.name for r in READY_MADE if not r.sizes)
    courses = "; ".join(f"{course.name}, {course.source}" for course in COURSES)
    options.add_argument(
        "--convention",
        "--layout",
        metavar="NAME|FILE",
        help=f"a layout, {layouts} (default: flat); the whole notation of a text: {_texts()}; "
        f"of a course: {courses}; or a .toml file with your own, in a table [convention]",
    )
    options.add_argument(
        "--all",
        action="store_true",
        help="derive: every layer, also of many equal ones; derive and show: every number, of "
        "arrays of more than 640, up to 2**24 entries",
    )
    return options


class Elsewhere(NamedTuple):
    """A command that stands in a module of its own, which is imported when it is asked for."""

    module: str  # it has add_parser and run_command
    help: str  # its line in the list of commands, the same as in its own parser
    more: tuple[Any, ...] = ()  # what both functions take besides

    def add_parser(self, commands: Any) -> None:
        """The command with its options, among `commands`."""
        import_module(self.module, __package__).add_parser(commands, *self.more)

    def run(self, options: argparse.Namespace) -> int:
        """Run it; the result is the exit code."""
        code: int = import_module(self.module, __package__).run_command(options, *self.more)
        return code


_HERE: dict[str, Callable[[argparse.Namespace], int]] = {
    "derive": _derive,
    "show": _show,
    "check": _check,
    "new": _new,
}
_ELSEWHERE = {
    "draw": Elsewhere(
        ".network.draw_command",
        "a picture: the network, a layer, the graph, the chain, a Jacobian, the Hessian",
        (_options,),
    ),
    "source": Elsewhere(
        ".network.source_command",
        "a step of training as a NumPy file: the cost and all gradients",
        (_options,),
    ),
    "ops": Elsewhere(
        ".derivation.op_pages", "all ops: signature, formula, Jacobians, options; or one of them"
    ),
    "compare": Elsewhere(
        ".compare.command", "what whole Jacobians cost: predicted and measured", (_options,)
    ),
    "diagnose": Elsewhere(".coursework.commands.diagnose", "which mistake gives these numbers"),
    "exercise": Elsewhere(".coursework.commands.exercise", "set and check exercises"),
    "grade": Elsewhere(".coursework.commands.grade", "grade a submission, or summarise a class"),
    "course": Elsewhere(
        ".coursework.commands.course", "a course in a box: sheets, key, autograders"
    ),
}
_NAMES = ("derive", "show", "check", *_ELSEWHERE, "new")  # as they are listed
