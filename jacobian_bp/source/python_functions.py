"""Python's own functions of several values: len, zip, enumerate, sum, …"""

import ast
from collections.abc import Callable
from typing import Any

from .expressions import made, slot
from .known_or_code import (
    Code,
    Deferred,
    Known,
    NotPlainError,
    Parts,
    example_of,
    is_known,
    iterated,
)

OF_SEVERAL = (zip, enumerate, map, sum, len, reversed, dict, tuple, list, iter, next)


def joined(operator: ast.operator, left: Any, right: Any) -> Any:
    """left + right: of several values the one behind the other, of dicts the one over it."""
    several = Parts in (type(left), type(right)) and not (is_known(left) and is_known(right))
    if several and isinstance(operator, ast.Add):
        return Parts((*iterated(left), *iterated(right)))
    if several and isinstance(operator, ast.BitOr):
        both = (side.items if isinstance(side, Parts) else side.value for side in (left, right))
        first, second = ({key: _held(v) for key, v in items.items()} for items in both)
        return Parts(first | second)
    return made(ast.BinOp(slot(0), operator, slot(1)), [left, right])


def of_several(
    function: Any, args: list[Any], keywords: dict[str, Any], call: Callable[..., Any]
) -> Any:
    """What Python's own functions make of several values; NotImplemented: as any other."""
    if function is len:
        first = args[0]
        return Known(len(first.items if isinstance(first, Parts) else example_of(first)))
    plain = all(isinstance(a, Known) for a in args)
    if plain and function is not map:
        return NotImplemented
    if function is zip:
        return Parts([Parts(tuple(items)) for items in zip(*map(iterated, args), strict=False)])
    if function is enumerate:
        return Parts([Parts((Known(p), item)) for p, item in enumerate(iterated(args[0]))])
    if function is reversed:
        return Parts(list(iterated(args[0]))[::-1])
    if function in (tuple, list):
        return Parts(function(iterated(args[0]) if args else ()))
    if function is iter:
        return Parts(list(iterated(args[0])))
    if function is next and isinstance(args[0], Parts):
        return args[0].items.pop(0)
    if function is map:
        own = args[0]
        rounds = zip(*map(iterated, args[1:]), strict=False)
        return Parts([call(own, list(items), {}) for items in rounds])
    if function is sum:
        found = keywords.get("start", args[1] if len(args) > 1 else Known(0))
        for item in iterated(args[0]):
            found = joined(ast.Add(), found, item)
        return found
    if function is dict:
        pairs = [tuple(iterated(pair)) for pair in iterated(args[0])] if args else []
        return Parts({example_of(key): value for key, value in pairs} | keywords)
    raise NotPlainError(function.__name__)


def method_of_parts(base: Parts, name: str, args: list[Any]) -> Any:
    """items(), append() and the like of a dict or a list of values."""
    items = base.items
    if isinstance(items, dict) and not args and name in ("items", "values", "keys"):
        if name == "items":
            return Parts([Parts((Known(key), value)) for key, value in items.items()])
        return Parts(list(items.values()) if name == "values" else list(map(Known, items)))
    if isinstance(items, list) and name == "append":
        items.append(args[0])
        return Known(None)
    if isinstance(items, list) and name == "insert":
        items.insert(example_of(args[0]), args[1])
        return Known(None)
    if isinstance(items, dict) and name == "get":
        return items.get(example_of(args[0]), args[1] if len(args) > 1 else Known(None))
    raise NotPlainError(f".{name} of several")


def _held(item: Any) -> Any:
    return item if isinstance(item, Code | Known | Parts | Deferred) else Known(item)
