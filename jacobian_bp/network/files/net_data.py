"""The data of a network file: x and y inline, or rows of a table beside it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import JacobianError
from ...numbers.arrays import entry
from ...ops.labels import (
    BINARY,
    CLASSES,
    are_signs,
    outside_unit,
    unequal_to_one,
    wrong_class,
)
from ...ops.names import label_kind
from ...writing.signs import dims, witness
from .data_files import SHIPPED, require_at_most, shipped_names
from .net_weights import numbers
from .paths import named_inside, size_of
from .tables.options import TableOptions, table_options
from .tables.read_table import TableData, table_of
from .tables.switches import SWITCHES
from .toml_text import Section, shown

KEYS = ("file", "target", "example", "batch", "raw", *SWITCHES)
MOST_ROWS = 10**9
FILE = "Write the name of a CSV file beside the network file."

Data = tuple[np.ndarray | None, np.ndarray | None, list[str]]
NOTHING: Data = (None, None, [])


def read_data(
    section: Section, sizes: Sequence[int], loss: str | None, table: TableData | None
) -> Data:
    """x and y of [data], checked against the sizes and the loss, and what was done to them.

    `table` is that of its file, where it has one that can be read.

    What is wrong is noted in the section. Without sizes, which were wrong then,
    the entries alone are looked at.
    """
    values = section.values
    if "file" in values:
        for key in ("x", "y"):
            if key in values:
                section.wrong(key, "the data are in a file already", "Write one of the two.")
        section.only([*KEYS, *(key for key in ("x", "y") if key in values)])
        return _of_file(section, sizes, loss, table)
    own = not any(key in values for key in KEYS)
    section.only(["x", "y"] if own else ["x", "y", *KEYS], ["x", "y"] if own else ["file"])
    x = numbers(section, "x", values["x"]) if "x" in values else None
    y = numbers(section, "y", values["y"]) if "y" in values else None
    if x is None or not sizes:
        return NOTHING
    if x.ndim not in (1, 2) or x.shape[-1] != sizes[0]:
        hint = "Write a row with one number for each input, or a list of such rows."
        if x.ndim == 2 and x.shape[0] == sizes[0]:
            hint = "x looks transposed: write one row for each example."
        fact = f"x has shape {dims(x.shape)}; the network has {sizes[0]} inputs"
        section.wrong("x", fact, hint)
        return NOTHING
    if y is not None:
        y = _labels(section, "y", x.shape[:-1], y, sizes[-1], loss)
    return x.astype(np.float64), y, []


def _labels(
    section: Section, key: str, lead: tuple, y: np.ndarray, outputs: int, loss: str | None
) -> np.ndarray | None:
    """The labels of `lead` examples in a form that the loss takes, or None and a note."""
    rows, kind = (*lead, outputs), label_kind(loss)
    if kind == CLASSES and y.shape == lead:
        if y.dtype.kind != "i":
            told = f"Write 0 to {outputs - 1}, without a point, or a row of {outputs} weights."
            section.wrong(key, f"{y.flat[0]} is not a class", told)
        elif wrong_class(y, outputs).any():
            bad = y.min() if y.min() < 0 else y.max()
            told = f"Write classes from 0 to {outputs - 1}, or give the network more outputs."
            section.wrong(key, f"class {bad} is none of the network's {outputs}", told)
        else:
            return y
        return None
    if y.shape != rows and not (outputs == 1 and y.shape == lead):
        told = f"Write y with shape {dims(rows)}{f' or {dims(lead)}' if outputs == 1 else ''}."
        if kind == CLASSES:
            told = f"Write classes of shape {dims(lead)}, or rows of weights, {dims(rows)}."
        if y.ndim == 2 and y.shape == rows[::-1]:
            told = "y looks transposed: write one row for each example."
        fact = f"y has shape {dims(y.shape)}; the outputs have {dims(rows)}"
        section.wrong(key, fact, told)
        return None
    y = y.astype(np.float64)
    index = outside_unit(y) if kind in (BINARY, CLASSES) else None
    if index is not None:
        told = "Write labels between 0 and 1."
        if are_signs(y):
            told = "Write 0 for -1: the loss takes labels of 0 and 1."
        section.wrong(key, f"{entry('y', index)} is {witness(y[index])}, outside 0 to 1", told)
        return None
    if kind == CLASSES and unequal_to_one(y).any():
        told = "Write a 1 and zeros, or weights of which each row sums to 1."
        section.wrong(key, "a row of class weights does not sum to 1", told)
        return None
    return y


def read_data_file(section: Section, folder: Path, limit: int) -> TableData | None:
    """The table of the file that [data] names; None without a file, or with a note."""
    values = section.values
    if "file" not in values:
        return None
    name, target = values["file"], values.get("target")
    if target is None and not str(name).endswith(".npz"):
        section.wrong("target", "the key is missing", f"Write it under [{section.name}].")
    listed = target if isinstance(target, list) else [target]
    if target is not None and not all(type(each) in (str, int) for each in listed):
        fact = f"{shown(target)} is not the name of a column, nor its number"
        section.wrong("target", fact, 'Write "name", or -1 for the last.')
        listed = []
    options = _options(section)
    if not isinstance(name, str):
        section.wrong("file", f"{shown(name)} is not the name of a file", FILE)
        return None
    try:
        path = _place(name, folder, limit)
        if options is None or not listed or (target is None and path.suffix != ".npz"):
            return None
        said = () if target is None else tuple(map(str, listed))
        return table_of(path, said, replace(options, data_limit=limit))
    except JacobianError as error:
        of_target = any(word in str(error) for word in (" has no column ", "the target "))
        section.refused("target" if of_target else "file", error)
        return None


def _options(section: Section) -> TableOptions | None:
    """What the file says of its table; None and a note for each key that cannot be so."""
    values, found = section.values, {}
    for key in ("raw", *SWITCHES):
        if key not in values:
            continue
        if key in ("raw", "header") and not isinstance(values[key], bool):
            told = f"Write {key} = true."
            section.wrong(key, f"{shown(values[key])} is not true or false", told)
            continue
        try:
            table_options("toml", **{key: values[key]})
            found[key] = values[key]
        except JacobianError as error:
            section.refused(key, error)
    wrong = [key for key in ("raw", *SWITCHES) if key in values and key not in found]
    return None if wrong else table_options("toml", **found)


def _of_file(
    section: Section, sizes: Sequence[int], loss: str | None, table: TableData | None
) -> Data:
    """The rows of a table that example or batch asks for."""
    values = section.values
    if "example" in values and "batch" in values:
        section.wrong("batch", "example asks for one row, batch for many", "Write one of the two.")
    row = section.whole("example", values.get("example", 0), 0, MOST_ROWS)
    count = values.get("batch")
    if count is not None and count != "all":
        told = 'a number of rows, or "all"'
        count = section.whole("batch", count, 1, MOST_ROWS, told=f"Write {told}.")
    if table is None or not sizes:
        return NOTHING
    labels = _target(section, table, sizes, loss)
    rows = len(table.x)
    pick: Any = row
    remark = f"one example: row {row}"
    if "batch" in values:
        pick = slice(0, rows if count == "all" else count)
        remark = f"a batch: the first {rows if count == 'all' else count} rows"
        fits = count == "all" or count is None or count <= rows
    else:
        fits = row is None or row < rows
    if not fits:
        key = "batch" if "batch" in values else "example"
        told = f"The file has {rows} rows" + ("." if key == "batch" else f", 0 to {rows - 1}.")
        section.wrong(key, f"{values[key]} is beyond the file", told)
    if labels is None or pick is None or not fits:
        return NOTHING
    x, y = table.x[pick], np.asarray(labels[0][pick])
    return x, _labels(section, "target", x.shape[:-1], y, sizes[-1], loss), [*labels[1], remark]


def _target(
    section: Section, table: TableData, sizes: Sequence[int], loss: str | None
) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """The labels, and all remarks, if the network has as many inputs and outputs as the file."""
    inputs = len(table.features)
    if inputs != sizes[0]:
        fact = f"the file has {inputs} input columns; the network has {sizes[0]} inputs"
        section.wrong("file", fact, f"Write {inputs} as the first of network.sizes.")
        return None
    one = table.y.ndim == 1 and not table.classes
    if one and sizes[-1] != 1 and label_kind(loss) != CLASSES:
        fact = f"one column is one label an example; the network has {sizes[-1]} outputs"
        section.wrong("target", fact, "Write 1 as the last of network.sizes.")
        return None
    try:
        return table.labels(loss, sizes[-1])
    except JacobianError as error:
        section.refused("target", error)
        return None


def _place(name: str, folder: Path, limit: int) -> Path:
    """A CSV file in the folder, or a data set of this package by its name."""
    if name in shipped_names():
        return SHIPPED / f"{name}.csv"
    path = named_inside(name, folder)
    require_at_most(path, size_of(path, FILE), limit)
    return path
