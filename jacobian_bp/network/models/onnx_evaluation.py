"""All values of an ONNX graph for an example, by the onnx package's own reference evaluation.

What a shape tells is refused before anything runs; an operator that makes an array as large as its
operands say is asked for its size when these are known.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from ...errors import JacobianError, MemoryLimitError, SpecError
from ...numbers.extras import extra
from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import safe
from .onnx_file import WHO, require_fitting

MOST_RESIZED = 2**18  # pixels, which the evaluation makes one by one


def values_of(proto: Any, data: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Every value by its name; SpecError or MemoryLimitError for a graph that cannot be run."""
    onnx = extra("onnx", WHO)
    evaluator = extra("onnx.reference", WHO).ReferenceEvaluator
    whole = onnx.ModelProto()
    whole.CopyFrom(proto)
    for declared in whole.graph.input:
        if declared.name in data:
            shape = declared.type.tensor_type.shape
            del shape.dim[:]
            for size in data[declared.name].shape:
                shape.dim.add().dim_value = size
    del whole.graph.value_info[:]
    try:
        inferred = onnx.shape_inference.infer_shapes(whole)
        require_fitting(inferred.graph.value_info, name)
        outputs = [key for node in whole.graph.node for key in node.output if key]
        del whole.graph.output[:]
        for key in outputs:
            whole.graph.output.add().name = key
        with np.errstate(all="ignore"):
            found = evaluator(whole, new_ops=_watched(whole, name)).run(None, dict(data))
    except JacobianError:
        raise
    except Exception as error:
        said = str(error).strip().partition("\n")[0][:200]
        raise SpecError(
            f"{name} cannot be run on an example: {type(error).__name__}: {safe(said)}\n"
            "  Give one that it reads: Network.from_onnx(path, example=x). What the onnx package "
            "itself does not run is not read."
        ) from None
    return dict(zip(outputs, found, strict=True))


def _range(start: Any, stop: Any, step: Any, **_: Any) -> float:
    return float(np.ceil(max(0.0, (float(stop) - float(start)) / float(step)))) if step else 0.0


def _padded(data: Any, pads: Any = None, *_: Any, **options: Any) -> float:
    """At the most: all that is added, on every axis that there is."""
    given = np.asarray(options.get("pads", pads) if pads is None else pads).ravel()
    sizes = [int(p) for p in given]
    if len(sizes) == 2 * data.ndim:
        half = len(sizes) // 2
        around = zip(data.shape, sizes[:half], sizes[half:], strict=True)
        return prod(size + before + after for size, before, after in around)
    return prod(size + sum(map(abs, sizes)) for size in data.shape)


def _resized(data: Any, roi: Any = None, scales: Any = None, sizes: Any = None, **_: Any) -> float:
    if sizes is not None and np.size(sizes):
        return prod(int(s) for s in np.ravel(sizes))
    return float(data.size) * prod(float(s) for s in np.ravel(scales if scales is not None else 1))


GROWING: dict[str, Callable[..., float]] = {  # how many entries an operator makes
    "Range": _range,
    "ConstantOfShape": lambda shape, **_: prod(int(s) for s in np.ravel(shape)),
    "Expand": lambda data, shape, **_: prod(
        max(int(a), int(b)) for a, b in zip(*_beside(data.shape, np.ravel(shape)), strict=True)
    ),
    "Tile": lambda data, counts, **_: data.size * prod(int(c) for c in np.ravel(counts)),
    "Pad": _padded,
    "Resize": _resized,
}


def _beside(first: Any, second: Any) -> tuple[list[int], list[int]]:
    """Two shapes with as many axes, ones in front."""
    rank = max(len(first), len(second))
    one, two = [1] * (rank - len(first)), [1] * (rank - len(second))
    return [*one, *map(int, first)], [*two, *map(int, second)]


def _watched(whole: Any, name: str) -> list[type]:
    """The package's own operators: one that grows is refused before it makes more than fits."""
    load = extra("onnx.reference.ops", WHO).load_op
    version = next((o.version for o in whole.opset_import if o.domain in ("", "ai.onnx")), 1)
    kinds = {node.op_type for node in whole.graph.node}
    made = [
        _asked_first(load("", kind, version), kind, name) for kind in sorted(kinds & {*GROWING})
    ]
    mended = [MENDED[kind](load("", kind, version)) for kind in sorted(kinds & {*MENDED})]
    return made + mended


def _asked_first(base: Any, kind: str, name: str) -> type:
    def run(self: Any, *operands: Any, **options: Any) -> Any:
        count = GROWING[kind](*operands, **options)
        if kind == "Resize" and count > MOST_RESIZED:
            raise MemoryLimitError(
                f"a {kind} of {name} makes {count:,.0f} pixels for one run; the limit is "
                f"{MOST_RESIZED:,}.\n  Give a smaller example: example=x[:1]."
            )
        if 8 * count > current_limit():
            raise MemoryLimitError(
                f"a {kind} of {name} makes {format_bytes(int(8 * count))} for one run; the limit "
                f"is {format_bytes(current_limit())}.\n  Give a smaller example: example=x[:1]."
            )
        return base._run(self, *operands, **options)

    return type(kind, (base,), {"_run": run})


def _group_by_group(base: Any) -> type:
    """A transposed convolution whose groups are evaluated one by one: the package mixes them."""

    def run(self: Any, x: Any, w: Any, b: Any = None, **options: Any) -> Any:
        groups = options.pop("group", None) or 1
        biases = [None] * groups if b is None else np.split(b, groups)
        parts = zip(np.split(x, groups, axis=1), np.split(w, groups), biases, strict=True)
        found = [base._run(self, *part, group=1, **options)[0] for part in parts]
        return (np.concatenate(found, axis=1),)

    return type("ConvTranspose", (base,), {"_run": run})


def _with_relu(base: Any) -> type:
    """A recurrent layer with relu too, which the package does not know."""

    def choose(self: Any, name: str, alpha: Any, beta: Any) -> Callable[..., Any]:
        if name.lower() == "relu":
            return lambda z: np.maximum(z, 0)
        found: Callable[..., Any] = base.choose_act(self, name, alpha, beta)
        return found

    return type("RNN", (base,), {"choose_act": choose})


MENDED = {"ConvTranspose": _group_by_group, "RNN": _with_relu}
