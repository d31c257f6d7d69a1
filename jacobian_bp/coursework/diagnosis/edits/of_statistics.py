"""Mean and spread that are not those of the norm: of another axis, of one less, without the eps.

    x̂ = (x − μ)/s,  s = √(variance + eps)      dx = (d − mean d − x̂ mean(d x̂))/s,  d = γ δ

    s with D − 1 for D; √variance; √variance + eps
    μ and s over the examples, where they go over the entries of one
    x/r, r the root mean square, where the mean is taken away; and the other way round

The same formula is worked out with the other x̂, with the other s, and with both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..passes.backward import Factor, Line
from ..passes.equation import Equation
from .edit import Edit, called

Places = tuple[int, ...]
SAME = 1e-9  # of the largest entry


@dataclass(frozen=True, eq=False)
class Statistic:
    """What x is divided by, and what is taken away from it first, over some of its axes."""

    x: np.ndarray
    over: Places
    eps: float
    centred: bool

    @property
    def away(self) -> np.ndarray:
        mean = self.x.mean(self.over, keepdims=True) if self.centred else 0.0
        return np.asarray(self.x - mean)

    @property
    def square(self) -> np.ndarray:
        return np.asarray((self.away**2).mean(self.over, keepdims=True))

    @property
    def spread(self) -> np.ndarray:
        return np.asarray(np.sqrt(self.square + self.eps))

    @property
    def normal(self) -> np.ndarray:
        return self.away / self.spread

    @property
    def size(self) -> int:
        return int(np.prod([self.x.shape[place] for place in self.over]))


@dataclass(frozen=True, eq=False)
class Other:
    """Another x̂, another s, and the axes over which the means of the way back go."""

    normal: np.ndarray
    spread: np.ndarray
    over: Places
    note: str
    sums: bool = False  # whether sums stand on the way back too, where means belong


def of_statistics(line: Line, equation: Equation, x: np.ndarray) -> Iterator[Edit]:
    """By x, and by the gain; the equation has gamma/s as two factors."""
    standing = next((f for f in equation.factors() if f.own in ("x̂", "u")), None)
    eps = getattr(line.step.op, "eps", None)
    if standing is None or eps is None or standing.array.shape != x.shape:
        return
    right = statistic_of(x, standing, eps)
    if right is None:
        return
    axes = standing.axes if line.target != line.step.args[0] else equation.out
    if line.target == line.step.args[0]:
        yield from by_what_it_reads(line, equation, right, axes)
        return
    for other, axis in others(right, axes, equation):
        if not np.allclose(other.normal, right.normal, rtol=SAME, atol=0):
            changed = equation
            for factor in equation.factors():
                if factor.own == standing.own:
                    changed = changed.using(factor, replace(factor, array=other.normal))
            yield edit_of(changed, standing, other.note, axis)


def statistic_of(x: np.ndarray, standing: Factor, eps: float) -> Statistic | None:
    """Over which axes it goes, told by the numbers; None over the channels of a group."""
    for over in sets_of_axes(x.ndim):
        found = Statistic(x, over, eps, standing.own == "x̂")
        if np.abs(found.normal - standing.array).max(initial=0.0) <= SAME * np.abs(x).max():
            return found
    return None


def sets_of_axes(rank: int) -> list[Places]:
    """Each axis, the last ones, and all but one."""
    last = [tuple(range(first, rank)) for first in range(rank)]
    but_one = [tuple(p for p in range(rank) if p != left) for left in range(rank)]
    return [s for s in dict.fromkeys([*[(p,) for p in range(rank)], *last, *but_one]) if s]


def others(
    right: Statistic, axes: tuple[str, ...], equation: Equation
) -> Iterator[tuple[Other, bool]]:
    """Another spread first, then another axis; with it whether an axis is what is wrong."""
    D, variance = right.size, right.square
    if D > 1:
        one_less = np.sqrt(variance * D / (D - 1) + right.eps)
        yield spread_only(right, one_less, f"its mean has 1/{D - 1} for 1/{D}"), False
    if right.eps:
        root = np.sqrt(variance)
        if np.all(root > 0):
            yield spread_only(right, root, "eps is not added before the root is taken"), False
        yield spread_only(right, root + right.eps, "eps is added behind the root"), False
    total = np.sqrt(variance * D + right.eps)
    note = "the sum of the squares stands for their mean"
    yield replace(spread_only(right, total, note), sums=True), False
    for note, size in of_sizes(right):
        yield spread_only(right, size, note), False
    uncentred = replace(right, centred=not right.centred)
    note = "x/r, r the root mean square" if right.centred else "(x − μ)/s, the mean taken away"
    yield Other(uncentred.normal, uncentred.spread, right.over, note), False
    meant = said(right.over, axes, equation)
    what = "mean and spread go" if right.centred else "the mean of the squares goes"
    for over in sets_of_axes(right.x.ndim):
        other = replace(right, over=over)
        if set(over) != set(right.over) and other.size > 1 and np.all(other.spread > 0):
            note = f"{what} over {said(over, axes, equation)}, and not over {meant}"
            yield Other(other.normal, other.spread, over, note), True


def of_sizes(right: Statistic) -> Iterator[tuple[str, np.ndarray]]:
    """Other measures of how large the entries are: their sum of squares, no root, no square."""
    square, eps, over = right.square, right.eps, right.over
    yield "the root is not taken", square + eps
    size = abs(right.away).mean(over, keepdims=True)
    if np.all(size > 0):
        yield "the mean of the absolute values stands for the root of the mean square", size
    plain = abs(right.x.mean(over, keepdims=True))
    if not right.centred and np.all(plain > 0):
        yield "the absolute value of the mean stands there", plain


def said(over: Places, axes: tuple[str, ...], equation: Equation) -> str:
    """the examples and i"""
    return " and ".join(called(axes[place].rstrip("'"), equation) for place in over)


def spread_only(right: Statistic, spread: np.ndarray, note: str) -> Other:
    return Other(right.away / spread, spread, right.over, note)


def by_what_it_reads(
    line: Line, equation: Equation, right: Statistic, axes: tuple[str, ...]
) -> Iterator[Edit]:
    """dx by the same formula with both, with the spread alone, and with x̂ alone."""
    gain = gain_of(equation, right.x)
    spread = next((f for f in equation.factors() if f.own in ("1/s", "1/r")), None)
    if gain is None or spread is None:
        return
    named = replace(spread, name=spread.name.removeprefix("1/"))
    for other, axis in others(right, axes, equation):
        ways = [(other.normal, other.spread, other.over)]
        if not axis:
            ways += [(right.normal, other.spread, right.over)]
            ways += [(other.normal, right.spread, right.over)]
        else:
            ways += [(other.normal, other.spread, right.over)]
        for place, (normal, s, over) in enumerate(ways):
            gives = partial(back, gain, normal, s, over, right.centred)
            yield replace(edit_of(equation, named, other.note, axis, place), gives=gives)
        if other.sums:
            gain_in_sums = partial(back, gain, other.normal, other.spread, other.over)
            gives = partial(gain_in_sums, right.centred, mean=np.sum)
            yield replace(edit_of(equation, named, other.note, axis), gives=gives)
    yield from as_the_other_norm(line, equation, right, gain)


def as_the_other_norm(
    line: Line, equation: Equation, right: Statistic, gain: np.ndarray
) -> Iterator[Edit]:
    """A mean subtracted on the way back that none was subtracted of on the way forth."""
    if right.centred:
        return  # that the mean is left out has a sentence of its own
    whole = Factor("jacobian", f"∂{line.source}/∂{line.target}", np.zeros(()))
    centred = replace(right, centred=True)
    note = "that of a norm that takes the mean away too"
    for stood in (right, centred):
        gives = partial(back, gain, stood.normal, stood.spread, right.over, True)
        yield Edit("other", equation, whole, note, gives=gives)


def edit_of(equation: Equation, factor: Factor, note: str, axis: bool, extra: int = 0) -> Edit:
    """Another axis is another sum; what else is wrong is said of the factor."""
    return Edit("sum" if axis else "other", equation, factor, note, extra=extra)


def gain_of(equation: Equation, x: np.ndarray) -> np.ndarray | None:
    """The gain along the axes of x."""
    for factor in (factor for term in equation.terms for factor in term.factors):
        known = factor.role in ("weight", "value") and factor.array.ndim < x.ndim
        if known and set(factor.axes) <= set(equation.out):
            of_axes = zip(equation.out, x.shape, strict=True)
            return factor.array.reshape([size if a in factor.axes else 1 for a, size in of_axes])
    return None


def back(
    gain: np.ndarray,
    normal: np.ndarray,
    spread: np.ndarray,
    over: Places,
    centred: bool,
    incoming: np.ndarray,
    mean: Callable[..., np.ndarray] = np.mean,
) -> np.ndarray:
    """(d − mean d − x̂ mean(d x̂))/s, d = γ δ."""
    d = incoming * gain
    along_normal = normal * mean(d * normal, axis=over, keepdims=True)
    shift = d.mean(over, keepdims=True) if centred else 0.0
    return np.asarray((d - shift - along_normal) / spread)
