"""Kernels of what mixes the entries of a row: softmax, and normalisation of the last axis."""

from typing import Any

import numpy as np
from numpy import add, exp, greater, maximum, multiply, reciprocal, sqrt, subtract, vecdot

from .place import Calls, Place, general, kernel

MOST = 100  # entries of a row, as sums of more would round more often than the bar allows


@kernel(exponential=True)
def softmax(op: Any, at: Place) -> Calls:
    """e/Σe, e = exp(z − max z), that difference with its rounding error (TwoSum).

    z̄ = p (d − Σ p d), d = p̄ − c, where c is the p̄ of an entry above ½ and else 0: there
    1 − p is what the others sum to, and nothing cancels.
    """
    (z,), p, (z_bar,) = at.inputs, at.value, at.input_bars
    if op.place != -1 or z.shape[-1] > MOST or z_bar is None:
        return general(op, at)
    high, error, work = at.buffer(), at.buffer(), at.buffer()
    first = np.zeros_like(z[..., :1])
    total, half = np.zeros_like(first), at.number(0.5)
    row = total[..., 0]

    def forward() -> None:
        maximum.reduce(z, axis=-1, keepdims=True, out=first)
        subtract(z, first, out=high)
        subtract(high, z, out=work)
        subtract(high, work, out=error)
        subtract(z, error, out=error)
        add(first, work, out=work)
        subtract(error, work, out=error)
        exp(high, out=p)
        multiply(p, error, out=work)
        add(p, work, out=p)
        add.reduce(p, axis=-1, keepdims=True, out=total)
        reciprocal(total, out=total)
        multiply(p, total, out=p)

    def backward() -> None:
        greater(p, half, out=work)
        vecdot(at.bar, work, out=row)
        subtract(at.bar, total, out=work)
        vecdot(p, work, out=row)
        subtract(work, total, out=work)
        multiply(p, work, out=z_bar)

    return forward, backward


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
    share, eps, zero = at.number(1 / size), at.number(op.eps), at.number(0)
    mean, scale = np.zeros_like(x[..., :1]), np.zeros_like(x[..., :1])
    square, row = np.zeros_like(mean), np.zeros_like(mean)
    ones = np.ones(x.size // size, x.dtype)
    flat, bars = work.reshape(-1, size), at.bar.reshape(-1, size)

    def forward() -> None:
        if centred:
            add.reduce(x, axis=-1, keepdims=True, out=mean)
            multiply(mean, share, out=mean)
            subtract(x, mean, out=normal)
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
