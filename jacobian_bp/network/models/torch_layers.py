"""aten functions of whole layers: norms, windows, look-ups, attention, cells, losses."""

from typing import Any

import numpy as np

from .model import Node
from .torch_call import Call, Rule, UnknownError
from .torch_resampled import resampled

REDUCTIONS = ("none", "mean", "sum")


def norm(kind: str) -> Rule:
    """Layer and RMS norm, of the last axes."""

    def rule(call: Call) -> list[Node]:
        reads = [call["input"], call["weight"]]
        if kind == "layer_norm":
            reads.append(call["bias"])
        eps = call["eps"]
        if eps is None:
            eps = float(np.finfo(_dtype(call)).eps)
        return call.one(kind, reads, eps=eps, axes=len(call["normalized_shape"]))

    return rule


def _dtype(call: Call) -> str:
    return str(call.node.meta["val"].dtype).partition(".")[2]


def batch_norm(call: Call) -> list[Node]:
    reads = [call[n] for n in ("input", "weight", "bias", "running_mean", "running_var")]
    return call.one("batch_norm", reads, eps=call["eps"], training=bool(call["training"]))


def group_norm(call: Call) -> list[Node]:
    reads = [call["input"], call["weight"], call["bias"]]
    return call.one("group_norm", reads, eps=call["eps"], groups=call["num_groups"])


def convolution(call: Call) -> list[Node]:
    places = call.rank_of(1) - 2
    dilation = pool_sizes(call["dilation"], places)
    if call["padding"] == "same":
        wide = [d * (k - 1) for d, k in zip(dilation, call.shape_of(1)[2:], strict=True)]
        padding = tuple((w // 2, w - w // 2) for w in wide)
    else:
        sizes = [0] if call["padding"] == "valid" else call["padding"]
        padding = tuple((p, p) for p in pool_sizes(sizes, places))
    return call.one(
        "convolution",
        [call["input"], call["weight"], call["bias"]],
        stride=pool_sizes(call["stride"], places),
        around=padding,
        dilation=dilation,
        groups=call["groups"],
    )


def pool(kind: str) -> Rule:
    """The largest entry or the mean of each window."""

    def rule(call: Call) -> list[Node]:
        places = 1 if "pool1d" in str(call.node.target) else 2
        width = pool_sizes(call["kernel_size"], places)
        if call["ceil_mode"]:
            raise UnknownError("it has ceil_mode; the last windows must be whole")
        if any(d != 1 for d in pool_sizes(call.given.get("dilation", 1), places)):
            raise UnknownError("its windows have gaps, dilation")
        if call.given.get("divisor_override") is not None:
            raise UnknownError("it has divisor_override")
        return call.one(
            kind,
            [call["self"]],
            width=width,
            stride=pool_sizes(call["stride"], places) if call["stride"] else width,
            padding=pool_sizes(call["padding"], places),
            counts_zeros=call.given.get("count_include_pad", True),
        )

    return rule


def adaptive_pool(call: Call) -> list[Node]:
    places = 1 if "pool1d" in str(call.node.target) else 2
    before = tuple(int(s) for s in call.node.args[0].meta["val"].shape)[-places:]
    after = call.shape[-places:]
    if any(i % o for i, o in zip(before, after, strict=True)):
        return resampled(call)
    width = tuple(i // o for i, o in zip(before, after, strict=True))
    options = {"width": width, "stride": width, "padding": (0,) * len(width)}
    return call.one("average_pool", [call["self"]], counts_zeros=True, **options)


def pool_sizes(value: Any, places: int) -> tuple[int, ...]:
    """One number for each place."""
    sizes = list(value) if isinstance(value, list | tuple) else [value]
    return tuple(sizes * places if len(sizes) == 1 else sizes)


def embedding(call: Call) -> list[Node]:
    if call.given.get("scale_grad_by_freq") or call.given.get("sparse"):
        raise UnknownError("its gradient is scaled or sparse")
    row = call.given.get("padding_idx", -1)
    options = {} if row is None or row < 0 else {"padding": row}
    return call.one("embedding", [call["indices"], call["weight"]], **options)


def einsum(call: Call) -> list[Node]:
    words, _, result = call["equation"].replace(" ", "").partition("->")
    if "." in words or not result:
        raise UnknownError(f"its equation is {call['equation']!r}; write every letter and '->'")
    return call.one("einsum", call["tensors"], words=tuple(words.split(",")), result=result)


def attention(call: Call) -> list[Node]:
    if call["dropout_p"]:
        raise UnknownError("it drops out at random in training; call model.eval()")
    reads = [call["query"], call["key"], call["value"], call["attn_mask"]]
    options = {"causal": bool(call["is_causal"]), "scale": call["scale"]}
    return call.one("scaled_dot_product", reads, **options)


def cell(kind: str) -> Rule:
    """A cell of PyTorch: its states are read as a list by an LSTM, as one value by the others."""

    def rule(call: Call) -> list[Node]:
        states = call["hx"]
        states = list(states) if isinstance(states, list | tuple) else [states]
        reads = [call["input"], call["w_ih"], call["w_hh"], call["b_ih"], call["b_hh"]]
        if kind == "lstm":
            return call.first("cell", reads, cell=kind, states=tuple(states))
        return call.one("cell", reads, cell=kind, states=tuple(states))

    return rule


def recurrent(kind: str) -> Rule:
    """A layer of cells, or several, in one direction or both."""

    def rule(call: Call) -> list[Node]:
        if call["dropout"] and call["train"]:
            raise UnknownError("it drops out at random in training; call model.eval()")
        states = call["hx"] if isinstance(call["hx"], list) else [call["hx"]]
        params = call["params"]
        rows, units = call.node.args[2][1].meta["val"].shape
        if kind == "lstm" and rows != 4 * units:
            raise UnknownError("it projects its states; make it with proj_size=0")
        each = 4 if call["has_biases"] else 2
        layers = tuple(tuple(params[i : i + each]) for i in range(0, len(params), each))
        return call.first(
            "recurrent",
            [call["input"], *params, *states],
            cell=kind,
            layers=layers,
            states=tuple(states),
            first=call["batch_first"],
            directions=1 + call["bidirectional"],
        )

    return rule


def loss(kind: str, labels: str = "target", reads: str = "self") -> Rule:
    """A loss with reduction mean or sum."""

    def rule(call: Call) -> list[Node]:
        if call.given.get("weight") is not None:
            raise UnknownError("it has weights of classes or entries")
        if call.given.get("pos_weight") is not None:
            raise UnknownError("it has pos_weight")
        if call.given.get("label_smoothing"):
            raise UnknownError("it has label_smoothing; give rows of probabilities as labels")
        if call.given.get("ignore_index", -100) >= 0:
            raise UnknownError("it has an ignore_index")  # one below 0 is no label of the data
        tuned = {}
        if "beta" in call.given or "delta" in call.given:
            tuned["delta"] = float(call.given.get("delta", call.given.get("beta", 1.0)))
            if "beta" in call.given:
                tuned["over"] = tuned["delta"]
        name = reads if reads in call.given else "input"
        reduction = REDUCTIONS[call["reduction"]]
        return call.one(kind, [call[name], call[labels]], reduction=reduction, **tuned)

    return rule
