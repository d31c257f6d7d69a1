"""A model of Keras 3 as nodes: its layers by a table, without Keras and without TensorFlow.

Images there have their channels last; here they are first, so that a layer of windows stands
between two transposes. Kernels are (inputs, outputs), and are turned once. Layers are read as in
evaluation: dropout does nothing, batch normalisation has the statistics that were kept.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SpecError
from ...writing.signs import safe
from ..files.paths import label
from .keras_file import WHO, Arrays, read_keras_file
from .keras_layer import Here, Layer, Rule, UnknownError
from .keras_sequences import SEQUENCES
from .model import Model, Node
from .names import as_name

EXAMPLES = 3
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)  # the channels of images
ROW_FIRST = (0, 2, 1)  # the channels of rows, either way


def dense(layer: Layer, values: list[Here]) -> Here:
    (x,) = values
    reads = [x.key, layer.parameter(0, "kernel", (1, 0))]
    if layer.config.get("use_bias", True):
        reads.append(layer.parameter(1, "bias"))
    shape = (*x.shape[:-1], layer.arrays[0].shape[1])
    return layer.activated(layer.node("linear", reads, shape))


def in_front(layer: Layer, x: Here, windows: Callable[[Here], Here]) -> Here:
    """What goes over windows, between two transposes."""
    if layer.config.get("data_format", "channels_last") != "channels_last":
        return windows(x)
    order, back = (FIRST, LAST) if len(x.shape) == 4 else (ROW_FIRST, ROW_FIRST)
    turned = layer.node("transpose", [x.key], tuple(x.shape[a] for a in order), order=order)
    found = windows(turned)
    return layer.node("transpose", [found.key], tuple(found.shape[a] for a in back), order=back)


def padding(
    layer: Layer, sizes: Sequence[int], width: Sequence[int], stride: Sequence[int]
) -> tuple[int, ...]:
    """How much stands around each axis; "same" has to be as much before as after."""
    said = layer.config.get("padding", "valid")
    if said == "valid":
        return (0,) * len(sizes)
    if said != "same":
        raise UnknownError(f"its padding is {safe(repr(said))[:40]}")
    whole = [
        max((-(-size // s) - 1) * s + w - size, 0)
        for size, w, s in zip(sizes, width, stride, strict=True)
    ]
    if any(count % 2 for count in whole):
        raise UnknownError('its padding "same" is not as much before as after; write "valid"')
    return tuple(count // 2 for count in whole)


def convolution(layer: Layer, values: list[Here]) -> Here:
    rank = layer.arrays[0].ndim - 2
    stride, gaps = tuple(layer.config["strides"]), tuple(layer.config["dilation_rate"])
    taps = layer.arrays[0].shape[:rank]

    def windows(x: Here) -> Here:
        width = [(w - 1) * g + 1 for w, g in zip(taps, gaps, strict=True)]
        pads = padding(layer, x.shape[2:], width, stride)
        order = (rank + 1, rank, *range(rank))
        reads = [x.key, layer.parameter(0, "kernel", order)]
        if layer.config.get("use_bias", True):
            reads.append(layer.parameter(1, "bias"))
        sizes = tuple(
            (n + 2 * p - w) // s + 1
            for n, p, w, s in zip(x.shape[2:], pads, width, stride, strict=True)
        )
        shape = (x.shape[0], layer.arrays[0].shape[-1], *sizes)
        groups = layer.config.get("groups", 1)
        options: dict[str, Any] = {"stride": stride, "padding": pads, "dilation": gaps}
        found = layer.node("convolution", reads, shape, groups=groups, **options)
        if layer.config.get("activation") in ("softmax", "log_softmax"):
            raise UnknownError("its softmax goes over channels; put it into a layer of its own")
        return layer.activated(found)

    return in_front(layer, values[0], windows)


def pool(kind: str) -> Rule:
    def rule(layer: Layer, values: list[Here]) -> Here:
        width, stride = tuple(layer.config["pool_size"]), tuple(layer.config["strides"])

        def windows(x: Here) -> Here:
            pads = padding(layer, x.shape[2:], width, stride)
            if kind == "average_pool" and any(pads):
                raise UnknownError("its mean leaves the padding out")
            sizes = tuple(
                (n + 2 * p - w) // s + 1
                for n, p, w, s in zip(x.shape[2:], pads, width, stride, strict=True)
            )
            options: dict[str, Any] = {"width": width, "stride": stride, "padding": pads}
            shape = (*x.shape[:2], *sizes)
            return layer.node(kind, [x.key], shape, counts_zeros=True, **options)

        return in_front(layer, values[0], windows)

    return rule


def global_mean(layer: Layer, values: list[Here]) -> Here:
    (x,) = values
    if layer.config.get("keepdims"):
        raise UnknownError("it keeps the axes, keepdims")
    axes = tuple(range(1, len(x.shape) - 1))
    return layer.node("mean", [x.key], (x.shape[0], x.shape[-1]), axes=axes)


def batch_norm(layer: Layer, values: list[Here]) -> Here:
    (x,) = values
    axis = layer.config["axis"]
    if (axis[0] if isinstance(axis, list) else axis) not in (-1, len(x.shape) - 1):
        raise UnknownError("its axis is not the last")
    place, reads = 0, []
    for said, what in (("scale", "gamma"), ("center", "beta")):
        reads.append(layer.parameter(place, what) if layer.config.get(said, True) else None)
        place += reads[-1] is not None
    given = [layer.constant(place, "moving_mean"), layer.constant(place + 1, "moving_variance")]
    eps = layer.config["epsilon"]

    def normed(value: Here) -> Here:
        keys = [value.key, *reads, *given]
        return layer.node("batch_norm", keys, value.shape, eps=eps, training=False)

    return in_front(layer, x, normed) if len(x.shape) > 2 else normed(x)


def layer_norm(layer: Layer, values: list[Here]) -> Here:
    (x,) = values
    axis = layer.config.get("axis", -1)
    if axis not in (-1, [-1], [len(x.shape) - 1]) or layer.config.get("rms_scaling"):
        raise UnknownError("it goes over other axes than the last, or scales by a mean of squares")
    place, reads = 0, [x.key]
    for said, what in (("scale", "gamma"), ("center", "beta")):
        has = layer.config.get(said, True)
        reads.append(layer.parameter(place, what) if has else "")
        place += has
    keys = [key or None for key in reads]
    return layer.node("layer_norm", keys, x.shape, eps=layer.config["epsilon"])


def embedding(layer: Layer, values: list[Here]) -> Here:
    if layer.config.get("mask_zero"):
        raise UnknownError("it masks the token 0")
    table = layer.parameter(0, "embeddings")
    shape = (*values[0].shape, layer.arrays[0].shape[1])
    return layer.node("embedding", [values[0].key, table], shape)


def merged(kind: str) -> Rule:
    def rule(layer: Layer, values: list[Here]) -> Here:
        found = values[0]
        for other in values[1:]:
            shape = tuple(np.broadcast_shapes(found.shape, other.shape))
            found = layer.node(kind, [found.key, other.key], shape)
        return found

    return rule


def concatenate(layer: Layer, values: list[Here]) -> Here:
    axis = layer.config.get("axis", -1) % len(values[0].shape)
    shape = list(values[0].shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    return layer.node("concat", [value.key for value in values], tuple(shape), axis=axis)


def reshaped(layer: Layer, values: list[Here]) -> Here:
    (x,) = values
    size = int(np.prod(x.shape[1:]))
    target = layer.config.get("target_shape", [size])
    known = int(np.prod([n for n in target if n != -1]))
    shape = (x.shape[0], *(size // known if n == -1 else n for n in target))
    return layer.node("reshape", [x.key], shape)


def permuted(layer: Layer, values: list[Here]) -> Here:
    (x,) = values
    order = (0, *layer.config["dims"])
    return layer.node("transpose", [x.key], tuple(x.shape[a] for a in order), order=order)


def activation(layer: Layer, values: list[Here]) -> Here:
    return layer.activated(values[0])


def relu(layer: Layer, values: list[Here]) -> Here:
    (x,), config = values, layer.config
    if config.get("max_value") is not None or config.get("threshold"):
        raise UnknownError("it has a max_value or a threshold")
    slope = config.get("negative_slope") or 0.0
    if slope or layer.kind == "LeakyReLU":
        return layer.node("leaky_relu", [x.key], x.shape, slope=float(slope))
    return layer.node("relu", [x.key], x.shape)


def softmax(layer: Layer, values: list[Here]) -> Here:
    axis = layer.config.get("axis", -1)
    return layer.node("softmax", [values[0].key], values[0].shape, axis=axis)


def elu(layer: Layer, values: list[Here]) -> Here:
    return layer.node("elu", [values[0].key], values[0].shape, alpha=layer.config.get("alpha", 1.0))


def same(layer: Layer, values: list[Here]) -> Here:
    return values[0]


LAYERS: dict[str, Rule] = {
    "Dense": dense,
    "Conv1D": convolution,
    "Conv2D": convolution,
    "MaxPooling1D": pool("max_pool"),
    "MaxPooling2D": pool("max_pool"),
    "AveragePooling1D": pool("average_pool"),
    "AveragePooling2D": pool("average_pool"),
    "GlobalAveragePooling1D": global_mean,
    "GlobalAveragePooling2D": global_mean,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "Embedding": embedding,
    **SEQUENCES,
    "Add": merged("add"),
    "Subtract": merged("subtract"),
    "Multiply": merged("multiply"),
    "Concatenate": concatenate,
    "Flatten": reshaped,
    "Reshape": reshaped,
    "Permute": permuted,
    "Activation": activation,
    "ReLU": relu,
    "LeakyReLU": relu,
    "ELU": elu,
    "Softmax": softmax,
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise"), same),
}


def read_keras(path: str | Path) -> Model:
    """The nodes of a .keras file. Raises SpecError with all that is not known at once."""
    whole, arrays = read_keras_file(path)
    model = Model(label(Path(path)))
    if whole.get("class_name") not in ("Sequential", "Functional"):
        kind = safe(str(whole.get("class_name")))[:60]
        raise SpecError(
            f"{model.source} is a {kind}, whose forward is code.\n"
            "  Build it as keras.Sequential or keras.Model(inputs, outputs), and save that."
        )
    try:
        _read(model, whole, arrays)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(
            f"{model.source} is not as Keras 3 writes it: {type(error).__name__}.\n"
            f"  Save it again with Keras 3; {WHO} reads no older files."
        ) from None
    model.done()
    return model


def _read(model: Model, whole: dict[str, Any], arrays: Arrays) -> None:
    config = whole["config"]
    layers = config["layers"]
    groups = _groups(layers, arrays)
    known: dict[str, Here] = {}
    last = ""
    for given in layers:
        kind, own = given["class_name"], given["config"]
        name = given.get("name") or own["name"]
        if kind == "InputLayer":
            sizes = own.get("batch_shape") or own.get("batch_input_shape")
            if any(size is None for size in sizes[1:]):
                model.wrong(f"layer {name!r}, InputLayer", "it leaves a size open", "Input((…))")
                return
            shape = (sizes[0] or EXAMPLES, *map(int, sizes[1:]))
            model.inputs[name] = shape
            known[name] = Here(name, shape)
            last = name
            continue
        layer = Layer(model, kind, name, own, *groups[name], _said(given))
        read = _reads(given) if "inbound_nodes" in given else [last]
        if kind not in LAYERS:
            model.wrong(f"layer {name!r}, {kind}", "it is not known")
            key = f"{name}:unread"
            model.nodes.append(Node("unread", (), key, (), "", name))
            known[name] = Here(key, ())
        else:
            values = [known[other] for other in read]
            try:
                lost = any(not value.shape for value in values)
                known[name] = values[0] if lost else LAYERS[kind](layer, values)
            except UnknownError as error:
                model.wrong(f"layer {name!r}, {kind}", str(error))
                known[name] = Here(f"{name}:unread", ())
        last = name
    ends = config.get("output_layers") or [last]
    end = ends[0] if isinstance(ends[0], str) else ends[0][0]
    several = len(ends) > 1 and not isinstance(ends[0], str)
    if several:
        model.wrong(model.source, f"it gives {len(ends)} values", "save one with one output")
    model.names = {n: "x" if len(model.inputs) == 1 else as_name(n, "x") for n in model.inputs}
    model.outputs = (known[end].key,)
    model.nodes = [_settled(node) for node in model.nodes]


def _settled(node: Node) -> Node:
    """Softmax along −1 as along the last axis that there is."""
    if node.kind == "softmax":
        return replace(node, options={"log": False, **node.options})
    return node


def _groups(layers: Sequence[Any], arrays: Arrays) -> dict[str, tuple[list[np.ndarray], Arrays]]:
    """The arrays of each layer: groups are numbered by class, dense, dense_1, dense_2.

    Beside them are those of the layers that it holds: lstm/cell.
    """
    counts: dict[str, int] = {}
    found = {}
    for given in layers:
        kind = given["class_name"]
        plain = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
        plain = re.sub(r"([a-z])([A-Z])", r"\1_\2", plain).lower()
        number = counts.get(plain, 0)
        counts[plain] = number + 1
        group = f"layers/{plain}" + (f"_{number}" if number else "")
        start = f"{group}/"
        inner = {key.removeprefix(start): a for key, a in arrays.items() if key.startswith(start)}
        found[given.get("name") or given["config"]["name"]] = arrays.get(group, []), inner
    return found


def _said(given: dict[str, Any]) -> dict[str, Any]:
    """What a layer of a graph is called with by name."""
    nodes = given.get("inbound_nodes") or [{}]
    return dict(nodes[0].get("kwargs") or {})


def _reads(given: dict[str, Any]) -> list[str]:
    """The layers that a layer of a graph reads, in order."""
    nodes = given["inbound_nodes"]
    if len(nodes) != 1:
        raise ValueError("a layer that is used twice")
    found: list[str] = []

    def look(part: Any) -> None:
        if isinstance(part, dict) and part.get("class_name") == "__keras_tensor__":
            found.append(part["config"]["keras_history"][0])
        elif isinstance(part, list | tuple):
            for inner in part:
                look(inner)

    look(nodes[0]["args"])
    return found
