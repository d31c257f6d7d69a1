"""The smallest correction of a line that gives the right array.

A correction is never guessed: it counts only if its value is the right array, on the
student's run and on a run of other sizes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...errors import JacobianError
from ...ops import Linear
from .changes import Path, single
from .comparison import exactly
from .forward_changes import anew
from .goal import Goal
from .inner_lines import inner_lines
from .language import read_line
from .simplify import is_scalar
from .tree import Node, names, render, walk
from .values import BreakError, Values
from .vocabulary import is_penalty
from .workspace import Workspace

MOST_COST, MOST_TRIES = 4, 60_000  # nodes
ANEW = "written anew"


@dataclass(frozen=True)
class Edit:
    """A corrected line, how far it is from the student's, and what was changed."""

    tree: Node
    cost: int
    why: str
    place: Path | None = None  # of the product that was written in another way

    def __str__(self) -> str:
        return f"{render(self.tree)}   ({self.why})"


def correction(tree: Node, goal: Goal, trials: Sequence[Values]) -> Edit | None:
    """The smallest correction that gives the right array in every trial.

    Where none does, the goal's own line if it has one, else None.
    """
    workspace = trials[0].workspace
    edits = _candidates(tree, goal, workspace)
    for edit in (*edits, *_output(tree, goal, workspace), *_anew(goal, workspace)):
        if all(_gives(values, edit.tree, goal) for values in trials):
            return edit
    return None


def _anew(goal: Goal, workspace: Workspace) -> Iterator[Edit]:
    """The line of BP2, BP3 or BP4 for the goal, where a layer is linear and then activated."""
    for tree in anew(goal, workspace):
        yield Edit(tree, MOST_COST, ANEW)
    for line in inner_lines(goal, workspace):
        yield Edit(read_line(line).tree, MOST_COST, ANEW)
    if goal.by or goal.penalty is not None or goal.of_each:
        return
    for step in () if goal.forward else workspace.state.program.steps:
        if not isinstance(step.op, Linear) or f"d{step.name[1:]}" not in workspace.deltas():
            continue
        (before, weight, *bias), d = step.args, f"d{step.name[1:]}"
        turned = workspace.told.turned
        left, right = (weight, f"{weight}.T") if turned else (f"{weight}.T", weight)
        back = f"{left} @ {d}" if workspace.columns else f"{d} @ {right}"
        outer = f"{d} @ {before}.T" if workspace.columns else f"{d}.T @ {before}"
        if turned:
            outer = f"{before} @ {d}.T" if workspace.columns else f"{before}.T @ {d}"
        total = f"{d}.sum(axis=1, keepdims=True)" if workspace.columns else f"{d}.sum(axis=0)"
        if not (workspace.is_batch or workspace.columns):
            pair = f"{before}, {d}" if turned else f"{d}, {before}"
            outer, total = f"np.outer({pair})", d
        lines = {before: back, weight: outer} | dict.fromkeys(bias, total)
        maker = workspace.state.step(before)
        if maker is not None:
            lines[maker.args[0]] = f"{back} * slope({maker.args[0]})"
        if goal.value in lines:
            yield Edit(read_line(lines[goal.value]).tree, MOST_COST, ANEW)


def _output(tree: Node, goal: Goal, workspace: Workspace) -> Iterator[Edit]:
    """The delta of the output, loss and activation as one: (a2 - y) / m."""
    losses = [step for step in workspace.state.program.steps if step.op.labels]
    last = workspace.state.step(workspace.output)
    if goal.forward or goal.by or not losses or last is None or goal.value not in last.args:
        return
    read = {workspace.spelled(word): word for word in names(tree)}
    label = read.get(losses[0].args[1], losses[0].args[1])
    output = read.get(workspace.output, "p" if "p" in read else workspace.output)
    mean = workspace.is_batch and not goal.of_each
    line = f"({output} - {label}) / m" if mean else f"{output} - {label}"
    yield Edit(read_line(line).tree, MOST_COST, ANEW)


def _gives(values: Values, tree: Node, goal: Goal) -> bool:
    try:
        return exactly(values, tree, goal) and not _by_luck(values, tree)
    except (BreakError, JacobianError):
        return False


def _by_luck(values: Values, tree: Node) -> bool:
    """Whether a product of a column with a row is written *, without a new axis to say so."""
    for part, value in values.parts(tree):
        sides = {stretch.side for stretch in value.fit.stretched}
        if part.op == "*" and sides == {0, 1}:
            inside = [node.op for arg in part.args for node in walk(arg)]
            if not {"index", "reshape"} & set(inside):
                return True
    return False


def _candidates(tree: Node, goal: Goal, workspace: Workspace) -> list[Edit]:
    """Single corrections and pairs of them, each tree once, the smallest first."""
    found, size = {tree: Edit(tree, 0, "")}, sum(1 for _ in walk(tree))
    singles = sorted(_edits(tree, goal, workspace), key=lambda edit: edit.cost)
    for edit in singles:
        found.setdefault(edit.tree, edit)
    for first in singles:
        if len(found) * size > MOST_TRIES:
            break
        for second in _edits(first.tree, goal, workspace):
            if first.place is not None and first.place == second.place:
                continue  # both changes of one product are a single change, too
            cost = first.cost + second.cost
            if cost <= MOST_COST:
                both = Edit(second.tree, cost, f"{first.why}; {second.why}")
                known = found.setdefault(both.tree, both)
                if known.cost > cost:
                    found[both.tree] = both
    del found[tree]
    given = _answers(tree, goal, workspace)
    kept = [e for e in found.values() if given or not _answers(e.tree, goal, workspace)]
    kept = [edit for edit in kept if not is_scalar(edit.tree)]  # a number corrects nothing
    if goal.penalty is not None:
        kept = [edit for edit in kept if any(map(is_penalty, names(edit.tree)))]
    return sorted(kept, key=lambda edit: edit.cost)


def _answers(tree: Node, goal: Goal, workspace: Workspace) -> bool:
    """Whether the line reads the very derivative that it is meant to compute."""
    kind = "value" if goal.forward else "gradient"
    found = [workspace.meaning(word) for word in names(tree)]
    return any(one and (one.kind, one.of) == (kind, goal.value) for one in found)


def _edits(tree: Node, goal: Goal, workspace: Workspace) -> Iterator[Edit]:
    return (Edit(*change, place) for change, place in single(tree, goal, workspace))
