"""Normalised values: something else in their place, and means over another set of entries.

−1/K (gamma/s) x̂[k] x̂[k']     with x, or x − μ, for x̂, in one term or in all
−1/D (gamma/s) same[c,c']      over all channels, or over each by itself, for its group
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ....ops import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, Equation, Term
from .edit import Edit
from .of_factors import by_array
from .of_parts import in_parts
from .of_statistics import of_statistics

NORMS = (BatchNorm, GroupNorm, LayerNorm, RMSNorm)


def of_norms(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of the ops that normalise alone."""
    if not isinstance(line.step.op, NORMS):
        return
    x, y = facts.values[line.step.args[0]], facts.values[line.source]
    yield from of_statistics(line, in_parts(line, equation, facts), x)
    for group in by_array(equation):
        if group[0].own in ("x̂", "u"):
            for name, array in instead_of(group[0], line, x, y):
                yield from in_the_place_of(equation, group, name, array)
    parts = in_parts(line, equation, facts)
    same = [factor for factor in parts.factors() if factor.name.startswith("same[")]
    if same:
        yield from over_others(parts, same)


def instead_of(
    factor: Factor, line: Line, x: np.ndarray, y: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """What the step reads, its deviation from the mean, and what the step gives."""
    u = factor.array
    if x.shape != u.shape:
        return
    yield line.step.args[0], x
    if factor.own == "x̂":  # x = μ + s u, so that along any axis the differences give s
        mean = mean_of(x, u)
        if mean is not None:
            yield f"{line.step.args[0]} − μ", x - mean
    yield line.source, y


def mean_of(x: np.ndarray, u: np.ndarray) -> np.ndarray | None:
    """μ, over the axes along which u has the mean 0."""
    axes: list[tuple[int, ...]] = [(place,) for place in range(x.ndim)]
    axes += [tuple(range(place, x.ndim)) for place in range(x.ndim - 1)]
    for chosen in axes:
        if np.abs(u.mean(chosen)).max(initial=0.0) < 1e-9:
            return np.asarray(x.mean(chosen, keepdims=True))
    return None


def in_the_place_of(
    equation: Equation, group: list[Factor], name: str, array: np.ndarray
) -> Iterator[Edit]:
    """Wherever it stands; and where it stands twice, in one of the two places."""
    everywhere = equation
    for factor in group:
        everywhere = everywhere.using(factor, replace(factor, role="other", name=name, array=array))
    yield Edit("other", everywhere, group[0], name)
    for factor in group if len(group) > 1 else ():
        other = replace(factor, role="other", name=name, array=array)
        yield Edit("other", equation.using(factor, other), factor, name, extra=3)


def own_spread(term: Term, same: Factor) -> Term:
    """1/s in front of the sum: of another group's entries the spread would be another one."""
    read, target = same.axes
    for factor in term.factors:
        if factor.own == "1/s":
            axes = tuple(target if axis == read else axis for axis in factor.axes)
            term = term.using(factor, replace(factor, axes=axes))
    return term


def over_others(equation: Equation, same: list[Factor]) -> Iterator[Edit]:
    """Means over all channels together, and over each channel alone."""
    channels, inside = len(same[0].array), same[0].array.sum(-1)[0]
    incoming = next(f for f in equation.factors() if f.role == DELTA)
    ways = (
        (np.ones((channels, channels)), inside / channels, "over all channels"),
        (np.eye(channels), inside, "over each channel by itself"),
    )
    for array, share, over in ways:
        terms = []
        for term in equation.terms:
            own = next((f for f in same if f in term.factors), None)
            if own is not None:
                wrong = own_spread(term.using(own, replace(own, array=array)), own)
                term = replace(wrong, coefficient=share * term.coefficient)
            terms.append(term)
        note = f"{over}, where it is one over the channels of a group"
        yield Edit("sum", replace(equation, terms=tuple(terms)), incoming, note)
