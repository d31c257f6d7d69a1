"""How many roundings a derivative may be off: the more steps on the way, the more of them."""

from collections.abc import Sequence

from ..numbers.rounding import UNITS
from .forward_pass import Pass

STEPS, A_SLOPE = 8, 4  # whose slopes UNITS roundings are enough for; for one more, so many more


def units_of_gradient(state: Pass, wrt: Sequence[str]) -> int:
    """Of u·Σ|terms|, for the gradient of the cost: its terms go the longest way once."""
    return UNITS + A_SLOPE * max(0, _longest_way(state, wrt) - STEPS)


def units_of_hessian(state: Pass, wrt: Sequence[str]) -> int:
    """The same for its second derivatives: their terms go there and back."""
    return UNITS + A_SLOPE * max(0, 2 * _longest_way(state, wrt) - STEPS)


def _longest_way(state: Pass, wrt: Sequence[str]) -> int:
    """The steps on the longest way from one of the variables to the cost."""
    _, steps = state.dependents(wrt, state.cost)
    long: dict[str, int] = {}
    for step in reversed(steps):
        long[step.name] = 1 + max(long.get(arg, 0) for arg in step.args)
    return max(long.values(), default=0)
