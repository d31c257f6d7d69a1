"""The aten functions that are known, each as one node: a table from its name to a rule.

A rule reads the arguments by the names that aten's own schema gives them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .model import Node

LONGEST = 2**62  # a stop beyond it is the end of an axis
REDUCTIONS = ("none", "mean", "sum")


class UnknownError(Exception):
    """An option of a known function that cannot be written."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a graph: its arguments as keys and numbers, and how its value is named."""

    node: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    called: str
    told: str
    constants: Mapping[str, Any]
    numbers: dict[str, np.ndarray]  # where numbers among the operands go

    @cached_property
    def given(self) -> dict[str, Any]:
        """The arguments by the names of aten's schema, defaults filled in."""
        found = {}
        for place, argument in enumerate(self.node.target._schema.arguments):
            if place < len(self.args):
                found[argument.name] = self.args[place]
            elif argument.name in self.kwargs:
                found[argument.name] = self.kwargs[argument.name]
            else:
                found[argument.name] = getattr(argument, "default_value", None)
        return found

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    @property
    def shape(self) -> tuple[int, ...]:
        value = self.node.meta.get("val")
        first = value[0] if isinstance(value, list | tuple) else value
        return tuple(int(s) for s in getattr(first, "shape", ()))

    def rank_of(self, place: int = 0) -> int:
        """The number of axes of an argument."""
        return len(self.node.args[place].meta["val"].shape)

    def one(self, kind: str, reads: Sequence[Any], **options: Any) -> list[Node]:
        """This call as one node."""
        return [
            Node(kind, tuple(reads), self.node.name, self.shape, self.called, self.told, options)
        ]


Rule = Callable[[Call], list[Node]]


def unary(kind: str, **options: Any) -> Rule:
    """A function of one value, entry by entry."""
    return lambda call: call.one(
        kind, [call["self"] if "self" in call.given else call["input"]], **options
    )


def same(call: Call) -> list[Node]:
    return call.one("same", [next(iter(call.given.values()))])


def binary(kind: str) -> Rule:
    """Two values, or a value and a number."""

    def rule(call: Call) -> list[Node]:
        if call.given.get("alpha", 1) != 1:
            raise UnknownError("it has alpha; multiply before")
        if call.given.get("rounding_mode") is not None:
            raise UnknownError("it rounds")
        left, right = call["self"], call["other"]
        return call.one(kind, [_operand(call, left), _operand(call, right)])

    return rule


def reversed_difference(call: Call) -> list[Node]:
    """other − self."""
    if call.given.get("alpha", 1) != 1:
        raise UnknownError("it has alpha; multiply before")
    return call.one("subtract", [_operand(call, call["other"]), call["self"]])


def _operand(call: Call, value: Any) -> str:
    """The key of an operand; a number gets one of its own."""
    if isinstance(value, str):
        return value
    key = f"number {float(value)!r}"
    call.numbers[key] = np.array(float(value))
    return key


def dropout(call: Call) -> list[Node]:
    train = call.given.get("train", False)
    if train and call["p"] > 0:
        raise UnknownError("it drops out at random in training; call model.eval()")
    return same(call)


def norm(kind: str) -> Rule:
    """Layer and RMS norm, of the last axis."""

    def rule(call: Call) -> list[Node]:
        if len(call["normalized_shape"]) != 1:
            raise UnknownError("it goes over several axes; normalise the last one")
        reads = [call["input"], call["weight"]]
        if kind == "layer_norm":
            reads.append(call["bias"])
        eps = call["eps"]
        if eps is None:
            eps = float(np.finfo(_dtype(call)).eps)
        return call.one(kind, reads, eps=eps)

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
    if isinstance(call["padding"], str):
        raise UnknownError(f"its padding is {call['padding']!r}; write numbers")
    return call.one(
        "convolution",
        [call["input"], call["weight"], call["bias"]],
        stride=_each(call["stride"], places),
        padding=_each(call["padding"], places),
        dilation=_each(call["dilation"], places),
        groups=call["groups"],
    )


def pool(kind: str) -> Rule:
    """The largest entry or the mean of each window."""

    def rule(call: Call) -> list[Node]:
        places = 1 if "pool1d" in str(call.node.target) else 2
        width = _each(call["kernel_size"], places)
        if call["ceil_mode"]:
            raise UnknownError("it has ceil_mode; the last windows must be whole")
        if any(d != 1 for d in _each(call.given.get("dilation", 1), places)):
            raise UnknownError("its windows have gaps, dilation")
        if call.given.get("divisor_override") is not None:
            raise UnknownError("it has divisor_override")
        return call.one(
            kind,
            [call["self"]],
            width=width,
            stride=_each(call["stride"], places) if call["stride"] else width,
            padding=_each(call["padding"], places),
            counts_zeros=call.given.get("count_include_pad", True),
        )

    return rule


def adaptive_pool(call: Call) -> list[Node]:
    places = 1 if "pool1d" in str(call.node.target) else 2
    before = tuple(int(s) for s in call.node.args[0].meta["val"].shape)[-places:]
    after = call.shape[-places:]
    if any(i % o for i, o in zip(before, after, strict=True)):
        raise UnknownError(f"its windows differ in size: from {before} to {after}")
    width = tuple(i // o for i, o in zip(before, after, strict=True))
    options = {"width": width, "stride": width, "padding": (0,) * len(width)}
    return call.one("average_pool", [call["self"]], counts_zeros=True, **options)


def _each(value: Any, places: int) -> tuple[int, ...]:
    """One number for each place."""
    sizes = list(value) if isinstance(value, list | tuple) else [value]
    return tuple(sizes * places if len(sizes) == 1 else sizes)


def embedding(call: Call) -> list[Node]:
    if call.given.get("scale_grad_by_freq") or call.given.get("sparse"):
        raise UnknownError("its gradient is scaled or sparse")
    padding = call.given.get("padding_idx", -1)
    if padding is not None and padding >= 0:
        raise UnknownError("it has a padding_idx, whose row gets no gradient")
    return call.one("embedding", [call["indices"], call["weight"]])


def reshape(call: Call) -> list[Node]:
    return call.one("reshape", [call["self"]])


def transpose(call: Call) -> list[Node]:
    rank = call.rank_of()
    order = list(range(rank))
    if "dims" in call.given:
        order = [d % rank for d in call["dims"]]
    elif "dim0" in call.given:
        a, b = call["dim0"] % rank, call["dim1"] % rank
        order[a], order[b] = order[b], order[a]
    else:  # t, mT
        order[-2:] = order[-2:][::-1]
    return call.one("transpose", [call["self"]], order=tuple(order))


def part(call: Call) -> list[Node]:
    axis = call["dim"] % call.rank_of()
    stop = call["end"]
    stop = None if stop is None or stop > LONGEST else stop
    options = {"start": call["start"], "stop": stop, "step": call["step"]}
    return call.one("slice", [call["self"]], axis=axis, **options)


def select(call: Call) -> list[Node]:
    return call.one(
        "select", [call["self"]], axis=call["dim"] % call.rank_of(), index=call["index"]
    )


def split(call: Call) -> list[Node]:
    """Parts of an axis, one behind the other: as many nodes as there are parts."""
    axis = call["dim"] % call.rank_of()
    nodes, start = [], 0
    for place, value in enumerate(call.node.meta["val"]):
        size = int(value.shape[axis])
        nodes.append(
            Node(
                "slice",
                (call["self"],),
                f"{call.node.name}#{place}",
                tuple(int(s) for s in value.shape),
                f"{call.called}_{place + 1}",
                call.told,
                {"axis": axis, "start": start, "stop": start + size},
            )
        )
        start += size
    return nodes


def broadcast(call: Call) -> list[Node]:
    """Values as large as each other; one that is smaller is left to what reads it."""
    return [
        Node("same", (key,), f"{call.node.name}#{place}", call.shape, call.called, call.told)
        for place, key in enumerate(call["tensors"])
    ]


def concat(call: Call) -> list[Node]:
    return call.one("concat", call["tensors"], axis=call["dim"] % len(call.shape))


def stack(call: Call) -> list[Node]:
    return call.one("stack", call["tensors"], axis=call["dim"] % len(call.shape))


def reduction(kind: str) -> Rule:
    """A mean or a sum over axes, all of them without dim."""

    def rule(call: Call) -> list[Node]:
        dims = call.given.get("dim")
        axes = tuple(d % call.rank_of() for d in (dims or ()))
        return call.one(kind, [call["self"]], axes=axes, keep=bool(call.given.get("keepdim")))

    return rule


def softmax(log: bool) -> Rule:
    """Softmax along dim, or its logarithm."""
    return lambda call: call.one(
        "softmax", [call["self"]], axis=call["dim"] % call.rank_of(), log=log
    )


def masked_fill(call: Call) -> list[Node]:
    fill = call["value"]
    if isinstance(fill, str):
        raise UnknownError("it fills in a tensor; write a number")
    return call.one("masked_fill", [call["self"], call["mask"]], fill=float(fill))


def power(call: Call) -> list[Node]:
    if isinstance(call["exponent"], str):
        raise UnknownError("its exponent is computed")
    return call.one("power", [call["self"]], p=float(call["exponent"]))


def gelu(call: Call) -> list[Node]:
    return call.one("gelu", [call["self"]], approximate=call["approximate"] == "tanh")


def elu(call: Call) -> list[Node]:
    if call["scale"] != 1 or call["input_scale"] != 1:
        raise UnknownError("it is scaled: SELU")
    return call.one("elu", [call["self"]], alpha=float(call["alpha"]))


def leaky_relu(call: Call) -> list[Node]:
    return call.one("leaky_relu", [call["self"]], slope=float(call["negative_slope"]))


def softplus(call: Call) -> list[Node]:
    if call["beta"] != 1:
        raise UnknownError("its beta is not 1")
    return call.one("softplus", [call["self"]])


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


def loss(kind: str, labels: str = "target", reads: str = "self") -> Rule:
    """A loss with reduction mean or sum."""

    def rule(call: Call) -> list[Node]:
        if call.given.get("weight") is not None:
            raise UnknownError("it has weights of classes or entries")
        if call.given.get("pos_weight") is not None:
            raise UnknownError("it has pos_weight")
        if call.given.get("label_smoothing"):
            raise UnknownError("it has label_smoothing; give rows of probabilities as labels")
        if call.given.get("ignore_index", -100) != -100:
            raise UnknownError("it has an ignore_index")
        tuned = {}
        if "beta" in call.given or "delta" in call.given:
            tuned["delta"] = float(call.given.get("delta", call.given.get("beta", 1.0)))
            if "beta" in call.given and call["beta"] != 1:
                raise UnknownError("its beta is not 1; write HuberLoss(delta)")
        name = reads if reads in call.given else "input"
        reduction = REDUCTIONS[call["reduction"]]
        return call.one(kind, [call[name], call[labels]], reduction=reduction, **tuned)

    return rule


def cell(kind: str) -> Rule:
    """A cell of PyTorch: its states are read as a list by an LSTM, as one value by the others."""

    def rule(call: Call) -> list[Node]:
        states = call["hx"]
        states = list(states) if isinstance(states, list | tuple) else [states]
        reads = [call["input"], call["w_ih"], call["w_hh"], call["b_ih"], call["b_hh"]]
        if kind == "lstm":
            return [
                Node(
                    "cell",
                    tuple(reads),
                    f"{call.node.name}#0",
                    call.shape,
                    call.called,
                    call.told,
                    {"cell": kind, "states": tuple(states)},
                ),
            ]
        return call.one("cell", reads, cell=kind, states=tuple(states))

    return rule


def recurrent(kind: str) -> Rule:
    """A layer of cells, or several, from states of 0."""

    def rule(call: Call) -> list[Node]:
        if not call["batch_first"]:
            raise UnknownError("its batch is not first; make it with batch_first=True")
        if call["bidirectional"]:
            raise UnknownError("it goes in both directions")
        if call["dropout"] and call["train"]:
            raise UnknownError("it drops out at random in training; call model.eval()")
        states = call["hx"] if isinstance(call["hx"], list) else [call["hx"]]
        for state in states:
            if state not in call.constants or bool(call.constants[state].any()):
                raise UnknownError("it begins with states that are given; write the cells")
        params = call["params"]
        each = 4 if call["has_biases"] else 2
        layers = tuple(tuple(params[i : i + each]) for i in range(0, len(params), each))
        return [
            Node(
                "recurrent",
                (call["input"], *params),
                f"{call.node.name}#0",
                call.shape,
                call.called,
                call.told,
                {"cell": kind, "layers": layers},
            ),
        ]

    return rule


def where(call: Call) -> list[Node]:
    """Scores where a constant mask stands, and −∞ elsewhere."""
    fill = call["other"]
    if call["condition"] not in call.constants:
        raise UnknownError("its condition is computed")
    if isinstance(fill, str):
        if fill not in call.constants or call.constants[fill].numel() != 1:
            raise UnknownError("it chooses between two values")
        fill = float(call.constants[fill])
    return call.one("masked_fill", [call["self"], call["condition"]], fill=float(fill), kept=True)


ARITHMETIC = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide"}
CALLS: dict[str, Rule] = {
    **{
        f"aten.{name}": unary(kind)
        for name, kind in {
            "relu": "relu",
            "relu_": "relu",
            "sigmoid": "sigmoid",
            "tanh": "tanh",
            "silu": "silu",
            "silu_": "silu",
            "exp": "exp",
            "log": "log",
            "sqrt": "sqrt",
            "abs": "abs",
            "neg": "negative",
            "sigmoid_": "sigmoid",
            "tanh_": "tanh",
        }.items()
    },
    "aten.rsqrt": unary("power", p=-0.5),
    "aten.reciprocal": unary("power", p=-1.0),
    "aten.square": unary("power", p=2.0),
    "aten.gelu": gelu,
    "aten.elu": elu,
    "aten.elu_": elu,
    "aten.leaky_relu": leaky_relu,
    "aten.leaky_relu_": leaky_relu,
    "aten.softplus": softplus,
    "aten.pow.Tensor_Scalar": power,
    **{
        f"aten.{name}{inplace}.{kind}": binary(word)
        for name, word in {
            "add": "add",
            "sub": "subtract",
            "mul": "multiply",
            "div": "divide",
        }.items()
        for inplace in ("", "_")
        for kind in ("Tensor", "Scalar")
    },
    **{
        f"aten.{name}": same
        for name in ("contiguous", "clone", "alias", "lift_fresh_copy", "detach_copy")
    },
    "aten.rsub.Scalar": reversed_difference,
    "aten.rsub.Tensor": reversed_difference,
    "aten.dropout": dropout,
    "aten.dropout_": dropout,
    "aten.feature_dropout": dropout,
    "aten.linear": lambda call: call.one("linear", [call["input"], call["weight"], call["bias"]]),
    "aten.matmul": lambda call: call.one("matmul", [call["self"], call["other"]]),
    "aten.mm": lambda call: call.one("matmul", [call["self"], call["mat2"]]),
    "aten.bmm": lambda call: call.one("matmul", [call["self"], call["mat2"]]),
    "aten.einsum": einsum,
    "aten.conv1d": convolution,
    "aten.conv2d": convolution,
    "aten.max_pool1d": pool("max_pool"),
    "aten.max_pool2d": pool("max_pool"),
    "aten.avg_pool1d": pool("average_pool"),
    "aten.avg_pool2d": pool("average_pool"),
    "aten.adaptive_avg_pool1d": adaptive_pool,
    "aten.adaptive_avg_pool2d": adaptive_pool,
    "aten.layer_norm": norm("layer_norm"),
    "aten.rms_norm": norm("rms_norm"),
    "aten.batch_norm": batch_norm,
    "aten.group_norm": group_norm,
    "aten.embedding": embedding,
    **{
        f"aten.{name}": reshape
        for name in (
            "view",
            "reshape",
            "_unsafe_view",
            "flatten.using_ints",
            "unflatten.int",
            "squeeze.dim",
            "squeeze",
            "squeeze.dims",
            "unsqueeze",
        )
    },
    "aten.expand": lambda call: call.one("expand", [call["self"]]),
    **{f"aten.{name}": transpose for name in ("transpose.int", "permute", "t", "numpy_T", "mT")},
    "aten.slice.Tensor": part,
    "aten.narrow": lambda call: call.one(
        "slice",
        [call["self"]],
        axis=call["dim"],
        start=call["start"],
        stop=call["start"] + call["length"],
    ),
    "aten.select.int": select,
    "aten.split.Tensor": split,
    "aten.split_with_sizes": split,
    "aten.split.sizes": split,
    "aten.chunk": split,
    "aten.unbind.int": lambda call: [
        Node(
            "select",
            (call["self"],),
            f"{call.node.name}#{place}",
            tuple(int(s) for s in value.shape),
            f"{call.called}_{place + 1}",
            call.told,
            {"axis": call["dim"] % call.rank_of(), "index": place},
        )
        for place, value in enumerate(call.node.meta["val"])
    ],
    "aten.broadcast_tensors": broadcast,
    "aten.cat": concat,
    "aten.concat": concat,
    "aten.stack": stack,
    "aten.mean": reduction("mean"),
    "aten.mean.dim": reduction("mean"),
    "aten.sum": reduction("sum"),
    "aten.sum.dim_IntList": reduction("sum"),
    "aten.softmax.int": softmax(log=False),
    "aten.log_softmax.int": softmax(log=True),
    "aten.masked_fill.Scalar": masked_fill,
    "aten.masked_fill_.Scalar": masked_fill,
    "aten.where.ScalarOther": where,
    "aten.where.self": where,
    "aten.scaled_dot_product_attention": attention,
    "aten.mse_loss": loss("squared_error"),
    "aten.huber_loss": loss("huber"),
    "aten.smooth_l1_loss": loss("huber"),
    "aten.binary_cross_entropy": loss("bce"),
    "aten.binary_cross_entropy_with_logits": loss("bce_logits"),
    "aten.cross_entropy_loss": loss("cross_entropy"),
    "aten.nll_loss_nd": loss("nll"),
    "aten.nll_loss": loss("nll"),
    "aten.rnn_tanh_cell": cell("rnn"),
    "aten.rnn_relu_cell": cell("rnn_relu"),
    "aten.lstm_cell": cell("lstm"),
    "aten.gru_cell": cell("gru"),
    "aten.rnn_tanh.input": recurrent("rnn"),
    "aten.rnn_relu.input": recurrent("rnn_relu"),
    "aten.lstm.input": recurrent("lstm"),
    "aten.gru.input": recurrent("gru"),
}
