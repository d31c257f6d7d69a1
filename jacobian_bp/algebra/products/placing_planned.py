"""Placing planned: where each term goes in an array of zeros, worked out once for many runs.

    x[i] H[k,k'] x[i'] + δ[k,k'] h[k] x[i] x[i']   into a block of a larger array

A delta is a stride and a factor a view. What touches the last axes is multiplied first, so that
the rows of the block are one array times a number each. Each run is left with the products.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...numbers.outer_products import LEAST, write_product
from ..expression import Delta, Dense, Expression, One, Term
from .contracting import aligned
from .diagonals import leaders

Writer = Callable[[Sequence[np.ndarray], np.ndarray], None]
Word = tuple[str, ...]
Held = tuple[int, Any, Word]  # which of the expression's arrays, it or its stand-in, its axes


@dataclass(frozen=True)
class Spot:
    """A part of a contiguous array: its axes with their sizes and strides, its first byte."""

    axes: Word
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def of(self, whole: np.ndarray) -> np.ndarray:
        """The part as a view that writes to the whole."""
        return np.ndarray(self.sizes, whole.dtype, whole, self.offset, self.strides)


def spot_of(axes: Sequence[str], sizes: Sequence[int], itemsize: int) -> Spot:
    """The whole of a contiguous array over these axes."""
    strides = [itemsize * prod(sizes[n + 1 :]) for n in range(len(sizes))]
    return Spot(tuple(axes), tuple(sizes), tuple(strides), 0)


def writer(expression: Expression, spot: Spot, dtype: np.dtype) -> Writer | None:
    """A function of the expression's arrays and of the whole that writes it to its spot.

    The spot holds zeros before. Of the expression only axes and shapes are read: its arrays may be
    stand-ins. None for what has positions, sums inside, masks or a diagonal Q[i,i].
    """
    terms = expression.terms
    if not terms or not all(_is_simple(term, spot.axes, dtype) for term in terms):
        return None
    groups: dict[frozenset[frozenset[str]], list[tuple[int, Term]]] = {}
    start = 0
    for term in terms:
        skeleton = frozenset(frozenset(f.axes) for f in term.of(Delta))
        groups.setdefault(skeleton, []).append((start, term))
        start += len(term.of(Dense))
    calls = []
    for skeleton in sorted(groups, key=len):  # what covers most is written, others added
        calls += _shared(groups[skeleton], spot)
    if len(calls) == 1:
        ((target, write),) = calls

        def alone(arrays: Sequence[np.ndarray], whole: np.ndarray) -> None:
            write(arrays, target.of(whole))

        return alone

    def written(arrays: Sequence[np.ndarray], whole: np.ndarray) -> None:
        add = False
        for target, write in calls:
            view = target.of(whole)
            if add:
                value = np.empty(view.shape, view.dtype)
                write(arrays, value)
                view += value
            else:
                write(arrays, view)
            add = True

    return written


def summed_products(
    expression: Expression, axes: Word, sizes: dict[str, int], dtype: np.dtype
) -> Callable[..., np.ndarray] | None:
    """A function of the arrays of a[k] b[k] + c[k] d[k] …, small and without deltas: a new array.

    None for any other expression, and for one term, which is a contraction.
    """
    terms = expression.terms
    if len(terms) < 2 or prod(sizes[axis] for axis in axes) >= LEAST:
        return None
    parts, start = [], 0
    for term in terms:
        dense = term.of(Dense)
        covers = {axis for factor in dense for axis in factor.axes} == {*axes}
        bare = len(dense) == len(term.factors) and not term.sums
        if not (bare and covers and dense and _is_simple(term, axes, dtype)):
            return None
        seats = [(start + n, aligned(factor.axes, axes)) for n, factor in enumerate(dense)]
        parts.append((seats, dtype.type(term.coefficient)))
        start += len(dense)

    def added(*arrays: np.ndarray) -> np.ndarray:
        total: Any = None
        for ((first, view), *others), coefficient in parts:
            product = view(arrays[first])
            for place, aligned_to in others:
                product = product * aligned_to(arrays[place])
            if coefficient != 1:
                product = product * coefficient
            total = product if total is None else total + product
        return np.asarray(total, order="C")

    return added


def _shared(group: Sequence[tuple[int, Term]], spot: Spot) -> list[tuple[Spot, Writer]]:
    """Terms with the same deltas: what all have times the sum of the rest, where both are small.

    x[i] H[k,k'] a[i'] + x[i] C[k,i'] d[k']  =  x[i] (H[k,k'] a[i'] + C[k,i'] d[k'])
    """
    size = dict(zip(spot.axes, spot.sizes, strict=True))
    leader = leaders(group[0][1], spot.axes)
    places = tuple(dict.fromkeys(leader[axis] for axis in spot.axes))
    held: list[list[Held]] = [
        [(start + n, f.array, tuple(leader[a] for a in f.axes)) for n, f in enumerate(t.of(Dense))]
        for start, t in group
    ]
    common = held[0]
    for factors in held[1:]:
        common = [one for one, here in zip(common, _matched(common, factors), strict=True) if here]
    rest = [_without(factors, common) for factors in held]
    spans = {axis for factors in rest for _, _, word in factors for axis in word}
    inner = tuple(axis for axis in places if axis in spans)
    if len(group) < 2 or not common or not all(rest) or {*inner} == {*places}:
        return [_alone(factors, t, spot) for factors, (_, t) in zip(held, group, strict=True)]
    sums = [_multiplied([word for *_, word in factors], inner, size) for factors in rest]
    itemsize = common[0][1].itemsize
    words = [*(word for *_, word in common), inner]
    target, write = _placer(words, group[0][1], 1.0, spot, itemsize)
    seats = [seat for seat, *_ in common]
    parts = [
        (sum_of, [seat for seat, *_ in factors], t.coefficient)
        for sum_of, factors, (_, t) in zip(sums, rest, group, strict=True)
    ]
    shape = tuple(size[axis] for axis in inner)

    def added(arrays: Sequence[np.ndarray], out: np.ndarray) -> None:
        total = np.zeros(shape, out.dtype)
        for multiplied, own, coefficient in parts:
            part = multiplied([arrays[seat] for seat in own])
            total += part if coefficient == 1 else part * out.dtype.type(coefficient)
        write([*(arrays[seat] for seat in seats), total], out)

    return [(target, added)]


def _matched(wanted: Sequence[Held], factors: Sequence[Held]) -> list[bool]:
    """Which of the wanted stand among the factors: one that stands there once is one, not two."""
    left, found = list(factors), []
    for one in wanted:
        at = next((n for n, other in enumerate(left) if _same(one, other)), None)
        found.append(at is not None)
        if at is not None:
            del left[at]
    return found


def _without(factors: Sequence[Held], taken: Sequence[Held]) -> list[Held]:
    """The factors but those taken, each as often as it is taken: of v v without v, v is left."""
    left = list(factors)
    for one in taken:
        del left[next(n for n, other in enumerate(left) if _same(one, other))]
    return left


def _same(one: Held, other: Held) -> bool:
    return one[1] is other[1] and one[2] == other[2]


def _alone(factors: Sequence[Held], term: Term, spot: Spot) -> tuple[Spot, Writer]:
    """One term, which picks its arrays out of those of the expression."""
    itemsize = max((array.itemsize for _, array, _ in factors), default=0)
    words = [word for *_, word in factors]
    target, write = _placer(words, term, term.coefficient, spot, itemsize)
    start, stop = (factors[0][0], factors[-1][0] + 1) if factors else (0, 0)
    return target, lambda arrays, out: write(arrays[start:stop], out)


def _is_simple(term: Term, axes: Word, dtype: np.dtype) -> bool:
    """Whether the term is deltas times arrays, none of which has an axis twice."""
    if term.sums or not all(isinstance(f, Delta | Dense | One) for f in term.factors):
        return False
    leader = leaders(term, axes)
    dense = term.of(Dense)
    if not all(set(f.axes) <= set(axes) and f.array.dtype == dtype for f in dense):
        return False
    return all(len({leader[axis] for axis in f.axes}) == len(f.axes) for f in dense)


def _placer(
    words: Sequence[Word], term: Term, coefficient: float, spot: Spot, itemsize: int
) -> tuple[Spot, Writer]:
    """Where the entries of a term lie that its deltas leave, and what writes them."""
    leader = leaders(term, spot.axes)
    size = dict(zip(spot.axes, spot.sizes, strict=True))
    places = tuple(dict.fromkeys(leader[axis] for axis in spot.axes))
    strides = dict.fromkeys(places, 0)
    for axis, stride in zip(spot.axes, spot.strides, strict=True):
        strides[leader[axis]] += stride
    tail = _contiguous(places, size, strides, words, itemsize)
    kept = places[: len(places) - len(tail)]
    sizes, steps = [size[p] for p in kept], [strides[p] for p in kept]
    if tail:
        sizes.append(prod(size[p] for p in tail))
        steps.append(strides[tail[-1]])
    names = (*kept, " ".join(tail)) if tail else kept
    target = Spot(names, tuple(sizes), tuple(steps), spot.offset)
    return target, _product(words, places, len(tail), size, coefficient)


def _contiguous(
    places: Word,
    size: dict[str, int],
    strides: dict[str, int],
    words: Sequence[Word],
    itemsize: int,
) -> Word:
    """The last places that lie side by side, where some factors have all and others none."""
    length, count = 1, 0
    for place in reversed(places):
        if strides[place] != length * itemsize:
            break
        length, count = length * size[place], count + 1
    tail = places[len(places) - count :]
    touching = [word for word in words if {*word} & {*tail}]
    covered = {axis for word in touching for axis in word}
    if not count or len(touching) == len(words) or not {*tail} <= covered:
        return ()
    return () if len(touching) > 1 and covered == {*places} else tail


def _product(
    words: Sequence[Word], places: Word, tail: int, size: dict[str, int], coefficient: float
) -> Writer:
    """The factors multiplied into the target, the last `tail` places of which are one axis."""
    if not words:

        def filled(_: Sequence[np.ndarray], out: np.ndarray) -> None:
            out[...] = coefficient

        return filled
    last = {*places[len(places) - tail :]} if tail else {*places[-1:]}
    inner = [n for n, word in enumerate(words) if last & {*word}]
    outer = [n for n in range(len(words)) if n not in inner]
    left = _multiplied([words[n] for n in inner], places, size) if inner else None
    right = _multiplied([words[n] for n in outer], places, size) if outer else None
    kept = len(places) - tail

    def folded(array: np.ndarray) -> np.ndarray:
        if not tail:
            return array
        shape = array.shape
        return array.reshape((*shape[:kept], -1))

    def product(arrays: Sequence[np.ndarray], out: np.ndarray) -> None:
        factors = [
            folded(multiplied([arrays[n] for n in group]))
            for multiplied, group in ((left, inner), (right, outer))
            if multiplied
        ]
        if coefficient != 1:
            smallest = min(range(len(factors)), key=lambda n: factors[n].size)
            factors[smallest] = factors[smallest] * out.dtype.type(coefficient)
        if len(factors) == 1:
            out[...] = factors[0]
        else:
            write_product(factors[0], factors[1], out)

    return product


def _multiplied(
    words: Sequence[Word], places: Word, size: dict[str, int]
) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    """The product of some factors over the places, of size 1 along those that none has."""
    order = sorted(range(len(words)), key=lambda n: prod(size[axis] for axis in words[n]))
    views = [(n, aligned(words[n], places)) for n in order]

    def multiplied(arrays: Sequence[np.ndarray]) -> np.ndarray:
        (first, view), *others = views
        found = view(arrays[first])
        for n, aligned_to in others:
            found = found * aligned_to(arrays[n])
        return found

    return multiplied
