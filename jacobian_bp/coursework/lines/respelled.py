"""Another quantity as the student spells it: A2 for A1, activations[-3] for activations[-2]."""

import re
from collections.abc import Iterator

from .naming import Meaning, Names

INDICES = ("-l - 1", "-l", "-l + 1", "l - 1", "l", "l + 1")


def respelled(text: str, wanted: Meaning, names: Names) -> str:
    """A name for the wanted quantity that is spelt as `text` is, else as the network does."""
    return next(
        (word for word in _candidates(text, wanted, names) if names.meaning(word) == wanted),
        wanted.of,
    )


def _candidates(text: str, wanted: Meaning, names: Names) -> Iterator[str]:
    digits = re.search(r"\d+", wanted.of)
    number = int(digits[0]) if digits else 0
    listed = re.fullmatch(r"(.*\[)([^\['\"]+)(\])", text)
    if listed:
        places = [str(n) for n in (number - 1 - names.layers, number - 1, number)]
        places = places if listed[2].startswith("-") else places[::-1]
        loops = INDICES if re.search(r"[a-z]", listed[2]) else ()
        yield from (f"{listed[1]}{place}{listed[3]}" for place in (*loops, *places))
    elif re.search(r"\d", text) and not (wanted.of == "x" and re.search(r"[aAzZ]_?\d+\W*$", text)):
        yield re.sub(r"\d+(?=\D*$)", str(number), text)
        letters = {"a": "z", "z": "a", "A": "Z", "Z": "A"}
        swapped = re.sub(r"[aAzZ](?=_?\d+\D*$)", lambda found: letters[found[0]], text)
        yield re.sub(r"\d+(?=\D*$)", str(number), swapped)
    capital = text[-1:].isupper() or bool(re.search(r"[A-Z]_?\d*\W*$", text))
    own = wanted.of.upper() if capital else wanted.of
    if wanted.kind == "gradient":
        before = "grad_" if text.startswith("grad_") else "d"
        short = re.fullmatch(r"(delta_?|d)\d+", text)
        if short:
            yield f"{short[1]}{number}"
        yield from (f"{before}{own}", f"d{wanted.of}")
        if wanted.of[0] == "z":
            yield f"d{number}"
    else:
        yield own
