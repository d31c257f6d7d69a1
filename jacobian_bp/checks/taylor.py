"""Is a derivative the derivative? The Taylor remainder says so.

    r(h) = |f(x + h·u) − f(x) − h · ∂f/∂x · u|

With the right derivative the remainder is of second order: it quarters as the
step halves. With a wrong one it only halves.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..algebra.jacobian import Jacobian
from ..errors import AxisError
from ..numbers.arrays import as_array, quiet
from ..numbers.rounding import UNITS, unit_roundoff
from ..writing.notebook import page
from ..writing.shown import Printed
from ..writing.signs import dims, for_stream, number, to_ascii

FIRST_STEP = 2.0**-4
HALVINGS = 8
QUARTERS = (3.6, 4.4)  # a ratio within these counts as a quarter


@dataclass(frozen=True)
class TaylorReport(Printed):
    """The remainders at halving steps; `.ok` if they quarter, or are rounding all along."""

    steps: tuple[float, ...]
    remainders: tuple[float, ...]
    rounding: float  # below this a remainder says nothing

    @property
    def exact(self) -> bool:
        """Whether the function is linear along the direction: no remainder at all."""
        return all(remainder <= self.rounding for remainder in self.remainders)

    @property
    def ratios(self) -> tuple[float, ...]:
        """r(h)/r(h/2), for the steps at which both stand clear of rounding."""
        pairs = zip(self.remainders, self.remainders[1:], strict=False)
        return tuple(a / b for a, b in pairs if b > 100 * self.rounding)

    @property
    def ok(self) -> bool:
        if self.exact:
            return True
        ratios = self.ratios
        return bool(ratios) and QUARTERS[0] <= ratios[-1] <= QUARTERS[1]

    def text(self, ascii_only: bool = False) -> str:
        """A line for each step: the remainder, and how much smaller it became."""
        lines = ["step        remainder     smaller by"]
        for position, (step, remainder) in enumerate(zip(self.steps, self.remainders, strict=True)):
            before = self.remainders[position - 1] if position else 0.0
            clear = position and remainder > 100 * self.rounding
            ratio = number(before / remainder, 3) if clear else ""
            shown = number(remainder, 3) if remainder > self.rounding else "rounding"
            lines.append(f"{number(step, 6):<12}{shown:<14}{ratio}".rstrip())
        verdict = "no remainder: linear along this direction" if self.exact else "it quarters"
        lines.append(verdict if self.ok else "it does not quarter: the derivative is WRONG")
        text = "\n".join(lines)
        return to_ascii(text) if ascii_only else text

    def _repr_html_(self) -> str:
        return page("", self.text().split("\n"))

    def __str__(self) -> str:
        return for_stream(self.text())


@quiet
def taylor_test(
    function: Callable[[np.ndarray], Any],
    point: Any,
    derivative: Any,
    direction: Any = None,
    first_step: float = FIRST_STEP,
) -> TaylorReport:
    """Halve the step and see whether the Taylor remainder quarters.

    `derivative` is a Jacobian, or its array in numerator layout: the axes of
    f(x), then those of x. Without a `direction` a fixed one without zeros is
    taken. Raises AxisError for shapes that do not fit.

    >>> x = np.array([1.0, 2.0])
    >>> taylor_test(lambda x: x**3, x, np.diag(3 * x**2)).ok
    True
    >>> taylor_test(lambda x: x**3, x, np.diag(2 * x**2)).ok
    False
    """
    x = as_array(point, "point").astype(np.float64)
    matrix = derivative.materialise() if isinstance(derivative, Jacobian) else derivative
    matrix = as_array(matrix, "derivative").astype(np.float64)
    here = np.array(function(x.copy()), dtype=np.float64)
    if matrix.shape != here.shape + x.shape:
        raise AxisError(
            f"the derivative has shape {dims(matrix.shape)}.\n"
            f"  f(x) has shape {dims(here.shape)}\n"
            f"  x has shape {dims(x.shape)}\n"
            f"  In numerator layout it has shape {dims(here.shape + x.shape)}."
        )
    u = _direction(x.shape) if direction is None else as_array(direction, "direction")
    if u.shape != x.shape:
        raise AxisError(
            f"the direction has shape {dims(u.shape)}.\n  x has shape {dims(x.shape)}\n"
            "  Pass a direction of the shape of x."
        )
    slope = np.tensordot(matrix, u, x.ndim)
    steps = tuple(first_step * 2.0**-k for k in range(HALVINGS))
    remainders = []
    for h in steps:
        moved = np.asarray(function(x + h * u), dtype=np.float64)
        remainders.append(float(np.linalg.norm(np.ravel(moved - here - h * slope))))
    size = max(1.0, float(np.linalg.norm(np.ravel(here))), float(np.linalg.norm(np.ravel(slope))))
    rounding = 2 * UNITS * unit_roundoff(np.float64) * size  # of two values, and the slope
    return TaylorReport(steps, tuple(remainders), rounding)


def _direction(shape: tuple[int, ...]) -> np.ndarray:
    """A direction with entries of both signs, none zero and no two equal."""
    count = math.prod(shape)
    return np.array([(-1.0) ** k * (1 + k / max(count, 1)) for k in range(count)]).reshape(shape)
