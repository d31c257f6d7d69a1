"""Finite differences of one op: its whole Jacobian, and the slopes on either side of an entry.

Richardson's extrapolation of central differences, in float64: the error is of the
order h⁴, and the gap to the same at twice the step says how far it may be off.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..algebra.jacobian import Jacobian
from ..numbers.arrays import read_only
from ..numbers.positions import in_float64
from ..numbers.rounding import UNITS, largest, unit_roundoff
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.full import whole_link

STEP = 1e-3
NARROWER, MOST_NARROWER = 32.0, 3
BENT = 1e-6  # of a slope: what bending may make of it before a narrower step is tried
ROUNDING = 2 * UNITS * unit_roundoff(np.float64)  # of two values, whose difference is taken
OF_THE_ENTRY = 4 * unit_roundoff(np.float64)  # which a narrow step moves by few of its digits
SPACING = float(np.finfo(np.float64).smallest_subnormal)
MOST_STEPS = 12  # narrower ones, where the wider leave the domain
SURE = 1e-3  # of a slope: a narrow step that is so sure speaks against a wider one
ENDLESS = (1e-4, 1e-8, 1e-12)  # steps from 0 that tell an infinite slope
GROWS = 1.5  # what an infinite slope grows by, for a step of 1e-4; or else by as much each time:
KEEPS = 0.3  # of the growth before, where that of a slope with an end soon vanishes
SMALL_STEP = 1e-7  # of the one-sided slopes that tell a kink
FEW = 512  # entries of a value, for which the slopes by narrow steps are kept

ByStep = tuple[float, np.ndarray, np.ndarray, np.ndarray]  # the step, slopes, bends and rounding


def whole_jacobian(state: Pass, step: Step, position: int) -> np.ndarray:
    """∂out/∂input by the op's jacobians(), dense."""
    operand = step.op.parsed.inputs[position].name
    out, wrt, expression = state.local(step)[operand]
    local = Jacobian.local(step.name, step.args[position], out, wrt, expression, state.dtype)
    return whole_link(local.links[0], local.nodes, state.dtype)


class Slopes:
    """Finite differences of one op by one input, in float64.

    `terms` are what each value is the sum of, where it may cancel: Σ |slope · input|.
    """

    def __init__(
        self, state: Pass, step: Step, position: int, terms: np.ndarray | float = 0.0
    ) -> None:
        self.op, self.position = step.op, position
        self.values = [read_only(in_float64(v)) for v in state.inputs_of(step)]
        self.point = self.values[position]
        self.value = self.at((), 0.0)
        self.terms = terms
        self._narrow: tuple[tuple[int, ...] | None, list[ByStep]] = None, []

    def at(self, index: tuple[int, ...], change: float) -> np.ndarray:
        """The op's value with `change` added to one entry."""
        moved = self.point.copy()
        if change:
            moved[index] += change
        inputs = [moved if p == self.position else v for p, v in enumerate(self.values)]
        return np.array(self.op.forward(*inputs))

    def whole(self) -> tuple[np.ndarray, np.ndarray]:
        """All slopes by Richardson's extrapolation, and how far each may be off.

        Where the op bends within a step, or ends, narrower ones are taken, to one far smaller
        than the way to 0 and to ±1, where poles are: of each entry the surest.
        """
        shape = (*self.value.shape, *self.point.shape)
        slopes, doubt = np.zeros(shape), np.zeros(shape)
        for index in np.ndindex(self.point.shape):
            place = (..., *index)
            slopes[place], doubt[place] = self.surest(index)
        return slopes, doubt

    def surest(self, index: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """The slopes by one entry and their doubt, by as many steps as the op asks for."""
        here = abs(float(self.point[index]))
        h = STEP * max(1.0, here)
        best, bends, rounding = self._by_step(index, h)
        doubt, narrowed = bends + rounding, 0
        for _ in range(MOST_STEPS):
            ends = not np.isfinite(bends).all()
            bent = np.any((bends > BENT * np.abs(best)) & (bends > 10 * rounding))
            narrowed += not ends
            if not (ends or bent) or narrowed > MOST_NARROWER:
                break
            h = self._exact(index, h / NARROWER)
            if h == 0:  # no number is as near
                return best, doubt
            slope, bends, rounding = self._by_step(index, h)
            surer = bends + rounding < doubt
            best = np.where(surer, slope, best)
            doubt = np.where(surer, bends + rounding, doubt)
        beside = self._exact(index, STEP * min(here, abs(1 - here)))
        if not 0 < beside < min(STEP * STEP, h):
            return best, doubt
        # a wide step may have crossed a pole at 0 or at ±1, this one does not
        slope, bends, rounding = self._by_step(index, beside)
        found = bends + rounding
        told = (slope != 0) & (found <= SURE * np.abs(slope))  # not lost in a sum that cancels
        surer = told & ((found < doubt) | (np.abs(slope - best) > found + doubt))
        return np.where(surer, slope, best), np.where(surer, found, doubt)

    def by_narrow_steps(
        self, at: tuple[int, ...], scale: float = 0.0
    ) -> tuple[float, float] | None:
        """The surest slope at one entry of the Jacobian by narrow steps, and its doubt.

        A wide step may have crossed a pole, wherever that is, and be sure of a wrong slope: of two
        that contradict each other the narrower is right. None where no step tells the slope, or,
        of one that cancels, what it is to the scale of its terms.
        """
        out, index = at[: self.value.ndim], at[self.value.ndim :]
        here, found = abs(float(self.point[index])), None
        for h, *parts in self._narrow_steps(index):
            slope, bends, rounding = (float(part[out]) for part in parts)
            doubt = bends + rounding + abs(slope) * OF_THE_ENTRY * here / h
            if not (np.isfinite(slope) and doubt <= SURE * max(abs(slope), scale)):
                continue
            if found is None or doubt < found[1] or abs(slope - found[0]) > doubt + found[1]:
                found = slope, doubt
        return found

    def _narrow_steps(self, index: tuple[int, ...]) -> Iterator[ByStep]:
        """The slopes by one entry by ever narrower steps; kept, for the other rows of the same."""
        if self._narrow[0] == index:
            yield from self._narrow[1]
            return
        made: list[ByStep] = []
        h = STEP * max(1.0, abs(float(self.point[index])))
        while (h := self._exact(index, h / NARROWER)) != 0:
            step = (h, *self._by_step(index, h, own=True))
            if self.value.size <= FEW:
                made.append(step)
            yield step
        if self.value.size <= FEW:
            self._narrow = index, made

    def steepest(self, index: tuple[int, ...]) -> np.ndarray:
        """The largest slopes by one entry to either side that any narrow step finds."""
        found = np.zeros(self.value.shape)
        h = STEP * max(1.0, abs(float(self.point[index])))
        while (h := self._exact(index, h / NARROWER)) != 0:
            for side in (h, -h):
                moved = np.abs(self.at(index, side) - self.value)
                found = np.fmax(found, np.where(np.isfinite(moved), moved / h, 0))
        return found

    def beyond_steps(self, at: tuple[int, ...]) -> bool:
        """Whether no step is narrow enough: the value jumps to the next numbers.

        To those of all digits; or, from 0 or a subnormal, where steps move it and none tells a
        slope, it jumps too or is itself of very few digits.
        """
        out, index = at[: self.value.ndim], at[self.value.ndim :]
        here, size = abs(float(self.point[index])), largest(self.value[np.isfinite(self.value)])
        h = float(np.spacing(here))
        if h > OF_THE_ENTRY * here:
            if self.by_narrow_steps(at) is not None or not self.steepest(index)[out]:
                return False
            if size <= SPACING / SURE:
                return True
        jumps = [abs(float(self.at(index, s * h)[out] - self.value[out])) for s in (-1.0, 1.0)]
        return max(jumps) > SURE * size

    def _exact(self, index: tuple[int, ...], h: float) -> float:
        """The step as it stands beside the entry, in whose digits a narrow one is rounded."""
        here = float(self.point[index])
        return float((here + h) - here)

    def grows_without_end(self, at: tuple[int, ...], most: float) -> bool:
        """Whether the slope at one entry of the Jacobian is above `most`, or has no end.

        To the left or to the right, by ever narrower steps.
        """
        out, index = at[: self.value.ndim], at[self.value.ndim :]
        here = abs(float(self.point[index]))
        for sign in (-1.0, 1.0):
            least = sign * max(STEP * here, SPACING)
            steps = [least] if here else [least, *(sign * s for s in ENDLESS)]
            moved = [float(self.at(index, h)[out]) - float(self.value[out]) for h in steps]
            first, *sizes = [abs(m / h) for m, h in zip(moved, steps, strict=True)]
            if first > most and np.isfinite(moved[0]):
                return True
            if not here and endless(sizes, self._noise(out, moved[1:])):
                return True
        return False

    def _noise(self, out: tuple[int, ...], moved: list[float]) -> float:
        """The largest relative rounding error of what a value moved."""
        least = min(map(abs, moved))
        return float(ROUNDING * abs(self.value[out]) / least) if least else np.inf

    def _by_step(
        self, index: tuple[int, ...], h: float, own: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The slopes by one step, how far bending makes them uncertain, and how far rounding.

        With `own`, no entry is taken for what is left of terms that only its inputs tell.
        """
        (near, size), (middle, _), (far, _) = (self._central(index, c * h) for c in (1, 2, 4))
        slope = near + (near - middle) / 3  # 4 · near may overflow
        size = np.maximum(size, self.sums() if own else self.size())
        rounding = (ROUNDING * size + UNITS * SPACING) / h
        bends = np.abs(slope - middle - (middle - far) / 3)
        return slope, np.where(np.isfinite(bends), bends, np.inf), rounding

    def size(self) -> np.ndarray:
        """What the rounding errors of the value are of: its entries, or the terms of its sums."""
        return np.maximum(np.abs(self.value), self.terms)

    def sums(self) -> np.ndarray | float:
        """What the rounding errors are of at the least, where the op's own rule says it."""
        return 0.0

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

    def _central(self, index: tuple[int, ...], h: float) -> tuple[np.ndarray, np.ndarray]:
        """The central difference by one entry, and the size of the values that it is of."""
        right, left = self.at(index, h), self.at(index, -h)
        return (right - left) / (2 * h), np.fmax(np.abs(right), np.abs(left))


def endless(sizes: list[float], noise: float) -> bool:
    """Whether slopes by ever narrower steps have no end: they grow, and go on growing.

    |z|^0.999 grows by 1 % for a step of 1e-4, but for each; a slope that has an end ever less.
    """
    if not all(np.isfinite(sizes)) or min(sizes) <= 0:
        return False
    growth = [b / a - 1 for a, b in pairwise(sizes)]
    if all(g > GROWS - 1 for g in growth):
        return True
    return min(growth) > 4 * noise and all(b > KEEPS * a > 0 for a, b in pairwise(growth))
