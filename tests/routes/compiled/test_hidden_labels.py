"""A label that an op would hide is asked for by its admit, at every call of a compiled step."""

import numpy as np
import pytest
from compiled_cases import LAYER, X, Y, both_say, kept, planned
from network_cases import same_bits

from jacobian_bp import DomainError, Network, Op
from jacobian_bp.numbers.arrays import require_finite


class BoundedDistance(Op):
    """A loss in which an infinite label gives an ordinary number, taken for granted finite."""

    signature = "a[k], y[k] -> L[]"
    labels = ("y",)
    admits_finite = True

    def admit(self, names, a, y):
        require_finite(y, names["y"], "A label is a finite number.")
        return a, y

    def forward(self, a, y):
        return np.arctan(a - y).sum(axis=-1)

    def vjp(self, L_bar, a, y):
        slope = L_bar[..., None] / (1 + (a - y) ** 2)
        return {"a": slope, "y": -slope}


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_label_that_is_not_finite_is_refused_where_the_loss_would_hide_it(bad):
    lines = ["z = Linear(x, W, b)", "L = BoundedDistance(z, y)", "J = Mean(L)"]
    net = Network.program(*lines, params=LAYER, ops={"BoundedDistance": BoundedDistance})
    step = planned(net)[1]
    good = kept(step(net.params, X, Y))
    y = Y.copy()
    y[3, 1] = bad
    text = both_say(DomainError, net, step, X, y)
    assert text.startswith(f"y[3,1] is {bad}; 1 of 14 entries of y are not finite.")
    same_bits(kept(step(net.params, X, Y)), good)
