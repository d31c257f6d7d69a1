"""How nodes that go entry by entry are written: activations, powers, sums and products, masks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .building import Builder, UnreadableError, Value, letters_of
from .model import Node
from .views import (
    View,
    behind_examples,
    examples_in,
    reshaped,
    seen,
    settled,
    shape_in_model,
    view_of,
)

SIMPLE = {
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "silu": "SiLU",
    "softplus": "Softplus",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "abs": "Abs",
    "sin": "Sin",
    "cos": "Cos",
}
BINARY = {"add": "Add", "subtract": "Subtract", "multiply": "Multiply", "divide": "Divide"}
NO_SCORE = -1e8  # at or below it a score is masked


def activation(b: Builder, node: Node) -> Value:
    """a = ReLU(z) and the others, with their options; a value of rows without names reads k."""
    value = b.value(node.reads[0])
    if value.allowed is not None or value.layers:
        b.read(node.reads[0])
    if node.kind in SIMPLE:
        return over(b, node.called, SIMPLE[node.kind], value)
    if node.kind == "gelu":
        tuned = {"approximate": True} if node.options.get("approximate") else {}
        return over(b, node.called, "GELU", value, **tuned)
    if node.kind == "elu":
        alpha = node.options.get("alpha", 1.0)
        return over(b, node.called, "ELU", value, **({"alpha": alpha} if alpha != 1 else {}))
    if node.kind == "leaky_relu":
        slope = node.options.get("slope", 0.01)
        return over(
            b, node.called, "LeakyReLU", value, **({"slope": slope} if slope != 0.01 else {})
        )
    if node.kind == "negative":
        return over(b, node.called, "Multiply", value, -1.0)
    assert node.kind == "power"
    return over(b, node.called, "Power", value, float(node.options["p"]))


def same(b: Builder, node: Node) -> Value:
    """What changes nothing: dropout in evaluation, a copy, the identity."""
    return b.value(node.reads[0])


def binary(b: Builder, node: Node) -> Value:
    """Add, Subtract, Multiply and Divide, broadcast as numpy does, each axis said by its letter."""
    op = BINARY[node.kind]
    keys = node.reads
    arrays = [b.constant(key) for key in keys]
    for place, array in enumerate(arrays):
        if array is not None and array.size == 1:
            value = b.value(keys[1 - place])
            if value.allowed is not None or value.layers:
                value = b.read(keys[1 - place])
            return with_number(b, node.called, op, value, float(array.reshape(())), place)
    constant = next((p for p, a in enumerate(arrays) if a is not None), None)
    if constant is None:
        return meet(b, node.called, op, [b.value(key) for key in keys])
    value = b.settled(keys[1 - constant])
    array = arrays[constant]
    assert array is not None
    if node.kind == "add" and np.any(array <= NO_SCORE):
        return _masked(b, value, array > NO_SCORE, np.where(array > NO_SCORE, array, 0), node)
    value = b.read(keys[1 - constant])
    kept = kept_beside(b, array, value, node.called)
    pair = [kept, value] if constant == 0 else [value, kept]
    return meet(b, node.called, op, pair)


def masked_fill(b: Builder, node: Node) -> Value:
    """Scores that are −∞ where a constant mask says so; the softmax behind it reads the mask."""
    mask, fill = b.constant(node.reads[1]), node.options["fill"]
    if mask is None:
        raise UnreadableError("its mask is computed", "make the mask a buffer of the model")
    value = b.settled(node.reads[0])
    if fill > NO_SCORE:
        raise UnreadableError(f"it fills in {fill:g}", "fill in float('-inf') before a softmax")
    allowed = mask.astype(bool) if node.options.get("kept") else ~mask.astype(bool)
    return _masked(b, value, allowed, None, node)


def softmax(b: Builder, node: Node) -> Value:
    """Softmax or its logarithm along an axis, over what a mask lets stand."""
    value = b.value(node.reads[0])
    op = "LogSoftmax" if node.options.get("log") else "Softmax"
    rank = len(node.shape)
    axis = node.options["axis"] % rank
    if value.view is not None and axis == rank - 1 and examples_in(value.view) < axis:
        value = b.settled(node.reads[0])
    elif value.view is not None:
        value = b.plain(node.reads[0])
    if value.allowed is not None:
        allowed = value.allowed
        value = without_mask(value)
        if axis != rank - 1:
            raise UnreadableError("a masked softmax goes along another axis than the last")
        return replace(masked_softmax(b, node.called, op, value, allowed), view=value.view)
    if axis == rank - 1:
        if value.batched and axis == 0:
            raise UnreadableError("it goes along the examples")
        return replace(b.line(node.called, op, [value], value.shape), view=value.view)
    value = b.plain(node.reads[0])
    if value.batched and axis == 0:
        raise UnreadableError("it goes along the examples")
    letters = b.letters(value)
    place = axis - value.batched
    if value.axes is not None and value.axes[axis] == letters[place]:
        return b.line(node.called, op, [value], node.shape, axis=letters[place])
    raise UnreadableError(f"it goes along axis {axis}, which has no name of its own")


def masked_softmax(b: Builder, called: str, op: str, value: Value, allowed: np.ndarray) -> Value:
    """Softmax of scores over those that stand: causal where these are what is not later."""
    table = np.broadcast_to(allowed, value.example)
    while table.ndim > 2 and np.all(table == table[:1]):
        table = table[0]
    square = table.ndim == 2 and table.shape[0] == table.shape[1]
    if op == "Softmax" and square and np.array_equal(table, np.tri(len(table), dtype=bool)):
        return b.line(called, "CausalSoftmax", [value], value.shape)
    if np.all(table):
        return b.line(called, op, [value], value.shape)
    axes = value.axes or ()
    mask = b.keep("mask", table.astype(np.float64), axes[len(axes) - table.ndim :])
    return b.line(called, op, [value, mask], value.shape)


def without_mask(value: Value) -> Value:
    """The scores themselves."""
    return replace(value, allowed=None)


def kept_beside(b: Builder, array: np.ndarray, value: Value, called: str) -> Value:
    """A constant that a value meets, without n, as large as the value where it is not 1."""
    array = without_examples(array, value)
    rank = array.ndim
    if rank > len(value.example):
        raise UnreadableError("a constant that it reads has more axes than the value beside it")
    letters = b.letters(value)[len(value.example) - rank :]
    sizes = tuple(
        max(own, other)
        for own, other in zip(array.shape, value.example[len(value.example) - rank :], strict=True)
    )
    full = np.broadcast_to(array, sizes)
    return b.keep(f"{called}_constant", np.array(full), tuple(letters))


def without_examples(array: np.ndarray, value: Value) -> np.ndarray:
    """A constant without the axis of the examples, along which it must not change."""
    if value.view is not None:
        place = examples_in(value.view) - len(value.view)
        if array.ndim >= -place and array.shape[place] > 1:
            array = same_for_all(array, array.ndim + place)
        kept = behind_examples(value.view, array.shape)
        if kept is None:
            raise UnreadableError("a constant that it reads meets examples and heads in one axis")
        return array.reshape([array.shape[axis] for axis in kept])
    if value.batched and array.ndim == len(value.shape):
        array = same_for_all(array, 0)[0]
    while array.ndim and array.shape[0] == 1 and array.ndim > 1:
        array = array[0]
    return array


def same_for_all(array: np.ndarray, axis: int) -> np.ndarray:
    """The array with size 1 along the axis of the examples."""
    first = np.take(array, [0], axis)
    if not np.array_equal(array, np.broadcast_to(first, array.shape)):
        raise UnreadableError(
            "a constant that it reads differs between examples", "make it an input"
        )
    return first


def meet(b: Builder, called: str, op: str, pair: Sequence[Value]) -> Value:
    """Two values entry by entry; the axes of an example are matched from the last, as in numpy."""
    longest = max(map(shape_in_model, pair), key=len)
    pair = _as_many_axes(b, called, _copied_once(b, called, pair))
    found = _met(b, called, op, pair)
    more = len(longest) - len(view_of(found))
    if found.batched and more and set(longest[:more]) == {1}:
        found = seen(found, ((),) * more + view_of(found))
    return found


def _met(b: Builder, called: str, op: str, pair: Sequence[Value]) -> Value:
    """Values that have as many axes."""
    batched = any(v.batched for v in pair)
    if any(v.allowed is not None for v in pair):
        raise UnreadableError("it reads a score of -inf that no softmax follows")
    pair, view = _in_one_view(b, called, pair)
    shape = np.broadcast_shapes(*(v.shape for v in pair))
    rank = len(shape) - batched
    for v in pair:
        extra = len(v.shape) - len(shape)
        if batched and not v.batched and extra >= 0 and v.shape[extra] > 1:
            raise UnreadableError(
                f"numbers of shape {v.shape} have an axis of the examples", "make them an input"
            )
        if v.batched and len(v.shape) != len(shape):
            raise UnreadableError(
                "the examples of one operand meet another axis of the other",
                "give both as many axes",
            )
    own = shape[batched:]
    whole = next((v for v in pair if v.example == own), None)
    letters = b.letters(whole) if whole is not None else letters_of(rank)
    ready, words = [], []
    for place, v in enumerate(pair):
        sizes = v.example
        here = letters_of(max(len(sizes) - rank, 0)) + letters[max(rank - len(sizes), 0) :]
        first = next((p for p, s in enumerate(sizes) if s != 1), len(sizes))
        lacks = [
            s == 1 and ((p < first and not v.batched) or own[rank - len(sizes) + p] != 1)
            for p, s in enumerate(sizes)
        ]
        kept = [s for s, gone in zip(sizes, lacks, strict=True) if not gone]
        if tuple(kept) != v.example:
            v = reshaped(b, f"{called}_{'ab'[place]}", v, tuple(kept))
        ready.append(v)
        words.append([c for c, gone in zip(here, lacks, strict=True) if not gone])
    if rank == 0 and not batched:
        return b.line(called, op, ready, shape, "")
    if all(word == letters for word in words):
        options = () if letters == ["k"] or rank == 1 else (",".join(letters),)
        if rank == 0:
            options = ("",)
        return replace(b.line(called, op, ready, shape, *options), view=view)
    said = ", ".join(f"{n}[{','.join(w)}]" for n, w in zip("ab", words, strict=True))
    options = (f"{said} -> c[{','.join(letters)}]",)
    return replace(b.line(called, op, ready, shape, *options), view=view)


def _as_many_axes(b: Builder, called: str, pair: Sequence[Value]) -> Sequence[Value]:
    """Values as those of examples with most axes: an axis of size 1 in front is seen, or left."""
    most = max((len(view_of(v)) for v in pair if v.batched), default=0)
    found = []
    for v in pair:
        extra = most - len(view_of(v))
        longest = next(v for v in pair if len(view_of(v)) == most) if most else v
        if v.batched and extra and set(shape_in_model(longest)[:extra]) == {1}:
            v = seen(v, ((),) * extra + view_of(v))
        elif most and not v.batched and extra < 0 and set(v.shape[:-extra]) == {1}:
            v = reshaped(b, f"{called}_{v.name}", v, v.shape[-extra:])
        found.append(v)
    return found


def _copied_once(b: Builder, called: str, pair: Sequence[Value]) -> Sequence[Value]:
    """A parameter that has a copy for each example, once."""
    whole = next((v for v in pair if v.batched), None)
    if whole is None:
        return pair
    view = view_of(whole)
    place = examples_in(view) - len(view)
    found = []
    for v in pair:
        if not v.batched and v.name in b.used and len(v.shape) >= -place and v.shape[place] > 1:
            if not b.model.copies:
                raise UnreadableError(
                    f"a parameter of shape {v.shape} has entries of its own for each example",
                    "give it one row, or make it an input",
                )
            array, whole = b.used[v.name].array, settled(b, f"{whole.name}_turned", whole)
            while array.ndim > len(view) and len(array) == 1:
                array = array[0]
            row = without_examples(array, whole)
            v = b.copied(f"{called}_constant", row)
        found.append(v)
    return found


def _in_one_view(
    b: Builder, called: str, pair: Sequence[Value]
) -> tuple[Sequence[Value], View | None]:
    """The values with their axes as we have them, and the one view that those of examples have."""
    views = {v.view for v in pair if v.batched}
    if views <= {None}:
        return pair, None
    if len(views) > 1 or not all(v.batched for v in pair):
        pair = [settled(b, f"{v.name}_turned", v) for v in pair]
        views = {v.view for v in pair if v.batched}
    if len(views) > 1:
        raise UnreadableError(
            "it reads examples and tokens in one axis beside what has them apart",
            "keep them apart: x.view(n, t, -1)",
        )
    (view,) = views
    ready = []
    for v in pair:
        if view is not None and not v.batched:
            kept = behind_examples(view, v.shape)
            if kept is None:
                raise UnreadableError("a parameter meets examples and heads in one axis")
            sizes = tuple(v.shape[axis] for axis in kept)
            v = v if sizes == v.shape else reshaped(b, f"{called}_{v.name}", v, sizes)
        ready.append(replace(v, view=None))
    return ready, view


def over(
    b: Builder, called: str, op: str, value: Value, *options: object, **named: object
) -> Value:
    """An op that goes entry by entry."""
    found = b.line(called, op, [value], value.shape, *options, **_axes_of(value, op, named))
    return replace(found, view=value.view)


def _axes_of(value: Value, op: str, named: dict) -> dict:
    """An op that goes entry by entry reads k; one number, or one of each example, has no axis."""
    return {**named, "axes": ""} if not value.example else named


def with_number(
    b: Builder, called: str, op: str, value: Value, number: float, place: int = 1
) -> Value:
    """Add(x, 2.0), and Divide(1.0, x) where its place is 0; one number has no axes."""
    said = [value.name, repr(number)] if place == 1 else [repr(number), value.name]
    said += [] if value.example else ["''"]
    found = b.call(called, f"{op}({', '.join(said)})", [value], value.shape)
    return replace(found, view=value.view)


def _masked(
    b: Builder, value: Value, allowed: np.ndarray, added: np.ndarray | None, node: Node
) -> Value:
    """The value with a mask that waits for its softmax."""
    if value.allowed is not None:
        raise UnreadableError("its scores have two masks", "put the masks together before")
    if added is not None and np.any(added):
        kept = kept_beside(b, added, value, node.called)
        value = meet(b, node.called, "Add", [value, kept])
    return replace(value, allowed=without_examples(np.asarray(allowed), value))


RULES = {
    **dict.fromkeys(
        [*SIMPLE, "gelu", "elu", "leaky_relu", "negative", "power"],
        activation,
    ),
    **dict.fromkeys(BINARY, binary),
    "same": same,
    "masked_fill": masked_fill,
    "softmax": softmax,
}
