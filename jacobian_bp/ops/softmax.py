"""Softmax and its logarithm: the Jacobians that are not diagonal.

Both Jacobians have the null vector (1, …, 1): adding one number to every logit
changes nothing.
"""

import numpy as np

from ..algebra.expression import delta, dense, distinct, one
from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from ..numbers.stable import log_softmax, softmax_parts, sum_of_others
from .base import Op
from .labels import DISTRIBUTION, PROBABILITIES


class Softmax(Op):
    """Class probabilities.

        p[k] = exp z[k] / Σ_j exp z[j]
        ∂p/∂z = p[k] δ[k,k'] − p[k] p[k']

    Written below as δ p(1−p) − (1−δ) p p': on the diagonal p − p² would cancel
    where p is near 1, so 1−p is summed from the other classes.
    """

    formula = "softmax(z)"
    signature = "z[k] -> p[k]"
    reasons = {"z": "all classes share one sum"}
    activation = "softmax"
    gives = (PROBABILITIES, DISTRIBUTION)
    admits_finite = True

    def forward(self, z):
        return softmax_parts(z)[0]

    def jacobians(self, z):
        p, rest = softmax_parts(z)
        diagonal = delta("k,k'") * dense("p[k]", p) * dense("(1−p)[k]", rest)
        return {"z": diagonal - distinct("k,k'") * dense("p[k]", p) * dense("p[k']", p)}

    @quiet
    def vjp(self, p_bar, z):
        p = softmax_parts(z)[0]
        return {"z": p * (p_bar * sum_of_others(p) - sum_of_others(p * p_bar))}

    def admit(self, names, z):
        require_live_rows(z, names["z"])
        return (z,)

    def peer(self, xp, z):
        return xp.softmax(z)


class LogSoftmax(Op):
    """Logarithm of the class probabilities.

        l[k] = z[k] − log Σ_j exp z[j]
        ∂l/∂z = δ[k,k'] − p[k']

    Written below as δ (1−p) − (1−δ) p', for the reason given at Softmax.
    """

    formula = "log softmax(z)"
    signature = "z[k] -> l[k]"
    reasons = {"z": "all classes share one sum"}
    admits_finite = True

    def forward(self, z):
        return log_softmax(z)

    def jacobians(self, z):
        p, rest = softmax_parts(z)
        diagonal = delta("k,k'") * dense("(1−softmax(z))[k]", rest)
        return {"z": diagonal - distinct("k,k'") * one("k") * dense("softmax(z)[k']", p)}

    @quiet
    def vjp(self, l_bar, z):
        p = softmax_parts(z)[0]
        return {"z": l_bar * sum_of_others(p) - p * sum_of_others(l_bar)}

    def admit(self, names, z):
        require_live_rows(z, names["z"])
        return (z,)


def require_live_rows(z: np.ndarray, name: str) -> None:
    """Refuse a row of logits that are all −inf: no class is left to share out."""
    dead = np.atleast_1d(np.isneginf(z).all(axis=-1))
    if z.size and dead.any():
        row = (int(np.argwhere(dead)[0][0]),) if z.ndim > 1 else ()
        raise DomainError(
            f"{entry(name, row)}: all {z.shape[-1]} logits are -inf, so no class has a probability."
            "\n  Leave at least one class unmasked."
        )
