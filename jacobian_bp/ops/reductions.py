"""Mean and Sum over the batch: the two ops that read along the examples.

For one example there is nothing to reduce, and a network leaves them out.
"""

import numpy as np

from ..algebra.expression import one
from ..errors import DomainError
from .base import Op, elementwise
from .kernels import sums as kernels


class Reduction(Op):
    """An op along the examples; `axes` names those that one example keeps."""

    def __init__(self, axes: str = "") -> None:
        self.axes = axes
        self.signature = f"L[{','.join(['n', *([axes] if axes else [])])}] -> J[{axes}]"


class Mean(Reduction):
    """Mean over the N examples.

        J = (1/N) Σ_n L[n],  ∂J/∂L = (1/N) 1[n']

    Every example has the same share of the mean, hence 1[n'].
    """

    formula = "the mean of L"
    reasons = {"L": "each of the N examples counts 1/N"}
    reduction = "mean"
    averages = True
    compiled_as = kernels.reduction
    shows_nonfinite = admits_finite = True

    def forward(self, L):
        return L.sum(axis=0) / len(L)

    def jacobians(self, L):
        return {"L": (1 / len(L)) * elementwise(self.axes) * one("n'")}

    def vjp(self, J_bar, L):
        return {"L": np.array(np.broadcast_to(J_bar / len(L), L.shape), copy=True)}

    def admit(self, names, L):
        if L.ndim and len(L) == 0:
            raise DomainError(
                f"the mean of {names['L']} over 0 examples is not defined.\n"
                "  Pass a batch of at least one example, or use Sum."
            )
        return (L,)

    def peer(self, xp, L):
        return L.mean(0)


class Sum(Reduction):
    """Sum over the examples.

        J = Σ_n L[n],  ∂J/∂L = 1[n']

    Every example has the same share, hence the constant factor 1[n'].
    """

    formula = "the sum of L"
    reasons = {"L": "each example counts once"}
    reduction = "sum"
    compiled_as = kernels.reduction
    shows_nonfinite = True

    def forward(self, L):
        return L.sum(axis=0)

    def jacobians(self, L):
        return {"L": elementwise(self.axes) * one("n'")}

    def vjp(self, J_bar, L):
        return {"L": np.array(np.broadcast_to(J_bar, L.shape), copy=True)}

    def peer(self, xp, L):
        return L.sum(0)
