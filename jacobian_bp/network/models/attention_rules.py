"""How attention is written: scores, their softmax over what may be asked, values weighed by it."""

from math import sqrt

import numpy as np

from .building import Builder, UnreadableError, Value
from .entry_rules import NO_SCORE, masked_softmax
from .model import Node
from .place_rules import sliced
from .views import reshaped


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
    return attend(b, node, (q, k, v), equations, scale, _allowed(b, node, mask, q, k))


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
        x = b.plain(read)
        if len(x.example) != 2 or not x.batched:
            raise UnreadableError(f"it reads {len(x.shape)} axes", "give it (n, t, width)")
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
        ready.append(reshaped(b, f"{node.called}_{name}", z, (x.shape[1], heads, each)))
    allowed = _allowed(b, node, mask, ready[0], ready[1], causal=node.options.get("causal", False))
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
    row = reshaped(b, f"{node.called}_row", heard, (heard.shape[1], width))
    last = [row, b.value(out), *([b.value(out_bias)] if out_bias else [])]
    return b.line(node.called, "Linear", last, (*row.shape[:-1], width))


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
    allowed: np.ndarray | None,
    called: str = "",
) -> Value:
    """Scores, scaled; their softmax over what may be asked; the values weighed by it."""
    q, k, v = qkv
    result = equations[0].partition("->")[2]
    words = equations[0].partition("->")[0].split(",")
    known = {
        letter: size
        for word, value in zip(words, (q, k), strict=True)
        for letter, size in zip(word, value.example, strict=True)
    }
    shape = (*q.shape[: q.batched], *(known[c] for c in result))
    scores = b.line(f"{node.called}_scores", "Einsum", [q, k], shape, equations[0])
    scaled = b.call(f"{node.called}_scaled", f"Multiply({scores.name}, {scale!r})", [scores], shape)
    weights = f"{node.called}_weights"
    if allowed is None:
        attention = b.line(weights, "Softmax", [scaled], shape)
    else:
        attention = masked_softmax(b, weights, "Softmax", scaled, allowed)
    word = equations[1].partition("->")[0].split(",")[1]
    known |= dict(zip(word, v.example, strict=True))
    out = equations[1].partition("->")[2]
    whole = (*q.shape[: q.batched], *(known[c] for c in out))
    return b.line(called or node.called, "Einsum", [attention, v], whole, equations[1])


def _allowed(
    b: Builder, node: Node, mask: str | None, q: Value, k: Value, causal: bool = False
) -> np.ndarray | None:
    """Which keys a query may ask, from a constant mask or because it is causal."""
    if causal or node.options.get("causal"):
        tokens = q.example[-2] if node.kind != "multi_head" else q.example[0]
        others = k.example[-2] if node.kind != "multi_head" else k.example[0]
        return np.tri(tokens, others, dtype=bool)
    if mask is None:
        return None
    array = b.constant(mask)
    if array is None:
        raise UnreadableError("its mask is computed", "make the mask a buffer of the model")
    if array.dtype.kind == "b":
        allowed = array if not node.options.get("true_masks") else ~array
    else:
        if np.any(array[array > NO_SCORE]):
            raise UnreadableError("its mask adds numbers to the scores", "use True and False")
        allowed = array > NO_SCORE
    while allowed.ndim > 2 and (allowed == allowed[:1]).all():
        allowed = allowed[0]
    return allowed


RULES = {"scaled_dot_product": scaled_dot_product, "multi_head": multi_head}
