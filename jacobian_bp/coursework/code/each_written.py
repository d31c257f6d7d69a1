"""[g / m for g in (dW1, db1)] as [dW1 / m, db1 / m]: each of what a text names is written out.

So is `for g in (dW1, db1): g /= m`. What follows then reads one statement like another.
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
        """for g in (dW1, db1): g /= m, which changes each of the arrays in its place."""
        self.generic_visit(node)
        match node:
            case ast.For(target=ast.Name(id=name), iter=ast.Tuple(elts) | ast.List(elts)) if (
                _are_places(elts)
                and not node.orelse
                and all(
                    isinstance(s, ast.AugAssign) and ast.unparse(s.target) == name
                    for s in node.body
                )
            ):
                return [
                    _stored(_Put(name, part).visit(deepcopy(statement)))
                    for part in elts
                    for statement in node.body
                ]
        return node

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


def _are_places(parts: list[ast.expr]) -> bool:
    return all(isinstance(part, ast.Name | ast.Attribute | ast.Subscript) for part in parts)


def _stored(statement: ast.AugAssign) -> ast.AugAssign:
    """The statement with its target as one that is stored to."""
    assert isinstance(statement.target, ast.Name | ast.Attribute | ast.Subscript)
    statement.target.ctx = ast.Store()
    return statement
