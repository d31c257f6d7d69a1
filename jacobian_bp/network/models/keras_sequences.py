"""Keras's layers over tokens: attention with several heads, and recurrent layers from states of 0.

Its kernels have the heads as an axis of their own, and its GRU has the gates in the order
update, reset, new; here heads are parts of rows, and the order is reset, update, new.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from ...writing.signs import safe
from .keras_layer import Here, Layer, Rule, UnknownError

CELLS = {"SimpleRNN": ("rnn", 1), "LSTM": ("lstm", 4), "GRU": ("gru", 3)}  # and their gates
CELL_NAMES = {"SimpleRNN": "simple_rnn_cell", "LSTM": "lstm_cell", "GRU": "gru_cell"}
MASKS = ("attention_mask", "mask", "query_mask", "value_mask", "key_mask", "initial_state")


def recurrent(layer: Layer, values: list[Here]) -> Here:
    """A cell a token; without return_sequences the state behind the last one."""
    x, config = values[0], layer.config
    kind, gates = CELLS[layer.kind]
    for option in ("go_backwards", "stateful", "return_state"):
        if config.get(option):
            raise UnknownError(f"it has {option}=True")
    _require_plain(layer, values, 1)
    wanted = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    if kind == "rnn":
        wanted = {"activation": "tanh"}
        if config.get("activation") == "relu":
            kind, wanted = "rnn_relu", {}
    for option, name in wanted.items():
        if config.get(option) != name:
            raise UnknownError(f"its {option} is {safe(repr(config.get(option)))[:60]}")
    if kind == "gru" and not config.get("reset_after", True):
        raise UnknownError("it has reset_after=False")
    keys, units = _cell_parameters(layer, gates)
    shape, own = (*x.shape[:-1], units), (tuple(keys),)
    reads = [x.key, *keys]
    found = layer.node("recurrent", reads, shape, part="#0", cell=kind, layers=own)
    if config.get("return_sequences"):
        return found
    last = found.key.removesuffix("#0") + "#1"
    return layer.node("select", [last], (x.shape[0], units), axis=0, index=-1)


def _cell_parameters(layer: Layer, gates: int) -> tuple[list[str], int]:
    """W, U and the biases of a cell, and how many units it has."""
    kernel, recurrent_kernel, *biases = layer.inner["cell"]
    units, cell = recurrent_kernel.shape[0], CELL_NAMES[layer.kind]
    rows = None
    if layer.kind == "GRU":
        update, reset, new = np.arange(gates * units).reshape(gates, units)
        rows = tuple(int(row) for row in np.concatenate([reset, update, new]))

    def ordered(array: np.ndarray) -> np.ndarray:
        return array if rows is None else np.ascontiguousarray(array[list(rows)])

    keys = [
        layer.keep(what, ordered(array.T.copy()), (1, 0), rows, inside=cell)
        for what, array in (("kernel", kernel), ("recurrent_kernel", recurrent_kernel))
    ]
    if layer.config.get("use_bias", True):
        parts = biases[0] if biases[0].ndim == 2 else biases[0][None]
        names = ["bias"] if len(parts) == 1 else ["bias[0]", "bias[1]"]
        for name, part in zip(names, parts, strict=True):
            keys.append(layer.keep(name, ordered(np.array(part)), None, rows, inside=cell))
    return keys, units


def multi_head(layer: Layer, values: list[Here]) -> Here:
    """Query, value and key as Keras gives them, key = value where it is left out."""
    config = layer.config
    _require_plain(layer, values, 3)
    for option in ("use_gate", "sliding_window", "output_shape"):
        if config.get(option):
            raise UnknownError(f"it has {option}={safe(repr(config[option]))[:40]}")
    if any(len(value.shape) != 3 for value in values):
        raise UnknownError("it attends over other axes than one of tokens")
    query, value, *key = values
    heads = config["num_heads"]
    parts = [
        _heads(layer, name, read, heads)
        for name, read in (("query", query), ("key", [*key, value][0]), ("value", value))
    ]
    n, tokens, each = query.shape[0], query.shape[1], parts[2].shape[-1]
    heard = layer.node(
        "scaled_dot_product",
        [part.key for part in parts],
        (n, heads, tokens, each),
        inside="heard",
        causal=bool(layer.call.get("use_causal_mask")),
    )
    turned = layer.node(
        "transpose", [heard.key], (n, tokens, heads, each), inside="turned", order=(0, 2, 1, 3)
    )
    row = layer.node("reshape", [turned.key], (n, tokens, heads * each), inside="row")
    kernel, *bias = layer.inner["output_dense"]
    width = kernel.shape[-1]
    matrix = kernel.reshape(heads * each, width).T.copy()
    reads = [row.key, layer.keep("attention_output/kernel", matrix, (1, 0), None, kernel.shape)]
    reads += [layer.keep("attention_output/bias", np.array(part)) for part in bias]
    return layer.node("linear", reads, (n, tokens, width))


def _heads(layer: Layer, what: str, x: Here, heads: int) -> Here:
    """Queries, keys or values, (n, heads, tokens, each)."""
    kernel, *bias = layer.inner[f"{what}_dense"]
    inputs, each = kernel.shape[0], kernel.shape[-1]
    matrix = kernel.reshape(inputs, heads * each).T.copy()
    reads = [x.key, layer.keep(f"{what}/kernel", matrix, (1, 0), None, kernel.shape)]
    for part in bias:
        flat = np.array(part).reshape(-1)
        reads.append(layer.keep(f"{what}/bias", flat, None, None, part.shape))
    n, tokens = x.shape[:2]
    row = layer.node("linear", reads, (n, tokens, heads * each), inside=f"{what}_row")
    apart = layer.node("reshape", [row.key], (n, tokens, heads, each), inside=f"{what}_heads")
    shape = (n, heads, tokens, each)
    return layer.node("transpose", [apart.key], shape, inside=what, order=(0, 2, 1, 3))


def _require_plain(layer: Layer, values: Sequence[Here], most: int) -> None:
    """UnknownError for a layer that is called with masks or states."""
    if len(values) > most:
        raise UnknownError(f"it is called with {len(values)} values; {most} are read")
    for name in MASKS:
        if layer.call.get(name) is not None:
            raise UnknownError(f"it is called with {name}")
    if prod(values[0].shape) == 0:
        raise UnknownError("it reads no token")


SEQUENCES: dict[str, Rule] = {
    **dict.fromkeys(CELLS, recurrent),
    "MultiHeadAttention": multi_head,
}
