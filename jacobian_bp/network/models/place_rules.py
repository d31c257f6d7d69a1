"""How nodes that move entries are written: shapes, orders of axes, parts, joining, sums."""

from math import prod

import numpy as np

from .building import Builder, UnreadableError, Value
from .entry_rules import reshaped
from .model import Node


def reshape(b: Builder, node: Node) -> Value:
    """Another shape, row by row. Examples stay apart, or with tokens in one axis for a while."""
    value, shape = b.value(node.reads[0]), node.shape
    if value.allowed is not None:
        raise UnreadableError("it reads a score of -inf that no softmax follows")
    if len(value.layers) == 1 and shape == value.layers[0].shape:
        return value.layers[0]
    if not value.batched:
        return value if value.shape == shape else reshaped(b, node.called, value, shape)
    examples = value.shape[0]
    if not value.merged and value.shape == shape:
        return value
    if shape and shape[0] == examples:
        if value.shape == shape:
            return Value(value.name, value.shape, value.axes, True)
        if len(value.shape) == 1:
            raise UnreadableError(
                "it gives an axis to a value that has examples alone",
                "keep the axis of the outputs: no squeeze(-1)",
            )
        own = Value(value.name, value.shape, value.axes, True)
        return reshaped(b, node.called, own, shape[1:])
    if value.merged:
        raise UnreadableError("it puts examples and tokens together in another way")
    for count in range(2, len(value.shape) + 1):
        whole = prod(value.shape[:count])
        if shape == (whole, *value.shape[count:]):
            return Value(value.name, value.shape, value.axes, True, count)
    raise UnreadableError(
        f"from shape {value.shape} to {shape}: examples do not stay apart",
        "keep the axis of the examples in front",
    )


def transpose(b: Builder, node: Node) -> Value:
    """The axes in another order; that of the examples stays."""
    value, order = b.plain(node.reads[0]), tuple(node.options["order"])
    if value.batched and order[0] != 0:
        raise UnreadableError(
            "it moves the axis of the examples", "keep it in front: batch_first=True"
        )
    return turned(b, node.called, value, [p - value.batched for p in order[value.batched :]])


def turned(b: Builder, called: str, value: Value, order: list[int]) -> Value:
    """The axes of an example in another order; those in front that stay are left out."""
    if order == sorted(order):
        return value
    letters = b.letters(value)
    first = next(p for p, o in enumerate(order) if p != o) if value.batched else 0
    before, after = letters[first:], [letters[p] for p in order[first:]]
    sizes = tuple(value.example[p] for p in order)
    shape = (*value.shape[: value.batched], *sizes)
    return b.line(called, "Transpose", [value], shape, f"{','.join(before)} -> {','.join(after)}")


def part(b: Builder, node: Node) -> Value:
    """A slice along an axis, start, stop and step as Python counts."""
    value, axis = b.plain(node.reads[0]), node.options["axis"]
    start, stop, step = node.options["start"], node.options["stop"], node.options.get("step", 1)
    size = value.shape[axis]
    start, stop, step = slice(start, stop, step).indices(size)
    if (start, stop, step) == (0, size, 1):
        return value
    if value.batched and axis == 0:
        raise UnreadableError("it takes some of the examples")
    return sliced(b, node.called, value, axis - value.batched, start, stop, step)


def select(b: Builder, node: Node) -> Value:
    """One place along an axis, which is no axis any more."""
    axis = node.options["axis"]
    layers = b.value(node.reads[0]).layers
    if layers and axis == 0:
        return layers[node.options["index"]]
    value = b.plain(node.reads[0])
    if value.batched and axis == 0:
        raise UnreadableError("it takes one of the examples")
    place = node.options["index"] % value.shape[axis]
    return selected(b, node.called, value, axis - value.batched, place)


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


def flat(b: Builder, value: Value) -> Value:
    """All entries of an example in one row; once, however often it is asked for."""
    name = f"{value.name}_flat"
    size = prod(value.example)
    if name in b.steps:
        return Value(name, (*value.shape[: value.batched], size), b.axes[name], value.batched)
    shape = (*value.shape[: value.batched], size)
    return b.line(name, "Flatten", [value], shape, axes=",".join(b.letters(value)))


def sliced(
    b: Builder, called: str, value: Value, axis: int, start: int, stop: int, step: int = 1
) -> Value:
    """A slice along an axis of an example: along the last, which is put there and back."""
    last = len(value.example) - 1
    count = len(range(start, stop, step))
    options = [start, stop] + ([step] if step != 1 else [])
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
    values = [b.plain(key) for key in node.reads]
    if len(values) == 1:
        return values[0]
    axis = node.options["axis"]
    batched = any(v.batched for v in values)
    if batched and axis == 0:
        raise UnreadableError("it joins examples")
    values = [_without_front(b, node, v, batched) for v in values]
    return joined(b, node.called, values, axis - batched)


def _without_front(b: Builder, node: Node, value: Value, batched: bool) -> Value:
    """A parameter beside values with examples, without its first axis, of size 1."""
    if not batched or value.batched:
        return value
    if value.shape[0] != 1:
        raise UnreadableError("a parameter that it joins differs between examples")
    return reshaped(b, f"{node.called}_{value.name}", value, value.shape[1:])


def joined(b: Builder, called: str, values: list[Value], axis: int) -> Value:
    """Examples one behind the other along an axis of theirs."""
    front: tuple[int, ...] = next((v.shape[:1] for v in values if v.batched), ())
    example = list(values[0].example)
    example[axis] = sum(v.example[axis] for v in values)
    last = len(example) - 1
    whole: tuple[int, ...] = tuple(example)
    if axis == last:
        return b.line(called, "Concat", values, (*front, *whole))
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
    values = [b.plain(key) for key in node.reads]
    axis = node.options["axis"]
    if values[0].batched and axis == 0:
        raise UnreadableError("it puts a new axis in front of the examples")
    return stacked(b, node.called, values, axis - values[0].batched)


def stacked(b: Builder, called: str, values: list[Value], axis: int) -> Value:
    """Examples side by side: along a new first axis, which then goes to its place."""
    example = values[0].example
    rows = [v if len(v.example) == 1 else flat(b, v) for v in values]
    front = values[0].shape[: values[0].batched]
    whole = (len(values), *example)
    name = f"{called}_row" if not axis else f"{called}_first"
    row = b.line(name, "Concat", rows, (*front, prod(whole))) if len(rows) > 1 else rows[0]
    found = reshaped(b, called if not axis else f"{called}_rows", row, whole)
    order = [*range(1, axis + 1), 0, *range(axis + 1, len(whole))]
    return turned(b, called, found, order)


def reduced(b: Builder, node: Node) -> Value:
    """A mean or a sum over axes, which stay with size 1 where they are kept."""
    value, kept = b.plain(node.reads[0]), node.options.get("keep", False)
    over = tuple(a % len(value.shape) for a in node.options["axes"]) or (*range(len(value.shape)),)
    if not value.shape:
        return value
    op = {"mean": "Mean", "sum": "Sum"}[node.kind]
    left = tuple(s for p, s in enumerate(value.shape) if p not in over)
    names_of = value.axes or b.named_input(value)
    if names_of is None or len({*names_of}) < len(value.shape):
        raise UnreadableError("its axes have no names", "reduce a value, not a parameter")
    if kept and value.batched and len(value.example) == 1 and over == (1,):
        return _one_number(b, node, value)
    names = ",".join(names_of[p] for p in over)
    found = b.line(node.called, op, [value], left, over=names)
    if not kept:
        return found
    if value.batched and 0 in over:
        raise UnreadableError("it keeps the axis of the examples", "keepdim=False")
    sizes = tuple(1 if p in over else s for p, s in enumerate(value.shape))[value.batched :]
    return reshaped(b, f"{node.called}_kept", found, sizes)


def _one_number(b: Builder, node: Node, value: Value) -> Value:
    """The mean or the sum of a row, which keeps its axis: times a row of 1/K, or of 1."""
    size = value.example[0]
    share = np.full((1, size), 1 / size if node.kind == "mean" else 1.0)
    row = b.keep(f"{node.called}_share", share, ("o", "k"))
    return b.line(node.called, "Einsum", [value, row], (value.shape[0], 1), "k,ok->o")


def expand(b: Builder, node: Node) -> Value:
    """A parameter or a value repeated along axes of size 1: left to the op that reads it."""
    value = b.plain(node.reads[0])
    sizes = value.example if value.batched else value.shape
    target = node.shape[len(node.shape) - len(sizes) :]
    if all(s == t for s, t in zip(sizes[1:], target[1:], strict=True)):
        return value  # along the examples alone, which all ops carry
    raise UnreadableError("it repeats a value", "leave it to the op that reads it")


RULES = {
    "reshape": reshape,
    "transpose": transpose,
    "slice": part,
    "select": select,
    "concat": concat,
    "stack": stack,
    "mean": reduced,
    "sum": reduced,
    "expand": expand,
}
