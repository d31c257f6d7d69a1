"""Ops whose rules are wrong on purpose: what a check has to catch, and the pattern it names."""

import numpy as np

from jacobian_bp import (
    CrossEntropyFromLogits,
    Linear,
    Mean,
    Multiply,
    Op,
    Sigmoid,
    Softmax,
    Tanh,
    delta,
    dense,
    one,
)
from jacobian_bp.ops import outer


def times(factor, rules):
    """Every rule times a factor."""
    return {name: factor * rule for name, rule in rules.items()}


def wrong(op, factor, where):
    """The op with a factor in its Jacobian, in its VJP, or in both."""

    class Wrong(op):
        def jacobians(self, *inputs):
            return times(factor if where != "vjp" else 1.0, super().jacobians(*inputs))

        def vjp(self, bar, *inputs):
            return times(factor if where != "jacobian" else 1.0, super().vjp(bar, *inputs))

    Wrong.__name__ = f"Wrong{op.__name__}"
    return Wrong


class TransposedJacobian(Linear):
    """∂z/∂a = W[i',k]: fits where W is square."""

    def jacobians(self, a, W, b):
        return super().jacobians(a, W, b) | {"a": dense("Wᵀ[k,i']", W.T)}


class TransposedVjp(Linear):
    def vjp(self, z_bar, a, W, b):
        return super().vjp(z_bar, a, W, b) | {"a": z_bar @ W.T, "W": outer(a, z_bar)}


class MeanWithoutShare(Mean):
    """J = Σ_n L[n] / N, but ∂J/∂L = 1[n'] without the 1/N."""

    def jacobians(self, L):
        return {"L": one("n'")}


class MeanWithoutShareInBoth(MeanWithoutShare):
    def vjp(self, J_bar, L):
        return {"L": np.broadcast_to(J_bar, L.shape).copy()}


class DeltaOnTheWrongAxis(Multiply):
    """∂c/∂a = δ[k,k'] b[k] without its delta: each entry reads all the others."""

    def jacobians(self, a, b):
        return super().jacobians(a, b) | {"a": one("k'") * dense("b[k]", b)}


class UnsummedBias(Linear):
    def vjp(self, z_bar, a, W, b):
        return super().vjp(z_bar, a, W, b) | {"b": z_bar}


class OneEntryOff(Linear):
    """One entry of W moved by 1e-6 of the largest."""

    def jacobians(self, a, W, b):
        W = W.copy()
        W[1, 2] += 1e-6 * np.abs(W).max()
        return super().jacobians(a, W, b)


class OneEntryOffInVjp(Linear):
    def vjp(self, z_bar, a, W, b):
        bent = W.copy()
        bent[1, 2] += 1e-6 * np.abs(W).max()
        return super().vjp(z_bar, a, W, b) | {"a": z_bar @ bent}


class SoftmaxDiagonal(Softmax):
    """The diagonal of softmax alone: −p[k] p[k'] is forgotten."""

    def vjp(self, p_bar, z):
        p = self.forward(z)
        return {"z": p_bar * p * (1 - p)}


class NotANumber(Sigmoid):
    def vjp(self, a_bar, z):
        return {"z": a_bar * np.nan}


class Scale(Op):
    """An op of a user, in ten lines: z[k] = s a[k]."""

    signature = "a[k], s[] -> z[k]"

    def forward(self, a, s):
        return s[..., None] * a

    def jacobians(self, a, s):
        return {"a": delta("k,k'") * dense("s", s), "s": dense("a[k]", a)}

    def vjp(self, z_bar, a, s):
        return {"a": s[..., None] * z_bar, "s": (z_bar * a).sum(-1)}


class WrongTanh(Tanh):
    """The textbook's 1 − tanh², with tanh forgotten to be squared."""

    def vjp(self, a_bar, z):
        return {"z": a_bar * (1 - np.tanh(z))}


class Forgetful(CrossEntropyFromLogits):
    def jacobians(self, z, y):
        return {}
