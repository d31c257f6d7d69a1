"""What a line is meant for, where nobody says it: told by its value, or by its factors."""

from .comparison import compare
from .goal import Goal
from .shapes import sizes_of
from .tree import Node, names, walk
from .values import Valued
from .workspace import Workspace


def goal_of_value(tree: Node, value: Valued, workspace: Workspace) -> Goal | None:
    """The derivative that has just this value, else what the factors suggest."""
    if not value.array.any():
        return goal_of_factors(tree, workspace)
    shape = value.array.shape
    alike = [v for v in workspace.variables() if sizes_of(workspace.axes(v)) == shape]
    found = [goal for goal in map(Goal, alike) if compare(value, goal, workspace).right]
    suggested = goal_of_factors(tree, workspace)
    if not found and suggested is None and tree.op != "name":
        found = forward_goals(value, workspace)
    return suggested if suggested in found or not found else found[0]


def forward_goals(value: Valued, workspace: Workspace) -> list[Goal]:
    """The values of the forward pass that a line gives."""
    goals = [Goal(step.name, True) for step in workspace.state.program.steps]
    return [goal for goal in goals if value.array.ndim and compare(value, goal, workspace).right]


def goal_of_factors(tree: Node, workspace: Workspace) -> Goal | None:
    """What the factors suggest: δ and a slope a delta, δ and an activation a weight gradient."""
    slopes = [part.args[0].text for part in walk(tree) if part.op == "slope"]
    if slopes and workspace.target(slopes[0]):
        return Goal(workspace.before_activation(slopes[0]))
    read = [workspace.spelled(word) for word in names(tree)]
    deltas = [workspace.object(word) for word in read if workspace.object(word)]
    step = workspace.state.step(deltas[0]) if deltas and deltas[0] else None
    if step is None or len(step.args) < 2:
        last = workspace.state.step(workspace.output)
        both = {"p", workspace.output}.intersection(read) and "y" in read
        return Goal(last.args[0]) if both and last else None
    before, weight, *bias = step.args
    maker = workspace.state.step(before)
    if weight in read and maker and {before, maker.args[0]}.intersection(read):
        return Goal(maker.args[0])  # the slope written out: (z1 > 0), 1 - a1**2
    if any(word in workspace.state.program.params and word != weight for word in read):
        others = [word for word in read if word in workspace.state.program.params]
        return Goal(before) if others[0].startswith(weight[:1]) else None
    if weight in read:
        return Goal(before)
    if any(workspace.target(word) and not workspace.object(word) for word in read):
        return Goal(weight)
    summed = any(part.op in ("sum", "mean") for part in walk(tree))
    return Goal(bias[0] if bias and summed else step.name)
