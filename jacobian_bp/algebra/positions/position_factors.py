"""The two factors that speak of a position f: δ[i,f], and [low ≤ f ≤ high].

δ[i,2o+r−1]      the entry at i = 2o + r − 1; a position outside the axis is padding
δ[v',u[n]]       row u[n] of a table
[u≤t]            what lies no later than t
m[k]             a given mask
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .affine_and_table import Affine, Position, Table


@dataclass(frozen=True)
class At:
    """δ[axis,f]: 1 where axis = f, else a structural zero.

    Where f lies outside 0 … size−1 every entry is a structural zero. With `here`, f was
    chosen by the values (the largest of a window): its zeros are those of this input only.
    """

    axis: str
    position: Position
    here: bool = False

    @property
    def axes(self) -> tuple[str, ...]:
        return (self.axis, *self.position.axes)

    def renamed(self, names: Mapping[str, str]) -> "At":
        return At(names.get(self.axis, self.axis), self.position.renamed(names), self.here)

    @property
    def look(self) -> tuple[Any, ...]:
        """All of the factor but the numbers of a table: what the algebra depends on."""
        return At, self.axis, self.position.look, self.here

    def reading(self, position: Position) -> "At":
        """The same factor at another position."""
        return replace(self, position=position)

    def __str__(self) -> str:
        return f"δ[{self.axis},{self.position}]"


@dataclass(frozen=True)
class Within:
    """[low ≤ f ≤ high]: 1 where f lies there, else a structural zero; None is no bound.

    It is `ensured` where an array that stands beside it is 0 everywhere else already.

    >>> print(Within(Affine.of({"t": 1, "u": -1}), 0))
    [u≤t]
    >>> print(Within(Affine.of({"o": 2, "r": 1}, -1), 0, 4))
    [0≤2o+r−1≤4]
    """

    position: Position
    low: int | None = 0
    high: int | None = None
    ensured: bool = False

    @property
    def axes(self) -> tuple[str, ...]:
        return self.position.axes

    def renamed(self, names: Mapping[str, str]) -> "Within":
        return self.reading(self.position.renamed(names))

    @property
    def look(self) -> tuple[Any, ...]:
        """All of the factor but the numbers of a table: what the algebra depends on."""
        return Within, self.position.look, self.low, self.high, self.ensured

    def reading(self, position: Position) -> "Within":
        """The same factor at another position."""
        return replace(self, position=position)

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Where positions lie within the bounds."""
        found = np.ones(values.shape, bool)
        if self.low is not None:
            found &= values >= self.low
        if self.high is not None:
            found &= values <= self.high
        return found

    def __str__(self) -> str:
        position, low, high = self.position, self.low, self.high
        if _is_mask(self):
            return str(position)
        if low is not None and low == high:
            return f"[{_equation(position, low)}]"
        if high is None and low is not None and isinstance(position, Affine):
            return _less(position.plus(Affine((), -low)))
        if low is None and high is not None and isinstance(position, Affine):
            return _less(Affine((), high).plus(position, -1))
        before = "" if low is None else f"{_number(low)}≤"
        return f"[{before}{position}" + ("]" if high is None else f"≤{_number(high)}]")


def _is_mask(factor: Within) -> bool:
    """Whether it is a given mask, m[k]: what is 1 may stand, what is 0 is a structural zero."""
    if not isinstance(factor.position, Table) or (factor.low, factor.high) != (1, None):
        return False
    bounds = factor.position.bounds({})
    return bounds is None or (bounds[0] >= 0 and bounds[1] <= 1)


def _less(position: Affine) -> str:
    """[u≤t] for 0 ≤ t − u."""
    more = Affine.of({a: n for a, n in position.parts if n > 0}, max(0, position.offset))
    less = Affine.of({a: -n for a, n in position.parts if n < 0}, max(0, -position.offset))
    return f"[{less}≤{more}]"


def _equation(position: Position, value: int) -> str:
    """o=r+1 for o − r − 1 = 0."""
    if not isinstance(position, Affine):
        return f"{position}={_number(value)}"
    position = position.plus(Affine((), -value))
    left = Affine.of({a: n for a, n in position.parts if n > 0}, max(0, position.offset))
    right = Affine.of({a: -n for a, n in position.parts if n < 0}, max(0, -position.offset))
    return f"{left}={right}"


def _number(value: int) -> str:
    return str(value).replace("-", "−")
