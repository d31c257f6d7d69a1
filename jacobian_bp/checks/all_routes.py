"""Do the routes agree? If not, at which op do they part?

The bar is 16·u·Σ|terms|, entry by entry: u the unit roundoff, and Σ|terms| the same contraction
over absolute values, the scale at which sums round. Each slope on the way is rounded too: for each
step beyond the first 8 on the longest way to the cost the bar has 4 roundings more.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..algebra.jacobian import Jacobian
from ..errors import JacobianError, MemoryLimitError
from ..numbers.arrays import entry, quiet
from ..numbers.memory import current_limit, memory_limit
from ..numbers.rounding import differing, of_sums
from ..program.forward_pass import Pass
from ..program.roundings import units_of_gradient
from ..program.step import Step
from ..routes.difference import Progress
from ..routes.gradients import gradients, require_known, require_scalar
from ..routes.structured import absolute, structured
from ..routes.vjp import local_vjp
from .agreement import Agreement, Row
from .announced import LARGEST_COMPARED
from .by_differences import by_differences
from .kinks import exact_kinks
from .one_op import OpReport, check_step
from .op_slopes import Slopes

LARGEST_REPORTED_OP = 50_000  # entries of a local Jacobian that is compared whole
SAMPLED = 50  # entries of each input of a larger one


@quiet
def check(state: Pass, progress: Progress | None = None, swept: Sequence[str] = ()) -> Agreement:
    """Compare the full, the structured and the difference route with the VJP route.

    Where one disagrees, the ops are compared one by one, in topological order,
    and the first whose derivatives differ is named. `swept` are the names, of parameters and
    others, by which one structured sweep has derived the cost already: that sweep is compared.
    """
    return _compared_all(state, progress, swept).beside(state.values)


def _compared_all(state: Pass, progress: Progress | None, swept: Sequence[str]) -> Agreement:
    require_scalar(state)
    wrt = list(state.program.params)
    wrt = wrt or [name for name in state.variables() if name in state.program.inputs]
    if lacking := _lacking(state, wrt):
        return Agreement(state.cost, (), (), error=lacking)
    swept = swept if {*wrt} <= {*swept} else wrt
    kinks = exact_kinks(state)
    rows: list[Row] = []
    try:
        pulled = gradients(state, wrt, "vjp")
        sizes = structured(state, swept, magnitudes=True)
        # a sum over absolute values may overflow where the gradient does not
        largest = np.finfo(state.dtype).max
        scale = {name: np.minimum(sizes[name], largest) for name in wrt}
        units = units_of_gradient(state, wrt)
        bars = {name: of_sums(scale[name], state.dtype, units) for name in wrt}

        def of_one_sweep() -> dict[str, np.ndarray]:
            found = structured(state, swept)
            return require_known(state, {name: found[name] for name in wrt}, "structured")

        for route, compute in (
            ("full", partial(gradients, state, wrt, "full")),
            ("structured", of_one_sweep),
        ):
            found = _compared(state.cost, route, compute, pulled, bars)
            rows.append(replace(found, units=units))
        row, crossed = by_differences(state, pulled, scale, bars, progress)
        rows.append(row)
        kinks += crossed
    except JacobianError as error:
        step, report = first_wrong_op(state)
        return Agreement(
            state.cost, tuple(rows), tuple(kinks), step, report, "" if step else str(error)
        )
    if all(row.ok for row in rows):
        return Agreement(state.cost, tuple(rows), tuple(kinks))
    step, report = first_wrong_op(state)
    return Agreement(state.cost, tuple(rows), tuple(kinks), step, report)


def _lacking(state: Pass, wrt: list[str]) -> str:
    """The method that the first op on a path from the variables to the cost does not have."""
    _, steps = state.dependents(wrt, state.cost)
    return next((s.op.lacks(name) for s in reversed(steps) for name in s.op.undefined()), "")


def first_wrong_op(state: Pass) -> tuple[str, OpReport | None]:
    """The first op, in topological order, whose Jacobian and VJP differ; else from its slopes."""
    for compare in (_rules_differ, _slopes_differ):
        for step in state.program.steps:
            active = step.active()
            try:
                differ = compare(state, active)
            except JacobianError as error:
                return f"{step}: {error}", None
            if differ:
                return str(step), _report(state, active)
    return "", None


def _compared(
    cost: str,
    route: str,
    compute: Callable[[], dict[str, np.ndarray]],
    pulled: dict[str, np.ndarray],
    bars: dict[str, np.ndarray],
) -> Row:
    total = sum(array.size for array in pulled.values())
    try:
        with memory_limit(min(current_limit(), LARGEST_COMPARED)):
            found = compute()
    except MemoryLimitError as error:
        return Row(route, 0, total, 0.0, 0.0, "", refused=str(error).splitlines()[0])
    return _worst(cost, route, found, pulled, bars, total)


def _worst(
    cost: str,
    route: str,
    found: dict[str, np.ndarray],
    pulled: dict[str, np.ndarray],
    bars: dict[str, np.ndarray],
    total: int,
) -> Row:
    row = Row(route, total, total, 0.0, 0.0, "")
    if not total:
        return row
    mine, theirs, bar = [_in_one(arrays, found) for arrays in (found, pulled, bars)]
    apart = np.abs(mine - theirs)
    units = np.where(apart == 0, 0.0, apart / np.maximum(bar, np.finfo(float).tiny))
    units = np.where(np.isfinite(units), units, np.inf)
    worst = int(np.argmax(units))
    row = replace(row, largest=float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max()))
    if not units[worst] > 0:
        return row
    ends = np.cumsum([array.size for array in found.values()])
    which = int(np.searchsorted(ends, worst, side="right"))
    name, array = [*found.items()][which]
    inside = worst - int(ends[which]) + array.size
    at = tuple(int(i) for i in np.unravel_index(inside, array.shape))
    place, values = entry(f"∂{cost}/∂{name}", at), (float(mine[worst]), float(theirs[worst]))
    return replace(row, worst=float(units[worst]), place=place, values=values)


def _in_one(arrays: dict[str, np.ndarray], names: Iterable[str]) -> np.ndarray:
    """The arrays of these names, entry after entry."""
    return np.concatenate([arrays[name].astype(np.float64).ravel() for name in names])


def _rules_differ(state: Pass, step: Step) -> bool:
    """Whether the step's VJP and its Jacobian, pulled by one cotangent, differ anywhere."""
    bar = _cotangent(state, step)
    local = state.local(step)
    pulled = local_vjp(state, step, bar)
    for (_, operand, _), (arg, part) in zip(step.variables, pulled, strict=True):
        out, wrt, expression = local[operand]
        jacobian = Jacobian.local(step.name, arg, out, wrt, expression, state.dtype)
        terms = Jacobian.local(step.name, arg, out, wrt, absolute(expression), state.dtype)
        allowed = of_sums(terms.pull(np.abs(bar), finite=False), state.dtype)
        found = jacobian.pull(bar, finite=False)
        endless = ~(np.isfinite(found) | np.isfinite(part))
        if differing(found, part, allowed)[~endless].any():  # a slope may be infinite by right
            return True
    return False


def _slopes_differ(state: Pass, step: Step) -> bool:
    """Whether the step's VJP and finite differences of the op differ.

    A small op is compared whole; of a large one, some entries by one cotangent.
    """
    if _is_small(state, step):
        return not check_step(state, step).ok
    bar = _cotangent(state, step)
    pulled = local_vjp(state, step, bar)
    for (position, _, _), (_, part) in zip(step.variables, pulled, strict=True):
        slopes = Slopes(state, step, position)
        for flat in range(0, part.size, -(-part.size // SAMPLED)):
            at = tuple(int(i) for i in np.unravel_index(flat, part.shape))
            low, high = slopes.one_sided_sums(at, bar)
            if np.isinf(part[at]):
                continue
            room = 1e-4 * max(abs(low), abs(high)) + 1e-6 * float(np.abs(part).max())
            if not low - room <= part[at] <= high + room:
                return True
    return False


def _report(state: Pass, step: Step) -> OpReport | None:
    return check_step(state, step) if _is_small(state, step) else None


def _is_small(state: Pass, step: Step) -> bool:
    out = state.values[step.name].size
    return all(out * state.values[a].size <= LARGEST_REPORTED_OP for a in step.args)


def _cotangent(state: Pass, step: Step) -> np.ndarray:
    """A cotangent with no zero and no two equal entries: no two factors can hide each other."""
    generator = np.random.default_rng(0)
    shape = state.values[step.name].shape
    return np.asarray(1 + generator.random(shape), state.dtype)
