"""Names for the arrays that stand in a row with what comes back to it: R13, R13a.

The algebra adds terms with the same δ up to one array and calls it after what it did,
((part of (Σ ∂/∂c ∂²c/∂s²)) where t' = t''). On a page it has a short name, said once.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from string import ascii_lowercase

from ..program.bends import second_name
from .second_ledger import BendRow

LETTERS = "RABCDEFGIKLMNOPQSTUVWXYZ"  # the first that no value has with a number behind it
WHERE = r" where [^()]*\)"


def named_arrays(
    rows: Sequence[BendRow], formulas: Iterable[str], taken: Collection[str]
) -> tuple[dict[str, str], list[str]]:
    """The short name of each such array by its long one, and what each is, for the legend."""
    letter = next(
        sign for sign in LETTERS if not any(re.fullmatch(rf"{sign}\d+[a-z]?", t) for t in taken)
    )
    names: dict[str, str] = {}
    said: list[str] = []
    printed = "\n".join(formulas)
    for row in rows:
        found = dict.fromkeys(_labels(row, printed))
        for place, label in enumerate(found):
            sign = ascii_lowercase[place] if len(found) > 1 else ""
            names[label] = f"{letter}{row.number}{sign}"
            said.append(f"{names[label]}: {_meaning(row, label)}")
    return names, said


def _labels(row: BendRow, text: str) -> list[str]:
    """The long names in a text of the arrays of one row, of either order of its pair."""
    u, v = row.inputs
    sums = (f"(Σ ∂/∂{row.step} {second_name(row.step, *pair)})" for pair in ((u, v), (v, u)))
    whole = f"(?:{'|'.join(map(re.escape, dict.fromkeys(sums)))})"
    part = rf"\(part of {whole}\)"
    return re.findall(rf"\({part}{WHERE}|\({whole}{WHERE}|{part}|{whole}", text)


def _meaning(row: BendRow, label: str) -> str:
    spot, of = re.search(WHERE, label), row.with_what_comes_back
    if row.name not in label:
        of = f"({of})ᵀ"
    stands = spot[0].removesuffix(")") if spot else ""
    if "(part of" in label:
        return f"terms of {of}{stands}, added up to one array"
    return f"the numbers of {of}{stands}, as one array"
