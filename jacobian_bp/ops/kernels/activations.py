"""Kernels of the activations: σ, tanh and their slopes in as few passes as they take."""

from typing import Any

import numpy as np
from numpy import add, copyto, exp, maximum, multiply, reciprocal

from .place import Calls, Place, general, kernel


@kernel(exponential=True, in_place=True)
def sigmoid(op: Any, at: Place) -> Calls:
    """σ(z) = h/(1+h) and σ' = σ(z)/(1+h), h = e^z; 1/(1+h) is σ(−z), without a difference."""
    (z,), a, (z_bar,) = at.inputs, at.value, at.input_bars
    r, one = at.buffer(), at.number(1)

    def forward() -> None:
        exp(z, out=a)
        add(a, one, out=r)
        reciprocal(r, out=r)
        multiply(a, r, out=a)

    def backward() -> None:
        multiply(a, r, out=r)
        multiply(at.bar, r, out=z_bar)

    return forward, backward


@kernel(exponential=True, in_place=True)
def tanh(op: Any, at: Place) -> Calls:
    """tanh z and its slope (2/(h + 1/h))², h = e^z."""
    (z,), a, (z_bar,) = at.inputs, at.value, at.input_bars
    h, r = at.buffer(), at.buffer()

    def forward() -> None:
        np.tanh(z, out=a)

    def backward() -> None:
        exp(z, out=h)
        reciprocal(h, out=r)
        add(h, r, out=r)
        reciprocal(r, out=r)
        add(r, r, out=r)
        multiply(r, r, out=r)
        multiply(at.bar, r, out=z_bar)

    return forward, backward


@kernel(in_place=True)
def relu(op: Any, at: Place) -> Calls:
    """max(0, z) and its slope, the sign of max(0, z) where nothing else is chosen at 0."""
    (z,), a, (z_bar,) = at.inputs, at.value, at.input_bars
    slope, zero = at.buffer(), at.number(0)
    if op.at_zero != 0:
        return general(op, at)

    def forward() -> None:
        maximum(z, zero, out=a)

    def backward() -> None:
        np.sign(a, out=slope)
        multiply(at.bar, slope, out=z_bar)

    return forward, backward


@kernel(in_place=True)
def sine(op: Any, at: Place) -> Calls:
    """sin z and its slope cos z."""
    (z,), (z_bar,), slope = at.inputs, at.input_bars, at.buffer()

    def backward() -> None:
        np.cos(z, out=slope)
        multiply(at.bar, slope, out=z_bar)

    return lambda: np.sin(z, out=at.value), backward


@kernel(in_place=True)
def cosine(op: Any, at: Place) -> Calls:
    """cos z and its slope −sin z."""
    (z,), (z_bar,), slope = at.inputs, at.input_bars, at.buffer()

    def backward() -> None:
        np.sin(z, out=slope)
        np.negative(slope, out=slope)
        multiply(at.bar, slope, out=z_bar)

    return lambda: np.cos(z, out=at.value), backward


@kernel()
def identity(op: Any, at: Place) -> Calls:
    """The value itself."""
    (z,), (z_bar,) = at.inputs, at.input_bars

    def backward() -> None:
        if z_bar is not None:
            copyto(z_bar, at.bar)

    return lambda: copyto(at.value, z), backward
