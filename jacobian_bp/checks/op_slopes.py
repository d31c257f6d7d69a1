"""Finite differences of one op: its whole Jacobian, and the slopes on either side of an entry.

Richardson's extrapolation of central differences, in float64: the error is of the
order h⁴, and the gap to the same at twice the step says how far it may be off.
"""

import numpy as np

from ..numbers.arrays import read_only
from ..numbers.positions import in_float64
from ..numbers.rounding import UNITS, unit_roundoff
from ..program.forward_pass import Pass
from ..program.step import Step

STEP = 1e-3
ROUNDING = 2 * UNITS * unit_roundoff(np.float64)  # of two values, whose difference is taken
SUBNORMAL = 2 * float(np.finfo(np.float64).smallest_subnormal)  # no value is known any better
SMALL_STEP = 1e-7  # of the one-sided slopes that tell a kink


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
        """All slopes by Richardson's extrapolation, and how far each may be off."""
        shape = (*self.value.shape, *self.point.shape)
        slopes, doubt = np.zeros(shape), np.zeros(shape)
        for index in np.ndindex(self.point.shape):
            place = (..., *index)
            h = STEP * max(1.0, abs(float(self.point[index])))
            near, middle, far = (self._central(index, c * h) for c in (1, 2, 4))
            slopes[place] = (4 * near - middle) / 3
            rounding = np.maximum(ROUNDING * np.abs(self.value), SUBNORMAL) / h
            doubt[place] = np.abs(slopes[place] - (4 * middle - far) / 3) + rounding
        return slopes, doubt

    def one_sided(self, index: tuple[int, ...], out: tuple[int, ...]) -> tuple[float, float]:
        """The slopes to the left and to the right, the smaller first."""
        h = SMALL_STEP * max(1.0, abs(float(self.point[index])))
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
