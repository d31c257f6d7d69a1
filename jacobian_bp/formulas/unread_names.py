"""Functions that a formula does not read, and what to write for each.

mish(A @ x)          Write (A @ x) * tanh(softplus(A @ x)).
max(x, y)            Write y + relu(x - y) for the larger of both.
"""

import ast
from collections.abc import Callable

NOT_READ = {  # what people write, and what to write instead: x is what it is applied to
    "ravel": "write vec(X.T), the rows one below another",
    "flatten": "write vec(X.T), the rows one below another",
    "eig": "the derivative of an eigenvalue is not written here",
    "var": "write it out: mean((x - mean(x))**2)",
    "std": "write it out: sqrt(mean((x - mean(x))**2))",
    "len": "write mean(x) for sum(x) / len(x)",
    "argmax": "which entry is the largest has the slope 0; max({x}) is that entry",
    "argmin": "which entry is the smallest has the slope 0; min({x}) is that entry",
    "hinge": "write relu(1 - {x}), and sum(…) of it",
    "gamma": "no formula has the gamma function",
    "eye": "write eye; its length follows from what it meets",
    "ones": "a number is spread by itself: write 1",
    "einsum": "write the products with @, sum and trace",
    "solve": "write inv(A) @ b for solve(A, b)",
    "pinv": "of a matrix whose columns are independent write inv(A.T @ A) @ A.T",
    "expm": "the exponential of a matrix has no op here; exp({x}) is that of each entry",
    "logm": "the logarithm of a matrix has no op here; log({x}) is that of each entry",
    "sqrtm": "the root of a matrix has no op here; sqrt({x}) is that of each entry",
    "svd": "the derivatives of singular values are not written here",
    "matrix_power": "write the products, A @ A @ A for the third power",
    "prod": "of numbers above 0 write exp(sum(log({x})))",
    "cumsum": "no formula has running sums; in a network the layer CumSum has",
    "cross": "no formula has the cross product",
    "atan2": "where x is above 0 write arctan(y / x)",
    "arctan2": "where x is above 0 write arctan(y / x)",
    "norm_inf": "write max(abs({x}))",
    "Σ": "write sum(…) for the sum of all entries",
    "erf": "no formula has erf by itself; gelu(x) is x times the normal distribution function",
}
WRITTEN_OUT = {  # what is written with the functions that are read
    "mish": "{x} * tanh(softplus({x}))",
    "hardtanh": "relu({x} + 1) - relu({x} - 1) - 1",
    "huber": "0.5 * {x}**2 - 0.5 * relu(abs({x}) - 1)**2",
    "softsign": "{x} / (1 + abs({x}))",
    "logsigmoid": "-softplus(-{x})",
    "sinh": "(exp({x}) - exp(-{x})) / 2",
    "cosh": "(exp({x}) + exp(-{x})) / 2",
    "log1p": "log(1 + {x})",
    "expm1": "exp({x}) - 1",
    "log2": "log({x}) / log(2)",
    "log10": "log({x}) / log(10)",
}
WITH_NUMBER = {  # what is wrong with a number behind it, and what to write instead
    "leaky_relu": ("has the slope 0.01 left of 0", "relu({x}) - {c} * relu(-({x}))"),
    "elu": ("has alpha = 1", "relu({x}) + {c} * (exp(-relu(-({x}))) - 1)"),
}
NUMBERS_CALLED = ("negative_slope", "alpha", "slope")
LARGER = ("max", "maximum")  # of two arrays, entry by entry
SMALLER = ("min", "minimum")


def instead_of(word: str, args: list[ast.expr], said: Callable[[ast.expr], str]) -> str | None:
    """What to write for a function that is not read; `said` has the text of each argument.

    >>> instead_of("mish", [ast.Name("x")], lambda node: node.id)
    'write x * tanh(softplus(x))'
    """
    inside = operand(args[0], said) if len(args) == 1 else "x"
    if word in WRITTEN_OUT:
        return f"write {_without_twice(WRITTEN_OUT[word].format(x=inside), inside)}"
    found = NOT_READ.get(word)
    return found and _without_twice(found.replace("{x}", inside), inside)


def of_two(
    word: str, args: list[ast.expr], said: Callable[[ast.expr], str]
) -> tuple[ast.expr, str] | None:
    """Where max, min and theirs are given two arrays: the one that is too many, what to write."""
    if word not in (*LARGER, *SMALLER) or len(args) != 2:
        return None
    one, other = args
    if word in SMALLER:
        instead = f"{said(one)} - relu({said(one)} - {operand(other, said)})"
    else:
        instead = f"{said(other)} + relu({said(one)} - {operand(other, said)})"
    return other, f"{instead} for the {'smaller' if word in SMALLER else 'larger'} of both"


def operand_beside_zero(word: str, args: list[ast.expr]) -> ast.expr | None:
    """What max, min and theirs compare with 0, which is a rectifier; None for all else."""
    if word not in (*LARGER, *SMALLER) or len(args) != 2:
        return None
    zeros = [_is_zero(arg) for arg in args]
    return args[zeros.index(True) - 1] if any(zeros) else None


def given_number(
    word: str, node: ast.Call, said: Callable[[ast.expr], str]
) -> tuple[ast.expr, str, str] | None:
    """Where leaky_relu(x, 0.2) is given its number: it, what is wrong, what to write instead."""
    if word not in WITH_NUMBER or not node.args or len(node.args) + len(node.keywords) != 2:
        return None
    value = node.args[1] if len(node.args) == 2 else node.keywords[0].value
    if node.keywords and node.keywords[0].arg not in NUMBERS_CALLED:
        return None
    problem, instead = WITH_NUMBER[word]
    instead = instead.format(x=said(node.args[0]), c=operand(value, said))
    return value, f"{word} {problem}.", f"Write {instead}."


def operand(node: ast.expr, said: Callable[[ast.expr], str]) -> str:
    """An argument as it may stand in a product or behind a minus sign."""
    text = said(node)
    return f"({text})" if isinstance(node, ast.BinOp | ast.UnaryOp) else text


def _without_twice(text: str, inside: str) -> str:
    """sigmoid((A @ x)) as sigmoid(A @ x)."""
    return text.replace(f"({inside})", inside) if inside[0] == "(" else text


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0 and node.value is not False
