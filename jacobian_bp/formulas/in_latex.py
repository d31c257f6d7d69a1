r"""A printed formula as LaTeX's mathematics, sign by sign; a line may end behind a factor.

    ∂J/∂W = 2 (W x − y) xᵀ      \frac{\partial J}{\partial W} = 2\,(W\,x-y)\,x^{\top}
    Σ_i A[k,i] ‖x‖³ ⊙ 1_k       \sum_{i}A_{k,i}\,\lVert x\rVert^{3}\odot \mathbf{1}_{k}

ValueError for a sign that no page prints.
"""

import re

from ..writing.latex import GREEK
from ..writing.signs import RAISED, lowered

FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "tanh", "det", "dim"}
FUNCTIONS |= {"max", "min"}
LETTERS = GREEK | {"Σ": "Sigma"}  # a name; the sum has its axes behind it
SIGNS = {"+": "+", "−": "-", "⊙": r"\odot ", "⊘": r"\oslash ", "⊗": r"\otimes "}
PLAIN = {"(": "(", ")": ")", "/": "/", "ᵀ": r"^{\top}", "⁻¹": "^{-1}", "⁻ᵀ": r"^{-\top}"}
FACTOR = "\\,\\allowbreak "  # between two factors a line may end
ONE_WORD = {  # whose dash is no index
    "leaky_relu": r"\mathrm{leaky\_relu}",
    "log_softmax": r"\mathrm{log\_softmax}",
}
_NAME = rf"[^\W\d_ᵀ{RAISED}][^\Wᵀ{RAISED}]*"
_TOKEN = re.compile(
    rf"(?P<sign>\s*[+−⊙⊘⊗]\s*)|(?P<blank>\s+)|(?P<ratio>[0-9]+/[0-9]+(?![\w.(]))"
    rf"|(?P<ones>1_[a-z])|(?P<number>[0-9]+(\.[0-9]+)?(?![\w]))|(?P<sum>Σ_[a-z',]+\s*)"
    rf"|(?P<function>{_NAME}'*(?=\())|(?P<name>{_NAME})|(?P<index>\[[a-z',+() ]+\])"
    rf"|\^(?P<entry>∘?)(?P<power>[0-9.]+|\(−?[0-9./]+\))|(?P<raised>[{RAISED}]+)"
    r"|(?P<plain>⁻¹|⁻ᵀ|[()/ᵀ])|(?P<norm>‖)"
)
_LINE = re.compile(r"(?P<head>\S+) += (?P<right>.*?)(?:    \[(?P<axes>[a-z',]+)\])?")
_SLOPE = re.compile(rf"∂(²?)({_NAME})/∂({_NAME})(²?)(?:∂({_NAME}))?")


def line_in_latex(line: str) -> str:
    r"""A line with its head, an equals sign, and the axes that it has.

    >>> print(line_in_latex("∂J/∂x = −σ'(z)/λ xᵀ    [i']").replace(r"\allowbreak ", ""))
    \frac{\partial J}{\partial x} = -\sigma '(z)/\lambda \,x^{\top}\quad[i']
    """
    match = _LINE.fullmatch(line)
    if not match:
        raise ValueError(f"{line} is no line of a page.")
    axes = rf"\quad[{match['axes']}]" if match["axes"] else ""
    return f"{_head(match['head'])} = {in_latex(match['right'])}{axes}"


def in_latex(text: str) -> str:
    """A printed formula."""
    pieces: list[str] = []
    place, inside_norm = 0, False
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match:
            raise ValueError(f"{text[place]} has no sign of LaTeX.")
        place = match.end()
        kind, found = next((k, v) for k, v in match.groupdict().items() if v)
        if match["power"]:
            kind, found = "power", match["power"]
        if kind == "norm":
            inside_norm = not inside_norm
            pieces.append(r"\lVert " if inside_norm else r"\rVert ")
        elif kind == "index" and "_" in pieces[-1]:  # a_{1}_{k} is no formula
            pieces[-1] = f"({pieces[-1]})_{{{_index(found)}}}"
        else:
            pieces.append(_piece(kind, found, "∘" if match["entry"] else ""))
    return "".join(pieces)


def _piece(kind: str, found: str, entry: str) -> str:
    match kind:
        case "sign":
            return SIGNS[found.strip()]
        case "blank":
            return FACTOR
        case "ratio":
            return r"\tfrac{{{}}}{{{}}}".format(*found.split("/"))
        case "ones":
            return rf"\mathbf{{1}}_{{{found[2]}}}"
        case "sum":
            return rf"\sum_{{{found[2:].strip()}}}"
        case "function":
            word = found.rstrip("'")
            called = rf"\{word}" if word in FUNCTIONS else ONE_WORD.get(word) or _symbol(word)
            return called + found[len(word) :]
        case "name":
            return _symbol(found)
        case "index":
            return f"_{{{_index(found)}}}"
        case "power":
            circle = r"\circ " if entry else ""
            return f"^{{{circle}{found.strip('()').replace('−', '-')}}}"
        case "raised":
            return f"^{{{lowered(found)}}}"
    return PLAIN.get(found, found)


def _index(found: str) -> str:
    """[p,dim(j) k+j] as p,dim(j) k+j below the line."""
    return found[1:-1].replace("dim", r"\dim").replace(" ", r"\,")


def _head(head: str) -> str:
    """∂J/∂W, ∂²J/∂W∂x, ∂²J/∂x²; or a name."""
    match = _SLOPE.fullmatch(head)
    if not match:
        return in_latex(head)
    order, of, by, twice, also = match.groups()
    below = rf"\partial {_symbol(by)}" + ("{}^{2}" if twice else "")
    below += rf"\,\partial {_symbol(also)}" if also else ""
    return rf"\frac{{\partial{'^{2}' if order else ''} {_symbol(of)}}}{{{below}}}"


def _symbol(word: str) -> str:
    r"""W2 as W_{2}, E_1_end as E_{1,\mathrm{end}}, lam as \mathrm{lam}."""
    first, *below = word.split("_")
    letters = first.rstrip("0123456789")
    below = [part for part in (first[len(letters) :], *below) if part]
    base = _upright(letters)
    return base + (f"_{{{','.join(map(_upright, below))}}}" if below else "")


def _upright(letters: str) -> str:
    if not letters.isascii():
        if letters in LETTERS:
            return f"\\{LETTERS[letters]} "
        raise ValueError(f"{letters} has no sign of LaTeX.")
    return letters if len(letters) == 1 or letters.isdigit() else rf"\mathrm{{{letters}}}"
