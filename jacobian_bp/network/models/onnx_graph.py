"""An ONNX model as nodes: each operator by the table in onnx_calls.

The shapes of all values, and the numbers of those that are constant, are those of the onnx
package's own reference evaluation for an example; only operators of the table are evaluated.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MemoryLimitError, SpecError
from ...numbers.extras import extra
from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import dims, safe
from ..files.paths import label
from .model import Model, Parameter
from .names import as_name
from .onnx_call import Call, UnknownError
from .onnx_calls import CALLS
from .onnx_evaluation import values_of
from .onnx_file import AGAIN, WHO, read_onnx_file, told

FOLDED = {  # what may be evaluated where it depends on constants alone, beside the table
    "Constant", "Shape", "Range", "ConstantOfShape", "Mod", "Cast", "Equal", "Not", "And", "Or",
    "Greater", "Less", "Trilu", "Size", "Expand", "Tile", "Where", "CastLike",
}  # fmt: skip
EXAMPLES = 3  # where the file leaves their number open
APART = {  # operands that are not trained: given statistics, first states
    "BatchNormalization": (3, 4),
    "RNN": (5,),
    "GRU": (5,),
    "LSTM": (5, 6),
}
OF_LAYERS = {  # what reads a bias or a gain of one entry
    "Gemm", "MatMul", "Conv", "LayerNormalization", "BatchNormalization", "GroupNormalization",
    "InstanceNormalization", "RMSNormalization", "PRelu", "RNN", "GRU", "LSTM",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ReadOnnx:
    """A model as nodes, the example that it ran on, and what it gave."""

    model: Model
    arrays: dict[str, np.ndarray]
    output: np.ndarray


def read_onnx(path: str | Path, example: Any = None) -> ReadOnnx:
    """The nodes of an .onnx file. Raises SpecError with all that is not known at once."""
    proto = read_onnx_file(path)
    name = label(Path(path))
    model = Model(name, copies=True)
    for node in proto.graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in {*CALLS, *FOLDED}:
            model.wrong(told(node), "it is not known")
        elif any(a.HasField("g") or a.graphs for a in node.attribute):
            model.wrong(told(node), "it has a graph of its own")
    if len(proto.graph.output) != 1:
        model.wrong(name, f"it gives {len(proto.graph.output)} values", "export one output")
    model.done()
    return _Reader(proto, model, example).read()


class _Reader:
    """The nodes of one graph, in order."""

    def __init__(self, proto: Any, model: Model, example: Any) -> None:
        self.onnx = extra("onnx", WHO)
        self.proto, self.graph, self.model = proto, proto.graph, model
        self.initial = {
            t.name: np.array(self.onnx.numpy_helper.to_array(t)) for t in self.graph.initializer
        }
        for node in self.graph.node:
            if node.op_type == "Identity" and node.input[0] in self.initial:  # the same numbers
                self.initial[node.output[0]] = self.initial[node.input[0]].copy()
        self.inputs = [i for i in self.graph.input if i.name not in self.initial]
        self.data = self._data(example)

    def read(self) -> ReadOnnx:
        model, graph = self.model, self.graph
        values = values_of(self.proto, self.data, model.source)
        for key, array in self.data.items():
            model.inputs[key] = array.shape
            only = len(self.data) == 1
            model.names[key] = "x" if only else as_name(key, "x")
        trained = self._trained()
        fixed = {key for key in self.initial if key not in trained}
        readers: dict[str, list[Any]] = {}
        for node in graph.node:
            for key in node.input:
                readers.setdefault(key, []).append(node)
        for key in trained:
            model.parameters[key] = Parameter(key, self.initial[key])
        known = {**self.initial}
        skipped: set[str] = set()
        for node in graph.node:
            if node.output[0] in skipped or node.output[0] in self.initial:
                continue
            given = [key for key in node.input if key]
            if node.op_type == "Shape" or all(key in fixed for key in given):
                fixed.update(node.output)
                known.update({key: values[key] for key in node.output if key in values})
                continue
            for key in given:
                if key in fixed:
                    model.constants[key] = np.asarray(known[key])
            if node.op_type not in CALLS:
                model.wrong(told(node), "it is computed from an input")
                continue
            called = self._called(node)
            call = Call(
                node,
                model,
                values,
                known,
                fixed,
                readers,
                called,
                skipped,
                self._called,
            )
            try:
                model.nodes += CALLS[node.op_type](call)
            except UnknownError as error:
                model.wrong(told(node), str(error))
        model.outputs = (graph.output[0].name,)
        model.done()
        arrays = {model.names[key]: array for key, array in self.data.items()}
        return ReadOnnx(model, arrays, values[graph.output[0].name])

    def _data(self, example: Any) -> dict[str, np.ndarray]:
        """The example, or one drawn in the shapes that the file declares."""
        if example is not None:
            given = example if isinstance(example, tuple | list) else (example,)
            if len(given) != len(self.inputs):
                raise SpecError(
                    f"{WHO}: the example has {len(given)} parts; {safe(self.model.source)} reads "
                    f"{', '.join(safe(i.name) for i in self.inputs)}.\n  Give a tuple of them."
                )
        rng = np.random.default_rng(0)
        found = {}
        for place, declared in enumerate(self.inputs):
            kind = declared.type.tensor_type.elem_type
            dtype = np.dtype(self.onnx.helper.tensor_dtype_to_np_dtype(kind))
            if example is not None:
                found[declared.name] = np.array(given[place], dtype)
                continue
            sizes = []
            for axis, size in enumerate(declared.type.tensor_type.shape.dim):
                if size.HasField("dim_value"):
                    sizes.append(int(size.dim_value))
                elif axis == 0:
                    sizes.append(EXAMPLES)
                else:
                    raise SpecError(
                        f"{safe(self.model.source)} leaves axis {axis} of {safe(declared.name)} "
                        "open.\n  Give an example of it: Network.from_onnx(path, example=x)."
                    )
            self._require_shape(declared.name, tuple(sizes))
            if dtype.kind == "f":
                found[declared.name] = rng.standard_normal(sizes).astype(dtype)
            else:
                found[declared.name] = np.zeros(sizes, dtype)
        return found

    def _require_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """An error for an example that is none, or that does not fit."""
        said = f"{safe(self.model.source)} reads {safe(name)} of shape {dims(shape)}"
        if min(shape, default=1) < 1 or len(shape) > 32:
            raise SpecError(f"{said}, which is none.\n  {AGAIN}")
        if 8 * prod(shape) > current_limit():
            raise MemoryLimitError(
                f"{said}, {format_bytes(8 * prod(shape))}; the limit is "
                f"{format_bytes(current_limit())}.\n"
                "  Give a smaller example: Network.from_onnx(path, example=x)."
            )

    def _trained(self) -> list[str]:
        """The initial arrays that are parameters: fractions, finite, and more than one of them."""
        apart = {
            node.input[place]
            for node in self.graph.node
            for place in APART.get(node.op_type, ())
            if place < len(node.input)
        }
        read = {key for node in self.graph.node for key in node.input}
        return [
            key
            for key, array in self.initial.items()
            if key in read
            and key not in apart
            and array.dtype.kind == "f"
            and (array.size > 1 or self._is_of_a_layer(key))
            and np.all(np.isfinite(array))
        ]

    def _is_of_a_layer(self, key: str) -> bool:
        """Whether one number is a bias or a gain, not a number in a formula."""
        if self.initial[key].ndim == 0:
            return False
        products = {n.output[0] for n in self.graph.node if n.op_type == "MatMul"}
        return all(
            node.op_type in OF_LAYERS
            or (node.op_type == "Add" and not products.isdisjoint(node.input))
            for node in self.graph.node
            if key in node.input
        )

    def _called(self, node: Any) -> str:
        """How the value of a node is named: by the node without its operator, or by the value."""
        path = node.name.strip("/").split("/")
        if len(path) > 1 and path[-1].rstrip("_0123456789") == node.op_type:
            return as_name("_".join(path[:-1]), "v")
        key = node.output[0]
        if len(path) > 1:
            return as_name("_".join(path), "v")
        return as_name(key.removesuffix("_output_0"), "v")
