"""Finite differences of any function of arrays: the slope at one entry, and how far it may be off.

Richardson's extrapolation of central differences, in float64, by a step that fits the
entry: relative to it, wider where the noise of f drowns the difference, narrower where
f bends or has a kink nearby. The doubt adds what two steps differ by and what noise does.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import comb, inf

import numpy as np

from ..numbers.rounding import UNITS, largest, unit_roundoff
from .op_slopes import ENDLESS, endless

STEP = 1e-3  # relative to the entry
WIDER, NARROWER, MOST_STEPS = 1000.0, 32.0, 12
GOOD = 1e-8  # of the slope: a doubt below this needs no other step
SURE = 0.1  # of the slope: a doubt below this speaks against a wider step
CONFIRMED = 1024.0  # a kink still stands at a step that much narrower
SAME_JUMP = 0.1  # of the jump, at one step and at its double
LEAST_JUMP = 1e-4  # of the slopes beside it
SPACINGS, POINTS, ORDERS = (1e-4, 1e-7, 1e-10), 9, (4, 5, 6)  # of the estimate of noise

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Slope:
    """∂f at one entry: the slope, its doubt, and the slopes to both sides of a kink."""

    value: float
    doubt: float
    kink: tuple[float, float] | None = None  # the smaller first


class FunctionSlopes:
    """Finite differences of `value`, a function of named arrays of float64."""

    def __init__(self, value: Callable[[Values], float], point: Values) -> None:
        self.value, self.point = value, point
        self.here = value(point)
        self.noise = max(UNITS * unit_roundoff(np.float64) * abs(self.here), self._noise())

    def at(self, name: str, index: tuple[int, ...], expected: float) -> Slope:
        """The slope at one entry, by the step that leaves the least doubt."""
        entry, size = float(self.point[name][index]), largest(self.point[name])
        widest = STEP * (size or 1.0)
        h = STEP * abs(entry) or widest
        best, chosen = Slope(np.nan, inf), h
        for _ in range(MOST_STEPS):
            found, bends = self._by_step(name, index, h)
            if found.kink:
                return found
            improved = found.doubt < best.doubt
            best, chosen = (found, h) if improved else (best, chosen)
            if best.doubt <= GOOD * max(abs(best.value), abs(expected)):
                break
            if bends:
                h /= NARROWER
            elif improved and h < widest:
                h = min(h * WIDER, widest)
            else:
                break
        if abs(best.value - expected) > best.doubt + GOOD * abs(expected):
            return self._narrower(name, index, best, chosen)
        return best

    def is_endless(self, name: str, index: tuple[int, ...], sign: float) -> bool:
        """Whether the slope at an entry of 0 has no end, of this sign, to either side."""
        if self.point[name][index] != 0:
            return False
        pairs = [self._sides(name, index, h) for h in ENDLESS]
        for side in zip(*pairs, strict=True):
            sizes = [slope * sign for slope in side]
            moved = min(abs(s) * h for s, h in zip(side, ENDLESS, strict=True))
            if endless(sizes, self.noise / moved if moved else inf):
                return True
        return False

    def _narrower(self, name: str, index: tuple[int, ...], best: Slope, h: float) -> Slope:
        """Where a claim is disputed: the slope that narrower steps agree on.

        A step across many periods of f can leave little doubt by chance; the slope is the
        limit of narrow steps.
        """
        for _ in range(MOST_STEPS):
            h /= NARROWER
            found, bends = self._by_step(name, index, h)
            if found.kink:
                return found
            apart = abs(found.value - best.value) > found.doubt + best.doubt
            sure = found.doubt < SURE * abs(found.value)
            if (apart and sure) or found.doubt < best.doubt:
                best = found
            if not bends:
                break
        return best

    def _by_step(self, name: str, index: tuple[int, ...], h: float) -> tuple[Slope, bool]:
        """The slope by one step, and whether a narrower one is worth trying."""
        sides = [self._sides(name, index, c * h) for c in (1, 2, 4)]
        rounding = 2 * self.noise / h
        kink = self._kink(sides, rounding)
        if kink and self._still(name, index, h, kink[1] - kink[0]):
            return Slope(sum(kink) / 2, rounding, kink), False
        near, middle, far = ((left + right) / 2 for left, right in sides)
        slope = (4 * near - middle) / 3
        truncation = abs(slope - (4 * middle - far) / 3)
        if not np.isfinite(truncation):  # f ends nearby
            return Slope(np.nan, inf), True
        return Slope(slope, truncation + rounding), truncation > rounding

    def _sides(self, name: str, index: tuple[int, ...], h: float) -> tuple[float, float]:
        """The slopes to the left and to the right."""
        found = []
        for change in (-h, h):
            moved = np.array(self.point[name])
            moved[index] += change
            width = float(moved[index]) - float(self.point[name][index])
            rise = self.value({**self.point, name: moved}) - self.here
            found.append(rise / width if width else np.nan)
        return found[0], found[1]

    @staticmethod
    def _kink(sides: list[tuple[float, float]], rounding: float) -> tuple[float, float] | None:
        """The slopes on both sides, where their jump does not shrink with the step."""
        jumps = [right - left for left, right in sides]
        limits = [2 * narrow - wide for narrow, wide in pairwise(jumps)]  # at a step of 0
        scale = max(map(abs, sides[0]))
        least = max(10 * rounding, LEAST_JUMP * scale)
        if not (abs(limits[0]) > least and abs(limits[0] - limits[1]) < SAME_JUMP * abs(limits[0])):
            return None
        left, right = (2 * near - far for near, far in zip(sides[0], sides[1], strict=True))
        return min(left, right), max(left, right)

    def _still(self, name: str, index: tuple[int, ...], h: float, jump: float) -> bool:
        """Whether the jump stands at a much narrower step too, if noise lets that be seen."""
        narrow = h / CONFIRMED
        if 20 * self.noise / narrow > jump:
            return True
        left, right = self._sides(name, index, narrow)
        return abs(right - left) > jump / 2

    def _noise(self) -> float:
        """How far f jitters: high differences of values along a line, where a smooth f has none.

        Source: Moré and Wild, Estimating computational noise, 2011.
        """
        estimates = [self._jitter(spacing) for spacing in SPACINGS]
        return min((e for e in estimates if e is not None), default=0.0)

    def _jitter(self, spacing: float) -> float | None:
        values = np.array([self.value(point) for point in self._along(spacing)])
        if not np.isfinite(values).all() or 2 * len(set(values.tolist())) < POINTS:
            return None  # f ends nearby, or the spacing is lost in the digits of f
        scale = largest(values) or 1.0  # squares of large values would overflow
        found = []
        for order in ORDERS:
            row = np.diff(values / scale, order)
            found.append(scale * float(np.sqrt(np.mean(row**2) / comb(2 * order, order))))
        return max(found)

    def _along(self, spacing: float) -> Iterator[Values]:
        """Neighbours of the point, every entry moved in proportion to itself."""
        for k in range(POINTS):
            factor = 1 + spacing * (k - POINTS // 2)
            yield {n: np.asarray(a * factor) for n, a in self.point.items()}
