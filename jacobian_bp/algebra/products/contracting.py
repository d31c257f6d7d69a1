"""The contraction of dense factors: planned from their axes, then a function of arrays."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import prod

import numpy as np
import opt_einsum

from ...numbers.memory import require_memory
from ...numbers.outer_products import LEAST, write_product
from ..expression import Dense
from ..tape import apply
from .gram import Gram, gram_kernel, gram_of

Axes = tuple[str, ...]
Kernel = Callable[..., np.ndarray]
LETTERS = 52  # that numpy's einsum knows


def contract(
    factors: Sequence[Dense], axes: Sequence[str], sizes: dict[str, int], coefficient: float = 1.0
) -> np.ndarray:
    """Σ over every axis outside `axes` of the product of the factors: a fresh ndarray."""
    equation = _equation([f.axes for f in factors], axes)
    shape = [sizes[axis] for axis in axes]
    require_memory(
        f"the contraction {equation}",
        shape,
        max(f.array.itemsize for f in factors),
        'Contract it with a vector: J.pull(v), or run.gradients(route="vjp").',
    )
    words = tuple([f.axes for f in factors])
    kernel = _kernel(words, tuple(axes), _sizes_of(words, sizes))
    form = gram_of([f.array for f in factors], words, axes, sizes)
    if form:
        kernel = _of_gram(form, words, tuple(axes), sizes, kernel)

    def scaled(*arrays: np.ndarray) -> np.ndarray:
        result = kernel(*arrays)
        return np.asarray(result * result.dtype.type(coefficient))

    contracted = kernel if coefficient == 1.0 else scaled
    return apply(contracted, [f.array for f in factors], shape, what=(equation, coefficient))


def aligned(own: Axes, axes: Sequence[str]) -> Callable[[np.ndarray], np.ndarray]:
    """A view of an array of axes `own` in the order of `axes`, of size 1 where it has none."""
    if own == tuple(axes):
        return lambda array: array
    order = [own.index(axis) for axis in axes if axis in own]
    spread = tuple(slice(None) if axis in own else None for axis in axes)
    return lambda array: array.transpose(order)[spread]


def _equation(words: Sequence[Axes], axes: Sequence[str]) -> str:
    letters: dict[str, str] = {}
    for axis in [*axes, *(a for word in words for a in word)]:
        letters.setdefault(axis, opt_einsum.get_symbol(len(letters)))
    inputs = ",".join("".join(letters[a] for a in word) for word in words)
    return inputs + "->" + "".join(letters[a] for a in axes)


def _sizes_of(words: Sequence[Axes], sizes: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((axis, sizes[axis]) for axis in dict.fromkeys(a for word in words for a in word))


@lru_cache(maxsize=1024)
def _kernel(words: tuple[Axes, ...], axes: Axes, known: tuple[tuple[str, int], ...]) -> Kernel:
    """The two commonest contractions of a pair without a planner; more factors pair by pair.

    Layers that are alike have the same, which is planned once: it depends on axes and sizes alone.
    """
    equation, sizes = _equation(words, axes), dict(known)
    if words == (axes,):
        return lambda array: np.array(array, order="C", copy=True)
    if len(words) == 1:
        return lambda array: np.array(np.einsum(equation, array), order="C", copy=True)
    if len(words) == 2:
        left, right = words
        shared = [axis for axis in left if axis in right]
        every = {*left, *right}
        once = all(len({*word}) == len(word) for word in words)  # no diagonal Q[i,i]
        if once and every == {*axes}:
            return _entrywise(left, right, axes, sizes)
        if once and every - {*axes} == {*shared}:
            return _matrix_product(left, right, axes, sizes)
        if len({*left, *right}) <= LETTERS:
            return lambda a, b: np.asarray(np.einsum(equation, a, b))
    shapes = [tuple(sizes[axis] for axis in word) for word in words]
    path, _ = opt_einsum.contract_path(equation, *shapes, shapes=True, optimize="auto")
    if len(words) > 2 and all(len(pair) == 2 for pair in path):
        return _pair_by_pair(words, axes, sizes, path)

    def planned(*arrays: np.ndarray) -> np.ndarray:
        return np.asarray(opt_einsum.contract(equation, *arrays, optimize=path))

    return planned


def _of_gram(
    form: Gram, words: Sequence[Axes], axes: Axes, sizes: dict[str, int], otherwise: Kernel
) -> Kernel:
    """Xᵀ D X by half of it; the weights D are the product of all other factors."""
    others = [word for n, word in enumerate(words) if n not in form.pair]
    beside = tuple(a for a in axes if a not in form.rows and a not in form.columns)
    over = (*beside, *form.summed)

    def weigh(*arrays: np.ndarray) -> np.ndarray:
        found = np.ones([sizes[axis] for axis in over], np.result_type(*arrays))
        for array, word in zip(arrays, others, strict=True):
            found *= aligned(word, over)(array)
        return found

    return gram_kernel(form, words, axes, sizes, weigh, beside, otherwise)


def _pair_by_pair(
    words: Sequence[Axes], axes: Axes, sizes: dict[str, int], path: Sequence[Sequence[int]]
) -> Kernel:
    """The pairs of a path, each with a kernel of its own; what a pair gives goes to the end."""
    waiting, calls = list(words), []
    for pair in path:
        first, second = sorted(pair)
        right, left = waiting.pop(second), waiting.pop(first)
        wanted = {*axes, *(axis for word in waiting for axis in word)}
        every = dict.fromkeys((*left, *right))
        made = tuple(axis for axis in every if axis in wanted) if waiting else axes
        kernel = _kernel((left, right), made, _sizes_of((left, right), sizes))
        calls.append((first, second, kernel))
        waiting.append(made)

    def contracted(*arrays: np.ndarray) -> np.ndarray:
        found = list(arrays)
        for first, second, kernel in calls:
            right = found.pop(second)
            found.append(kernel(found.pop(first), right))
        return found[0]

    return contracted


def _entrywise(left: Axes, right: Axes, axes: Axes, sizes: dict[str, int]) -> Kernel:
    """left[i] right[i,j] -> [i,j]: nothing is summed."""
    one, other = aligned(left, axes), aligned(right, axes)
    shape = tuple(sizes[axis] for axis in axes)

    if shape and prod(shape) < LEAST:
        return lambda a, b: np.multiply(one(a), other(b), order="C")

    def entrywise(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        found = np.empty(shape, np.result_type(a, b))
        write_product(one(a), other(b), found)
        return found

    return entrywise


def _matrix_product(left: Axes, right: Axes, axes: Axes, sizes: dict[str, int]) -> Kernel:
    """Σ over all that two factors share, as one matrix product."""
    shared = [axis for axis in left if axis in right]
    mine, other = _rest(left, shared), _rest(right, shared)
    turned = bool(axes) and axes[0] in other  # so that the result mostly has its order already
    if turned:
        left, right, mine, other = right, left, other, mine
    summed = prod(sizes[axis] for axis in shared)
    first = [left.index(axis) for axis in (*mine, *shared)]
    second = [right.index(axis) for axis in (*shared, *other)]
    rows = (prod(sizes[axis] for axis in mine), summed)
    columns = (summed, prod(sizes[axis] for axis in other))
    shape = tuple(sizes[axis] for axis in (*mine, *other))
    order = [(*mine, *other).index(axis) for axis in axes]
    if len(shared) == 1 and len(mine) < 2 and len(other) < 2 and order == [*range(len(order))]:
        return _of_rank_two(left[0] == shared[0], right[0] == shared[0], turned)

    def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if turned:
            a, b = b, a
        found = a.transpose(first).reshape(rows).dot(b.transpose(second).reshape(columns))
        return found.reshape(shape).transpose(order)

    return product


def _of_rank_two(left_first: bool, right_first: bool, turned: bool) -> Kernel:
    """A product of matrices and vectors, whose summed axis is the first or the last of each."""

    def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if turned:
            a, b = b, a
        return np.asarray((a.T if left_first else a).dot(b if right_first else b.T))

    return product


def _rest(axes: Axes, shared: Sequence[str]) -> Axes:
    return tuple(axis for axis in axes if axis not in shared)
