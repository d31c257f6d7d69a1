"""The gradient of a scalar by four routes.

    vjp         each op's fast vector-Jacobian product; no Jacobian is built
    full        every local Jacobian dense, contracted in a chosen order
    structured  local Jacobians as deltas and factors, the deltas spent first
    difference  the cost itself, at two neighbouring points

Where a derivative has two stable forms, the first route takes one and the next
two the other; the last shares nothing with any. Where all agree, they are right.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .arrays import quiet
from .chain import ORDERS, contract_full
from .errors import AxisError, JacobianError
from .forward import Pass
from .graph import Link, Node
from .memory import built
from .program import Step
from .structured import structured
from .symbols import shape as show
from .whole import sweep

ROUTES = ("vjp", "full", "structured", "difference")
RELATIVE_STEP = 1e-6  # so small that truncation is below rounding, 1e-13 to 1e-10

Progress = Callable[[int, int], None]


def gradients(
    state: Pass, wrt: Sequence[str], route: str, order: str = "reverse"
) -> dict[str, np.ndarray]:
    """∂cost/∂name for each name, in the name's own shape; a fresh array each."""
    require_scalar(state)
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
    missing = f": {', '.join(state.missing)} was not given" if state.missing else ""
    example = "with a loss" + missing
    if cost in state.batched:
        example = f"with a reduction over the examples: J = Mean({cost})"
    raise AxisError(
        f"{cost} is not a scalar: it has shape {show(state.values[cost].shape)}.\n"
        f"  End the program {example}; or ask for run.vjp({cost!r}, name, v) with a cotangent v."
    )


@quiet
def pull(state: Pass, of: str, wrt: Sequence[str], cotangent: np.ndarray) -> dict[str, np.ndarray]:
    """The vector-Jacobian products of `of` by each name: one sweep of the ops' own vjp."""
    _, steps = state.dependents(wrt, of)
    bars, asked = {of: cotangent}, set(wrt)
    for step in steps:
        bar = bars[step.name] if step.name in asked else bars.pop(step.name)
        for arg, part in local_vjp(state, step, bar):
            bars[arg] = bars[arg] + part if arg in bars else part
    return {
        name: np.array(bars[name]) if name in bars else np.zeros_like(state.values[name])
        for name in wrt
    }


def local_vjp(state: Pass, step: Step, bar: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """(argument, its cotangent) for each use of an argument, shapes checked."""
    pulled = step.op.vjp(bar, *state.inputs_of(step))
    if not isinstance(pulled, Mapping):
        raise AxisError(
            f"{step.who}: vjp() gives a {type(pulled).__name__}.\n"
            '  Return a dict from input to array, such as {"z": slope * bar}.'
        )
    found = []
    for _, operand, arg in step.variables:
        if operand not in pulled:
            raise AxisError(
                f"{step.who}: vjp() gives nothing for {operand}.\n"
                f"  It gives {', '.join(pulled) or 'nothing'}; the signature is {step.op.parsed}."
            )
        part = np.asarray(pulled[operand])
        if part.shape != state.values[arg].shape:
            raise AxisError(
                f"{step.who}: vjp()[{operand!r}] does not have the shape of its input.\n"
                f"  vjp gives shape {show(part.shape)}\n"
                f"  {arg} has shape {show(state.values[arg].shape)}\n"
                "  What a whole batch shares takes the sum over the examples: over_batch()."
            )
        found.append((arg, part))
    return found


@quiet
def full_reverse(state: Pass, wrt: Sequence[str]) -> dict[str, np.ndarray]:
    """One reverse sweep over whole Jacobians: row times matrix, from the cost down.

    Each local Jacobian is built whole, used once and let go; so is each row.
    """
    nodes, links = _graph(state, wrt)
    places = {node.name: place for place, node in enumerate(nodes)}
    kept = [places[name] for name in wrt if name in places]
    found = sweep(nodes, links, state.dtype, kept)
    rows = {nodes[place].name: row for place, row in found.items()}
    if state.cost in wrt:
        rows[state.cost] = np.ones((), state.dtype)
    for name in wrt:
        if name not in rows:
            rows[name] = built(f"∂{state.cost}/∂{name}", np.zeros_like(state.values[name]))
    return {name: rows[name] for name in wrt}


@quiet
def difference(
    state: Pass, wrt: Sequence[str], progress: Progress | None = None
) -> dict[str, np.ndarray]:
    """Central differences of the cost, entry by entry, in float64.

        ∂J/∂w ≈ (J(w + h) − J(w − h)) / 2h

    `progress` is told how many entries are done, of how many.
    """
    total, done = sum(state.values[name].size for name in wrt), 0
    found = {}
    for name in wrt:
        cost = Perturbed(state, name)
        slopes = np.zeros(state.values[name].shape)
        for index in np.ndindex(slopes.shape):
            slopes[index] = cost.slope(index)
            done += 1
            if progress:
                progress(done, total)
        found[name] = slopes.astype(state.dtype)
    return found


class Perturbed:
    """The cost as a function of one entry of one value, everything else held fixed.

    Only the steps that depend on that value are computed again, in float64.
    """

    def __init__(self, state: Pass, name: str) -> None:
        reached, self.steps = {name}, []
        for step in state.program.steps:
            step = step.active()
            if reached.intersection(step.args) and step.name != name:
                reached.add(step.name)
                self.steps.append(step)
        self.cost, self.name = state.cost, name
        self.values = {n: v.astype(np.float64) for n, v in state.values.items()}
        self.point = self.values[name]

    def slope(self, index: tuple[int, ...], scale: float = RELATIVE_STEP) -> float:
        """The central difference at one entry."""
        h = self.step_size(index, scale)
        return (self.at(index, h) - self.at(index, -h)) / (2 * h)

    def step_size(self, index: tuple[int, ...], scale: float = RELATIVE_STEP) -> float:
        """h, relative to an entry beyond 1, and exactly representable beside it."""
        here = float(self.point[index])
        return float((here + scale * max(1.0, abs(here))) - here)

    def at(self, index: tuple[int, ...], change: float) -> float:
        """The cost with `change` added to one entry."""
        return float(self.values_at(index, change)[self.cost])

    def values_at(self, index: tuple[int, ...], change: float) -> dict[str, np.ndarray]:
        """Every value, computed again where it depends on the entry."""
        moved = self.point.copy()
        moved[index] += change
        values = {**self.values, self.name: moved}
        with np.errstate(all="ignore"):
            for step in self.steps:
                values[step.name] = np.asarray(step.op.forward(*(values[a] for a in step.args)))
        return values


def _graph(state: Pass, wrt: Sequence[str]) -> tuple[list[Node], list[Link]]:
    """The values between the cost and all of `wrt`, and their local Jacobians."""
    names, steps = state.dependents(wrt, state.cost)
    names = names or [state.cost]
    return [state.node(name) for name in names], state.links(names, steps)
