"""From an expression to numbers: products contracted, structural zeros placed.

A delta places entries on a diagonal by assignment; nothing is multiplied by an
identity, so structural zeros are exactly +0.0 beside inf, NaN and negative
numbers too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import opt_einsum

from .factors import Delta, Dense, Distinct, Expression, Term
from .memory import require_memory
from .pages import untouched_zeros

LEAST_BLOCK = 2**10  # entries: below, a call for each block costs more than it saves


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
    covered = len(expression.terms) == 1 and not _placed(expression.terms[0])
    shape = tuple(sizes[axis] for axis in axes)
    made = _made_already(expression, axes, dtype) if out is None else None
    if made is not None:
        return made
    if out is not None:
        if not covered:
            out[...] = 0.0
    elif covered:
        out = np.empty(shape, dtype)
    else:
        out = untouched_zeros(shape, dtype) if seldom_read else np.zeros(shape, dtype)
    for position, term in enumerate(expression.terms):
        _place(term, axes, sizes, out, position > 0)
    return out


def _made_already(
    expression: Expression, axes: Sequence[str], dtype: np.dtype
) -> np.ndarray | None:
    """The array of an expression that is one contraction's own result: no copy is needed."""
    if len(expression.terms) != 1 or len(expression.terms[0].factors) != 1:
        return None
    term, (factor,) = expression.terms[0], expression.terms[0].factors
    if not isinstance(factor, Dense) or not factor.own or term.coefficient != 1:
        return None
    if factor.axes != tuple(axes) or factor.array.dtype != dtype:
        return None
    return factor.array if factor.array.flags.c_contiguous else None


def _place(
    term: Term, axes: Sequence[str], sizes: dict[str, int], out: np.ndarray, add: bool
) -> None:
    """Write one term where its deltas are not 0, or add it there."""
    leader = leaders(term, axes)
    if any(leader[f.left] == leader[f.right] for f in term.of(Distinct)):
        return  # δ (1−δ) = 0
    places = list(dict.fromkeys(leader[axis] for axis in axes))
    free = Term(tuple(f for f in term.factors if not isinstance(f, Delta | Distinct)))
    free = replace(free.renamed(leader), coefficient=term.coefficient)
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
        target[...] = _aligned(Dense("", own, contract(dense, own, sizes, coefficient)), axes)
    else:
        arrays = _two_of([_aligned(factor, axes) for factor in dense])
        if coefficient != 1:
            arrays[0] = arrays[0] * arrays[0].dtype.type(coefficient)
        if len(arrays) == 1:
            target[...] = arrays[0]
        elif not _outer(arrays[0], arrays[1], target):
            np.multiply(arrays[0], arrays[1], out=target, casting="same_kind")


def _outer(left: np.ndarray, right: np.ndarray, target: np.ndarray) -> bool:
    """Where the last two axes are a column times a row, let BLAS write them, block by block.

    False, and nothing done, where they are not, or where the blocks are small.
    """
    if target.ndim < 2 or np.prod(target.shape[-2:]) < LEAST_BLOCK:
        return False
    if left.shape[-1] != 1:
        left, right = right, left
    rows, columns = target.shape[-2:]
    if left.shape[-2:] != (rows, 1) or right.shape[-2:] != (1, columns):
        return False
    size = target.itemsize
    if (
        target.strides[-2:] != (columns * size, size)
        or not left.dtype == right.dtype == target.dtype
    ):
        return False
    before = target.shape[:-2]
    left = np.broadcast_to(left, (*before, rows, 1))
    right = np.broadcast_to(right, (*before, 1, columns))
    for place in product(*map(range, before)):
        left[place].dot(right[place], out=target[place])
    return True


def _two_of(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The factors of a product multiplied down to two, the smallest products first."""
    while len(arrays) > 2:
        pairs = combinations(range(len(arrays)), 2)
        i, j = min(pairs, key=lambda p: np.broadcast(arrays[p[0]], arrays[p[1]]).size)
        arrays = [arrays[i] * arrays[j], *(a for k, a in enumerate(arrays) if k not in (i, j))]
    return sorted(arrays, key=np.size)


def _aligned(factor: Dense, axes: Sequence[str]) -> np.ndarray:
    """A view of the factor with its axes in the order of `axes`, of size 1 where it has none."""
    order = [factor.axes.index(axis) for axis in axes if axis in factor.axes]
    spread = tuple(slice(None) if axis in factor.axes else None for axis in axes)
    return factor.array.transpose(order)[spread]


def contract(
    factors: Sequence[Dense], axes: Sequence[str], sizes: dict[str, int], coefficient: float = 1.0
) -> np.ndarray:
    """Σ over every axis outside `axes` of the product of the factors: a fresh ndarray."""
    letters: dict[str, str] = {}
    for axis in [*axes, *(a for f in factors for a in f.axes)]:
        letters.setdefault(axis, opt_einsum.get_symbol(len(letters)))
    words = ["".join(letters[a] for a in f.axes) for f in factors]
    equation = ",".join(words) + "->" + "".join(letters[a] for a in axes)
    require_memory(
        f"the contraction {equation}",
        [sizes[a] for a in axes],
        max(f.array.itemsize for f in factors),
        'Contract it with a vector: J.pull(v), or run.gradients(route="vjp").',
    )
    pair = _pair(factors[0], factors[1], axes) if len(factors) == 2 else None
    if pair is not None:
        result = pair
    elif len(factors) == 1:
        result = np.einsum(equation, factors[0].array)
    else:
        result = opt_einsum.contract(equation, *(f.array for f in factors), optimize="auto")
    if coefficient != 1.0:
        return np.asarray(result * result.dtype.type(coefficient))
    return np.array(result, order="C", copy=True) if len(factors) == 1 else np.asarray(result)


def _pair(left: Dense, right: Dense, axes: Sequence[str]) -> np.ndarray | None:
    """The two commonest contractions without a planner: entry by entry, or a matrix product."""
    shared = [axis for axis in left.axes if axis in right.axes]
    every = {*left.axes, *right.axes}
    if len(every) + len(shared) != len(left.axes) + len(right.axes):
        return None  # a factor has an axis twice
    if every == {*axes}:
        return np.asarray(_aligned(left, axes) * _aligned(right, axes))
    if every - {*axes} != {*shared}:
        return None  # an axis of both is kept, or one of a single factor is summed
    summed = [left.axes.index(a) for a in shared], [right.axes.index(a) for a in shared]
    array = np.tensordot(left.array, right.array, summed)
    found = [axis for axis in (*left.axes, *right.axes) if axis not in shared]
    return array.transpose([found.index(axis) for axis in axes])


def diagonal_view(array: np.ndarray, axes: Sequence[str], leader: dict[str, str]) -> np.ndarray:
    """The entries of `array` at which every axis equals its leader, as a writable view."""
    places = list(dict.fromkeys(leader[axis] for axis in axes))
    strides = dict.fromkeys(places, 0)
    extent: dict[str, int] = {}
    for axis, stride, size in zip(axes, array.strides, array.shape, strict=True):
        strides[leader[axis]] += stride
        extent[leader[axis]] = size
    return np.lib.stride_tricks.as_strided(
        array, tuple(extent[p] for p in places), tuple(strides[p] for p in places)
    )


def ordered(axes: Iterable[str], kept: Sequence[str]) -> tuple[str, ...]:
    """Axes in the order in which the result has them."""
    found = set(axes)
    return tuple(axis for axis in kept if axis in found)


def leaders(term: Term, axes: Sequence[str]) -> dict[str, str]:
    """For each axis, the first axis that the term's deltas make equal to it."""
    leader = {axis: axis for axis in axes}
    for factor in term.of(Delta):
        first, second = sorted((leader[factor.left], leader[factor.right]), key=list(axes).index)
        leader = {a: first if b == second else b for a, b in leader.items()}
    return leader


def _placed(term: Term) -> bool:
    return any(isinstance(factor, Delta | Distinct) for factor in term.factors)
