"""Smooth rectifiers: ELU, SiLU, GELU. Each Jacobian is δ[k,k'] f'(z)[k].

Far to the left their values and slopes are z times a number that may be below the smallest
float; the factor z is multiplied in before the last power of two, so that nothing is lost.
"""

import math

import numpy as np

from ..numbers.arrays import quiet
from ..numbers.gaussian import (
    FARTHEST,
    gaussian,
    lower_tail,
    lower_tail_by_erfc,
    product,
    scaled_exp,
)
from ..numbers.stable import sigmoid
from .activations import Activation, between
from .kernels import smooth as kernels
from .textbook import EXACT_GELU, SILU, Textbook, elu

_ROOT_TWO_PI = math.sqrt(2 * math.pi)
_CUBIC = 0.044715  # of the approximation by tanh, as its source has it
_TWICE_ROOT, _TWICE_ROOT_REST = 1.5957691216057308, -9.96930880911092e-17  # 2√(2/π) in two floats


class ELU(Activation):
    """Exponential linear unit.

        a[k] = z[k] where z[k] > 0, else alpha (e^z[k] − 1)
        ∂a/∂z = δ[k,k'] (1 where z[k] > 0, else alpha e^z[k])

        ∂²a/∂z² = δ[k,k'] δ[k,k''] (0 where z[k] > 0, else alpha e^z[k])

    With alpha = 1 the slope at 0 is 1 from both sides; otherwise 0 is a kink, with the left
    slope. Source: Clevert, Unterthiner and Hochreiter, 2015.
    """

    formula = "elu(z)"
    activation = "elu"

    def __init__(self, axes: str = "k", alpha: float = 1.0) -> None:
        super().__init__(axes)
        self.alpha = between(alpha, -np.inf, np.inf, "ELU(alpha)")

    @quiet
    def forward(self, z):
        return np.where(z > 0, z, z.dtype.type(self.alpha) * np.expm1(np.minimum(z, 0))) + 0

    @quiet
    def jacobians(self, z):
        left = z.dtype.type(self.alpha) * np.exp(np.minimum(z, 0))
        return self.diagonal("elu'(z)", np.where(z > 0, 1, left).astype(z.dtype))

    @quiet
    def second(self, z):
        left = z.dtype.type(self.alpha) * np.exp(np.minimum(z, 0))
        return self.bent("elu''(z)", np.where(z > 0, 0, left).astype(z.dtype))

    @quiet
    def vjp(self, a_bar, z):
        half = np.exp(np.minimum(z, 0) / 2)
        left = z.dtype.type(self.alpha) * half * half
        return {"z": np.where(z > 0, a_bar, a_bar * left)}

    def branch(self, z):
        return None if self.alpha == 1 else np.sign(z)

    @property
    def textbook(self) -> Textbook:
        return elu(self.alpha)

    def peer(self, xp, z):
        left = -xp.relu(-z)  # e^z = σ(z)/σ(−z)
        return xp.relu(z) + self.alpha * (xp.sigmoid(left) / xp.sigmoid(-left) - 1)


class SiLU(Activation):
    """Sigmoid linear unit, also called swish.

        a[k] = z[k] σ(z[k])
        ∂a/∂z = δ[k,k'] (σ(z) + z σ(z) σ(−z))[k]

        ∂²a/∂z² = δ[k,k'] δ[k,k''] σ(z) σ(−z) (2 − z tanh(z/2))[k]

    The product rule, σ' being σ(z) σ(−z). Source: Elfwing, Uchibe and Doya, 2018.
    """

    formula = "z σ(z)"
    activation = "silu"
    textbook = SILU

    @quiet
    def forward(self, z):
        half = np.exp(-np.abs(z) / 2)  # e^−|z| may be too small for what z makes of it
        e = half * half
        return np.where(z >= 0, z / (1 + e), z * half / (1 + e) * half)

    @quiet
    def jacobians(self, z):
        half = np.exp(-np.abs(z) / 2)
        e = half * half
        right = (1 + z * e / (1 + e)) / (1 + e)
        left, size = (half * (1 + x / (1 + e)) / (1 + e) * half for x in (z, -z))
        right_of_0 = z >= 0  # left of it the two terms have different signs
        slope, size = (np.where(right_of_0, right, part) for part in (left, size))
        return self.diagonal("silu'(z)", slope, size)

    @quiet
    def second(self, z):
        half = np.exp(-np.abs(z) / 2)  # e^−|z| may be too small for what z makes of it
        bend = half * (2 - z * np.tanh(z / 2)) / (1 + half * half) ** 2 * half
        return self.bent("silu''(z)", np.where(np.isinf(z), 0, bend).astype(z.dtype))

    @quiet
    def vjp(self, a_bar, z):
        a, half = self.forward(z), 0.5 / np.cosh(z / 2)
        right = sigmoid(z) + z * half * half
        left = a + sigmoid(z) * (1 - a)
        return {"z": a_bar * np.where(z >= 0, right, left)}

    def peer(self, xp, z):
        return z * xp.sigmoid(z)


class GELU(Activation):
    """Gaussian error linear unit.

        a[k] = z[k] Φ(z[k]),  Φ the distribution function of the normal distribution
        ∂a/∂z = δ[k,k'] (Φ(z) + z φ(z))[k],  φ(z) = e^(−z²/2)/√(2π)

        ∂²a/∂z² = δ[k,k'] δ[k,k''] φ(z) (2 − z²)[k]

    The product rule, φ being the slope of Φ. With approximate=True, Φ(z) is taken as
    σ(2u), u = √(2/π) (z + 0.044715 z³), which is (1 + tanh u)/2.
    Source: Hendrycks and Gimpel, 2016.
    """

    activation = "gelu"
    compiled_as = kernels.gelu

    def __init__(self, axes: str = "k", approximate: bool = False) -> None:
        super().__init__(axes)
        self.approximate = bool(approximate)
        self.formula = "z σ(2u(z))" if self.approximate else "z Φ(z)"
        self.own_letters = ("u",) if self.approximate else ()

    @property
    def textbook(self) -> Textbook | None:
        return None if self.approximate else EXACT_GELU

    def peer(self, xp, z):
        if not self.approximate:
            return xp.erf and z * (1 + xp.erf(z * math.sqrt(0.5))) / 2
        return z * xp.sigmoid(2 * math.sqrt(2 / math.pi) * (z + _CUBIC * z**3))

    @quiet
    def forward(self, z):
        x = z.astype(np.float64)
        if self.approximate:
            e, c, _ = _logistic(x)
            found = np.where(x >= 0, x / (1 + e * c), x * e / (1 + e * c) * c)
        else:
            A, e, c = lower_tail(np.abs(x))
            found = np.maximum(x, 0) - np.abs(x) * A * e * c
        return _limited(x, found, x).astype(z.dtype)

    @quiet
    def jacobians(self, z):
        x = z.astype(np.float64)
        if self.approximate:
            e, c, slope = _logistic(x)
            right = (1 + x * slope * (e * c) / (1 + e * c)) / (1 + e * c)
            both = (e * (1 + v * slope / (1 + e * c)) / (1 + e * c) * c for v in (x, -x))
            found, size = (np.where(x >= 0, right, left) for left in both)
        else:
            tail, (e, c) = lower_tail_by_erfc(np.abs(x)), gaussian(np.abs(x))
            below = np.where(x >= 0, 1 - tail, tail)
            found, size = (below + v * e / _ROOT_TWO_PI * c for v in (x, np.abs(x)))
        # left of 0 the two terms have different signs
        found, size = (_limited(x, part, 1).astype(z.dtype) for part in (found, size))
        return self.diagonal("gelu'(z)", found, size)

    @quiet
    def second(self, z):
        x = z.astype(np.float64)
        if self.approximate:
            e, c, slope = _logistic(x)
            near = 1 + e * c
            bend = 2 * slope + 6 * _CUBIC * _TWICE_ROOT * x * x
            bend = bend - np.abs(x) * slope * slope * (1 - e * c) / near
            found = e * bend / near / near * c
        else:
            e, c = gaussian(np.abs(x))
            found = e * (2 - x * x) / _ROOT_TWO_PI * c
        return self.bent("gelu''(z)", _limited(x, found, 0).astype(z.dtype))

    @quiet
    def vjp(self, a_bar, z):
        x = z.astype(np.float64)
        if self.approximate:
            e, c, slope = _logistic(x)
            near, far = 1 / (1 + e * c), e * c / (1 + e * c)  # σ(2|u|) and σ(−2|u|)
            right = near + x * near * far * slope
            left = e * (1 + e * c + x * slope) / (1 + e * c) ** 2 * c
            found = np.where(x >= 0, right, left)
        else:
            A, e, c = lower_tail(np.abs(x))
            found = np.where(x >= 0, 1, 0) + (x / _ROOT_TWO_PI - np.where(x >= 0, A, -A)) * e * c
        return {"z": (a_bar * _limited(x, found, 1)).astype(z.dtype)}


def _logistic(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """e and c with e^−2|u| = e c, and the slope 2u′, u = √(2/π) (x + 0.044715 x³).

    2u reaches 700, and so does what a rounding error in it does to the exponential: it is
    kept in two floats.
    """
    x = np.minimum(np.abs(x), FARTHEST)
    square, lost = product(x, x)
    cubic, rest = product(square, np.asarray(_CUBIC))
    rest = rest + lost * _CUBIC
    bracket = 1 + cubic
    part = bracket - cubic
    rest = rest + ((1 - part) + (cubic - (bracket - part)))
    by_x, more = product(x, bracket)
    more = more + x * rest
    high, low = product(by_x, np.asarray(_TWICE_ROOT))
    low = low + more * _TWICE_ROOT + by_x * _TWICE_ROOT_REST
    e, c = scaled_exp(-high, -low)
    return e, c, _TWICE_ROOT * (1 + 3 * cubic)


def _limited(x: np.ndarray, found: np.ndarray, right: np.ndarray | float) -> np.ndarray:
    """Beyond ±60 the limits stand, 0 and `right`, also for infinite x."""
    return np.where(np.abs(x) > FARTHEST, np.where(x > 0, right, 0), found)
