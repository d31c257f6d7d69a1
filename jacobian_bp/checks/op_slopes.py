"""Finite differences of one op: its whole Jacobian, and the slopes on either side of an entry.

Richardson's extrapolation of central differences, in float64: the error is of the
order h⁴, and the gap to the same at twice the step says how far it may be off.
"""

import numpy as np

from ..algebra.jacobian import Jacobian
from ..numbers.arrays import read_only
from ..numbers.positions import in_float64
from ..numbers.rounding import UNITS, unit_roundoff
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.full import whole_link

STEP = 1e-3
NARROWER, MOST_NARROWER = 32.0, 3
BENT = 1e-6  # of a slope: what bending may make of it before a narrower step is tried
ROUNDING = 2 * UNITS * unit_roundoff(np.float64)  # of two values, whose difference is taken
SPACING = float(np.finfo(np.float64).smallest_subnormal)
SMALL_STEP = 1e-7  # of the one-sided slopes that tell a kink


def whole_jacobian(state: Pass, step: Step, position: int) -> np.ndarray:
    """∂out/∂input by the op's jacobians(), dense."""
    operand = step.op.parsed.inputs[position].name
    out, wrt, expression = state.local(step)[operand]
    local = Jacobian.local(step.name, step.args[position], out, wrt, expression, state.dtype)
    return whole_link(local.links[0], local.nodes, state.dtype)


class Slopes:
    """Finite differences of one op by one input, in float64."""

    def __init__(self, state: Pass, step: Step, position: int) -> None:
        self.op, self.position = step.op, position
        self.values = [read_only(in_float64(v)) for v in state.inputs_of(step)]
        self.point = self.values[position]
        self.value = self.at((), 0.0)

    def at(self, index: tuple[int, ...], change: float) -> np.ndarray:
        """The op's value with `change` added to one entry."""
        moved = self.point.copy()
        if change:
            moved[index] += change
        inputs = [moved if p == self.position else v for p, v in enumerate(self.values)]
        return np.array(self.op.forward(*inputs))

    def whole(self) -> tuple[np.ndarray, np.ndarray]:
        """All slopes by Richardson's extrapolation, and how far each may be off.

        Where the op bends within a step, narrower ones are taken: of each entry the surest.
        """
        shape = (*self.value.shape, *self.point.shape)
        slopes, doubt = np.zeros(shape), np.zeros(shape)
        for index in np.ndindex(self.point.shape):
            place = (..., *index)
            h = STEP * max(1.0, abs(float(self.point[index])))
            slopes[place], bends, rounding = self._by_step(index, h)
            doubt[place] = bends + rounding
            for _ in range(MOST_NARROWER):
                if not np.any((bends > BENT * np.abs(slopes[place])) & (bends > 10 * rounding)):
                    break
                h /= NARROWER
                slope, bends, rounding = self._by_step(index, h)
                surer = bends + rounding < doubt[place]
                slopes[place] = np.where(surer, slope, slopes[place])
                doubt[place] = np.where(surer, bends + rounding, doubt[place])
        return slopes, doubt

    def _by_step(
        self, index: tuple[int, ...], h: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The slopes by one step, how far bending makes them uncertain, and how far rounding."""
        near, middle, far = (self._central(index, c * h) for c in (1, 2, 4))
        slope = (4 * near - middle) / 3
        rounding = (ROUNDING * self.size() + UNITS * SPACING) / h
        return slope, np.abs(slope - (4 * middle - far) / 3), rounding

    def size(self) -> np.ndarray:
        """What the rounding errors of the value are of: its own entries."""
        return np.abs(self.value)

    def one_sided(
        self, index: tuple[int, ...], out: tuple[int, ...], wider: float = 1.0
    ) -> tuple[float, float]:
        """The slopes to the left and to the right, the smaller first; by a step so much wider."""
        h = wider * SMALL_STEP * max(1.0, abs(float(self.point[index])))
        here = self.value[out]
        pair = [(self.at(index, s * h)[out] - here) / (s * h) for s in (-1.0, 1.0)]
        return min(pair), max(pair)

    def one_sided_sums(self, index: tuple[int, ...], bar: np.ndarray) -> tuple[float, float]:
        """The same for Σ bar · out, by steps wide enough for a sum."""
        h = STEP**2 * max(1.0, abs(float(self.point[index])))
        pair = [
            float(((self.at(index, s * h) - self.value) * bar).sum()) / (s * h) for s in (-1, 1)
        ]
        return min(pair), max(pair)

    def _central(self, index: tuple[int, ...], h: float) -> np.ndarray:
        return (self.at(index, h) - self.at(index, -h)) / (2 * h)
