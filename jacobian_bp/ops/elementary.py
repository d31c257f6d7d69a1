"""Elementary functions, entry by entry: exponential, logarithm, root, power, absolute value.

Each Jacobian is δ[k,k'] f'(z)[k]. Where the slope has two stable forms, the Jacobian and the
vector-Jacobian product use one each.
"""

import numpy as np

from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from ..writing.signs import number, witness
from .activations import Activation, between


class Exp(Activation):
    """Exponential.

        a[k] = e^z[k]
        ∂a/∂z = δ[k,k'] e^z[k]

    It is its own slope.
    """

    formula = "e^z"

    @quiet
    def forward(self, z):
        return np.exp(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("e^z", np.exp(z))

    @quiet
    def vjp(self, a_bar, z):
        half = np.exp(z / 2)
        return {"z": a_bar * (half * half)}


class Log(Activation):
    """Natural logarithm.

        a[k] = log z[k]
        ∂a/∂z = δ[k,k'] 1/z[k]

    Raises DomainError where an entry is not above 0.
    """

    formula = "log z"

    def forward(self, z):
        return np.log(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("(1/z)", 1 / z)

    @quiet
    def vjp(self, a_bar, z):
        return {"z": a_bar / z}

    def admit(self, names, z):
        _require(z > 0, z, names["z"], "a logarithm takes numbers above 0")
        return (z,)


class Sqrt(Activation):
    """Square root.

        a[k] = √z[k]
        ∂a/∂z = δ[k,k'] 1/(2√z[k])

    The slope at 0 is infinite. Raises DomainError where an entry is below 0.
    """

    formula = "√z"

    def forward(self, z):
        return np.sqrt(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("1/(2√z)", 0.5 / np.sqrt(z))

    @quiet
    def vjp(self, a_bar, z):
        return {"z": a_bar * (np.sqrt(z) / z / 2)}

    def admit(self, names, z):
        _require(z >= 0, z, names["z"], "a square root takes numbers from 0 on")
        return (z,)


class Power(Activation):
    """A power with a constant exponent.

        a[k] = z[k]^p
        ∂a/∂z = δ[k,k'] p z[k]^(p−1)

    A whole exponent takes any z, another takes z ≥ 0; a negative one, z ≠ 0. 0⁰ is 1, with
    the slope 0. Raises DomainError elsewhere.
    """

    example = {"p": 3}

    def __init__(self, p: float, axes: str = "k") -> None:
        super().__init__(axes)
        self.p = between(p, -np.inf, np.inf, "Power(p)")
        self.formula = f"z^{number(self.p, 12)}"

    @quiet
    def forward(self, z):
        return np.power(z.astype(np.float64), self.p).astype(z.dtype)

    @quiet
    def jacobians(self, z):
        """|z|^((p−1)/2), twice. The rounding error e of p − 1 is a factor 1 + e log |z|."""
        p, size = self.p, np.abs(z).astype(np.float64)
        less = p - 1
        back = less - p
        lost = (p - (less - back)) - (1 + back)
        half = np.power(size, less / 2)
        slope = p * half * half
        if lost:
            slope = slope + slope * (lost * np.log(size))
        label = f"({number(p, 12)} z^{number(p - 1, 12)})"
        return self.diagonal(label, self._everywhere(z, slope))

    @quiet
    def vjp(self, a_bar, z):
        """|z|^p over |z|, in an order in which no factor leaves the range that the slope is in."""
        p, size = self.p, np.abs(z).astype(np.float64)
        part = np.power(size, p / 4)
        slope = p * (part / size) * part * part * part
        if 0 < p < 1:
            slope = p * (part * part) * (part * part) / size
        return {"z": a_bar * self._everywhere(z, slope)}

    def _everywhere(self, z: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """The slope at |z| with its sign, and the limits at 0: infinite, 1 or 0."""
        if self.p == 0:
            return np.zeros_like(z)
        limit = 0.0 if self.p > 1 else 1.0 if self.p == 1 else np.inf
        sign = np.sign(z) if self.p % 2 == 0 else 1
        return np.where(z == 0, limit, slope * sign).astype(z.dtype)

    def admit(self, names, z):
        p = number(self.p, 12)
        if self.p % 1:
            _require(z >= 0, z, names["z"], f"the exponent {p} takes numbers from 0 on")
        if self.p < 0:
            _require(z != 0, z, names["z"], f"the exponent {p} takes no 0")
        return (z,)


class Abs(Activation):
    """Absolute value.

        a[k] = |z[k]|
        ∂a/∂z = δ[k,k'] sign(z[k])

    At z = 0, a kink, the slope lies between −1 and 1: `at_zero`, by default 0.
    """

    formula = "|z|"

    def __init__(self, axes: str = "k", at_zero: float = 0.0) -> None:
        super().__init__(axes)
        self.at_zero = between(at_zero, -1.0, 1.0, "Abs(at_zero)")

    def forward(self, z):
        return np.abs(z)

    def jacobians(self, z):
        slope = np.where(z == 0, self.at_zero, np.sign(z)).astype(z.dtype)
        return self.diagonal("sign(z)", slope)

    def vjp(self, a_bar, z):
        return {"z": np.where(z > 0, a_bar, np.where(z < 0, -a_bar, self.at_zero * a_bar))}

    def branch(self, z):
        return np.sign(z)


def _require(allowed: np.ndarray, z: np.ndarray, name: str, why: str) -> None:
    """DomainError with the first entry that is not allowed; NaN is left to others."""
    wrong = np.argwhere(~(allowed | np.isnan(z)))
    if len(wrong):
        place = tuple(wrong[0])
        raise DomainError(
            f"{entry(name, place)} is {witness(float(z[place]))}; {why}.\n"
            f"  Change {name}, or put an op in front that keeps it in that range."
        )
