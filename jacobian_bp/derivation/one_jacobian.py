"""One Jacobian explained: formula, steps, the five layouts, and its numbers."""

import re
from collections.abc import Sequence

import numpy as np

from ..algebra.jacobian import Jacobian
from ..algebra.layouts import LAYOUTS, layout_axes
from ..errors import MemoryLimitError
from ..numbers.arrays import entry
from ..writing.signs import dims
from ..writing.tables import DIGITS, array_block, fold_all, right_aligned, table, zero_or_number
from .as_text import Spell

MOST_SHOWN = 4096


def explain(
    jacobian: Jacobian, layout: str = "flat", reason: str = "", width: int = 99, spell: Spell = str
) -> list[str]:
    """The lines that `jacobian-bp show` prints: formula, reason, layouts, slices, numbers."""
    lines = [re.sub("layout numerator, shape .*?: ", "", x) for x in jacobian.text().splitlines()]
    lines += [f"  because {reason}"] * bool(reason)
    if not jacobian.is_local and jacobian.links:
        lines += ["", "collapsed, link by link from the left:"]
        for step in jacobian.collapse().trace:
            lines += [f"  {step.before} = {step.after}", f"      {step.reason}"]
    lines += ["", "in the five layouts:"]
    axes = jacobian.out_axes, jacobian.wrt_axes
    rows = [[f"  {n}", dims(jacobian.shape_in(n)), layout_axes(n, *axes)] for n in LAYOUTS]
    lines += table(rows)
    lines += [
        "",
        f"{jacobian.name} in layout {layout}, shape {dims(jacobian.shape_in(layout))}:",
    ]
    lines += [f"  {line}" for line in _numbers(jacobian, layout, width - 2)]
    if len(jacobian.shape) == 3:
        lines += [
            "",
            f"the slices of the tensor {dims(jacobian.shape)}, one for each output:",
        ]
        lines += [f"  {line}" for line in _slices(jacobian, width - 2)]
        if layout != "flat":
            lines += ["", f"the same laid flat, shape {dims(jacobian.shape_in('flat'))}:"]
            lines += [f"  {line}" for line in _numbers(jacobian, "flat", width - 2)]
    return fold_all(map(spell, lines), width)


def _numbers(jacobian: Jacobian, layout: str, room: int) -> list[str]:
    if jacobian.size > MOST_SHOWN:
        return [f"{jacobian.size:,} entries are too many to print; J.materialise() builds them."]
    try:
        value, mask = jacobian.materialise(layout), jacobian.can_be_nonzero(layout)
    except MemoryLimitError as error:
        return str(error).splitlines()
    lines = _with_headings(jacobian, value, mask, room) if layout == "flat" else []
    lines = lines or array_block(value, mask, room, most_rows=40)
    notes = []
    if not mask.all():
        notes.append("'.' is zero for every input")
    if np.any(mask & (value == 0)):
        notes.append("'0' is zero at this input only")
    return lines + ["; ".join(notes)] * bool(notes)


def _slices(jacobian: Jacobian, room: int) -> list[str]:
    """∂(one output)/∂variable, one matrix under another: the delta moves from row to row."""
    if jacobian.size > MOST_SHOWN:
        return ["too many entries to print"]
    value, mask = jacobian.materialise(), jacobian.can_be_nonzero()
    lines = []
    for position in range(len(value)):
        name = _entry(jacobian.of, jacobian.out_axes, position)
        lines.append(f"∂{name}/∂{jacobian.wrt}")
        block = array_block(value[position], mask[position], room - 2)
        lines += [f"  {line}" for line in block]
    return lines


def _with_headings(jacobian: Jacobian, value: np.ndarray, mask: np.ndarray, room: int) -> list[str]:
    """The flat matrix with the entry that each row and column stands for."""
    heads = ["", *(_entry(jacobian.wrt, jacobian.wrt_axes, i) for i in range(value.shape[1]))]
    if value.shape[1] > 16 or len(value) > 24:
        return []
    for digits in DIGITS:
        rows = []
        for position, (row, flags) in enumerate(zip(value, mask, strict=True)):
            head = _entry(jacobian.of, jacobian.out_axes, position)
            rows.append([head, *zero_or_number(row, flags, digits)])
        lines = right_aligned([heads, *rows])
        if max(map(len, lines)) <= room:
            return lines
    return []


def _entry(name: str, axes: Sequence, position: int) -> str:
    index = np.unravel_index(position, [axis.size for axis in axes]) if axes else ()
    return entry(name, tuple(map(int, index)))
