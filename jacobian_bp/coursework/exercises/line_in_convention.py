"""A line of numpy in the package's own convention, as a student of another convention writes it.

    z1 = x @ W1.T + b1        examples in columns           Z1 = W1 @ X + b1[:, None]
    dW2 = delta2.T @ a1       1/m in the gradients, too     dW2 = dZ2 @ A1.T / m

Each name knows how the student keeps it: under which name, with its axes exchanged or not, and
how often ours. Transpositions are moved inwards, to where they meet that of a name, by

    (A B)ᵀ = Bᵀ Aᵀ,  (A ⊙ B)ᵀ = Aᵀ ⊙ Bᵀ,  a vector beside a transposed matrix is a column

and powers of m outwards, where they cancel. What has no rule is written of our own arrays,
each put back: that is right, if longer.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .trusted_code import value_of

SUMS = ("sum", "mean", "max", "min")
ENTRYWISE = {
    "abs",
    "exp",
    "log",
    "sqrt",
    "tanh",
    "maximum",
    "minimum",
    "logaddexp",
    "clip",
    "where",
}
NEW_AXIS = "[:, None]"


@dataclass(frozen=True)
class Kept:
    """How the student keeps one of our arrays: the expression, its axes, and how often ours.

    `turned` says that its two axes are ours exchanged, `power` that it is m**power times ours.
    """

    text: str
    turned: bool = False
    power: int = 0


@dataclass(frozen=True)
class Written:
    """An expression of the student's whose value is m**power times ours."""

    node: ast.expr
    power: int = 0

    @property
    def cost(self) -> int:
        """How much there is to read: few transpositions first, and those of names."""
        text = ast.unparse(self.node)
        transposed = 2 * (text.count(".T") + text.count(NEW_AXIS)) + text.count(").T")
        return 1000 * transposed + len(text)


class LineInConvention:
    """Lines of ours for one student, by what our names hold and how the student keeps them."""

    def __init__(self, names: Mapping[str, Any], kept: Mapping[str, Kept], count: str) -> None:
        self.names, self.kept = names, kept
        self.count = count  # what m is in our names: m, or len(x)
        self.scaled = any(each.power for each in kept.values())
        self._done: dict[tuple[str, bool], Written] = {}
        self._ranks: dict[str, int] = {}

    def line(self, ours: str, want: Kept | None = None) -> str:
        """An expression in the student's names; its value is as `want` is kept, else ours.

        What has other axes than a matrix has none to be exchanged.
        """
        node = ast.parse(ours, mode="eval").body
        turned = bool(want and want.turned and self._rank(node) == 2)
        found = self._in(node, turned)
        return _text(self._times_m(found, want.power if want else 0))

    def either(self, ours: str, want: Kept) -> str:
        """As `line`, a matrix in the order of axes that is the shorter to write."""
        node = ast.parse(ours, mode="eval").body
        both = [self._times_m(self._in(node, turned), want.power) for turned in (False, True)]
        return _text(min(both, key=lambda node: Written(node).cost))

    def lines(self, ours: str) -> str:
        """The lines of a forward pass, each name as the student keeps it."""
        return "\n".join(self._statement(line) for line in ast.parse(ours.strip("\n")).body)

    def ours(self, node: ast.expr) -> ast.expr:
        """An expression of the student's names that has our value."""
        return self._times_m(self._in(node, False))

    def has_value(self, node: ast.expr) -> bool:
        """Whether a part of a line is of our arrays, and has a value by itself."""
        read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return bool(read & self.kept.keys()) and self._rank(node) >= 0

    # ---------------------------------------------------------------- one statement

    def _statement(self, line: ast.stmt) -> str:
        if isinstance(line, ast.Assign) and len(line.targets) == 1:
            target, value = line.targets[0], line.value
            if isinstance(target, ast.Name):
                want = self.kept.get(target.id, Kept(target.id))
                return f"{want.text} = {self.line(ast.unparse(value), want)}"
            if isinstance(target, ast.Tuple) and _is_shape(value):
                return self._sizes(target, value)
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                both = (_text(_OfOurs(self).generic_visit(each))[1:-1] for each in (target, value))
                return " = ".join(both)
        return _text(_OfOurs(self).visit(line))

    def _sizes(self, target: ast.Tuple, value: ast.expr) -> str:
        """m, I = x.shape: the sizes in the order of the student's axes."""
        assert isinstance(value, ast.Attribute)
        plain, other = (self._in(value.value, turned) for turned in (False, True))
        turned = self._rank(value.value) == 2 and other.cost < plain.cost
        sizes = [ast.unparse(self._in(each, False).node) for each in target.elts]
        text = ast.unparse((other if turned else plain).node)
        return f"{', '.join(sizes[::-1] if turned else sizes)} = {text}.shape"

    # ---------------------------------------------------------------- one expression

    def _rank(self, node: ast.expr) -> int:
        text = ast.unparse(node)
        if text not in self._ranks:
            try:
                self._ranks[text] = int(np.ndim(value_of(text, self.names)))
            except Exception:  # no value by itself, such as a slice
                self._ranks[text] = -1
        return self._ranks[text]

    def _in(self, node: ast.expr, turned: bool) -> Written:
        """The shorter one of the expression itself, and of its transpose transposed."""
        key = ast.unparse(node), turned
        if key not in self._done:
            found = self._by_rule(node, turned)
            if self._rank(node) == 2:
                other = self._by_rule(node, not turned)
                back = Written(_transposed(other.node), other.power)
                found = min(found, back, key=lambda each: each.cost)
            self._done[key] = found
        return self._done[key]

    def _by_rule(self, node: ast.expr, turned: bool) -> Written:
        match node:
            case ast.Name():
                kept = self.kept.get(node.id, Kept(node.id))
                own = ast.parse(kept.text, mode="eval").body
                exchanged = self._rank(node) == 2 and kept.turned != turned
                return Written(_transposed(own) if exchanged else own, kept.power)
            case ast.Attribute(attr="T") if self._rank(node) == 2:
                return self._in(node.value, not turned)
            case ast.UnaryOp():
                found = self._in(node.operand, turned)
                return Written(ast.UnaryOp(node.op, found.node), found.power)
            case ast.BinOp(op=ast.MatMult()):
                return self._product(node, turned)
            case ast.BinOp():
                return self._entrywise(node, turned)
            case ast.Compare() if len(node.ops) == 1:
                left, right = self._beside([node.left, node.comparators[0]], turned)
                parts = self._times_m(left), self._times_m(right)
                return Written(ast.Compare(parts[0], node.ops, [parts[1]]))
            case ast.Call(func=ast.Name(id="len"), args=[of]):
                return self._length(of)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name)):
                return self._of_numpy(node, name, turned)
            case ast.Call(func=ast.Attribute(attr=name)) if name in SUMS and not node.args:
                return self._summed(node, turned)
        return self._put_back(node, turned)

    def _product(self, node: ast.BinOp, turned: bool) -> Written:
        if turned and self._rank(node) == 2:
            first, second = self._in(node.right, True), self._in(node.left, True)
        else:
            first, second = self._in(node.left, False), self._in(node.right, False)
        return Written(
            ast.BinOp(first.node, ast.MatMult(), second.node), first.power + second.power
        )

    def _entrywise(self, node: ast.BinOp, turned: bool) -> Written:
        if self.scaled and isinstance(node.op, ast.Mult | ast.Div):
            if self._is_m(node.right):
                found = self._in(node.left, turned)
                step = 1 if isinstance(node.op, ast.Div) else -1
                return Written(found.node, found.power + step)
            if self._is_m(node.left) and isinstance(node.op, ast.Mult):
                found = self._in(node.right, turned)
                return Written(found.node, found.power - 1)
        left, right = self._beside([node.left, node.right], turned)
        match node.op:
            case ast.Mult():
                return Written(ast.BinOp(left.node, node.op, right.node), left.power + right.power)
            case ast.Div():
                return Written(ast.BinOp(left.node, node.op, right.node), left.power - right.power)
            case ast.Add() | ast.Sub():
                power = max(left.power, right.power)
                parts = self._times_m(left, power), self._times_m(right, power)
                return Written(ast.BinOp(parts[0], node.op, parts[1]), power)
        return Written(ast.BinOp(self._times_m(left), node.op, self._times_m(right)))

    def _beside(self, nodes: list[ast.expr], turned: bool) -> list[Written]:
        """Operands of which numpy makes one shape; a vector beside a turned matrix is a column."""
        ranks = [self._rank(node) for node in nodes]
        found = [self._in(node, turned) for node in nodes]
        if not turned or max(ranks) != 2:
            return found
        return [
            Written(_column(each.node), each.power) if rank == 1 else each
            for each, rank in zip(found, ranks, strict=True)
        ]

    def _length(self, of: ast.expr) -> Written:
        """len(x): by the axis on which the student has it."""
        plain = self._in(of, False)
        if isinstance(plain.node, ast.Attribute) and plain.node.attr == "T":
            return Written(_parsed(f"{ast.unparse(plain.node.value)}.shape[1]"))
        return Written(ast.Call(ast.Name("len"), [plain.node], []))

    def _of_numpy(self, node: ast.Call, name: str, turned: bool) -> Written:
        if name == "outer" and len(node.args) == 2:
            first, second = (self._in(each, False) for each in node.args)
            if turned:
                first, second = second, first
            call = ast.Call(node.func, [first.node, second.node], [])
            return Written(call, first.power + second.power)
        if name in ENTRYWISE and not node.keywords:
            found = self._beside(node.args, turned)
            return Written(ast.Call(node.func, [self._times_m(each) for each in found], []))
        if name in ("sum", "mean") and len(node.args) == 1:
            return self._summed(node, turned)
        if name == "einsum" and isinstance(node.args[0], ast.Constant):
            return self._einsum(node, str(node.args[0].value), turned)
        return self._put_back(node, turned)

    def _summed(self, node: ast.Call, turned: bool) -> Written:
        """A sum over one axis or over all, of the matrix in the shorter order of its axes."""
        assert isinstance(node.func, ast.Attribute)
        is_method = not node.args
        of = node.func.value if is_method else node.args[0]
        axis = next((word.value for word in node.keywords if word.arg == "axis"), None)
        known = axis is None or (isinstance(axis, ast.Constant) and axis.value in (0, 1))
        linear = node.func.attr in ("sum", "mean")
        rest = len(node.keywords) > (axis is not None)
        both = self._rank(of) == 2 == self._rank(node)
        if both and isinstance(axis, ast.Constant) and isinstance(axis.value, int) and known:
            return self._summed_and_kept(node, of, axis.value, turned)
        if self._rank(of) != 2 or self._rank(node) == 2 or not known or rest:
            return self._put_back(node, turned)
        plain, other = self._in(of, False), self._in(of, True)
        found = other if other.cost < plain.cost else plain
        words = []
        if isinstance(axis, ast.Constant) and isinstance(axis.value, int):
            place = 1 - axis.value if found is other else axis.value
            words = [ast.keyword("axis", ast.Constant(place))]
        inner = found.node if linear else self._times_m(found)
        func = ast.Attribute(inner if is_method else node.func.value, node.func.attr)
        call = ast.Call(func, [] if is_method else [inner], words)
        return Written(call, found.power if linear else 0)

    def _summed_and_kept(self, node: ast.Call, of: ast.expr, axis: int, turned: bool) -> Written:
        """A sum whose axis is kept, with one entry: x.sum(axis=1, keepdims=True)."""
        assert isinstance(node.func, ast.Attribute)
        found = self._in(of, turned)
        linear = node.func.attr in ("sum", "mean")
        inner = found.node if linear else self._times_m(found)
        words = [
            ast.keyword(word.arg, ast.Constant(1 - axis if turned else axis))
            if word.arg == "axis"
            else word
            for word in node.keywords
        ]
        func = ast.Attribute(inner if not node.args else node.func.value, node.func.attr)
        call = ast.Call(func, [inner] if node.args else [], words)
        return Written(call, found.power if linear else 0)

    def _einsum(self, node: ast.Call, text: str, turned: bool) -> Written:
        """Of each operand the letters in the order of the student's axes."""
        inputs, arrow, output = text.replace(" ", "").partition("->")
        words, power, operands = [], 0, []
        if not arrow or node.keywords or len(inputs.split(",")) != len(node.args) - 1:
            return self._put_back(node, turned)
        for letters, each in zip(inputs.split(","), node.args[1:], strict=True):
            plain = found = self._in(each, False)
            if self._rank(each) == 2:
                other = self._in(each, True)
                found = other if other.cost < plain.cost else plain
            words.append(letters if found is plain else letters[::-1])
            operands.append(found.node)
            power += found.power
        output = output[::-1] if turned and len(output) == 2 else output
        equation = ast.Constant(f"{','.join(words)}->{output}")
        return Written(ast.Call(node.func, [equation, *operands], []), power)

    def _put_back(self, node: ast.expr, turned: bool) -> Written:
        """The expression of our own arrays, each made of the student's."""
        plain = _OfOurs(self).generic_visit(_parsed(ast.unparse(node)))
        assert isinstance(plain, ast.expr)
        return Written(_transposed(plain) if turned and self._rank(node) == 2 else plain)

    # ---------------------------------------------------------------- powers of m

    def _is_m(self, node: ast.expr) -> bool:
        return ast.unparse(node) == self.count

    def _times_m(self, found: Written, power: int = 0) -> ast.expr:
        """The expression as m**power times ours."""
        node, left = found.node, power - found.power
        m: ast.expr = self._in(_parsed(self.count), False).node if left else ast.Constant(1)
        if abs(left) > 1:
            m = ast.BinOp(m, ast.Pow(), ast.Constant(abs(left)))
        if left < 0:
            return ast.BinOp(node, ast.Div(), m)
        return ast.BinOp(m, ast.Mult(), node) if left > 0 else node


class _OfOurs(ast.NodeTransformer):
    """What is read replaced by our own arrays, each made of the student's."""

    def __init__(self, lines: LineInConvention) -> None:
        self.lines = lines

    def visit(self, node: ast.AST) -> Any:
        is_read = not isinstance(getattr(node, "ctx", None), ast.Store)
        if isinstance(node, ast.Name) and not is_read:
            return ast.Name(self.lines.kept.get(node.id, Kept(node.id)).text, node.ctx)
        if isinstance(node, ast.expr) and is_read and self.lines.has_value(node):
            return self.lines.ours(node)
        return self.generic_visit(node)


def _text(node: ast.AST) -> str:
    """The line, a power without blanks: a**2."""
    return ast.unparse(node).replace(" ** ", "**")


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _is_shape(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def _transposed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T")


def _column(node: ast.expr) -> ast.expr:
    return _parsed(f"({ast.unparse(node)}){NEW_AXIS}")
