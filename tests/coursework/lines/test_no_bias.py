"""Lines of a layer that has no bias: none is put in, and what was meant is found."""

import numpy as np
import pytest

from jacobian_bp import Convention, Network, diagnose_line

RNG = np.random.default_rng(37)
NET = Network.program(
    "z1 = Linear(x, W1, b1)",
    "a1 = Tanh(z1)",
    "z2 = Linear(a1, W2)",
    "L = SquaredError(z2, y)",
    "J = Mean(L)",
    params={
        "W1": RNG.normal(size=(5, 3)),
        "b1": RNG.normal(size=5),
        "W2": RNG.normal(size=(2, 5)),
    },
)
RUN = NET.run(RNG.normal(size=3), RNG.normal(size=2))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dW2 = np.outer(a1, d2)", "Meant for ∂J/∂W2: np.outer(d2, a1)"),
        ("da1 = W2 @ d2", "Meant for ∂J/∂a1: W2.T @ d2"),
        ("z2 = a1 @ W2", "Meant for z2: a1 @ W2.T"),
        ("z1 = W1 @ x", "Meant for z1: W1 @ x + b1"),
        ("z2 = W2 @ a1", "right"),
        ("dz2/dW2 = np.kron(np.eye(2), a1)", "right"),
    ],
)
def test_a_line_of_a_layer_without_a_bias_is_read(line, meant):
    assert meant in str(diagnose_line(line, RUN))


@pytest.mark.parametrize("weights", ["out,in", "in,out"])
@pytest.mark.parametrize("bias", ["first", "last"])
def test_a_weight_without_a_bias_has_no_line_of_it(weights, bias):
    product = "np.outer(d2, a1)" if weights == "out,in" else "np.outer(a1, d2)"
    told = diagnose_line(f"dW2 = {product}", RUN, convention=Convention("rows", weights, bias=bias))
    assert str(told).startswith(f"dW2 = {product}: right.")
