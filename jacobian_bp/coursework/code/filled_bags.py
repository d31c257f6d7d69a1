"""Dictionaries that a text fills itself: which of them hold gradients by their parameters' names.

g["W2"] = A1.T @ d2   holds ∂J/∂W2;   new["W2"] = W2 - lr * dW2   holds a parameter
"""

import ast
from collections.abc import Iterator

from ..lines.vocabulary import Naming, derivative_of, in_one_key, words
from .classes import called

MADE_OF_ARRAYS = words("dot matmul outer sum mean einsum multiply tensordot inner")
COUNTED = 9  # a key may be that of any layer, so long as it is one of W or of b


def entries_stored(node: ast.AST) -> Iterator[tuple[str, str, ast.expr]]:
    """The dictionary, the key and the value of each entry that a statement stores by =.

    >>> [(bag, key) for bag, key, _ in entries_stored(ast.parse("g['W'], g['b'] = x, y").body[0])]
    [('g', 'W'), ('g', 'b')]
    """
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for place, value in pairs:
            match place:
                case ast.Subscript(value=bag, slice=ast.Constant(value=str(key))):
                    whole = in_one_key(f"{ast.unparse(bag)}[{key!r}]")
                    bag_of_all, _, key = whole[:-2].rpartition("['")
                    yield bag_of_all, key, value


def is_gradient_of_text(key: str, value: ast.expr) -> bool:
    """Whether what is stored under a parameter's name is computed as a gradient is."""
    if derivative_of(f"d{key}", Naming(), COUNTED) is None or isinstance(value, ast.Name):
        return (
            isinstance(value, ast.Name) and derivative_of(value.id, Naming(), COUNTED) is not None
        )
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub):
        return False  # a step: W2 - lr * dW2
    parts = list(ast.walk(value))
    return any(
        (isinstance(part, ast.BinOp) and isinstance(part.op, ast.MatMult))
        or (isinstance(part, ast.Call) and called(part) in MADE_OF_ARRAYS)
        for part in parts
    )
