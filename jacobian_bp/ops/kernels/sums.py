"""Kernels of the sums: of two values, and over the examples."""

from typing import Any

import numpy as np
from numpy import add, copyto, multiply

from .place import Calls, Place, general, kernel


@kernel()
def addition(op: Any, at: Place) -> Calls:
    """a + b, both of the value's shape: the cotangent passes unchanged to each."""
    if len(at.inputs) != 2 or op.numbers or any(a.shape != at.value.shape for a in at.inputs):
        return general(op, at)
    a, b = at.inputs

    def backward() -> None:
        for bar in at.input_bars:
            if bar is not None:
                copyto(bar, at.bar)

    return lambda: add(a, b, out=at.value), backward


@kernel()
def reduction(op: Any, at: Place) -> Calls:
    """The mean or the sum over the examples: a product with equal weights."""
    (L,), (L_bar,) = at.inputs, at.input_bars
    if L.ndim != 1:
        return general(op, at)
    weights = np.full_like(L, op.share(L))
    return lambda: L.dot(weights, out=at.value), lambda: multiply(at.bar, weights, out=L_bar)
