"""Batch normalisation by mean and variance that are given, as behind a training that is over."""

import numpy as np

from ..algebra.expression import delta, dense, one
from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from ..writing.signs import rename, witness
from .base import elementwise, over_batch
from .norms import BatchNorm


class GivenStatistics(BatchNorm, with_given=True):
    """Batch normalisation with given statistics: BatchNorm(…, mean, var, training=False).

        y[k] = gamma[k] (x[k] − mean[k])/s[k] + beta[k],  s = √(var + eps)
        ∂y/∂x = δ[k,k'] gamma[k]/s[k]
        ∂y/∂gamma = δ[k,k'] (x[k] − mean[k])/s[k],  ∂y/∂beta = δ[k,k']

    The statistics are constants: an entry reads itself alone, and examples keep apart. Of images
    x[c,i,j] the channels have the statistics. Raises DomainError where var + eps is not above 0.
    """

    constants = ("mean", "var")
    formula = "gamma (x − mean)/s + beta, s = √(var + eps)"
    own_letters = ("s",)
    reasons = {
        "x": "mean and var are given: each entry by itself",
        "gamma": "gain k stretches unit k only",
        "beta": "shift k moves unit k only",
    }

    @property
    def name(self) -> str:
        return BatchNorm.__name__

    def __init__(self, eps: float = 1e-5, training: bool = False) -> None:
        super().__init__(eps, training)

    def _read(self, letters, place=1):
        self.letters, self.place = letters, place
        axes, (unit, *places) = ",".join(letters[1:]), letters[1:]
        units = ", ".join(f"{name}[{unit}]" for name in ("gamma", "beta", "mean", "var"))
        self.places = tuple(places)
        self.signature = f"x[{axes}], {units} -> y[{axes}]"
        self.reasons = {n: rename(why, {"k": unit}) for n, why in type(self).reasons.items()}

    def meeting_behind(self, front, *axes):
        """The op for a value with these axes: behind those in front the units, then the places."""
        if axes[0] is None:
            return self
        return super().meeting_behind(1, (*self.letters[:1], *axes[0][front:]), *axes[1:])

    @quiet
    def forward(self, x, gamma, beta, mean, var):
        return self._wide(gamma) * self._by_given(x, mean, var) + self._wide(beta)

    @quiet
    def jacobians(self, x, gamma, beta, mean, var):
        unit, *places = self.letters[1:]
        axes, own = ",".join(self.letters[1:]), delta(f"{unit},{unit}'")
        beside = own
        for place in places:
            beside = beside * one(place)
        return {
            "x": elementwise(axes) * dense(f"(gamma/s)[{unit}]", gamma / self._s(var)),
            "gamma": own * dense(f"x̂[{axes}]", self._by_given(x, mean, var)),
            "beta": beside,
        }

    @quiet
    def second(self, x, gamma, beta, mean, var):
        """∂²y/∂x∂gamma = δ[k,k'] δ[k,k''] 1/s[k]: gamma times x, and straight otherwise."""
        unit = self.letters[1]
        slope = dense(f"(1/s)[{unit}]", 1 / self._s(var))
        here = elementwise(",".join(self.letters[1:]))
        return {("x", "gamma"): here * delta(f"{unit},{unit}''") * slope}

    @quiet
    def vjp(self, y_bar, x, gamma, beta, mean, var):
        places = tuple(range(-len(self.places), 0))
        normal = self._by_given(x, mean, var)
        return {
            "x": y_bar * self._wide(gamma) / self._wide(self._s(var)),
            "gamma": over_batch((y_bar * normal).sum(axis=places)),
            "beta": over_batch(y_bar.sum(axis=places)),
        }

    def admit(self, names, x, gamma, beta, mean, var):
        wrong = np.argwhere(~(var + self.eps > 0) | (var < 0))
        if len(wrong):
            place = tuple(map(int, wrong[0]))
            raise DomainError(
                f"BatchNorm: {entry(names['var'], place)} is {witness(float(var[place]))} and eps "
                f"{self.eps:g}; a variance is not below 0, and its sum with eps above 0.\n"
                f"  Pass the variance itself, and an eps above 0 where it is 0."
            )
        return x, gamma, beta, mean, var

    def stages(self):
        unit, *places = self.letters[1:]
        whole = ",".join((unit, *places))
        wide = f"'a[{whole}], b[{unit}] -> c[{whole}]'"
        return (
            (
                f"xmu = Subtract(x, mean, {wide})",
                f"var_eps = Add(var, {self.eps!r}, '{unit}')",
                f"std = Sqrt(var_eps, '{unit}')",
                f"ivar = Divide(1, std, '{unit}')",
                f"x_hat = Multiply(xmu, ivar, {wide})",
                f"scaled = Multiply(x_hat, gamma, {wide})",
                f"y = Add(scaled, beta, {wide})",
            ),
        )

    def _s(self, var: np.ndarray) -> np.ndarray:
        return np.sqrt(var + var.dtype.type(self.eps))

    def _by_given(self, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
        """x̂ by the statistics that are given."""
        return (x - self._wide(mean)) / self._wide(self._s(var))
