"""A derivative in index form, for what has none in matrix notation: Σ_i δ[k,k'] X[i,j'] u[i]."""

from collections.abc import Collection, Mapping
from string import ascii_lowercase

from ..writing.signs import fraction
from .matrix_notation import Notation
from .printed import printed_factor
from .terms import DELTA, PAIR, Term


def index_form(
    notation: Notation,
    terms: Collection[Term],
    kept: Mapping[int, str],
    letters: Mapping[int, str],
) -> str:
    """The terms with the letters of the axes that stay; each other axis is summed."""
    words = [_term(notation, term, kept, letters) for term in terms]
    text = " ".join(words) or "0"
    return text.removeprefix("+ ") if text.startswith("+") else "−" + text.removeprefix("− ")


def _term(
    notation: Notation, term: Term, kept: Mapping[int, str], letters: Mapping[int, str]
) -> str:
    names, dimensions = dict(kept), notation.lowered.dimensions_in(term)
    for factor in term.factors:
        for axis in factor.axes:
            if axis not in names:
                names[axis] = _letter(letters[dimensions[axis]], names)
    numbers: list[str] = []
    arrays: list[str] = []
    for factor in term.factors:
        word = f"[{','.join(names[a] for a in factor.axes)}]" if factor.axes else ""
        if factor.tree.op == PAIR:
            whole, one, other = (names[a] for a in factor.axes)
            step = letters[int(factor.tree.text.split(",")[-1])]
            text, word = "δ", f"[{whole},dim({step}) {one}+{other}]"
        else:
            text = "δ" if factor.tree == DELTA else printed_factor(notation.tree(factor.tree))
        (arrays if factor.axes else numbers).append(text + word)
    sums = [names[a] for a in names if a not in kept]
    size = abs(term.coefficient)
    sign = "−" if term.coefficient < 0 else "+"
    parts = [fraction(size)] * (size != 1) + [f"Σ_{','.join(sums)}"] * bool(sums)
    return " ".join([sign, *([*parts, *numbers, *arrays] or ["1"])])


def _letter(want: str, names: Mapping[int, str]) -> str:
    taken = set(names.values())
    return next(c for c in (want, *ascii_lowercase) if c not in taken and c not in "n")
