"""A module of PyTorch as a program that gives the same numbers, or an error that says where not."""

from typing import Any

import numpy as np

from ...errors import SpecError
from ...program.forward import run_forward
from ...program.program import Program
from ...program.program_text import read_program
from .building import Built
from .rules import build
from .torch_graph import WHO, read_torch

WITHIN = 64  # roundings of the largest entry; a sum in another order is within a few


def torch_built(module: Any, example: Any, loss: Any) -> tuple[Built, dict[str, Any]]:
    """The program of a module, and its state_dict: names of tied parameters, arrays of buffers.

    The program runs on the example and is compared with the module. Raises SpecError.
    """
    read = read_torch(module, example, loss)
    built = build(read.model)
    _require_same(built, read.arrays, read.output)
    return built, read.state


def _require_same(built: Built, data: dict[str, np.ndarray], expected: np.ndarray) -> None:
    """SpecError where the program gives other numbers than the module."""
    program = Program.build(read_program(list(built.lines), {}), list(built.params))
    state = run_forward(program, built.params, {**built.constants, **data}, built.axes, WHO)
    found = state.values[state.cost if built.outputs[0] not in state.values else built.outputs[0]]
    unit = np.finfo(expected.dtype).eps if expected.dtype.kind == "f" else 1e-7
    bar = WITHIN * unit * max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    if found.size != expected.size:
        gap: float | str = f"shape {found.shape} for {expected.shape}"
    else:
        gap = float(np.max(np.abs(found.reshape(expected.shape) - expected), initial=0.0))
        if gap <= bar * max(1, len(built.lines)):
            return
        gap = f"a difference of {gap:.1e}"
    raise SpecError(
        f"{WHO}: the program does not give what the module gives: {gap}.\n"
        "  Write the module as a program, and report its forward."
    )
