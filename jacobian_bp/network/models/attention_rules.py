"""How attention is written: scores, their softmax over what may be asked, values weighed by it."""

from dataclasses import replace
from math import sqrt

import numpy as np

from .building import Builder, UnreadableError, Value
from .entry_rules import NO_SCORE, kept_beside, masked_softmax, meet, same_for_all
from .model import Node
from .place_rules import sliced
from .views import TOKENS_IN_FRONT, moved, reshaped


def scaled_dot_product(b: Builder, node: Node) -> Value:
    """Attention of queries, keys and values (…, tokens, width)."""
    q, k, v = (b.plain(key) for key in node.reads[:3])
    heads = len(q.example) == 3
    if len(q.example) not in (2, 3) or len({len(a.example) for a in (q, k, v)}) > 1:
        raise UnreadableError(f"it reads queries of {len(q.shape)} axes", "write (n, h, t, width)")
    h = "h" if heads else ""
    mask = node.reads[3] if len(node.reads) > 3 else None
    scale = node.options.get("scale") or 1 / sqrt(q.example[-1])
    equations = f"{h}tk,{h}uk->{h}tu", f"{h}tu,{h}uj->{h}tj"
    allowed = _causal(q, k, -2) if node.options.get("causal") else _mask(b, node, mask)
    return attend(b, node, (q, k, v), equations, scale, allowed)


def multi_head(b: Builder, node: Node) -> Value:
    """torch.nn.MultiheadAttention: the heads are parts of the rows of its matrices.

    It reads query, key and value (the same one where it attends to itself), the mask, then its
    parameters: one matrix for all three, or one each; biases; the matrix and bias of its output.
    """
    query, key, value, mask, whole, *apart, bias, out, out_bias = node.reads
    width, heads = node.options["width"], node.options["heads"]
    each = width // heads
    ready = []
    made: dict[str, Value] = {}
    for place, (name, read) in enumerate(zip("qkv", (query, key, value), strict=True)):
        x = _tokens(b, node, read)
        if whole is not None:
            if x.name not in made:
                count = len({query, key, value})
                called = f"{node.called}_qkv" if count == 1 else f"{node.called}_of_{x.name}"
                inputs = [x, b.value(whole), *([b.value(bias)] if bias else [])]
                made[x.name] = b.line(called, "Linear", inputs, (*x.shape[:-1], 3 * width))
            z = made[x.name]
            z = sliced(b, f"{node.called}_{name}_row", z, 1, place * width, (place + 1) * width)
        else:
            z = _part_of_bias(b, f"{node.called}_{name}", (x, b.value(apart[place])), bias, place)
        ready.append(reshaped(b, f"{node.called}_{name}", z, (x.example[0], heads, each)))
    causal = node.options["causal"]
    allowed = _causal(ready[0], ready[1], 0) if causal else _mask(b, node, mask)
    equations = "thk,uhk->htu", "htu,uhj->thj"
    heard = attend(
        b,
        node,
        (ready[0], ready[1], ready[2]),
        equations,
        1 / sqrt(each),
        allowed,
        called=f"{node.called}_heard",
    )
    row = reshaped(b, f"{node.called}_row", heard, (heard.example[0], width))
    last = [row, b.value(out), *([b.value(out_bias)] if out_bias else [])]
    found = b.line(node.called, "Linear", last, (*row.shape[:-1], width))
    return found if node.options["first"] else moved(found, (1, 0, 2))


def _tokens(b: Builder, node: Node, key: str | None) -> Value:
    """Examples of tokens, (n, t, width), also where the model has the tokens in front.

    Tokens that are the same for all examples, (1, t, width) of a parameter, have no examples.
    """
    first, array = node.options["first"], b.constant(key)
    if array is not None:
        tokens = np.moveaxis(same_for_all(array, int(not first)), int(not first), 0)[0]
        return b.keep(f"{node.called}_constant", tokens, ("t", "k"))
    x = b.read(key)
    if not x.batched and len(x.shape) == 3 and x.shape[not first] == 1:
        return reshaped(b, f"{x.name}_tokens", x, (x.shape[first], x.shape[2]))
    if first:
        x = b.plain(key)
    elif x.view == TOKENS_IN_FRONT:
        x = replace(x, view=None)
    else:
        raise UnreadableError("its batch is not first", "make it with batch_first=True")
    if len(x.example) != 2 or not x.batched:
        raise UnreadableError(f"it reads {len(x.shape)} axes", "give it (n, t, width)")
    return x


def _part_of_bias(
    b: Builder, called: str, inputs: tuple[Value, Value], bias: str | None, place: int
) -> Value:
    """W x, and the part of the bias for queries, keys or values that stands at this place."""
    x, weight = inputs
    width = weight.shape[0]
    shape = (*x.shape[:-1], width)
    if bias is None:
        return b.line(f"{called}_row", "Linear", inputs, shape)
    start = place * width
    part = sliced(b, f"{called}_bias", b.value(bias), 0, start, start + width)
    return b.line(f"{called}_row", "Linear", [*inputs, part], shape)


def attend(
    b: Builder,
    node: Node,
    qkv: tuple[Value, Value, Value],
    equations: tuple[str, str],
    scale: float,
    mask: np.ndarray | None,
    called: str = "",
) -> Value:
    """Scores, scaled; their softmax over what may be asked; the values weighed by it.

    A mask says it by True and False, or is added to the scores, −∞ where nothing may be asked.
    """
    q, k, v = qkv
    result = equations[0].partition("->")[2]
    words = equations[0].partition("->")[0].split(",")
    known = {
        letter: size
        for word, value in zip(words, (q, k), strict=True)
        for letter, size in zip(word, value.example, strict=True)
    }
    front: tuple[int, ...] = next((a.shape[:1] for a in qkv if a.batched), ())
    shape = (*front, *(known[c] for c in result))
    scores = b.line(f"{node.called}_scores", "Einsum", [q, k], shape, equations[0])
    scaled = b.call(f"{node.called}_scaled", f"Multiply({scores.name}, {scale!r})", [scores], shape)
    weights = f"{node.called}_weights"
    if mask is None:
        attention = b.line(weights, "Softmax", [scaled], shape)
    else:
        mask = _of_all_examples(mask, scaled)
        stands = mask if mask.dtype.kind == "b" else mask > NO_SCORE
        added = np.where(stands, mask, 0.0)
        if mask.dtype.kind != "b" and np.any(added):
            kept = kept_beside(b, added, scaled, f"{node.called}_mask")
            scaled = meet(b, f"{node.called}_biased", "Add", [scaled, kept])
        attention = masked_softmax(b, weights, "Softmax", scaled, stands)
    word = equations[1].partition("->")[0].split(",")[1]
    known |= dict(zip(word, v.example, strict=True))
    out = equations[1].partition("->")[2]
    whole = (*front, *(known[c] for c in out))
    return b.line(called or node.called, "Einsum", [attention, v], whole, equations[1])


def _of_all_examples(mask: np.ndarray, scores: Value) -> np.ndarray:
    """A mask without the axis of the examples, which may be one with the heads."""
    sizes = scores.shape if scores.batched else (1, *scores.shape)
    if len(sizes) == 4 and mask.ndim == 3 and len(mask) == sizes[0] * sizes[1] > sizes[1]:
        mask = mask.reshape(sizes[0], sizes[1], *mask.shape[1:])
    if mask.ndim < len(sizes):
        return mask
    if not np.array_equal(mask, np.broadcast_to(mask[:1], mask.shape)):
        raise UnreadableError("its mask differs between examples", "give all of them one mask")
    return mask[0]


def _mask(b: Builder, node: Node, key: str | None) -> np.ndarray | None:
    """A constant mask: which keys a query may ask, or what is added to its scores."""
    if key is None:
        return None
    array = b.constant(key)
    if array is None:
        raise UnreadableError("its mask is computed", "make the mask a buffer of the model")
    return array


def _causal(queries: Value, keys: Value, axis: int) -> np.ndarray:
    """Each query asks the keys up to its own place; the tokens are an axis of an example."""
    return np.tri(queries.example[axis], keys.example[axis], dtype=bool)


RULES = {"scaled_dot_product": scaled_dot_product, "multi_head": multi_head}
