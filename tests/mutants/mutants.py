"""Mutants: the code with one thing changed, found on its syntax tree.

A comparison turned, + for −, a constant moved by one, a condition negated, an argument left
out, one side of an operator, the other branch, a statement dropped. The change is cut into the
text, so that everything else stays as it stands.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TURNED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt} | {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
EXCHANGED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
DROPPED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break)
ATOMS = (ast.Constant, ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.stmt)
HIDDEN = (ast.JoinedStr, ast.Import, ast.ImportFrom)  # where nothing is mutated


@dataclass(frozen=True)
class Mutant:
    """One change: `before` and `after` are its lines, `within` the function or class."""

    path: str
    within: str
    line: int
    kind: str
    before: str
    after: str
    cut: tuple[int, int]  # the bytes that `put` replaces
    put: bytes

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a record in `equivalent.toml` says; lines may move."""
        return self.path, self.within, self.before, self.after

    def code(self, root: Path = ROOT) -> bytes:
        """The file with the change."""
        text, (begin, end) = (root / self.path).read_bytes(), self.cut
        return text[:begin] + self.put + text[end:]

    def differs(self, root: Path = ROOT) -> bool:
        """Whether it is Python still, and not the same Python in other words."""
        try:
            changed = ast.parse(self.code(root))
        except SyntaxError:
            return False
        return ast.dump(changed) != ast.dump(ast.parse((root / self.path).read_bytes()))


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may stand in the place of a node, with the kind of the mistake."""
    match node:
        case ast.Compare(left, [first, *more], values):
            if turned := TURNED.get(type(first)):
                yield "comparison", ast.Compare(left, [turned(), *more], values)
        case ast.BoolOp(op, values):
            yield "and/or", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for left_out in range(len(values)):
                kept = values[:left_out] + values[left_out + 1 :]
                yield "one side", kept[0] if len(kept) == 1 else ast.BoolOp(op, kept)
        case ast.BinOp(left, op, right):
            if exchanged := EXCHANGED.get(type(op)):
                yield "arithmetic", ast.BinOp(left, exchanged(), right)
            yield "one side", left
            yield "one side", right
        case ast.Constant(bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(int(value)):
            yield "constant", ast.Constant(value + 1)
            yield "constant", ast.Constant(value - 1)
        case ast.Constant(float(value)):
            yield "constant", ast.Constant(2 * value)
        case ast.UnaryOp(ast.USub() | ast.Not() as op, value):
            yield "arithmetic" if isinstance(op, ast.USub) else "condition", value
        case ast.Call(func, values, keywords):
            if values:
                yield "argument", ast.Call(func, values[:-1], keywords)
            for left_out in [k for k in keywords if k.arg != "strict"]:
                yield "argument", ast.Call(func, values, [k for k in keywords if k != left_out])
        case ast.IfExp(_, body, orelse):
            yield "branch", body
            yield "branch", orelse
    if isinstance(node, ast.AugAssign):
        yield "one side", ast.Assign([node.target], node.value, lineno=0)
    # None in the place of "" or False is found by the type checker
    if isinstance(node, ast.Return) and getattr(node.value, "value", True):
        yield "statement", ast.Return(None)
    if isinstance(node, DROPPED) and not isinstance(getattr(node, "value", 0), ast.Constant):
        yield "statement", ast.Pass()


def nodes(tree: ast.AST, within: str = "") -> Iterator[tuple[ast.AST, str, bool]]:
    """Each node that is run, the function it stands in, and whether it is a condition."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, HIDDEN):
                continue
            if isinstance(child, ast.keyword) and child.arg == "strict":
                continue  # zip's guard against what is never there
            yield child, within, field in ("test", "ifs")
            named = isinstance(child, ast.FunctionDef | ast.ClassDef)
            inner = f"{within}.{child.name}".lstrip(".") if named else within
            yield from nodes(child, inner)


def mutants(path: str, root: Path = ROOT) -> list[Mutant]:
    """All mutants of one file, in the order of its lines."""
    text = (root / path).read_bytes()
    starts = [0, *accumulate(map(len, text.splitlines(keepends=True)))]
    found: dict[tuple[str, ...], Mutant] = {}
    for node, within, condition in nodes(ast.parse(text)):
        made = list(changes(node))
        if condition and not isinstance(getattr(node, "op", None), ast.Not):
            made.append(("condition", ast.UnaryOp(ast.Not(), node)))
        for kind, new in made:
            written = ast.unparse(ast.fix_missing_locations(new))
            put = (written if isinstance(new, ATOMS) else f"({written})").encode()
            first, last = starts[node.lineno - 1], starts[node.end_lineno]
            begin, end = first + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
            sides = text[first:last], text[first:begin] + put + text[end:last]
            before, after = (" ".join(side.decode().split()) for side in sides)
            mutant = Mutant(path, within, node.lineno, kind, before, after, (begin, end), put)
            found.setdefault(mutant.key, mutant)
    return list(found.values())
