"""The difference route: the cost itself at two neighbouring points, entry by entry."""

from collections.abc import Callable, Sequence

import numpy as np

from ..numbers.arrays import quiet, read_only
from ..numbers.positions import in_float64
from ..program.forward_pass import Pass

RELATIVE_STEP = 1e-6  # so small that truncation is below rounding, 1e-13 to 1e-10

Progress = Callable[[int, int], None]


@quiet
def difference(state: Pass, wrt: Sequence[str]) -> dict[str, np.ndarray]:
    """Central differences of the cost, entry by entry, in float64.

    ∂J/∂w ≈ (J(w + h) − J(w − h)) / 2h
    """
    found = {}
    for name in wrt:
        cost = Perturbed(state, name)
        slopes = np.zeros(state.values[name].shape)
        for index in np.ndindex(slopes.shape):
            slopes[index] = cost.slope(index)
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
        self.values = {
            n: v if v.dtype.kind == "i" or v.dtype == np.float64 else read_only(in_float64(v))
            for n, v in state.values.items()
        }
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
        for step in self.steps:
            values[step.name] = np.array(step.op.forward(*[values[a] for a in step.args]))
        return values
