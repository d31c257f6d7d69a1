"""diagnose: the mistake that reproduces a student's numbers.

    diagnose(run, {"z2": delta2, "W2": dW2})["W2"].label

Each object is judged in the order of the backward pass, first as it is, then given
the student's own earlier objects, then by every known mistake and pair of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...algebra.layouts import require_layout
from ...errors import SpecError
from ...network.files.answer_file import key_of
from ...network.run import Run
from ...numbers.arrays import quiet, raw_array
from ...routes.gradients import require_scalar
from ...routes.vjp import pull
from ...writing.signs import safe
from .diagnosis import Diagnosis, Finding, Key, name_of
from .evidence.matching import precisions
from .judge import Judge
from .mutations.contractions import squeezed
from .mutations.mutation import Facts
from .of_jacobians import jacobian_finding
from .passes.pass_lines import backward_pass


@quiet
def diagnose(run: Run, submitted: Mapping[Key, Any], layout: str | None = None) -> Diagnosis:
    """Which mistake gives these numbers: a finding for each array handed in.

    A key is a parameter (its gradient), a value such as "z2" (its delta, ∂J/∂z2), or a
    pair such as ("z2", "W2") (a Jacobian, in any layout); "dW2" and "delta2" will do.
    `layout` is the one in which they are meant, "gradient" for gradients and "numerator"
    for Jacobians if none is declared; another one is right too, and named. But one gradient
    that is transposed beside one that is not, or against a declared layout, is a mistake:
    a layout belongs to all that is handed in.

    Raises SpecError for a key that the run does not know or that comes twice, DomainError
    for what is not an array of numbers, AxisError where the run has no scalar cost.
    """
    if layout is not None:
        require_layout(layout)
    return _diagnosis(run, submitted, layout)


@quiet
def diagnose_in_own_shape(run: Run, submitted: Mapping[Key, Any]) -> Diagnosis:
    """As `diagnose`, of lines of code: there W has its own shape, and its gradient too."""
    return _diagnosis(run, submitted, None, in_own_shape=True)


def _diagnosis(
    run: Run, submitted: Mapping[Key, Any], layout: str | None, in_own_shape: bool = False
) -> Diagnosis:
    if not isinstance(submitted, Mapping):
        raise SpecError(
            f"the answers are a {type(submitted).__name__}, not a mapping of names to arrays.\n"
            '  Write diagnose(run, {"W2": dW2, "z2": delta2}).'
        )
    known = {key: _known(run, key) for key in submitted}
    arrays: dict[Key, np.ndarray] = {}
    for key, value in submitted.items():
        array = _array(value, key)
        if not np.array_equal(arrays.setdefault(known[key], array), array, equal_nan=True):
            raise SpecError(
                f"{name_of(known[key])} is there twice, with other numbers.\n"
                "  Keep one of the two arrays."
            )
    if any(isinstance(key, str) for key in arrays):
        require_scalar(run.forward_pass)
    backward = backward_pass(run.forward_pass)
    shapes = frozenset(squeezed(array.shape) for array in arrays.values())
    exact = precisions(arrays, run.forward_pass.dtype)
    arrays = {key: array.astype(np.float64) for key, array in arrays.items()}
    judge = Judge(Facts(backward, shapes), _truth(run, arrays), arrays, exact, layout, in_own_shape)
    found: dict[Key, Finding] = {}
    order = {name: position for position, name in enumerate(backward.order)}
    for key in sorted(arrays, key=lambda key: _place(order, key)):
        if isinstance(key, str):
            found[key] = judge.finding(key)
        else:
            found[key] = jacobian_finding(judge, key, arrays[key])
    asked = sorted(known, key=lambda key: _place(order, known[key]))
    return Diagnosis({key: replace(found[known[key]], key=key) for key in asked})


def _known(run: Run, key: Any) -> Key:
    """The key by the names that the run knows; a tied parameter by its first name."""
    if isinstance(key, str):
        key = key_of(key, {*run, *run._tied}) or key
    pair = isinstance(key, tuple) and len(key) == 2
    names = key if pair else (key,)
    if not all(isinstance(name, str) for name in names):
        raise SpecError(
            f"{safe(repr(key))[:60]} names no object.\n"
            '  Write a name such as "W2" or "z2", or a pair such as ("z2", "W2").'
        )
    for name in names:
        run[name]  # SpecError for a name that stands nowhere
    found = tuple(run._tied.get(name, name) for name in names)
    if not pair:
        run.forward_pass.require_variable(run.cost, found[0])
        return found[0]
    run.forward_pass.require_variable(found[0], found[1])
    return found[0], found[1]


def _array(value: Any, key: Key) -> np.ndarray:
    name = key if isinstance(key, str) else f"d{key[0]}/d{key[1]}"
    array = raw_array(value, name)
    kept = array.dtype if array.dtype.kind == "f" and array.dtype.itemsize <= 8 else np.float64
    return np.array(array, dtype=kept, copy=True)


def _truth(run: Run, arrays: Mapping[Key, np.ndarray]) -> dict[str, np.ndarray]:
    """The right array of each object that is no Jacobian, by the run's own vjp."""
    names = [key for key in arrays if isinstance(key, str)]
    between = {step.args[0] for step in run.forward_pass.program.steps if step.fused_op is not None}
    start = np.ones((), run.forward_pass.dtype)
    together = [name for name in names if name not in between]
    found = pull(run.forward_pass, run.cost, together, start) if together else {}
    for name in between.intersection(names):  # its derivative is the unfused one
        found |= pull(run.forward_pass, run.cost, [name], start)
    return found


def _place(order: Mapping[str, int], key: Key) -> tuple[float, int]:
    """Where an object stands in the backward pass; a Jacobian before what it leads to."""
    if isinstance(key, str):
        return order.get(key, len(order)), 1
    return order.get(key[1], len(order)), 0
