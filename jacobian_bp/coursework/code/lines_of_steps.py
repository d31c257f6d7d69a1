"""What the lines of a loop over recurrent steps say by their form: what goes back, what goes on."""

import ast
from functools import lru_cache

import numpy as np


@lru_cache(maxsize=2048)
def words_of(statement: ast.stmt) -> frozenset[str]:
    """The names and attributes of a line, in small letters."""
    found = (getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(statement))
    return frozenset(word.lower() for word in found if isinstance(word, str))


def handed_on(body: tuple[ast.stmt, ...]) -> set[tuple[str, int]]:
    """The names that a loop reads before it stores them, and the line that stores each last."""
    read: set[str] = set()
    found: dict[str, int] = {}
    for statement in body:
        names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
        read |= {n.id for n in names if isinstance(n.ctx, ast.Load)} - found.keys()
        found |= {n.id: statement.lineno for n in names if isinstance(n.ctx, ast.Store)}
    return {(name, line) for name, line in found.items() if name in read}


def is_product(statement: ast.stmt) -> bool:
    """Whether a line stores a product, as what goes back through W is one."""
    match getattr(statement, "value", None):
        case ast.BinOp(op=ast.MatMult()):
            return True
        case ast.Call(func=ast.Attribute(attr="dot" | "matmul")):
            return True
    return False


def softmax(scores: np.ndarray, axis: int) -> np.ndarray:
    grown = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(grown / grown.sum(axis=axis, keepdims=True))
