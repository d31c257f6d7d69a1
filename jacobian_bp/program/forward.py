"""One forward pass of a program: data admitted, every step computed, every value finite."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from ..algebra.axes import BATCH, Binding
from ..errors import AxisError, DomainError, Later
from ..numbers.arrays import as_array, quiet, raw_array, read_only, require_finite
from ..numbers.precision import precision_of
from ..writing.signs import dims, safe
from .forward_pass import Pass, bind_step
from .program import Program
from .step import Step

HINT = "Standardise the data, or start from smaller weights."


@quiet
def run_forward(
    program: Program, params: Mapping[str, np.ndarray], data: Mapping[str, Any]
) -> Pass:
    """One forward pass: the data admitted, every step computed, every value finite.

    Steps that need an input which was not given (labels) are left out.
    """
    admitted = {name: _admit(program, name, value) for name, value in data.items()}
    measured = {n: a for n, a in admitted.items() if n not in program.labels}
    letters = program.letters
    batched = {n for n, a in measured.items() if BATCH in letters[n] or a.ndim > len(letters[n])}
    for name in batched:
        if admitted[name].shape[:1] == (0,):
            raise DomainError(
                f"{safe(name)} has shape {dims(admitted[name].shape)}: a batch of 0 examples.\n"
                "  Pass at least one example."
            )
    dtype = precision_of([*measured.values(), *params.values()])
    values = {n: a if n in program.labels else a.astype(dtype) for n, a in admitted.items()}
    values |= {name: array.astype(dtype, order="C") for name, array in params.items()}
    missing = tuple(name for name in program.labels if name not in data)
    for array in values.values():
        read_only(array)
    program = program if batched else program.one_example
    program = program.without(frozenset(n for n in program.inputs if n not in values))

    def computed() -> set[str]:
        return {step.name for step in program.steps}

    for step in program.steps:
        binding = _compute(step, values, dtype, computed)
        batched.update(a for a, b in zip(step.active().args, binding.batched, strict=True) if b)
        if binding.any_batched:
            batched.add(step.name)
    return Pass(program, values, frozenset(batched), dtype, missing)


def _admit(program: Program, name: str, value: Any) -> np.ndarray:
    """Data as a fresh finite array; whole-number labels stay whole."""
    array = raw_array(value, name)
    if name in program.labels and array.dtype.kind in "biu":
        return np.array(array, copy=True)
    array = as_array(array, name)
    require_finite(array, name, "Drop or fill such entries before the network sees them.")
    return array


def _compute(
    step: Step,
    values: dict[str, np.ndarray],
    dtype: np.dtype,
    computed: Callable[[], Collection[str]],
) -> Binding:
    """Add the step's value; labels that the op admits are replaced by their one form."""
    outputs = step.args[0]  # as the user knows them, where a loss is fused
    step = step.active()
    given = [values[arg] for arg in step.args]
    admitted = step.ask("admit()", step.op.admit, step.called | {"outputs": outputs}, *given)
    for arg, before, value in zip(step.args, given, admitted, strict=True):
        if value is not before or before.dtype != dtype:
            values[arg] = read_only(np.array(value, dtype))
    binding = bind_step(step, values, computed)
    value = step.ask("forward()", step.op.forward, *(values[arg] for arg in step.args))
    axes = ((BATCH,) if binding.any_batched else ()) + step.op.parsed.output.axes
    expected = tuple(binding.sizes[axis] for axis in axes)
    if np.shape(value) != expected:
        raise AxisError(
            f"{step.who}: forward gives shape {dims(np.shape(value))}, "
            f"the signature {step.op.parsed} says {dims(expected)}.\n"
            "  Mend forward or the signature."
        )
    values[step.name] = read_only(np.array(value, dtype=dtype))
    require_finite(values[step.name], step.name, Later(lambda: f"It is computed by {step}. {HINT}"))
    return binding
