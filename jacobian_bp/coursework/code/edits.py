"""The statements that are one change away from a student's."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..lines.function_names import function_of

Edit = tuple[str, ast.stmt]  # what is changed, in words, and the changed statement
FLIPPED: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Gt: [ast.LtE, ast.Lt, ast.GtE],
    ast.GtE: [ast.Lt, ast.LtE],
    ast.Lt: [ast.GtE, ast.Gt],
    ast.LtE: [ast.Gt, ast.GtE],
}


def setting(name: str, value: Any) -> Callable[[Any], None]:
    """A change that gives a part of the tree another attribute."""
    return lambda node: setattr(node, name, value)


LAYERED = re.compile(r"(.*?)([aAzZwWbB])_?(\d+)")
OTHER = {"a": "z", "z": "a", "A": "Z", "Z": "A"}
ACTIVATIONS = {
    "relu": "np.maximum(0, {})",
    "tanh": "np.tanh({})",
    "sigmoid": "1 / (1 + np.exp(-({})))",
}
NOT_ARRAYS = ("np", "numpy", "self", "shape")


def other_names(statement: ast.stmt, local: dict[str, Any]) -> Iterator[Edit]:
    """Another name of the text, of the same shape, in the place of one."""
    read = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)} & set(local)
    for old in sorted(read):
        for new in local:
            if new != old and np.shape(local[new]) == np.shape(local[old]):
                changed = _copied(statement)
                for node in ast.walk(changed):
                    if (
                        isinstance(node, ast.Name)
                        and node.id == old
                        and isinstance(node.ctx, ast.Load)
                    ):
                        node.id = new
                yield f"{new} for {old}", changed


def edits(statement: ast.stmt) -> Iterator[Edit]:
    """Every statement one change away, the likely ones of each part first."""
    for place, node in enumerate(ast.walk(statement)):
        if isinstance(node, ast.BinOp):
            yield from _of_operation(statement, place, node)
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in FLIPPED:
            for op in FLIPPED[type(node.ops[0])]:
                words = f"the other comparison for {ast.unparse(node)}"
                yield words, with_part(statement, place, setting("ops", [op()]))
        elif isinstance(node, ast.keyword):
            yield from _of_keyword(statement, place, node)
        elif isinstance(node, ast.Attribute) and node.attr == "T":
            words = f"{ast.unparse(node.value)} for {ast.unparse(node)}"
            yield words, with_part(statement, place, lambda n: n.value)
        elif isinstance(node, ast.Attribute) and node.attr in ("mean", "sum"):
            other = "sum" if node.attr == "mean" else "mean"
            words = f"{other} for {node.attr}"
            yield words, with_part(statement, place, setting("attr", other))
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            yield from _of_name(statement, place, node)
    yield from _of_whole(statement)


def of_forward(statement: ast.stmt, value: str, activation: str) -> Iterator[Edit]:
    """A bias put into the line of a z; the layer's activation in the line of an a."""
    right = getattr(statement, "value", None)
    if right is None:
        return
    if value[0] == "z":
        for node in ast.walk(right):
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                weight = ast.unparse(node)
                bias = re.sub(r"[Ww](?=_?\d+\W*$|' \+ str\(|_?\{)", "b", weight)
                bias = bias.replace("weights[", "biases[")
                if bias != weight:
                    new = _parsed(f"{ast.unparse(right)} + {bias}")
                    yield f"{bias} put in", with_part(statement, 0, setting("value", new))
        return
    written = ACTIVATIONS.get(activation.lower())
    if written is None:
        return
    given = [ast.unparse(right)]
    for node in ast.walk(right):
        if isinstance(node, ast.Call):
            given += [ast.unparse(arg) for arg in node.args if not isinstance(arg, ast.Constant)]
    for inside in given:
        new = _parsed(written.format(inside))
        words = f"{written.format('…')} for {ast.unparse(right)}"
        yield words, with_part(statement, 0, setting("value", new))


def other_activations(statement: ast.stmt, names: Iterable[str]) -> Iterator[Edit]:
    """Another of these activations in the place of one, wherever it stands in the line."""
    for place, node in enumerate(ast.walk(statement)):
        inside = _activated(node)
        if inside is None:
            continue
        was = ast.unparse(node)
        for name in names:
            written = ACTIVATIONS.get(name.lower(), "")
            new = written and written.format(ast.unparse(inside))
            if new and new != was:
                words = f"{written.format('…')} for {was}"
                yield words, with_part(statement, place, _put_there(_parsed(new)))


def _activated(node: ast.AST) -> ast.expr | None:
    """z of np.tanh(z), np.maximum(0, z), relu(z) and 1 / (1 + np.exp(-z))."""
    match node:
        case ast.Call(func=function, args=[z], keywords=[]):
            named = function_of(getattr(function, "id", getattr(function, "attr", "")))
            return z if named and named.kind == "activation" else None
        case ast.Call(func=ast.Attribute(attr="maximum"), args=[ast.Constant(), z]):
            return z
        case ast.Call(func=ast.Attribute(attr="maximum"), args=[z, ast.Constant()]):
            return z
        case ast.BinOp(
            left=ast.Constant(),
            op=ast.Div(),
            right=ast.BinOp(op=ast.Add(), right=ast.Call() as grown),
        ):
            inside = grown.args[0] if len(grown.args) == 1 else None
            negative = isinstance(inside, ast.UnaryOp) and isinstance(inside.op, ast.USub)
            return inside.operand if negative else None  # type: ignore[union-attr]
    return None


def _put_there(new: ast.expr) -> Callable[[Any], ast.expr]:
    """A change that puts an expression in the place of a part."""
    return lambda node: new


def _of_operation(statement: ast.stmt, place: int, node: ast.BinOp) -> Iterator[Edit]:
    left, right = ast.unparse(node.left), ast.unparse(node.right)

    def op(kind: type[ast.operator]) -> ast.stmt:
        return with_part(statement, place, setting("op", kind()))

    def swapped(n: Any) -> None:
        n.left, n.right = n.right, n.left

    match node.op:
        case ast.Mult():
            yield f"without {right}", with_part(statement, place, lambda n: n.left)
            yield f"without {left}", with_part(statement, place, lambda n: n.right)
            yield "@ for *", op(ast.MatMult)
        case ast.Div():
            yield f"without / {right}", with_part(statement, place, lambda n: n.left)
        case ast.Add():
            yield f"without {right}", with_part(statement, place, lambda n: n.left)
            yield f"without {left}", with_part(statement, place, lambda n: n.right)
            yield "- for +", op(ast.Sub)
        case ast.Sub():
            yield f"without {right}", with_part(statement, place, lambda n: n.left)
            yield "the other sign", with_part(statement, place, swapped)
            yield "+ for -", op(ast.Add)
        case ast.MatMult():
            yield "* for @", op(ast.Mult)
            yield "the factors in the other order", with_part(statement, place, swapped)
        case ast.Pow():
            yield f"without ** {right}", with_part(statement, place, lambda n: n.left)


def _of_keyword(statement: ast.stmt, place: int, node: ast.keyword) -> Iterator[Edit]:
    if node.arg == "axis" and isinstance(node.value, ast.Constant):
        other = 1 - (1 if node.value.value in (1, -1) else 0)
        constant = ast.Constant(other)
        yield f"axis={other}", with_part(statement, place, setting("value", constant))


def _of_name(statement: ast.stmt, place: int, node: Any) -> Iterator[Edit]:
    if not isinstance(node.ctx, ast.Load) or getattr(node, "attr", "") == "T":
        return
    key = node.slice.value if isinstance(getattr(node, "slice", None), ast.Constant) else ""
    word = (
        getattr(node, "id", "")
        or getattr(node, "attr", "")
        or (key if isinstance(key, str) else "")
    )
    found = LAYERED.fullmatch(word)
    if found:
        before, letter, number = found[1], found[2], int(found[3])
        others = [f"{before}{OTHER[letter]}{number}"] if letter in OTHER else []
        others += [f"{before}{letter}{number + step}" for step in (-1, 1)]
        for new in others:
            yield f"{new} for {word}", with_part(statement, place, _renaming(new))
    if word in ("x", "X"):
        new = "A1" if re.search(r"\b[AZ]\d", ast.unparse(statement)) else "a1"
        yield f"{new} for {word}", with_part(statement, place, _renaming(new))
    if isinstance(node, ast.Subscript) and isinstance(
        node.slice, ast.BinOp | ast.UnaryOp | ast.Name
    ):
        for step in (1, -1):
            key_text = _moved(node.slice, step)
            words = f"[{key_text}] for [{ast.unparse(node.slice)}]"
            yield (
                words,
                with_part(statement, place, setting("slice", _parsed(key_text))),
            )
    if (word and word not in NOT_ARRAYS) or isinstance(node, ast.Subscript):
        text = ast.unparse(node)
        yield f"{text}.T for {text}", with_part(statement, place, _turned)


def _moved(index: ast.expr, step: int) -> str:
    """t + 1 for t, and t for t − 1."""
    match index:
        case ast.BinOp(left=base, op=ast.Add(), right=ast.Constant(value=int(by))):
            by += step
        case ast.BinOp(left=base, op=ast.Sub(), right=ast.Constant(value=int(by))):
            by = step - by
        case _:
            base, by = index, step
    return ast.unparse(base) + (f" {'+' if by > 0 else '-'} {abs(by)}" if by else "")


def _of_whole(statement: ast.stmt) -> Iterator[Edit]:
    value = getattr(statement, "value", None)
    scales = isinstance(statement, ast.AugAssign) and not isinstance(
        statement.op, ast.Add | ast.Sub
    )
    if value is None or scales:
        return

    def minus(n: Any) -> None:
        negative = isinstance(n.value, ast.UnaryOp) and isinstance(n.value.op, ast.USub)
        n.value = n.value.operand if negative else ast.UnaryOp(op=ast.USub(), operand=n.value)

    yield "the other sign", with_part(statement, 0, minus)
    for words, divisor in (("divided by m", "m"), ("halved", "2")):
        text = f"({ast.unparse(value)}) / {divisor}"
        yield words, with_part(statement, 0, setting("value", _parsed(text)))
    doubled = f"2 * ({ast.unparse(value)})"
    yield "doubled", with_part(statement, 0, setting("value", _parsed(doubled)))


def replaced_value(statement: ast.stmt, text: str) -> ast.stmt:
    """The statement with another expression behind its =."""
    return with_part(statement, 0, setting("value", _parsed(text)))


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _copied(part: Any) -> Any:
    """A node with all that it is made of: as copy.deepcopy gives it, several times as fast."""
    if isinstance(part, list):
        return [_copied(each) for each in part]
    if not isinstance(part, ast.AST):
        return part
    copied = type(part)()
    copied.__dict__.update({name: _copied(each) for name, each in vars(part).items()})
    return copied


def _turned(node: Any) -> ast.expr:
    return ast.Attribute(value=_copied(node), attr="T", ctx=ast.Load())


def _renaming(new: str) -> Callable[[Any], None]:
    """A change of a name, of an attribute, or of a key."""

    def renamed(node: Any) -> None:
        if isinstance(node, ast.Name):
            node.id = new
        elif isinstance(node, ast.Attribute):
            node.attr = new
        else:
            node.slice = ast.Constant(new)

    return renamed


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().generic_visit(node)


def with_part(statement: ast.stmt, place: int, change: Callable[[Any], Any]) -> ast.stmt:
    """A copy of the statement whose part at `place` is changed, or replaced by what comes back."""
    changed = _copied(statement)
    node = list(ast.walk(changed))[place]
    new = change(node)
    if new is not None:
        changed = _Replace(node, new).visit(changed)
    for part in ast.walk(changed):  # every part keeps the line of its statement
        if "lineno" in part._attributes:
            part.lineno = part.end_lineno = statement.lineno  # type: ignore[attr-defined]
            part.col_offset = part.end_col_offset = 0  # type: ignore[attr-defined]
    return changed
