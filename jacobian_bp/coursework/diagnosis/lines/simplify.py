"""A corrected line as one would write it: no double minus, no 2 * (x / 2)."""

from dataclasses import replace

from .tree import Node

THROUGH = ("sum", "mean", "T", "reshape", "index")  # the sign of what they read is theirs
PRODUCTS = ("*", "/", "@", "dot", "outer")


def negated(node: Node) -> Node:
    """The line with the other sign, its minus where it is shortest.

    >>> from .language import read_line
    >>> print(negated(read_line("-d2.T @ a1").tree), "|", negated(read_line("(y - p) / m").tree))
    d2.T @ a1 | (p - y) / m
    """
    return _without_sign(node) or Node("neg", (node,))


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
                rest = node.args[1 - side]
                if inner == Node("number", text="1") and node.op == "*":
                    return rest
                return replace(node, args=(inner, rest) if side == 0 else (rest, inner))
    return None
