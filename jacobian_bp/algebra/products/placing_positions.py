"""A term with positions written into zeros: where its deltas and ranges hold, nowhere else.

Everything else stays what it was: a structural zero is +0.0 beside inf and NaN too, because
nothing is multiplied by 0 to get it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from ..expression import Delta, Dense, Distinct, One, Term
from ..positions.affine_and_table import Position, along
from ..positions.position_factors import At, Within
from ..positions.scattering import scatter
from .contracting import aligned, contract
from .diagonals import diagonal_view, leaders, ordered
from .reading import read_at
from .solving import apart, next_summed, solved, spend_at

Mask = tuple[tuple[str, ...], np.ndarray, bool]  # axes, where it is 1, whether it is ensured


def place_positions(
    term: Term, axes: Sequence[str], sizes: dict[str, int], out: np.ndarray
) -> None:
    """Add one term to `out`, over `axes`, where all its deltas and ranges hold."""
    term = _alone(term, axes, sizes)
    leader = leaders(term, axes)
    places = list(dict.fromkeys(leader[axis] for axis in axes))
    target = diagonal_view(out, axes, leader)
    positions = {f.axis: f.position for f in term.of(At)}
    dense = [_moved_in(f, positions, sizes) for f in term.of(Dense)]
    masks = list(_masks(term, positions, sizes))
    read = [*places, *(a for p in positions.values() for a in p.axes)]
    laid = tuple(dict.fromkeys(axis for axis in read if axis not in positions))
    coefficient = term.coefficient * _idle(term, places, sizes)
    inner, outer = _parted(masks, laid)
    if inner and not all(np.isfinite(f.array).all() for f in dense):
        own, value = _chosen_then_summed(dense, masks, laid, sizes)
        value = value * value.dtype.type(coefficient)
        outer = []
    else:
        dense += [Dense("", own, held.astype(out.dtype)) for own, held, sure in inner if not sure]
        own = ordered({a for f in dense for a in f.axes}, laid)
        value = np.array(coefficient, out.dtype)
        if dense:
            value = contract(dense, own, sizes, coefficient)
    for mask in outer:
        own, value = _chosen(own, value, mask, sizes)
    scatter(target, places, value, own, positions, sizes)


def _alone(term: Term, axes: Sequence[str], sizes: dict[str, int]) -> Term:
    """Solved, with no two axes left that a delta makes equal: the first stands for both."""
    while True:
        factor = next_summed(term, axes)
        if factor is None:
            break
        term = spend_at(term, factor, sizes)
    term = solved(term, axes, sizes)
    leader = leaders(term, axes)
    deltas = tuple(term.of(Delta))
    rest = tuple(f for f in term.factors if not isinstance(f, Delta))
    turned = Term(rest, term.coefficient, term.sums).renamed(leader)
    again = solved(turned, axes, sizes)
    if any(isinstance(f, Delta) for f in again.factors):
        whole = Term((*deltas, *again.factors), term.coefficient, term.sums)
        return _alone(whole, axes, sizes)
    return Term((*deltas, *again.factors), again.coefficient, again.sums)


def _idle(term: Term, places: Sequence[str], sizes: dict[str, int]) -> int:
    """Σ_r 1[r] is the size of r: the product over the axes along which nothing changes."""
    ones = dict.fromkeys(f.axis for f in term.of(One) if f.axis not in places)
    other = {a for f in term.factors if not isinstance(f, One) for a in f.axes}
    return prod(sizes[axis] for axis in ones if axis not in other)


def _moved_in(factor: Dense, positions: Mapping[str, Position], sizes: dict[str, int]) -> Dense:
    """The factor read where the axes that have a position are."""
    for axis, position in positions.items():
        if axis in factor.axes:
            factor = read_at(factor, axis, position, sizes)
    return replace(factor, read_at=())


def _masks(term: Term, positions: Mapping[str, Position], sizes: dict[str, int]) -> Iterable[Mask]:
    """Where the ranges of the term hold, as arrays of yes and no."""
    for factor in term.factors:
        if isinstance(factor, Distinct):
            left, right = (positions.get(axis, along(axis)) for axis in factor.axes)
            factor = apart(left, right, sizes)
        if isinstance(factor, Within):
            own = factor.axes
            shape = tuple(sizes[axis] for axis in own)
            held = factor.holds(factor.position.values(own, sizes))
            yield own, np.broadcast_to(held, shape), factor.ensured


def _parted(masks: Sequence[Mask], laid: Sequence[str]) -> tuple[list[Mask], list[Mask]]:
    """The masks with an axis that is summed before anything is placed, and the others."""
    inner = [mask for mask in masks if not {*mask[0]} <= {*laid}]
    return inner, [mask for mask in masks if {*mask[0]} <= {*laid}]


def _chosen(
    own: tuple[str, ...], value: np.ndarray, mask: Mask, sizes: dict[str, int]
) -> tuple[tuple[str, ...], np.ndarray]:
    """The value where the mask holds, else 0: chosen, not multiplied."""
    axes = tuple(dict.fromkeys((*own, *mask[0])))
    shape = tuple(sizes[axis] for axis in axes)
    held = aligned(mask[0], axes)(mask[1])
    found = np.where(held, aligned(own, axes)(value), value.dtype.type(0))
    return axes, np.broadcast_to(found, shape)


def _chosen_then_summed(
    dense: Sequence[Dense], masks: Sequence[Mask], laid: Sequence[str], sizes: dict[str, int]
) -> tuple[tuple[str, ...], np.ndarray]:
    """The product of all factors, 0 chosen, then the sums: what 0 · inf must not enter."""
    own = tuple(dict.fromkeys(axis for f in dense for axis in f.axes))
    value = contract(dense, own, sizes) if dense else np.ones(())
    for mask in masks:
        own, value = _chosen(own, value, mask, sizes)
    summed = tuple(place for place, axis in enumerate(own) if axis not in laid)
    return tuple(axis for axis in own if axis in laid), value.sum(axis=summed)
