"""A MultiheadAttention in an exported graph: what it reads, and what it cannot be.

Its calls move the axis of the examples about, so that it is read whole: query, key and value are
what its projections read, its mask is what is added to the scores, and all else is in its
parameters.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .torch_call import UnknownError

LINEAR = "aten.linear.default"
MOVES = ("aten.transpose.int", "aten.permute.default")
PROJECTIONS = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias")


def read_attention(
    module: Any,
    inside: Sequence[Any],
    given: Sequence[Any],
    own: Mapping[str, str],
    constants: Mapping[str, Any],
) -> tuple[list[Any], dict[str, Any]]:
    """The reads of a multi_head node, calls or keys of parameters, and its options.

    `inside` are the calls of the module, `given` those that are read outside of it, `own` the keys
    of its parameters by their names. Raises UnknownError with what to do.
    """
    _require_written(module, given)
    mask, causal = _scores(inside)
    if mask is not None and mask.name not in constants:
        raise UnknownError("its mask is computed; make the mask a buffer of the model")
    roles = _roles(inside)
    if given[0].meta["val"].shape != roles[0].meta["val"].shape:
        fact = "what is read are its weights; read what it gives, the first of the two"
        raise UnknownError(fact)
    reads = [*roles, mask, *map(own.get, PROJECTIONS)]
    reads += [own["out_proj.weight"], own.get("out_proj.bias")]
    options = {"width": module.embed_dim, "heads": module.num_heads, "causal": causal}
    return reads, {**options, "first": module.batch_first}


def _require_written(module: Any, given: Sequence[Any]) -> None:
    if module.dropout and module.training:
        raise UnknownError("it drops out in training; call model.eval()")
    if module.bias_k is not None:
        raise UnknownError("it has biases for keys and values; make it with add_bias_kv=False")
    if module.add_zero_attn:
        raise UnknownError("it adds a key of zeros; make it with add_zero_attn=False")
    if len(given) != 1:
        raise UnknownError("its weights are read too; call it with need_weights=False")


def _scores(inside: Sequence[Any]) -> tuple[Any, bool]:
    """The mask that is added to its scores, a call or None; and whether it is causal without."""
    for node in inside:
        called = str(node.target)
        if "scaled_dot_product" in called:
            more = dict(enumerate(node.args))
            return more.get(3), bool(more.get(5, False))
        if called == "aten.baddbmm.default":
            return node.args[0], False
    return None, False


def _roles(inside: Sequence[Any]) -> list[Any]:
    """Query, key and value, in the order in which they are projected.

    Two projections are those of the query, and of keys and values together; one is of all three.
    """
    sources = [
        source
        for node in inside
        if str(node.target) == LINEAR and (source := _unmoved(node.args[0], inside)) is not None
    ]
    if not 0 < len(sources) <= 3:
        raise UnknownError(f"it reads {len(sources)} values")
    return [sources[0], sources[-1 if len(sources) < 3 else 1], sources[-1]]


def _unmoved(read: Any, inside: Sequence[Any]) -> Any:
    """What comes from outside, its axes moved at the most; None for what is computed inside."""
    while read in inside:
        if str(read.target) not in MOVES:
            return None
        read = read.args[0]
    return read
