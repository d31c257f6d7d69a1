"""The weights and the data of a network file, inline or from a file beside it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .csv_data import Examples, class_indices
from .errors import JacobianError
from .ops.cross_entropy import class_labels
from .ops.losses import binary_labels
from .paths import named_inside
from .symbols import safe
from .symbols import shape as show
from .toml_text import Section, shown
from .weights_file import read_weights

Array = np.ndarray
CSV_LIMIT = 16 * 2**20  # of text; csv_data reads a few MiB a second
CSV_KEYS = ("file", "target", "example", "batch", "raw")
MOST_ROWS = 10**9
WEIGHT_FILE = "Write the name of an .npz or .safetensors file beside the network file."
CSV_FILE = "Write the name of a CSV file beside the network file."


def read_params(
    section: Section, sizes: Sequence[int], folder: Path
) -> tuple[dict[str, Array] | None, list[str]]:
    """The weights of [weights], checked against the sizes, and where they come from."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        shapes[f"W{layer}"], shapes[f"b{layer}"] = (outputs, inputs), (outputs,)
    if "file" in section.values:
        section.only(["file"])
        found, name = _weights_of_file(section, folder), section.values["file"]
        remark = f"weights read from {safe(name)}"
    else:
        if sizes:
            section.only(shapes, shapes)
        found = {
            key: array.astype(np.float64)
            for key, value in section.values.items()
            if (key in shapes or not sizes) and (array := _numbers(section, key, value)) is not None
        }
        remark = f"weights read from {section.report.name}"
    for key, shape in shapes.items():
        if key in found and found[key].shape != shape:
            _wrong_shape(section, key, found[key].shape, shape)
        elif "file" in section.values and found and key not in found:
            section.wrong("file", f"{key} is missing, shape {show(shape)}", "Add it to the file.")
    for key in found if sizes else ():
        if key not in shapes:
            told = "Write as many widths in network.sizes as the file has layers, and one more."
            section.wrong("file", f"{key} is one layer too many for network.sizes", told)
    return ({key: found[key] for key in shapes if key in found} or None), [remark]


def read_data(
    section: Section, sizes: Sequence[int], loss: str | None, folder: Path
) -> tuple[Array | None, Array | None, list[str]]:
    """x and y of [data], checked against the sizes and the loss, and what was done to them."""
    values = section.values
    if "file" in values:
        section.only(CSV_KEYS, ["target"])
        return _data_of_file(section, sizes, loss, folder)
    section.only(["x", "y"] if "x" in values or "y" in values else CSV_KEYS, ["x", "y"])
    x = _numbers(section, "x", values["x"]) if "x" in values else None
    y = _numbers(section, "y", values["y"]) if "y" in values else None
    if x is None or not sizes:
        return None, None, []
    x = x.astype(np.float64)
    if x.ndim not in (1, 2) or x.shape[-1] != sizes[0]:
        hint = "Write one number for each input, or a list of such rows."
        if x.ndim == 2 and x.shape[0] == sizes[0]:
            hint = "x looks transposed: write one row for each example."
        section.wrong("x", f"x has shape {show(x.shape)}; the network has {sizes[0]} inputs", hint)
        return None, None, []
    if y is not None:
        y = _labels(section, "y", x.shape[:-1], y, sizes[-1], loss)
    return x, y, []


def _weights_of_file(section: Section, folder: Path) -> dict[str, Array]:
    name = section.values["file"]
    if not isinstance(name, str):
        section.wrong("file", f"{shown(name)} is not the name of a file", WEIGHT_FILE)
        return {}
    try:
        named_inside(name, folder)  # says what is wrong with the name itself
        return read_weights(Path(name), folder)
    except JacobianError as error:
        section.refused("file", error)
        return {}


def _wrong_shape(section: Section, key: str, found: tuple, expected: tuple) -> None:
    hint = f"Write {key} with shape {show(expected)}, a row for each output"
    if len(expected) == 1:
        hint = f"Write {key} as a list of {expected[0]}"
    if found == expected[::-1] and len(expected) == 2:
        hint = f"{key} looks transposed: write a row for each of the {expected[0]} outputs"
    place = key if key in section.values else "file"
    section.wrong(
        place, f"{key} has shape {show(found)}; the layer needs {show(expected)}", f"{hint}."
    )


def _numbers(section: Section, key: str, value: Any) -> Array | None:
    """A number, a row or a list of rows as an array, or None and a note of the first bad entry."""
    trouble = _trouble(value, ())
    if trouble is None:
        return np.array(value)
    index, fact = trouble
    place = "[" + ",".join(map(str, index)) + "]" if index else ""
    section.wrong(key, fact, "Write a number, a row [1.0, 2.0] or rows [[1.0], [2.0]].", place)
    return None


def _trouble(value: Any, index: tuple[int, ...]) -> tuple[tuple[int, ...], str] | None:
    if not isinstance(value, list):
        if type(value) is int and abs(value) < 2**63:
            return None
        if type(value) is float and math.isfinite(value):
            return None
        kind = "finite " if isinstance(value, float) else ""
        return index, f"{shown(value)} is not a {kind}number" + (
            " of 64 bits" if type(value) is int else ""
        )
    if len(index) == 2:
        return index, "a list within a list within a list"
    if not value:
        return index, "the list is empty"
    first = len(value[0]) if isinstance(value[0], list) else None
    for place, entry in enumerate(value):
        size = len(entry) if isinstance(entry, list) else None
        if size != first:
            words = ["a number" if s is None else f"a row of {s}" for s in (first, size)]
            return index, f"the rows are ragged: the first is {words[0]}, row {place} {words[1]}"
        trouble = _trouble(entry, (*index, place))
        if trouble:
            return trouble
    return None


def _labels(
    section: Section, key: str, lead: tuple, y: Array, outputs: int, loss: str | None
) -> Array | None:
    """The labels of `lead` examples, in a form that the loss takes; else None and a note."""
    rows = (*lead, outputs)
    if loss == "cross_entropy" and y.shape == lead:
        text = "one class from 0 up for each example, without a point"
        if y.dtype.kind != "i":
            section.wrong(key, "a class is a whole number", f"Write {text}.")
        elif y.min() < 0 or y.max() >= outputs:
            bad = y.min() if y.min() < 0 else y.max()
            told = f"Write classes from 0 to {outputs - 1}, or give the network more outputs."
            section.wrong(key, f"class {bad} is not one of {outputs} classes", told)
        else:
            return y
        return None
    if y.shape != rows and not (outputs == 1 and y.shape == lead):
        told = f"Write it with shape {show(rows)}"
        if loss == "cross_entropy":
            told = f"Write classes of shape {show(lead)}, or rows of weights of shape {show(rows)}"
        if y.ndim == 2 and y.shape == rows[::-1]:
            told = "y looks transposed: write one row for each example"
        elif outputs == 1:
            told += f" or {show(lead)}"
        fact = f"y has shape {show(y.shape)}; the outputs have {show(rows)}"
        section.wrong(key, fact, f"{told}.")
        return None
    y = y.astype(np.float64)
    try:
        if loss == "cross_entropy":
            class_labels(np.zeros(y.shape), y, "y")
        elif loss == "bce":
            binary_labels(np.zeros(y.shape), y, "the output", "y")
    except JacobianError as error:
        section.refused(key, error)
        return None
    return y


def _data_of_file(
    section: Section, sizes: Sequence[int], loss: str | None, folder: Path
) -> tuple[Array | None, Array | None, list[str]]:
    """The rows of a CSV file that example or batch asks for."""
    values = section.values
    for key, form in (("file", str), ("target", str), ("raw", bool)):
        if key in values and not isinstance(values[key], form):
            words = "true or false" if form is bool else "a name in quotes"
            section.wrong(key, f"{shown(values[key])} is not {words}", f"Write {words}.")
    if "example" in values and "batch" in values:
        section.wrong("batch", "example asks for one row, batch for many", "Write one of the two.")
    row = section.whole("example", values.get("example", 0), 0, MOST_ROWS)
    batch = values.get("batch")
    if batch is not None and batch != "all":
        batch = section.whole("batch", batch, 1, MOST_ROWS)
    table = _examples(section, folder)
    if table is None or not sizes:
        return None, None, []
    if len(table.features) != sizes[0]:
        hint = ", ".join(map(str, [len(table.features), *sizes[1:4]]))
        section.wrong(
            "file",
            f"the file has {len(table.features)} input columns; the network has {sizes[0]} inputs",
            f"Write network.sizes = [{hint}{', …' if len(sizes) > 4 else ''}].",
        )
        return None, None, []
    if loss != "cross_entropy" and sizes[-1] != 1:
        section.wrong(
            "target",
            f"one column gives one label; the network has {sizes[-1]} outputs",
            "Write 1 as the last width, or cross_entropy as the loss.",
        )
        return None, None, []
    many = len(table.x) if batch == "all" else batch
    key, wanted = ("batch", many) if "batch" in values else ("example", row)
    if wanted is None or wanted >= len(table.x) + (key == "batch"):
        if wanted is not None:
            section.wrong(
                key, f"{wanted} is too many: the file has {len(table.x)} rows", "Write less."
            )
        return None, None, []
    pick: Any = slice(0, wanted) if key == "batch" else wanted
    try:
        y = class_indices(table.y[pick, None][..., 0], values["target"]) if loss == "x" else None
    except JacobianError as error:
        section.refused("target", error)
        return None, None, []
    return table.x[pick], y, []


def _examples(section: Section, folder: Path) -> Examples | None:
    raise NotImplementedError
