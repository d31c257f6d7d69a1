"""A mistake beside tokens: diagnosed where it is known, and never by a failure of our own."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose, diagnose_line

RNG = np.random.default_rng(107)
N, T, F, H, K = 5, 11, 3, 7, 2
NET = Network.program(
    "z1 = Linear(x, W1, b1)",
    "a1 = Tanh(z1)",
    "z2 = Linear(a1, W2, b2)",
    "L = SquaredError(z2, y)",
    "J = Mean(L, over='n,t')",
    params={
        "W1": RNG.standard_normal((H, F)),
        "b1": RNG.standard_normal(H),
        "W2": RNG.standard_normal((K, H)),
        "b2": RNG.standard_normal(K),
    },
)
RUN = NET.run(RNG.standard_normal((N, T, F)), RNG.standard_normal((N, T, K)), axes={"x": "n,t"})
RIGHT = RUN.gradients()
BAR = RUN.vjp("J", "z2", 1.0).reshape(-1, K)


@pytest.mark.parametrize(
    ("name", "wrong", "label"),
    [
        ("W1", -RIGHT["W1"], "sign"),
        ("W2", 2 * RIGHT["W2"], "constant-factor"),
        ("W2", BAR.T @ RUN["z1"].reshape(-1, H), "preactivation-for-activation"),
        ("b1", RIGHT["b1"] ** 2, "unknown"),
    ],
)
def test_a_mistake_is_named_beside_tokens(name, wrong, label):
    assert diagnose(RUN, {name: wrong})[name].label == label


def test_right_gradients_are_right_beside_tokens():
    assert diagnose(RUN, RIGHT).ok
    assert str(diagnose_line("db2 = dz2.sum(axis=(0, 1))", RUN)).endswith("shape (2,).")


def test_an_axis_in_front_is_called_by_its_name():
    said = str(diagnose_line("dW2 = dz2.T @ a1", RUN))
    assert "dz2.T has shape (2, 11, 5): units of layer 2 × axis t × examples" in said
