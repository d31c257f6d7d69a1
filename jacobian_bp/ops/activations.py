"""Activations: each entry of the output reads the same entry of the input.

Every Jacobian here is δ[k,k'] σ'(z)[k]: zero off the diagonal for every input
(first seed, eq. 8; second seed, M30). The Jacobian and the VJP compute the
slope by two different stable formulas.
"""

import numpy as np

from ..algebra.axes import each_once
from ..algebra.expression import Expression, dense
from ..errors import DomainError
from ..numbers.arrays import quiet
from ..numbers.stable import sigmoid, softplus
from .base import Op, elementwise, elementwise_twice
from .kernels import activations as kernels
from .labels import PROBABILITIES
from .textbook import IDENTITY, RELU, SIGMOID, SOFTPLUS, TANH, Textbook, leaky


class Activation(Op):
    """An elementwise op over the axes that it is given: Sigmoid(), Sigmoid("r,c").

    One whose slope and bend have a part in common may give both, `slope_and_bend(z)`: the array
    of `jacobians` and that of `second`.
    """

    reasons = {"z": "entry k reads entry k only"}

    def __init__(self, axes: str = "k") -> None:
        each_once(axes, f"{self.name}(axes={axes!r})")
        self.axes = axes
        self.signature = f"z[{axes}] -> a[{axes}]"

    def diagonal(
        self, label: str, slope: np.ndarray, magnitude: np.ndarray | None = None
    ) -> dict[str, Expression]:
        """δ[k,k'] slope[k]; of a slope that may cancel, `magnitude` adds up its terms' sizes."""
        return {"z": elementwise(self.axes) * dense(f"{label}[{self.axes}]", slope, magnitude)}

    def bent(self, label: str, bend: np.ndarray) -> dict[tuple[str, str], Expression]:
        """δ[k,k'] δ[k,k''] bend[k]: entry k bends with entry k only."""
        found = elementwise_twice(self.axes) * dense(f"{label}[{self.axes}]", bend)
        return {("z", "z"): found}


class Identity(Activation):
    """No activation: a[k] = z[k], ∂a/∂z = δ[k,k']."""

    formula = "z"
    activation = "identity"
    textbook = IDENTITY
    compiled_as = kernels.identity
    shows_nonfinite = True

    def forward(self, z):
        return np.array(z, copy=True)

    def jacobians(self, z):
        return {"z": elementwise(self.axes)}

    def second(self, z):
        return {}

    def vjp(self, a_bar, z):
        return {"z": np.array(a_bar, copy=True)}

    def peer(self, xp, z):
        return z


class Sigmoid(Activation):
    """Logistic function.

        a[k] = σ(z[k]) = 1/(1 + e^−z[k])
        ∂a/∂z = δ[k,k'] σ(z[k]) σ(−z[k])

        ∂²a/∂z² = δ[k,k'] δ[k,k''] (−σ(z) σ(−z) tanh(z/2))[k]

    The textbook's σ(1−σ) is the same number until 1−σ rounds to 0; σ(−z) does not. Nor does
    tanh(z/2), which is 2σ−1.
    """

    formula = "σ(z)"
    activation = "sigmoid"
    gives = (PROBABILITIES,)
    textbook = SIGMOID
    compiled_as = kernels.sigmoid

    def forward(self, z):
        return sigmoid(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("σ'(z)", sigmoid(z) * sigmoid(-z))

    @quiet
    def second(self, z):
        return self.bent("σ''(z)", self.slope_and_bend(z)[1])

    @quiet
    def slope_and_bend(self, z):
        slope = sigmoid(z) * sigmoid(-z)
        return slope, -slope * np.tanh(z / 2)

    @quiet
    def vjp(self, a_bar, z):
        e = np.exp(-np.abs(z))
        return {"z": a_bar * (e / (1 + e) / (1 + e))}

    def peer(self, xp, z):
        return xp.sigmoid(z)


class Tanh(Activation):
    """Hyperbolic tangent.

        a[k] = tanh z[k]
        ∂a/∂z = δ[k,k'] (2e/(1+e²))²,  e = exp(−|z|)

        ∂²a/∂z² = δ[k,k'] δ[k,k''] (−2 tanh(z) (2e/(1+e²))²)[k]

    The textbook's 1 − tanh² is the same number until tanh rounds to 1.
    """

    formula = "tanh(z)"
    activation = "tanh"
    textbook = TANH
    compiled_as = kernels.tanh

    def forward(self, z):
        return np.tanh(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("tanh'(z)", _sech(z) ** 2)

    @quiet
    def second(self, z):
        return self.bent("tanh''(z)", self.slope_and_bend(z)[1])

    @quiet
    def slope_and_bend(self, z):
        slope = _sech(z) ** 2
        return slope, -2 * np.tanh(z) * slope

    @quiet
    def vjp(self, a_bar, z):
        return {"z": a_bar * (1 / np.cosh(z)) ** 2}

    def peer(self, xp, z):
        return xp.tanh(z)


def _sech(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    return 2 * e / (1 + e * e)


class ReLU(Activation):
    """Rectifier.

        a[k] = max(0, z[k])
        ∂a/∂z = δ[k,k'] (1 where z[k] > 0, `at_zero` where z[k] = 0, else 0)

    At z = 0 the left slope is 0 and the right slope is 1: a kink. Any number
    between them may be chosen; 0 is the default. Both pieces are straight, ∂²a/∂z² = 0;
    on the kink there is no second derivative.
    """

    formula = "relu(z)"
    activation = "relu"
    textbook = RELU
    compiled_as = kernels.relu

    def __init__(self, axes: str = "k", at_zero: float = 0.0) -> None:
        super().__init__(axes)
        self.at_zero = between(at_zero, 0.0, 1.0, "ReLU(at_zero)")

    def forward(self, z):
        return np.maximum(z, 0) + 0  # −0.0 + 0 is +0.0

    def jacobians(self, z):
        slope = np.where(z == 0, self.at_zero, np.heaviside(z, 0.0)).astype(z.dtype)
        return self.diagonal("relu'(z)", slope)

    def second(self, z):
        return {}

    def vjp(self, a_bar, z):
        return {"z": np.where(z > 0, a_bar, np.where(z < 0, 0, self.at_zero * a_bar))}

    def branch(self, z):
        return np.sign(z)

    def peer(self, xp, z):
        return xp.relu(z)


class LeakyReLU(Activation):
    """Leaky rectifier.

        a[k] = z[k] where z[k] > 0, else slope · z[k]
        ∂a/∂z = δ[k,k'] (1 where z[k] > 0, else slope)

    At z = 0, a kink, the slope is `at_zero`: by default the left one.
    """

    formula = "leaky(z)"
    activation = "leaky_relu"

    def __init__(self, axes: str = "k", slope: float = 0.01, at_zero: float | None = None) -> None:
        super().__init__(axes)
        self.slope = between(slope, -np.inf, np.inf, "LeakyReLU(slope)")
        low, high = sorted((self.slope, 1.0))
        chosen = self.slope if at_zero is None else at_zero
        self.at_zero = between(chosen, low, high, "LeakyReLU(at_zero)")

    @quiet
    def forward(self, z):
        return np.where(z > 0, z, self.slope * z) + 0

    def jacobians(self, z):
        slope = np.where(z > 0, 1.0, self.slope)
        slope[z == 0] = self.at_zero
        return self.diagonal("leaky'(z)", slope.astype(z.dtype))

    def second(self, z):
        return {}

    @quiet
    def vjp(self, a_bar, z):
        left = np.where(z < 0, self.slope * a_bar, self.at_zero * a_bar)
        return {"z": np.where(z > 0, a_bar, left)}

    def branch(self, z):
        return np.sign(z)

    def peer(self, xp, z):
        return xp.relu(z) - self.slope * xp.relu(-z)

    @property
    def textbook(self) -> Textbook:
        return leaky(self.slope)


class Softplus(Activation):
    """Smooth rectifier.

        a[k] = log(1 + e^z[k])
        ∂a/∂z = δ[k,k'] σ(z[k])

    The slope of the smooth rectifier is the logistic function, and its bend σ(z) σ(−z).
    """

    formula = "log(1 + e^z)"
    activation = "softplus"
    textbook = SOFTPLUS

    def forward(self, z):
        return softplus(z)

    def jacobians(self, z):
        return self.diagonal("σ(z)", sigmoid(z))

    @quiet
    def second(self, z):
        return self.bent("σ'(z)", sigmoid(z) * sigmoid(-z))

    @quiet
    def vjp(self, a_bar, z):
        e = np.exp(-np.abs(z))
        small = e / (1 + e)  # σ(−|z|)
        return {"z": a_bar * np.where(z > 0, 1 - small, e - e * small)}

    def peer(self, xp, z):
        return xp.softplus(z)


def between(value: float, low: float, high: float, who: str) -> float:
    """`value` as a float within [low, high], or DomainError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        nearest = max(low, min(high, 0.0))
        raise DomainError(f"{who} is {value!r}, not a number.\n  Pass a float such as {nearest}.")
    if not (low <= value <= high and np.isfinite(value)):
        raise DomainError(f"{who} is {value!r}; it lies between {low} and {high}, and is finite.")
    return float(value)
