"""What a line is meant for, and whether its value is that."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SpecError
from ...numbers.rounding import FLOOR, RELATIVE, agree, is_single, largest, of_formulas
from ...numbers.wrong_arrays import exchanged_axes, of_examples, times_right
from ...writing.signs import did_you_mean, dims, fraction, plural, safe
from .meanings import EXAMPLES, Axes
from .scene import Labelled, Scene
from .shapes import sizes_of
from .tree import Node, names, walk
from .values import Valued, Values

SINGLE = 1e-4, 1e-7  # relative and floor, where the run is in float32


@dataclass(frozen=True)
class Goal:
    """∂J/∂value, or with `forward` the value itself."""

    value: str
    forward: bool = False

    def right(self, scene: Scene) -> Labelled:
        """The right array, with named axes."""
        return scene.read(self.value) if self.forward else scene.right(self.value)

    def __str__(self) -> str:
        return self.value if self.forward else f"∂J/∂{self.value}"


@dataclass(frozen=True)
class Verdict:
    """Right or wrong, and what can be said about it."""

    right: bool
    remark: str = ""
    same_shape: bool = True

    @property
    def divided_by_m(self) -> bool:
        """Whether every entry is 1/m times the right one."""
        return " is 1/m times the right one" in self.remark


def asked_goal(target: Any, left: str, scene: Scene) -> Goal | None:
    """The goal that is named, by the caller or left of the = sign; None where nothing is."""
    if target is not None:
        value = scene.target(target) if isinstance(target, str) else None
        if value is None:
            known = scene.variables()
            raise SpecError(
                f"diagnose_line: the target is {safe(repr(target))[:60]}, which the run does not "
                f"have.{did_you_mean(target, known)}\n"
                f"  Name what the line is meant for, such as {', '.join(known[:4])}."
            )
        return Goal(value)
    derivative = scene.object(left) if left else None
    if derivative:
        return Goal(derivative)
    computed = scene.target(left) if left else None
    return Goal(computed, True) if computed and scene.state.step(computed) else None


def goal_of_value(tree: Node, value: Valued, scene: Scene) -> Goal | None:
    """The derivative that has just this value, else what the factors suggest."""
    if not value.array.any():
        return goal_of_factors(tree, scene)
    shape = value.array.shape
    alike = [v for v in scene.variables() if sizes_of(scene.axes(v)) == shape]
    found = [goal for goal in map(Goal, alike) if judge(value, goal, scene).right]
    suggested = goal_of_factors(tree, scene)
    if not found and suggested is None and tree.op != "name":
        found = forward_goals(value, scene)
    return suggested if suggested in found or not found else found[0]


def forward_goals(value: Valued, scene: Scene) -> list[Goal]:
    """The values of the forward pass that a line gives."""
    goals = [Goal(step.name, True) for step in scene.state.program.steps]
    return [goal for goal in goals if value.array.ndim and judge(value, goal, scene).right]


def goal_of_factors(tree: Node, scene: Scene) -> Goal | None:
    """What the factors suggest: δ and a slope a delta, δ and an activation a weight gradient."""
    slopes = [part.args[0].text for part in walk(tree) if part.op == "slope"]
    if slopes and scene.target(slopes[0]):
        return Goal(scene.before_activation(slopes[0]))
    read = [scene.spelled(word) for word in names(tree)]
    deltas = [scene.object(word) for word in read if scene.object(word)]
    step = scene.state.step(deltas[0]) if deltas and deltas[0] else None
    if step is None or len(step.args) < 2:
        last = scene.state.step(scene.output)
        both = {"p", scene.output}.intersection(read) and "y" in read
        return Goal(last.args[0]) if both and last else None
    before, weight, *bias = step.args
    maker = scene.state.step(before)
    if weight in read and maker and {before, maker.args[0]}.intersection(read):
        return Goal(maker.args[0])  # the slope written out: (z1 > 0), 1 - a1**2
    if any(word in scene.state.program.params and word != weight for word in read):
        others = [word for word in read if word in scene.state.program.params]
        return Goal(before) if others[0].startswith(weight[:1]) else None
    if weight in read:
        return Goal(before)
    if any(scene.target(word) and not scene.object(word) for word in read):
        return Goal(weight)
    summed = any(part.op in ("sum", "mean") for part in walk(tree))
    return Goal(bias[0] if bias and summed else step.name)


def judge(value: Valued, goal: Goal, scene: Scene) -> Verdict:
    """Compare with the right array, in every shape in which it counts as right."""
    right, axes = goal.right(scene)
    found = value.array
    if found.dtype.kind not in "fiub" or not np.isfinite(found).all():
        if found.ndim == 0:
            return Verdict(False, "It is not finite.")
        bad = int((~np.isfinite(found)).sum())
        text = plural(bad, "entry", "entries")
        return Verdict(False, f"{text} of {found.size} {'is' if bad == 1 else 'are'} not finite.")
    if found.shape == right.shape:
        if _close(found, right):
            return Verdict(True)
        return Verdict(False, _ratio(found, right, scene) or _turned(found, right, goal))
    if _is_data(axes) and found.shape == right.T.shape and _close(found, right.T):
        where = "rows" if scene.columns else "columns"
        return Verdict(True, f"It has its examples in {where}: shape {dims(found.shape)}.")
    flat = min(found.ndim, right.ndim) < 2 and np.squeeze(found).shape == np.squeeze(right).shape
    if flat and _close(found.reshape(right.shape), right):
        shapes = f"{dims(found.shape)}, where {goal} has {dims(right.shape)}"
        return Verdict(True, f"Its shape is {shapes}: the same numbers.")
    ratio = _ratio(found.reshape(right.shape), right, scene) if flat else ""
    if ratio:
        return Verdict(False, ratio, same_shape=False)
    transposed = _turned(found, right, goal)
    shapes = f"it has shape {dims(found.shape)}, {goal} has shape {dims(right.shape)}."
    return Verdict(False, transposed or shapes[0].upper() + shapes[1:], same_shape=False)


def exactly(values: Values, tree: Node, goal: Goal) -> bool:
    """Whether the line gives the right array in its very shape; errors pass through."""
    right = goal.right(values.scene)[0]
    found = values.of(tree).array
    return found.shape == right.shape and bool(np.isfinite(found).all()) and _close(found, right)


def _close(found: np.ndarray, right: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return agree(found, right, _allowed(right))


def _allowed(right: np.ndarray) -> np.ndarray:
    return of_formulas(right, *(SINGLE if is_single(right) else (RELATIVE, FLOOR)))


def _is_data(axes: Axes) -> bool:
    return len(axes) == 2 and EXAMPLES in (axes[0].name, axes[1].name)


def _turned(found: np.ndarray, right: np.ndarray, goal: Goal) -> str:
    if found.ndim == 2 and exchanged_axes(found, right, _allowed(right)):
        return f"It is the transpose of {goal}, of shape {dims(found.shape)}."
    return ""


def _ratio(found: np.ndarray, right: np.ndarray, scene: Scene) -> str:
    """The factor between the two, where it is one number."""
    live = np.abs(right) > FLOOR * largest(right)
    if not live.any():
        return ""
    factor = float(np.median(found[live] / right[live]))  # printed: in float32 one has few digits
    if factor == 0 or not _close(found / factor, right):
        return ""
    batch, who = scene.read("m")[0].item(), "Every entry" if right.ndim else "It"
    word = of_examples(factor, batch)
    if word:
        return f"{times_right(word, who)}, m = {batch:g}."
    return f"{times_right(fraction(round(factor, 5 if is_single(right) else 15)), who)}."
