"""Which of the network's objects a student's name stands for, in the student's convention."""

import re
from collections.abc import Iterable

from ...derivation.convention import LAYERED, Convention
from ...errors import SpecError
from ...network.files.answer_file import Key
from ...network.run import Run
from ...program.program import listed
from ...writing.signs import did_you_mean, safe

LEAD = re.compile(r"(?:delta|grad|d)_?", re.IGNORECASE)  # of a derivative's name
NUMBERED = re.compile(r"([^\W\d]+?)_?(\d+)")


def key_by(name: str, written: Convention, known: Iterable[str]) -> Key | None:
    """What a name of the student's stands for: dTheta1, Theta1_grad, dZ2, delta3, dz2_dW2.

    A name that the convention has a number for means that layer, or nothing.
    """
    known = set(known)
    single = _one(name, written, known)
    if single is not None:
        return single
    for cut in re.finditer("[_/]", name):
        of, wrt = (_one(n, written, known) for n in (name[: cut.start()], name[cut.end() :]))
        if of is not None and wrt is not None:
            return of, wrt
    return None


def _one(name: str, written: Convention, known: set[str]) -> str | None:
    bare = re.sub(r"_?(?:gradients?|grads?)$", "", name, flags=re.IGNORECASE) or name
    for whole in dict.fromkeys((name, bare)):
        lead = LEAD.match(whole)
        rest = whole[lead.end() :] if lead else ""
        for text, derived in ((whole, False), (rest, True)):
            found = _quantity(text, written, derived) if text else None
            if found in known:
                return found
    return None


def _quantity(text: str, written: Convention, derived: bool) -> str | None:
    """Our value for one word of the student's; of 2 in delta2 the delta of layer 2."""
    if derived and text.isdecimal():
        text = f"z{text}"
    plain = NUMBERED.fullmatch(text)
    spellings = [text, text[:1].lower() + text[1:]]
    spellings += [f"{plain[1]}{plain[2]}"] if plain else []
    for spelling in dict.fromkeys(spellings):
        found = written.quantity(spelling)
        if found is not None:
            return _value_of(found)
    if plain and plain[1].lower() in {symbol.lower() for symbol in LAYERED}:
        return None  # a layer that the student's numbers do not reach
    return text if text not in written.names else None


def _value_of(quantity: str) -> str:
    """z2 of delta2, W1 of dW1: the value whose derivative is handed in."""
    for lead, symbol in (("delta", "z"), ("dW", "W"), ("db", "b"), ("da", "a")):
        number = quantity.removeprefix(lead)
        if number != quantity and number.isdecimal():
            return f"{symbol}{number}"
    return quantity


def unknown_name(name: str, written: Convention, run: Run) -> SpecError:
    """The refusal of a name that says nothing in the student's convention."""
    theirs = [written.name(value) for value in (*run.params, *run.forward_pass.variables())]
    shown = [safe(name) for name in dict.fromkeys(theirs) if key_by(name, written, {*run})]
    return SpecError(
        f"{safe(repr(name))[:60]} names nothing of the network in this convention."
        f"{did_you_mean(name, shown)}\n"
        f"  It has {listed(shown, 8)}; names of your own are told by its names={{…}}."
    )
