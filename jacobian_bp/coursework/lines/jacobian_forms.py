"""The arrays that a course may write for ∂a1/∂z1, ∂z2/∂a1, ∂z2/∂W2: whole, or a shorthand."""

import numpy as np

from ...algebra.layouts import LAYOUTS
from ...ops import Activation, Linear
from .workspace import Workspace

Form = tuple[str, np.ndarray]
WORDS = {
    "numerator": "numerator, rows of outputs",
    "gradient": "gradient, rows of the variable",
    "transposed": "transposed",
    "flat": "flat, the variable's entries row by row",
    "flat_column": "flat_column, the variable's entries column by column",
}


def forms(workspace: Workspace, of: str, by: str) -> list[Form]:
    """Every array that counts as ∂of/∂by, the whole Jacobian first, with what it is.

    Of a batch there is the shorthand alone: a whole Jacobian is that of one example.
    """
    return [*_whole(workspace, of, by), *_short(workspace, of, by)]


def _whole(workspace: Workspace, of: str, by: str) -> list[Form]:
    state = workspace.state
    if workspace.is_batch:
        return []
    if of == by:
        return [("the whole Jacobian, the identity", np.eye(state.values[of].size))]
    state.require_variable(of, by)
    found: list[Form] = []
    for layout in LAYOUTS:
        array = state.jacobian(of, by).materialise(layout=layout)
        if not any(a.shape == array.shape and np.array_equal(a, array) for _, a in found):
            found.append((f"the whole Jacobian, in the layout {WORDS[layout]}", array))
    return found


def _short(workspace: Workspace, of: str, by: str) -> list[Form]:
    """What stands for a Jacobian that is mostly zeros, or the same for each example."""
    state, step = workspace.state, workspace.state.step(of)
    if step is None or by not in step.args:
        return []
    if isinstance(step.op, Activation) and by == step.args[0]:
        z = state.values[by]
        slope = workspace.laid(by, np.array(step.op.vjp(np.ones_like(z), z)["z"]))[0]
        return [(f"the diagonal of ∂{of}/∂{by}: entry k reads entry k only, the rest is 0", slope)]
    if not isinstance(step.op, Linear):
        return []
    before, weight, *bias = step.args
    if by == before:
        array = workspace.laid(weight, state.values[weight])[0]
        words = f"∂{of}/∂{by} of each example, and the same for all"
        return [(words, array), (f"{words}, transposed", array.T)]
    if by == weight:
        array = workspace.laid(before, state.values[before])[0]
        words = f"the row of each unit's own weights in ∂{of}/∂{by}: the δ is left out"
        return [(words, array), (f"{words}; transposed", array.T)]
    if by in bias:
        ones = np.ones_like(workspace.laid(by, state.values[by])[0])
        words = f"the diagonal of ∂{of}/∂{by}: the δ is left out"
        return [(words, ones), (words, np.ones(()))]
    return []
