"""Xᵀ D X, both X one array: the half of a symmetric product, where no weight is below 0.

    Σ_n d[n] x[n,i] x[n,j]  =  (√d x)ᵀ (√d x)

A matrix times itself turned round is half the work of a product of two (BLAS's syrk).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

Axes = tuple[str, ...]
Kernel = Callable[..., np.ndarray]
WIDE = 64  # columns of X from which the half is worth a square root


@dataclass(frozen=True)
class Gram:
    """Which two factors are X, its axes that are summed, and those of the two that stay."""

    pair: tuple[int, int]
    summed: Axes
    rows: Axes
    columns: Axes


def gram_of(
    arrays: Sequence[Any], words: Sequence[Axes], axes: Sequence[str], sizes: dict[str, int]
) -> Gram | None:
    """The form of a contraction over `axes` that is Xᵀ D X; None for any other."""
    if len(words) < 3:
        return None  # without a weight numpy itself halves the work
    for first in range(len(words)):
        for second in range(first + 1, len(words)):
            if arrays[first] is not arrays[second]:
                continue
            left, right = words[first], words[second]
            both = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
            rows, columns = tuple(a for a, _ in both), tuple(b for _, b in both)
            summed = tuple(axis for axis in left if axis in right)
            found = Gram((first, second), summed, rows, columns)
            if prod(sizes[a] for a in rows) >= WIDE and _is_gram(found, words, axes):
                return found
    return None


def _is_gram(found: Gram, words: Sequence[Axes], axes: Sequence[str]) -> bool:
    """Whether the rest are weights of what is summed, and of axes that stay beside the two."""
    ends = {*found.rows, *found.columns}
    others = {a for n, word in enumerate(words) if n not in found.pair for a in word}
    once = all(len({*word}) == len(word) for word in words)
    beside = others - {*found.summed}
    separate = not ends & others and not ends & {*found.summed}
    stays = ends | beside == {*axes} and not {*found.summed} & {*axes}
    return once and separate and stays and len(ends) == 2 * len(found.rows)


def gram_kernel(
    found: Gram,
    words: Sequence[Axes],
    axes: Axes,
    sizes: dict[str, int],
    weigh: Kernel,
    beside: Axes,
    otherwise: Kernel,
) -> Kernel:
    """X and the weights → the product; `otherwise` multiplies where a weight is below 0.

    `weigh` multiplies the other factors to an array over the axes `beside` and the summed ones.
    """
    first = found.pair[0]
    own = words[first]
    order = [own.index(a) for a in (*found.summed, *found.rows)]
    length, width = (prod(sizes[a] for a in part) for part in (found.summed, found.rows))
    made = (*beside, *found.rows, *found.columns)
    shape = tuple(sizes[axis] for axis in made)
    turned = [made.index(axis) for axis in axes]

    def gram(*arrays: np.ndarray) -> np.ndarray:
        weights = weigh(*(a for n, a in enumerate(arrays) if n not in found.pair))
        if not (weights >= 0).all():
            return otherwise(*arrays)
        x = arrays[first].transpose(order).reshape(length, width)
        roots = np.sqrt(weights).reshape(-1, length, 1)
        whole = np.empty((len(roots), width, width), np.result_type(x, roots))
        for root, part in zip(roots, whole, strict=True):
            scaled = x * root
            scaled.T.dot(scaled, out=part)
        return whole.reshape(shape).transpose(turned)

    return gram
