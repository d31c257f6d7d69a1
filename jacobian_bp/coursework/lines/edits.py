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
from .goal import Goal
from .language import read_line
from .tree import Node, names, render, walk
from .values import BreakError, Values
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
    for step in () if goal.forward else workspace.state.program.steps:
        if not isinstance(step.op, Linear) or f"d{step.name[1:]}" not in workspace.deltas():
            continue
        (before, weight, bias), d = step.args, f"d{step.name[1:]}"
        back = f"{weight}.T @ {d}" if workspace.columns else f"{d} @ {weight}"
        outer = f"{d} @ {before}.T" if workspace.columns else f"{d}.T @ {before}"
        total = f"{d}.sum(axis=1, keepdims=True)" if workspace.columns else f"{d}.sum(axis=0)"
        if not (workspace.is_batch or workspace.columns):
            outer, total = f"np.outer({d}, {before})", d
        lines = {before: back, weight: outer, bias: total}
        maker = workspace.state.step(before)
        if maker is not None:
            lines[maker.args[0]] = f"{back} * slope({maker.args[0]})"
        if goal.value in lines:
            yield Edit(read_line(lines[goal.value]).tree, MOST_COST, ANEW)


def _output(tree: Node, goal: Goal, workspace: Workspace) -> Iterator[Edit]:
    """The delta of the output, loss and activation as one: (a2 - y) / m."""
    losses = [step for step in workspace.state.program.steps if step.op.labels]
    last = workspace.state.step(workspace.output)
    if goal.forward or not losses or last is None or goal.value not in last.args:
        return
    read = {workspace.spelled(word): word for word in names(tree)}
    label = read.get(losses[0].args[1], losses[0].args[1])
    output = read.get(workspace.output, "p" if "p" in read else workspace.output)
    line = f"({output} - {label}) / m" if workspace.is_batch else f"{output} - {label}"
    yield Edit(read_line(line).tree, MOST_COST, ANEW)


def _gives(values: Values, tree: Node, goal: Goal) -> bool:
    try:
        return exactly(values, tree, goal)
    except (BreakError, JacobianError):
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
    kept = [edit for edit in kept if names(edit.tree)]  # a number alone corrects nothing
    return sorted(kept, key=lambda edit: edit.cost)


def _answers(tree: Node, goal: Goal, workspace: Workspace) -> bool:
    """Whether the line reads the very derivative that it is meant to compute."""
    return any(workspace.object(word) == goal.value for word in names(tree))


def _edits(tree: Node, goal: Goal, workspace: Workspace) -> Iterator[Edit]:
    return (Edit(*change, place) for change, place in single(tree, goal, workspace))
