"""Operators of ONNX that are several ops in a row: limits, gates, norms, padding, repeats."""

from typing import Any

import numpy as np

from .model import Node
from .onnx_call import Call, Rule, UnknownError


def clip(call: Call) -> list[Node]:
    """Limits are attributes in old files, operands in new ones."""
    found: dict[str, Any] = {}
    for place, (name, old) in enumerate((("low", "min"), ("high", "max")), start=1):
        given = call.constant(place)
        value = call.attribute(old) if given is None else float(given.reshape(()))
        found[name] = None if value is None or abs(value) > 1e30 else value
    return call.one("clip", call.reads[:1], **found)


def hard_sigmoid(call: Call) -> list[Node]:
    options = {"alpha": call.attribute("alpha", 0.2), "beta": call.attribute("beta", 0.5)}
    if abs(options["alpha"] - 1 / 6) < 1e-6:
        options["alpha"] = 1 / 6  # as it was before float32
    return call.one("hard_sigmoid", call.reads[:1], **options)


def selu(call: Call) -> list[Node]:
    alpha, gamma = call.attribute("alpha", 1.6732632), call.attribute("gamma", 1.0507010)
    return call.one("scaled", call.reads[:1], of="elu", inner=1.0, outer=gamma, alpha=alpha)


def celu(call: Call) -> list[Node]:
    alpha = call.attribute("alpha", 1.0)
    return call.one("scaled", call.reads[:1], of="elu", inner=1 / alpha, outer=alpha)


def reduced(kind: str) -> Rule:
    """Along the axes of an attribute or an operand."""

    def rule(call: Call) -> list[Node]:
        axes = call.axes() or tuple(range(call.rank()))
        return call.one(kind, call.reads[:1], axes=axes, keep=bool(call.attribute("keepdims", 1)))

    return rule


def sum_of_squares(call: Call) -> list[Node]:
    key = f"{call.node.output[0]}:squares"
    squares = call.one("power", call.reads[:1], p=2.0)[0]
    options: dict[str, Any] = {
        "axes": call.axes() or (),
        "keep": bool(call.attribute("keepdims", 1)),
    }
    shape = call.shape_of(0)
    first = Node(
        "power", squares.reads, key, shape, f"{call.called}_squares", squares.place, squares.options
    )
    return [first, *call.one("sum", [key], **options)]


def pad(call: Call) -> list[Node]:
    """(before, after) of each axis; the whole list has those before first."""
    if call.attribute("mode", "constant") != "constant":
        raise UnknownError(f"its mode is {call.attribute('mode')!r}; pad with a constant")
    pads = call.attribute("pads")
    given = call.constant(1) if pads is None else np.array(pads)
    assert given is not None
    sizes, count = [int(p) for p in given.ravel()], call.rank()
    chosen = call.constant(3)
    axes = range(count) if chosen is None else [int(a) % count for a in chosen.ravel()]
    around = [(0, 0)] * count
    for place, axis in enumerate(axes):
        around[axis] = (sizes[place], sizes[place + len(sizes) // 2])
    value = call.constant(2)
    fill = call.attribute("value", 0.0) if value is None else float(value.reshape(()))
    return call.one("pad", call.reads[:1], around=tuple(around), value=fill)


def running_sum(call: Call) -> list[Node]:
    if call.attribute("exclusive", 0) or call.attribute("reverse", 0):
        raise UnknownError("it is exclusive or in reverse")
    axis = call.constant(1)
    assert axis is not None
    return call.one("running_sum", call.reads[:1], axis=int(axis.reshape(())))


def tiled(call: Call) -> list[Node]:
    counts = call.constant(1)
    assert counts is not None
    return call.one("repeat", call.reads[:1], counts=tuple(int(c) for c in counts))


WHERE = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
REPEATED = {  # where the nearest pixel of each place is read as often as any other
    "asymmetric": ("floor",),
    **dict.fromkeys(
        ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric"),
        ("round_prefer_floor", "round_prefer_ceil"),
    ),
}


def between_pixels(size: int, goal: int, where: str) -> np.ndarray:
    """weights[o, i] of a line drawn between pixels: each place is between two of them."""
    places, step = np.arange(goal, dtype=float), size / goal
    read: np.ndarray
    if where == "align_corners":
        read = places * (size - 1) / max(goal - 1, 1)
    elif where == "asymmetric":
        read = places * step
    else:
        read = (places + 0.5) * step - 0.5
        read = np.zeros(1) if goal == 1 and where == "pytorch_half_pixel" else read
    read = np.clip(read, 0, size - 1)
    below = np.floor(read).astype(int)
    found = np.zeros((goal, size))
    row = np.arange(goal)
    found[row, below] += 1 - (read - below)
    found[row, np.minimum(below + 1, size - 1)] += read - below
    return found


def resized(call: Call) -> list[Node]:
    """Each pixel several times; other ways of resizing mix pixels."""
    before, after = call.shape_of(0), call.values[call.node.output[0]].shape
    where = call.attribute("coordinate_transformation_mode", "half_pixel")
    if call.attribute("mode", "nearest") == "linear" and where in WHERE:
        if call.attribute("antialias", 0) or call.attribute("exclude_outside", 0):
            raise UnknownError("it has antialias or exclude_outside")
        matrices = [
            None if a == b else between_pixels(a, b, where)
            for a, b in zip(before, after, strict=True)
        ]
        return call.one("resampled", call.reads[:1], matrices=tuple(matrices[1:]))
    if call.attribute("mode", "nearest") != "nearest":
        raise UnknownError(
            f"its mode is {call.attribute('mode')!r}; 'nearest' and 'linear' are read"
        )
    if any(b % a for a, b in zip(before, after, strict=True)) or where == "align_corners":
        raise UnknownError("its pixels are repeated unequally; give a whole scale")
    counts = tuple(b // a for a, b in zip(before, after, strict=True))
    nearest = call.attribute("nearest_mode", "round_prefer_floor")
    if max(counts) > 1 and nearest not in REPEATED.get(where, ()):
        raise UnknownError(
            f"its nearest_mode is {nearest!r} of {where!r} places, which repeats pixels unequally; "
            "write 'floor' and 'asymmetric'"
        )
    return call.one("repeat", call.reads[:1], counts=counts, each=True)


def shuffled(call: Call) -> list[Node]:
    options = {
        "times": call.attribute("blocksize"),
        "first": call.attribute("mode", "DCR") == "CRD",
    }
    return call.one("shuffled", call.reads[:1], **options)


def transposed_convolution(call: Call) -> list[Node]:
    """Where the padding is not said, it is what the size of the value leaves."""
    places = call.rank(1) - 2
    if places not in (1, 2):
        raise UnknownError(f"its windows lie along {places} axes")
    stride, dilation, more = (
        tuple(call.attribute(name, [usual] * places))
        for name, usual in (("strides", 1), ("dilations", 1), ("output_padding", 0))
    )
    auto = call.attribute("auto_pad", "NOTSET")
    pads = call.attribute("pads", [0] * 2 * places)
    around = tuple(zip(pads[:places], pads[places:], strict=True))
    if auto in ("SAME_UPPER", "SAME_LOWER") or call.attribute("output_shape"):
        sizes = zip(call.shape_of(0)[2:], call.shape_of(1)[2:], stride, dilation, more, strict=True)
        whole = [s * (i - 1) + d * (r - 1) + 1 + m for i, r, s, d, m in sizes]
        rests = [
            w - n for w, n in zip(whole, call.values[call.node.output[0]].shape[2:], strict=True)
        ]
        halves = [(rest // 2, rest - rest // 2) for rest in rests]
        around = tuple(halves if auto == "SAME_UPPER" else [pair[::-1] for pair in halves])
    if any(min(pair) < 0 for pair in around):
        raise UnknownError("its value is longer than what its windows reach")
    return call.one(
        "transposed_convolution",
        call.reads,
        stride=stride,
        dilation=dilation,
        output_padding=more,
        around=around,
        groups=call.attribute("group", 1),
    )


def largest_of_all(call: Call) -> list[Node]:
    width = call.shape_of(0)[2:]
    options: dict[str, Any] = {"width": width, "stride": width, "padding": (0,) * len(width)}
    return call.one("max_pool", call.reads[:1], counts_zeros=True, **options)


def beyond(kind: str) -> Rule:
    """The larger or the smaller of two operands, entry by entry."""

    def rule(call: Call) -> list[Node]:
        if len(call.node.input) != 2:
            raise UnknownError(f"it has {len(call.node.input)} operands; give it two at a time")
        return call.one(kind, call.reads)

    return rule


def several_added(call: Call) -> list[Node]:
    """Sum of any number of operands, added one after another."""
    nodes: list[Node] = []
    key, shape = call.node.input[0], call.values[call.node.output[0]].shape
    for place, other in enumerate(call.node.input[1:-1], start=1):
        gives = f"{call.node.output[0]}:{place}"
        whole = call.one("add", [key, other])[0]
        nodes.append(
            Node("add", (key, other), gives, tuple(shape), f"{call.called}_{place}", whole.place)
        )
        key = gives
    if len(call.node.input) == 1:
        return call.one("same", [key])
    return [*nodes, *call.one("add", [key, call.node.input[-1]])]


COMPOUNDS: dict[str, Rule] = {
    "Clip": clip,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": lambda call: call.one("hard_sigmoid", call.reads, gates=True),
    "Selu": selu,
    "Celu": celu,
    "Mish": lambda call: call.one("mish", call.reads),
    "Softsign": lambda call: call.one("softsign", call.reads),
    "PRelu": lambda call: call.one("sloped", call.reads),
    "Max": beyond("larger"),
    "Min": beyond("smaller"),
    "ReduceMax": reduced("largest"),
    "ReduceMin": reduced("least"),
    "ReduceL2": reduced("norm"),
    "ReduceLogSumExp": reduced("log_sum_exp"),
    "ReduceSumSquare": sum_of_squares,
    "Pad": pad,
    "CumSum": running_sum,
    "Tile": tiled,
    "Resize": resized,
    "DepthToSpace": shuffled,
    "ConvTranspose": transposed_convolution,
    "GlobalMaxPool": largest_of_all,
    "Sum": several_added,
}
