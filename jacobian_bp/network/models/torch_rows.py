"""aten functions of two rows: the cosine of their angle, and their distance."""

import numpy as np

from .model import Node
from .torch_call import Call, UnknownError


def cosine(call: Call) -> list[Node]:
    """Σ a b / (max(|a|, eps) max(|b|, eps))."""
    shape, name = call.shape_of(0), call.node.name
    axes = {"axes": (call["dim"] % call.rank_of(),), "keep": False}
    nodes, long = [], call.shape
    for letter, key in zip("ab", (call["x1"], call["x2"]), strict=True):
        length, least = f"{name}:{letter}", f"{name}:{letter}:least"
        called = f"{call.called}_{letter}"
        nodes.append(Node("norm", (key,), length, long, called, call.told, axes))
        limit = {"low": float(call["eps"])}
        nodes.append(Node("clip", (length,), least, long, f"{called}_least", call.told, limit))
    product, total, both = (f"{name}:{part}" for part in ("product", "total", "both"))
    pair, called = (call["x1"], call["x2"]), call.called
    nodes += [
        Node("multiply", pair, product, shape, f"{called}_product", call.told),
        Node("sum", (product,), total, long, f"{called}_total", call.told, axes),
        Node(
            "multiply",
            (f"{name}:a:least", f"{name}:b:least"),
            both,
            long,
            f"{called}_both",
            call.told,
        ),
    ]
    return [*nodes, *call.one("divide", [total, both])]


def distance(call: Call) -> list[Node]:
    """|a − b + eps|, of order 2."""
    if call["p"] != 2:
        raise UnknownError(f"it is of order {call['p']}; write order 2")
    shape, name = call.shape_of(0), call.node.name
    off, moved, eps = f"{name}:off", f"{name}:moved", float(call["eps"])
    key = f"number {eps!r}"
    call.numbers[key] = np.array(eps)
    nodes = [
        Node("subtract", (call["x1"], call["x2"]), off, shape, f"{call.called}_off", call.told),
        Node("add", (off, key), moved, shape, f"{call.called}_moved", call.told),
    ]
    last = call.rank_of() - 1
    return [*nodes, *call.one("norm", [moved], axes=(last,), keep=bool(call["keepdim"]))]
