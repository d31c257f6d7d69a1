"""How recurrent layers are written: a cell a token, its states read by the next."""

import numpy as np

from .building import Builder, UnreadableError, Value, letters_of
from .model import Node
from .place_rules import selected, stacked

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


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
    """A layer of cells along the tokens, from states of 0; its values side by side."""
    kind = node.options["cell"]
    x = b.plain(node.reads[0])
    if len(x.example) != 2:
        raise UnreadableError(f"it reads {len(x.shape)} axes", "give it (n, t, inputs)")
    tokens = x.example[0]
    found: list[Value] = []
    parameters = [[b.value(key) for key in keys] for keys in node.options["layers"]]
    inputs = [selected(b, f"{node.called}_x{t}", x, 0, t) for t in range(tokens)]
    ends: list[list[Value]] = []
    for number, own in enumerate(parameters):
        units = own[1].shape[1]
        names = [f"{node.called}_h0", f"{node.called}_c0"][: 2 if kind == "lstm" else 1]
        states = [b.keep(name, np.zeros(units), ("k",)) for name in names]
        found = []
        for t, read in enumerate(inputs):
            called = (
                f"{node.called}_{number}_h{t + 1}"
                if len(parameters) > 1
                else (f"{node.called}_h{t + 1}")
            )
            states = step(b, called, kind, read, states, own)
            found.append(states[0])
        inputs = found
        ends.append(states)
    key = node.gives.rpartition("#")[0]
    for place in range(len(ends[-1])):
        layers = tuple(states[place] for states in ends)
        whole = (len(layers), *layers[0].shape)
        b.values[f"{key}#{place + 1}"] = Value(layers[0].name, whole, None, False, layers=layers)
    return stacked(b, node.called, found, 0)


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
