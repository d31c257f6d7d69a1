"""The exponent p of y = c · n^p, fitted to the logarithms, with its uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# 97.5 % points of Student's t for 1, 2, 3, … degrees of freedom
STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)
NORMAL = 1.95996
FEWEST_POINTS = 3
NEGLIGIBLE = 0.05  # of a margin: an exponent that is 0 is known as well


@dataclass(frozen=True)
class Fit:
    """An exponent, the half-width of its 95 % interval, and how many points it stands on.

    The interval is that of a straight line through the points: it says how far they scatter
    about one, not how far the slope of large sizes may lie from here.
    """

    exponent: float
    margin: float
    points: int

    @property
    def known(self) -> bool:
        """Whether the interval is narrower than the value: a wider one says nothing."""
        return self.margin <= abs(self.exponent) or self.margin < NEGLIGIBLE

    def reaches(self, exponent: float) -> bool:
        """Whether the interval, as it is printed, has this exponent in it.

        >>> Fit(1.94, 0.05, 5).reaches(2), Fit(1.96, 0.04, 5).reaches(2)
        (False, True)
        """
        return round(abs(self.exponent - exponent), 2) <= round(self.margin, 2)

    def __str__(self) -> str:
        return f"{self.exponent:.2f} ± {self.margin:.2f}"


def growth(sizes: Sequence[float], values: Sequence[float]) -> Fit | None:
    """The least-squares slope of log y on log n; None for fewer than three points.

        p = Σ (u − ū)(v − v̄) / Σ (u − ū)²,   u = log n, v = log y

    The interval is t · s/√Σ(u − ū)², s² the mean squared residual on two degrees
    of freedom less than points. Points where y is 0 have no logarithm and are left out.

    >>> print(growth([8, 16, 32, 64], [3 * n**2 for n in (8, 16, 32, 64)]))
    2.00 ± 0.00
    """
    pairs = [(math.log(n), math.log(y)) for n, y in zip(sizes, values, strict=True) if y > 0]
    if len({u for u, _ in pairs}) < FEWEST_POINTS:
        return None
    count = len(pairs)
    middle = [math.fsum(column) / count for column in zip(*pairs, strict=True)]
    away = [(u - middle[0], v - middle[1]) for u, v in pairs]
    square = math.fsum(u * u for u, _ in away)
    exponent = math.fsum(u * v for u, v in away) / square
    left_over = math.fsum((v - exponent * u) ** 2 for u, v in away)
    error = math.sqrt(left_over / (count - 2) / square)
    return Fit(exponent, student(count - 2) * error, count)


def student(freedom: int) -> float:
    """The 97.5 % point of Student's t: from a table, beyond it by its expansion in 1/freedom.

    >>> student(1), student(10), round(student(30), 3), round(student(1000), 3)
    (12.706, 2.228, 2.042, 1.962)
    """
    if freedom <= len(STUDENT):
        return STUDENT[freedom - 1]
    z = NORMAL
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2
