"""Arguments that a call hands over in another order than the function takes them.

backward(X, Y, W2, b2, W1, b1)  calls  def backward(X, Y, W1, b1, W2, b2)
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity, value_of
from .blame import Found
from .classes import called
from .edits import setting, with_part
from .quantities import Quantities
from .store import Store
from .trials import Trials

TAKEN = "in the order in which it takes them"


def in_another_order(found: Found, store: Store, trials: Trials) -> int | None:
    """The line of the call that is to blame for a store inside of it; `found` says the right one.

    It is to blame where the names of the function say what each argument is, and the call hands
    over the same arrays under one another's names.
    """
    if not store.calls:
        return None
    for function in trials.helpers.values():
        if all(part is not store.statement for part in ast.walk(function)):
            continue
        names = [argument.arg for argument in function.args.args if argument.arg != "self"]
        order = _meant(names, store.visible, trials.quantities)
        for statement, place, call in _calls(function.name, store.calls[-1], trials):
            if order is None or call.keywords or len(call.args) != len(names):
                continue
            right = [call.args[number] for number in order]
            instead = with_part(statement, place, setting("args", right))
            trials.swapped[id(statement)] = instead
            found.why, found.detail = "order", function.name
            found.instead, found.change = instead, TAKEN
            return call.lineno
    return None


def _meant(names: list[str], held: Mapping[str, Any], quantities: Quantities) -> list[int] | None:
    """For each name of a function which of the arguments it should be; None where all are right."""
    said = {name: q for name in names if (q := _said(name, quantities))}
    given = {name: q for name in said if (q := _held(held.get(name), quantities))}
    if len(given) < len(said) or set(said.values()) != set(given.values()) or said == given:
        return None
    under = {quantity: name for name, quantity in given.items()}
    if len(under) != len(given):
        return None
    return [names.index(under[said[name]] if name in said else name) for name in names]


def _said(name: str, quantities: Quantities) -> Quantity | None:
    value = value_of(name, quantities.naming, quantities.layers)
    quantity = Quantity("value", value) if value else None
    return quantity if quantity in quantities.known else None


def _held(value: Any, quantities: Quantities) -> Quantity | None:
    """The value of the network that an argument is."""
    if not isinstance(value, np.ndarray):
        return None
    return next((q for q in quantities.named(value) if q.kind == "value"), None)


def _calls(name: str, line: int, trials: Trials) -> Iterator[tuple[ast.stmt, int, ast.Call]]:
    """The calls of a function in a line, each with its statement and its place in it."""
    roots = [*trials.parsed.body, *trials.parsed.forward, *trials.helpers.values()]
    for statement in [part for root in roots for part in ast.walk(root)]:
        if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | ast.Return):
            continue
        for place, part in enumerate(ast.walk(statement)):
            if isinstance(part, ast.Call) and part.lineno == line and called(part) == name:
                yield statement, place, part
