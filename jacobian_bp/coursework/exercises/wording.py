"""The texts of an exercise, which are written once and said in any convention.

    examples stand in {examples: rows | columns}      by what the convention says
    BP1 is {formula: delta3 = S3 @ (a3 - y)}          delta3 = S3 (a3 - y), as the convention has it
    {code: d2 = d3 @ W3}                              the line itself, as the convention writes it

In the package's own convention the first of the choices stands there, and the line itself.
"""

import re
from collections.abc import Callable, Mapping

from ...derivation.convention import CHOICES, Convention
from ...errors import SpecError
from ...writing.signs import safe

CHOICE = re.compile(r"\{(\w+):([^{}]*)\}")
CODE, FORMULA = "code", "formula"
BEFORE, BEHIND = r"(?<![^\W²])(?<!\.)", r"(?![^\W²ᵀ])"  # of a whole name: ∂²J/∂W1²
LAYER = re.compile(r"\b(layers?) (\d+)\b")


def worded(
    text: str,
    convention: Convention,
    code: Callable[[str], str] = str,
    names: Mapping[str, str] | None = None,
) -> str:
    """A text with its choices made, its lines written by `code`, and its names replaced.

    >>> worded("in {examples: rows | columns}: {code: a + b}", Convention(examples="columns"))
    'in columns: a + b'

    Raises SpecError for a choice that no convention has, or with too few words.
    """
    pieces, end = [], 0
    for found in CHOICE.finditer(text):
        pieces.append(_renamed(text[end : found.start()], convention, names or {}))
        if found[1] in (CODE, FORMULA):
            line = code(found[2].strip())
            pieces.append(line if found[1] == CODE else as_formula(line))
        else:
            pieces.append(_renamed(_chosen(found, convention), convention, names or {}))
        end = found.end()
    return "".join([*pieces, _renamed(text[end:], convention, names or {})])


def as_formula(line: str) -> str:
    """A line as it is written on paper.

    >>> as_formula("Z2 = W2.T @ a1 + b2[:, None]")
    'Z2 = W2^T a1 + b2'
    """
    return line.replace("[:, None]", "").replace(" @ ", " ").replace(".T", "^T")


def _chosen(found: re.Match[str], convention: Convention) -> str:
    words = [word.strip() for word in found[2].split("|")]
    choices = CHOICES.get(found[1])
    if choices is None or len(words) != len(choices):
        ways = ", ".join(f"{{{name}: {' | '.join(of)}}}" for name, of in CHOICES.items())
        raise SpecError(
            f"{safe(found[0])[:60]} in a text is no choice of a convention.\n"
            f"  Write a word for each way: {ways}; or {{code: a line}}, {{formula: a line}}."
        )
    return words[choices.index(getattr(convention, found[1]))]


def _renamed(text: str, convention: Convention, names: Mapping[str, str]) -> str:
    """Each name as the student calls it, and layers as the student counts them."""
    shift = convention.first - 1
    text = LAYER.sub(lambda found: f"{found[1]} {int(found[2]) + shift}", text)
    changed = {ours: theirs for ours, theirs in names.items() if ours != theirs}
    if not changed:
        return text
    longest = sorted(changed, key=len, reverse=True)
    any_of = re.compile(rf"{BEFORE}({'|'.join(map(re.escape, longest))}){BEHIND}")
    return any_of.sub(lambda found: changed[found[1]], text)
