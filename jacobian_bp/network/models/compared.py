"""A program beside the model that it was read from: both give the same for an example."""

import numpy as np

from ...errors import SpecError
from ...program.forward import run_forward
from ...program.program import Program
from ...program.program_text import read_program
from .building import Built

WITHIN = 64  # roundings of the largest entry; a sum in another order is within a few


def require_same(
    built: Built, data: dict[str, np.ndarray], expected: np.ndarray, who: str, coarse: bool = False
) -> None:
    """SpecError where the program gives other numbers than the model.

    `coarse` is a model whose own numbers are good to float32 alone.
    """
    program = Program.build(read_program(list(built.lines), {}), list(built.params))
    state = run_forward(program, built.params, {**built.constants, **data}, built.axes, who)
    found = state.values[state.cost if built.outputs[0] not in state.values else built.outputs[0]]
    unit = np.finfo(np.float32 if coarse else expected.dtype).eps
    bar = WITHIN * unit * max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    if found.size != expected.size:
        gap: float | str = f"shape {found.shape} for {expected.shape}"
    else:
        gap = float(np.max(np.abs(found.reshape(expected.shape) - expected), initial=0.0))
        if gap <= bar * max(1, len(built.lines)):
            return
        gap = f"a difference of {gap:.1e}"
    raise SpecError(
        f"{who}: the program does not give what the model gives: {gap}.\n"
        "  Write the model as a program, and report its forward."
    )
