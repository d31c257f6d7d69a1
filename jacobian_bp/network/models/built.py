"""Models of other libraries as programs that give the same numbers."""

from pathlib import Path
from typing import Any

from .building import Built
from .compared import require_same
from .keras_graph import read_keras
from .onnx_file import WHO as ONNX
from .onnx_graph import read_onnx
from .rules import build
from .torch_graph import WHO, read_torch


def torch_built(
    module: Any, example: Any, loss: Any
) -> tuple[Built, dict[str, Any], tuple[str, ...]]:
    """The program of a module, its state_dict, names of tied parameters and arrays of buffers,
    and what is to be remarked of it.

    The program runs on the example and is compared with the module. Raises SpecError.
    """
    read = read_torch(module, example, loss)
    built = build(read.model)
    require_same(built, read.arrays, read.output, WHO)
    remarks = tuple(
        f"the backward of {name}, a torch.autograd.Function, is not read: the derivatives are "
        "those of its forward"
        for name in read.own_backwards
    )
    return built, read.state, remarks


def keras_built(path: str | Path) -> Built:
    """The program of a .keras file."""
    return build(read_keras(path))


def onnx_built(path: str | Path, example: Any) -> Built:
    """The program of an .onnx file, compared with the onnx package's own evaluation of it."""
    read = read_onnx(path, example)
    built = build(read.model)
    require_same(built, read.arrays, read.output, ONNX, coarse=True)  # of options in float32
    return built
