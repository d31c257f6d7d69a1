"""From an expression to numbers: products contracted, structural zeros placed.

A delta places entries on a diagonal by assignment; nothing is multiplied by an
identity, so structural zeros are exactly +0.0 beside inf, NaN and negative
numbers too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...numbers.outer_products import write_product
from ...numbers.untouched_zeros import untouched_zeros
from ..expression import Delta, Dense, Distinct, Expression, Term
from ..positions.position_factors import At, Within
from ..tape import StandIn, apply
from .contracting import aligned, contract
from .diagonals import diagonal_view, leaders, ordered
from .placing_planned import Spot, Writer, spot_of, summed_products, writer
from .placing_positions import place_positions

_POSITIONS = {At, Within}
_PLACED = {Delta, Distinct}


def evaluate(
    expression: Expression,
    axes: Sequence[str],
    sizes: dict[str, int],
    dtype: np.dtype,
    out: np.ndarray | None = None,
    seldom_read: bool = False,
) -> np.ndarray:
    """The dense array of an expression over `axes`: a fresh ndarray, or `out` filled.

    With `seldom_read`, zeros that are never looked at take no memory.
    """
    shape = tuple(sizes[axis] for axis in axes)
    windows = any(map(_by_position, expression.terms))
    if windows:
        arrays = expression.arrays
    else:
        arrays = [f.array for term in expression.terms for f in term.of(Dense)]
    if any(isinstance(array, StandIn) for array in arrays):
        return _recorded(expression, axes, sizes, dtype, shape)
    covered = len(expression.terms) == 1 and not windows and not _placed(expression.terms[0])
    made = _made_already(expression, axes, dtype) if out is None else None
    if made is not None:
        return _in_order(made)
    if out is not None:
        if not covered:
            out[...] = 0.0
    elif covered:
        out = np.empty(shape, dtype)
    elif seldom_read and not windows:
        out = untouched_zeros(shape, dtype)
    else:  # a window touches every page
        out = np.zeros(shape, dtype)
    for position, term in enumerate(expression.terms):
        if windows and _by_position(term):
            place_positions(term, axes, term.sizes(sizes), out)
        else:
            _place(term, axes, sizes, out, position > 0)
    return out


def written_to(expression: Expression, spot: Spot, dtype: np.dtype) -> Writer:
    """What writes the expression to a spot of zeros: planned, or evaluated anew in each run."""
    sizes = dict(zip(spot.axes, spot.sizes, strict=True))

    def evaluated(arrays: Sequence[np.ndarray], whole: np.ndarray) -> None:
        evaluate(expression.holding(arrays), spot.axes, sizes, dtype, out=spot.of(whole))

    return writer(expression, spot, dtype) or evaluated


@dataclass(frozen=True)
class Placing:
    """How a product of at most two arrays fills a new array, worked out once for many runs."""

    shape: tuple[int, ...]
    dtype: np.dtype
    covers: bool  # every entry is written: no zeros are needed
    write: Writer

    def filled(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """The new array for these factors. Zeros that are never looked at take no memory."""
        made = np.empty if self.covers else untouched_zeros
        out = made(self.shape, self.dtype)
        self.write(arrays, out)
        return out


def placing_of(
    expression: Expression, axes: Sequence[str], shape: tuple[int, ...], dtype: np.dtype
) -> Placing | None:
    """The placing of an expression of one term with at most two factors that round; else None.

    Two numbers have one product, in whatever order: it is `evaluate`'s to the bit.
    """
    if len(expression.terms) != 1:
        return None
    (term,) = expression.terms
    if len(term.of(Dense)) + (abs(term.coefficient) != 1) > 2:
        return None
    write = writer(expression, spot_of(axes, shape, dtype.itemsize), dtype)
    return write and Placing(shape, dtype, not _placed(term), write)


def _recorded(
    expression: Expression,
    axes: Sequence[str],
    sizes: dict[str, int],
    dtype: np.dtype,
    shape: tuple[int, ...],
) -> np.ndarray:
    """The evaluation of an expression of stand-ins, noted on their tape; a plain one as itself."""
    made = _made_already(expression, axes, dtype)
    if made is not None:
        return apply(_in_order, [made], shape)
    if len(expression.terms) == 1:
        (term,) = expression.terms
        dense = term.of(Dense)
        plain = len(dense) == len(term.factors) and all(f.array.dtype == dtype for f in dense)
        if plain and (len(dense) > 1 or (dense and {*dense[0].axes} == {*axes})):
            return contract(dense, axes, sizes, term.coefficient)
    arrays = expression.arrays

    names, known = tuple(axes), dict(sizes)  # the caller's own may change before a replay
    what = None if expression.has_positions else (names, shape, dtype, expression.skeleton)
    added = summed_products(expression, names, known, dtype)
    if added is not None:
        return apply(added, arrays, shape, dtype, what)
    write = writer(expression, spot_of(names, shape, dtype.itemsize), dtype)
    if write is not None:
        planned = write

        def placed(*numbers: np.ndarray) -> np.ndarray:
            out = np.zeros(shape, dtype)
            planned(numbers, out)
            return out

        return apply(placed, arrays, shape, dtype, what)

    def evaluated(*numbers: np.ndarray) -> np.ndarray:
        return evaluate(expression.holding(numbers), names, known, dtype)

    return apply(evaluated, arrays, shape, dtype, what)


def _made_already(
    expression: Expression, axes: Sequence[str], dtype: np.dtype
) -> np.ndarray | None:
    """The array of an expression that is one contraction's own result: no copy is needed."""
    if len(expression.terms) != 1 or len(expression.terms[0].factors) != 1:
        return None
    term, (factor,) = expression.terms[0], expression.terms[0].factors
    if not isinstance(factor, Dense) or not factor.own or term.coefficient != 1:
        return None
    fits = factor.axes == tuple(axes) and factor.array.dtype == dtype
    return factor.array if fits else None


def _in_order(array: np.ndarray) -> np.ndarray:
    """The array itself where its entries lie row by row, else a copy in which they do."""
    return array if array.flags.c_contiguous else array.copy()


def _place(
    term: Term, axes: Sequence[str], sizes: dict[str, int], out: np.ndarray, add: bool
) -> None:
    """Write one term where its deltas are not 0, or add it there."""
    leader = leaders(term, axes)
    if any(leader[f.left] == leader[f.right] for f in term.of(Distinct)):
        return  # δ (1−δ) = 0
    places = list(dict.fromkeys(leader[axis] for axis in axes))
    standing = tuple([f for f in term.factors if not isinstance(f, Delta | Distinct)])
    free = Term(standing, term.coefficient).renamed(leader)
    target = diagonal_view(out, axes, leader)
    if not add and not term.of(Distinct):
        _write(free, places, sizes, target)
        return
    value = np.empty(target.shape, out.dtype)
    _write(free, places, sizes, value)
    for factor in term.of(Distinct):
        pair = {leader[factor.left]: leader[factor.right]}
        diagonal_view(value, places, {a: pair.get(a, a) for a in places})[...] = 0.0
    if add:
        target += value
    else:
        target[...] = value


def _write(term: Term, axes: Sequence[str], sizes: dict[str, int], target: np.ndarray) -> None:
    """A product of dense factors into `target`, constant along the axes that none of them has."""
    dense, coefficient = term.of(Dense), term.coefficient
    simple = all(len({*f.axes}) == len(f.axes) and {*f.axes} <= {*axes} for f in dense)
    if not dense:
        target[...] = coefficient
    elif not simple:
        own = ordered({axis for factor in dense for axis in factor.axes}, axes)
        target[...] = aligned(own, axes)(contract(dense, own, sizes, coefficient))
    else:
        arrays = _two_of([aligned(factor.axes, axes)(factor.array) for factor in dense])
        if coefficient != 1:
            arrays[0] = arrays[0] * arrays[0].dtype.type(coefficient)
        if len(arrays) == 1:
            target[...] = arrays[0]
        else:
            write_product(arrays[0], arrays[1], target)


def _two_of(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The factors of a product multiplied down to two, the smallest products first."""
    while len(arrays) > 2:
        pairs = combinations(range(len(arrays)), 2)
        i, j = min(pairs, key=lambda p: np.broadcast(arrays[p[0]], arrays[p[1]]).size)
        arrays = [arrays[i] * arrays[j], *(a for k, a in enumerate(arrays) if k not in (i, j))]
    return sorted(arrays, key=np.size)


def _by_position(term: Term) -> bool:
    return bool(term.sums) or not _POSITIONS.isdisjoint(map(type, term.factors))


def _placed(term: Term) -> bool:
    return not _PLACED.isdisjoint(map(type, term.factors))
