"""Functions that a formula does not read, and what to write for each.

silu(A @ x)          Write (A @ x) * sigmoid(A @ x).
max(0, 1 - x)        Write relu(1 - x) for the larger of both.
"""

import ast
from collections.abc import Callable

NOT_READ = {  # what people write, and what to write instead: x is what it is applied to
    "ravel": "write vec(X.T), the rows one below another",
    "flatten": "write vec(X.T), the rows one below another",
    "eig": "the derivative of an eigenvalue is not written here",
    "var": "write it out: mean((x - mean(x))**2)",
    "eye": "write eye; its length follows from what it meets",
    "ones": "a number is spread by itself: write 1",
    "einsum": "write the products with @, sum and trace",
    "Σ": "write sum(…) for the sum of all entries",
    "erf": "no formula has erf; in a network the layer GELU has",
    "gelu": "no formula has erf; near it is {x} * sigmoid(1.702 * {x}), and in a network the layer "
    "GELU is exact",
}
WRITTEN_OUT = {  # what is written with the functions that are read
    "silu": "{x} * sigmoid({x})",
    "swish": "{x} * sigmoid({x})",
    "mish": "{x} * tanh(softplus({x}))",
    "leaky_relu": "relu({x}) - 0.01 * relu(-{x})",
    "elu": "relu({x}) + exp(-relu(-{x})) - 1",
    "hardtanh": "relu({x} + 1) - relu({x} - 1) - 1",
    "softsign": "{x} / (1 + abs({x}))",
    "logsigmoid": "-softplus(-{x})",
    "sinh": "(exp({x}) - exp(-{x})) / 2",
    "cosh": "(exp({x}) + exp(-{x})) / 2",
    "log1p": "log(1 + {x})",
    "expm1": "exp({x}) - 1",
    "log2": "log({x}) / log(2)",
    "log10": "log({x}) / log(10)",
    "square": "{x}**2",
    "reciprocal": "1 / {x}",
}
LARGER = ("max", "maximum")  # of two arrays, entry by entry
SMALLER = ("min", "minimum")


def instead_of(word: str, args: list[ast.expr], said: Callable[[ast.expr], str]) -> str | None:
    """What to write for a function that is not read; `said` has the text of each argument.

    >>> instead_of("silu", [ast.Name("x")], lambda node: node.id)
    'write x * sigmoid(x)'
    """
    inside = operand(args[0], said) if len(args) == 1 else "x"
    if word in WRITTEN_OUT:
        return f"write {_without_twice(WRITTEN_OUT[word].format(x=inside), inside)}"
    found = NOT_READ.get(word)
    return found and found.replace("{x}", inside)


def of_two(
    word: str, args: list[ast.expr], said: Callable[[ast.expr], str]
) -> tuple[ast.expr, str] | None:
    """Where max, min and theirs are given two arrays: the one that is too many, what to write."""
    if word not in (*LARGER, *SMALLER) or len(args) != 2:
        return None
    one, other = args
    zero = next((arg for arg in args[::-1] if _is_zero(arg)), None)
    least = word in SMALLER
    if zero is not None:
        rest = one if zero is other else other
        instead = f"-relu(-{operand(rest, said)})" if least else f"relu({said(rest)})"
    elif least:
        instead = f"{said(one)} - relu({said(one)} - {operand(other, said)})"
    else:
        instead = f"{said(other)} + relu({said(one)} - {operand(other, said)})"
    return zero or other, f"{instead} for the {'smaller' if least else 'larger'} of both"


def operand(node: ast.expr, said: Callable[[ast.expr], str]) -> str:
    """An argument as it may stand in a product or behind a minus sign."""
    text = said(node)
    return f"({text})" if isinstance(node, ast.BinOp | ast.UnaryOp) else text


def _without_twice(text: str, inside: str) -> str:
    """sigmoid((A @ x)) as sigmoid(A @ x)."""
    return text.replace(f"({inside})", inside) if inside[0] == "(" else text


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0 and node.value is not False
