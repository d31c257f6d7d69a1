"""The weights of a network as Nielsen's network2.py saves them: JSON with sizes, weights, biases.

    {"sizes": [3, 5, 2], "weights": [[[…], …], …], "biases": [[[…], …], …], "cost": "…"}

Each bias there is a column (outputs, 1). The text is parsed as data, and each array is compared
with the sizes.
"""

import io
import json
import os
from itertools import pairwise
from typing import Any

import numpy as np

from ...errors import JacobianError, SpecError
from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import dims, safe
from .paths import brief
from .stored import Stored

KEYS = ("sizes", "weights", "biases", "cost")
FORM = 'Write {"sizes": [3, 2], "weights": [[[…], …]], "biases": [[[…], …]], "cost": "…"}.'
PER_NUMBER = 4  # bytes of text; a Python object that it becomes has 32


def stored_nielsen(file: io.FileIO, name: str) -> dict[str, Stored]:
    """W1, b1, … of a file as network2.py writes it. Raises SpecError for another form."""
    size = os.fstat(file.fileno()).st_size
    if size // PER_NUMBER * 32 > current_limit():
        raise SpecError(
            f"{name} has {format_bytes(size)} of text, more than fits into memory once it is "
            "read.\n  Save the weights with np.savez."
        )
    try:
        found = json.loads(
            file.read().decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_once
        )
    except JacobianError:
        raise
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or set(found) != set(KEYS):
        raise SpecError(f"{name} is no network of Nielsen's network2.py.\n  {FORM}")
    sizes, weights, biases = (found[key] for key in KEYS[:3])
    whole = isinstance(sizes, list) and all(type(n) is int and n > 0 for n in sizes)
    if not whole or len(sizes) < 2:
        raise SpecError(f"{name}: sizes is {brief(repr(sizes))}.\n  {FORM}")
    arrays: dict[str, Stored] = {}
    for key, given in (("weights", weights), ("biases", biases)):
        if not isinstance(given, list) or len(given) != len(sizes) - 1:
            raise SpecError(
                f"{name}: {key} has not one array for each of {len(sizes) - 1} layers.\n  {FORM}"
            )
    for layer, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        W = _array(name, f"weights[{layer - 1}]", weights[layer - 1], (outputs, inputs))
        b = _array(name, f"biases[{layer - 1}]", biases[layer - 1], (outputs, 1)).ravel()
        arrays[f"W{layer}"], arrays[f"b{layer}"] = _stored(W), _stored(b)
    return arrays


def _stored(array: np.ndarray) -> Stored:
    return Stored(array.shape, array.dtype, "", array.copy)


def _array(name: str, place: str, given: Any, shape: tuple[int, int]) -> np.ndarray:
    rows = given if isinstance(given, list) else []
    fits = len(rows) == shape[0] and all(isinstance(r, list) and len(r) == shape[1] for r in rows)
    if not fits or not all(type(v) in (int, float) for row in rows for v in row):
        raise SpecError(
            f"{name}: {place} is no array of numbers of shape {dims(shape)}, which sizes asks "
            f"for.\n  {FORM}"
        )
    try:
        return np.array(rows, float)
    except OverflowError:
        raise SpecError(f"{name}: {place} has a number beyond 1e308.\n  {FORM}") from None


def _no_number(text: str) -> Any:
    raise SpecError(f"a weight is {safe(text)}, which is no finite number.\n  {FORM}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise SpecError(f"the key {brief(key)} stands twice.\n  Keep one of the two.")
        found[key] = value
    return found
