"""A MultiheadAttention in an exported graph: what it cannot be, and which value is which.

Its calls move the axis of the examples about, so that it is read whole: query, key and value are
what its projections read, and all else is in its parameters.
"""

from collections.abc import Sequence
from typing import Any

LINEAR = "aten.linear.default"
MOVES = ("aten.transpose.int", "aten.permute.default")


def trouble_of(module: Any, values: Sequence[str], masks: Sequence[str]) -> str:
    """Why it cannot be written, with what to do; nothing where it can."""
    if not module.batch_first:
        return "its batch is not first; make it with batch_first=True"
    if module.dropout and module.training:
        return "it drops out in training; call model.eval()"
    if module.bias_k is not None:
        return "it has biases for keys and values"
    if module.add_zero_attn:
        return "it adds a key of zeros"
    if len(values) not in (1, 2, 3):
        return f"it reads {len(values)} values"
    return f"it reads {len(masks)} constants" if len(masks) > 1 else ""


def roles_of(inside: Sequence[Any], values: Sequence[str]) -> list[Any]:
    """Query, key and value, in the order in which they are projected.

    Two projections are those of the query, and of keys and values together; one is of all three.
    """
    known = {read.name: read for node in inside for read in node.all_input_nodes}
    projected = [
        source
        for node in inside
        if str(node.target) == LINEAR
        and (source := _unmoved(node.args[0], inside)) is not None
        and source.name in values
    ]
    if len(projected) == 3:
        return projected
    nodes = [known[name] for name in values]
    return [nodes[0], nodes[-1], nodes[-1]]


def _unmoved(read: Any, inside: Sequence[Any]) -> Any:
    """What comes from outside, its axes moved at the most; None for what is computed inside."""
    while read in inside:
        if str(read.target) not in MOVES:
            return None
        read = read.args[0]
    return read
