"""An ONNX file looked at before anything in it is used: one file, whole, and of what it declares.

The onnx package parses the bytes. External data, which would name other files, is refused, and so
is a tensor whose shape asks for other bytes than there are.
"""

from math import prod
from pathlib import Path
from typing import Any

from ...errors import MemoryLimitError, SpecError
from ...numbers.extras import extra
from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import dims, plural, safe
from ..files.first_bytes import PICKLE, kind_of
from ..files.paths import brief, label, read_limited
from ..files.stored import require_bytes

WHO = "Network.from_onnx"
LIMIT = 2**31  # of a file of Protocol Buffers
MOST_NODES = 100_000
INSTEAD = "Give the name of an .onnx file."
HEAD = 64  # bytes that tell what a file is
AGAIN = "Export the model again."
BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}  # of a number


def read_onnx_file(path: str | Path) -> Any:
    """The model of a file as the onnx package parses it, or SpecError with what the file is."""
    onnx = extra("onnx", WHO)
    place = Path(path)
    name = label(place)
    if place.suffix.lower() != ".onnx":
        raise SpecError(f"{name} does not end in .onnx.\n  {INSTEAD}")
    content = read_limited(place, min(LIMIT, current_limit()), INSTEAD)
    kind = kind_of(content[:HEAD])
    if kind or not content:
        never = ", which is never read" if kind == PICKLE else ""
        raise SpecError(f"{name} is {kind or 'empty'}{never}.\n  {AGAIN}")
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # DecodeError is not a public class of the parser
        raise SpecError(
            f"{name} cannot be read as an ONNX model: {type(error).__name__}.\n"
            f"  It is cut short, or another kind of file. {AGAIN}"
        ) from None
    if not model.graph.node or not model.graph.output:
        raise SpecError(f"{name} holds no graph of nodes.\n  {AGAIN}")
    if len(model.graph.node) > MOST_NODES:
        raise SpecError(
            f"{name} has {plural(len(model.graph.node), 'node')}; the limit is {MOST_NODES:,}."
        )
    _require_names(model.graph, name)
    _require_tensors(model.graph, name)
    _require_order(model.graph, name)
    return model


def _require_names(graph: Any, name: str) -> None:
    """SpecError for a node that gives nothing, and for a name that is no text."""
    for place, node in enumerate(graph.node):
        if not node.output:
            raise SpecError(f"{name}: node {place} gives no value.\n  {AGAIN}")
        for word in (node.name, node.op_type, node.domain, *node.input, *node.output):
            _require_text(word, name)
    for part in (*graph.input, *graph.output, *graph.initializer):
        _require_text(part.name, name)
    held = {tensor.name for tensor in graph.initializer}
    for declared in graph.input:
        kind = declared.type.tensor_type.elem_type
        if kind not in BYTES and declared.name not in held:
            raise SpecError(
                f"{name}: {brief(declared.name)} holds no numbers that are read, data type {kind}."
                f"\n  {AGAIN}"
            )


def _require_text(word: Any, name: str) -> None:
    """The parser gives bytes where they are no UTF-8."""
    if not isinstance(word, str):
        raise SpecError(f"{name} has a name that is no text, {safe(repr(word))[:40]}.\n  {AGAIN}")


def _require_order(graph: Any, name: str) -> None:
    """SpecError for a node that reads what nothing before it gives, and for such an output."""
    given = {"", *(t.name for t in graph.initializer), *(i.name for i in graph.input)}
    for node in graph.node:
        for key in node.input:
            if key not in given:
                raise SpecError(
                    f"{name}: {told(node)} reads {brief(key)}, which nothing before it gives.\n"
                    f"  {AGAIN}"
                )
        given.update(node.output)
    for output in graph.output:
        if output.name not in given - {""}:
            raise SpecError(f"{name}: no node gives its output {brief(output.name)}.\n  {AGAIN}")


def _require_tensors(graph: Any, name: str) -> None:
    """SpecError for external data, and for a tensor that does not fill its shape."""
    tensors = [(t.name, t) for t in graph.initializer]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                tensors.append((f"{node.output[0] if node.output else node.name}", attribute.t))
    seen: set[str] = set()
    total = 0
    for key, _ in tensors[: len(graph.initializer)]:
        if key in seen:
            raise SpecError(f"{name} holds {brief(key)} twice.\n  Keep one of the two.")
        seen.add(key)
    for key, tensor in tensors:
        if tensor.data_location == 1 or tensor.external_data:
            places = [e.value for e in tensor.external_data if e.key == "location"]
            told = f", {brief(places[0])}" if places else ""
            raise SpecError(
                f"{name} has the numbers of {brief(key)} in another file{told}; no file beside it "
                "is read.\n  Save it in one file: onnx.save(model, path), without external data."
            )
        if any(d < 0 for d in tensor.dims) or len(tensor.dims) > 32:
            raise SpecError(f"{name}: {brief(key)} has a shape that is none.\n  {AGAIN}")
        count, shape = prod(tensor.dims), tuple(tensor.dims)
        width = BYTES.get(tensor.data_type)
        if width is None:
            raise SpecError(
                f"{name}: {brief(key)} holds no numbers that are read, data type "
                f"{tensor.data_type}.\n  Save it in float32 or float64."
            )
        there = (
            len(tensor.raw_data) // width
            if tensor.raw_data
            else max(
                len(tensor.float_data),
                len(tensor.double_data),
                len(tensor.int32_data),
                len(tensor.int64_data),
                len(tensor.uint64_data),
            )
        )
        if there != count:
            raise SpecError(
                f"{name}: {brief(key)} claims shape {dims(shape)}, {count:,} numbers; it holds "
                f"{there:,}.\n  {AGAIN}"
            )
        total += count * max(width, 4)
    require_bytes(name, total)


def require_fitting(values: Any, name: str) -> None:
    """MemoryLimitError, before anything runs, for a value that would not fit into memory."""
    total = 0
    for value in values:
        shape = value.type.tensor_type.shape.dim
        if all(d.HasField("dim_value") for d in shape):
            total += 8 * prod(d.dim_value for d in shape)
    if total > current_limit():
        raise MemoryLimitError(
            f"the values of {name} have {format_bytes(total)} for one run; the limit is "
            f"{format_bytes(current_limit())}.\n  Give a smaller example: example=x[:1]."
        )


def told(node: Any) -> str:
    """Where a node stands, for a message: node '/fc1/Gemm', Gemm."""
    where = f"node {node.name!r}, " if node.name else f"the node of {node.output[0]!r}, "
    return safe(f"{where}{node.op_type}")
