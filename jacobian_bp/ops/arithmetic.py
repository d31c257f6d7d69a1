"""Add and Multiply: where two values meet."""

import numpy as np

from ..algebra.expression import dense
from ..numbers.arrays import quiet
from .base import Op, elementwise
from .kernels import sums as kernels


class Add(Op):
    """Entrywise sum: a skip connection.

        c[k] = a[k] + b[k]
        ∂c/∂a = ∂c/∂b = δ[k,k']

    A value that feeds this op and another gets the sum of what comes back.
    """

    formula = "a + b"
    reasons = {"a": "adding passes each slope on", "b": "adding passes each slope on"}
    passes_on = True
    compiled_as = kernels.addition
    shows_nonfinite = True

    def __init__(self, axes: str = "k") -> None:
        self.axes = axes
        self.signature = f"a[{axes}], b[{axes}] -> c[{axes}]"

    def forward(self, a, b):
        return a + b

    def jacobians(self, a, b):
        return {"a": elementwise(self.axes), "b": elementwise(self.axes)}

    def vjp(self, c_bar, a, b):
        return {"a": shared(c_bar, a), "b": shared(c_bar, b)}


class Multiply(Op):
    """Entrywise (Hadamard) product.

        c[k] = a[k] b[k]
        ∂c/∂a = δ[k,k'] b[k],  ∂c/∂b = δ[k,k'] a[k]

    Entry k of the product reads entry k of each factor, hence δ[k,k'].
    """

    formula = "a * b, entry by entry"
    reasons = {"a": "the other factor stays", "b": "the other factor stays"}
    shows_nonfinite = True

    def __init__(self, axes: str = "k") -> None:
        self.axes = axes
        self.signature = f"a[{axes}], b[{axes}] -> c[{axes}]"

    def forward(self, a, b):
        return a * b

    def jacobians(self, a, b):
        return {
            "a": elementwise(self.axes) * dense(f"b[{self.axes}]", b),
            "b": elementwise(self.axes) * dense(f"a[{self.axes}]", a),
        }

    @quiet
    def vjp(self, c_bar, a, b):
        return {"a": shared(c_bar * b, a), "b": shared(c_bar * a, b)}


def shared(bar: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Add up the examples where `value` is one that the whole batch shares."""
    return bar.sum(axis=0) if bar.ndim > value.ndim else np.array(bar, copy=True)
