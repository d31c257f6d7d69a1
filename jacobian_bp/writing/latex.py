r"""A printed formula as LaTeX, for notebooks and write-ups.

    ∂z2/∂W2           \frac{\partial z_{2}}{\partial W_{2}}
    δ[k,k'] a1[i']    \delta_{k,k'}\,(a_{1})_{i'}

A character without a meaning is escaped: whatever a name holds, each command in the
result stands in this file, and every brace closes.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from unicodedata import normalize

from .formula_tree import (
    Blank,
    Bracket,
    Derivative,
    Node,
    Number,
    Power,
    Ratio,
    Row,
    Scripted,
    Sign,
    Sum,
    Symbol,
    parse,
    spaced,
    within,
)
from .signs import HAT

LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau varphi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Phi Psi Omega"
)
GREEK = dict(zip("αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΦΨΩ", LETTERS.split(), strict=True))
FUNCTIONS = ("exp", "log", "max", "tanh")
OPERATORS = {
    **dict(zip("+-=*/|−", "+-=*/|-", strict=True)),
    "·": r"\cdot",
    "×": r"\times",
    "⊗": r"\otimes",
    "⊙": r"\odot",
    "±": r"\pm",
    "→": r"\to",
    "≤": r"\leq",
    "≠": r"\neq",
    "≈": r"\approx",
    "Σ": r"\sum",
}
SIGNS = {
    **dict(zip(".,:;!?[]()", ".,:;!?[]()", strict=True)),
    **{sign: f"\\{sign}" for sign in "{}_%$#&"},
    "∂": r"\partial",
    "…": r"\ldots",
    "½": r"\frac{1}{2}",
    "'": "{}'",
    "\\": r"\backslash",
    "^": r"\wedge",
    "~": r"\sim",
    "<": r"\langle",
    ">": r"\rangle",
}


def formula(text: str) -> str:
    r"""A printed formula as LaTeX, without delimiters.

    >>> print(formula("∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']"))
    \left(\frac{\partial z_{2}}{\partial W_{2}}\right)_{k,k',i'}=\delta_{k,k'}\,(a_{1})_{i'}
    >>> print(formula("∂²J/∂W2∂b1[k,i,k']"))
    \left(\frac{\partial^{2} J}{\partial W_{2}\,\partial b_{1}}\right)_{k,i,k'}
    >>> print(formula("∂²J/∂b1²"))
    \frac{\partial^{2} J}{\partial b_{1}{}^{2}}
    >>> print(formula("Σ_k δ3[k] W3[k,k'] relu'(z2)[k']"))
    \sum_{k}(\delta_{3})_{k}\,(W_{3})_{k,k'}\,\mathrm{relu}'(z_{2})_{k'}
    >>> print(formula("Σ_r K[d,c',r] δ[i',2o+r−1] δ[r,a[c,o]]"))
    \sum_{r}K_{d,c',r}\,\delta_{i',2o+r-1}\,\delta_{r,a_{c,o}}
    >>> print(formula(r"\input{x}"))
    \backslash\mathrm{input}\{x\}
    """
    return _latex(parse(text))


def inline(latex: str) -> str:
    r"""A formula between the marks by which a notebook knows it.

    >>> print(inline(r"\delta_{k,k'}"))
    $\displaystyle \delta_{k,k'}$
    """
    return rf"$\displaystyle {latex}$"


def words(text: str) -> str:
    r"""Words beside a formula, a layout or a shape; what a text cannot carry becomes a ?.

    >>> print(words("layout flat, shape (2, 8)"))
    \text{layout flat, shape (2, 8)}
    """
    plain = text.replace("…", "...")
    kept = [c if c.isascii() and (c.isalnum() or c in " ()[],.:;/+=-") else "?" for c in plain]
    return rf"\text{{{''.join(kept)}}}"


def aligned(lines: Iterable[str]) -> str:
    """Formulas one under another, each aligned at its &."""
    rows = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"


def _latex(node: Node) -> str:
    match node:
        case Row():
            return _row(node)
        case Symbol():
            return _symbol(node)
        case Sign(sign):
            return OPERATORS.get(sign) or _character(sign)
        case Number(digits, exponent):  # 2e-05 as a power of ten
            return digits + (rf"\cdot 10^{{{int(exponent)}}}" if exponent else "")
        case Ratio(above, below):
            return rf"\frac{{{above}}}{{{below}}}"
        case Sum(over):
            return rf"\sum_{{{_latex(over)}}}"
        case Bracket(inside):
            return _joined(_bracket(inside))
        case Derivative():
            return _fraction(node)
        case Scripted():
            return _scripts(node)
        case Power(base, exponent):
            below = _latex(base) if base else "{}"
            below += "{}" if below.endswith(("}", "'")) and base else ""  # x^{2}^{3} is no formula
            return rf"{below}^{{{_symbol(exponent) if exponent else '2'}}}"
        case Blank():
            return r"\,"


def _row(row: Row) -> str:
    gaps = {"": "", "narrow": r"\,", "wide": r"\ "}
    pieces = ((gaps[gap], _latex(part)) for gap, part in spaced(row, FUNCTIONS))
    return _joined(piece for pair in pieces for piece in pair if piece)


def _fraction(node: Derivative) -> str:
    """∂z2/∂W2, ∂²J/∂W2∂W1, ∂²J/∂z3²."""
    by = [_joined([r"\partial", f" {_latex(one)}"]) for one in node.by]
    if node.order == 1:
        return _joined([r"\frac{\partial", f" {_latex(node.of)}}}", f"{{{by[0]}}}"])
    below = r"\,".join(by) if len(by) == 2 else by[0] + "{}^{2}"
    return rf"\frac{{\partial^{{2}} {_latex(node.of)}}}{{{below}}}"


def _bracket(inside: Row) -> tuple[str, str, str]:
    """A bracket; where a derivative stands within, it grows to its height."""
    tall = any(isinstance(part, Derivative) for part in within(inside))
    return (r"\left(", _latex(inside), r"\right)") if tall else ("(", _latex(inside), ")")


def _scripts(node: Scripted) -> str:
    """σ', a1ᵀ, W[k,i'], the indices of a derivative or of a name with a number behind a bracket."""
    base = _latex(node.base)
    below = f"_{{{','.join(map(_latex, node.indices))}}}" if node.indices else ""
    above = r"^{\top}" if node.turned else ""
    if isinstance(node.base, Derivative):
        return rf"\left({base}\right){above}{below}"
    if not isinstance(node.base, Symbol):
        return base + above + below
    if node.base.mark and (node.primes or node.turned):
        base = f"{{{base}}}"
    base += "'" * node.primes + above
    return f"({base}){below}" if node.base.number and below else base + below


def _symbol(symbol: Symbol) -> str:
    r"""W2 as W_{2}, relu as \mathrm{relu}, a seed's W[2] as W^{[2]}."""
    if symbol.letters in FUNCTIONS:
        letters = f"\\{symbol.letters}"
    else:
        signs = [normalize("NFD", sign) for sign in normalize("NFC", symbol.letters)]
        spread = "".join(sign if sign[1:] == HAT else normalize("NFC", sign) for sign in signs)
        single = re.findall(rf".{HAT}?", spread, re.DOTALL)
        letters = _joined(map(_character, single))
        letters = rf"\mathrm{{{letters}}}" if len(single) > 1 else letters
    below = f"_{{{symbol.number}}}" if symbol.number else ""
    return letters + below + (f"^{{{symbol.mark}}}" if symbol.mark else "")


def _character(c: str) -> str:
    """One character, perhaps with a hat; one that no formula has, by its number."""
    if c[1:] == HAT:
        return rf"\hat{{{_character(c[0])}}}"
    if c.isascii() and c.isalnum():
        return c
    if c in GREEK:
        return f"\\{GREEK[c]}"
    return SIGNS.get(c) or rf"\mathrm{{u{ord(c):04x}}}"


def _joined(pieces: Iterable[str]) -> str:
    """The pieces side by side, with a blank where a command would run into a letter."""
    found = ["", *pieces]
    text = []
    for before, piece in pairwise(found):
        runs_on = piece[:1].isalpha() and re.search(r"\\[A-Za-z]+$", before)
        text.append(f" {piece}" if runs_on else piece)
    return "".join(text)
