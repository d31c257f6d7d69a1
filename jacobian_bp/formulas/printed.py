"""Trees of matrix algebra as text, in parentheses where a part binds less than what is around."""

import math
from collections.abc import Callable
from fractions import Fraction

from ..ops.entry_trees import Tree, number_of
from ..writing.signs import fraction, number, raised

SUM, HADAMARD, PRODUCT, POWER, ATOM = 1, 2, 3, 4, 5
LARGEST_BELOW = 100  # below the line of an exponent such as 1/3
FUNCTIONS = {"sigmoid": "σ", "sigmoid'": "σ'"}


def printed(tree: Tree) -> str:
    """The text of a tree.

    >>> from ..ops.entry_trees import name
    >>> W, x, y = map(name, "Wxy")
    >>> printed(Tree("T", (Tree("-", (Tree("times", (W, x)), y)),)))
    '(W x − y)ᵀ'
    """
    return _written(tree)[0]


def printed_factor(tree: Tree, least: int = ATOM) -> str:
    """The text of a tree, in parentheses if it binds less; an atom is one sign or one function."""
    return _in(tree, least)


def _written(tree: Tree) -> tuple[str, int]:
    if tree.op == "num":
        value = number_of(tree) or 0.0
        return fraction(value).replace("-", "−"), ATOM if value >= 0 else SUM
    if tree.op == "name":
        return tree.text, ATOM
    return _RULES[tree.op](tree)


def _in(tree: Tree, least: int) -> str:
    text, level = _written(tree)
    return text if level >= least else f"({text})"


def _sum(tree: Tree) -> tuple[str, int]:
    left, right = tree.args
    sign = {"+": "+", "-": "−"}[tree.op]
    return f"{_in(left, SUM)} {sign} {_in(right, HADAMARD)}", SUM


def _times(tree: Tree) -> tuple[str, int]:
    first, *rest = tree.args
    head = _in(first, ATOM if "/" in _written(first)[0] and first.op != "num" else POWER)
    return " ".join([head, *(_in(part, POWER) for part in rest)]), PRODUCT


def _norm(square: str) -> Callable[[Tree], tuple[str, int]]:
    def rule(tree: Tree) -> tuple[str, int]:
        inside = printed(tree.args[0])
        return (f"norm({inside}){square}" if "‖" in inside else f"‖{inside}‖{square}"), ATOM

    return rule


def _exponent(tree: Tree) -> str:
    value = float(tree.text)
    if value.is_integer() and value >= 0:
        return raised(int(value))
    return f"^{_size(value)}"


def _size(value: float) -> str:
    """What stands behind ^ and ^∘: 0.5, (−0.5), (1/3)."""
    size = abs(value)
    text = number(size)
    if float(text) != size:
        ratio = Fraction(size).limit_denominator(LARGEST_BELOW)
        text = str(ratio) if math.isclose(ratio, size, rel_tol=1e-12) else number(size, 15)
    text = f"−{text}" if value < 0 else text
    return text if text.replace(".", "").isdigit() else f"({text})"


def _entry_power(tree: Tree) -> tuple[str, int]:
    base, exponent = tree.args
    return f"{_in(base, ATOM)}^∘{_size(float(exponent.text))}", POWER


def _inverse(tree: Tree) -> tuple[str, int]:
    inside = tree.args[0]
    if inside.op == "T":
        return f"{_in(inside.args[0], ATOM)}⁻ᵀ", POWER
    return f"{_in(inside, ATOM)}⁻¹", POWER


def _function(tree: Tree) -> tuple[str, int]:
    head = FUNCTIONS.get(tree.text, tree.text) if tree.op == "f" else tree.op
    return f"{head}({printed(tree.args[0])})", ATOM


_RULES: dict[str, Callable[[Tree], tuple[str, int]]] = {
    "+": _sum,
    "-": _sum,
    "neg": lambda t: (f"−{_in(t.args[0], HADAMARD)}", SUM),
    "times": _times,
    "had": lambda t: (" ⊙ ".join(_in(part, PRODUCT) for part in t.args), HADAMARD),
    "hdiv": lambda t: (f"{_in(t.args[0], PRODUCT)} ⊘ {_in(t.args[1], POWER)}", HADAMARD),
    "kron": lambda t: (" ⊗ ".join(_in(part, PRODUCT) for part in t.args), HADAMARD),
    "mat": lambda t: (f"mat_{t.text}({printed(t.args[0])})", ATOM),
    "div": lambda t: (f"{_in(t.args[0], PRODUCT)}/{_in(t.args[1], POWER)}", PRODUCT),
    "pow": lambda t: (f"{_in(t.args[0], ATOM)}{_exponent(t.args[1])}", POWER),
    "hpow": _entry_power,
    "at": lambda t: (f"{_in(t.args[0], ATOM)}[{t.text}]", ATOM),
    "T": lambda t: (f"{_in(t.args[0], ATOM)}ᵀ", POWER),
    "inv": _inverse,
    "sq": _norm("²"),
    "norm": _norm(""),
    "ones": lambda t: (f"1_{t.text}", ATOM),
    "I": lambda t: (f"I_{t.text}", ATOM),
    "dim": lambda t: (f"dim({t.text})", ATOM),
    "f": _function,
    **dict.fromkeys(("softmax", "log_softmax", "logsumexp", "diag", "tr"), _function),
    **dict.fromkeys(("det", "logdet", "vec", "max", "min", "e_max", "e_min"), _function),
}
