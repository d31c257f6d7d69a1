"""aten functions that are several ops in a row: limits, gates, norms, padding, repeated entries."""

from collections.abc import Callable
from typing import Any

from .model import Node
from .torch_call import Call, Rule, UnknownError
from .torch_layers import pool_sizes
from .torch_resampled import resampled
from .torch_rows import cosine, distance

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805  # of SELU
LIKE = ("new_zeros", "new_ones", "new_full", "zeros_like", "ones_like", "full_like")


def number(call: Call, name: str) -> float | None:
    """An option that is a number or left out; UnknownError for a tensor."""
    value = call.given.get(name)
    if isinstance(value, str):
        raise UnknownError(f"its {name} is a tensor; write a number")
    return None if value is None else float(value)


def clip(low: str, high: str) -> Rule:
    """Between two limits, either of which may be left out."""

    def rule(call: Call) -> list[Node]:
        limits = {"low": number(call, low), "high": number(call, high)}
        return call.one("clip", [call["self"]], **limits)

    return rule


def relu6(call: Call) -> list[Node]:
    return call.one("clip", [call["self"]], low=0.0, high=6.0)


def scaled(of: str, inner: float, outer: float, **options: float) -> Rule:
    return lambda call: call.one(
        "scaled", [call["self"]], of=of, inner=inner, outer=outer, **options
    )


def celu(call: Call) -> list[Node]:
    alpha = float(call["alpha"])
    return call.one("scaled", [call["self"]], of="elu", inner=1 / alpha, outer=alpha)


def softplus(call: Call) -> list[Node]:
    beta = float(call["beta"])
    if beta == 1:
        return call.one("softplus", [call["self"]])
    return call.one("scaled", [call["self"]], of="softplus", inner=beta, outer=1 / beta)


def axes_of(call: Call, name: str = "dim") -> tuple[int, ...]:
    """The axes of a reduction, from 0; none where it goes over all."""
    given = call.given.get(name)
    given = () if given is None else [given] if isinstance(given, int) else given
    return tuple(axis % call.rank_of() for axis in given)


def largest(kind: str, first: bool = False) -> Rule:
    """amax and amin; max and min along an axis give their places too, which are not read."""

    def rule(call: Call) -> list[Node]:
        options = {"axes": axes_of(call), "keep": bool(call.given.get("keepdim"))}
        make: Callable[..., list[Node]] = call.first if first else call.one
        return make(kind, [call["self"]], **options)

    return rule


def norm(call: Call) -> list[Node]:
    order = call.given.get("ord", call.given.get("p", 2))
    if order not in (2, None):
        raise UnknownError(f"it is of order {order}; write the root of the sum of squares, order 2")
    return call.one(
        "norm", [call["self"]], axes=axes_of(call), keep=bool(call.given.get("keepdim"))
    )


def variance(root: bool) -> Rule:
    """With the correction that it has, 1 without one."""

    def rule(call: Call) -> list[Node]:
        correction = call.given.get("correction")
        if correction is None:
            correction = 1.0 if call.given.get("unbiased", True) else 0.0
        options = {"axes": axes_of(call), "keep": bool(call.given.get("keepdim"))}
        return call.one(
            "variance", [call["self"]], correction=float(correction), root=root, **options
        )

    return rule


def log_sum_exp(call: Call) -> list[Node]:
    options = {"axes": axes_of(call), "keep": bool(call["keepdim"])}
    return call.one("log_sum_exp", [call["self"]], **options)


def pad(call: Call) -> list[Node]:
    """Numbers of the last axis first, before and after."""
    if call.given.get("mode", "constant") != "constant":
        raise UnknownError(f"its mode is {call['mode']!r}; pad with a constant")
    sizes = call["pad"]
    pairs = [(sizes[p], sizes[p + 1]) for p in range(0, len(sizes), 2)]
    around = [(0, 0)] * (call.rank_of() - len(pairs)) + pairs[::-1]
    return call.one("pad", [call["self"]], around=tuple(around), value=number(call, "value") or 0.0)


def flip(call: Call) -> list[Node]:
    return call.one("flip", [call["self"]], axes=tuple(call["dims"]))


def roll(call: Call) -> list[Node]:
    if len(call["dims"]) != len(call["shifts"]):
        raise UnknownError("it goes over all entries; name the axes, dims=…")
    shifts = tuple(zip(call["dims"], call["shifts"], strict=True))
    return call.one("roll", [call["self"]], shifts=shifts)


def running_sum(call: Call) -> list[Node]:
    return call.one("running_sum", [call["self"]], axis=call["dim"])


def interleaved(call: Call) -> list[Node]:
    if call["dim"] is None:
        raise UnknownError("it goes over all entries; name the axis, dim=…")
    counts = [1] * call.rank_of()
    counts[call["dim"]] = int(call["repeats"])
    return call.one("repeat", [call["self"]], counts=tuple(counts), each=True)


def tiled(call: Call) -> list[Node]:
    counts = call["repeats"] if "repeats" in call.given else call["dims"]
    if len(counts) != call.rank_of():
        raise UnknownError("it adds axes in front")
    return call.one("repeat", [call["self"]], counts=tuple(counts))


def upsampled(call: Call) -> list[Node]:
    """Each pixel several times."""
    before, after = call.shape_of(0), call.shape
    if any(b % a for a, b in zip(before, after, strict=True)):
        return resampled(call)
    counts = tuple(b // a for a, b in zip(before, after, strict=True))
    return call.one(
        "repeat", [call["self" if "self" in call.given else "input"]], counts=counts, each=True
    )


def gated(call: Call) -> list[Node]:
    return call.one("gated", [call["self"]], axis=call["dim"] % call.rank_of())


def sloped(call: Call) -> list[Node]:
    return call.one("sloped", [call["self"], call["weight"]])


def bilinear(call: Call) -> list[Node]:
    return call.one("bilinear", [call[n] for n in ("input1", "input2", "weight", "bias")])


def instance_norm(call: Call) -> list[Node]:
    if not call["use_input_stats"]:
        raise UnknownError("it has running statistics; write track_running_stats=False")
    reads = [call["input"], call["weight"], call["bias"]]
    return call.one("group_norm", reads, eps=call["eps"], groups=call.shape[1])


def weight_norm(call: Call) -> list[Node]:
    return call.one("weight_normed", [call["v"], call["g"]], axis=call["dim"])


def shuffled(call: Call) -> list[Node]:
    return call.one("shuffled", [call["self"]], times=call["upscale_factor"])


def transposed_convolution(call: Call) -> list[Node]:
    places = call.rank_of(1) - 2
    names = ("stride", "output_padding", "dilation")
    sizes: dict[str, Any] = {n: pool_sizes(call[n], places) for n in names}
    around = tuple((p, p) for p in pool_sizes(call["padding"], places))
    reads = [call["input"], call["weight"], call["bias"]]
    return call.one("transposed_convolution", reads, groups=call["groups"], around=around, **sizes)


def largest_pool(call: Call) -> list[Node]:
    """adaptive_max_pool: windows of one size, or it is refused."""
    places = 1 if "pool1d" in str(call.node.target) else 2
    before, after = call.shape_of(0)[-places:], call.shape[-places:]
    if any(i % o for i, o in zip(before, after, strict=True)):
        raise UnknownError(f"its windows differ in size: from {before} to {after}")
    width = tuple(i // o for i, o in zip(before, after, strict=True))
    options = {"width": width, "stride": width, "padding": (0,) * places}
    return call.first("max_pool", [call["self"]], counts_zeros=True, **options)


def product_and_sum(call: Call) -> list[Node]:
    """addmm and baddbmm: what is added, and a product."""
    if call["alpha"] != 1 or call["beta"] != 1:
        raise UnknownError("it has alpha or beta; multiply before")
    left, right = ("mat1", "mat2") if "mat1" in call.given else ("batch1", "batch2")
    key, name = f"{call.node.name}:product", f"{call.called}_product"
    product = Node("matmul", (call[left], call[right]), key, call.shape, name, call.told)
    return [product, *call.one("add", [call["self"], key])]


def dot(call: Call) -> list[Node]:
    reads = [
        call["self"],
        call["vec"] if "vec" in call.given else call.given.get("tensor", call.given.get("other")),
    ]
    return call.one("matmul", reads)


def l1_loss(call: Call) -> list[Node]:
    """The mean or the sum of |a − y|."""
    reduction = call["reduction"]
    off, size = f"{call.node.name}:off", f"{call.node.name}:abs"
    shape = call.shape_of(0)
    nodes = [
        Node(
            "subtract", (call["self"], call["target"]), off, shape, f"{call.called}_off", call.told
        ),
        Node("abs", (off,), size, shape, f"{call.called}_abs", call.told),
    ]
    if reduction == 0:
        return [*nodes, *call.one("same", [size])]
    return [*nodes, *call.one("mean" if reduction == 1 else "sum", [size], axes=())]


def constant_like(torch: Any, node: Any, args: Any, kwargs: Any) -> Any:
    """The constant of zeros_like, new_ones and the like, whose operand gives its shape alone."""
    value = node.args[0].meta["val"]
    return node.target(torch.zeros(tuple(value.shape), dtype=value.dtype), *args[1:], **kwargs)


COMPOUNDS: dict[str, Rule] = {
    "aten.hardtanh": clip("min_val", "max_val"),
    "aten.hardtanh_": clip("min_val", "max_val"),
    "aten.relu6": relu6,
    "aten.relu6_": relu6,
    "aten.clamp": clip("min", "max"),
    "aten.clamp_": clip("min", "max"),
    "aten.clamp_min": clip("min", ""),
    "aten.clamp_max": clip("", "max"),
    **{f"aten.hardsigmoid{i}": lambda c: c.one("hard_sigmoid", [c["self"]]) for i in ("", "_")},
    **{
        f"aten.hardswish{i}": lambda c: c.one("hard_sigmoid", [c["self"]], gates=True)
        for i in ("", "_")
    },
    "aten.selu": scaled("elu", 1.0, SCALE, alpha=ALPHA),
    "aten.selu_": scaled("elu", 1.0, SCALE, alpha=ALPHA),
    "aten.celu": celu,
    "aten.celu_": celu,
    "aten.softplus": softplus,
    "aten.mish": lambda c: c.one("mish", [c["self"]]),
    "aten.mish_": lambda c: c.one("mish", [c["self"]]),
    "aten.log_sigmoid": lambda c: c.one("log_sigmoid", [c["self"]]),
    "aten.prelu": sloped,
    "aten.glu": gated,
    "aten.bilinear": bilinear,
    "aten.instance_norm": instance_norm,
    "aten._weight_norm": weight_norm,
    "aten.amax": largest("largest"),
    "aten.amin": largest("least"),
    "aten.max.dim": largest("largest", first=True),
    "aten.min.dim": largest("least", first=True),
    "aten.adaptive_max_pool1d": largest_pool,
    "aten.adaptive_max_pool2d": largest_pool,
    "aten.linalg_vector_norm": norm,
    "aten.norm.ScalarOpt_dim": norm,
    "aten.norm.Scalar": norm,
    "aten.var.correction": variance(root=False),
    "aten.var.dim": variance(root=False),
    "aten.std.correction": variance(root=True),
    "aten.std.dim": variance(root=True),
    "aten.logsumexp": log_sum_exp,
    "aten.pad": pad,
    "aten.constant_pad_nd": pad,
    "aten.flip": flip,
    "aten.roll": roll,
    "aten.cumsum": running_sum,
    "aten.repeat_interleave.self_int": interleaved,
    "aten.repeat": tiled,
    "aten.tile": tiled,
    "aten.upsample_nearest1d.vec": upsampled,
    "aten.upsample_nearest2d.vec": upsampled,
    "aten.pixel_shuffle": shuffled,
    "aten.conv_transpose1d": transposed_convolution,
    "aten.upsample_bilinear2d.vec": resampled,
    "aten.upsample_bicubic2d.vec": resampled,
    "aten.upsample_linear1d.vec": resampled,
    "aten.maximum": lambda call: call.one("larger", [call["self"], call["other"]]),
    "aten.minimum": lambda call: call.one("smaller", [call["self"], call["other"]]),
    "aten.cosine_similarity": cosine,
    "aten.pairwise_distance": distance,
    "aten.conv_transpose2d.input": transposed_convolution,
    "aten.expand_as": lambda c: c.one("expand", [c["self"]]),
    "aten.addmm": product_and_sum,
    "aten.baddbmm": product_and_sum,
    "aten.mv": dot,
    "aten.dot": dot,
    "aten.vdot": dot,
    "aten.l1_loss": l1_loss,
}
