"""Mean and Sum over the batch: the two ops that read along the examples.

For one example there is nothing to reduce, and a network leaves them out. With
MeanOverOutputs before it, Mean is the mean over all entries, examples and outputs.
"""

from numbers import Integral

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


class MeanOverOutputs(Op):
    """A loss that is a sum over K outputs, made their mean; `outputs` is K.

        E = L/K,  ∂E/∂L = 1/K

    The mean of E over N examples is then the mean over all N·K entries.
    """

    signature = "L[] -> E[]"
    reduction = "mean_over_entries"
    shows_nonfinite = True

    def __init__(self, outputs: int) -> None:
        if isinstance(outputs, bool) or not isinstance(outputs, Integral) or outputs < 1:
            raise DomainError(
                f"MeanOverOutputs(outputs) is {outputs!r}.\n"
                "  Write the number of outputs, a whole number from 1 up."
            )
        self.outputs: int = int(outputs)
        self.formula = f"L / {self.outputs}"
        self.reasons = {"L": f"each of the {self.outputs} outputs counts 1/{self.outputs}"}
        self.options = (str(self.outputs),)

    def forward(self, L):
        return L / self.outputs

    def jacobians(self, L):
        return {"L": (1 / self.outputs) * elementwise("")}

    def vjp(self, E_bar, L):
        return {"L": E_bar / self.outputs}

    def peer(self, xp, L):
        return L / self.outputs

    def __repr__(self) -> str:
        return f"MeanOverOutputs(outputs={self.outputs})"
