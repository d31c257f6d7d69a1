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

    It is its own slope, and its own bend.
    """

    formula = "e^z"

    @quiet
    def forward(self, z):
        return np.exp(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("e^z", np.exp(z))

    @quiet
    def second(self, z):
        return self.bent("e^z", np.exp(z))

    @quiet
    def vjp(self, a_bar, z):
        half = np.exp(z / 2)
        return {"z": a_bar * (half * half)}


class Log(Activation):
    """Natural logarithm.

        a[k] = log z[k]
        ∂a/∂z = δ[k,k'] 1/z[k],  ∂²a/∂z² = −δ[k,k'] δ[k,k''] 1/z[k]²

    Raises DomainError where an entry is not above 0.
    """

    formula = "log z"

    def forward(self, z):
        return np.log(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("(1/z)", 1 / z)

    @quiet
    def second(self, z):
        return self.bent("(−1/z²)", -1 / z / z)

    @quiet
    def vjp(self, a_bar, z):
        return {"z": a_bar / z}

    def admit(self, names, z):
        _require(z > 0, z, names["z"], "a logarithm takes numbers above 0")
        return (z,)


class Sqrt(Activation):
    """Square root.

        a[k] = √z[k]
        ∂a/∂z = δ[k,k'] 1/(2√z[k]),  ∂²a/∂z² = −δ[k,k'] δ[k,k''] 1/(4 z[k] √z[k])

    The slope at 0 is infinite. Raises DomainError where an entry is below 0.
    """

    formula = "√z"

    def forward(self, z):
        return np.sqrt(z)

    @quiet
    def jacobians(self, z):
        return self.diagonal("1/(2√z)", 0.5 / np.sqrt(z))

    @quiet
    def second(self, z):
        return self.bent("(−1/(4z√z))", -0.25 / np.sqrt(z) / z)

    @quiet
    def vjp(self, a_bar, z):
        return {"z": a_bar * np.where(z == 0, np.inf, np.sqrt(z) / z / 2).astype(z.dtype)}

    def admit(self, names, z):
        _require(z >= 0, z, names["z"], "a square root takes numbers from 0 on")
        return (z,)


class Power(Activation):
    """A power with a constant exponent.

        a[k] = z[k]^p
        ∂a/∂z = δ[k,k'] p z[k]^(p−1),  ∂²a/∂z² = δ[k,k'] δ[k,k''] p (p−1) z[k]^(p−2)

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
        """p |z|^((p−1)/2), twice."""
        p = self.p
        half, mended = _halves(np.abs(z).astype(np.float64), p, 1)
        slope = p * half * half * mended
        label = f"({number(p, 12)} z^{number(p - 1, 12)})"
        return self.diagonal(label, self._everywhere(z, slope))

    @quiet
    def second(self, z):
        """p (p−1) |z|^(p−2) as the slope is made; where p is 0 or 1 the power is straight."""
        p = self.p
        label = f"({number(p * (p - 1), 12)} z^{number(p - 2, 12)})"
        if p in (0, 1):
            return self.bent(label, np.zeros_like(z))
        half, mended = _halves(np.abs(z).astype(np.float64), p, 2)
        bend = p * half * (p - 1) * half * mended
        if p % 2:
            bend = bend * np.sign(z)
        limit = 0.0 if p > 2 else 2.0 if p == 2 else p * (p - 1) * np.inf
        return self.bent(label, np.where(z == 0, limit, bend).astype(z.dtype))

    @quiet
    def vjp(self, a_bar, z):
        """p (|z|^(p/4) / √|z| · |z|^(p/4))²: no factor leaves the range that the slope is in."""
        p, size = self.p, np.abs(z).astype(np.float64)
        part = np.power(size, p / 4)
        half = part / np.sqrt(size) * part
        slope = p * half * half
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

    def second(self, z):
        return {}

    def vjp(self, a_bar, z):
        return {"z": np.where(z > 0, a_bar, np.where(z < 0, -a_bar, self.at_zero * a_bar))}

    def branch(self, z):
        return np.sign(z)


def _halves(size: np.ndarray, p: float, less: int) -> tuple[np.ndarray, np.ndarray | float]:
    """|z|^((p−less)/2), and 1 + e log |z|, the factor that mends the rounding error e of p−less."""
    exponent = p - less
    back = exponent - p
    lost = (p - (exponent - back)) - (less + back)
    return np.power(size, exponent / 2), 1 + lost * np.log(size) if lost else 1.0


def _require(allowed: np.ndarray, z: np.ndarray, name: str, why: str) -> None:
    """DomainError with the first entry that is not allowed; NaN is left to others."""
    wrong = np.argwhere(~(allowed | np.isnan(z)))
    if len(wrong):
        place = tuple(wrong[0])
        raise DomainError(
            f"{entry(name, place)} is {witness(float(z[place]))}; {why}.\n"
            f"  Change {name}, or put an op in front that keeps it in that range."
        )
