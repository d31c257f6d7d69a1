"""How nodes that move entries are written: shapes, orders of axes, parts, joining, sums."""

from dataclasses import replace
from math import prod

import numpy as np

from .building import Builder, UnreadableError, Value
from .entry_rules import same_for_all
from .model import Node
from .views import (
    flat,
    moved,
    regrouped,
    reshaped,
    seen,
    settled,
    shape_in_model,
    stacked,
    turned,
    view_of,
)


def reshape(b: Builder, node: Node) -> Value:
    """Another shape, row by row. What joins examples with others is kept in mind (see views)."""
    value, shape = b.value(node.reads[0]), node.shape
    if value.allowed is not None:
        b.read(node.reads[0])
    if len(value.layers) == 1 and node.shape == value.layers[0].shape:
        return value.layers[0]
    if value.layers:
        value = b.settled(node.reads[0])
    if not value.batched:
        return value if value.shape == shape else reshaped(b, node.called, value, shape)
    if value.view is None and value.shape == shape:
        return value
    if value.view is None and shape[:1] == value.shape[:1]:
        if len(value.shape) == 1:
            raise UnreadableError(
                "it gives an axis to a value that has examples alone",
                "keep the axis of the outputs: no squeeze(-1)",
            )
        return reshaped(b, node.called, value, shape[1:])
    found = regrouped(b, node.called, value, shape)
    if found is None:
        raise UnreadableError(
            f"from shape {shape_in_model(value)} to {shape}: examples do not stay apart",
            "keep the axis of the examples in front",
        )
    return in_front(b, node.called, found)


def in_front(b: Builder, called: str, value: Value) -> Value:
    """A value whose examples stand in front, for themselves, has the model's axes."""
    return settled(b, called, value) if view_of(value)[0] == (0,) else value


def transpose(b: Builder, node: Node) -> Value:
    """The axes in another order; examples that leave the front are kept in mind (see views)."""
    value, order = b.value(node.reads[0]), tuple(node.options["order"])
    if value.allowed is not None or value.layers:
        value = b.read(node.reads[0])
    if value.view is None and (not value.batched or order[0] == 0):
        return turned(b, node.called, value, [p - value.batched for p in order[value.batched :]])
    return in_front(b, node.called, moved(value, order))


def part(b: Builder, node: Node) -> Value:
    """A slice along an axis, start, stop and step as Python counts."""
    axis = node.options["axis"]
    layers = b.value(node.reads[0]).layers
    if layers and axis == 0:
        chosen = layers[node.options["start"] : node.options["stop"] : node.options.get("step", 1)]
        return b.side_by_side(chosen)
    value = b.read(node.reads[0])
    if not value.batched:
        value, axis = _of_all_examples(b, node, value, axis)
    start, stop, step = node.options["start"], node.options["stop"], node.options.get("step", 1)
    size = shape_in_model(value)[axis]
    start, stop, step = slice(start, stop, step).indices(size)
    if (start, stop, step) == (0, size, 1):
        return value
    own = _own_axis(value, axis, "it takes some of the examples")
    base = replace(value, view=None)
    return replace(sliced(b, node.called, base, own, start, stop, step), view=value.view)


def _of_all_examples(b: Builder, node: Node, value: Value, axis: int) -> tuple[Value, int]:
    """A row that stands for all examples, and which axis of it an axis of the model is."""
    own = b.model.copies and value.name in b.used
    if own and len(value.shape) == 2 and axis and value.shape[0] == b.examples:
        array = b.used[value.name].array
        if len(array) > 1 and np.all(array == array[:1]):
            value = b.copied(f"{value.name}_row", array[0])
    if len(node.shape) != len(value.shape) + 1:
        return value, axis
    if axis == 0:
        raise UnreadableError("it takes some of the examples")
    return value, axis - 1


def _own_axis(value: Value, axis: int, fact: str) -> int:
    """The axis of an example that an axis of the model is; UnreadableError for the examples'."""
    if not value.batched:
        return axis
    (own, *more) = view_of(value)[axis]
    if more or not own:
        raise UnreadableError(fact)
    return own - 1


def select(b: Builder, node: Node) -> Value:
    """One place along an axis, which is no axis any more."""
    axis = node.options["axis"]
    layers = b.value(node.reads[0]).layers
    if layers and axis == 0:
        return layers[node.options["index"]]
    value = b.read(node.reads[0])
    axis %= len(view_of(value))
    own = _own_axis(value, axis, "it takes one of the examples")
    place = node.options["index"] % shape_in_model(value)[axis]
    found = selected(b, node.called, replace(value, view=None), own, place)
    if value.view is None:
        return found
    left = [group for group in value.view if group != (own + 1,)]
    return in_front(
        b, node.called, seen(found, tuple(tuple(a - (a > own + 1) for a in g) for g in left))
    )


def selected(b: Builder, called: str, value: Value, axis: int, place: int) -> Value:
    """One place along an axis of an example: of the first axis, entries in one piece."""
    example = value.example
    rest = (*example[:axis], *example[axis + 1 :])
    if axis == 0 and len(example) > 1:
        row = flat(b, value)
        size = prod(example[1:])
        end = f"{called}_row" if len(rest) > 1 else called
        found = sliced(b, end, row, 0, place * size, (place + 1) * size)
        return found if len(rest) == 1 else reshaped(b, called, found, rest)
    found = sliced(b, f"{called}_part", value, axis, place, place + 1)
    return reshaped(b, called, found, rest)


def sliced(
    b: Builder, called: str, value: Value, axis: int, start: int, stop: int, step: int = 1
) -> Value:
    """A slice along an axis of an example: along the last, which is put there and back."""
    last = len(value.example) - 1
    count = len(range(start, stop, step))
    options = [start, None if stop < 0 else stop] + ([step] if step != 1 else [])
    if axis == last and (value.batched or not axis):
        shape = (*value.shape[:-1], count)
        return b.line(called, "Slice", [value], shape, *options)
    if axis == 0 and step == 1:
        rest = value.example[1:]
        size = prod(rest)
        found = sliced(b, f"{called}_row", flat(b, value), 0, start * size, stop * size)
        return reshaped(b, called, found, (count, *rest))
    others = [p for p in range(last + 1) if p != axis]
    order = [*others, axis] if value.batched else [axis, *others]
    if order[0] == axis and step != 1:
        raise UnreadableError("it takes places of a parameter in steps")
    back = [order.index(p) for p in range(last + 1)]
    moved = turned(b, f"{called}_turned", value, order)
    found = sliced(b, f"{called}_part", moved, order.index(axis), start, stop, step)
    return turned(b, called, found, back)


def concat(b: Builder, node: Node) -> Value:
    """Values one behind the other along an axis."""
    axis = node.options["axis"]
    sides = [b.value(key).layers for key in node.reads if b.constant(key) is None]
    if len(sides) == len(node.reads) and all(sides) and axis == 0:
        return b.side_by_side([state for side in sides for state in side])
    values = _side_by_side(b, node)
    if len(values) == 1:
        return values[0]
    views = {v.view for v in values}
    if len(views) > 1 or (views != {None} and not all(v.batched for v in values)):
        values = [b.plain(key) for key in node.reads]
    whole = next((v for v in values if v.batched), values[0])
    own = _own_axis(whole, axis, "it joins examples")
    ready = [replace(_without_front(b, node, v, whole), view=None) for v in values]
    return replace(joined(b, node.called, ready, own), view=values[0].view)


def _side_by_side(b: Builder, node: Node) -> list[Value]:
    """What is joined; a constant beside values with examples, a state of 0, is one for all."""
    read = {key: b.read(key) for key in node.reads if b.constant(key) is None}
    whole = next((v for v in read.values() if v.batched), None)
    if whole is None:
        return [b.read(key) for key in node.reads]
    found = []
    for key in node.reads:
        array = b.constant(key)
        if array is None:
            found.append(read[key])
        elif whole.view is not None or array.ndim != len(whole.shape):
            raise UnreadableError(
                "a constant that it joins stands beside values with other axes in front",
                "put the examples in front of both",
            )
        else:
            row = same_for_all(array, 0)[0].astype(float)
            found.append(b.keep(f"{node.called}_constant", row, tuple(b.letters(whole))))
    return found


def _without_front(b: Builder, node: Node, value: Value, whole: Value) -> Value:
    """A parameter beside values with examples, without its first axis, of size 1 or of copies."""
    if value.batched or not whole.batched or len(value.shape) == len(whole.example):
        return value
    value, missing = b.one_of_copies(value), len(whole.example) - len(value.shape)
    if missing > 0:
        sizes = (*(1,) * missing, *value.shape)
        return reshaped(b, f"{node.called}_{value.name}", value, sizes)
    if value.shape[0] != 1:
        raise UnreadableError(
            f"a parameter that it joins has the shape {value.shape}, with an axis of the examples",
            b.with_one_row,
        )
    return reshaped(b, f"{node.called}_{value.name}", value, value.shape[1:])


def joined(b: Builder, called: str, values: list[Value], axis: int) -> Value:
    """Examples one behind the other along an axis of theirs."""
    front: tuple[int, ...] = next((v.shape[:1] for v in values if v.batched), ())
    example = list(values[0].example)
    example[axis] = sum(v.example[axis] for v in values)
    last = len(example) - 1
    whole: tuple[int, ...] = tuple(example)
    fronts = {v.axes[v.batched : -1] if v.axes else v.example[:-1] for v in values}
    if axis == last and (len(fronts) == 1 or not last):
        return b.line(called, "Concat", values, (*front, *whole))
    if axis == last:  # whose axes in front have different names
        order = [last, *range(last)]
        rows = [turned(b, f"{called}_{p}", v, order) for p, v in enumerate(values, start=1)]
        return turned(b, called, joined(b, f"{called}_first", rows, 0), [*range(1, last + 1), 0])
    if axis == 0:
        rows = [flat(b, v) for v in values]
        row = b.line(f"{called}_row", "Concat", rows, (*front, prod(whole)))
        return reshaped(b, called, row, whole)
    order = [p for p in range(last + 1) if p != axis] + [axis]
    back = [order.index(p) for p in range(last + 1)]
    moved = [turned(b, f"{called}_{p}", v, order) for p, v in enumerate(values, start=1)]
    found = joined(b, f"{called}_last", moved, last)
    return turned(b, called, found, back)


def stack(b: Builder, node: Node) -> Value:
    """Values side by side along an axis of their own."""
    values = _side_by_side(b, node)
    if any(v.view is not None for v in values):
        values = [b.plain(key) for key in node.reads]
    axis, whole = node.options["axis"], next((v for v in values if v.batched), values[0])
    values = [_without_front(b, node, v, whole) for v in values]
    if whole.batched and axis == 0:
        side = stacked(b, node.called, values, 0)
        return moved(side, [1, 0, *range(2, len(side.shape))])
    return stacked(b, node.called, values, axis - whole.batched)


RULES = {
    "reshape": reshape,
    "transpose": transpose,
    "slice": part,
    "select": select,
    "concat": concat,
    "stack": stack,
}
