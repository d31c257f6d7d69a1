"""The gradient of a scalar by four routes.

    vjp         each op's fast vector-Jacobian product; no Jacobian is built
    full        every local Jacobian dense, contracted in a chosen order
    structured  local Jacobians as deltas and factors, the deltas spent first
    difference  the cost itself, at two neighbouring points

Where a derivative has two stable forms, the first route takes one and the next
two the other; the last shares nothing with any. Where all agree, they are right.
"""

from collections.abc import Sequence

import numpy as np

from ..algebra.axes import BATCH
from ..algebra.unfitting import summed
from ..errors import AxisError, JacobianError
from ..numbers.arrays import is_finite
from ..ops import Reduction
from ..program.forward_pass import Pass
from ..writing.page_letters import unused
from ..writing.signs import dims
from .difference import difference
from .einsum_chain import ALSO, ORDERS, contract_full
from .full import full_reverse
from .overflow import refuse
from .structured import structured
from .vjp import pull

ROUTES = ("vjp", "full", "structured", "difference")


def gradients(
    state: Pass, wrt: Sequence[str], route: str, order: str = "reverse"
) -> dict[str, np.ndarray]:
    """∂cost/∂name for each name, in the name's own shape; a fresh array each.

    Raises DomainError where an entry is not finite: a product of slopes has overflowed.
    """
    return require_known(state, _by_route(state, wrt, route, order), route)


def require_known(state: Pass, found: dict[str, np.ndarray], route: str) -> dict[str, np.ndarray]:
    """The gradients of a route as they are; DomainError where an entry is not finite."""
    for name, gradient in found.items():
        if not is_finite(gradient):
            start = f"{state.cost} and the values before it are finite; on the {route} route"
            start += " a product of slopes"
            refuse(state, state.cost, name, gradient, f"∂{state.cost}/∂{name}", start)
    return found


def pulled_back(state: Pass, of: str, wrt: str, cotangent: np.ndarray) -> np.ndarray:
    """Σ_of v[of] ∂of/∂wrt, a fresh array; DomainError where a finite v gives an entry that is not.

    What is not finite in v itself is passed on.
    """
    found = pull(state, of, [wrt], cotangent)[wrt]
    if is_finite(cotangent) and not is_finite(found):
        start = f"{of}, the values before it and the cotangent are finite; a product with slopes"
        refuse(state, of, wrt, found, f"v ∂{of}/∂{wrt}", start)
    return found


def _by_route(state: Pass, wrt: Sequence[str], route: str, order: str) -> dict[str, np.ndarray]:
    require_scalar(state)
    order = ALSO.get(order, order)
    if order not in ORDERS or (order != "reverse" and route != "full"):
        raise JacobianError(
            f"order {order!r} does not go with route {route!r}.\n"
            f"  The full route takes one of {', '.join(ORDERS)}; the others have one order."
        )
    if route == "vjp":
        return pull(state, state.cost, wrt, np.ones((), state.dtype))
    if route == "structured":
        return structured(state, wrt)
    if route == "full" and order == "reverse":
        return full_reverse(state, wrt)
    if route == "full":
        return {name: contract_full(state.jacobian(state.cost, name), order) for name in wrt}
    if route == "difference":
        return difference(state, wrt)
    raise JacobianError(f"route {route!r} is unknown.\n  Write one of {', '.join(ROUTES)}.")


def require_scalar(state: Pass) -> None:
    """A gradient is of a scalar: AxisError says how to make one."""
    cost = state.cost
    if state.values[cost].ndim == 0:
        return
    raise AxisError(
        f"{cost} is not a scalar: it has shape {dims(state.values[cost].shape)}.\n"
        f"  {_made_scalar(state)}; or ask for run.vjp({cost!r}, name, v) with a cotangent v."
    )


def _as_rows(state: Pass) -> str:
    """The way out without another line of the program, where the data has named axes in front."""
    program = state.program
    for name in program.inputs:
        front = len(state.names[name]) - len(program.letters[name])
        if front > 1 and state.names[name][0] == BATCH:
            rows = ", ".join(map(str, ("-1", *state.values[name].shape[front:])))
            return f"; or, if each row is an example, pass {name}.reshape({rows}) without axes"
    return ""


def _made_scalar(state: Pass) -> str:
    """How the program ends in one number."""
    cost, names = state.cost, state.names[state.cost]
    step = state.step(cost)
    if step is not None and isinstance(step.op, Reduction):  # over some of the axes only
        (inside,) = step.args
        whole = f"{cost} = {step.op.name}({inside}, over={','.join(state.names[inside])!r})"
        rows = _as_rows(state) if step.op.over is None else ""
        return f"It keeps {','.join(names)}. Reduce these too: {whole}{rows}"
    if state.missing:
        return f"End the program with a loss: {', '.join(state.missing)} was not given"
    own = len(state.program.letters[cost])
    front = names[: len(names) - own]
    over = "" if front in ((), (BATCH,)) else f", over={','.join(front)!r}"
    s, J = unused("s", state.values), unused("J", state.values)
    if front and own:
        return f"Add up each example, {s} = {summed(cost, own)}, and end with {J} = Mean({s}{over})"
    if front:
        along = "examples" if not over else f"axes {','.join(front)}"
        return f"End the program with a reduction over the {along}: {J} = Mean({cost}{over})"
    return f"End the program with a loss, or add up the entries: {J} = {summed(cost, own)}"
