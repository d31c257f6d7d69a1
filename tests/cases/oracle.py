"""Exact values to 50 digits, and the distance from them in units in the last place (ULP).

One ULP is the spacing of the floats at the exact value, and the subnormal spacing where the
exact value is subnormal. The bar is that of docs/architecture.md.
"""

import numpy as np
from mpmath import mp, mpf, workdps

DIGITS = 50
BAR = 8  # ULP
SMALLEST = {np.dtype(np.float64): -1074, np.dtype(np.float32): -149}  # power of two
EDGES = [709.78, 709.79, 745.13, 745.14, 372.56, 372.57, 36.7, 37.5]
EDGES += [88.72, 88.73, 103.97, 103.98, 51.98, 51.99, 16.6, 17.4]


def all_points(dtype, one_in=1):
    """4,000 points: dense near 0, to ±40 and ±1000; log-spaced of both signs from the smallest
    subnormal to the largest float; where exp over- and underflows; 0 and −0.0.

    Or one in 4 of them: the edges are always all there."""
    rng, dtype = np.random.default_rng(7), np.dtype(dtype)
    dense = [rng.uniform(-r, r, n // one_in) for r, n in [(2, 800), (40, 1200), (1000, 800)]]
    top = np.log10(float(np.finfo(dtype).max))
    count = 600 // one_in - len(EDGES) - 3
    logs = 10.0 ** np.linspace(SMALLEST[dtype] * np.log10(2) + 0.05, top - 1e-6, count)
    limits = [0.0, float(np.finfo(dtype).max)]
    positive = np.concatenate([logs, EDGES, limits, [float(np.finfo(dtype).smallest_subnormal)]])
    return np.concatenate([*dense, positive, -positive]).astype(dtype)


def exactly(function, *arrays):
    """function at every entry, in 50 digits."""
    with workdps(DIGITS):
        return [
            function(*(mpf(float(v)) for v in entries)) for entries in zip(*arrays, strict=True)
        ]


def ulps(computed, exact, scale=None):
    """The worst distance in ULP of the exact value, or of `scale`; NaN and false zeros are inf.

    A false zero is a 0 for what is at least the smallest subnormal.
    """
    smallest = mpf(2) ** SMALLEST[computed.dtype]
    worst = mpf(0)
    with workdps(DIGITS):
        for c, e, s in zip(
            computed.tolist(), exact, exact if scale is None else scale, strict=True
        ):
            if not np.isfinite(c) or (c == 0 and abs(e) >= smallest):
                return np.inf
            worst = max(worst, abs(mpf(c) - e) / spacing(s, computed.dtype))
    return float(worst)


def spacing(value, dtype):
    """The gap between the floats at an exact value."""
    exponent = int(mp.mag(value)) if value else SMALLEST[dtype]
    return mpf(2) ** max(exponent - np.finfo(dtype).nmant - 1, SMALLEST[dtype])


def within_bar(computed, exact, scale=None):
    """Every entry within 8 ULP, no NaN, no false zero."""
    assert len(computed) == len(exact)
    found = ulps(np.asarray(computed), exact, scale)
    assert found <= BAR, f"{found:.3g} ULP"


def softmax_exactly(z):
    """p, 1 − p and log p of one row, in 50 digits and without cancellation."""
    with workdps(DIGITS):
        top = mpf(float(max(z)))
        powers = [mp.exp(mpf(float(v)) - top) for v in z]
        whole = mp.fsum(powers)
        others = [mp.fsum(powers[:k] + powers[k + 1 :]) for k in range(len(z))]
        pairs = list(zip(powers, others, strict=True))
        logs = [-mp.log1p(o / e) for e, o in pairs]
        return [e / whole for e in powers], [o / whole for o in others], logs
