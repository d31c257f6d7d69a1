"""Kernels of the losses: the cost of each example, and its cotangent at the outputs."""

from typing import Any

import numpy as np
from numpy import add, exp, log1p, maximum, minimum, multiply, reciprocal, subtract, vecdot

from .place import Calls, Place, general, kernel

MOST_CLASSES = 100  # running sums of more would round more often than the bar allows


@kernel()
def squared_error(op: Any, at: Place) -> Calls:
    """Σ (a − y)², with the ½ or without it."""
    (a, y), (a_bar, y_bar) = at.inputs, at.input_bars
    if a_bar is None or y_bar is not None:
        return general(op, at)
    residual, column = np.zeros_like(a), at.bar[..., None]
    halved, half = op.residual == 1, at.number(0.5)

    def forward() -> None:
        subtract(a, y, out=residual)
        vecdot(residual, residual, out=at.value)
        if halved:
            multiply(at.value, half, out=at.value)

    def backward() -> None:
        multiply(residual, column, out=a_bar)
        if not halved:
            add(a_bar, a_bar, out=a_bar)

    return forward, backward


@kernel(exponential=True)
def cross_entropy(op: Any, at: Place) -> Calls:
    """−Σ y log softmax(z) and p Σ' y − y Σ' p, Σ' being the sum over the other classes.

    e = exp(z − max z), that difference with its rounding error (TwoSum). The sums
    over the others are running sums from both ends, so that 1 − p keeps its digits
    where p rounds to 1; the least of them is Σ e − 1.
    """
    (z, y), (z_bar, _) = at.inputs, at.input_bars
    if z_bar is None or z.shape[-1] > MOST_CLASSES:
        return general(op, at)
    high, error, e, others, work, after = (np.zeros_like(z) for _ in range(6))
    first = np.zeros_like(z[..., :1])
    rest, scale = np.zeros_like(first), np.zeros_like(first)
    column, one = at.bar[..., None], at.number(1)
    before_last, from_last = e[..., :-1], e[..., :0:-1]
    from_left, from_right = others[..., 1:], after[..., ::-1][..., 1:]

    def forward() -> None:
        maximum.reduce(z, axis=-1, keepdims=True, out=first)
        subtract(z, first, out=high)
        subtract(high, z, out=work)
        subtract(high, work, out=error)
        subtract(z, error, out=error)
        add(first, work, out=work)
        subtract(error, work, out=error)
        exp(high, out=e)
        multiply(e, error, out=work)
        add(e, work, out=e)
        add.accumulate(before_last, axis=-1, out=from_left)
        add.accumulate(from_last, axis=-1, out=from_right)
        others[..., 0] = 0
        add(others, after, out=others)
        minimum.reduce(others, axis=-1, keepdims=True, out=rest)
        log1p(rest, out=scale)
        subtract(scale, error, out=work)
        subtract(work, high, out=work)
        vecdot(work, y, out=at.value)

    def backward() -> None:
        add(rest, one, out=rest)
        multiply(column, reciprocal(rest, out=rest), out=scale)
        add.reduce(y, axis=-1, keepdims=True, out=rest)
        subtract(rest, y, out=work)
        multiply(e, work, out=work)
        multiply(y, others, out=z_bar)
        subtract(work, z_bar, out=work)
        multiply(work, scale, out=z_bar)

    return forward, backward


def pairwise_dot(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """The products, in the place of `left`, added up in pairs: a long running sum rounds more."""
    multiply(left, right, out=left)
    add.reduce(left, axis=-1, out=out)


@kernel(exponential=True)
def binary_cross_entropy(op: Any, at: Place) -> Calls:
    """Σ (1−y) log(1+h) + y log(1+1/h) and (1−y) h/(1+h) − y/(1+h), h = e^z."""
    (z, y), (z_bar, _) = at.inputs, at.input_bars
    if z_bar is None:
        return general(op, at)
    h, other, work = (np.zeros_like(z) for _ in range(3))
    column, one = at.bar[..., None], at.number(1)
    total = np.zeros_like(at.value)
    dot = vecdot if z.shape[-1] <= MOST_CLASSES else pairwise_dot

    def forward() -> None:
        exp(z, out=h)
        subtract(one, y, out=other)
        log1p(h, out=work)
        dot(work, other, out=at.value)
        reciprocal(h, out=work)
        log1p(work, out=work)
        dot(work, y, out=total)
        add(at.value, total, out=at.value)

    def backward() -> None:
        multiply(other, h, out=other)
        subtract(other, y, out=other)
        add(h, one, out=h)
        multiply(other, reciprocal(h, out=h), out=other)
        multiply(other, column, out=z_bar)

    return forward, backward
