"""Whether the value of a line is what the line is meant for, and if not, how it differs."""

from dataclasses import dataclass, replace

import numpy as np

from ...numbers.rounding import FLOOR, RELATIVE, agree, is_single, largest, of_formulas
from ...numbers.wrong_arrays import exchanged_axes, of_examples, times_right
from ...writing.signs import dims, fraction, plural
from .goal import Goal
from .meanings import EXAMPLES, Axes
from .tree import Node
from .values import Valued, Values
from .workspace import Workspace

SINGLE = 1e-4, 1e-7  # relative and floor, where the run is in float32


@dataclass(frozen=True)
class Comparison:
    """Right or wrong, and what can be said about it."""

    right: bool
    remark: str = ""
    same_shape: bool = True
    divided_by_m: bool = False  # whether every entry is 1/m times the right one


def compare(value: Valued, goal: Goal, workspace: Workspace) -> Comparison:
    """Compare with the right array, in every shape in which it counts as right."""
    if goal.by:
        return _with_forms(value.array, goal, workspace)
    right, axes = goal.right(workspace)
    found = value.array
    if found.dtype.kind not in "fiub" or not np.isfinite(found).all():
        if found.ndim == 0:
            return Comparison(False, "It is not finite.")
        bad = int((~np.isfinite(found)).sum())
        text = plural(bad, "entry", "entries")
        return Comparison(
            False, f"{text} of {found.size} {'is' if bad == 1 else 'are'} not finite."
        )
    if found.shape == right.shape:
        if _close(found, right):
            return Comparison(True)
        multiple = _multiple(found, right, workspace)
        return multiple or Comparison(False, _transpose(found, right, goal))
    if _is_data(axes) and found.shape == right.T.shape and _close(found, right.T):
        where = "rows" if workspace.columns else "columns"
        return Comparison(True, f"It has its examples in {where}: shape {dims(found.shape)}.")
    flat = min(found.ndim, right.ndim) < 2 and np.squeeze(found).shape == np.squeeze(right).shape
    if flat and _close(found.reshape(right.shape), right):
        shapes = f"{dims(found.shape)}, where {goal} has {dims(right.shape)}"
        return Comparison(True, f"Its shape is {shapes}: the same numbers.")
    multiple = _multiple(found.reshape(right.shape), right, workspace) if flat else None
    if multiple:
        return replace(multiple, same_shape=False)
    shapes = f"It has shape {dims(found.shape)}, {goal} has shape {dims(right.shape)}."
    return Comparison(False, _transpose(found, right, goal) or shapes, same_shape=False)


def exactly(values: Values, tree: Node, goal: Goal) -> bool:
    """Whether the line gives the right array in its very shape; errors pass through."""
    if goal.by:
        return _with_forms(values.of(tree).array, goal, values.workspace).right
    right = goal.right(values.workspace)[0]
    found = values.of(tree).array
    return found.shape == right.shape and bool(np.isfinite(found).all()) and _close(found, right)


def _with_forms(found: np.ndarray, goal: Goal, workspace: Workspace) -> Comparison:
    """Right in any of the layouts and shorthands of a Jacobian, which is named."""
    forms = goal.forms(workspace)
    for words, array in forms:
        same = found.shape == array.shape and bool(np.isfinite(found).all())
        if same and _close(found, array):
            return Comparison(True, f"It is {words}.")
    shapes = list(dict.fromkeys(dims(array.shape) for _, array in forms))
    if any(found.shape == array.shape for _, array in forms):
        return Comparison(False)
    known = f"{goal} has shape {' or '.join(shapes[:3])}" if shapes else f"{goal} is no one step"
    return Comparison(False, f"It has shape {dims(found.shape)}, {known}.", same_shape=False)


def _close(found: np.ndarray, right: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return agree(found, right, _allowed(right))


def _allowed(right: np.ndarray) -> np.ndarray:
    return of_formulas(right, *(SINGLE if is_single(right) else (RELATIVE, FLOOR)))


def _is_data(axes: Axes) -> bool:
    return len(axes) == 2 and EXAMPLES in (axes[0].name, axes[1].name)


def _transpose(found: np.ndarray, right: np.ndarray, goal: Goal) -> str:
    if found.ndim == 2 and exchanged_axes(found, right, _allowed(right)):
        return f"It is the transpose of {goal}, of shape {dims(found.shape)}."
    return ""


def _multiple(found: np.ndarray, right: np.ndarray, workspace: Workspace) -> Comparison | None:
    """Wrong by one and the same factor in every entry, or None."""
    live = np.abs(right) > FLOOR * largest(right)
    if not live.any():
        return None
    factor = float(np.median(found[live] / right[live]))  # printed: in float32 one has few digits
    if factor == 0 or not _close(found / factor, right):
        return None
    batch, who = workspace.read("m")[0].item(), "Every entry" if right.ndim else "It"
    word = of_examples(factor, batch)
    if word:
        remark = f"{times_right(word, who)}, m = {batch:g}."
        return Comparison(False, remark, divided_by_m=word == "1/m")
    shown = fraction(round(factor, 5 if is_single(right) else 15))
    return Comparison(False, f"{times_right(shown, who)}.")
