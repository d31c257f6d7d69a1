"""The normal distribution in its tail, and products that keep their digits.

Φ(−x) falls below the smallest float at x = 38.5, and e^−x²/2 loses digits long before, because
a rounding error in x² is multiplied by x²/2. Here the square is taken exactly, in two floats,
and far out the exponential is kept 2⁵⁰⁰ times too large until all factors are in: what is
rounded to a subnormal is rounded once.
"""

import math
from functools import lru_cache

import numpy as np

FARTHEST = 60.0  # beyond it the tail is 0, also times any power of x that occurs
PIVOT = 3.75
_LIFT, _LIFT_REST = 346.5735902799727, -2.2599635089223323e-14  # 500 log 2 in two floats
_SPLIT = 134217729.0  # 2²⁷ + 1: a float is two halves whose products are exact

# (1 + 2t) e^t² erfc(t) / 2 as a Chebyshev series in (t − 3.75)/(t + 3.75), for every t ≥ 0;
# computed for this file with 40 digits. The mapping is that of M. M. Shepherd and
# J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x²) erfc x, Math. Comp. 36 (1981).
_SERIES = (
    0.5887894672837009,
    -0.002295027290323239,
    -0.04212456668325896,
    0.029604969999095947,
    -0.013329334217652877,
    0.004537498835352633,
    -0.001206581770208804,
    0.0002453879182629043,
    -3.4584866512506035e-05,
    2.069513993036505e-06,
    3.870191533099245e-07,
    -1.0943200524617198e-07,
    5.382499732835455e-09,
    2.2609799056091433e-09,
    -3.8772001044156754e-10,
    -3.159044170443342e-11,
    1.434397505465335e-11,
    9.727934272888673e-14,
    -4.82734837421672e-13,
    1.62627407407437e-14,
    1.6739059741434028e-14,
    -9.322814402096565e-16,
    -6.253975265344324e-16,
    3.709117628312022e-17,
    2.5340744523980555e-17,
    -1.1185283297179998e-18,
    -1.093671472151509e-18,
)


def lower_tail(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A, e and c for x ≥ 0 in float64: Φ(−x) = A e c and φ(x) = e c / √(2π), c a power of two."""
    x = np.minimum(x, FARTHEST)
    t = x * np.sqrt(0.5)
    s = (t - PIVOT) / (t + PIVOT)
    after, later = np.zeros_like(s), np.zeros_like(s)
    for coefficient in reversed(_SERIES[1:]):  # Clenshaw's recurrence
        after, later = 2 * s * after - later + coefficient, after
    A = (s * after - later + _SERIES[0]) / (1 + 2 * t)
    return A, *gaussian(x)


@lru_cache(maxsize=2)
def tail_powers(terms: int = len(_SERIES)) -> tuple[float, ...]:
    """The first terms of the series of `lower_tail`, in powers of s, the constant first.

    Its coefficients fall faster than 2⁻ᵏ, so that sums of powers lose nothing for |s| ≤ 1.
    """
    return tuple(float(power) for power in np.polynomial.chebyshev.cheb2poly(_SERIES[:terms]))


def lower_tail_by_erfc(x: np.ndarray) -> np.ndarray:
    """Φ(−x) for x ≥ 0 in float64, by the error function of the C library: a second way.

    x/√2 is rounded; erfc′ = −2/√π e^−t² brings in what it leaves out.
    """
    x = np.minimum(x, FARTHEST)
    root, rest = np.sqrt(0.5), -4.833646656726457e-17  # √½ in two floats
    t, lost = product(x, np.asarray(root))
    tails = np.array([math.erfc(value) for value in t.ravel().tolist()]).reshape(t.shape)
    return tails / 2 - (lost + x * rest) * np.exp(-t * t) / math.sqrt(math.pi)


def gaussian(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """e and c with e^−x²/2 = e c, for x ≥ 0 in float64."""
    high, low = product(np.minimum(x, FARTHEST), np.minimum(x, FARTHEST))
    return scaled_exp(-high / 2, -low / 2)


def scaled_exp(high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """e and c with exp(high + low) = e c; c is 2⁻⁵⁰⁰ where the product may be subnormal, else 1."""
    far = high < -600
    lift = np.where(far, _LIFT, 0)
    lifted = high + lift
    lost = (lift - (lifted - high)) + low + np.where(far, _LIFT_REST, 0)
    e = np.exp(lifted)
    return e + e * lost, np.where(far, 2.0**-500, 1)


def product(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x y as the float nearest to it and what that leaves out, exactly (T. J. Dekker, 1971).

    >>> high, low = product(np.array([1 + 2.0**-30]), np.array([1 + 2.0**-30]))
    >>> float(high[0]), float(low[0]) == 2.0**-60
    (1.0000000018626451, True)
    """
    high = x * y
    x_top, y_top = _top(x), _top(y)
    x_rest, y_rest = x - x_top, y - y_top
    return high, ((x_top * y_top - high) + x_top * y_rest + x_rest * y_top) + x_rest * y_rest


def _top(x: np.ndarray) -> np.ndarray:
    scaled = _SPLIT * x
    return scaled - (scaled - x)
