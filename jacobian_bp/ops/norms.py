"""Normalisation: by the mean and the spread of an example, of its size, or of a whole batch.

Mean and spread are functions of x: that is where −1/D and −x̂ x̂'/D come from. The entries off
the diagonal are −(1 + x̂ x̂')/D, a sum that can cancel: they are exact to the sum of its
absolute values.
"""

from collections.abc import Mapping

import numpy as np

from ..algebra.expression import delta, dense, one
from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from .activations import between
from .base import Op, over_batch
from .kernels import rows as kernels


class LayerNorm(Op):
    """Layer normalisation of the last axis, with a gain and a shift.

        y[k] = gamma[k] x̂[k] + beta[k],  x̂ = (x − μ)/s,  s = √(mean of (x − μ)² + eps)
        ∂y/∂x = (gamma[k]/s) (δ[k,k'] − 1/D − x̂[k] x̂[k']/D),  D the number of entries
        ∂y/∂gamma = x̂[k] δ[k,k'],  ∂y/∂beta = δ[k,k']

    Entry k reads itself, hence δ[k,k']; every entry through the mean, hence 1/D; and every
    entry through the spread, hence x̂ x̂'/D. Source: Ba, Kiros and Hinton, 2016.
    Raises DomainError where eps is 0 and all entries are equal.
    """

    signature = "x[k], gamma[k], beta[k] -> y[k]"
    parameters = ("gamma", "beta")
    formula = "gamma (x − mean)/s + beta, s = √(variance + eps)"
    compiled_as = kernels.layer_norm
    reasons: Mapping[str, str] = {
        "x": "itself, and all entries through mean and spread",
        "gamma": "gain k stretches entry k only",
        "beta": "shift k moves entry k only",
    }

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = between(eps, 0.0, np.inf, f"{self.name}(eps)")

    @property
    def admits_finite(self) -> bool:
        """With eps above 0 there is always something to divide by."""
        return self.eps > 0

    @quiet
    def forward(self, x, gamma, beta):
        normal, _ = _standardised(x, self.eps)
        return gamma * normal + beta

    @quiet
    def jacobians(self, x, gamma, beta):
        normal, s = _standardised(x, self.eps)
        share = 1 / x.shape[-1]
        inner = delta("k,k'") - share * one("k") * one("k'")
        inner = inner - share * dense("x̂[k]", normal) * dense("x̂[k']", normal)
        gain = dense("(gamma/s)[k]", gamma / s)
        return {
            "x": gain * inner,
            "gamma": delta("k,k'") * dense("x̂[k]", normal),
            "beta": delta("k,k'"),
        }

    @quiet
    def vjp(self, y_bar, x, gamma, beta):
        normal, s = _standardised(x, self.eps)
        bar = y_bar * (gamma / s)
        along = (bar * normal).mean(axis=-1, keepdims=True)
        return {
            "x": bar - bar.mean(axis=-1, keepdims=True) - normal * along,
            "gamma": over_batch(y_bar * normal),
            "beta": over_batch(y_bar),
        }

    def admit(self, names, x, gamma, beta):
        _require_spread(self, x, _spread(x - x.mean(axis=-1, keepdims=True), self.eps), names["x"])
        return x, gamma, beta


class RMSNorm(Op):
    """Normalisation by the root mean square of the last axis, with a gain.

        y[k] = gamma[k] u[k],  u = x/r,  r = √(mean of x² + eps)
        ∂y/∂x = (gamma[k]/r) (δ[k,k'] − u[k] u[k']/D)
        ∂y/∂gamma = u[k] δ[k,k']

    No mean is taken away, hence no 1/D. Source: Zhang and Sennrich, 2019.
    Raises DomainError where eps is 0 and all entries are 0.
    """

    signature = "x[k], gamma[k] -> y[k]"
    parameters = ("gamma",)
    formula = "gamma x/r, r = √(mean of x² + eps)"
    compiled_as = kernels.rms_norm
    reasons: Mapping[str, str] = {
        "x": "itself, and all entries through their size",
        "gamma": "gain k stretches entry k only",
    }

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = between(eps, 0.0, np.inf, f"{self.name}(eps)")

    @property
    def admits_finite(self) -> bool:
        """With eps above 0 there is always something to divide by."""
        return self.eps > 0

    @quiet
    def forward(self, x, gamma):
        return gamma * (x / _spread(x, self.eps))

    @quiet
    def jacobians(self, x, gamma):
        r = _spread(x, self.eps)
        u = x / r
        inner = delta("k,k'") - (1 / x.shape[-1]) * dense("u[k]", u) * dense("u[k']", u)
        return {
            "x": dense("(gamma/r)[k]", gamma / r) * inner,
            "gamma": delta("k,k'") * dense("u[k]", u),
        }

    @quiet
    def vjp(self, y_bar, x, gamma):
        r = _spread(x, self.eps)
        u, bar = x / r, y_bar * (gamma / r)
        along = (bar * u).mean(axis=-1, keepdims=True)
        return {"x": bar - u * along, "gamma": over_batch(y_bar * u)}

    def admit(self, names, x, gamma):
        _require_spread(self, x, _spread(x, self.eps), names["x"])
        return x, gamma


class BatchNorm(Op):
    """Batch normalisation in training: each unit by its mean and spread over the examples.

        y[n,k] = gamma[k] x̂[n,k] + beta[k],  x̂ = (x − μ[k])/s[k]
        ∂y/∂x = δ[k,k'] (gamma[k]/s[k]) (δ[n,n'] − 1/N − x̂[n,k] x̂[n',k]/N)
        ∂y/∂gamma = x̂[n,k] δ[k,k'],  ∂y/∂beta = δ[k,k'] for every n

    Units keep apart, hence δ[k,k']; examples do not: each reads all others through the mean
    and the spread, hence no δ[n,n'] alone. Source: Ioffe and Szegedy, 2015.
    Raises DomainError where eps is 0 and a unit has one value for all examples.
    """

    signature = "x[n,k], gamma[k], beta[k] -> y[n,k]"
    parameters = ("gamma", "beta")
    formula = "gamma (x − mean over n)/s + beta, s = √(variance over n + eps)"
    reasons: Mapping[str, str] = {
        "x": "unit k of all examples, through mean and spread",
        "gamma": "gain k stretches unit k only",
        "beta": "shift k moves unit k only",
    }

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = between(eps, 0.0, np.inf, f"{self.name}(eps)")

    @quiet
    def forward(self, x, gamma, beta):
        normal, _ = _standardised(_units(x), self.eps)
        return gamma * normal.T + beta

    @quiet
    def jacobians(self, x, gamma, beta):
        normal, s = _standardised(_units(x), self.eps)
        normal, share = normal.T, 1 / len(x)
        inner = delta("n,n'") - share * one("n") * one("n'")
        inner = inner - share * dense("x̂[n,k]", normal) * dense("x̂[n',k]", normal)
        gain = dense("(gamma/s)[k]", gamma / s[:, 0])
        return {
            "x": delta("k,k'") * gain * inner,
            "gamma": delta("k,k'") * dense("x̂[n,k]", normal),
            "beta": one("n") * delta("k,k'"),
        }

    @quiet
    def vjp(self, y_bar, x, gamma, beta):
        normal, s = _standardised(_units(x), self.eps)
        whole = _units(y_bar)
        bar = whole * (gamma[:, None] / s)
        along = (bar * normal).mean(axis=1, keepdims=True)
        return {
            "x": (bar - bar.mean(axis=1, keepdims=True) - normal * along).T,
            "gamma": (whole * normal).sum(axis=1),
            "beta": whole.sum(axis=1),
        }

    def admit(self, names, x, gamma, beta):
        units = _units(x)
        centred = units - units.mean(axis=1, keepdims=True)
        _require_spread(self, units, _spread(centred, self.eps), names["x"], "[:,{}]")
        return x, gamma, beta


def _units(x: np.ndarray) -> np.ndarray:
    """The examples of each unit as a row: sums over them do not depend on how x is stored."""
    return np.ascontiguousarray(x.T)


def _standardised(x: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """(x − μ)/s and s, of each row; s keeps the axis."""
    centred = x - x.mean(axis=-1, keepdims=True)
    s = _spread(centred, eps)
    return centred / s, s


def _spread(x: np.ndarray, eps: float) -> np.ndarray:
    """√(mean of x² + eps) of each row, without squaring what would overflow or vanish."""
    top = np.abs(x).max(axis=-1, keepdims=True)
    top = np.where(top == 0, 1, top).astype(x.dtype)
    mean = ((x / top) ** 2).mean(axis=-1, keepdims=True)
    return np.asarray(np.hypot(top * np.sqrt(mean), x.dtype.type(np.sqrt(eps))))


def _require_spread(
    op: Op, x: np.ndarray, spread: np.ndarray, name: str, where: str = "[{}]"
) -> None:
    """DomainError where there is nothing to divide by."""
    still = np.argwhere(spread[..., 0] == 0)
    if len(still):
        place = tuple(still[0])
        which = entry(name, place) if where == "[{}]" else name + where.format(place[0])
        first = x[place][0]
        raise DomainError(
            f"{op.name}: all {x.shape[-1]} entries of {which} are {first:g}, so that they have no "
            "spread.\n  Give an eps above 0, such as eps=1e-5."
        )
