"""The operators of ONNX that are known, each as one node: a table from its name to a rule."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .model import Node, Parameter
from .onnx_call import Call, Rule, UnknownError
from .onnx_compounds import COMPOUNDS
from .onnx_file import told
from .onnx_sequences import SEQUENCES


def unary(kind: str, **options: Any) -> Rule:
    return lambda call: call.one(kind, call.reads[:1], **options)


def binary(kind: str) -> Rule:
    return lambda call: call.one(kind, call.reads)


def gemm(call: Call) -> list[Node]:
    """A B + C with B a parameter, (outputs, inputs) where transB is 1."""
    if call.attribute("transA", 0) or call.attribute("alpha", 1.0) != 1.0:
        raise UnknownError("it has transA or alpha")
    key = call.node.input[1]
    if len(call.reads) > 2 and call.attribute("beta", 1.0) != 1.0:
        raise UnknownError("its beta is not 1")
    if len(call.reads) > 2 and call.rank(2) != 1:
        raise UnknownError("its C is no row of biases")
    if key not in call.model.parameters:
        if not call.attribute("transB", 0):
            raise UnknownError(f"its matrix {key!r} is computed, as (inputs, outputs)")
        return call.one("linear", call.reads)
    as_rows(call, key, bool(call.attribute("transB", 0)))
    return call.one("linear", call.reads)


def as_rows(call: Call, key: str, already: bool) -> None:
    """See that a matrix is (outputs, inputs); a kernel (inputs, outputs) is turned once."""
    known = call.model.parameters[key]
    turned = known.order is not None
    if already == (not turned):
        return
    if len(call.readers[key]) > 1:
        raise UnknownError(f"the matrix {key!r} is read in two ways")
    array = call.known[key]
    call.model.parameters[key] = Parameter(key, np.ascontiguousarray(array.T), (1, 0))


def matmul(call: Call) -> list[Node]:
    """A product with a kernel and the bias behind it are one linear map."""
    left, key = call.node.input
    if key not in call.model.parameters or call.rank(1) != 2 or left in call.model.parameters:
        return call.one("matmul", call.reads)
    if len(call.readers[key]) > 1:
        return call.one("matmul", call.reads)
    as_rows(call, key, already=False)
    product = call.node.output[0]
    after = call.readers.get(product, [])
    if len(after) == 1 and after[0].op_type == "Add":
        (bias,) = [k for k in after[0].input if k != product] or [None]
        outputs = call.known[key].shape[1]
        if bias in call.model.parameters and call.known[bias].shape == (outputs,):
            whole = after[0].output[0]
            call.skipped.add(whole)
            named = replace(call, called=call.called_of(after[0]))
            return named.one("linear", [left, key, bias], gives=whole)
    return call.one("linear", [left, key])


def softplus(call: Call) -> list[Node]:
    """Softplus; PyTorch writes z itself where it is above a threshold, which is the same there."""
    (z,), (a,) = call.node.input, call.node.output
    for choice in call.readers.get(a, []):
        if choice.op_type != "Where" or list(choice.input[1:]) != [z, a]:
            continue
        above = [r for r in call.readers[z] if choice.input[0] in r.output]
        if above and above[0].op_type == "Greater" and above[0].input[0] == z:
            whole = choice.output[0]
            call.skipped.update((whole, above[0].output[0]))
            return replace(call, called=call.called_of(choice)).one("softplus", [z], gives=whole)
    return call.one("softplus", [z])


def reduction(kind: str) -> Rule:
    def rule(call: Call) -> list[Node]:
        axes = call.axes() or ()
        if not axes and call.attribute("noop_with_empty_axes", 0):
            return call.one("same", call.reads[:1])
        keep = bool(call.attribute("keepdims", 1))
        return call.one(kind, call.reads[:1], axes=axes, keep=keep)

    return rule


def softmax(log: bool) -> Rule:
    def rule(call: Call) -> list[Node]:
        usual = 1 if call.rank() == 2 else -1
        return call.one("softmax", call.reads[:1], axis=call.attribute("axis", usual), log=log)

    return rule


def layer_norm(kind: str) -> Rule:
    def rule(call: Call) -> list[Node]:
        axes = call.rank() - call.attribute("axis", -1) % call.rank()
        return call.one(kind, call.reads, eps=call.attribute("epsilon", 1e-5), axes=axes)

    return rule


def batch_norm(call: Call) -> list[Node]:
    training = bool(call.attribute("training_mode", 0))
    eps = call.attribute("epsilon", 1e-5)
    return call.one("batch_norm", call.reads[:5], eps=eps, training=training)


def group_norm(call: Call) -> list[Node]:
    options = {"eps": call.attribute("epsilon", 1e-5), "groups": call.attribute("num_groups")}
    if (
        call.rank(1) != 1
        or call.known[call.node.input[1]].size != call.values[call.node.output[0]].shape[1]
    ):
        raise UnknownError("it has a gain for each group; export with opset 21 or later")
    return call.one("group_norm", call.reads, **options)


def instance_norm(call: Call) -> list[Node]:
    channels = call.values[call.node.output[0]].shape[1]
    eps = call.attribute("epsilon", 1e-5)
    return call.one("group_norm", call.reads, eps=eps, groups=channels)


def around_of(call: Call, width: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The padding before and after each axis of the windows."""
    places = len(width)
    auto = call.attribute("auto_pad", "NOTSET")
    if auto in ("NOTSET", "VALID"):
        pads = call.attribute("pads", [0] * (2 * places))
        return tuple(zip(pads[:places], pads[places:], strict=True))
    strides = call.attribute("strides", [1] * places)
    gaps = call.attribute("dilations", [1] * places)
    found = []
    for size, k, step, gap in zip(call.shape_of(0)[2:], width, strides, gaps, strict=True):
        whole = max((-(-size // step) - 1) * step + (k - 1) * gap + 1 - size, 0)
        less, more = whole // 2, whole - whole // 2
        found.append((less, more) if auto == "SAME_UPPER" else (more, less))
    return tuple(found)


def padding_of(call: Call, width: Sequence[int]) -> tuple[int, ...]:
    """The same padding on both sides of each axis."""
    around = around_of(call, width)
    if any(before != after for before, after in around):
        raise UnknownError("its padding differs before and after")
    return tuple(before for before, _ in around)


def convolution(call: Call) -> list[Node]:
    places = call.rank(1) - 2
    if places not in (1, 2):
        raise UnknownError(f"its windows lie along {places} axes")
    return call.one(
        "convolution",
        call.reads,
        stride=tuple(call.attribute("strides", [1] * places)),
        around=around_of(call, call.shape_of(1)[2:]),
        dilation=tuple(call.attribute("dilations", [1] * places)),
        groups=call.attribute("group", 1),
    )


def pool(kind: str) -> Rule:
    def rule(call: Call) -> list[Node]:
        width = tuple(call.attribute("kernel_shape"))
        if call.attribute("ceil_mode", 0) or any(d != 1 for d in call.attribute("dilations", [1])):
            raise UnknownError("it has ceil_mode or dilations")
        if len(call.node.output) > 1 and call.node.output[1] in call.readers:
            raise UnknownError("its places are read too")
        if len(width) not in (1, 2):
            raise UnknownError(f"its windows lie along {len(width)} axes")
        return call.one(
            kind,
            call.reads[:1],
            width=width,
            stride=tuple(call.attribute("strides", [1] * len(width))),
            padding=padding_of(call, width),
            counts_zeros=bool(call.attribute("count_include_pad", 0)),
        )

    return rule


def global_pool(call: Call) -> list[Node]:
    width = (
        call.values[call.node.input[0]].shape[2:]
        if call.node.input[0] in call.values
        else (call.model.inputs[call.node.input[0]][2:])
    )
    options: dict[str, Any] = {"width": width, "stride": width, "padding": (0,) * len(width)}
    return call.one("average_pool", call.reads[:1], counts_zeros=True, **options)


def transpose(call: Call) -> list[Node]:
    rank = call.rank()
    order = call.attribute("perm", list(range(rank))[::-1])
    return call.one("transpose", call.reads[:1], order=tuple(order))


def part(call: Call) -> list[Node]:
    """One slice for each axis, one behind the other."""
    starts, ends = call.attribute("starts"), call.attribute("ends")
    if starts is None:
        found = [call.constant(p) for p in (1, 2, 3, 4)]
        starts, ends, axes, steps = (None if a is None else a.ravel().tolist() for a in found)
    else:
        axes, steps = call.attribute("axes"), None
    assert starts is not None
    assert ends is not None
    axes = axes if axes is not None else list(range(len(starts)))
    if len(axes) != 1:
        raise UnknownError("it takes a part along several axes; export it as several slices")
    axis = int(axes[0]) % call.rank()
    step = int(steps[0]) if steps is not None else 1
    return call.one(
        "slice", call.reads[:1], axis=axis, start=int(starts[0]), stop=int(ends[0]), step=step
    )


def gather(call: Call) -> list[Node]:
    """A row of a table for each index, or one place along an axis."""
    data, index = call.node.input
    axis = call.attribute("axis", 0)
    if data in call.model.parameters and axis == 0 and call.rank(0) == 2:
        return call.one("embedding", [index, data])
    places = call.constant(1)
    assert places is not None
    if places.size != 1 or places.ndim > 0:
        raise UnknownError("it takes several places")
    axis %= call.rank()
    return call.one("select", [data], axis=axis, index=int(places))


def split(call: Call) -> list[Node]:
    axis = call.attribute("axis", 0) % call.rank()
    nodes, start = [], 0
    for place, key in enumerate(call.node.output, start=1):
        size = call.values[key].shape[axis]
        options = {"axis": axis, "start": start, "stop": start + size}
        shape = tuple(call.values[key].shape)
        name = f"{call.called}_{place}"
        nodes.append(
            Node("slice", (call.node.input[0],), key, shape, name, told(call.node), options)
        )
        start += size
    return nodes


def dropout(call: Call) -> list[Node]:
    training = call.constant(2)
    if training is not None and bool(training):
        raise UnknownError("it drops out at random in training; export in evaluation")
    return call.one("same", call.reads[:1])


def where(call: Call) -> list[Node]:
    """Scores where a constant mask stands, and −∞ elsewhere; either way round."""
    mask = call.constant(0)
    assert mask is not None
    for place, kept in ((2, True), (1, False)):
        key = call.node.input[place]
        if key in call.fixed and np.size(call.known[key]) == 1:
            fill = float(np.reshape(call.known[key], ()))
            value = call.node.input[3 - place]
            return call.one("masked_fill", [value, call.node.input[0]], fill=fill, kept=kept)
    raise UnknownError("it chooses between two values")


def einsum(call: Call) -> list[Node]:
    words, _, result = call.attribute("equation").replace(" ", "").partition("->")
    if "." in words or not result:
        raise UnknownError("its equation leaves letters out")
    return call.one("einsum", call.reads, words=tuple(words.split(",")), result=result)


def power(call: Call) -> list[Node]:
    exponent = call.constant(1)
    if exponent is None or exponent.size != 1:
        raise UnknownError("its exponents differ")
    return call.one("power", call.reads[:1], p=float(exponent.reshape(())))


def cast(call: Call) -> list[Node]:
    before = call.values.get(call.node.input[0])
    after = call.values[call.node.output[0]]
    if before is not None and before.dtype.kind == after.dtype.kind == "f":
        return call.one("same", call.reads[:1])
    if after.dtype.kind in "iu" and before is None:
        return call.one("same", call.reads[:1])
    raise UnknownError("it makes other numbers of its values")


def softmax_loss(call: Call) -> list[Node]:
    if len(call.node.input) > 2 or call.attribute("ignore_index") is not None:
        raise UnknownError("it has weights of classes or an ignore_index")
    if len(call.node.output) > 1 and call.node.output[1] in call.readers:
        raise UnknownError("its logarithms are read too")
    return call.one("cross_entropy", call.reads, reduction=call.attribute("reduction", "mean"))


CALLS: dict[str, Rule] = {
    **{
        name: unary(kind)
        for name, kind in {
            "Relu": "relu",
            "Sigmoid": "sigmoid",
            "Tanh": "tanh",
            "Exp": "exp",
            "Log": "log",
            "Sqrt": "sqrt",
            "Abs": "abs",
            "Sin": "sin",
            "Cos": "cos",
            "Neg": "negative",
            "Identity": "same",
        }.items()
    },
    **{name: binary(name.lower() if name != "Sub" else "subtract") for name in ("Add", "Sub")},
    "Softplus": softplus,
    "Mul": binary("multiply"),
    "Div": binary("divide"),
    "Pow": power,
    "Reciprocal": unary("power", p=-1.0),
    "Gelu": lambda call: call.one(
        "gelu", call.reads, approximate=call.attribute("approximate", "none") == "tanh"
    ),
    "Elu": lambda call: call.one("elu", call.reads, alpha=call.attribute("alpha", 1.0)),
    "LeakyRelu": lambda call: call.one(
        "leaky_relu", call.reads, slope=call.attribute("alpha", 0.01)
    ),
    "Swish": lambda call: call.one("silu", call.reads),
    "Gemm": gemm,
    "MatMul": matmul,
    "Einsum": einsum,
    "Softmax": softmax(log=False),
    "LogSoftmax": softmax(log=True),
    "SoftmaxCrossEntropyLoss": softmax_loss,
    "LayerNormalization": layer_norm("layer_norm"),
    "RMSNormalization": layer_norm("rms_norm"),
    "BatchNormalization": batch_norm,
    "GroupNormalization": group_norm,
    "InstanceNormalization": instance_norm,
    "Conv": convolution,
    "MaxPool": pool("max_pool"),
    "AveragePool": pool("average_pool"),
    "GlobalAveragePool": global_pool,
    "Transpose": transpose,
    "Slice": part,
    "Gather": gather,
    "Concat": lambda call: call.one(
        "concat", call.reads, axis=call.attribute("axis") % call.rank()
    ),
    "Split": split,
    "ReduceMean": reduction("mean"),
    "ReduceSum": reduction("sum"),
    "Dropout": dropout,
    "Where": where,
    "Cast": cast,
    "Expand": lambda call: call.one("expand", call.reads[:1]),
    **{
        name: lambda call: call.one("reshape", call.reads[:1])
        for name in ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
    },
    **SEQUENCES,
    **COMPOUNDS,
}
