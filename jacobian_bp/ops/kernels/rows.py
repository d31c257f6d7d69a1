"""Kernels of what mixes the entries of a row: softmax, and normalisation of the last axis."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import add, divide, exp, greater, multiply, reciprocal, sqrt, subtract, vecdot

from .place import Calls, Place, general, kernel

MOST = 1000  # entries of a row: the sum of so many e^z, inside LIMITS, has a normal reciprocal
MOST_APART = 100  # of an axis that is not the last: entries are added one by one, and round each


@kernel(exponential=True)
def softmax(op: Any, at: Place) -> Calls:
    """e/Σe along the op's axis."""
    return _softmax(op, at, op.place, None)


@kernel(exponential=True)
def masked_softmax(op: Any, at: Place) -> Calls:
    """m e/Σm e along the op's axis."""
    return _softmax(op, at, op.place, at.inputs[1])


@kernel(exponential=True)
def causal_softmax(op: Any, at: Place) -> Calls:
    """The same with the mask [u≤t]."""
    return _softmax(op, at, -1, np.tri(*at.value.shape[-2:], dtype=at.value.dtype))


def _softmax(op: Any, at: Place, axis: int, mask: np.ndarray | None) -> Calls:
    """p = m e^z / Σ m e^z: inside LIMITS e^z and its sum are normal numbers, nothing is shifted.

    z̄ = p (d − Σ p d), d = p̄ − c, where c is the p̄ of an entry above ½ and else 0: there
    1 − p is what the others sum to, and nothing cancels.
    """
    z, p, z_bar = at.inputs[0], at.value, at.input_bars[0]
    most = MOST if axis == -1 else MOST_APART
    if z_bar is None or z.shape != p.shape or z.shape[axis] > most:
        return general(op, at)
    work, half = at.buffer(), at.number(0.5)
    total = np.zeros_like(add.reduce(p, axis=axis, keepdims=True))
    sum_of_products = _products(at, axis, total)

    def forward() -> None:
        exp(z, out=p)
        if mask is not None:
            multiply(p, mask, out=p)
        add.reduce(p, axis=axis, keepdims=True, out=total)
        reciprocal(total, out=total)
        multiply(p, total, out=p)

    def backward() -> None:
        greater(p, half, out=work)
        sum_of_products(at.bar, work)
        subtract(at.bar, total, out=work)
        sum_of_products(p, work)
        subtract(work, total, out=work)
        multiply(p, work, out=z_bar)

    return forward, backward


def _products(
    at: Place, axis: int, total: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], object]:
    """The call that writes Σ x y along an axis into `total`."""
    if axis == -1:
        row = total[..., 0]
        return lambda x, y: vecdot(x, y, out=row)
    both = at.buffer()

    def products(x: np.ndarray, y: np.ndarray) -> None:
        multiply(x, y, out=both)
        add.reduce(both, axis=axis, keepdims=True, out=total)

    return products


@kernel()
def layer_norm(op: Any, at: Place) -> Calls:
    """x̂ = (x − mean)/s, and x̄ = g − mean of g − x̂ · mean of g x̂, g = ȳ gamma/s."""
    return _norm(op, at, centred=True)


@kernel()
def rms_norm(op: Any, at: Place) -> Calls:
    """u = x/r, and x̄ = g − u · mean of g u, g = ȳ gamma/r."""
    return _norm(op, at, centred=False)


def _norm(op: Any, at: Place, centred: bool) -> Calls:
    """Inside the square root's range; where x² overflows 1/s is made NaN, which the step sees."""
    (x, gamma, *_), (x_bar, gamma_bar, *_) = at.inputs, at.input_bars
    limits = np.finfo(x.dtype)
    if op.eps <= limits.tiny / limits.eps or x.ndim < 2:
        return general(op, at)
    size, normal, work, bar = x.shape[-1], at.buffer(), at.buffer(), at.buffer()
    share, count = at.number(1 / size), at.number(size)
    eps, zero = at.number(op.eps), at.number(0)
    mean, scale = np.zeros_like(x[..., :1]), np.zeros_like(x[..., :1])
    square, row = np.zeros_like(mean), np.zeros_like(mean)
    ones = np.ones(x.size // size, x.dtype)
    flat, bars = work.reshape(-1, size), at.bar.reshape(-1, size)

    def forward() -> None:
        if centred:
            add.reduce(x, axis=-1, keepdims=True, out=mean)
            divide(mean, count, out=mean)
            subtract(x, mean, out=normal)
            add.reduce(normal, axis=-1, keepdims=True, out=mean)  # what rounding left of it
            divide(mean, count, out=mean)
            subtract(normal, mean, out=normal)
        else:
            np.copyto(normal, x)
        vecdot(normal, normal, out=square[..., 0])
        multiply(square, share, out=square)
        add(square, eps, out=square)
        sqrt(square, out=scale)
        reciprocal(scale, out=scale)
        multiply(square, zero, out=square)  # 0, and NaN where it has overflowed
        add(scale, square, out=scale)
        multiply(normal, scale, out=normal)
        multiply(normal, gamma, out=at.value)
        if centred:
            add(at.value, at.inputs[2], out=at.value)

    def backward() -> None:
        if gamma_bar is not None:
            multiply(at.bar, normal, out=work)
            ones.dot(flat, out=gamma_bar)
        if centred and at.input_bars[2] is not None:
            ones.dot(bars, out=at.input_bars[2])
        if x_bar is None:
            return
        multiply(gamma, scale, out=bar)
        multiply(at.bar, bar, out=bar)
        vecdot(bar, normal, out=row[..., 0])
        multiply(row, share, out=row)
        multiply(normal, row, out=work)
        if centred:
            add.reduce(bar, axis=-1, keepdims=True, out=mean)
            multiply(mean, share, out=mean)
            subtract(bar, mean, out=bar)
        subtract(bar, work, out=x_bar)

    return forward, backward
