"""Statements as a person would leave them: a value read once stands where it is read.

    inside = x / 9.0                    q = np.arccos(x / 9.0)
    q = np.arccos(inside)

    found = np.einsum('k,ki->i', z, W)  dx = np.einsum('k,ki->i', z, W)
    dx = found

What an op itself gives a name keeps it, as long as no other has that name; arguments of functions
and copies are folded.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

Line = tuple[ast.stmt, str]  # a statement, and the remark behind it
WIDEST = 88  # signs of a line that a value is put into


def folded(lines: Sequence[Line], passing: Collection[str], read: Counter[str]) -> list[Line]:
    """The lines without copies, and without `passing` names that are read once.

    `read` counts how often each name is read, in other parts of the text too.
    """
    return _put_in(_without_copies(list(lines), read), passing, read)


def reads_of(statements: Iterable[ast.stmt]) -> Counter[str]:
    """How often each name is read or changed in its place."""
    return Counter(
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
        and (isinstance(node.ctx, ast.Load) or isinstance(statement, ast.AugAssign))
    )


def _without_copies(lines: list[Line], read: Counter[str]) -> list[Line]:
    place = 0
    while place < len(lines):
        names = _copied(lines[place][0])
        begin = _first(lines, names[1]) if names else None
        if names and begin is not None and begin < place:
            new, old = names
            inside, after = lines[begin:place], lines[place + 1 :]
            own = reads_of(s for s, _ in lines)[old]
            if own == read[old] and not (_has(inside, new) or _has(after, old)):
                renamed = [(_Renamed({old: new}).visit(s), remark) for s, remark in inside]
                lines[begin : place + 1] = renamed
                place -= 1
        place += 1
    return lines


def _put_in(lines: list[Line], passing: Collection[str], read: Counter[str]) -> list[Line]:
    place = 0
    while place < len(lines):
        statement = lines[place][0]
        name = _assigned(statement)
        user = next((n for n in range(place + 1, len(lines)) if _has([lines[n]], name)), None)
        if name in passing and read[name] == 1 and user is not None:
            assert isinstance(statement, ast.Assign)
            between, (whole, remark) = lines[place + 1 : user], lines[user]
            kept = reads_of([statement])
            if not any(kept.keys() & _changed(s) for s, _ in between):
                put = _Put(name, statement.value).visit(_copy(whole))
                if len(ast.unparse(ast.fix_missing_locations(put))) <= WIDEST:
                    lines[user] = put, remark
                    del lines[place]
                    continue
        place += 1
    return lines


def _assigned(statement: ast.stmt) -> str:
    """The one name that a statement gives a value to."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return ""


def _copied(statement: ast.stmt) -> tuple[str, str] | None:
    """new, old where the statement is new = old."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name):
        name = _assigned(statement)
        return (name, statement.value.id) if name else None
    return None


def _first(lines: Sequence[Line], name: str) -> int | None:
    """Where a name gets its value, where it gets one only."""
    found = [n for n, (s, _) in enumerate(lines) if name in _changed(s)]
    plain = found and _assigned(lines[found[0]][0]) == name
    once = sum(_assigned(s) == name for s, _ in lines) == 1
    return found[0] if plain and once else None


def _changed(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value to, or changes in their place."""
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _has(lines: Sequence[Line], name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name for s, _ in lines for node in ast.walk(s)
    )


def _copy(statement: ast.stmt) -> ast.stmt:
    return ast.parse(ast.unparse(ast.fix_missing_locations(statement))).body[0]


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


class _Put(ast.NodeTransformer):
    """An expression in place of a name."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == self.name else node
