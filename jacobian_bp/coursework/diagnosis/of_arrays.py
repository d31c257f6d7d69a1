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
from ...derivation.convention import Convention
from ...network.run import Run
from ...numbers.arrays import quiet
from ...routes.gradients import require_scalar
from ...routes.vjp import pull
from .asked_convention import Asked, asked_convention
from .diagnosis import Diagnosis, Finding, Key, together
from .evidence.matching import precisions
from .handed_in import Handed, HandedIn, bias_of
from .inside_formulas import inside_of
from .judge import Deeper, Judge
from .mutations.contractions import squeezed
from .mutations.mutation import Facts
from .of_jacobians import jacobian_finding
from .passes.pass_lines import backward_pass
from .speech import Speech


@quiet
def diagnose(
    run: Run,
    submitted: Mapping[Key, Any],
    layout: str | None = None,
    convention: Asked | None = None,
) -> Diagnosis:
    """Which mistake gives these numbers: a finding for each array handed in.

    A key is a parameter (its gradient), a value such as "z2" (its delta, ∂J/∂z2), or a
    pair such as ("z2", "W2") (a Jacobian, in any layout); "dW2" and "delta2" will do.
    `layout` is the one in which they are meant, "gradient" for gradients and "numerator"
    for Jacobians if none is declared; another one is right too, and named. But one gradient
    that is transposed beside one that is not, or against a declared layout, is a mistake:
    a layout belongs to all that is handed in.

    With a `convention`, a Convention or the name of a ready-made one or of a file, names, axes,
    the place of the 1/m and of the bias are the student's own, and so is what is said; an array
    that stands otherwise is a mistake.

    Raises SpecError for a key that the run does not know or that comes twice, DomainError
    for what is not an array of numbers, AxisError where the run has no scalar cost.
    """
    if layout is not None:
        require_layout(layout)
    return _diagnosis(run, submitted, layout, written=asked_convention(convention, run, "diagnose"))


@quiet
def diagnose_in_own_shape(
    run: Run, submitted: Mapping[Key, Any], written: Convention | None = None
) -> Diagnosis:
    """As `diagnose`, of lines of code: there W has its own shape, and its gradient too."""
    return _diagnosis(run, submitted, None, True, written)


def _diagnosis(
    run: Run,
    submitted: Mapping[Key, Any],
    layout: str | None,
    in_own_shape: bool = False,
    written: Convention | None = None,
) -> Diagnosis:
    handed_in = HandedIn(run, submitted, written)
    handed = handed_in.of
    if any(isinstance(key, str) for key in handed):
        require_scalar(run.forward_pass)
    backward = backward_pass(run.forward_pass)
    exact = precisions({k: one.array for k, one in handed.items()}, run.forward_pass.dtype)
    exact = {key: replace(p, times=handed[key].times) for key, p in exact.items()}
    truth = _truth(run, handed)
    arrays = {
        key: one.ours(truth[key].shape) if isinstance(key, str) else one.array.astype(np.float64)
        for key, one in handed.items()
    }
    shapes = frozenset(squeezed(array.shape) for array in arrays.values())
    facts = Facts(backward, shapes)
    judge = Judge(facts, truth, arrays, exact, layout, handed, in_own_shape, written)
    found: dict[Key, Finding] = {}
    order = {name: position for position, name in enumerate(backward.order)}
    keys = sorted(arrays, key=lambda key: _place(order, key))

    def written_out() -> Judge | None:
        inside = inside_of(run.forward_pass)
        if inside is None:
            return None
        facts = Facts(backward_pass(inside.state), shapes, inside.between, inside.mates)
        return Judge(facts, truth, arrays, exact, layout, handed, in_own_shape, written, inside)

    judge.deeper = Deeper(written_out, [key for key in keys if isinstance(key, str)])
    for key in keys:
        if isinstance(key, str):
            found[key] = judge.finding(key)
        else:
            found[key] = jacobian_finding(judge, key, arrays[key])
    speech = _speech(judge, handed_in)
    found = {key: speech.of(finding) for key, finding in found.items()}
    theirs = handed_in.keys
    asked = sorted(theirs, key=lambda key: _place(order, theirs[key][0]))
    return Diagnosis({k: replace(together([found[o] for o in theirs[k]]), key=k) for k in asked})


def _speech(judge: Judge, handed_in: HandedIn) -> Speech:
    """How the arrays stand, as declared or as they tell themselves."""
    written, state = handed_in.written, handed_in.state
    if written is None:
        return Speech(judge.in_columns, judge.turned)
    columns, turned = written.examples == "columns", written.weights == "in,out"
    parts = {
        bias: (handed_in.of[bias].part, weight)
        for weight in state.program.params
        if (bias := bias_of(state, weight)) in handed_in.of and handed_in.of[bias].part
    }
    return Speech(columns, turned, written, tuple(state.values), parts)


def _truth(run: Run, arrays: Mapping[Key, Handed]) -> dict[str, np.ndarray]:
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
