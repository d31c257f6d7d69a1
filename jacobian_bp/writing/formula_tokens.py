"""A printed formula, read from left to right one token at a time.

The tree of a formula is made of these tokens; LaTeX and MathML are printed from the tree, so
that they and what the package prints never disagree.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

from .signs import HAT

WORD = rf"[^\W\dᵀ²Σ](?:[^\Wᵀ²Σ]|{HAT})*"
NAME = rf"{WORD}(?:\^\([0-9]+\)|\^[0-9]+|\[[0-9]+\])?"  # W2; in the seeds W^2, W^(2), W[2]
INSIDE = r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]"  # the axes of a look-up, u[n,t]
PART = rf"[0-9]*(?:{WORD}'*(?:{INSIDE})?|\([^()]*\))"
INDEX = rf"[−-]?(?:{PART}|[0-9]+(?=[+−-]))(?:[+−-](?:{PART}|[0-9]+))*"  # k', 2o+r−1, u[n,t]
AXES = rf"(?:\[({INDEX}(?:,(?:{INDEX}|[−-]?[0-9]+))*)\])?"
OBJECT = rf"({NAME}|\([^()∂]*\))"

Kind = Literal[
    "second", "fraction", "sum", "ratio", "number", "operand", "close", "power", "blank", "sign"
]


def tokens(text: str) -> Iterator[tuple[Kind, re.Match[str]]]:
    """What stands in a formula: at each place the first kind that fits.

    >>> [kind for kind, _ in tokens("∂z2/∂W2 = δ[k,k'] 2")]
    ['fraction', 'blank', 'sign', 'blank', 'operand', 'blank', 'number']
    """
    place = 0
    while place < len(text):
        kind, match = next((k, m) for k, rule in _rules() if (m := rule.match(text, place)))
        place = match.end()
        yield kind, match


def split_indices(axes: str) -> list[str]:
    """The indices between commas, those within a bracket left together.

    >>> split_indices("k',u[n,t]")
    ["k'", 'u[n,t]']
    """
    found, depth = [""], 0
    for sign in axes:
        depth += (sign in "[(") - (sign in "])")
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return found


def split_name(name: str) -> tuple[str, str, str]:
    """Letters, number and a seed's mark: W2 is W and 2, W^(2) is W and (2), W[2] is W and [2]."""
    plain, caret, mark = name.partition("^")
    if not caret:
        plain, bracket, mark = name.partition("[")
        mark = bracket + mark
    letters = plain.rstrip("0123456789")
    return letters, plain[len(letters) :], mark


@cache
def _rules() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """What may stand in a formula, the first that fits; compiled when a formula is first read."""
    rules: tuple[tuple[Kind, str], ...] = (
        ("second", rf"∂²{OBJECT}/∂{OBJECT}(?:²|∂{OBJECT})(ᵀ?){AXES}"),
        ("fraction", rf"∂{OBJECT}/∂{OBJECT}(ᵀ?){AXES}"),
        ("sum", rf"Σ_({WORD}'*)"),
        ("ratio", r"([0-9]+)/([0-9]+)(?![\w.(])"),
        ("number", rf"([0-9]+(?:\.[0-9]+)?)(?:e([+-]?[0-9]{{1,4}}))?{AXES}"),
        ("operand", rf"({NAME})('*)(ᵀ?){AXES}"),
        ("close", rf"\)(ᵀ?){AXES}"),
        ("power", rf"\^({NAME})|²"),
        ("blank", r"\s+"),
        ("sign", r"."),
    )
    return tuple((kind, re.compile(pattern, re.DOTALL)) for kind, pattern in rules)
