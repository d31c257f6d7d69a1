"""The kernel of an einsum: each contraction of two operands as one batched matrix product."""

from collections import Counter
from math import prod
from typing import Any

import numpy as np
from numpy import copyto

from .place import Call, Calls, Place, aligned_zeros, general, kernel

Word = tuple[str, ...]  # the axes of an array; those in front, which no letter names, are numbered


@kernel()
def einsum(op: Any, at: Place) -> Calls:
    """c[k] = Σ_i a[k,i] b[i]; and ā is c̄ contracted with b, over a's own letters.

    Of three operands and more, a letter twice in one operand, or one that an operand has alone,
    the op itself is taken.
    """
    words, result = [tuple(w) for w in op.operands], tuple(op.result)
    if len(words) != 2 or any(len({*w}) < len(w) for w in words):
        return general(op, at)
    (a, b), out = (
        [_named(w, x) for w, x in zip(words, at.inputs, strict=True)],
        _named(result, at.value),
    )
    met = Counter((*a, *b, *out))
    if min(met.values(), default=2) < 2:
        return general(op, at)
    x, y = at.inputs
    forward = contraction(a, x, b, y, out, at.value)
    pulls = [
        contraction(out, at.bar, word, array, own, bar)
        for word, array, own, bar in ((b, y, a, at.input_bars[0]), (a, x, b, at.input_bars[1]))
        if bar is not None
    ]

    def backward() -> None:
        for pull in pulls:
            pull()

    return forward, backward


def contraction(
    left: Word, a: np.ndarray, right: Word, b: np.ndarray, result: Word, out: np.ndarray
) -> Call:
    """The call that writes Σ a b into `out`: letters of both kept, letters of both summed.

    Each operand is read as (kept, own, summed) where its strides allow, else copied into a
    planned buffer first. Each letter stands in two of the three.
    """
    sizes = dict(zip((*left, *right), (*a.shape, *b.shape), strict=True))
    both = [x for x in result if x in left and x in right]
    summed = [x for x in left if x in right and x not in result]
    mine = [x for x in result if x in left and x not in right]
    other = [x for x in result if x in right and x not in left]
    turned = bool(mine and other) and result.index(other[-1]) < result.index(mine[-1])
    if turned:  # so that the result mostly has its order already
        left, a, right, b, mine, other = right, b, left, a, other, mine
    count = prod(sizes[x] for x in both)
    rows, inner, columns = (prod(sizes[x] for x in g) for g in (mine, summed, other))
    first, load_first = _laid(left, a, (both, mine, summed), (count, rows, inner))
    second, load_second = _laid(right, b, (both, summed, other), (count, inner, columns))
    order = [*both, *mine, *other]
    straight = order == [*result]
    into = out if straight else aligned_zeros(tuple(sizes[x] for x in order), out.dtype)
    product = into.reshape(count, rows, columns)
    turn = into.transpose([order.index(x) for x in result])
    loads = [load for load in (load_first, load_second) if load is not None]

    def contracted() -> None:
        for load in loads:
            load()
        np.matmul(first, second, out=product)
        if not straight:
            copyto(out, turn)

    return contracted


def _named(word: Word, array: np.ndarray) -> Word:
    """With the axes in front: the last of them is 1, as they are matched from the right."""
    front = array.ndim - len(word)
    return (*(str(front - n) for n in range(front)), *word)


def _laid(
    word: Word, array: np.ndarray, groups: tuple[list[str], ...], sizes: tuple[int, ...]
) -> tuple[np.ndarray, Call | None]:
    """The array as three axes, one for each group of letters; and the call that copies it there."""
    order = [word.index(x) for group in groups for x in group]
    turned = array.transpose(order)
    view = turned.reshape(sizes)
    if np.shares_memory(view, array) or not array.size:
        return view, None
    held = aligned_zeros(turned.shape, array.dtype)
    return held.reshape(sizes), lambda: copyto(held, turned)
