"""Single changes of a forward line: a bias put in, another activation, the line of the layer."""

from collections.abc import Iterator
from dataclasses import replace

from ...ops import Activation, Linear, Softmax
from .goal import Goal
from .language import read_line
from .tree import Node, name, product
from .workspace import Workspace

OWN = ("sigmoid", "tanh", "relu")  # which the language has by these names
Change = tuple[Node, int, str]


def of_whole(tree: Node, goal: Goal, workspace: Workspace) -> Iterator[Change]:
    """The bias put in, or the activation around the whole line."""
    step = workspace.state.step(goal.value) if goal.forward else None
    if step is None:
        return
    if isinstance(step.op, Linear):
        for bias in step.args[2:]:
            yield product("+", tree, name(bias)), 2, f"{bias} put in"
    function = activation(goal, workspace)
    if function:
        yield Node("function", (tree,), style=f"{function}("), 2, f"{function} put in"


def of_function(node: Node, goal: Goal, workspace: Workspace) -> Iterator[Change]:
    """The activation of this layer for another one, or for a minimum; a bias put into it."""
    step = workspace.state.step(goal.value) if goal.forward else None
    before = workspace.state.step(step.args[0]) if step and step.args else None
    if before and isinstance(before.op, Linear) and before.args[2:]:
        for side, arg in enumerate(node.args):
            if arg.op in ("@", "dot") and node.op not in ("@", "dot", "+", "-"):
                bias = before.args[2]
                args = list(node.args)
                args[side] = product("+", arg, name(bias))
                yield replace(node, args=tuple(args)), 2, f"{bias} put in"
    function = activation(goal, workspace) if goal.forward else None
    if function is None:
        return
    if node.op in ("sigmoid", "tanh", "relu", "function") and len(node.args) == 1:
        new = Node("function", node.args, style=f"{function}(")
        written = node.style.rstrip("(")
        if written != function:
            yield new, 1, f"{function} for {written}"
    if node.op == "minimum":
        yield Node("maximum", node.args, style="np.maximum("), 1, "np.maximum for np.minimum"


def activation(goal: Goal, workspace: Workspace) -> str | None:
    """What the activation of the goal is called: sigmoid, tanh, relu, softmax, or None."""
    step = workspace.state.step(goal.value)
    if step is None or not isinstance(step.op, Activation | Softmax):
        return None
    word = step.op.name.lower()
    return word if word in (*OWN, "softmax") else None


def anew(goal: Goal, workspace: Workspace) -> Iterator[Node]:
    """The forward line, or the Jacobian, as a course writes it."""
    step = workspace.state.step(goal.value)
    if step is None:
        return
    if goal.by:
        yield from (read_line(line).tree for line in _jacobian(goal, workspace))
    elif goal.forward and isinstance(step.op, Linear):
        before, weight, *bias = step.args
        turned = workspace.told.turned
        left = f"{weight}.T" if turned else weight
        right = weight if turned else f"{weight}.T"
        line = f"{left} @ {before}" if workspace.columns else f"{before} @ {right}"
        yield read_line(" + ".join([line, *bias])).tree
    elif goal.forward and activation(goal, workspace):
        yield read_line(f"{activation(goal, workspace)}({step.args[0]})").tree


def _jacobian(goal: Goal, workspace: Workspace) -> list[str]:
    step = workspace.state.step(goal.value)
    if step is None or goal.by not in step.args:
        return []
    if isinstance(step.op, Activation):
        return [f"np.diag(slope({goal.by}))", f"slope({goal.by})"]
    if not isinstance(step.op, Linear):
        return []
    before, weight, *bias = step.args
    units = f"np.eye(len({bias[0] if bias else goal.value}))"
    return {
        before: [weight, f"{weight}.T"],
        weight: [f"np.kron({units}, {before})", before],
        **{name: [units, f"ones_like({name})"] for name in bias},
    }[goal.by]
