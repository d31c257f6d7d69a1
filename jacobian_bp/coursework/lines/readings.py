"""How a line can be read, the usual way first: its layer, what a delta and a slope stand for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...errors import JacobianError
from ...ops import Activation
from ...program.forward import run_forward
from .function_names import function_of
from .goal import PENALTIES, Goal, asked_goal
from .guessed_goal import goal_of_factors, goal_of_value
from .inner_readings import ways_inside
from .language import Statement
from .tree import Node, names, walk
from .values import BreakError, Values
from .vocabulary import COUNT, is_penalty
from .workspace import Workspace

NABLA = re.compile(r"(?:\w+\.)*(?:delta_)?nabla_?")
BEHIND_THE_BIAS = {False: ":, 1:", True: "1:"}  # the index, by whether W is (inputs, outputs)
COUNTED_FROM_0 = re.compile(r"\b(?:nabla_|grad_|d_?)?(?:W|w|weights?|theta)_?0\b")
HAS_BIAS = re.compile(r"theta|grad", re.IGNORECASE)  # a name that weights with their bias have


@dataclass(frozen=True)
class Reading:
    """One way to read a line: its arrays, its goal, and what is assumed, in words.

    `condition` is said of a right line: it holds for what a name is taken for. `far` is a reading
    in which a line may be right, and which is not meant where it is wrong.
    """

    workspace: Workspace
    goal: Goal | None
    says: tuple[str, ...] = ()
    condition: tuple[str, ...] = ()
    far: bool = False


def readings(statement: Statement, workspace: Workspace, target: Any) -> Iterator[Reading]:
    """Every reading of a line, the usual one first."""
    for usual in _inside(statement, workspace, target):
        goal = usual.goal
        if goal is None and workspace.has_cost:
            goal = _guessed(statement, usual.workspace)
        one = replace(usual, goal=goal)
        if goal is None:
            yield one
            continue
        for of_examples in _examples(statement, one):
            for penalised in _penalties(statement, of_examples):
                guessed = usual.goal is None and not workspace.told.written
                named = [penalised] if guessed else _of_each(statement, penalised)
                for each in named:
                    yield from _slopes(statement, each)
                    yield from _with_bias(statement, each)


def _inside(statement: Statement, workspace: Workspace, target: Any) -> Iterator[Reading]:
    """A line about what stands inside a formula, in each way to read it; any other, as it is."""
    for way in ways_inside(statement, workspace):
        for reading in _layers(statement, way.workspace, target):
            yield replace(reading, says=(*way.says, *reading.says), far=way.far)


def _guessed(statement: Statement, workspace: Workspace) -> Goal | None:
    try:
        value = Values(workspace).of(statement.tree)
    except BreakError:
        return goal_of_factors(statement.tree, workspace)
    return goal_of_value(statement.tree, value, workspace)


def _layers(statement: Statement, workspace: Workspace, target: Any) -> Iterator[Reading]:
    """A line about any layer, dW = dZ @ A_prev.T, is read for one layer after the other."""
    read = names(statement.tree)
    words = [*read, statement.target]
    counted: tuple[str, ...] = ()
    from_0 = any(COUNTED_FROM_0.search(word) for word in words)
    if from_0 and "W0" not in workspace.state.values and not workspace.told.written:
        workspace, counted = workspace.read_as(first=0), ("Counted from 0: W0 is W1 here.",)
    if not any(word and workspace.names.is_generic(word) for word in words):
        yield Reading(workspace, asked_goal(target, statement, workspace), counted)
        return
    count = workspace.names.layers
    following = statement.target if statement.target in read else ""
    order = [*range(count - bool(following), 0, -1), *([count] if following else [])]
    named = workspace.names.is_generic(statement.target) if statement.target else True
    for layer in order:
        own = workspace.read_as(layer=layer, next=following)
        goal = asked_goal(target, statement, workspace.read_as(layer=layer))
        if not named and goal and re.search(r"\d", goal.value):
            own = workspace.read_as(layer=int(goal.value[1:]))
            yield Reading(
                own, asked_goal(target, statement, own), (f"Read for layer {goal.value[1:]}.",)
            )
            return
        if all(own.meaning(word) for word in words if word and workspace.names.is_generic(word)):
            yield Reading(own, goal, (f"Read for layer {layer}.",))


def _examples(statement: Statement, reading: Reading) -> Iterator[Reading]:
    """A Jacobian of a batch is written for all examples in short, or whole for one example.

    So is Nielsen's nabla: of one example where nothing in the line counts or averages them.
    """
    workspace, goal = reading.workspace, reading.goal
    if goal is None or not workspace.is_batch:
        yield reading
        return
    if workspace.told.mean == "gradient" and _is_of_one(statement):
        says = f"Read for one example, the first: {statement.target} is a derivative of its loss."
        if workspace.state.program.averages:
            says += " The 1/m of the mean comes where the examples are added up."
        yield replace(reading, workspace=_first_example(workspace), says=(*reading.says, says))
    yield reading
    if goal.by:
        says = "Read for the first example."
        yield replace(reading, workspace=_first_example(workspace), says=(*reading.says, says))


def _is_of_one(statement: Statement) -> bool:
    """nabla_w[-1] = np.dot(delta, activations[-2].T), without a sum, a mean or m."""
    counts = any(part.op in ("sum", "mean", "size", "einsum") for part in walk(statement.tree))
    reads_m = any(word.lower() in COUNT for word in names(statement.tree))
    return bool(NABLA.match(statement.target or "")) and not (counts or reads_m)


def _first_example(workspace: Workspace) -> Workspace:
    """The same names, on the first example alone."""
    state = workspace.state
    data = {
        name: state.values[name][0] if name in state.batched else state.values[name]
        for name in state.program.inputs
        if name in state.values
    }
    params = {name: state.values[name] for name in state.program.params}
    return workspace.like(run_forward(state.program, params, data))


def _penalties(statement: Statement, reading: Reading) -> Iterator[Reading]:
    """reg * W2 is the share of a penalty: a positive multiple of the parameter."""
    words = [w for w in names(statement.tree) if is_penalty(w) and not reading.workspace.target(w)]
    goal = reading.goal
    if not words or goal is None or goal.value not in reading.workspace.state.program.params:
        yield reading
        return
    alone = statement.sign == "+=" and statement.tree.op not in ("+", "-")
    for penalty in PENALTIES:
        share = penalty.format(f"{words[0]} * {goal.value}")
        yield replace(
            reading,
            goal=replace(goal, penalty=penalty, alone=alone),
            condition=(*reading.condition, f"{share} is the share of a penalty with {words[0]}."),
        )


def _of_each(statement: Statement, reading: Reading) -> Iterator[Reading]:
    """Where the cost is a mean, its 1/m may come in the gradients, and not in the deltas."""
    workspace, goal = reading.workspace, reading.goal
    if workspace.told.mean and statement.sign != "/=":
        yield _declared(reading)
        return
    if statement.sign == "/=":
        yield _divided(statement, reading)
        return
    yield reading
    if goal is None or goal.forward or goal.by or goal.alone:
        return
    if not (workspace.is_batch and workspace.state.program.averages):
        return
    read = {word: workspace.object(word) for word in names(statement.tree)}
    deltas = {w: v for w, v in read.items() if v and v not in workspace.state.program.params}
    if goal.value in workspace.state.program.params and len(deltas) == 1:
        ((word, value),) = deltas.items()
        said = f"∂L/∂{value} of each example, without the 1/m of the mean."
        yield replace(
            reading,
            workspace=workspace.read_as(of_each=True),
            says=(*reading.says, f"{word} is read as {said}"),
            condition=(*reading.condition, f"It is right if {word} is {said}"),
        )
    labels = {label for step in workspace.state.program.steps for label in step.op.labels}
    if not any(read.values()) and goal.value not in workspace.state.program.params and labels:
        yield replace(
            reading,
            goal=replace(goal, of_each=True),
            condition=(*reading.condition, "The 1/m of the mean then belongs in the gradients."),
        )


def _divided(statement: Statement, reading: Reading) -> Reading:
    """dZ2 /= m: what stands there before lacks the 1/m of a mean; a delta may be meant to."""
    workspace, goal, target = reading.workspace, reading.goal, statement.target
    if goal is None or not (workspace.is_batch and workspace.state.program.averages):
        return reading
    own = workspace.read_as(of_each=True, summed=True)
    if goal.value in workspace.state.program.params:
        said = f"It is right if {target} is a sum over the examples before it."
    elif workspace.told.mean == "gradient":
        return replace(reading, workspace=own, goal=replace(goal, of_each=True))
    else:
        said = f"It is right if {target} is ∂L/∂{goal.value} of each example before it."
    return replace(reading, workspace=own, condition=(*reading.condition, said))


def _declared(reading: Reading) -> Reading:
    """As the convention has the 1/m: in the gradients, a delta is m times ∂J/∂z."""
    workspace, goal = reading.workspace, reading.goal
    if goal is None or goal.forward or goal.by or not workspace.told.of_each:
        return reading
    return replace(reading, goal=replace(goal, of_each=goal.value in workspace.state.batched))


def _slopes(statement: Statement, reading: Reading) -> Iterator[Reading]:
    """sigmoid_derivative(a1) may be a * (1 - a), da1_dz1 a diagonal, Theta2 may hold its bias."""
    yield reading
    workspace = reading.workspace
    for part in walk(statement.tree):
        holds = _with_a_bias_in_front(part, workspace)
        if holds and workspace.told.bias == "own":
            says = f"{holds} is read with its bias in front: {part} is the rest."
            own = workspace.read_as(bias="first")
            yield replace(reading, workspace=own, says=(*reading.says, says))
            return
        if part.op == "name":
            found = workspace.meaning(part.text)
            if found and found.kind == "jacobian" and not workspace.is_batch:
                yield replace(reading, workspace=workspace.read_as(diagonal=True))
                return
        if part.op != "function" or part.args[-1].op != "name":
            continue
        word = part.style[:-1].rsplit(".", 1)[-1]
        function = function_of(word, bool(part.option("derivative")))
        maker = workspace.state.step(workspace.spelled(part.args[-1].text))
        activated = maker is not None and isinstance(maker.op, Activation)
        if function and function.kind == "slope" and not function.takes and activated:
            if "prime" in word.lower():
                continue  # Nielsen's takes z
            said = f"{word} is read as a slope that takes the activation."
            yield replace(
                reading,
                workspace=workspace.read_as(slope_takes="a"),
                says=(*reading.says, said),
            )
            return


def _with_a_bias_in_front(part: Node, workspace: Workspace) -> str:
    """Theta2 of Theta2[:, 1:], np.delete(d2 @ Theta2, 0, axis=1): whose bias is taken away."""
    behind = part.op == "index" and part.text in BEHIND_THE_BIAS.values()
    if not (behind or (part.op == "delete" and part.option("obj") == 0)):
        return ""
    if behind and part.args[0].op == "name" and part.text != BEHIND_THE_BIAS[workspace.told.turned]:
        return ""
    return next((w for w in names(part) if workspace.spelled(w) in workspace.weights), "")


def _with_bias(statement: Statement, reading: Reading) -> Iterator[Reading]:
    """Theta2_grad that is one column wider than W2 has the gradient of the bias in it."""
    workspace, goal, word = reading.workspace, reading.goal, statement.target or ""
    if goal is None or goal.forward or goal.by or goal.value not in workspace.weights:
        return
    if workspace.told.bias != "own" or not HAS_BIAS.search(word):
        return
    for bias in ("first", "last"):
        own = workspace.read_as(bias=bias)
        try:
            shape = Values(own).of(statement.tree).array.shape
        except (BreakError, JacobianError):
            continue
        if shape == own.right(goal.value)[0].shape:
            line = "row" if own.told.turned else "column"
            says = f"{word} is read with the gradient of the bias as its {bias} {line}."
            yield replace(reading, workspace=own, says=(*reading.says, says))
