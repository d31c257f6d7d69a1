"""Penalties on a parameter: what is added to the cost once, however many examples there are.

A penalty reads a parameter and no example, so that it has no axis n. Its default axes
are those of a weight W[k,i]; L2Penalty(0.01, "k") is one on a bias. The squares are
added up in C order, whatever the memory order of W: the same bits.
"""

import numpy as np

from ..algebra.axes import parse_axes, primed
from ..algebra.expression import dense
from ..errors import AxisError
from ..numbers.arrays import quiet
from ..writing.signs import number
from .activations import between
from .base import Op, same_entry


class Penalty(Op):
    """λ times a sum over the entries of one parameter; `rate` is λ, from 0 up."""

    parameters = ("W",)
    example = {"rate": 0.25}

    def __init__(self, rate: float, axes: str = "k,i") -> None:
        self.rate = between(rate, 0.0, np.inf, f"{self.name}(rate)")
        if not parse_axes(axes):
            raise AxisError(f'{self.name} has no axes.\n  Write those of its input, such as "k,i".')
        self.axes = axes
        self.signature = f"W[{axes}] -> R[]"

    @property
    def options(self) -> tuple[str, ...]:
        return (repr(self.rate), *([repr(self.axes)] if self.axes != "k,i" else []))

    @property
    def derivative(self) -> str:
        """∂R/∂W, written as the formula is: 2 · 0.1 W."""
        raise NotImplementedError(self.name)

    @property
    def label_axes(self) -> str:
        """The axes of the variable: k',i'."""
        return ",".join(primed(parse_axes(self.axes)))


class L2Penalty(Penalty):
    """Sum of squares, without a ½: weight decay by 2λ W.

        R = λ Σ W[k,i]²
        ∂R/∂W = 2 λ W[k',i'],  ∂²R/∂W² = 2 λ δ[k',k''] δ[i',i'']

    Each entry of W counts on its own: the derivative by W[k',i'] reads that entry alone.
    Source: Hoerl and Kennard, Ridge Regression, 1970.
    """

    penalty = "l2"
    shows_nonfinite = True
    reasons = {"W": "W² has slope 2 W"}

    @property
    def formula(self) -> str:
        return f"{number(self.rate)} Σ W²"

    @property
    def derivative(self) -> str:
        return f"2 · {number(self.rate)} W"

    def forward(self, W):
        return self.rate * np.multiply(W, W, order="C").sum()

    def jacobians(self, W):
        return {"W": 2 * self.rate * dense(f"W[{self.label_axes}]", W)}

    def second(self, W):
        return {("W", "W"): 2 * self.rate * same_entry(self.axes)}

    @quiet
    def vjp(self, R_bar, W):
        pulled = R_bar * self.rate * W
        return {"W": pulled + pulled}

    def peer(self, xp, W):
        return self.rate * (W * W).sum()


class HalfL2Penalty(Penalty):
    """Sum of squares, with the ½ that spares the derivative its 2: weight decay by λ W.

        R = ½ λ Σ W[k,i]²
        ∂R/∂W = λ W[k',i'],  ∂²R/∂W² = λ δ[k',k''] δ[i',i'']

    A course's λ/(2m) Σ W² over m examples is the rate λ/m; PyTorch's weight_decay is λ.
    Source: Krogh and Hertz, A Simple Weight Decay Can Improve Generalization, 1991.
    """

    penalty = "half_l2"
    shows_nonfinite = True
    reasons = {"W": "the ½ takes the 2 away"}

    @property
    def formula(self) -> str:
        return f"½ · {number(self.rate)} Σ W²"

    @property
    def derivative(self) -> str:
        return f"{number(self.rate)} W"

    def forward(self, W):
        return self.rate * np.multiply(W, W, order="C").sum() / 2

    def jacobians(self, W):
        return {"W": self.rate * dense(f"W[{self.label_axes}]", W)}

    def second(self, W):
        return {("W", "W"): self.rate * same_entry(self.axes)}

    @quiet
    def vjp(self, R_bar, W):
        return {"W": R_bar * self.rate * W}

    def peer(self, xp, W):
        return self.rate * (W * W).sum() / 2


class L1Penalty(Penalty):
    """Sum of absolute values: it pulls every entry towards 0 by the same λ.

        R = λ Σ |W[k,i]|
        ∂R/∂W = λ sign(W)[k',i'],  λ `at_zero` where W[k',i'] = 0

    At 0 the left slope is −λ and the right slope λ: a kink. `at_zero` is between −1
    and 1; 0 is the default. Source: Tibshirani, Regression Shrinkage and Selection via
    the Lasso, 1996.
    """

    penalty = "l1"
    shows_nonfinite = True
    reasons = {"W": "|W| has slope 1 or −1, the sign of W"}

    def __init__(self, rate: float, axes: str = "k,i", at_zero: float = 0.0) -> None:
        super().__init__(rate, axes)
        self.at_zero = between(at_zero, -1.0, 1.0, "L1Penalty(at_zero)")

    @property
    def formula(self) -> str:
        return f"{number(self.rate)} Σ |W|"

    @property
    def derivative(self) -> str:
        return f"{number(self.rate)} sign(W)"

    @property
    def options(self) -> tuple[str, ...]:
        return (*super().options, *([f"at_zero={self.at_zero}"] if self.at_zero else []))

    def forward(self, W):
        return self.rate * np.abs(W, order="C").sum()

    def jacobians(self, W):
        signs = np.where(W == 0, self.at_zero, np.sign(W)).astype(W.dtype)
        return {"W": self.rate * dense(f"sign(W)[{self.label_axes}]", signs)}

    def second(self, W):
        return {}

    @quiet
    def vjp(self, R_bar, W):
        pulled = R_bar * self.rate
        right = np.where(W > 0, pulled, np.where(W < 0, -pulled, pulled * self.at_zero))
        return {"W": right.astype(W.dtype)}

    def branch(self, W):
        return np.sign(W)

    def peer(self, xp, W):
        return self.rate * abs(W).sum()
