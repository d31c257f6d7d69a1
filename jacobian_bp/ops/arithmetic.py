"""Add and Multiply: where values meet."""

import numpy as np

from ..algebra.expression import dense
from ..numbers.arrays import quiet
from .base import Op, elementwise, elementwise_twice, over_batch
from .kernels import sums as kernels


class Add(Op):
    """Entrywise sum: a skip connection.

        c[k] = a[k] + b[k]
        ∂c/∂a = ∂c/∂b = δ[k,k']

    A value that feeds this op and another gets the sum of what comes back. Of three
    values and more the inputs are named a1, a2, a3, …
    """

    passes_on = True
    compiled_as = kernels.addition
    shows_nonfinite = True

    def __init__(self, axes: str = "k", terms: int = 2) -> None:
        self.axes = axes
        self.names = ("a", "b") if terms == 2 else tuple(f"a{t}" for t in range(1, terms + 1))
        self.signature = ", ".join(f"{name}[{axes}]" for name in self.names) + f" -> c[{axes}]"
        self.formula = " + ".join(self.names)
        self.reasons = dict.fromkeys(self.names, "adding passes each slope on")

    @property
    def options(self) -> tuple[str, ...]:
        return () if self.axes == "k" else (repr(self.axes),)

    def reading(self, count):
        return self if count < 2 else Add(self.axes, count)

    def forward(self, *terms):
        return sum(terms[1:], start=terms[0])

    def jacobians(self, *terms):
        return {name: elementwise(self.axes) for name in self.names}

    def second(self, *terms):
        return {}

    def vjp(self, c_bar, *terms):
        return {name: shared(c_bar, term) for name, term in zip(self.names, terms, strict=True)}

    def __repr__(self) -> str:
        return f"Add(axes={self.axes!r})"


class Multiply(Op):
    """Entrywise (Hadamard) product.

        c[k] = a[k] b[k]
        ∂c/∂a = δ[k,k'] b[k],  ∂c/∂b = δ[k,k'] a[k]

        ∂²c/∂a∂b = δ[k,k'] δ[k,k'']

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

    def second(self, a, b):
        return {("a", "b"): elementwise_twice(self.axes)}

    @quiet
    def vjp(self, c_bar, a, b):
        return {"a": shared(c_bar * b, a), "b": shared(c_bar * a, b)}


def shared(bar: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Add up the axes in front that `value` does not have: there all share it."""
    return over_batch(bar, value.ndim)
