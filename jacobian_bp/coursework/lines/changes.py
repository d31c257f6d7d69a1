"""Single changes of a line: @ for *, .T, np.outer, order, grouping, another name or factor.

Each comes with its cost, the distance from what the student wrote, with its words, and
with the product that it writes in another way, if it does: one product is changed once.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product as combinations

from ...ops import Linear
from .calls import REDUCING
from .forward_changes import of_function, of_whole
from .goal import Goal
from .language import read_line
from .respelled import respelled
from .simplify import is_count, is_one, is_scalar, negated, transposed, without_one
from .tree import Node, name, names, places, product, put, render, turned, walk
from .workspace import Workspace

FLIPPED = {"+": "-", "-": "+", ">": "<", "<": ">", ">=": "<=", "<=": ">="}
PRODUCTS = ("*", "@", "dot", "outer")
WRITTEN = {"dot": "np.dot", "outer": "np.outer"}

Path = tuple[int, ...]
Change = tuple[Node, int, str]  # a tree, how far it is, what was changed


def single(tree: Node, goal: Goal, workspace: Workspace) -> Iterator[tuple[Change, Path | None]]:
    """Every line that is one change away; with the place of the product that was changed."""
    slopes = set()
    for path, node in places(tree):
        if path[:-1] in slopes and path:  # a slope stands at a pre-activation, or nowhere
            continue
        if node.op == "slope":
            slopes.add(path)
        for new, cost, why in _products(node, workspace):
            yield (put(tree, path, new), cost, why), path
        for new, cost, why in (
            *_groups(node),
            *_turns(node),
            *_einsums(node),
            *_sums(node, workspace),
            *_factors(node, goal, workspace),
            *_slopes(node, workspace),
            *_names(node, workspace),
            *_beside_a_bias(node, goal, workspace),
            *_signs(node),
            *of_function(node, goal, workspace),
        ):
            yield (put(tree, path, new), cost, why), None
    for whole in (*_wholes(tree, goal, workspace), *of_whole(tree, goal, workspace)):
        yield whole, None


def _products(node: Node, workspace: Workspace) -> Iterator[Change]:
    """One product in another way: another sign, operands turned, the other order."""
    if node.op not in PRODUCTS or (node.op == "*" and any(map(is_scalar, node.args))):
        return
    left, right = node.args
    own, written = "@" if node.op == "dot" else node.op, WRITTEN.get(node.op, node.op)
    one = not (workspace.is_batch or workspace.columns)
    bare = [arg.args[0] if arg.op in ("T", "index") else arg for arg in node.args]
    if one:
        yield product("outer", *bare[::-1]), 2, "np.outer, in this order"
    for swap, op, t_left, t_right in combinations((0, 1), "*@", (0, 1), (0, 1)):
        pair = [transposed(left) if t_left else left, transposed(right) if t_right else right]
        why = [f"{op} for {written}"] if op != own else []
        for flag, old, new in zip((t_left, t_right), node.args, pair, strict=True):
            why += [f"{render(new)} for {render(old)}"] if flag else []
        if swap:
            if op == own == "*":
                continue
            pair.reverse()
            why.append("the operands the other way round")
        turns = 1 if op == own and t_left and t_right and swap else 0  # (a b).T = b.T a.T
        if why:
            new = replace(node, args=tuple(pair)) if op == own else product(op, *pair)
            yield new, len(why) - turns, ", ".join(why)
    if one and own != "outer":
        yield product("outer", *bare), 1, f"np.outer for {written}"


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


def _turns(node: Node) -> Iterator[Change]:
    """A .T or a new axis left out."""
    if node.op == "T":
        yield node.args[0], 1, "without .T"
    if node.op == "index":
        yield node.args[0], 1, f"without [{node.text}]"


def _einsums(node: Node) -> Iterator[Change]:
    """Two letters of np.einsum the other way round: of the output, or of an array."""
    if node.op != "einsum":
        return
    left, arrow, out = node.text.partition("->")
    terms = left.split(",")
    if not arrow:  # what occurs once, by the alphabet
        out = "".join(sorted(c for c in left.replace(",", "") if left.count(c) == 1))
    if len(out) == 2:
        why = f"->{out[::-1]} for ->{out}" if arrow else f"->{out[::-1]} put in"
        yield replace(node, text=f"{left}->{out[::-1]}"), 1, why
    for place, term in enumerate(terms):
        if len(term) == 2:
            text = ",".join((*terms[:place], term[::-1], *terms[place + 1 :]))
            new = replace(node, text=f"{text}->{out}" if arrow else text)
            yield new, 1, f"{term[::-1]} for {term}"


def _sums(node: Node, workspace: Workspace) -> Iterator[Change]:
    """The sum over another axis, a sum for a mean, or neither; in columns with keepdims."""
    if node.op not in REDUCING:
        return
    own = ("sum", "mean") if node.op in ("sum", "mean") else (node.op,)
    kept = bool(node.option("keepdims"))
    keeps = (kept, workspace.columns) if kept != workspace.columns else (kept,)
    for op, axis, keep in combinations(own, (None, 0, 1), keeps):
        options = {"axis": axis} if axis is not None else {}
        options |= {"keepdims": True} if keep else {}
        style = node.style if node.style == "." else f"np.{op}("
        new = replace(node, op=op, options=tuple(options.items()), style=style)
        written = [f"{key}={value}" for key, value in options.items() if node.option(key) != value]
        written += ["no axis"] if axis is None and node.option("axis") is not None else []
        written += ["no keepdims"] if kept and not keep else []
        why = [f"{op} for {node.op}"] if op != node.op else []
        why += [", ".join(written)] if written else []
        if why:
            yield new, len(why), ", ".join(why)
    yield node.args[0], 1, f"no {node.op}"


def _factors(node: Node, goal: Goal, workspace: Workspace) -> Iterator[Change]:
    """A factor left out, the slope put for another, or the weights put in that carry a delta."""
    if node.op == "*":
        slope = _slope(goal, workspace)
        for side, gone in enumerate(node.args):
            if gone.op == "/" and is_scalar(gone) and is_one(gone.args[0]):
                yield node.args[1 - side], 1, f"not divided by {render(gone.args[1])}"
            elif gone.op == "slope" or is_scalar(gone):
                cost = 1 if is_count(gone) else 2
                yield node.args[1 - side], cost, f"without {render(gone)}"
            elif slope and not any(map(workspace.object, names(gone))):
                far = 3 + any(part.op in (*FLIPPED, "function", "**") for part in walk(gone))
                yield put(node, (side,), slope), far, f"{render(slope)} for {render(gone)}"
    if node.op == "/" and is_scalar(node.args[1]) and not is_one(node.args[0]):
        rest, divisor = without_one(node.args[0]), node.args[1]
        yield rest, 1 if names(divisor) else 2, f"not divided by {render(divisor)}"
        if divisor.op == "size":
            yield replace(node, args=(node.args[0], name("m"))), 1, f"m for {render(divisor)}"
    if node.op == "name" and workspace.object(node.text):
        step = workspace.state.step(workspace.object(node.text) or "")
        if step is not None and isinstance(step.op, Linear):
            weight = name(step.args[1])
            left, right = (
                (weight, turned(weight)) if workspace.told.turned else (turned(weight), weight)
            )
            back = product("@", left, node) if workspace.columns else product("@", node, right)
            yield back, 3, f"{weight.text} put in"


def _slope(goal: Goal, workspace: Workspace) -> Node | None:
    """The slope that the goal's delta goes through, where it goes through one."""
    if goal.forward or goal.by or not workspace.is_preactivation(goal.value):
        return None
    return Node("slope", (name(goal.value),), style="slope(")


def _slopes(node: Node, workspace: Workspace) -> Iterator[Change]:
    """The slope at another pre-activation; at an activation it is right for a rectifier only."""
    if node.op != "slope" or node.args[0].op != "name":
        return
    own = workspace.spelled(node.args[0].text)
    before = workspace.before_activation(own)
    for z in workspace.preactivations:
        if z != own:
            new = put(node, (0,), name(z))
            yield new, 2 if z == before else 3, f"{render(new)} for {render(node)}"


def _names(node: Node, workspace: Workspace) -> Iterator[Change]:
    """Another layer's array, or a value before for the value behind its activation."""
    found = workspace.meaning(node.text) if node.op == "name" else None
    kind = re.fullmatch(r"([Wbaz])(\d+)|x", found.of) if found else None
    if found is not None and found.kind == "jacobian":
        yield from _neighbours(node, workspace)
    if found is None or kind is None or found.kind == "jacobian":
        return
    own = int(kind[2] or 0)
    letters = {"z": "za"}.get(kind[1], "az") if kind[1] in ("a", "z", None) else kind[1]
    for layer in range(max(own - 2, 0), own + 3):
        others = ["x"] if layer == 0 and "a" in letters else [f"{k}{layer}" for k in letters]
        for other in others:
            wanted = found._replace(of=other)
            if other == found.of or other not in workspace.state.values:
                continue
            if found.kind == "gradient" and other == "x":
                continue
            word = respelled(node.text, wanted, workspace.names)
            if workspace.meaning(word) == wanted:
                yield name(word), 2 if layer == own else 3, f"{word} for {node.text}"


def _beside_a_bias(node: Node, goal: Goal, workspace: Workspace) -> Iterator[Change]:
    """Weights without the bias in them, for a delta; for ∂J/∂W, what they read beside ones."""
    if node.op != "name":
        return
    value, first = workspace.spelled(node.text), workspace.told.bias == "first"
    if workspace.holds_bias(value):
        rest = "1:" if first else ":-1"
        new = Node("index", (node,), rest if workspace.told.turned else f":, {rest}")
        yield new, 1, f"{render(new)} for {node.text}"
    reads = [step.args[0] for step in workspace.state.program.steps if goal.value in step.args]
    if workspace.holds_bias(goal.value) and not goal.forward and value in reads:
        size, join = ("(1, m)", "vstack") if workspace.columns else ("(m, 1)", "hstack")
        both = (f"np.ones({size})", node.text) if first else (node.text, f"np.ones({size})")
        new = read_line(f"np.{join}(({', '.join(both)}))").tree
        yield new, 2, f"ones put beside {node.text}"


def _neighbours(node: Node, workspace: Workspace) -> Iterator[Change]:
    """dz3_da2 for dz2_da1: the same Jacobian one layer on, or back."""
    for step in (1, -1):
        numbers = re.split(r"(\d+)", node.text)
        word = "".join(str(int(part) + step) if part.isdigit() else part for part in numbers)
        found = workspace.meaning(word)
        if found is not None and found.kind == "jacobian":
            yield name(word), 2, f"{word} for {node.text}"


def _signs(node: Node) -> Iterator[Change]:
    """+ for -, > for <, the other two arrays of np.where, another exponent or number."""
    if node.op in FLIPPED:
        new = replace(node, op=FLIPPED[node.op])
        if node.style.startswith("np."):
            new = Node(FLIPPED[node.op], node.args)
        yield new, 2 if node.op in "+-" else 1, f"{FLIPPED[node.op]} for {node.op}"
    if node.op == "exp":
        other = negated(node.args[0])
        new = replace(node, args=(other,))
        yield new, 2, f"{render(new)} for {render(node)}"
    if node.op == "where":
        mask, first, second = node.args
        yield replace(node, args=(mask, second, first)), 2, "the two arrays the other way round"
    if node.op == "**" and node.args[1].text not in ("2", ""):
        two = Node("number", text="2")
        yield replace(node, args=(node.args[0], two)), 2, f"**2 for **{node.args[1].text}"
    if node.op == "**":
        yield node.args[0], 2, f"without **{render(node.args[1])}"
    if node.op == "number" and not is_one(node):
        for text in ("1", "2"):
            if float(node.text) != float(text):
                yield Node("number", text=text), 2, f"{text} for {node.text}"


def _wholes(tree: Node, goal: Goal, workspace: Workspace) -> Iterator[Change]:
    """The whole line summed over the examples, with the slope, or times a number."""
    if workspace.is_batch:
        axis = 1 if workspace.columns else 0
        options: tuple = (("axis", axis), *((("keepdims", True),) if workspace.columns else ()))
        summed = Node("sum", (tree,), options=options, style=".")
        yield summed, 1, "summed over the examples"
    slope = _slope(goal, workspace)
    slopes = [workspace.spelled(part.args[0].text) for part in walk(tree) if part.op == "slope"]
    if slope and goal.value not in slopes:
        yield product("*", tree, slope), 2, f"{render(slope)} put in"
    size, two = name("m"), Node("number", text="2")
    if workspace.is_batch:
        yield Node("/", (tree, size)), 2, "divided by m"
        yield Node("*", (tree, size)), 2, "times m"
    yield negated(tree), 2, "the other sign"
    yield Node("*", (two, tree)), 2, "times 2"
    yield Node("/", (tree, two)), 2, "divided by 2"
