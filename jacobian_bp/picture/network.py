"""A network as units and weights, and one of its layers with activations and sums apart.

w_{ij}  goes from unit j of a layer to unit i of the next, b_{i} from a node 1 to unit i
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..document.picture import Picture
from ..writing.signs import dims, plural
from .canvas import Canvas, Point, shortened

MOST_UNITS, MOST_LAYERS = 8, 7  # drawn; of more the first ones and the last
CROWDED = 5  # units of a layer above which edges have no tips, and few of them names
MOST_SIGNS = 40  # of a layer in text
STEP, ACROSS, RADIUS = 50.0, 165.0, 15.0


@dataclass(frozen=True)
class Layer:
    """A column of units: the name of their values, how many, how they are made.

    `weights` and `biases` are the names of what leads to them: none of the input.
    """

    name: str
    units: int
    made: str = ""
    weights: str = ""
    biases: str = ""


def network(layers: Sequence[Layer], first: int = 0) -> Picture:
    """Units, weights and biases of every layer; of a large one the ends.

    `first` is the number of the first unit: 0 as numpy counts, 1 as the seeds do.
    """
    columns: list[Layer | None] = list(layers)
    if len(layers) > MOST_LAYERS:
        columns = [*layers[: MOST_LAYERS - 3], None, *layers[-2:]]
    canvas = Canvas()
    tallest = max(len(_numbers(layer.units)) + 1 for layer in layers)
    middle = 64 + (tallest - 1) * STEP / 2
    places = [_places(columns, at, middle) for at in range(len(columns))]
    crowded = max(len(units) for units, _ in places) > CROWDED
    for at, (left, right) in enumerate(pairwise(columns)):
        if left is None or right is None:
            continue
        x = 34 + (at + 0.5) * ACROSS
        names = ", ".join(shortened(n, 12) for n in (right.weights, right.biases) if n)
        canvas.math(x, 30, names, 15, "weight", "middle", ACROSS - 40)
        _edges(canvas, places[at], places[at + 1], crowded)
        _labels(canvas, places[at], places[at + 1], (left, right), first)
    for at, layer in enumerate(columns):
        _units(canvas, places[at], layer, 34 + at * ACROSS, first)
    below = canvas.bottom + 26
    for at, layer in enumerate(columns):
        if layer is not None:
            x = 34 + at * ACROSS
            canvas.math(x, below, layer.name, 16, "", "middle", ACROSS - 30)
            words = f"{layer.units:,} {layer.made}".strip()
            canvas.words(x, below + 18, words, 10.5, "soft", "middle", ACROSS - 20)
    return canvas.picture("The network", _said(layers, columns), [in_a_line(layers)])


def in_a_line(layers: Sequence[Layer]) -> str:
    """x(3) --W1,b1--> a1(4) relu"""
    head, *others = layers
    line = f"{head.name}({head.units})"
    for layer in others:
        edges = ",".join(filter(None, (layer.weights, layer.biases)))
        line += f" --{edges}--> {layer.name}({layer.units}) {layer.made}".rstrip()
    return line


def _said(layers: Sequence[Layer], columns: Sequence[Layer | None]) -> str:
    units = ", ".join(f"{layer.units:,} of {layer.name}" for layer in columns if layer)
    said = f"A network with the units {units}."
    if any(layer.biases for layer in layers):
        said += " A node 1 in a column carries the biases of the next."
    if len(layers) > MOST_LAYERS:
        said += f" {plural(len(layers) - MOST_LAYERS + 1, 'layer')} in between left out."
    if any(layer.units > MOST_UNITS for layer in columns if layer):
        said += " Of more than 8 units the first 6 and the last are drawn."
    return said


def _numbers(units: int) -> list[int | None]:
    """Which units are drawn; None stands for those that are not."""
    if units <= MOST_UNITS:
        return list(range(units))
    return [*range(MOST_UNITS - 2), None, units - 1]


Units = list[tuple[int | None, float, float]]


def _places(columns: Sequence[Layer | None], at: int, middle: float) -> tuple[Units, Point | None]:
    """Where the units of a column stand, and its node 1."""
    layer, after = columns[at], columns[at + 1] if at + 1 < len(columns) else None
    x = 34 + at * ACROSS
    if layer is None:
        return [(None, x, middle)], None
    numbers = _numbers(layer.units)
    one = bool(after and after.biases)
    top = middle - (len(numbers) + one - 1) * STEP / 2
    units = [(n, x, top + place * STEP) for place, n in enumerate(numbers)]
    return units, (x, top + len(numbers) * STEP) if one else None


def _between(start: Point, end: Point) -> list[Point]:
    """From rim to rim of two nodes."""
    (a, b), (x, y) = start, end
    far = ((x - a) ** 2 + (y - b) ** 2) ** 0.5
    u, v = (x - a) / far, (y - b) / far
    return [(a + RADIUS * u, b + RADIUS * v), (x - (RADIUS + 1) * u, y - (RADIUS + 1) * v)]


def _edges(
    canvas: Canvas,
    left: tuple[Units, Point | None],
    right: tuple[Units, Point | None],
    crowded: bool,
) -> None:
    thin = " thin" if crowded else ""
    for number, x, y in right[0]:
        if number is None:
            continue
        for other, a, b in left[0]:
            if other is not None:
                canvas.line(_between((a, b), (x, y)), f"edge weight{thin}", not crowded)
        if left[1]:
            canvas.line(_between(left[1], (x, y)), f"edge dash{thin}", not crowded)


def _labels(
    canvas: Canvas,
    left: tuple[Units, Point | None],
    right: tuple[Units, Point | None],
    layers: tuple[Layer, Layer],
    first: int,
) -> None:
    """The weights and the bias of the first unit, each on its edge."""
    x, y = right[0][0][1:]
    comma = "," if max(layer.units + first for layer in layers) > 10 else ""
    texts = [((a, b), f"w_{{{first}{comma}{n + first}}}") for n, a, b in left[0] if n is not None]
    texts += [(left[1], f"b_{{{first}}}")] if left[1] else []
    for (a, b), text in texts:
        p, q = a + (x - a) * 0.33, b + (y - b) * 0.33
        wide = 9 * (len(text) - 4) * 0.6 + 16
        canvas.rect(p - wide / 2, q - 9, wide, 17, "paper", 4)
        canvas.math(p, q + 4, text, 13, "", "middle")


def _units(
    canvas: Canvas,
    places: tuple[Units, Point | None],
    layer: Layer | None,
    x: float,
    first: int,
) -> None:
    for number, _, y in places[0]:
        if number is None:
            canvas.words(x, y + 5, "…" if layer is None else "⋮", 18, "soft", "middle")
            continue
        canvas.circle(x, y, RADIUS)
        canvas.words(x, y + 4, number + first, 11, "", "middle", 2 * RADIUS - 4)
    if places[1]:
        canvas.circle(x, places[1][1], RADIUS, "box dash")
        canvas.words(x, places[1][1] + 4, "1", 11, "soft", "middle")


def one_layer(before: Layer, after: Layer, activation: str = "σ", first: int = 0) -> Picture:
    """Activations and sums apart: green and blue, with the weighted edges orange between."""
    canvas = Canvas()
    sign = activation if len(activation) < 3 else "g"
    left, right = (_numbers(layer.units) for layer in (before, after))
    biases, crowded = bool(after.biases), max(before.units, after.units) > CROWDED
    step, xs = 62.0, (30.0, 118.0, 390.0, 478.0)
    tall = max(len(left) + biases, len(right)) * step
    tops = [36 + (tall - (count - 1) * step) / 2 for count in (len(left) + biases, len(right))]
    canvas.words(xs[0] - 14, 22, f"from {before.units:,} units", 11, "soft")
    canvas.words(xs[3] + 44, 22, f"to {after.units:,} units", 11, "soft", "end")
    names = ", ".join(shortened(n, 12) for n in (after.weights, after.biases) if n)
    canvas.math((xs[1] + xs[2]) / 2, 22, names, 15, "weight", "middle", 200)
    starts = [(n, tops[0] + place * step) for place, n in enumerate(left)]
    ends = [(n, tops[1] + place * step) for place, n in enumerate(right)]
    one = tops[0] + len(left) * step
    for number, y in [*starts, *([(-1, one)] if biases else [])]:
        for other, t in ends:
            if number is not None and other is not None:
                kind = "edge weight dash" if number < 0 else "edge weight"
                thin = " thin" if crowded else ""
                canvas.line(_between((xs[1], y), (xs[2], t)), kind + thin, not crowded)
    comma = "," if max(before.units, after.units) + first > 10 else ""
    for number, y in [*starts, *([(-1, one)] if biases else [])]:
        for place, (other, t) in enumerate(ends):
            if number is None or other is None or (crowded and place):
                continue  # of many edges those into the first node have their names
            share = 0.2 + 0.14 * (place % 3)
            p, q = xs[1] + (xs[2] - xs[1]) * share, y + (t - y) * share
            i, j = other + first, number + first
            text = f"b_{{{i}}}" if number < 0 else f"w_{{{i}{comma}{j}}}"
            canvas.rect(p - 14, q - 9, 28, 18, "paper", 4)
            canvas.math(p, q + 4, text, 14, "weight", "middle")
    for number, y in starts:
        if number is None:
            canvas.words(xs[1], y + 5, "⋮", 18, "soft", "middle")
            continue
        canvas.line([(xs[0] - 14, y), (xs[1] - 17, y)], "edge", True)
        canvas.math(xs[0] + 22, y - 7, _entry(before.name, number + first), 14, "", "middle", 70)
        if not activation:
            canvas.circle(xs[1], y, RADIUS + 1)
            canvas.words(xs[1], y + 4, number + first, 11, "", "middle")
            continue
        canvas.circle(xs[1], y, RADIUS + 1, "box sigma")
        canvas.math(xs[1], y + 5, sign, 16, "sigma", "middle")
    if biases:
        canvas.circle(xs[1], one, RADIUS + 1, "box dash")
        canvas.words(xs[1], one + 4, "1", 12, "soft", "middle")
    for number, y in ends:
        if number is None:
            canvas.words(xs[2], y + 5, "⋮", 18, "soft", "middle")
            continue
        canvas.circle(xs[2], y, RADIUS + 1, "box sum")
        canvas.words(xs[2], y + 6, "+", 17, "sum", "middle")
        canvas.line([(xs[2] + 17, y), (xs[3] + 44, y)], "edge", True)
        canvas.math(xs[3] + 4, y - 7, _entry(after.name, number + first), 14, "", "middle", 70)
    if sign == "g":
        canvas.words(xs[0] - 14, canvas.bottom + 24, f"g: {shortened(activation)}", 11, "soft")
    left_out = ""
    if max(before.units, after.units) > MOST_UNITS:
        left_out = " Of more than 8 nodes the first 6 and the last are drawn."
    edges = ",".join(filter(None, (after.weights, after.biases)))
    nodes = [(sign or "o") * min(before.units, MOST_SIGNS), "+" * min(after.units, MOST_SIGNS)]
    line = f"{nodes[0]}{' 1' * biases} --{edges}--> {nodes[1]}"
    said = _layer_said(before, after, activation, sign)
    return canvas.picture("One layer", said + left_out, [line])


def _layer_said(before: Layer, after: Layer, activation: str, sign: str) -> str:
    weights = plural(before.units * after.units, "weighted edge")
    shape = dims((after.units, before.units))
    nodes = f"{plural(before.units, f'{sign} node')}, to which {before.name} goes"
    nodes = nodes if activation else f"{plural(before.units, 'unit')} of {before.name}"
    biases = plural(after.units, "bias edge")
    behind = f" and {biases} {after.biases} from a node 1" if after.biases else ""
    said = (
        f"One layer: {nodes}, {plural(after.units, 'sum node')}, which give {after.name}, "
        f"{weights} {after.weights} of shape {shape}{behind}."
    )
    return said + (f" g is {activation}." if sign == "g" else "")


def _entry(name: str, number: int) -> str:
    """z_{1} for entry 1 of z; of z2 it is z2 [1], whose number is the layer's."""
    return f"{name}\u200a[{number}]" if name[-1:].isdigit() else f"{name}_{{{number}}}"
