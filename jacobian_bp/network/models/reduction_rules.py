"""How nodes that reduce axes are written: means, sums, the largest, norms, variances."""

from dataclasses import replace
from math import prod

import numpy as np

from .building import Builder, UnreadableError, Value, letters_of
from .entry_rules import meet, over, with_number
from .model import Node
from .place_rules import in_front
from .views import reshaped, seen, shape_in_model, view_of

REDUCTIONS = {"mean": "Mean", "sum": "Sum", "largest": "Max", "least": "Min"}


def reduced(b: Builder, node: Node) -> Value:
    """A mean, a sum or the largest over axes, which stay with size 1 where they are kept."""
    return reduced_value(b, node, b.read(node.reads[0]))


def reduced_value(b: Builder, node: Node, value: Value) -> Value:
    """The reduction of a node, of a value that is written already."""
    kept = node.options.get("keep", False)
    if not value.shape:
        return value
    if not value.batched and value.name not in b.model.names.values():
        return _of_parameter(b, node, value)
    if value.view is not None:
        return _reduced_in_view(b, node, value)
    over = tuple(a % len(value.shape) for a in node.options["axes"]) or (*range(len(value.shape)),)
    op = REDUCTIONS[node.kind]
    left = tuple(s for p, s in enumerate(value.shape) if p not in over)
    names_of = value.axes or b.named_input(value)
    if names_of is None or len({*names_of}) < len(value.shape):
        raise UnreadableError("its axes have no names", "reduce a value, not a parameter")
    if kept and value.batched and len(value.example) == 1 and over == (1,):
        if node.kind in ("mean", "sum"):
            return _one_number(b, node, value)
        value = reshaped(b, f"{node.called}_rows", value, (1, *value.example))
        names = ",".join((value.axes or ())[2:])
        return b.line(node.called, op, [value], value.shape[:2], over=names)
    names = ",".join(names_of[p] for p in over)
    found = b.line(node.called, op, [value], left, over=names)
    if not kept or (value.batched and len(over) == len(value.shape)):  # a cost has no axes
        return found
    if value.batched and 0 in over:
        raise UnreadableError("it keeps the axis of the examples", "keepdim=False")
    sizes = tuple(1 if p in over else s for p, s in enumerate(value.shape))[value.batched :]
    return reshaped(b, f"{node.called}_kept", found, sizes)


def _reduced_in_view(b: Builder, node: Node, value: Value) -> Value:
    """A mean or a sum over axes of a model whose examples stand elsewhere; over all for a cost."""
    view = view_of(value)
    axes = {a % len(view) for a in node.options["axes"]} or {*range(len(view))}
    if len(axes) < len(view) and any(0 in view[a] or not view[a] for a in axes):
        raise UnreadableError("it goes over the examples", "put the examples in front")
    own = {axis for a in axes for axis in view[a]}
    names = value.axes or b.named_input(value)
    if names is None or len({*names}) < len(value.shape):
        raise UnreadableError("its axes have no names", "reduce a value, not a parameter")
    shape = tuple(s for axis, s in enumerate(value.shape) if axis not in own)
    op = REDUCTIONS[node.kind]
    base, over = replace(value, view=None), ",".join(names[axis] for axis in sorted(own))
    found = b.line(node.called, op, [base], shape, over=over)
    keep = node.options.get("keep", False)
    if len(axes) == len(view):
        return found if not keep else reshaped(b, node.called, found, (1,) * len(view))
    now = {axis: place for place, axis in enumerate(a for a in range(len(names)) if a not in own)}
    left = [
        () if a in axes else tuple(now[axis] for axis in group)
        for a, group in enumerate(view)
        if keep or a not in axes
    ]
    return in_front(b, node.called, seen(found, tuple(left)))


def _of_parameter(b: Builder, node: Node, value: Value) -> Value:
    """A mean or a sum over axes of what has no examples, as an einsum."""
    if node.kind not in ("mean", "sum"):
        raise UnreadableError("its axes have no names", "reduce a value, not a parameter")
    letters = letters_of(len(value.shape))
    axes = {a % len(letters) for a in node.options["axes"]} or {*range(len(letters))}
    left = [p for p in range(len(letters)) if p not in axes]
    words = f"{''.join(letters)}->{''.join(letters[p] for p in left)}"
    shape = tuple(value.shape[p] for p in left)
    found = b.line(f"{node.called}_sum", "Einsum", [value], shape, words)
    if node.kind == "mean":
        count = prod(value.shape) / prod(shape)
        found = with_number(b, node.called, "Divide", found, count)
    if not node.options.get("keep"):
        return found
    kept = tuple(1 if p in axes else s for p, s in enumerate(value.shape))
    return reshaped(b, f"{node.called}_kept", found, kept)


def squares(b: Builder, node: Node, value: Value) -> Value:
    """z²; of what has no examples as a product with itself."""
    return over(b, f"{node.called}_squares", "Power", value, 2.0)


def norm(b: Builder, node: Node) -> Value:
    """The root of the sum of squares over axes."""
    value = b.read(node.reads[0])
    inner = replace(node, kind="sum", called=f"{node.called}_total")
    return over(b, node.called, "Sqrt", reduced_value(b, inner, squares(b, node, value)))


def variance(b: Builder, node: Node) -> Value:
    """The mean of squares of what is off the mean, times N / (N − correction); or its root."""
    value = b.read(node.reads[0])
    axes = node.options["axes"]
    shape = shape_in_model(value)
    count = prod(shape[a] for a in axes) if axes else prod(shape)
    mean = replace(
        node, kind="mean", called=f"{node.called}_mean", options={"axes": axes, "keep": True}
    )
    off = meet(b, f"{node.called}_off", "Subtract", [value, reduced_value(b, mean, value)])
    total = replace(node, kind="sum", called=f"{node.called}_total")
    spread = reduced_value(b, total, squares(b, node, off))
    root = bool(node.options.get("root"))
    called = f"{node.called}_variance" if root else node.called
    found = with_number(b, called, "Divide", spread, float(count - node.options["correction"]))
    return over(b, node.called, "Sqrt", found) if root else found


def log_sum_exp(b: Builder, node: Node) -> Value:
    """log Σ e^z over the last axis."""
    value = b.read(node.reads[0])
    shape = shape_in_model(value)
    if {a % len(shape) for a in node.options["axes"]} != {len(shape) - 1} or value.view is not None:
        raise UnreadableError("it goes over another axis than the last")
    if node.options.get("keep"):
        value = reshaped(
            b, f"{node.called}_rows", value, (*value.example[:-1], 1, value.example[-1])
        )
    return b.line(node.called, "LogSumExp", [value], value.shape[:-1])


def _one_number(b: Builder, node: Node, value: Value) -> Value:
    """The mean or the sum of a row, which keeps its axis: times a row of 1/K, or of 1."""
    size = value.example[0]
    share = np.full((1, size), 1 / size if node.kind == "mean" else 1.0)
    row = b.keep(f"{node.called}_share", share, ("o", "k"))
    return b.line(node.called, "Einsum", [value, row], (value.shape[0], 1), "k,ok->o")


RULES = {
    **dict.fromkeys(REDUCTIONS, reduced),
    "norm": norm,
    "variance": variance,
    "log_sum_exp": log_sum_exp,
}
