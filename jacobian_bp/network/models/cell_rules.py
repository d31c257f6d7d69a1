"""How recurrent layers are written: a cell a token, its states read by the next."""

from dataclasses import replace

import numpy as np

from .building import Builder, UnreadableError, Value, letters_of
from .model import Node
from .place_rules import selected
from .views import TOKENS_IN_FRONT, moved, stacked


def cell(b: Builder, node: Node) -> Value:
    """One step of a cell: it reads x, its states, W, U and two biases."""
    kind, part = node.options["cell"], node.options.get("part", 0)
    x = b.plain(node.reads[0])
    states = [_state(b, node, key, x) for key in node.options["states"]]
    parameters = [b.value(key) for key in node.reads[1:] if key is not None]
    found = step(b, node.called, kind, x, states, parameters)
    key = node.gives.rpartition("#")[0]
    for place, value in enumerate(found):
        b.values[f"{key}#{place}"] = value
    return found[part]


def layer(b: Builder, node: Node) -> Value:
    """Layers of cells along the tokens, in one direction or both; the values side by side.

    The states behind the last token, of each layer and direction, are the values `#1` and `#2`.
    """
    kind = node.options["cell"]
    x = b.read(node.reads[0])
    behind = not node.options.get("first", True)
    if len(x.example) != 2:
        raise UnreadableError(f"it reads {len(x.shape)} axes", "give it (n, t, inputs)")
    if x.view != (TOKENS_IN_FRONT if behind else None):
        raise UnreadableError("its batch is not first", "make it with batch_first=True")
    inputs = [selected(b, f"{node.called}_x{t}", x, 0, t) for t in range(x.example[0])]
    parameters = [[b.value(key) for key in keys] for keys in node.options["layers"]]
    first = [
        _first_states(b, node, key, name, parameters)
        for key, name in zip(_given_states(node, kind), ("h0", "c0"), strict=False)
    ]
    ends: list[list[Value]] = []
    ways = node.options.get("directions", 1)
    for number in range(0, len(parameters), ways):
        each = []
        for way in range(ways):
            own = parameters[number + way]
            states = [given[number + way] for given in first]
            called = f"{node.called}_{number // ways}" if len(parameters) > ways else node.called
            if ways > 1:
                called = f"{called}_{'back' if way else 'forth'}"
            found, states = _along(b, called, kind, (inputs, states, own), turned_round=way == 1)
            each.append(found)
            ends.append(states)
        inputs = each[0] if ways == 1 else [_beside(b, pair) for pair in zip(*each, strict=True)]
    key = node.gives.rpartition("#")[0]
    for place in range(len(first)):
        b.values[f"{key}#{place + 1}"] = b.side_by_side([states[place] for states in ends])
    whole = stacked(b, node.called, inputs, 0)
    return moved(whole, (1, 0, 2)) if behind else whole


def _along(
    b: Builder,
    called: str,
    kind: str,
    read: tuple[list[Value], list[Value], list[Value]],
    turned_round: bool,
) -> tuple[list[Value], list[Value]]:
    """The values of a layer at each token, and its states behind the last one that it reads."""
    inputs, states, own = read
    found: dict[int, Value] = {}
    for t in reversed(range(len(inputs))) if turned_round else range(len(inputs)):
        states = step(b, f"{called}_h{t + 1}", kind, inputs[t], states, own)
        found[t] = states[0]
    return [found[t] for t in range(len(inputs))], states


def _beside(b: Builder, pair: tuple[Value, ...]) -> Value:
    """What both directions give at a token, in one row."""
    shape = (*pair[0].shape[:-1], sum(v.shape[-1] for v in pair))
    return b.line(f"{pair[0].name}_both", "Concat", pair, shape)


def _given_states(node: Node, kind: str) -> list[str | None]:
    """The keys of the states that it begins with; None for zeros."""
    count = 2 if kind == "lstm" else 1
    return [*node.options.get("states", ()), None, None][:count]


def _first_states(
    b: Builder, node: Node, key: str | None, name: str, parameters: list[list[Value]]
) -> list[Value]:
    """What each layer and direction begins with."""
    units = parameters[0][1].shape[1]
    called = f"{node.called}_{name}"
    array = np.zeros((1, 1, units)) if key is None else b.constant(key)
    if array is not None:
        if not np.array_equal(array, np.broadcast_to(array[:, :1], array.shape)):
            raise UnreadableError("a state that it begins with differs between examples")
        rows = np.broadcast_to(array[:, 0], (len(parameters), units))
        return [b.keep(called, np.array(row, float), ("k",)) for row in rows]
    if b.value(key).layers:
        return list(b.value(key).layers)
    value = b.read(key)
    if not value.batched or value.view != TOKENS_IN_FRONT:
        raise UnreadableError("it begins with states of other axes", "give it (layers, n, units)")
    base = replace(value, view=None)
    return [selected(b, f"{called}_{i}", base, 0, i) for i in range(len(parameters))]


def step(
    b: Builder, called: str, kind: str, x: Value, states: list[Value], parameters: list[Value]
) -> list[Value]:
    """The states behind one token: h, and c of an LSTM."""
    W, U, *biases = parameters
    shape = (*x.shape[:-1], U.shape[1])
    if kind == "gru":
        return [b.line(called, "GRUCell", [x, states[0], W, U, *biases], shape)]
    bias = _one_bias(b, W.name, biases)
    reads = [x, *states, W, U, *bias]
    if kind == "lstm":
        carry = b.line(f"{called}_c", "LSTMCarry", reads, shape)
        output = [x, states[0], carry, W, U, *bias]
        return [b.line(called, "LSTMOutput", output, shape), carry]
    if kind == "rnn":
        return [b.line(called, "RNNCell", reads, shape)]
    z = b.line(f"{called}_z", "Linear", [x, W, *bias], shape)
    u = b.line(f"{called}_u", "Linear", [states[0], U], states[0].shape)
    letters = letters_of(1)
    s = b.line(f"{called}_s", "Add", [z, u], shape, *(() if letters == ["k"] else ("k",)))
    return [b.line(called, "ReLU", [s], shape)]


def _one_bias(b: Builder, weight: str, biases: list[Value]) -> list[Value]:
    """The two biases of PyTorch's cells as their sum, once."""
    if len(biases) < 2:
        return biases
    name = f"{weight}_biases"
    if name in b.steps:
        return [Value(name, biases[0].shape, b.axes[name], False)]
    return [b.line(name, "Add", biases, biases[0].shape)]


def _state(b: Builder, node: Node, key: str, x: Value) -> Value:
    array = b.constant(key)
    if array is None:
        return b.plain(key)
    if array.ndim == 2:
        if not np.array_equal(array, np.broadcast_to(array[:1], array.shape)):
            raise UnreadableError("a state that it begins with differs between examples")
        array = array[0]
    return b.keep("h0", array, ("k",))


RULES = {"cell": cell, "recurrent": layer}
