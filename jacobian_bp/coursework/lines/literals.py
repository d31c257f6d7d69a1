"""What stands in a line as it is: numbers, an axis, a shape, True, an index."""

import ast
import math

from .refusals import cut, refuse
from .tree import Node

LARGEST_POWER, LARGEST = 16, 1e100


def number(value: float, text: str) -> Node:
    """A number that no line overflows by itself."""
    try:
        fits = math.isfinite(float(value)) and abs(value) <= LARGEST
    except OverflowError:
        fits = False
    if not fits:
        refuse(f"the number {cut(text, 12)} is larger than {LARGEST:g}.", "Write a smaller one.")
    return Node("number", text=text if len(text) <= 12 else repr(float(value)))


def require_small_power(exponent: Node) -> None:
    """SpecError unless the exponent is a number of a few units, of either sign."""
    plain = exponent.args[0] if exponent.op == "neg" else exponent
    if plain.op != "number" or float(plain.text) > LARGEST_POWER:
        refuse(
            f"the exponent {cut(str(exponent))} is not a number from -{LARGEST_POWER} "
            f"to {LARGEST_POWER}.",
            "Write such as z1**2.",
        )


def axis(tree: ast.expr, text: str) -> int | tuple[int, ...] | None:
    """axis=0, axis=(0, 1) or axis=None"""
    if isinstance(tree, ast.Constant) and tree.value is None:
        return None
    if isinstance(tree, ast.Tuple):
        return tuple(integer(item, text) for item in tree.elts)
    return integer(tree, text)


def shape(trees: list[ast.expr], text: str) -> tuple[int, ...]:
    """reshape(-1, 1) or reshape((-1, 1))"""
    only = trees[0]
    items = only.elts if len(trees) == 1 and isinstance(only, ast.Tuple) else trees
    return tuple(integer(item, text) for item in items)


def integer(tree: ast.expr, text: str) -> int:
    """A whole number, plain or with a minus sign."""
    match tree:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            value = -value
        case ast.Constant(value=int() as value):
            pass
        case _:
            value = True
    if isinstance(value, bool) or abs(value) > 10**9:
        shown = cut(ast.get_source_segment(text, tree) or "")
        refuse(f"'{shown}' stands where a whole number does.", "Write such as axis=0.")
    return value


def truth(tree: ast.expr, text: str) -> bool:
    """keepdims=True"""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, bool):
        return tree.value
    shown = cut(ast.get_source_segment(text, tree) or "")
    refuse(f"keepdims={shown} is not read here.", "Write keepdims=True or keepdims=False.")


def index(tree: ast.expr, text: str) -> str:
    """Whole numbers, slices and new axes: ':, None', '1:', '::-1'."""
    items = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    words = []
    for item in items:
        match item:
            case ast.Slice(lower=lower, upper=upper, step=step):
                sides = ["" if s is None else str(integer(s, text)) for s in (lower, upper)]
                words.append(":".join(sides) + (f":{integer(step, text)}" if step else ""))
            case (
                ast.Constant(value=None)
                | ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="newaxis")
            ):
                words.append("None")
            case ast.Constant(value=int()) | ast.UnaryOp(op=ast.USub()):
                words.append(str(integer(item, text)))
            case _:
                shown = cut(ast.get_source_segment(text, tree) or "")
                refuse(f"the index [{shown}] is not read here.", "Write such as d2[:, None].")
    return ", ".join(words)


def item_of(word: str) -> int | slice | None:
    """What one part of an index stands for.

    >>> item_of("1:"), item_of("-1"), item_of("None")
    (slice(1, None, None), -1, None)
    """
    if word == "None":
        return None
    if ":" not in word:
        return int(word)
    return slice(*(int(side) if side else None for side in word.split(":")))
