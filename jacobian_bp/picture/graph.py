"""The computation graph, drawn downwards, and a chain across, with the Jacobians backwards.

Values stand in ink, gradients in magenta under them, shapes of Jacobians on the edges. What is
trained and what is given stands at the side; an edge that passes a value by has a lane of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..document.picture import Picture
from ..writing.signs import dims, number, plural
from .canvas import MATH_ADVANCE, ROOM, Canvas, shortened

MOST_VALUES = 40  # drawn; of more the first ones and the last
DOWN, LANE = 72.0, 13.0
MOST_WRITTEN = 4  # numbers of a value
MOST_SIDE = 4  # boxes at the side of one value
BOX = 54.0  # the width of one
LONGEST_NAME = 12
ACROSS = 128.0  # between two values of a chain
A_ROW = int((ROOM - 46) // ACROSS)
NOWHERE = "", ""


@dataclass(frozen=True)
class Value:
    """A value of a run: how it is made, from what, its numbers, and the gradient by it.

    `made`, and the name of its `op`, are empty for what is given; `numbers` and `gradient` are
    words, which may be empty.
    """

    name: str
    shape: tuple[int, ...]
    made: str = ""
    op: str = ""
    reads: tuple[str, ...] = ()
    at_side: bool = False  # trained, or a label
    numbers: str = ""
    gradient: str = ""


def few(value: np.ndarray) -> str:
    """The numbers of a small value, the shape of another."""
    if value.size > MOST_WRITTEN:
        return f"shape {dims(value.shape)}"
    return "  ".join(number(x, 3) for x in value.ravel()).replace("-", "−")


Shapes = Mapping[tuple[str, str], tuple[int, ...]]  # of ∂value/∂read, flat
Links = Mapping[tuple[str, ...], tuple[str, str]]  # of a value, or an edge: a place, and its name


def graph(values: Sequence[Value], shapes: Shapes, links: Links = MappingProxyType({})) -> Picture:
    """Every value with its numbers and its gradient; the edges from what it reads.

    On a page `links` lead from a value, and from an edge, to another place of it.
    """
    canvas = Canvas()
    known = {value.name: value for value in values}
    column = [value for value in values if not value.at_side]
    drawn = _ends(column)
    at = {value.name: place for place, value in enumerate(drawn) if value}
    lanes = _lanes(drawn, at)
    left = 16 + LANE * (max(lanes.values(), default=-1) + 1)
    names = [shortened(value.name, LONGEST_NAME) for value in drawn if value]
    half = max(28.0, max(map(len, names)) * 17 * MATH_ADVANCE / 2 + 12)
    beside = any(value.at_side for value in values) or lanes  # boxes, or labels of lanes
    middle = left + (BOX + 34 if beside else 0) + half
    for place, value in enumerate(drawn):
        y = 30 + place * DOWN
        if value is None:
            text = f"… {len(column) - len(at):,} more …"
            canvas.words(middle, y + 4, text, 11, "soft", "middle")
            continue
        _incoming(canvas, value, known, at, lanes, (shapes, links), (middle, y, half, left))
        name = shortened(value.name, LONGEST_NAME)
        with canvas.link(*links.get((value.name,), NOWHERE)):
            canvas.rect(middle - half, y - 15, 2 * half, 30, "box", 15)
            canvas.math(middle, y + 5, name, 17, "", "middle", 2 * half - 12)
        told = ((-2, value.numbers, "", "is"), (11, value.gradient, "accent", "has the gradient"))
        for line, words, kind, verb in told:
            heard = f"{value.name} {verb} {words}" if links else ""
            if words:
                canvas.words(middle + half + 9, y + line, words, 10.5, kind, "start", 250, heard)
    legend = [("on an edge: its flat Jacobian's shape", "soft")] * bool(shapes)
    if any(value.gradient for value in drawn if value):
        legend = [("above: the value", ""), ("below it: the gradient by it", "accent"), *legend]
    y = canvas.bottom + 26
    for line, (words, kind) in enumerate(legend):
        canvas.words(16, y + 14 * line, words, 10.5, kind)
    return canvas.picture("The computation graph", _said(values, drawn, shapes), text_of(values))


def text_of(values: Sequence[Value]) -> list[str]:
    """z1 = W1 x + b1; a line for each value that is made, the ends of many."""
    lines = [f"{value.name} = {value.made}" for value in values if value.made]
    if len(lines) > MOST_VALUES:
        left_out = len(lines) - MOST_VALUES + 1
        lines[MOST_VALUES // 2 : -MOST_VALUES // 2 + 1] = [f"… {left_out:,} more …"]
    return lines


def _ends(column: Sequence[Value]) -> list[Value | None]:
    if len(column) <= MOST_VALUES:
        return list(column)
    half = MOST_VALUES // 2
    return [*column[:half], None, *column[1 - half :]]


def _said(values: Sequence[Value], drawn: Sequence[Value | None], shapes: Shapes) -> str:
    made = [value for value in values if value.made]
    at_side = [value.name for value in values if value.at_side]
    said = f"A graph of {plural(len(made), 'step')}, from top to bottom"
    said += f"; at the side {', '.join(at_side[:12])}" if at_side else ""
    said += f" and {len(at_side) - 12:,} more" if len(at_side) > 12 else ""
    said += ". On an edge stands the shape of its Jacobian, laid flat." if shapes else "."
    if any(value.gradient for value in drawn if value):
        said += " Beside a value stand its numbers or its shape, below them the gradient by it."
    left_out = sum(not value.at_side for value in values) - sum(map(bool, drawn))
    if left_out:
        said += f" {plural(left_out, 'value')} in between left out, with the edges to them."
    return said


def _lanes(drawn: Sequence[Value | None], at: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """For each edge that passes a value by, a lane that no other such edge has at that height."""
    skips = sorted(
        (place - at[name], at[name], place, value.name, name)
        for place, value in enumerate(drawn)
        if value
        for name in dict.fromkeys(value.reads)
        if name in at and place - at[name] > 1
    )
    taken: list[list[tuple[int, int]]] = []
    found = {}
    for _, top, bottom, of, name in skips:
        free = [
            number
            for number, spans in enumerate(taken)
            if all(bottom <= a or b <= top for a, b in spans)
        ]
        number = free[0] if free else len(taken)
        if not free:
            taken.append([])
        taken[number].append((top, bottom))
        found[of, name] = number
    return found


def _boxes(value: Value, known: Mapping[str, Value]) -> tuple[list[str], float, float]:
    """What a value reads at its side, the height of one box, and half that of all."""
    side = [name for name in dict.fromkeys(value.reads) if known[name].at_side]
    count = min(len(side), MOST_SIDE)
    tall = min(26.0, 60 / max(1, count))
    return side, tall, count * tall / 2


def _incoming(
    canvas: Canvas,
    value: Value,
    known: Mapping[str, Value],
    at: Mapping[str, int],
    lanes: Mapping[tuple[str, str], int],
    told: tuple[Shapes, Links],
    where: tuple[float, float, float, float],
) -> None:
    """The edges into a value: from the one above, along a lane, from the side."""
    middle, y, half, left = where
    shapes, links = told
    side, tall, half_of_boxes = _boxes(value, known)
    shown = side if len(side) <= MOST_SIDE else [*side[: MOST_SIDE - 1], ""]
    over = y - (half_of_boxes + 5 if side else 6)  # a lane passes above the boxes
    for name in dict.fromkeys(value.reads):
        shape = shapes.get((value.name, name))
        label = dims(shape) if shape is not None else ""
        if (value.name, name) in lanes:
            lane = left - 10 - LANE * lanes[value.name, name]
            start = 30 + at[name] * DOWN
            beside, _, reach = _boxes(known[name], known)  # and begins below those of its source
            under = start + (reach + 5 if beside else 0)
            out = f"L{left + BOX + 4:g} {under:g}" if beside else ""
            with canvas.link(*links.get((value.name, name), NOWHERE)):
                canvas.path(
                    f"M{middle - half:g} {start + 6 * bool(beside):g}{out}L{lane + 12:g} {under:g}"
                    f"Q{lane:g} {under:g} {lane:g} {under + 12:g}L{lane:g} {over - 12:g}"
                    f"Q{lane:g} {over:g} {lane + 12:g} {over:g}"
                )
                bend = [(left + BOX + 4, over)] if shown else []
                ends = [(lane + 12, over), *bend, (middle - half - 1, y - 6)]
                canvas.line(ends, "edge", True)
                above = over - (4 if shown else 14)
                canvas.words(middle - half - 8, above, label, 9.5, "soft", "end", half + BOX)
        elif name in at:
            above = 30 + at[name] * DOWN
            with canvas.link(*links.get((value.name, name), NOWHERE)):
                canvas.line([(middle, above + 15), (middle, y - 16)], "edge", True)
                canvas.words(middle + 7, (above + y) / 2 + 7, label, 9.5, "soft")
    for place, name in enumerate(shown):
        level = y + (place - (len(shown) - 1) / 2) * tall
        if not name:
            text = f"… {len(side) - MOST_SIDE + 1} more"
            canvas.words(left, level + 4, text, 10, "soft", "start", BOX)
            continue
        with canvas.link(*links.get((value.name, name), NOWHERE)):
            end = middle - half - 1, y + (level - y) * 0.3
            canvas.line([(left + BOX, level), end], "edge", True)
            canvas.rect(left, level - tall / 2 + 1.5, BOX, tall - 3, "box", 3)
            canvas.math(left + BOX / 2, level + 4, shortened(name, 9), 13, "", "middle", BOX - 8)


def chain(values: Sequence[Value], shapes: Shapes) -> Picture:
    """What is made from what, across; under it the Jacobians, from the last to the first.

    A row begins with the last value of the row above it, dashed.
    """
    canvas = Canvas()
    column = [value for value in values if not value.at_side]
    drawn = _ends(column)
    for place, value in enumerate(drawn):
        row, spot = divmod(max(0, place - 1), A_ROW)
        x, y = 46 + (spot + bool(place)) * ACROSS, 48 + row * 138
        before = drawn[place - 1] if place else None
        if place and spot == 0 and row:
            _node(canvas, before, x - ACROSS, y, len(column), "box dash")
        if place:
            canvas.line([(x - ACROSS + 27, y), (x - 27, y)], "edge", True)
        if value and before:
            _backwards(canvas, value, before, shapes, x, y)
        _node(canvas, value, x, y, len(column))
    names = [value.name for value in drawn if value]
    alt = (
        f"A chain from {names[0]} to {names[-1]} with the shape of each value; below it each "
        "local Jacobian with its flat shape, from the last to the first."
    )
    if len(column) > len(names):
        alt += f" {plural(len(column) - len(names), 'value')} in between left out."
    line = " -> ".join(f"{value.name} {dims(value.shape)}" if value else "…" for value in drawn)
    return canvas.picture("The chain", alt, [line])


def _node(
    canvas: Canvas, value: Value | None, x: float, y: float, count: int, kind: str = "box"
) -> None:
    """A value of a chain under its shape; None stands for those that are left out."""
    if value is None:
        canvas.rect(x - 26, y - 15, 52, 30, "paper")
        text = f"… {count - MOST_VALUES + 1:,} more"
        canvas.words(x, y + 4, text, 10.5, "soft", "middle", 90)
        return
    canvas.rect(x - 26, y - 15, 52, 30, kind, 15)
    canvas.math(x, y + 5, shortened(value.name, LONGEST_NAME), 16, "", "middle", 46)
    canvas.words(x, y - 24, dims(value.shape), 10.5, "soft", "middle", 96)


def _backwards(
    canvas: Canvas, value: Value, before: Value, shapes: Shapes, x: float, y: float
) -> None:
    """The op on an arrow, and under it the local Jacobian on one that goes back."""
    middle = x - ACROSS / 2
    canvas.words(middle, y - 5, value.op, 9.5, "soft", "middle", ACROSS - 58)
    canvas.line([(x - 6, y + 36), (x - ACROSS + 10, y + 36)], "edge accent", True)
    names = (shortened(v.name, LONGEST_NAME) for v in (value, before))
    canvas.math(middle, y + 56, "∂" + "/∂".join(names), 14, "accent", "middle", ACROSS - 12)
    shape = shapes.get((value.name, before.name))
    if shape is not None:
        canvas.words(middle, y + 72, dims(shape), 10.5, "soft", "middle", ACROSS - 8)
