"""Deltas at positions spent, and brought into a form in which each axis is read once.

    Σ_i δ[i,f] g[i]            =  g[f]                             0 where f leaves the axis
    Σ_o δ[i,f(o)] δ[o,g]       =  δ[i,f(g)] [0≤g≤size of o − 1]
    Σ_i δ[i,f] δ[i,g]          =  [f=g] [0≤f≤size of i − 1]
    δ[a,f(b)] δ[b,g]           =  δ[a,f(g)] δ[b,g]                 a and b kept
    δ[a,f] δ[a,g]              =  δ[a,f] [f=g]
    δ[a,f(a)]                  =  [a=f(a)]
    δ[a,f] δ[b,f]              =  δ[a,b] δ[b,f]                    sizes equal

Afterwards no position speaks of an axis that is itself read at a position.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from ..expression import Delta, Dense, Distinct, Factor, One, Term
from ..positions.affine_and_table import (
    Affine,
    Position,
    Table,
    along,
    difference,
    lies_inside,
    substituted,
    tabulated,
)
from ..positions.position_factors import At, Within
from ..tape import apply
from .reading import read_at

Sizes = dict[str, int]


def next_summed(term: Term, kept: Sequence[str]) -> At | None:
    """A delta at a position whose own axis is summed: it can be spent."""
    return next((f for f in term.of(At) if f.axis not in kept), None)


def spend_at(term: Term, factor: At, sizes: Sizes) -> Term:
    """Σ over the axis of one delta: whatever else has the axis is read at the position."""
    axis, position, size = factor.axis, factor.position, sizes[factor.axis]
    others = [f for f in term.factors if f is not factor]
    if axis in position.axes:  # δ[a,f(a)]: a = f(a)
        return _covering(term, [*others, equal(along(axis), position, sizes)])
    found: list[Factor] = []
    guarded = lies_inside(position, size, sizes)
    for other in others:
        if axis not in other.axes:
            found.append(other)
        elif isinstance(other, Dense):
            found.append(read_at(other, axis, position, sizes))
        elif isinstance(other, Distinct):
            left, right = (position if a == axis else along(a) for a in other.axes)
            found.append(apart(left, right, sizes))
        elif isinstance(other, At | Within):
            found.append(_read_there(other, factor, sizes))
    if not guarded:
        padded = any(isinstance(f, Dense) and axis in f.axes for f in others)
        found.append(Within(position, 0, size - 1, padded))
    return _covering(term, found, gone={axis})


def solved(term: Term, kept: Sequence[str], sizes: Sizes) -> Term:
    """The term with each axis read once: no position has an axis that is read at one itself."""
    done: list[str] = []
    while True:
        factor = next((f for f in term.of(At) if f.axis not in done), None)
        if factor is None:
            break
        if factor.axis in factor.position.axes:
            same = equal(along(factor.axis), factor.position, sizes)
            term = _covering(term, [same if f is factor else f for f in term.factors])
            continue
        done.append(factor.axis)
        term = _covering(term, [_beside(factor, f, sizes) for f in term.factors])
    return _plain(_same_position(term, sizes), kept, sizes)


def equal(left: Position, right: Position, sizes: Sizes) -> Within:
    """[f=g]"""
    return Within(difference(left, right, sizes), 0, 0)


def _beside(factor: At, other: Factor, sizes: Sizes) -> Factor:
    """Another factor of the term, its position read where the kept axis of `factor` is."""
    if other is not factor and isinstance(other, At | Within) and factor.axis in other.axes:
        return _read_there(other, factor, sizes)
    return other


def _read_there(other: At | Within, factor: At, sizes: Sizes) -> At | Within:
    """A factor that has the axis of `factor`, with the position in the place of the axis."""
    axis, read = factor.axis, other.position
    if axis in read.axes:
        read = substituted(read, axis, factor.position, sizes)
    if isinstance(other, Within):
        return other.reading(read)
    if other.axis == axis:
        return equal(factor.position, read, sizes)
    return At(other.axis, read, other.here or factor.here)


def _same_position(term: Term, sizes: Sizes) -> Term:
    """Two axes read at one affine position are equal."""
    ats = [f for f in term.of(At) if isinstance(f.position, Affine)]
    for place, first in enumerate(ats):
        for second in ats[place + 1 :]:
            same = first.position == second.position and not first.here and not second.here
            if same and sizes[first.axis] == sizes[second.axis]:
                joined = Delta(first.axis, second.axis)
                factors = tuple(joined if f is first else f for f in term.factors)
                return _same_position(Term(factors, term.coefficient, term.sums), sizes)
    return term


def _plain(term: Term, kept: Sequence[str], sizes: Sizes) -> Term:
    """Without ranges that always hold, and Σ_i,j δ[f,W·i+j] is 1[f] where i, j count f through."""
    found: list[Factor] = []
    counted: set[str] = set()
    for place, factor in enumerate(term.factors):
        if isinstance(factor, Within) and _always(factor, sizes):
            continue
        if isinstance(factor, At) and isinstance(factor.position, Affine) and not factor.here:
            others = (*found, *term.factors[place + 1 :])
            beside = {*kept, *(a for f in others for a in f.axes)}
            alone = not {*factor.position.axes} & beside
            if alone and _counts_through(factor.position, sizes[factor.axis], sizes):
                found.append(One(factor.axis))
                counted |= {*factor.position.axes}
                continue
        found.append(factor)
    return _covering(term, found, gone=counted)


def _always(factor: Within, sizes: Sizes) -> bool:
    bounds = factor.position.bounds(sizes)
    if bounds is None:
        return False
    low, high = factor.low, factor.high
    return (low is None or low <= bounds[0]) and (high is None or bounds[1] <= high)


def _counts_through(position: Affine, size: int, sizes: Sizes) -> bool:
    """Whether the position is each of 0 … size−1 once, as W·i + j is for j below W."""
    reach = 1
    for times, count in sorted((times, sizes[axis]) for axis, times in position.parts):
        if times != reach and count != 1:
            return False
        reach *= count
    return position.offset == 0 and reach == size


def as_array(factor: Within | Distinct, sizes: Sizes, dtype: np.dtype) -> Dense:
    """A range as an array of ones and zeros, for a sum over one of its axes."""
    if isinstance(factor, Distinct):
        factor = apart(along(factor.left), along(factor.right), sizes)
    own, known, found = factor.axes, dict(sizes), factor
    shape = tuple(sizes[axis] for axis in own)

    def filled(*tables: np.ndarray) -> np.ndarray:
        position = found.position
        if isinstance(position, Table):
            position = replace(position, array=tables[0])
        held = found.holds(position.values(own, known))
        return np.array(np.broadcast_to(held, shape), dtype)

    position = factor.position
    tables = [position.array] if isinstance(position, Table) else []
    return Dense(str(factor), own, apply(filled, tables, shape, dtype))


def apart(left: Position, right: Position, sizes: Sizes) -> Within:
    """1 − δ of two positions."""
    axes = tuple(dict.fromkeys((*left.axes, *right.axes)))
    words, known = f"[{left.words}≠{right.words}]", dict(sizes)

    def differ(one: Position, other: Position) -> np.ndarray:
        return np.not_equal(one.values(axes, known), other.values(axes, known))

    return Within(tabulated(words, axes, [left, right], differ, sizes), 1)


def _covering(term: Term, factors: list[Factor], gone: Collection[str] = ()) -> Term:
    """The term of these factors; an axis that fell out of all of them is said aloud, 1[r]."""
    standing = {axis for f in factors for axis in f.axes}
    lost = dict.fromkeys(a for f in term.factors for a in f.axes if a not in standing)
    ones = [One(axis) for axis in lost if axis not in gone]
    return Term((*factors, *ones), term.coefficient, term.sums)
