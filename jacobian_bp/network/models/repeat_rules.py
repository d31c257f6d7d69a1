"""How nodes that repeat, pad and turn entries round are written."""

import numpy as np

from .building import Builder, UnreadableError, Value, letters_of
from .entry_rules import BINARY
from .model import Node
from .place_rules import joined, sliced
from .views import reshaped, turned


def repeated(b: Builder, called: str, value: Value, axis: int, count: int, each: bool) -> Value:
    """An axis of an example `count` times: each entry that often, or the whole again and again.

    It is a product with ones, y[i,r] = x[i] 1[r], whose axes are one then.
    """
    if count == 1:
        return value
    letters = letters_of(len(value.example))
    ones = b.keep(f"{called}_ones", np.ones(count), ("r",))
    place = axis + each
    out = [*letters[:place], "r", *letters[place:]]
    sizes = list(value.example)
    apart = (*value.shape[: value.batched], *sizes[:place], count, *sizes[place:])
    words = f"{''.join(letters)},r->{''.join(out)}"
    found = b.line(f"{called}_times", "Einsum", [value, ones], apart, words)
    sizes[axis] *= count
    return reshaped(b, called, found, tuple(sizes))


def repeat(b: Builder, node: Node) -> Value:
    """Axes several times, `counts` for each axis of the model."""
    value, counts = b.plain(node.reads[0]), node.options["counts"]
    if value.batched and counts[0] != 1:
        raise UnreadableError("it repeats examples")
    if not value.batched and value.shape[:1] == (1,) and counts[0] == b.examples:
        counts = (1, *counts[1:])  # a parameter repeated for the examples, which ops carry
    found = value
    for axis, count in enumerate(counts[value.batched :]):
        found = repeated(b, node.called, found, axis, count, node.options.get("each", False))
    return found


def expand(b: Builder, node: Node) -> Value:
    """Axes of size 1 repeated: left to what reads entry by entry, else written as a product."""
    value = b.plain(node.reads[0])
    sizes = value.example if value.batched else value.shape
    target = node.shape[len(node.shape) - len(sizes) :]
    front = 0 if value.batched else 1  # a parameter repeated for the examples, which ops carry
    if all(s == t for s, t in zip(sizes[front:], target[front:], strict=True)):
        return value
    readers = [reader.kind for reader in b.model.nodes if node.gives in reader.reads]
    if readers and all(kind in BINARY for kind in readers):
        return value
    if not value.batched:
        raise UnreadableError("it repeats a parameter", "leave it to the op that reads it")
    found = value
    for axis, (size, goal) in enumerate(zip(sizes, target, strict=True)):
        if size != goal:
            found = repeated(b, node.called, found, axis, goal, each=False)
    return found


def pad(b: Builder, node: Node) -> Value:
    """A constant before and after the entries of axes of an example, (before, after) of each."""
    value = b.plain(node.reads[0])
    around = node.options["around"]
    if value.batched and any(around[0]):
        raise UnreadableError("it adds examples")
    return padded(b, node.called, value, around[value.batched :], node.options.get("value", 0.0))


def padded(
    b: Builder, called: str, value: Value, around: tuple[tuple[int, int], ...], fill: float = 0.0
) -> Value:
    """The example with a constant around it, cut where a number is below 0."""
    found = value
    for axis, (before, after) in enumerate(around):
        if min(before, after) < 0:
            size = found.example[axis]
            start, stop = max(-before, 0), size + min(after, 0)
            found = sliced(b, f"{called}_cut", found, axis, start, stop)
            before, after = max(before, 0), max(after, 0)
        if before or after:
            found = _along_last(b, called, found, axis, "Pad", (before, after, fill))
    return found


def _along_last(b: Builder, called: str, value: Value, axis: int, op: str, options: tuple) -> Value:
    """An op of the last axis along another one, which is put there and back."""
    last = len(value.example) - 1
    order = [p for p in range(last + 1) if p != axis] + [axis]
    there = turned(b, f"{called}_turned", value, order)
    grown = there.shape[-1] + (sum(options[:2]) if op == "Pad" else 0)
    options = options[:2] if op == "Pad" and not options[2] else options
    name = called if axis == last else f"{called}_padded"
    found = b.line(name, op, [there], (*there.shape[:-1], grown), *options)
    return turned(b, called, found, [order.index(p) for p in range(last + 1)])


def flip(b: Builder, node: Node) -> Value:
    """The entries of axes turned round."""
    found = b.plain(node.reads[0])
    for axis in node.options["axes"]:
        if found.batched and axis % len(found.shape) == 0:
            raise UnreadableError("it turns the examples round")
        own = axis % len(found.shape) - found.batched
        found = _along_last(b, node.called, found, own, "Flip", ())
    return found


def roll(b: Builder, node: Node) -> Value:
    """The last entries of axes in front of the others."""
    found = b.plain(node.reads[0])
    for axis, shift in node.options["shifts"]:
        own = axis % len(found.shape) - found.batched
        if own < 0:
            raise UnreadableError("it moves examples")
        size = found.example[own]
        cut = (size - shift) % size
        if cut:
            parts = [
                sliced(b, f"{node.called}_end", found, own, cut, size),
                sliced(b, f"{node.called}_start", found, own, 0, cut),
            ]
            found = joined(b, node.called, parts, own)
    return found


def running_sum(b: Builder, node: Node) -> Value:
    """The running sum along an axis."""
    value = b.plain(node.reads[0])
    own = node.options["axis"] % len(value.shape) - value.batched
    if own < 0:
        raise UnreadableError("it adds up examples")
    return _along_last(b, node.called, value, own, "CumSum", ())


def shuffled(b: Builder, node: Node) -> Value:
    """Channels (c, r, s) of each pixel as r rows and s columns; or (r, s, c), as DepthToSpace."""
    value, r = b.plain(node.reads[0]), node.options["times"]
    channels, rows, columns = value.example
    c = channels // (r * r)
    first = node.options.get("first", True)
    apart = (c, r, r, rows, columns) if first else (r, r, c, rows, columns)
    order = [0, 3, 1, 4, 2] if first else [2, 3, 0, 4, 1]
    found = turned(
        b, f"{node.called}_turned", reshaped(b, f"{node.called}_apart", value, apart), order
    )
    return reshaped(b, node.called, found, (c, rows * r, columns * r))


def resampled(b: Builder, node: Node) -> Value:
    """y[c,o,q] = Σ_ij x[c,i,j] A[o,i] B[q,j]: fixed weights of each place, a matrix an axis."""
    value, matrices = b.plain(node.reads[0]), node.options["matrices"]
    letters = letters_of(len(value.example))
    out, words = [*letters], ["".join(letters)]
    kept: list[Value] = []
    for axis, (letter, matrix) in enumerate(zip(letters, matrices, strict=True)):
        if matrix is not None:
            out[axis] = "opqr"[len(kept)]
            kept.append(b.keep(f"{node.called}_weights", matrix, (out[axis], letter)))
            words.append(f"{out[axis]}{letter}")
    equation = f"{','.join(words)}->{''.join(out)}"
    return b.line(node.called, "Einsum", [value, *kept], node.shape, equation)


RULES = {
    "resampled": resampled,
    "repeat": repeat,
    "expand": expand,
    "pad": pad,
    "flip": flip,
    "roll": roll,
    "running_sum": running_sum,
    "shuffled": shuffled,
}
