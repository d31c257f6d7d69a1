"""The kernel of GELU: the tail of the normal distribution once, for the value and the slope."""

from typing import Any

import numpy as np
from numpy import add, copyto, divide, exp, maximum, multiply, subtract

from ...numbers.gaussian import FARTHEST, PIVOT, tail_powers
from .place import Call, Calls, Place, aligned_zeros, general, kernel

TERMS = {np.dtype(np.float64): 27, np.dtype(np.float32): 13}  # of the series, for each precision
TOGETHER = 2**13  # entries whose powers are in the cache together
STRIDE = 7  # powers in one matrix product; the products are joined by Horner's rule
WIDE = np.dtype(np.float64)


@kernel(in_place=True)
def gelu(op: Any, at: Place) -> Calls:
    """z Φ(z) = max(z, 0) − |z| Φ(−|z|) and Φ(z) + z φ(z), Φ(−|z|) = A q², φ = q²/√(2π).

    A is the series of `lower_tail`, and q = e^(−z²/4): a product with q twice becomes subnormal
    in its last step only. Everything is computed in float64.
    """
    (z,), (z_bar,) = at.inputs, at.input_bars
    if op.approximate or z_bar is None:
        return general(op, at)
    x, t, s, A, q, work = (aligned_zeros(z.shape, WIDE) for _ in range(6))
    tail = polynomial(s.reshape(-1), A.reshape(-1), tail_powers(TERMS[z.dtype]))
    root_of_gaussian = _rounded_once(x, q, work) if z.dtype == WIDE else _exact(x, q)
    far, root, pivot = map(np.float64, (FARTHEST, np.sqrt(0.5), PIVOT))
    zero, one, slope = map(np.float64, (0, 1, 1 / np.sqrt(2 * np.pi)))

    def forward() -> None:
        np.abs(z, out=x)
        np.minimum(x, far, out=x)
        multiply(x, root, out=t)
        subtract(t, pivot, out=s)
        add(t, pivot, out=work)
        divide(s, work, out=s)
        tail()
        add(t, t, out=t)
        add(t, one, out=t)
        divide(A, t, out=A)
        root_of_gaussian()
        multiply(x, A, out=work)
        multiply(work, q, out=work)
        multiply(work, q, out=work)
        maximum(z, zero, out=s)
        subtract(s, work, out=at.value)

    def backward() -> None:
        np.greater_equal(z, zero, out=t)
        add(t, t, out=work)
        subtract(work, one, out=work)
        multiply(work, A, out=work)
        np.clip(z, -far, far, out=s)
        multiply(s, slope, out=s)
        subtract(s, work, out=s)
        multiply(s, q, out=s)
        multiply(s, q, out=s)
        add(s, t, out=s)
        multiply(at.bar, s, out=z_bar)

    return forward, backward


def _exact(x: np.ndarray, q: np.ndarray) -> Call:
    """q = e^(−x²/4), for an x of float32, whose square float64 holds."""
    quarter = np.float64(-0.25)

    def root_of_gaussian() -> None:
        multiply(x, x, out=q)
        multiply(q, quarter, out=q)
        exp(q, out=q)

    return root_of_gaussian


def _rounded_once(x: np.ndarray, q: np.ndarray, rest: np.ndarray) -> Call:
    """The same for float64: x² = h² + (x − h)(x + h), h the x of float32, whose square is exact."""
    short, h, quarter = np.zeros(x.shape, np.float32), np.zeros_like(x), np.float64(-0.25)

    def root_of_gaussian() -> None:
        copyto(short, x, casting="same_kind")
        copyto(h, short)
        subtract(x, h, out=q)
        add(x, h, out=rest)
        multiply(rest, q, out=rest)
        multiply(rest, quarter, out=rest)
        exp(rest, out=rest)
        multiply(h, h, out=q)
        multiply(q, quarter, out=q)
        exp(q, out=q)
        multiply(q, rest, out=q)

    return root_of_gaussian


def polynomial(s: np.ndarray, out: np.ndarray, powers: tuple[float, ...]) -> Call:
    """The call that writes Σ_k powers[k] s^k into `out`, for vectors s and out.

    Some coefficients at a time are one matrix product with 1, s, …, and these parts are joined
    by Horner's rule in s^STRIDE: of 27 powers there are fewer passes than by Horner's rule alone.
    """
    rows = -(-len(powers) // STRIDE)
    coefficients = np.zeros((rows, STRIDE))
    coefficients.reshape(-1)[: len(powers)] = powers
    coefficients = coefficients[:, ::-1].copy()  # a sum begins with its smallest terms
    width = min(TOGETHER, max(1, len(s)))
    stack, parts = aligned_zeros((STRIDE + 1, width), WIDE), aligned_zeros((rows, width), WIDE)
    stack[STRIDE] = 1  # row j has the power STRIDE − j
    pieces = [slice(first, first + width) for first in range(0, len(s), width)]
    each = [(s[piece], out[piece], len(s[piece])) for piece in pieces]

    def evaluated() -> None:
        for given, found, size in each:
            power, part = stack[:, :size], parts[:, :size]
            copyto(power[STRIDE - 1], given)
            for j in range(STRIDE - 2, -1, -1):
                multiply(power[j + 1], given, out=power[j])
            np.matmul(coefficients, power[1:], out=part)
            for row in range(rows - 1, 0, -1):
                multiply(part[row], power[0], out=part[row])
                add(part[row - 1], part[row], out=part[row - 1])
            copyto(found, part[0])

    return evaluated
