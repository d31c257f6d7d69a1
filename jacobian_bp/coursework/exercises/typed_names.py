"""The names of a convention as a program has them: w2 for w^2, delta2 for δ^2, Theta1 for Θ^(1).

Python wants letters, digits and _; a word of its own, such as lambda, gets a _ behind it.
"""

import keyword
import re
from collections.abc import Callable, Iterable

from ...derivation.convention import Convention
from ...derivation.ready_made import SYMBOLS, ReadyMade
from ...errors import SpecError
from ...writing.signs import safe, to_ascii

NUMBERED = re.compile(r"([^\W\d_]+)(\d+)")
GRADIENTS = ("W", "b")


def typed(name: str) -> str:
    """A printed name as it is typed.

    >>> typed("w^2"), typed("Θ^(1)"), typed("λ"), typed("a'")
    ('w2', 'Theta1', 'lambda_', 'a_')
    """
    plain = to_ascii(re.sub(r"[][^(){}]", "", name)).replace("'", "_")
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def typed_convention(ready: ReadyMade, layers: int) -> Convention:
    """The convention with a name as it is typed for each quantity of a network of so many layers.

    Raises SpecError for a name that no program can have.
    """
    own = ready.convention
    printed = ready.names(layers, layers)
    if ready.squash_input:
        printed["x"] = own.name("a0")  # what an exercise feeds in is what the layer reads
    names: dict[str, str] = {}
    for layer in range(1, layers + 1):
        for sign, symbol in SYMBOLS.items():
            quantity = f"{symbol}{layer}"
            _add(names, printed.get(f"{sign}{layer}", quantity), quantity)
        for symbol in GRADIENTS:
            _add(names, _gradient(ready, symbol, layer, names), f"d{symbol}{layer}")
    for quantity in ("x", "y", "J"):
        _add(names, printed.get(quantity, quantity), quantity)
    return Convention(own.examples, own.weights, own.mean, own.bias, own.first, names, own.layout)


def _gradient(ready: ReadyMade, symbol: str, layer: int, names: dict[str, str]) -> str:
    """dW2 where the convention says nothing: d and the name of W2."""
    own, quantity = ready.convention, f"d{symbol}{layer}"
    for written, meant in ready.in_code.items():
        if meant == f"d{symbol}":
            return written.replace("{l}", str(layer + own.first - 1))
    if {f"d{symbol}", quantity} & set(own.names.values()):
        return own.name(quantity)
    of = {meant: name for name, meant in names.items()}
    return f"d{of[f'{symbol}{layer}']}"


def _add(names: dict[str, str], printed: str, quantity: str) -> None:
    name = typed(printed)
    if not name.isidentifier() or name == "np" or name in names:
        why = f"is that of {names[name]} too" if name in names else "is no name of Python"
        raise SpecError(
            f"a sheet in this convention cannot be written: {safe(name)}, for {quantity}, {why}.\n"
            f'  Give {quantity} another name, of letters and digits: names = {{"...": ...}}.'
        )
    names[name] = quantity


def name_in(written: Convention, deltas: Iterable[str]) -> Callable[[str], str]:
    """What a name of a sheet is called in a convention, piece by piece: shape_dW2, dz2_da1.

    A number that is a layer's counts as the student counts; `deltas` are names of deltas.
    """
    known = {meant: name for name, meant in written.names.items()}
    delta = dict.fromkeys(deltas)
    shift = written.first - 1

    def called(piece: str, of_a_pair: bool) -> str:
        if piece in known and not of_a_pair:
            return known[piece]
        if piece[:1] == "d" and piece[1:] in known:
            return f"d{known[piece[1:]]}"
        numbered = NUMBERED.fullmatch(piece)
        if numbered is None:
            return piece
        if piece in delta and known.get(f"delta{numbered[2]}", "") != f"delta{numbered[2]}":
            return known.get(f"delta{numbered[2]}", piece)
        return f"{numbered[1]}{int(numbered[2]) + shift}"

    def whole(name: str) -> str:
        pieces = name.split("_")
        pair = sum(piece[:1] == "d" and piece[1:] in known for piece in pieces) > 1  # a Jacobian
        return "_".join(called(p, pair and p[:1] == "d" and p[1:] in known) for p in pieces)

    return whole
