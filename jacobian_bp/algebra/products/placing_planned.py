"""Placing planned: where each term goes in an array of zeros, worked out once for many runs.

    x[i] H[k,k'] x[i'] + δ[k,k'] h[k] x[i] x[i']   into a block of a larger array

A delta is a stride and a factor a view. What touches the last axes is multiplied first, so that
the rows of the block are one array times a number each. Each run is left with the products.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...numbers.outer_products import write_product
from ..expression import Delta, Dense, Expression, One, Term
from .contracting import aligned
from .diagonals import leaders
from .placing import evaluate

Writer = Callable[[Sequence[np.ndarray], np.ndarray], None]
Word = tuple[str, ...]


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


def writer(expression: Expression, spot: Spot, dtype: np.dtype) -> Writer:
    """A function of the expression's arrays and of the whole that writes it to its spot.

    The spot holds zeros before. Of the expression only axes and shapes are read: its arrays may be
    stand-ins.
    """
    terms = expression.terms
    if not all(_is_simple(term, spot.axes, dtype) for term in terms):
        names, sizes = spot.axes, dict(zip(spot.axes, spot.sizes, strict=True))

        def evaluated(arrays: Sequence[np.ndarray], whole: np.ndarray) -> None:
            evaluate(expression.holding(arrays), names, sizes, dtype, out=spot.of(whole))

        return evaluated
    calls, start = [], 0
    for term in terms:
        stop = start + len(term.of(Dense))
        calls.append((start, stop, len(term.of(Delta)), *_placer(term, spot)))
        start = stop
    calls.sort(key=lambda call: call[2])  # the term that covers most is written, others added

    def written(arrays: Sequence[np.ndarray], whole: np.ndarray) -> None:
        add = False
        for first, last, _, target, write in calls:
            view = target.of(whole)
            if add:
                value = np.empty(view.shape, view.dtype)
                write(arrays[first:last], value)
                view += value
            else:
                write(arrays[first:last], view)
            add = True

    return written


def _is_simple(term: Term, axes: Word, dtype: np.dtype) -> bool:
    """Whether the term is deltas times arrays, none of which has an axis twice."""
    if term.sums or not all(isinstance(f, Delta | Dense | One) for f in term.factors):
        return False
    leader = leaders(term, axes)
    dense = term.of(Dense)
    if not all(set(f.axes) <= set(axes) and f.array.dtype == dtype for f in dense):
        return False
    return all(len({leader[axis] for axis in f.axes}) == len(f.axes) for f in dense)


def _placer(term: Term, spot: Spot) -> tuple[Spot, Writer]:
    """Where the entries of a term lie that its deltas leave, and what writes them."""
    leader = leaders(term, spot.axes)
    size = dict(zip(spot.axes, spot.sizes, strict=True))
    places = tuple(dict.fromkeys(leader[axis] for axis in spot.axes))
    strides = dict.fromkeys(places, 0)
    for axis, stride in zip(spot.axes, spot.strides, strict=True):
        strides[leader[axis]] += stride
    words = [tuple(leader[axis] for axis in f.axes) for f in term.of(Dense)]
    tail = _contiguous(places, size, strides, words, term)
    kept = places[: len(places) - len(tail)]
    sizes, steps = [size[p] for p in kept], [strides[p] for p in kept]
    if tail:
        sizes.append(int(np.prod([size[p] for p in tail])))
        steps.append(strides[tail[-1]])
    target = Spot((*kept, *(["".join(tail)] if tail else [])), tuple(sizes), tuple(steps), spot.offset)
    return target, _product(words, places, len(tail), size, term.coefficient)


def _contiguous(
    places: Word, size: dict[str, int], strides: dict[str, int], words: Sequence[Word], term: Term
) -> Word:
    """The last places that lie side by side, where some factors have all of them and others none."""
    itemsize = max((f.array.itemsize for f in term.of(Dense)), default=0)
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
    order = sorted(range(len(words)), key=lambda n: np.prod([size[axis] for axis in words[n]]))
    views = [(n, aligned(words[n], places)) for n in order]

    def multiplied(arrays: Sequence[np.ndarray]) -> np.ndarray:
        (first, view), *others = views
        found = view(arrays[first])
        for n, aligned_to in others:
            found = found * aligned_to(arrays[n])
        return found

    return multiplied
