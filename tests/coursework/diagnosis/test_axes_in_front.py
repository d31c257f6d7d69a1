"""A mistake beside tokens: diagnosed where it is known, and never by a failure of our own."""

import numpy as np
import pytest

from jacobian_bp import Convention, Network, diagnose, diagnose_line

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


COLUMNS = Convention("columns")
IN_COLUMNS = RUN.written_in(COLUMNS)
DELTA = np.moveaxis(RUN.vjp("J", "z1", 1.0), 0, -1)  # of t, k, n


def one_entry(delta):
    found = delta.copy()
    found[1, 2, 3] += 5
    return found


@pytest.mark.parametrize(
    ("delta", "says"),
    [
        (DELTA, "z1 is right."),
        (-DELTA, "The delta of z1 (layer 1) has the wrong sign in every entry."),
        (one_entry(DELTA), "Wrong in one entry only: [1,2,3] (counted from 0)."),
        (np.moveaxis(DELTA, -1, 0), f"fits no layout of z1, whose own is ({T}, {H}, {N})."),
    ],
)
def test_a_delta_of_tokens_has_its_examples_in_the_last_axis_in_columns(delta, says):
    assert str(diagnose(RUN, {"z1": delta}, convention=COLUMNS)).endswith(says)


@pytest.mark.one_in(9)
@pytest.mark.parametrize("layout", ["numerator", "flat", "gradient"])
@pytest.mark.parametrize(("of", "wrt"), [("z1", "W1"), ("z1", "x"), ("a1", "z1")])
def test_a_jacobian_of_tokens_in_columns_is_known_in_every_layout(of, wrt, layout):
    right = IN_COLUMNS.jacobian(of, wrt).materialise(layout)
    assert diagnose(RUN, {(of, wrt): right}, convention=COLUMNS).ok
    assert not diagnose(RUN, {(of, wrt): -right}, convention=COLUMNS).ok
