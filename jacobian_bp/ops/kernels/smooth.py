"""The kernel of GELU: the tail of the normal distribution once, for the value and the slope."""

from typing import Any

import numpy as np
from numpy import add, divide, maximum, multiply, subtract

from ...numbers.gaussian import FARTHEST, PIVOT, gaussian, tail_powers
from .place import Calls, Place, general, kernel


@kernel(in_place=True)
def gelu(op: Any, at: Place) -> Calls:
    """z Φ(z) = max(z, 0) − |z| Φ(−|z|) and Φ(z) + z φ(z), Φ(−|z|) = A e c, φ = e c/√(2π).

    A is the series of `lower_tail` in powers, by Horner's rule in place.
    """
    (z,), (z_bar,) = at.inputs, at.input_bars
    if op.approximate or z_bar is None or z.dtype != np.float64:
        return general(op, at)
    x, t, s, A = (at.buffer() for _ in range(4))
    e, c, work, right = (at.buffer() for _ in range(4))
    first, *powers = [at.number(power) for power in tail_powers()[::-1]]
    far, root, pivot = at.number(FARTHEST), at.number(np.sqrt(0.5)), at.number(PIVOT)
    zero, one, slope = at.number(0), at.number(1), at.number(1 / np.sqrt(2 * np.pi))

    def forward() -> None:
        np.abs(z, out=x)
        np.minimum(x, far, out=x)
        multiply(x, root, out=t)
        subtract(t, pivot, out=s)
        add(t, pivot, out=work)
        divide(s, work, out=s)
        multiply(s, first, out=A)
        for power in powers[:-1]:
            add(A, power, out=A)
            multiply(A, s, out=A)
        add(A, powers[-1], out=A)
        add(t, t, out=t)
        add(t, one, out=t)
        divide(A, t, out=A)
        e[...], c[...] = gaussian(x)
        multiply(x, A, out=work)
        multiply(work, e, out=work)
        multiply(work, c, out=work)
        maximum(z, zero, out=at.value)
        subtract(at.value, work, out=at.value)

    def backward() -> None:
        np.greater_equal(z, zero, out=right)
        add(right, right, out=work)
        subtract(work, one, out=work)
        multiply(work, A, out=work)
        np.clip(z, -far, far, out=s)
        multiply(s, slope, out=s)
        subtract(s, work, out=s)
        multiply(s, e, out=s)
        multiply(s, c, out=s)
        add(s, right, out=s)
        multiply(at.bar, s, out=z_bar)

    return forward, backward
