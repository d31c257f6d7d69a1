"""The gradient of a bias that has the right entries and the wrong shape.

b - lr * db of (n, 1) and (1, n), or of (n, 1) and (n,), is no bias: numpy makes a matrix of it.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...writing.signs import dims
from ..lines.vocabulary import Quantity
from .blame import Found
from .edits import replaced_value
from .store import UPDATE, Store
from .trace import Trace
from .trials import Trials

TURNED = re.compile(  # b.T, b.reshape(1, -1), b[:, None]: the text has another layout of it
    r"\b(?:b|bias|biases)_?\w*?(?:\[[^\]]*\])?"
    r"(?:\.(?:T\b|reshape|transpose|flatten|ravel|squeeze)|\[:, *(?:None|np\.newaxis)\]|\[None)"
)


def of_other_shape(number: int, goal: Quantity, trace: Trace, trials: Trials) -> Found | None:
    """The first line by which a right gradient of a bias gets a shape that is not the bias's."""
    quantities, store = trace.quantities, trace.stores[number]
    if goal.of[0] != "b" or goal.kind != "gradient" or not isinstance(store.value, np.ndarray):
        return None
    count, shape = quantities.known[goal].size, store.value.shape
    laid = (count, 1) if quantities.columns else (1, count)
    if count == 1 or shape == laid or store.value.ndim > 2 or TURNED.search(trials.parsed.walked):
        return None
    if store.value.ndim < 2 and not (quantities.columns and _meets_the_bias(number, goal, trace)):
        return None
    first = _first_of_this_shape(number, trace)
    side = "column" if quantities.columns else "row"
    words = (
        f"has the entries of {goal} in shape {dims(shape)}. {goal.of} is a {side}: of the two "
        f"numpy makes {dims((count, count))}."
    )
    found = Found(first, goal, "shape", words, factor=1.0)
    found.instead, found.change = _in_the_shape(first, laid, trace, trials)
    return found


def _meets_the_bias(number: int, goal: Quantity, trace: Trace) -> bool:
    """Whether the text adds b to a column for each example, and takes this value off it."""
    bias, stores = Quantity("value", goal.of), trace.stores
    adds = any(bias in s.knows and s.kind != UPDATE and _is_matrix(s.value) for s in stores)
    below = trace.descendants(number) | {number}
    shape = np.shape(stores[number].value)
    return adds and any(
        stores[n].kind == UPDATE and stores[n].place == goal and np.shape(stores[n].value) == shape
        for n in below
    )


def _is_matrix(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 2


def _first_of_this_shape(number: int, trace: Trace) -> int:
    """The first draft of a value that has its shape."""
    stores = trace.stores
    while before := [
        n for n in stores[number].reads if n < number and _is_draft(stores[n], stores[number])
    ]:
        number = before[-1]
    return number


def _is_draft(draft: Store, store: Store) -> bool:
    return draft.same_place(store) and np.shape(draft.value) == np.shape(store.value)


def _in_the_shape(
    number: int, laid: tuple[int, int], trace: Trace, trials: Trials
) -> tuple[ast.stmt | None, str]:
    """The line with keepdims=True, or with a reshape: the first that gives the shape."""
    statement = trace.stores[number].statement
    if not isinstance(statement, ast.Assign):
        return None, ""
    for words, written in _written(statement.value, laid):
        instead = replaced_value(statement, written)
        store = trials.alone(number, trace, instead)
        if store is not None and np.shape(store.value) == laid:
            return instead, words
    return None, ""


def _written(value: ast.expr, laid: tuple[int, int]) -> Iterator[tuple[str, str]]:
    for call in (n for n in ast.walk(value) if isinstance(n, ast.Call)):
        options = {k.arg for k in call.keywords}
        if getattr(call.func, "attr", "") in ("sum", "mean") and "keepdims" not in options:
            kept = ast.unparse(call).removesuffix(")") + ", keepdims=True)"
            yield "keepdims=True put in", ast.unparse(value).replace(ast.unparse(call), kept, 1)
    inside, shape = ast.unparse(value), "(-1, 1)" if laid[1] == 1 else "(1, -1)"
    plain = isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    yield f"reshape{shape} put in", f"{inside if plain else f'({inside})'}.reshape{shape}"
