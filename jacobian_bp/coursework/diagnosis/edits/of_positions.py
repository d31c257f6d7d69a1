"""Places taken in reverse: a kernel that is flipped where it is not, or not where it is.

    dx[i'] = Σ_r δ[o] w[r] δ[i',o+r]   with w[::-1], or with δ[i',o+r] from the last r to the first

Of two windows at once, as in an image, both may be reversed.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..passes.backward import Factor, Line
from ..passes.equation import POSITION, Equation
from .edit import Edit, along


def flipped(line: Line, equation: Equation) -> Iterator[Edit]:
    """Each axis of a window reversed, in one window and in all."""
    del line
    placed = [f for f in equation.factors() if f.role == POSITION and f.name[:2] in ("δ[", "[i")]
    windows = [f for f in placed if len(f.axes) > 2]
    for window in placed:
        for axis in window.axes[:-1]:
            yield from reversed_along(equation, {window: axis})
    if len(windows) > 1:
        for place in range(min(len(window.axes) for window in windows) - 1):
            yield from reversed_along(equation, {w: w.axes[place] for w in windows})


def reversed_along(equation: Equation, axes: dict[Factor, str]) -> Iterator[Edit]:
    """Each of these factors from its other end along its axis."""
    changed = equation
    for window, axis in axes.items():
        if equation.sizes[axis] == 1:
            return
        array = np.flip(window.array, window.axes.index(axis))
        changed = changed.using(window, replace(window, array=array))
    named = replace(next(iter(axes)), name=" ".join(window.name for window in axes))
    yield Edit("flipped", changed, named, along(tuple(axes.values()), equation))
