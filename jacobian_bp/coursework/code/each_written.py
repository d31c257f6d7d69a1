"""[g / m for g in (dW1, db1)] as [dW1 / m, db1 / m]: each of what a text names is written out.

So is `for g in (dW1, db1): g /= m`, and {k: params[k] - lr * grads[k] for k in params}, as a loop.
What follows then reads one statement like another.
"""

import ast
from copy import deepcopy
from typing import Any


def written_out(tree: ast.Module) -> ast.Module:
    """The text with each such list in place of what makes it.

    >>> ast.unparse(written_out(ast.parse("return_ = tuple(g / m for g in (dW1, db1))")))
    'return_ = (dW1 / m, db1 / m)'
    """
    found = _Each().visit(tree)
    assert isinstance(found, ast.Module)
    return found


class _Each(ast.NodeTransformer):
    def visit_For(self, node: ast.For) -> Any:
        """for g in (dW1, db1): g /= m, which changes each of the arrays in its place.

        So do the lines of for p, g in zip([W1, b1], [dW1, db1]): p -= lr * g.
        """
        self.generic_visit(node)
        rows = _rows(node)
        if not rows or node.orelse or not _changes_alone(node):
            return node
        return [
            _stored(_put_all(row, deepcopy(statement))) for row in rows for statement in node.body
        ]

    def visit_Assign(self, node: ast.Assign) -> Any:
        """params = {k: … for k in params}: an entry in each round."""
        self.generic_visit(node)
        whole, made = node.targets[0], node.value
        if not isinstance(made, ast.DictComp) or not isinstance(whole, ast.Name | ast.Attribute):
            return node
        return _filled_in_rounds(whole, made) or node

    def visit_Return(self, node: ast.Return) -> Any:
        """return {k: params[k] - lr * grads[k] for k in params}: params, an entry in each round."""
        self.generic_visit(node)
        made = node.value
        if not isinstance(made, ast.DictComp) or not isinstance(made.value, ast.BinOp):
            return node
        entry = made.value.left
        if not isinstance(entry, ast.Subscript) or not _are_places([entry.value]):
            return node
        rounds = _filled_in_rounds(entry.value, made)
        if rounds is None or ast.unparse(made.key) != ast.unparse(entry.slice):
            return node
        return [rounds, ast.copy_location(ast.Return(value=entry.value), node)]

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return _each(node) or node

    def visit_Call(self, node: ast.Call) -> Any:
        """tuple(…) and list(…) of what is written out."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(id="tuple" | "list" as kind), args=[inner], keywords=[]):
                found = _each(inner) if isinstance(inner, ast.GeneratorExp) else inner
                if isinstance(found, ast.List | ast.Tuple):
                    made = ast.Tuple if kind == "tuple" else ast.List
                    return ast.copy_location(made(elts=found.elts, ctx=ast.Load()), node)
        return node


class _Put(ast.NodeTransformer):
    def __init__(self, name: str, value: ast.expr) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id != self.name:
            return node
        return ast.copy_location(deepcopy(self.value), node)


def _each(node: ast.ListComp | ast.GeneratorExp) -> ast.List | None:
    """The elements, where they go over names that stand there one by one."""
    match node.generators:
        case [
            ast.comprehension(
                target=ast.Name(id=name), iter=ast.Tuple(elts) | ast.List(elts), ifs=[]
            )
        ] if _are_places(elts):
            made = [_Put(name, part).visit(deepcopy(node.elt)) for part in elts]
            return ast.copy_location(ast.List(elts=made, ctx=ast.Load()), node)
    return None


def _rows(node: ast.For) -> list[dict[str, ast.expr]]:
    """What the names of a loop stand for in each round, where it goes over what stands there."""
    names = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
    match node.iter:
        case ast.Call(func=ast.Name(id="zip"), args=lists) if isinstance(node.target, ast.Tuple):
            columns = lists
        case _:
            columns = [node.iter]
    if len(columns) != len(names) or not all(isinstance(name, ast.Name) for name in names):
        return []
    if not all(isinstance(c, ast.Tuple | ast.List) and _are_places(c.elts) for c in columns):
        return []
    parts = zip(*(c.elts for c in columns if isinstance(c, ast.Tuple | ast.List)), strict=False)
    words = [name.id for name in names if isinstance(name, ast.Name)]
    return [dict(zip(words, row, strict=True)) for row in parts]


def _changes_alone(node: ast.For) -> bool:
    """Whether each line changes one of the arrays that the loop goes over, in its place."""
    names = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    return all(isinstance(s, ast.AugAssign) and ast.unparse(s.target) in names for s in node.body)


def _put_all(row: dict[str, ast.expr], statement: Any) -> Any:
    for name, value in row.items():
        statement = _Put(name, value).visit(statement)
    return statement


def _filled_in_rounds(whole: ast.expr, made: ast.DictComp) -> ast.For | None:
    """for k in params: whole[k] = …, as {k: … for k in params} makes it."""
    match made:
        case ast.DictComp(
            key=key, value=value, generators=[ast.comprehension(target=target, iter=items, ifs=[])]
        ):
            entry = ast.Subscript(value=whole, slice=key, ctx=ast.Store())
            store = ast.Assign(targets=[entry], value=value)
            found = ast.For(target=target, iter=items, body=[store], orelse=[])
            for part in (entry, store, found):
                ast.copy_location(part, made)
            return found
    return None


def _are_places(parts: list[ast.expr]) -> bool:
    return all(isinstance(part, ast.Name | ast.Attribute | ast.Subscript) for part in parts)


def _stored(statement: ast.AugAssign) -> ast.AugAssign:
    """The statement with its target as one that is stored to."""
    assert isinstance(statement.target, ast.Name | ast.Attribute | ast.Subscript)
    statement.target.ctx = ast.Store()
    return statement
