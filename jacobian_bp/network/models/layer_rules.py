"""How layers are written: linear maps, convolutions, pools, norms, look-ups."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from .building import Builder, UnreadableError, Value, letters_of
from .model import Node
from .repeat_rules import padded
from .views import examples_in, reshaped


def linear(b: Builder, node: Node) -> Value:
    """z = Linear(x, W, b), or without b; W has (outputs, inputs)."""
    value, (weight, *bias) = _rows(b, node), [b.value(k) for k in node.reads[1:] if k]
    _require_a_row(value)
    shape = (*value.shape[:-1], weight.shape[0])
    return replace(b.line(node.called, "Linear", [value, weight, *bias], shape), view=value.view)


def _rows(b: Builder, node: Node) -> Value:
    """What a linear map reads; a constant that has a copy for each example as one row."""
    array = b.constant(node.reads[0])
    if array is not None and b.examples in array.shape[:-1]:
        row = array.reshape(-1, array.shape[-1])[0]
        if np.array_equal(array, np.broadcast_to(row, array.shape)):
            return b.keep(f"{node.called}_constant", row, ("k",))
    return b.read(node.reads[0])


def _require_a_row(value: Value) -> None:
    """UnreadableError where examples, or examples and others, are the last axis."""
    if value.view is not None and examples_in(value.view) == len(value.view) - 1:
        raise UnreadableError("it reads a row of examples", "put the examples in front")


def einsum(b: Builder, node: Node) -> Value:
    """An einsum; the letter of the examples is the first of each batched operand."""
    values = [b.plain(key) for key in node.reads]
    words, result = node.options["words"], node.options["result"]
    batch = {word[0] for word, v in zip(words, values, strict=True) if v.batched}
    if len(batch) > 1 or (batch and (result[:1] not in batch)):
        raise UnreadableError("its examples do not stay in front", "give them the first letter")
    letter = batch.pop() if batch else ""
    free = iter(c for c in "mopqrsuvwxyz" if c not in "".join((*words, result)))
    taken = {"n": next(free)}

    def mine(word: str) -> str:
        return "".join(taken.get(c, c) for c in word if c != letter)

    if letter and any(letter in w for w, v in zip(words, values, strict=True) if not v.batched):
        raise UnreadableError("a parameter has the letter of the examples")
    equation = f"{','.join(map(mine, words))}->{mine(result)}"
    return b.line(node.called, "Einsum", values, node.shape, equation)


def matmul(b: Builder, node: Node) -> Value:
    """A matrix product along the last two axes, as an einsum."""
    right = b.read(node.reads[1])
    left = b.read(node.reads[0]) if right.batched else _rows(b, node)
    view = left.view if left.batched else right.view
    if view is not None:
        _require_a_row(left)
        apart = right.batched and (examples_in(view) > len(view) - 3 or right.view != view)
        if apart or not left.batched:
            left, right = b.plain(node.reads[0]), b.plain(node.reads[1])
    return replace(_product(b, node, left, right), view=view)


def _product(b: Builder, node: Node, left: Value, right: Value) -> Value:
    """The product of two values whose axes are ours."""
    if not right.batched and len(right.shape) == 1:
        letters = letters_of(max(len(left.example), 1))
        words, out = ("".join(letters), letters[-1]), letters[:-1]
        shape = left.shape[:-1]
    elif not right.batched and len(right.shape) == 2:
        letters = letters_of(max(len(left.example), 1))
        words, out = ("".join(letters), f"{letters[-1]}o"), [*letters[:-1], "o"]
        shape = (*left.shape[:-1], right.shape[1])
    elif not left.batched and len(left.shape) == 2 and right.batched:
        letters = letters_of(len(right.example))
        words, out = (f"o{letters[-2]}", "".join(letters)), [*letters[:-2], "o", letters[-1]]
        shape = (*right.shape[:-2], left.shape[0], right.shape[-1])
    else:
        if len(left.example) != len(right.example) or len(left.example) < 2:
            raise UnreadableError(
                f"a product of shapes {left.shape} and {right.shape}", "write it as torch.einsum"
            )
        if left.example[:-2] != right.example[:-2]:
            raise UnreadableError("its operands are broadcast", "write it as torch.einsum")
        *front, row, inner = letters_of(len(left.example))
        words = "".join([*front, row, inner]), "".join([*front, inner, "o"])
        out = [*front, row, "o"]
        shape = (*(left if left.batched else right).shape[:-2], left.shape[-2], right.shape[-1])
    return b.line(node.called, "Einsum", [left, right], shape, f"{','.join(words)}->{''.join(out)}")


def convolution(b: Builder, node: Node) -> Value:
    """y = Conv1d(x, K, b) or Conv2d, with the options that are not the plain ones."""
    value, *rest = (b.plain(key) for key in node.reads if key is not None)
    places = len(rest[0].shape) - 2
    _require_images(value, places)
    around = node.options.get("around") or [(p, p) for p in node.options.get("padding", ())]
    if any(before != after for before, after in around):
        value = padded(b, f"{node.called}_padded", value, ((0, 0), *around))
    else:
        node = replace(node, options={**node.options, "padding": [p for p, _ in around] or [0]})
    options = _windows(node, places, {"stride": 1, "padding": 0, "dilation": 1})
    if node.options.get("groups", 1) != 1:
        options["groups"] = node.options["groups"]
    return b.line(node.called, f"Conv{places}d", [value, *rest], node.shape, **options)


def transposed_convolution(b: Builder, node: Node) -> Value:
    """y = ConvTranspose1d(x, K, b) or 2d; what one side is padded more by is cut off behind it."""
    value, *rest = (b.plain(key) for key in node.reads if key is not None)
    places = len(rest[0].shape) - 2
    _require_images(value, places)
    around = node.options["around"]
    least = tuple(min(pair) for pair in around)
    cut = tuple((least[p] - before, least[p] - after) for p, (before, after) in enumerate(around))
    node = replace(node, options={**node.options, "padding": least})
    plain = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
    options = _windows(node, places, plain)
    if node.options.get("groups", 1) != 1:
        options["groups"] = node.options["groups"]
    off = [-sum(pair) for pair in cut]
    shape = (
        *node.shape[:-places],
        *(n + o for n, o in zip(node.shape[-places:], off, strict=True)),
    )
    called = f"{node.called}_whole" if any(off) else node.called
    found = b.line(called, f"ConvTranspose{places}d", [value, *rest], shape, **options)
    return padded(b, node.called, found, ((0, 0), *cut))


def pool(b: Builder, node: Node) -> Value:
    """The largest entry of each window, or their mean."""
    value = b.plain(node.reads[0])
    places = len(node.options["width"])
    _require_images(value, places)
    options = _windows(node, places, {"padding": 0})
    width, stride = (_short(node.options[name]) for name in ("width", "stride"))
    if stride != width:
        options["stride"] = stride
    if node.kind == "average_pool" and options.get("padding") and not node.options["counts_zeros"]:
        raise UnreadableError("its mean leaves the padding out", "count_include_pad=True")
    name = f"{'Max' if node.kind == 'max_pool' else 'Avg'}Pool{places}d"
    return b.line(node.called, name, [value], node.shape, width, **options)


def layer_norm(b: Builder, node: Node) -> Value:
    """LayerNorm or RMSNorm of the last axis; a gain or shift that is left out is 1 or 0.

    Of several axes it is that of their entries in one row.
    """
    value, axes = b.read(node.reads[0]), node.options.get("axes", 1)
    if axes > 1:
        return _norm_of_row(b, node, b.plain(node.reads[0]), axes)
    _require_a_row(value)
    gains = [_gain(b, node, 1, value.shape[-1], 1.0)]
    if node.kind == "layer_norm":
        gains.append(_gain(b, node, 2, value.shape[-1], 0.0))
    op = "LayerNorm" if node.kind == "layer_norm" else "RMSNorm"
    found = b.line(node.called, op, [value, *gains], value.shape, **_eps(node))
    return replace(found, view=value.view)


def _norm_of_row(b: Builder, node: Node, value: Value, axes: int) -> Value:
    """The last axes as one row, normalised, and apart again; gain and shift as rows too."""
    if axes > len(value.example):
        raise UnreadableError("it goes along the examples")
    front, size = value.example[:-axes], prod(value.example[-axes:])
    row = reshaped(b, f"{node.called}_row", value, (*front, size))
    gains = []
    for place, plain in ((1, 1.0), (2, 0.0))[: 2 if node.kind == "layer_norm" else 1]:
        key = node.reads[place] if place < len(node.reads) else None
        if key is None:
            gains.append(_gain(b, node, place, size, plain))
        elif (array := b.constant(key)) is not None:
            gains.append(b.keep(f"{node.called}_constant", array.reshape(size), ("k",)))
        else:
            own = b.value(key)
            gains.append(reshaped(b, f"{node.called}_{own.name}", own, (size,)))
    op = "LayerNorm" if node.kind == "layer_norm" else "RMSNorm"
    found = b.line(f"{node.called}_normal", op, [row, *gains], row.shape, **_eps(node))
    return reshaped(b, node.called, found, value.example)


def batch_norm(b: Builder, node: Node) -> Value:
    """BatchNorm by the examples themselves, or by statistics that are given."""
    value = b.plain(node.reads[0])
    if len(value.shape) > 2:
        b.named_input(value)  # the units stand behind n, in front of the places
    size = value.shape[1]
    gains = [_gain(b, node, p, size, plain) for p, plain in ((1, 1.0), (2, 0.0))]
    if node.options["training"]:
        return b.line(node.called, "BatchNorm", [value, *gains], node.shape, **_eps(node))
    letter = b.letters(value)[0]
    given = []
    for place, what in ((3, "mean"), (4, "var")):
        array = b.constant(node.reads[place])
        if array is None:
            raise UnreadableError(f"its {what} is computed")
        given.append(b.keep(f"{node.called}_{what}", array, (letter,)))
    options = {**_eps(node), "training": False}
    return b.line(node.called, "BatchNorm", [value, *gains, *given], node.shape, **options)


def group_norm(b: Builder, node: Node) -> Value:
    """GroupNorm of the channels, the first axis of an example."""
    value = b.plain(node.reads[0])
    gains = [_gain(b, node, p, value.shape[1], plain) for p, plain in ((1, 1.0), (2, 0.0))]
    axes = ",".join(b.letters(value))
    options: dict[str, Any] = _eps(node)
    if axes != "c,i,j":
        options["axes"] = axes
    return b.line(
        node.called, "GroupNorm", [value, *gains], node.shape, node.options["groups"], **options
    )


def embedding(b: Builder, node: Node) -> Value:
    """e = Embedding(u, E); positions that are constant read their rows once."""
    table = _without_padding(b, node, b.value(node.reads[1]))
    places = b.constant(node.reads[0])
    if places is not None:
        if places.ndim == 2 and len(places) == 1:
            places = places[0]
        kept = b.keep(f"{node.called}_positions", places.astype(np.int64), ("t",) * places.ndim)
        return b.line(node.called, "Embedding", [kept, table], (*places.shape, table.shape[1]))
    return b.line(node.called, "Embedding", [b.value(node.reads[0]), table], node.shape)


def _without_padding(b: Builder, node: Node, table: Value) -> Value:
    """The table times 0 in the row of a padding index, which is trained by nothing, and 1 in all
    others; the row itself is added as a constant where it is not 0."""
    row = node.options.get("padding")
    if row is None:
        return table
    found = next((p for p in b.model.parameters.values() if p is b.used.get(table.name)), None)
    if found is None:
        raise UnreadableError("it has a padding_idx, and its table is computed")
    trained, fixed = np.ones(table.shape[0]), np.zeros(table.shape)
    trained[row], fixed[row] = 0, found.array[row]
    ones = b.keep(f"{node.called}_trained", trained, ("v",))
    called = f"{node.called}_table"
    masked = b.line(called, "Multiply", [table, ones], table.shape, "a[v,d], b[v] -> c[v,d]")
    if not fixed.any():
        return masked
    kept = b.keep(f"{node.called}_padding", fixed, ("v", "d"))
    return b.line(f"{called}_whole", "Add", [masked, kept], table.shape, "v,d")


def weight_normed(b: Builder, node: Node) -> Value:
    """A matrix or kernel v with the lengths g: g v / |v|, for each output."""
    v, g = b.value(node.reads[0]), b.value(node.reads[1])
    if node.options["axis"] != 0:
        raise UnreadableError("its lengths are not those of the outputs", "write dim=0")
    letters, called = letters_of(len(v.shape)), node.called
    words, first = "".join(letters), letters[0]
    total = b.line(f"{called}_total", "Einsum", [v, v], v.shape[:1], f"{words},{words}->{first}")
    length = b.line(f"{called}_length", "Sqrt", [total], v.shape[:1])
    given = reshaped(b, f"{called}_g", g, v.shape[:1])
    share = b.line(f"{called}_share", "Divide", [given, length], v.shape[:1])
    said = f"a[{','.join(letters)}], b[{first}] -> c[{','.join(letters)}]"
    return b.line(called, "Multiply", [v, share], v.shape, said)


def _gain(b: Builder, node: Node, place: int, size: int, plain: float) -> Value:
    key = node.reads[place] if place < len(node.reads) else None
    if key is not None:
        array = b.constant(key)
        return (
            b.value(key)
            if array is None
            else b.keep(f"{node.called}_{'gain' if plain else 'shift'}", array, ("k",))
        )
    return b.keep("ones" if plain else "zeros", np.full(size, plain), ("k",))


def _eps(node: Node) -> dict[str, Any]:
    eps = float(node.options.get("eps", 1e-5))
    return {} if eps == 1e-5 else {"eps": eps}


def _require_images(value: Value, places: int) -> None:
    if len(value.example) != places + 1 or not value.batched:
        raise UnreadableError(
            f"it reads {len(value.shape)} axes",
            "give the example with its axis of examples: x[None]",
        )


def _windows(node: Node, places: int, plain: dict[str, int]) -> dict[str, Any]:
    """The options of windows that are not the plain ones; one number where all are the same."""
    found = {}
    for name, usual in plain.items():
        value = _short(node.options.get(name, (usual,) * places))
        if value != usual:
            found[name] = value
    return found


def _short(sizes: Any) -> Any:
    sizes = tuple(int(s) for s in sizes)
    return sizes[0] if len({*sizes}) == 1 else sizes


RULES = {
    "linear": linear,
    "einsum": einsum,
    "matmul": matmul,
    "convolution": convolution,
    "transposed_convolution": transposed_convolution,
    "max_pool": pool,
    "average_pool": pool,
    "layer_norm": layer_norm,
    "rms_norm": layer_norm,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "embedding": embedding,
    "weight_normed": weight_normed,
}
