"""A corrected line as one would write it: no double minus, no 1 * x, no (x / m).T."""

from dataclasses import replace

from .tree import Node, turned
from .vocabulary import COUNT, is_penalty

THROUGH = ("sum", "mean", "T", "reshape", "index")  # the sign of what they read is theirs
SCALARS = ("*", "/", "+", "-", "neg", "**", "same")
PRODUCTS = ("*", "/", "@", "dot", "outer")


def negated(node: Node) -> Node:
    """The line with the other sign, its minus where it is shortest.

    >>> from .language import read_line
    >>> print(negated(read_line("-d2.T @ a1").tree), "|", negated(read_line("(y - p) / m").tree))
    d2.T @ a1 | (p - y) / m
    """
    return _without_sign(node) or Node("neg", (node,))


def transposed(node: Node) -> Node:
    """The transpose: a minus and a number stay outside.

    >>> from .language import read_line
    >>> print(transposed(read_line("1 / m * x.T").tree), "|", transposed(read_line("-x").tree))
    1 / m * x | -x.T
    """
    if node.op == "neg":
        return replace(node, args=(transposed(node.args[0]),))
    if node.op in ("*", "/") and is_scalar(node.args[1]):
        return replace(node, args=(transposed(node.args[0]), node.args[1]))
    if node.op == "*" and is_scalar(node.args[0]):
        return replace(node, args=(node.args[0], transposed(node.args[1])))
    return turned(node)


def without_one(node: Node) -> Node:
    """x for 1 * x and for x * 1.

    >>> from .language import read_line
    >>> print(without_one(read_line("d2 * 1").tree))
    d2
    """
    for side, factor in enumerate(node.args if node.op == "*" else ()):
        if is_one(factor):
            return node.args[1 - side]
    return node


def is_scalar(node: Node) -> bool:
    """Whether it reads nothing but sizes: 2, m, 1 / (2 * m), X.shape[0]."""
    if node.op == "size":
        return True
    if node.op == "name":
        return node.text.lower() in COUNT or is_penalty(node.text)
    return node.op in (*SCALARS, "number") and all(map(is_scalar, node.args))


def is_count(node: Node) -> bool:
    """Whether it is the number of examples by itself: m, N, len(X)."""
    return node.op == "size" or (node.op == "name" and node.text.lower() in COUNT)


def is_one(node: Node) -> bool:
    return node.op == "number" and float(node.text) == 1


def _without_sign(node: Node) -> Node | None:
    """The negative, where no minus has to be added for it."""
    if node.op == "neg":
        return node.args[0]
    if node.op == "-":
        return replace(node, args=node.args[::-1])
    if node.op in THROUGH:
        inner = _without_sign(node.args[0])
        return replace(node, args=(inner,)) if inner else None
    if node.op in PRODUCTS:
        for side, arg in enumerate(node.args):
            inner = _without_sign(arg)
            if inner:
                args = (inner, node.args[1]) if side == 0 else (node.args[0], inner)
                return without_one(replace(node, args=args))
    return None
