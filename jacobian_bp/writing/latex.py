r"""A printed formula as LaTeX, for notebooks and write-ups.

    ∂z2/∂W2           \frac{\partial z_{2}}{\partial W_{2}}
    δ[k,k'] a1[i']    \delta_{k,k'}\,(a_{1})_{i'}

What the package prints is read from left to right, one token at a time, so that
the two never disagree. A character without a meaning is escaped: whatever a
name holds, each command in the result stands in this file, and every brace closes.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

from .formula_tokens import WORD, Kind, split_indices, split_name, tokens

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
    **dict(zip(".,:;!?[]", ".,:;!?[]", strict=True)),
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
Piece = tuple[str, str]  # LaTeX, and its kind: operator, word, open or operand


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
    pieces: list[Piece] = []
    brackets: list[int] = []  # where those that are open stand
    blank = False
    for token, match in tokens(text):
        if token == "blank":
            blank = True
            continue
        latex, kind = PRINTERS[token](match)
        if blank and pieces:
            pieces += _gap(pieces[-1][1], kind)
        blank = False
        if kind == "open":
            brackets.append(len(pieces))
        elif match[0][0] == ")" and brackets:
            latex = _closed(pieces, brackets.pop(), latex)
        if pieces and latex[0] == "^" and pieces[-1][0].endswith(("}", "'")):
            latex = "{}" + latex  # x^{2}^{3} is no formula
        pieces.append((latex, kind))
    return _joined(latex for latex, _ in pieces)


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


def _fraction(match: re.Match[str]) -> Piece:
    """∂z2/∂W2[k,k',i'], the indices behind a bracket."""
    of, wrt, turned, axes = match.groups()
    parts = [formula(name) for name in (of, wrt)]
    whole = _joined([r"\frac{\partial", f" {parts[0]}}}", r"{\partial", f" {parts[1]}}}"])
    if turned or axes:
        whole = rf"\left({whole}\right){_top(turned)}{_below(axes)}"
    return whole, "operand"


def _second(match: re.Match[str]) -> Piece:
    """∂²J/∂W2∂W1[k,i,k',i'], ∂²J/∂z3²: as a fraction, the indices behind a bracket."""
    of, first, second, turned, axes = match.groups()
    of, first = formula(of), formula(first)
    other = "{}^{2}" if second is None else rf"\,\partial {formula(second)}"
    whole = rf"\frac{{\partial^{{2}} {of}}}{{\partial {first}{other}}}"
    if turned or axes:
        whole = rf"\left({whole}\right){_top(turned)}{_below(axes)}"
    return whole, "operand"


def _operand(match: re.Match[str]) -> Piece:
    """W2, σ', a1ᵀ, W[k,i']: a name and what hangs on it."""
    name, primes, turned, axes = match.groups()
    symbol = _symbol(name)
    if not (primes or turned or axes) and name in FUNCTIONS:
        return symbol, "operator"
    above, below = "^" in symbol, "_{" in symbol
    if above and (primes or turned):
        symbol = f"{{{symbol}}}"
    symbol += primes + _top(turned)
    if axes:
        symbol = f"({symbol}){_below(axes)}" if below else symbol + _below(axes)
    called = match.string.startswith("(", match.end())
    is_word = len(name) > 1 and name.isalpha() and not (primes or turned or axes or called)
    return symbol, "word" if is_word else "operand"


def _sum(match: re.Match[str]) -> Piece:
    return rf"\sum{_below(match[1])}", "operator"


def _ratio(match: re.Match[str]) -> Piece:
    return rf"\frac{{{match[1]}}}{{{match[2]}}}", "operand"


def _number(match: re.Match[str]) -> Piece:
    """0.4, 1[n], and 2e-05 as a power of ten."""
    digits, exponent, axes = match.groups()
    power = rf"\cdot 10^{{{int(exponent)}}}" if exponent else ""
    return digits + power + _below(axes), "operand"


def _close(match: re.Match[str]) -> Piece:
    turned, axes = match.groups()
    return f"){_top(turned)}{_below(axes)}", "operand"


def _power(match: re.Match[str]) -> Piece:
    return f"^{{{_symbol(match[1]) if match[1] else '2'}}}", "operand"


def _sign(match: re.Match[str]) -> Piece:
    sign = match[0]
    if sign == "(":
        return sign, "open"
    if sign in OPERATORS:
        return OPERATORS[sign], "operator"
    return _character(sign), "operand"


def _gap(before: str, after: str) -> list[Piece]:
    """The blank between two pieces: wide beside a word, none beside an operator."""
    if "operator" in (before, after) or before == "open":
        return []
    return [(r"\ " if "word" in (before, after) else r"\,", "operand")]


def _closed(pieces: list[Piece], start: int, latex: str) -> str:
    """A closing bracket; where a fraction stands within, both grow to its height."""
    inside = pieces[start + 1 :]
    if not any(r"\frac{\partial" in piece or r"\right" in piece for piece, _ in inside):
        return latex
    pieces[start] = (r"\left(", "open")
    return r"\right" + latex


def _symbol(name: str) -> str:
    r"""W2 as W_{2}, relu as \mathrm{relu}, a seed's W[2] as W^{[2]}."""
    letters, digits, mark = split_name(name)
    if letters in FUNCTIONS:
        symbol = f"\\{letters}"
    else:
        symbol = _joined(map(_character, letters))
        symbol = rf"\mathrm{{{symbol}}}" if len(letters) > 1 else symbol
    return symbol + (f"_{{{digits}}}" if digits else "") + (f"^{{{mark}}}" if mark else "")


def _character(c: str) -> str:
    """One character; one that no formula has, by its number."""
    if c.isascii() and c.isalnum():
        return c
    if c in GREEK:
        return f"\\{GREEK[c]}"
    return SIGNS.get(c) or rf"\mathrm{{u{ord(c):04x}}}"


def _below(axes: str | None) -> str:
    """The indices k,k' as a subscript; a position such as 2o+r−1 is a formula of its own."""
    return f"_{{{','.join(map(_index, split_indices(axes)))}}}" if axes else ""


def _index(text: str) -> str:
    name = text.rstrip("'")
    if not re.fullmatch(WORD, name):
        return formula(text)
    return _symbol(name) + text[len(name) :]


def _top(turned: str | None) -> str:
    return r"^{\top}" if turned else ""


def _joined(pieces: Iterable[str]) -> str:
    """The pieces side by side, with a blank where a command would run into a letter."""
    found = ["", *pieces]
    text = []
    for before, piece in pairwise(found):
        runs_on = piece[:1].isalpha() and re.search(r"\\[A-Za-z]+$", before)
        text.append(f" {piece}" if runs_on else piece)
    return "".join(text)


PRINTERS: dict[Kind, Callable[[re.Match[str]], Piece]] = {
    "second": _second,
    "fraction": _fraction,
    "sum": _sum,
    "ratio": _ratio,
    "number": _number,
    "operand": _operand,
    "close": _close,
    "power": _power,
    "sign": _sign,
}
