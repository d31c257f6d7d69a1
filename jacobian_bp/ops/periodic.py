"""Sine and cosine, entry by entry; the angle is in radians.

Each is the slope of the other, up to a sign. The vector-Jacobian product has it from twice the
angle, sin 2z = 2 sin z cos z: 2z is exact, and where one side has a root so has the other, so that
the quotient keeps every digit.
"""

import numpy as np

from ..numbers.arrays import quiet
from .activations import Activation
from .kernels import activations as kernels


class Sin(Activation):
    """Sine of an angle in radians.

        a[k] = sin z[k]
        ∂a/∂z = δ[k,k'] cos z[k],  ∂²a/∂z² = −δ[k,k'] δ[k,k''] sin z[k]

    An entry reads its own angle only, hence δ[k,k'].

    >>> Sin().forward(np.array([0.0, np.pi / 6]))
    array([0. , 0.5])
    """

    formula = "sin(z)"
    compiled_as = kernels.sine

    @quiet
    def forward(self, z):
        return np.sin(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("cos(z)", np.cos(z))

    @quiet
    def second(self, z):
        return self.bent("(−sin(z))", -np.sin(z))

    @quiet
    def vjp(self, a_bar, z):
        """cos z = sin 2z / (2 sin z), and 1 at 0."""
        slope = np.sin(z + z) / np.where(z == 0, 1, 2 * np.sin(z))
        return {"z": a_bar * np.where(z == 0, 1, _where_finite(z, slope, np.cos(z)))}


class Cos(Activation):
    """Cosine of an angle in radians.

        a[k] = cos z[k]
        ∂a/∂z = −δ[k,k'] sin z[k],  ∂²a/∂z² = −δ[k,k'] δ[k,k''] cos z[k]

    An entry reads its own angle only, hence δ[k,k'].

    >>> Cos().forward(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """

    formula = "cos(z)"
    compiled_as = kernels.cosine

    @quiet
    def forward(self, z):
        return np.cos(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("(−sin(z))", -np.sin(z))

    @quiet
    def second(self, z):
        return self.bent("(−cos(z))", -np.cos(z))

    @quiet
    def vjp(self, a_bar, z):
        """sin z = sin 2z / (2 cos z); no float is a root of cos."""
        slope = np.sin(z + z) / (2 * np.cos(z))
        return {"z": a_bar * -_where_finite(z, slope, np.sin(z))}


def _where_finite(z: np.ndarray, slope: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """The slope from twice the angle; `plain` where that is beyond the floats."""
    return np.where(np.isfinite(z + z), slope, plain)
