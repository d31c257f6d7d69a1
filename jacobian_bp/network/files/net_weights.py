"""The weights of a network file, inline or from a file beside it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import JacobianError
from ...writing.signs import dims, safe
from .paths import named_inside
from .toml_text import Section, shown
from .weight_names import OWN
from .weights_file import read_weights

FILE = "Write the name of an .npz or .safetensors file beside the network file."
NUMBERS = "Write a number, a row such as [1.0, 2.0], or rows such as [[1.0], [2.0]]."


def read_params(
    section: Section, sizes: Sequence[int], folder: Path
) -> tuple[dict[str, np.ndarray] | None, str]:
    """The weights of [weights], checked against the sizes, and in words where they are from.

    What is wrong is noted in the section. Without sizes, which were wrong then,
    the entries alone are looked at.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        shapes[f"W{layer}"], shapes[f"b{layer}"] = (outputs, inputs), (outputs,)
    if "file" in section.values:
        found, origin = _of_file(section, folder), section.values["file"]
        complete = bool(found)
    else:
        found, origin = _inline(section, shapes), section.problems.name
        complete = any(OWN.fullmatch(key) for key in section.values)
    for key, shape in shapes.items():
        here = key in section.values
        if key in found:
            _require_shape(section, key, found[key].shape, shape)
        elif complete and not here:
            place = "file" if "file" in section.values else key
            section.wrong(place, f"{key} is missing", f"Add it, with shape {dims(shape)}.")
    for key in found if shapes else ():
        if key not in shapes:
            told = f"network.sizes makes {len(sizes) - 1} layers; add a width, or leave {key} out."
            section.wrong(key if key in section.values else "file", f"{key} has no layer", told)
    return {key: found[key] for key in shapes if key in found}, f"weights read from {safe(origin)}"


def numbers(section: Section, key: str, value: Any, deepest: int = 2) -> np.ndarray | None:
    """A number, a row or rows as an array, or None and a note of the first entry that is none.

    `deepest` is the number of axes that it may have. Whole numbers alone make an array of integers.
    """
    trouble = _trouble(value, (), deepest)
    if trouble is None:
        return np.array(value)
    index, fact = trouble
    place = "[" + ",".join(map(str, index)) + "]" if index else ""
    section.wrong(key, fact, NUMBERS, place)
    return None


def _inline(section: Section, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    own = [key for key in section.values if OWN.fullmatch(key)]
    section.only([*(shapes or ["W1", "b1"]), *own, *([] if own else ["file"])])
    if not section.values:
        section.wrong("", "the table is empty", "Write W1, b1, …, or file; or leave it out.")
    arrays = {key: numbers(section, key, section.values[key]) for key in own}
    return {key: array.astype(np.float64) for key, array in arrays.items() if array is not None}


def _of_file(section: Section, folder: Path) -> dict[str, np.ndarray]:
    name = section.values["file"]
    for key in section.values:
        if OWN.fullmatch(key):
            section.wrong(key, "the weights are in a file already", "Write one of the two.")
    section.only(["file", *(key for key in section.values if OWN.fullmatch(key))])
    if not isinstance(name, str):
        section.wrong("file", f"{shown(name)} is not the name of a file", FILE)
        return {}
    try:
        named_inside(name, folder)  # says what is wrong with the name itself
        return read_weights(Path(name), folder)
    except JacobianError as error:
        section.refused("file", error)
        return {}


def _require_shape(section: Section, key: str, found: tuple, expected: tuple) -> None:
    if found == expected:
        return
    hint = f"Write {key} with shape {dims(expected)}"
    if found == expected[::-1] and len(expected) == 2:
        hint = f"{key} looks transposed: write a row for each of the {expected[0]} outputs"
    fact = f"{key} has shape {dims(found)}; the layer needs {dims(expected)}"
    section.wrong(key if key in section.values else "file", fact, f"{hint}.")


def _trouble(
    value: Any, index: tuple[int, ...], deepest: int
) -> tuple[tuple[int, ...], str] | None:
    """The first entry that is no number, or the first row of another length."""
    if type(value) is int:
        return None if abs(value) < 2**63 else (index, f"{shown(value)} is too large")
    if type(value) is float:
        return None if math.isfinite(value) else (index, f"{shown(value)} is not a finite number")
    if not isinstance(value, list):
        return index, f"{shown(value)} is not a number"
    if len(index) == deepest:
        return index, "a list where a number is expected"
    if not value:
        return index, "the list is empty"
    first = len(value[0]) if isinstance(value[0], list) else None
    for place, entry in enumerate(value):
        size = len(entry) if isinstance(entry, list) else None
        if size != first and not isinstance(entry, (str, bool)):
            words = ["a number" if n is None else f"a row of {n}" for n in (first, size)]
            return index, f"ragged: entry 0 is {words[0]}, entry {place} is {words[1]}"
        trouble = _trouble(entry, (*index, place), deepest)
        if trouble:
            return trouble
    return None
