"""One line on one run: breaks, right, wrong, or without a goal; the sentences of each."""

import math
import re
from dataclasses import replace
from functools import cached_property

import numpy as np

from ...network.run import Run
from ...numbers.memory import current_limit, memory_limit
from ...writing.signs import dims
from ..diagnosis.diagnosis import Finding
from . import observations as seen
from .comparison import Comparison, compare
from .edits import ANEW, Edit, correction
from .goal import Goal
from .known_mistake import finding
from .laid_out import require_cost
from .language import Statement
from .line_report import LineReport
from .readings import Reading
from .shapes import axes_words
from .tree import Node, render, short
from .trials import BREAKS, RIGHT, Trials
from .values import BreakError, Valued, Values

PARAMETERS = re.compile(r"d_?[Wb]_?\d+")
ADDED = "+= adds what stands right of it: that is what is judged."


class Explanation:
    """Gathers the sentences of a report in order."""

    def __init__(self, statement: Statement, run: Run, reading: Reading) -> None:
        self.statement, self.tree = statement, statement.tree
        self.run, self.reading = run, reading
        self.workspace, self.goal = reading.workspace, reading.goal
        self.other_layout = ""  # a sentence where the line is right in another layout
        self.text = _shown(statement, self.tree)
        self.values, self.trials = Values(self.workspace), Trials(self.workspace)
        if self.goal and not (self.goal.forward or self.goal.by):
            require_cost(self.workspace)

    @property
    def is_right(self) -> bool:
        """Whether the line gives what it is meant for, in this reading."""
        try:
            value = self.values.of(self.tree)
        except BreakError:
            return False
        return self.goal is not None and compare(value, self.goal, self.workspace).right

    @property
    def distance(self) -> float:
        """How far the line is from a right one."""
        return self._edit.cost if self._edit else math.inf

    def report(self) -> LineReport:
        try:
            value = self.values.of(self.tree)
        except BreakError as breaks:
            return self._broken(breaks)
        if self.goal is None:
            return self._without_goal(value)
        comparison = compare(value, self.goal, self.workspace)
        return (
            self._right(value, comparison) if comparison.right else self._wrong(value, comparison)
        )

    # ------------------------------------------------------------ four kinds of report

    def _broken(self, breaks: BreakError) -> LineReport:
        says = [f"{self._head()}: breaks at {short(breaks.node)}.", *self._left()]
        arrays = zip(breaks.node.args, breaks.operands, strict=False)
        says += dict.fromkeys(seen.shape_words(node, operand) for node, operand in arrays)
        says.append(breaks.misfit.why)
        says += seen.mixed(says)
        says += seen.turned_nothing(breaks.node, self.values)
        says += self._meant()
        says += [self.other_layout] if self.other_layout else []
        passes = self.trials.passes_when(self.tree, self.goal, breaks.misfit)
        says += [passes] if passes else []
        return self._made(says, broke_at=render(breaks.node), passes_when=passes, meant=self._edit)

    def _without_goal(self, value: Valued) -> LineReport:
        axes = f": {axes_words(value.axes)}" if value.axes else ""
        says = [f"{self._head()}: runs, and gives shape {dims(value.array.shape)}{axes}."]
        says += self._left() + seen.mixed(says)
        says += seen.stretches(self.tree, self.values) + seen.meetings(self.tree, self.values)
        says.append("What it is meant for is not clear: name it in front, as in dW2 = d2.T @ a1.")
        return self._made(says, value)

    def _of_no_layer(self, value: Valued) -> LineReport:
        """The right numbers under a name of no layer: dW9 = d2.T @ a1."""
        goal, target = self._goal(), self.statement.target
        line = f"d{goal.value} {self.statement.sign} {render(self.tree)}"
        gives = f"gives {goal}, shape {dims(value.array.shape)}, and is not {target}"
        says = [f"{self._head()}: {gives}.", *self._left(), f"Meant for {goal}: {line}"]
        return self._made(says, value, right=False)

    def _right(self, value: Valued, comparison: Comparison) -> LineReport:
        goal = self._goal()
        no_layer = PARAMETERS.fullmatch(self.statement.target) and goal.is_plain
        if no_layer and self.workspace.unknown_left(self.statement.target):
            return self._of_no_layer(value)
        generic = self.trials.generic()
        sizes = generic.workspace.meanings.sizes if generic else {}
        ending = self.trials.outcome(self.tree, goal, sizes) if generic else RIGHT
        meant = generic is not None and ending == RIGHT  # as a bias that each example has
        stretched = seen.stretches(self.tree, self.values, meant)
        by = ", by numpy's broadcasting" if stretched and not meant else ""
        says = [f"{self._head()}: right{by}. It is {goal}, shape {dims(value.array.shape)}."]
        says += self._left(right=True)
        says += [comparison.remark] if comparison.remark else []
        says += stretched + seen.slopes_at_activations(self.tree, self.values)
        if ending == RIGHT:
            return self._made(says, value, right=True)
        passes, edit = self._because(ending), self._edit
        says.append(passes or "Right at this run; at other sizes or weights it is not.")
        says += [f"Right at any size: {edit}"] if edit else []
        return self._made(says, value, right=True, passes_when=passes, meant=edit)

    def _wrong(self, value: Valued, comparison: Comparison) -> LineReport:
        goal, edit = self._goal(), self._edit
        mistake = None
        declared = self.workspace.told.mean == "gradient"  # where else of_each is one reading
        plain = replace(goal, of_each=False) if declared else goal
        if plain.is_plain and (declared or not self.workspace.told.of_each):
            mistake = finding(self.tree, value, goal, self.run, self.workspace)
        if mistake and mistake.label == "kink":
            return self._right(value, Comparison(True, mistake.remark))
        says = [f"{self._head()}: runs, but {_wrongness(value, goal, comparison)}", *self._left()]
        says += [comparison.remark] if comparison.remark else []
        says += self._tied()
        says += seen.turned_nothing(self.tree, self.values)
        says += seen.diagonals(self.tree, self.values)
        says += seen.stretches(self.tree, self.values) + seen.meetings(self.tree, self.values)
        of_penalty = mistake is not None and "penalty" in mistake.label
        asked = mistake if edit is None or edit.why == ANEW or of_penalty else None
        says += _said(asked, comparison)
        says += self._meant()
        says += [self.other_layout] if self.other_layout else []
        passes = self._because(BREAKS)
        says += [passes] if passes else []
        return self._made(
            says,
            value,
            right=False,
            passes_when=passes,
            meant=edit,
            label=None if mistake is None or mistake.ok else mistake.label,
        )

    def _made(
        self,
        says: list[str],
        value: Valued | None = None,
        *,
        right: bool | None = None,
        broke_at: str | None = None,
        meant: Edit | None = None,
        passes_when: str = "",
        label: str | None = None,
    ) -> LineReport:
        wrong = right is False or value is None
        return LineReport(
            line=self.text,
            target=self.goal.value if self.goal else None,
            runs=value is not None,
            value=None if value is None else np.array(value.array),
            right=right,
            broke_at=broke_at,
            meant=_corrected(self.statement, meant.tree) if meant else None,
            passes_when=passes_when,
            broadcast=value is not None and bool(seen.stretches(self.tree, self.values)),
            other_layout=wrong and bool(self.other_layout),
            label=label,
            sentences=tuple(says),
        )

    # ------------------------------------------------------------ their sentences

    def _head(self) -> str:
        return self.text if len(self.text) <= 60 else "this line"

    def _goal(self) -> Goal:
        assert self.goal is not None
        return self.goal

    def _left(self, right: bool = False) -> list[str]:
        """What is to be said of the name left of the = sign, of +=, and of how it is read."""
        unknown = self.workspace.unknown_left(self.statement.target)
        says = [unknown] * bool(unknown) + [ADDED] * (self.statement.sign == "+=")
        if self.statement.masked and self.goal:
            verb = "is" if right else "is meant to be"
            says.append(f"From here {self.statement.target} {verb} {self.goal}.")
        if right and self.reading.condition:
            told = [said for said in self.reading.says if " is read as ∂L" not in said]
            return says + told + list(self.reading.condition)
        return says + list(self.reading.says)

    @cached_property
    def _edit(self) -> Edit | None:
        """The smallest correction that is right, or None."""
        if self.goal is None:
            return None
        generic = self.trials.generic()
        trials = [*([generic] if generic else []), self.values]
        with memory_limit(min(current_limit(), 2**26)):
            return correction(self.tree, self.goal, trials)

    def _meant(self) -> list[str]:
        if not self._edit:
            return []
        corrected = _corrected(self.statement, self._edit.tree)
        return [f"Meant for {self.goal}: {corrected}   ({self._edit.why})"]

    def _because(self, ending: str) -> str:
        met = [(a.name, b.name) for _, a, b in seen.met(self.tree, self.values)]
        return self.trials.passes_because(self.tree, self._goal(), ending, met)

    def _tied(self) -> list[str]:
        """One parameter under two names has one gradient."""
        value = self._goal().value
        names = [word for word, first in self.workspace.tied.items() if first == value]
        if not names or self._goal().forward:
            return []
        return [f"{value} and {' and '.join(names)} are one array: its gradient adds up every use."]


def _shown(statement: Statement, tree: Node) -> str:
    """The line as it was read."""
    if statement.masked or statement.sign == "/=":
        return _corrected(statement, tree)
    equals = f"{statement.target} {statement.sign} " if statement.target else ""
    return f"{equals}{render(tree)}"


def _corrected(statement: Statement, tree: Node) -> str:
    """What stands right of the = sign; of dA1[Z1 <= 0] = 0 and dW2 /= m, the whole line."""
    if statement.sign == "/=":
        of_it = tree.op == "/" and render(tree.args[0]) == statement.target
        sign, rest = ("/=", tree.args[1]) if of_it else ("=", tree)
        return f"{statement.target} {sign} {render(rest)}"
    if statement.masked and tree.op == "where" and tree.args[2].text == statement.target:
        return f"{statement.target}[{render(tree.args[0])}] = {render(tree.args[1])}"
    return render(tree)


def _wrongness(value: Valued, goal: Goal, comparison: Comparison) -> str:
    if not comparison.same_shape:
        return f"gives another array than {goal}."
    if value.array.ndim == 0:
        return f"gives a wrong number for {goal}."
    return f"gives wrong numbers for {goal}, in the right shape."


def _said(mistake: Finding | None, comparison: Comparison) -> list[str]:
    """The mistake that gives these numbers; where none is known, what is certain of them."""
    if mistake is None or mistake.ok or (mistake.label == "transposed" and comparison.remark):
        return []  # the remark says of what it is the transpose
    if mistake.label == "unknown":
        return [] if comparison.remark else list(mistake.proved)
    return list(mistake.sentences)
