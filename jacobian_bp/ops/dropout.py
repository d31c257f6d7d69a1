"""Dropout with a given mask."""

from collections.abc import Mapping

import numpy as np

from ..algebra.axes import each_once
from ..algebra.written_positions import within
from ..errors import DomainError
from ..numbers.arrays import quiet
from .activations import between
from .base import Op, elementwise, over_batch
from .masked_softmax import first_no_mask


class Dropout(Op):
    """Some entries dropped, the others made larger in turn.

        y[k] = m[k] x[k] / keep
        ∂y/∂x = m[k] δ[k,k'] / keep

    Entry k reads entry k alone, hence δ[k,k'], and where m[k] is 0 it reads nothing. m is given,
    1 where an entry is kept and 0 where it is dropped: it is no parameter, and nothing is
    differentiated by it. `keep` is the share of entries that are kept: with it the mean over
    masks is x. Source: Srivastava et al., 2014. Raises DomainError for a mask with other numbers.
    """

    constants = ("m",)
    formula = "m * x / keep, entry by entry"
    reasons: Mapping[str, str] = {"x": "an entry that is kept is made 1/keep times as large"}
    keeps_zeros_of = ("x",)
    example = {"keep": 0.5}

    def __init__(self, keep: float, axes: str = "k") -> None:
        self.keep = between(keep, 0.0, 1.0, "Dropout(keep)")
        if self.keep == 0:
            raise DomainError(
                "Dropout(keep) is 0: no entry is kept, and none can be made larger.\n"
                "  Write the share of entries that are kept, such as 0.5."
            )
        each_once(axes, f"Dropout(axes={axes!r})")
        self.axes = axes
        self.signature = f"x[{axes}], m[{axes}] -> y[{axes}]"

    @quiet
    def forward(self, x, m):
        return np.where(m != 0, x / self.keep, 0).astype(x.dtype)

    def jacobians(self, x, m):
        kept = within(f"m[{self.axes}]", table=m)
        return {"x": (1 / self.keep) * kept * elementwise(self.axes)}

    def second(self, *inputs):
        return {}

    @quiet
    def vjp(self, y_bar, x, m):
        bar = np.where(m != 0, y_bar / self.keep, 0).astype(y_bar.dtype)
        return {"x": over_batch(bar, x.ndim)}

    def stages(self):
        axes = self.axes
        return ((f"kept = Multiply(x, m, '{axes}')", f"y = Divide(kept, {self.keep!r}, '{axes}')"),)

    def support(self, x, m):
        return within(f"m[{self.axes}]", table=m)

    def admit(self, names, x, m):
        wrong = first_no_mask(m, names["m"])
        if wrong:
            raise DomainError(
                f"{wrong}; the mask of a dropout holds 1 where an entry is kept, and 0 where it "
                f"is dropped.\n  Pass {names['m']} with 0 and 1 only; keep does the scaling."
            )
        return x, m
