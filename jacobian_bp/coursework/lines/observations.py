"""What is seen in a line that runs: axes that numpy repeated, or paired by their size alone."""

from ...algebra.axes import Axis
from ...writing.signs import dims
from .shapes import MIXED, axes_words, axis_words
from .tree import Node, short
from .values import Valued, Values

MOST_SAID = 2


def shape_words(node: Node, value: Valued) -> str:
    """W3 has shape (2, 3): units of layer 3 × units of layer 2"""
    if not value.axes:
        return f"{short(node)} is a number"
    return f"{short(node)} has shape {dims(value.array.shape)}: {axes_words(value.axes)}"


def mixed(says: list[str]) -> list[str]:
    """What a mixed axis is, where sentences speak of one."""
    if not any(MIXED in sentence for sentence in says):
        return []
    return ["A mixed axis runs through several at once, after a reshape or np.outer."]


def stretches(tree: Node, values: Values, meant: bool = False) -> list[str]:
    """What numpy's broadcasting repeated, one sentence an operation; `meant` at any size."""
    verb, ending = ("repeats", ", as it should") if meant else ("stretches", "")
    says = []
    for part, value in values.parts(tree):
        words = []
        for side, arg in enumerate(part.args):
            axes = [s.axis for s in value.fit.stretched if s.side == side]
            if axes:
                along = " and ".join(map(axis_words, axes))
                words.append(f"{short(arg)} {dims(values.of(arg).array.shape)} along {along}")
        if words:
            says.append(f"{short(part)} {verb} {', and '.join(words)}{ending}.")
    return says[:MOST_SAID]


def met(tree: Node, values: Values) -> list[tuple[Node, Axis, Axis]]:
    """Axes of different meaning that numpy paired because their sizes are equal."""
    return [(part, *pair) for part, value in values.parts(tree) for pair in value.fit.met]


def meetings(tree: Node, values: Values) -> list[str]:
    """One sentence for each pair of them."""
    says: dict[frozenset[str], str] = {}
    for part, a, b in met(tree, values):
        sentence = f"{short(part)} pairs {a.name} with {b.name}: both are {a.size}."
        if a.size > 1:
            says.setdefault(frozenset((a.name, b.name)), sentence)
    return list(says.values())[:MOST_SAID]


def turned_nothing(node: Node, values: Values) -> list[str]:
    """A .T that changes nothing, as there is one axis only."""
    for part in (node, *node.args):
        if part.op == "T" and part.args and values.of(part).fit.turned_nothing:
            inner = short(part.args[0])
            return [f"{short(part)} is {inner} itself: .T of a 1-D array turns nothing."]
    return []


def diagonals(tree: Node, values: Values) -> list[str]:
    """np.diag makes a matrix of a 1-D array; of a 2-D one it takes the diagonal."""
    says = []
    for part, value in values.parts(tree):
        if part.op == "diag" and value.array.ndim == 1:
            inner = values.of(part.args[0]).array.shape
            says.append(
                f"{short(part)} is the diagonal of an array of shape {dims(inner)}: "
                "np.diag makes a matrix of a 1-D array only."
            )
    return says[:MOST_SAID]


def slopes_at_activations(tree: Node, values: Values) -> list[str]:
    """slope(a2) where slope(z2) is meant: the two agree for a rectifier only."""
    says = []
    for part, _ in values.parts(tree):
        if part.op == "slope" and not values.workspace.is_preactivation(part.args[0].text):
            z = values.workspace.before_activation(part.args[0].text)
            says.append(
                f"{short(part)} equals slope({z}) for a rectifier only: the slope belongs at {z}."
            )
    return says[:1]
