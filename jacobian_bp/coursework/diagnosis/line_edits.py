"""Small corrections of a line, the smallest first: @ for *, .T, np.outer, order, grouping.

A correction is never guessed: it counts only if its value is the right array, on the
student's run and on a run of other sizes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product as combinations

from ...errors import JacobianError
from .line_goal import Goal, exactly
from .line_language import read_line
from .line_scene import Scene
from .line_tree import Node, name, names, places, product, put, render, turned, walk
from .line_values import BreakError, Values

PRODUCTS, MOST_COST, MOST_TRIES = ("*", "@", "dot", "outer"), 4, 60_000  # nodes


@dataclass(frozen=True)
class Edit:
    """A corrected line, how far it is from the student's, and what was changed."""

    tree: Node
    cost: int
    why: str

    def __str__(self) -> str:
        return f"{render(self.tree)}   ({self.why})"


def correction(tree: Node, goal: Goal, trials: Sequence[Values]) -> Edit | None:
    """The smallest correction that gives the right array in every trial.

    Where none does, the goal's own line if it has one, else None.
    """
    scene = trials[0].scene
    for edit in (*_candidates(tree, goal, scene), *_anew(goal, scene)):
        if all(_gives(values, edit.tree, goal) for values in trials):
            return edit
    return None


def _anew(goal: Goal, scene: Scene) -> Iterator[Edit]:
    """The line of BP2, BP3 or BP4 for the goal, where a layer is linear and then activated."""
    for step in () if goal.forward else scene.state.program.steps:
        if step.op.name != "Linear" or f"d{step.name[1:]}" not in scene.deltas():
            continue
        (before, weight, bias), d = step.args, f"d{step.name[1:]}"
        back = f"{weight}.T @ {d}" if scene.columns else f"{d} @ {weight}"
        outer = f"{d} @ {before}.T" if scene.columns else f"{d}.T @ {before}"
        total = f"{d}.sum(axis=1, keepdims=True)" if scene.columns else f"{d}.sum(axis=0)"
        if not (scene.is_batch or scene.columns):
            outer, total = f"np.outer({d}, {before})", d
        lines = {before: back, weight: outer, bias: total}
        maker = scene.state.step(before)
        if maker is not None:
            lines[maker.args[0]] = f"{back} * slope({maker.args[0]})"
        if goal.value in lines:
            yield Edit(read_line(lines[goal.value]).tree, MOST_COST, "written anew")


def _slope(goal: Goal) -> Node:
    return Node("slope", (name(goal.value),), style="slope(")


def _gives(values: Values, tree: Node, goal: Goal) -> bool:
    try:
        return exactly(values, tree, goal)
    except (BreakError, JacobianError):
        return False


def _candidates(tree: Node, goal: Goal, scene: Scene) -> list[Edit]:
    """Single corrections and pairs of them, each tree once, the smallest first."""
    found, size = {tree: Edit(tree, 0, "")}, sum(1 for _ in walk(tree))
    singles = sorted(_single(tree, goal, scene), key=lambda edit: edit.cost)
    for edit in singles:
        found.setdefault(edit.tree, edit)
    for first in singles:
        if len(found) * size > MOST_TRIES:
            break
        for second in _single(first.tree, goal, scene):
            cost = first.cost + second.cost
            if cost <= MOST_COST:
                both = Edit(second.tree, cost, f"{first.why}; {second.why}")
                known = found.setdefault(both.tree, both)
                if known.cost > cost:
                    found[both.tree] = both
    del found[tree]
    given = _answers(tree, goal, scene)
    kept = [edit for edit in found.values() if given or not _answers(edit.tree, goal, scene)]
    return sorted(kept, key=lambda edit: edit.cost)


def _answers(tree: Node, goal: Goal, scene: Scene) -> bool:
    """Whether the line reads the very derivative that it is meant to compute."""
    return any(scene.object(word) == goal.value for word in names(tree))


def _single(tree: Node, goal: Goal, scene: Scene) -> Iterator[Edit]:
    for path, node in places(tree):
        for new, cost, why in (
            *_products(node, scene),
            *_groups(node),
            *_sums(node),
            *_factors(node, goal, scene),
            *_names(node, scene),
        ):
            yield Edit(put(tree, path, new), cost, why)
    for new, cost, why in _wholes(tree, goal, scene):
        yield Edit(new, cost, why)


Change = tuple[Node, int, str]


def _products(node: Node, scene: Scene) -> Iterator[Change]:
    """One product in another way: another sign, operands turned, the other order."""
    if node.op not in PRODUCTS:
        return
    left, right = node.args
    own = "@" if node.op == "dot" else node.op
    for op, t_left, t_right, swap in combinations("*@", (0, 1), (0, 1), (0, 1)):
        pair = [turned(left) if t_left else left, turned(right) if t_right else right]
        why = [f"{op} for {node.op}"] if op != own else []
        for flag, old, new in zip((t_left, t_right), node.args, pair, strict=True):
            why += [f"{render(new)} for {render(old)}"] if flag else []
        if swap:
            if op == own == "*":
                continue
            pair.reverse()
            why.append("the operands the other way round")
        if why:
            yield product(op, *pair), len(why), ", ".join(why)
    if not (scene.is_batch or scene.columns):
        bare = [arg.args[0] if arg.op in ("T", "index") else arg for arg in node.args]
        yield product("outer", *bare), 1 + (own == "outer"), f"np.outer for {node.op}"
        yield product("outer", *bare[::-1]), 2, "np.outer, in this order"


def _groups(node: Node) -> Iterator[Change]:
    """(a b) c as a (b c), and back: * and @ bind equally, from the left."""
    if node.op not in ("*", "@") or node.style:
        return
    left, right = node.args
    if left.op in ("*", "@") and not left.style:
        inner = product(node.op, left.args[1], right)
        yield product(left.op, left.args[0], inner), 1, "grouped by parentheses"
    if right.op in ("*", "@") and not right.style:
        inner = product(node.op, left, right.args[0])
        yield product(right.op, inner, right.args[1]), 1, "grouped by parentheses"


def _sums(node: Node) -> Iterator[Change]:
    """The sum over another axis, a sum for a mean, or neither."""
    if node.op not in ("sum", "mean"):
        return
    for op, axis in combinations(("sum", "mean"), (None, 0, 1)):
        options = dict(node.options) | {"axis": axis}
        if axis is None:
            del options["axis"]
        style = node.style if node.style == "." else f"np.{op}("
        new = replace(node, op=op, options=tuple(options.items()), style=style)
        written = "axis=" + str(axis) if axis is not None else "no axis"
        why = [f"{op} for {node.op}"] if op != node.op else []
        why += [written] if axis != node.option("axis") else []
        if why:
            yield new, len(why), ", ".join(why)
    yield node.args[0], 1, f"no {node.op}"


def _factors(node: Node, goal: Goal, scene: Scene) -> Iterator[Change]:
    """A slope left out or put for another factor, or the weights put in that carry a delta back."""
    if node.op == "*":
        slope = _slope(goal)
        for side, gone in enumerate(node.args):
            if gone.op in ("slope", "number"):
                yield node.args[1 - side], 2, f"without {render(gone)}"
            elif not goal.forward and not any(map(scene.object, names(gone))):
                yield put(node, (side,), slope), 3, f"{render(slope)} for {render(gone)}"
    if node.op == "name" and scene.object(node.text):
        step = scene.state.step(scene.object(node.text) or "")
        if step is not None and step.op.name == "Linear":
            weight = name(step.args[1])
            back = product("@", turned(weight), node)
            if not scene.columns:
                back = product("@", node, weight)
            yield back, 3, f"{weight.text} put in"


def _names(node: Node, scene: Scene) -> Iterator[Change]:
    """Another layer's array, or a value before for the value behind its activation."""
    if node.op != "name":
        return
    kind = re.fullmatch(r"(W|delta_?|dz|d|[az])(\d+)|x", node.text)
    if kind is None:
        return
    data = node.text == "x" or kind[1] in ("a", "z")
    own = int(kind[2] or 0)
    for layer in range(max(own - 2, 0), own + 3):
        others = (["x"] * (layer == 0) + [f"a{layer}", f"z{layer}"]) if data else []
        for other in others or [f"{kind[1]}{layer}"]:
            if other != node.text and scene.target(other):
                yield name(other), 2 if layer == own else 3, f"{other} for {node.text}"


def _wholes(tree: Node, goal: Goal, scene: Scene) -> Iterator[Change]:
    """The whole line summed over the examples, with the slope, or times a number."""
    if scene.is_batch:
        axis = 1 if scene.columns else 0
        options: tuple = (("axis", axis), *((("keepdims", True),) if scene.columns else ()))
        summed = Node("sum", (tree,), options=options, style=".")
        yield summed, 1, "summed over the examples"
    slope = _slope(goal)
    if not goal.forward and slope not in walk(tree):
        yield product("*", tree, slope), 2, f"{render(slope)} put in"
    size, two = name("m"), Node("number", text="2")
    if scene.is_batch:
        yield Node("/", (tree, size)), 2, "divided by m"
        if "m" in names(tree) and tree.op == "/":
            yield tree.args[0], 1, "not divided by m"
        yield Node("*", (tree, size)), 2, "times m"
    yield Node("neg", (tree,)), 2, "the other sign"
    yield Node("*", (two, tree)), 2, "times 2"
    yield Node("/", (tree, two)), 2, "divided by 2"
