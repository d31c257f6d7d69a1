"""jacobian-bp draw: a picture of a network, of a run, or of one Jacobian.

add_parser describes the command, run_command runs it.
"""

import argparse
from collections.abc import Callable
from typing import Any

from ..algebra.pictured import pictured
from ..derivation.names_of import names_of
from ..document.files import PICTURE, PICTURES, place_for
from ..document.picture import Picture
from ..errors import SpecError
from ..writing import terminal
from ..writing.signs import did_you_mean, rename, safe
from ..writing.tables import fold_all
from .drawn import FORMS, network_picture, run_picture
from .from_options import Case, case_of
from .named_jacobian import named_jacobian
from .show_picture import show_or_write

ABOUT = "a picture: the network, a layer, the graph, the chain, a Jacobian, the Hessian"
WHAT = ("network", "layer", *FORMS, "hessian")

Options = Callable[[], argparse.ArgumentParser]


def add_parser(commands: Any, options: Options) -> None:
    """Add `draw` to the commands; `options` are those that describe a network."""
    parser = commands.add_parser(
        "draw", parents=[options()], help=ABOUT, description=ABOUT + ".", epilog=EPILOG
    )
    parser.add_argument(
        "what", metavar="WHAT", nargs="?", help=f"{', '.join(WHAT)}, or a Jacobian: dz2/dW2"
    )
    parser.add_argument("--layer", type=int, metavar="L", help="of WHAT layer: from 1")
    parser.add_argument(
        "--out", metavar="FILE", help=f"write it to a file whose name ends in {PICTURE}"
    )


EPILOG = (
    "Without NETWORK the classifier of the second seed is drawn: jacobian-bp draw graph. "
    "Without --out the words and the signs of the picture are printed."
)


def run_command(options: argparse.Namespace, parser: Options) -> int:
    """Draw: 0. Raises SpecError for what is not known, and for a file that cannot be written."""
    place = None if options.out is None else place_for(options.out, kind=PICTURES)
    if options.what is None and options.network is not None and _names_what(options.network):
        options.network, options.what = None, options.network
    what = options.what or ("network" if options.layer is None else "layer")
    if what not in WHAT and "/" not in what:
        raise SpecError(
            f"{safe(what)!r} is nothing that is drawn.{did_you_mean(what, WHAT)}\n"
            f"  Write one of {', '.join(WHAT)}, or a Jacobian such as dz2/dW2."
        )
    if options.layer is not None and what != "layer":
        raise SpecError(
            f"--layer goes with layer, not with {safe(what)}.\n"
            f"  Write layer --layer {options.layer}."
        )
    case = case_of(options, parser)
    picture = _picture(case, what, options)
    said = fold_all([f"data      {remark}" for remark in case.remarks], terminal.width())
    return show_or_write(picture, place, options.out, said)


def _names_what(word: str) -> bool:
    """Whether the first word says what is drawn, not which network."""
    return word in WHAT or ("/" in word and not word.endswith(".toml"))


def _picture(case: Case, what: str, options: argparse.Namespace) -> Picture:
    run = case.run.written_in(options.convention)
    convention = run.convention()
    names = names_of(run.forward_pass, convention)

    def spell(text: str) -> str:
        return rename(text, names)

    if what == "network":
        return network_picture(case.facts, None, spell)
    if what == "layer":
        return network_picture(case.facts, 1 if options.layer is None else options.layer, spell)
    if what == "hessian":
        return case.run.hessian(list(case.run.params)).picture()
    if what in FORMS:
        return run_picture(run.forward_pass, what, spell)
    layout = "numerator" if options.convention is None else convention.layout
    return pictured(named_jacobian(what, run), layout, spell=spell)
