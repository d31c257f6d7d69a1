"""Where one line of a student's numpy breaks, what was meant, and when it would pass."""

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from ...arrays import quiet
from ...axes import Axis
from ...errors import JacobianError, SpecError
from ...memory import current_limit, memory_limit
from ...run import Run
from ...symbols import for_stream, safe
from ...symbols import shape as show
from .line_edits import Edit, correction
from .line_goal import Goal, Verdict, asked_goal, goal_of_factors, goal_of_value, judge
from .line_language import read_line
from .line_scene import Scene, require_cost
from .line_shapes import axes_words, axis_words
from .line_tree import Node, render, short
from .line_trials import BREAKS, RIGHT, Trials
from .line_values import BreakError, Valued, Values

WIDTH, MOST_LINES, LARGEST = 99, 9, 2**30
LAYOUTS = ("rows", "columns")


@dataclass(frozen=True, eq=False)
class LineReport:
    """What numpy makes of a line; printing it says it in a few sentences.

    `value` is a fresh array, or None where the line breaks. `right` is None where
    there is nothing to compare. `meant` is a corrected line that gives the right
    array, `passes_when` says at which sizes numpy would let a wrong line pass.
    """

    line: str
    target: str | None
    runs: bool
    value: np.ndarray | None
    right: bool | None
    broke_at: str | None
    meant: str | None
    passes_when: str
    broadcast: bool
    other_layout: bool
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        lines: list[str] = []
        for position, sentence in enumerate(self.sentences):
            lead = "  " if position else ""
            more = wrap(for_stream(sentence), WIDTH, initial_indent=lead, subsequent_indent="    ")
            lines += more if len(lines) + len(more) <= MOST_LINES else []
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<LineReport of {self.line}>"


@quiet
def diagnose_line(
    line: str, run: Run, target: str | None = None, examples: str = "rows"
) -> LineReport:
    """Read one line of numpy on the right values of a run, and say what becomes of it.

    The line reads x, y, z1, a1, W1, b1, …; d2 or delta2 for the delta ∂J/∂z2; p for
    the output, m for the number of examples. It is parsed, never run by Python.
    `target` names what it is meant for: "z2" for the delta of layer 2, "W2" for the
    gradient of W2; without one, the name left of the = sign says it, as in
    "dW2 = d2.T @ a1", or else the factors suggest it. With examples="columns" data
    and deltas stand as (units, examples).

    >>> import numpy as np
    >>> from jacobian_bp import Network
    >>> net = Network.dense([5, 3, 2], "tanh", seed=0)
    >>> run = net.run(np.ones((7, 5)), np.zeros((7, 2)))
    >>> print(diagnose_line("dW2 = d2 @ a1.T", run).meant)
    d2.T @ a1

    Raises SpecError for what is no such line, DomainError for a run without a cost.
    """
    if not isinstance(run, Run):
        raise SpecError(
            f"diagnose_line: the run is a {safe(type(run).__name__)}, not a run.\n"
            "  Pass what net.run(x, y) gives."
        )
    if examples not in LAYOUTS:
        raise SpecError(
            f"diagnose_line: examples is {safe(repr(examples))[:40]}.\n"
            '  Write "rows" or "columns": where the examples of a batch stand.'
        )
    read = read_line(line)
    with memory_limit(min(current_limit(), LARGEST)):
        scene = Scene(run._state, run._tied, examples == "columns")
        return _Reading(read.tree, read.target, scene, target).report()


class _Reading:
    """One line on one scene; gathers the sentences of the report in order."""

    def __init__(self, tree: Node, left: str, scene: Scene, target: Any) -> None:
        self.tree, self.scene = tree, scene
        self.text = f"{left} = {render(tree)}" if left else render(tree)
        self.values, self.trials = Values(scene), Trials(scene)
        self.goal = asked_goal(target, left, scene)
        if self.goal and not self.goal.forward:
            require_cost(scene)

    def report(self) -> LineReport:
        try:
            value = self.values.of(self.tree)
        except BreakError as breaks:
            return self._broken(breaks)
        has_cost = scene_has_cost(self.scene)
        if self.goal is None and has_cost:
            self.goal = goal_of_value(self.tree, value, self.scene)
        if self.goal is None:
            return self._without_goal(value)
        verdict = judge(value, self.goal, self.scene)
        return self._right(value, verdict) if verdict.right else self._wrong(value, verdict)

    # ------------------------------------------------------------ four kinds of report

    def _broken(self, breaks: BreakError) -> LineReport:
        if self.goal is None and scene_has_cost(self.scene):
            self.goal = goal_of_factors(self.tree, self.scene)
        other = self._right_in_other_layout()
        says = [f"{self._head()}: breaks at {short(breaks.node)}."]
        arrays = zip(breaks.node.args, breaks.operands, strict=False)
        says += dict.fromkeys(_shape_words(node, operand) for node, operand in arrays)
        says.append(breaks.misfit.why)
        says += self._turned_nothing(breaks.node)
        edit = self._correction()
        says += [f"Meant for {self.goal}: {edit}"] if edit else []
        says += [other] if other else []
        passes = self.trials.passes_when(self.tree, self.goal, breaks.misfit)
        says += [passes] if passes else []
        return self._made(
            says, None, None, broke_at=render(breaks.node), edit=edit, passes=passes, other=other
        )

    def _without_goal(self, value: Valued) -> LineReport:
        axes = f": {axes_words(value.axes)}" if value.axes else ""
        says = [f"{self._head()}: runs, and gives shape {show(value.array.shape)}{axes}."]
        says += self._stretches() + self._meetings()
        says.append('What it is meant for is not clear: pass target="z2" for a delta, or "W2".')
        return self._made(says, value, None)

    def _right(self, value: Valued, verdict: Verdict) -> LineReport:
        goal = self._goal()
        stretched = self._stretches()
        by = ", by numpy's broadcasting" if stretched else ""
        says = [f"{self._head()}: right{by}. It is {goal}, shape {show(value.array.shape)}."]
        says += [verdict.remark] if verdict.remark else []
        says += stretched
        generic = self.trials.generic()
        passes, edit = "", None
        sizes = generic.scene.meanings.sizes if generic else {}
        ending = self.trials.outcome(self.tree, goal, sizes) if generic else RIGHT
        if ending != RIGHT:
            edit = self._correction()
            passes = self._because(ending)
            says.append(passes or "Right at this run; at other sizes or weights it is not.")
            says += [f"Right at any size: {edit}"] if edit else []
        return self._made(says, value, True, edit=edit, passes=passes)

    def _wrong(self, value: Valued, verdict: Verdict) -> LineReport:
        goal = self._goal()
        what = f"gives another array than {goal}."
        if verdict.same_shape:
            what = f"gives wrong numbers for {goal}, in the right shape."
        says = [f"{self._head()}: runs, but {what}"]
        says += [verdict.remark] if verdict.remark else []
        says += self._tied()
        says += self._turned_nothing(self.tree) + self._stretches() + self._meetings()
        edit = self._correction()
        says += [f"Meant for {goal}: {edit}"] if edit else []
        other = self._right_in_other_layout()
        says += [other] if other else []
        passes = self._because(BREAKS)
        says += [passes] if passes else []
        return self._made(says, value, False, edit=edit, passes=passes, other=other)

    # ------------------------------------------------------------ their sentences

    def _made(
        self,
        says: list[str],
        value: Valued | None,
        right: bool | None,
        *,
        broke_at: str | None = None,
        edit: Edit | None = None,
        passes: str = "",
        other: str = "",
    ) -> LineReport:
        return LineReport(
            line=self.text,
            target=self.goal.value if self.goal else None,
            runs=value is not None,
            value=None if value is None else np.array(value.array),
            right=right,
            broke_at=broke_at,
            meant=render(edit.tree) if edit else None,
            passes_when=passes,
            broadcast=value is not None and bool(self._stretches()),
            other_layout=bool(other),
            sentences=tuple(says),
        )

    def _head(self) -> str:
        return self.text if len(self.text) <= 60 else "this line"

    def _goal(self) -> Goal:
        assert self.goal is not None
        return self.goal

    def _correction(self) -> Edit | None:
        if self.goal is None:
            return None
        generic = self.trials.generic()
        trials = [*([generic] if generic else []), self.values]
        with memory_limit(min(current_limit(), 2**26)):
            return correction(self.tree, self.goal, trials)

    def _because(self, ending: str) -> str:
        met = [(a.name, b.name) for _, a, b in self._met()]
        return self.trials.passes_because(self.tree, self._goal(), ending, met)

    def _right_in_other_layout(self) -> str:
        """A sentence where the line is right with the examples the other way round."""
        scene = Scene(self.scene.state, self.scene.tied, not self.scene.columns)
        if self.goal is None:
            return ""
        try:
            value = Values(scene).of(self.tree)
        except (BreakError, JacobianError):
            return ""
        if not judge(value, self.goal, scene).right:
            return ""
        if self.scene.columns:
            return "With the examples in rows this very line is right."
        if self.scene.is_batch:
            return "With the examples in columns, arrays (units, examples), this line is right."
        return "With one example as a column, arrays (units, 1), this line is right."

    def _tied(self) -> list[str]:
        """One parameter under two names has one gradient."""
        value = self._goal().value
        names = [word for word, first in self.scene.tied.items() if first == value]
        if not names or self._goal().forward:
            return []
        return [f"{value} and {' and '.join(names)} are one array: its gradient adds up every use."]

    def _stretches(self) -> list[str]:
        """What numpy's broadcasting repeated, one sentence an operation."""
        says = []
        for part, value in self.values.parts(self.tree):
            words = []
            for side in range(len(part.args)):
                axes = [s.axis for s in value.fit.stretched if s.side == side]
                if axes:
                    operand = self.values.of(part.args[side])
                    along = " and ".join(map(axis_words, axes))
                    words.append(
                        f"{short(part.args[side])} {show(operand.array.shape)} along {along}"
                    )
            if words:
                says.append(f"{short(part)} stretches {', and '.join(words)}.")
        return says[:2]

    def _meetings(self) -> list[str]:
        """Axes of different meaning that numpy paired because their sizes are equal."""
        says: dict[frozenset[str], str] = {}
        for part, a, b in self._met():
            sentence = f"{short(part)} pairs {a.name} with {b.name}: both are {a.size}."
            if a.size > 1:
                says.setdefault(frozenset((a.name, b.name)), sentence)
        return list(says.values())[:2]

    def _met(self) -> list[tuple[Node, Axis, Axis]]:
        parts = self.values.parts(self.tree)
        return [(part, *pair) for part, value in parts for pair in value.fit.met]

    def _turned_nothing(self, node: Node) -> list[str]:
        says = []
        for part in dict.fromkeys([node, *node.args]):
            if part.op == "T" and part.args and self.values.of(part).fit.turned_nothing:
                inner = short(part.args[0])
                says.append(f"{short(part)} is {inner} itself: .T of a 1-D array turns nothing.")
        return says[:1]


def scene_has_cost(scene: Scene) -> bool:
    """Whether there is a scalar to differentiate."""
    return not scene.state.missing and scene.state.values[scene.state.cost].ndim == 0


def _shape_words(node: Node, value: Valued) -> str:
    if not value.axes:
        return f"{short(node)} is a number"
    return f"{short(node)} has shape {show(value.array.shape)}: {axes_words(value.axes)}"
