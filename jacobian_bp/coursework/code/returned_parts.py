"""return d3.T @ a2, d2.T @ a1: each value that is computed in a return as a statement of its own.

What follows then judges, and mends, one of them like the value of any other line.
"""

import ast
import copy
import re
from collections.abc import Iterable, Iterator

BUNDLES = re.compile(r"dict|tuple|list|OrderedDict|SimpleNamespace|[A-Z]\w*")
FORWARD = re.compile(r"forward|feed", re.IGNORECASE)
PLACES = ast.Name | ast.Attribute | ast.Subscript


class ReturnedPart(ast.Expr):
    """One of the values of a return: under which key, or as which of them; of which function."""

    path = ""
    key: str | None = None
    is_first = False  # whether it is the whole of what is returned, or stands first there
    function = ""


def with_returned_parts(body: Iterable[ast.stmt], function: str) -> tuple[ast.stmt, ...]:
    """Statements, with the parts of each return that are computed there in front of it.

    >>> body = ast.parse("def f(): return {'dW2': d.T @ a}, loss").body[0].body
    >>> [(part.path, ast.unparse(part)) for part in with_returned_parts(body, "f")[:-1]]
    [("f()[0]['dW2']", 'd.T @ a')]
    """
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.Return) and statement.value is not None:
            found += _parts(statement.value, function)
        elif any(isinstance(node, ast.Return) for node in ast.walk(statement)):
            statement = _with_parts_inside(statement, function)
        found.append(statement)
    return tuple(found)


def _with_parts_inside(statement: ast.stmt, function: str) -> ast.stmt:
    """if …: return …, where it stands inside of another statement of the function."""
    if isinstance(statement, ast.If | ast.For | ast.With):
        statement = copy.copy(statement)
        statement.body = list(with_returned_parts(statement.body, function))
        if isinstance(statement, ast.If | ast.For):
            statement.orelse = list(with_returned_parts(statement.orelse, function))
    return statement


def _parts(value: ast.expr, function: str) -> Iterator[ReturnedPart]:
    for node, path, key, is_first in values_of(value, f"{function}()"):
        says_more = key is not None and isinstance(node, PLACES)  # {"dW1": dW2}
        is_output = is_first and isinstance(node, PLACES) and FORWARD.search(function)
        if says_more or is_output or not isinstance(node, PLACES | ast.Constant):
            part = ast.copy_location(ReturnedPart(value=node), node)
            part.path, part.key, part.is_first, part.function = path, key, is_first, function
            yield part


def values_of(
    value: ast.expr, path: str, key: str | None = None, is_first: bool = True
) -> Iterator[tuple[ast.expr, str, str | None, bool]]:
    """The values that are returned together, each with its place among them and its key."""
    inside: list[tuple[ast.expr, str, str | None]]
    match value:
        case ast.Tuple(elts) | ast.List(elts):
            inside = [(node, f"{path}[{n}]", None) for n, node in enumerate(elts)]
        case ast.Dict(keys, values):
            inside = [(node, *_keyed(path, key)) for key, node in zip(keys, values, strict=True)]
        case ast.Call(func=ast.Name(id=name), args=given, keywords=named) if BUNDLES.fullmatch(
            name
        ) and (named or _are_bundled(name, given)):
            inside = [(node, f"{path}[{n}]", None) for n, node in enumerate(given)]
            inside += [(k.value, *_keyed(path, ast.Constant(k.arg))) for k in named]
        case _:
            yield value, path, key, is_first
            return
    for number, (node, where, own_key) in enumerate(inside):
        yield from values_of(node, where, own_key, is_first and number == 0)


def _keyed(path: str, key: ast.expr | None) -> tuple[str, str | None]:
    """{"dW1": …} has a key that is a name; {1: …} and {**others} have none."""
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return f"{path}[{key.value!r}]", key.value
    return f"{path}[{ast.unparse(key)}]" if key else path, None


def _are_bundled(name: str, given: list[ast.expr]) -> bool:
    """Gradients(dW1, dW2), a named tuple; dict(…) and tuple(…) of one argument are calls."""
    return name[0].isupper() and bool(given)
