"""How a line that is not read is refused: what it is, and what to write instead."""

from collections.abc import Iterable
from typing import NoReturn

from ...errors import SpecError
from ...writing.signs import nearest

FUNCTIONS = ("slope", "sigmoid", "tanh", "relu", "exp", "log", "sign", "ones_like")
LANGUAGE = (
    "  Write names, numbers, + - * / @ **, .T, [:, None], .sum(axis=0), np.dot, np.outer, "
    "np.einsum\n  and the functions " + ", ".join(FUNCTIONS) + "."
)
ONE_FORMULA = "A line is one formula: nothing is filled in."
INSTEAD = {  # what numpy has and this language does not
    "sin": "There is no sine among the functions.",  # sign would be the nearest word
    "sine": "There is no sine among the functions.",
    **dict.fromkeys(("zeros", "empty", "full"), ONE_FORMULA),
}
CLOSE = 0.75  # how much two words must have in common: with less it is another word


def refuse(what: str, instead: str) -> NoReturn:
    """SpecError: what it is, and what to write."""
    raise SpecError(f"diagnose_line: {what}\n  {instead}")


def unknown(word: str, known: Iterable[str], shown: str = "{}") -> NoReturn:
    """SpecError for a function, with what stands for it, or the one that is spelt like it.

    >>> unknown("full", ["outer"], "np.{}")
    Traceback (most recent call last):
    jacobian_bp.errors.SpecError: diagnose_line: np.full is not read here. A line is one formula: \
nothing is filled in.
      Write names, numbers, + - * / @ **, .T, [:, None], .sum(axis=0), np.dot, np.outer, np.einsum
      and the functions slope, sigmoid, tanh, relu, exp, log, sign, ones_like.
    """
    close = nearest(word, known, CLOSE)
    guess = f" Did you mean {shown.format(close)}?" if close else ""
    if word in INSTEAD:
        guess = f" {INSTEAD[word]}"
    who = cut(shown.format(word))
    raise SpecError(f"diagnose_line: {who} is not read here.{guess}\n{LANGUAGE}")


def cut(text: str, most: int = 40) -> str:
    """Text for a message, no longer than `most`."""
    return text if len(text) <= most else text[: most - 1] + "…"
