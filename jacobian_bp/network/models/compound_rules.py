"""How functions are written that are several ops in a row: clipped, gated, sloped, normed."""

from dataclasses import replace

import numpy as np

from .building import Builder, UnreadableError, Value
from .entry_rules import SIMPLE, meet, over, with_number
from .model import Node
from .place_rules import sliced
from .views import reshaped, view_of

FARTHEST = 100.0  # a limit that is added and taken off again: digits are lost in proportion


def clip(b: Builder, node: Node) -> Value:
    """low + relu(z − low) − relu(z − high), with the slope 0 at both limits."""
    low, high = node.options.get("low"), node.options.get("high")
    return clipped(b, node.called, b.read(node.reads[0]), low, high)


def clipped(b: Builder, called: str, value: Value, low: float | None, high: float | None) -> Value:
    """A value between its limits, either of which may be left out."""
    if any(abs(limit or 0) > FARTHEST for limit in (low, high)):
        raise UnreadableError(
            f"it is limited to {low} and {high}, and limits are read up to {FARTHEST:g}"
        )
    found = value
    if low is not None:
        found = over(b, f"{called}_low", "ReLU", _less(b, f"{called}_above", value, low))
        found = with_number(b, f"{called}_from", "Add", found, low) if low else found
    if high is None:
        return found
    off = _less(b, f"{called}_off", value, high)
    beyond = over(b, f"{called}_beyond", "ReLU", off, at_zero=1.0)
    return _meet(b, called, "Subtract", found, beyond)


def larger(b: Builder, node: Node) -> Value:
    """max(a, b) = b + relu(a − b), min(a, b) = a − relu(a − b); where they meet, half of each."""
    first, second = node.reads
    for one, other in ((first, second), (second, first)):
        limit = b.constant(other)
        if limit is not None and limit.size == 1:
            name = "low" if node.kind == "larger" else "high"
            return clip(b, replace(node, reads=(one,), options={name: float(limit.reshape(()))}))
    pair, called = (b.read(first), b.read(second)), node.called
    off = _meet(b, f"{called}_off", "Subtract", *pair)
    beyond = over(b, f"{called}_beyond", "ReLU", off, at_zero=0.5)
    if node.kind == "larger":
        return _meet(b, called, "Add", beyond, pair[1])
    return _meet(b, called, "Subtract", pair[0], beyond)


def _less(b: Builder, called: str, value: Value, number: float) -> Value:
    return with_number(b, called, "Subtract", value, number) if number else value


def _meet(b: Builder, called: str, op: str, *pair: Value) -> Value:
    return meet(b, called, op, pair)


def hard_sigmoid(b: Builder, node: Node) -> Value:
    """The line alpha z + beta between 0 and 1; times z where it gates."""
    value = b.read(node.reads[0])
    called = f"{node.called}_gate" if node.options.get("gates") else node.called
    alpha, beta = node.options.get("alpha", 1 / 6), node.options.get("beta", 0.5)
    ends = -beta / alpha, (1 - beta) / alpha
    inner = clipped(b, f"{called}_clipped", value, *ends)
    share = with_number(b, f"{called}_scaled", "Multiply", inner, alpha)
    gate = with_number(b, called, "Add", share, beta)
    return _meet(b, node.called, "Multiply", value, gate) if node.options.get("gates") else gate


def mish(b: Builder, node: Node) -> Value:
    """z tanh(softplus(z))."""
    value = b.read(node.reads[0])
    inner = over(b, f"{node.called}_softplus", "Softplus", value)
    gate = over(b, f"{node.called}_tanh", "Tanh", inner)
    return _meet(b, node.called, "Multiply", value, gate)


def softsign(b: Builder, node: Node) -> Value:
    """z / (1 + |z|)."""
    value = b.read(node.reads[0])
    size = over(b, f"{node.called}_abs", "Abs", value)
    below = with_number(b, f"{node.called}_below", "Add", size, 1.0)
    return _meet(b, node.called, "Divide", value, below)


def log_sigmoid(b: Builder, node: Node) -> Value:
    """−softplus(−z)."""
    negative = with_number(b, f"{node.called}_negative", "Multiply", b.read(node.reads[0]), -1.0)
    return with_number(
        b, node.called, "Multiply", over(b, f"{node.called}_softplus", "Softplus", negative), -1.0
    )


def scaled(b: Builder, node: Node) -> Value:
    """f(z · inner) · outer, for the function `of`: SELU, CELU, a softplus with beta."""
    value, called = b.read(node.reads[0]), node.called
    inner, outer = node.options["inner"], node.options["outer"]
    if inner != 1:
        value = with_number(b, f"{called}_in", "Multiply", value, inner)
    of = node.options["of"]
    tuned = {"alpha": node.options["alpha"]} if "alpha" in node.options else {}
    found = over(b, f"{called}_of", "ELU" if of == "elu" else SIMPLE[of], value, **tuned)
    return with_number(b, called, "Multiply", found, outer)


def sloped(b: Builder, node: Node) -> Value:
    """relu(z) − a relu(−z): the slope a is trained, one for all or one for each channel."""
    value, slope, called = b.read(node.reads[0]), b.value(node.reads[1]), node.called
    entries = int(np.prod(slope.shape))
    behind = len(view_of(value)) - 2
    if entries > 1 and slope.shape == (entries,) and behind > 0:
        slope = reshaped(b, f"{called}_slopes", slope, (entries, *(1,) * behind))
    right = over(b, f"{called}_right", "ReLU", value)
    negative = with_number(b, f"{called}_negative", "Multiply", value, -1.0)
    left = over(b, f"{called}_left", "ReLU", negative, at_zero=1.0)
    return _meet(
        b, called, "Subtract", right, _meet(b, f"{called}_sloped", "Multiply", slope, left)
    )


def gated(b: Builder, node: Node) -> Value:
    """The first half of an axis times the sigmoid of the second."""
    value = b.plain(node.reads[0])
    axis = node.options["axis"] - value.batched
    half = value.example[axis] // 2
    first = sliced(b, f"{node.called}_first", value, axis, 0, half)
    second = sliced(b, f"{node.called}_second", value, axis, half, 2 * half)
    gate = over(b, f"{node.called}_gate", "Sigmoid", second)
    return _meet(b, node.called, "Multiply", first, gate)


def bilinear(b: Builder, node: Node) -> Value:
    """Σ_ij x[i] K[k,i,j] y[j], and a bias."""
    x, y, weight = b.plain(node.reads[0]), b.plain(node.reads[1]), b.value(node.reads[2])
    bias = node.reads[3] if len(node.reads) > 3 else None
    called = f"{node.called}_product" if bias else node.called
    shape = (*x.shape[:-1], weight.shape[0])
    found = b.line(called, "Einsum", [x, weight, y], shape, "i,kij,j->k")
    return _meet(b, node.called, "Add", found, b.value(bias)) if bias else found


RULES = {
    "larger": larger,
    "smaller": larger,
    "clip": clip,
    "hard_sigmoid": hard_sigmoid,
    "mish": mish,
    "softsign": softsign,
    "log_sigmoid": log_sigmoid,
    "scaled": scaled,
    "sloped": sloped,
    "gated": gated,
    "bilinear": bilinear,
}
