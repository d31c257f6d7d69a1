"""The vjp route: each op's own vector-Jacobian product, from the cost down; nothing is built."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import add
from typing import Any

import numpy as np

from ..algebra.sum_over_paths import walk
from ..errors import AxisError
from ..numbers.arrays import for_reading, quiet
from ..program.forward_pass import Pass
from ..program.step import Step
from ..writing.signs import dims, type_of


@quiet
def pull(state: Pass, of: str, wrt: Sequence[str], cotangent: np.ndarray) -> dict[str, np.ndarray]:
    """The vector-Jacobian products of `of` by each name: one sweep of the ops' own vjp."""
    names, steps = state.dependents(wrt, of)
    by_name, wanted = {step.name: step for step in steps}, set(names)

    def times(name: str, bar: np.ndarray) -> list[tuple[str, np.ndarray]]:
        return local_vjp(state, by_name[name], bar, wanted)

    bars = walk(by_name, {of: cotangent}, times, add, kept=set(wrt))
    return {
        name: np.array(bars[name]) if name in bars else np.zeros_like(state.values[name])
        for name in wrt
    }


def local_vjp(
    state: Pass, step: Step, bar: np.ndarray, wanted: set[str] | None = None
) -> list[tuple[str, np.ndarray]]:
    """(argument, its cotangent) for each use of an argument, shapes checked.

    An op that computes on demand is asked for the `wanted` arguments alone; any other gives all.
    An op of one's own may write to what it reads, which is refused, or keep what it gives and
    write to it at the next call, so that is copied.
    """
    new = step.op.gives_new_arrays
    read = bar if new else for_reading(bar)
    vjp: Callable[..., Any] = step.op.vjp
    variables = step.variables
    if wanted is not None and not wanted.issuperset(step.args) and getattr(vjp, "on_demand", False):
        variables = tuple([variable for variable in variables if variable[2] in wanted])
        vjp = partial(vjp, wanted=[operand for _, operand, _ in variables])
    pulled = step.ask("vjp()", vjp, read, *state.inputs_of(step))
    if type(pulled) is not dict and not isinstance(pulled, Mapping):
        raise AxisError(
            f"{step.who}: vjp() gives {type_of(pulled)}.\n"
            '  Return a dict from input to array, such as {"z": slope * bar}.'
        )
    found = []
    for _, operand, arg in variables:
        if operand not in pulled:
            raise AxisError(
                f"{step.who}: vjp() gives nothing for {operand}.\n"
                f"  It gives {', '.join(pulled) or 'nothing'}; the signature is {step.op.parsed}."
            )
        part = pulled[operand]
        if not new or type(part) is not np.ndarray:
            part = np.array(part, copy=None if new else True)
        if part.shape != state.values[arg].shape:
            raise AxisError(
                f"{step.who}: vjp()[{operand!r}] does not have the shape of its input.\n"
                f"  vjp gives shape {dims(part.shape)}\n"
                f"  {arg} has shape {dims(state.values[arg].shape)}\n"
                "  What a whole batch shares takes the sum over the examples: over_batch()."
            )
        found.append((arg, part))
    return found
