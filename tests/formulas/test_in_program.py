"""A line of a program may be a formula: one example, a batch, a batch of sequences."""

import numpy as np
import pytest

from jacobian_bp import Network, SpecError

RNG = np.random.default_rng(1516)
PARAMS = {"W": RNG.normal(size=(3, 5)), "b": RNG.normal(size=3), "lam": np.array(0.3)}
TYPED = ("z = W @ x + b", "a = tanh(z)", "L = sum((a - y)**2) + lam * sum(a * a)", "J = Mean(L)")


@pytest.mark.parametrize("front", [(), (7,), (2, 7)])
def test_a_network_of_formulas_has_the_cost_and_gradients_of_each_example(front):
    x, y = RNG.normal(size=(*front, 5)), RNG.normal(size=(*front, 3))
    axes = {"x": "n,t", "y": "n,t"} if len(front) == 2 else None
    over = (*TYPED[:-1], "J = Mean(L, over='n,t')") if len(front) == 2 else TYPED
    run = Network.program(*over, params=PARAMS).run(x, y, axes=axes)
    a = np.tanh(x @ PARAMS["W"].T + PARAMS["b"])
    losses = ((a - y) ** 2).sum(axis=-1) + PARAMS["lam"] * (a * a).sum(axis=-1)
    assert run.loss == pytest.approx(losses.mean(), rel=1e-13)
    delta = 2 * ((a - y) + PARAMS["lam"] * a) * (1 - a * a) / max(1, losses.size)
    want = delta.reshape(-1, 3).T @ x.reshape(-1, 5)
    np.testing.assert_allclose(run.gradients()["W"], want, rtol=1e-11)
    assert run.check().ok, str(run.check())


def test_a_vector_and_a_number_of_each_example_meet():
    net = Network.program(
        "s = w @ x",
        "L = sum((x - s * c)**2)",
        "J = Mean(L)",
        params={"w": RNG.normal(size=5), "c": RNG.normal(size=5)},
    )
    x = RNG.normal(size=(7, 5))
    run = net.run(x)
    s = x @ net.params["w"]
    assert run.loss == pytest.approx(((x - s[:, None] * net.params["c"]) ** 2).sum(axis=1).mean())
    assert run.check().ok, str(run.check())


def test_a_wrong_line_is_named():
    with pytest.raises(SpecError) as caught:
        Network.program("z = Linear(x, W, b)", "q = z @ flubb(z)", params=PARAMS)
    assert str(caught.value).startswith(
        "line 2: 'q = z @ flubb(z)': no function is named flubb.\n  z @ flubb(z)\n      ^^^^^^^^\n"
    )
    with pytest.raises(SpecError) as caught:
        Network.program("q = x @ x", "z = Linaer(x, W, b)", params=PARAMS)
    assert str(caught.value).startswith("line 2: 'z = Linaer(x, W, b)': no op is named Linaer.")
    with pytest.raises(SpecError) as caught:
        Network.program("z = x[0] * x", params=PARAMS)
    assert str(caught.value) == (
        "line 1: 'z = x[0] * x': a program knows no lengths beforehand: slices and means are ops "
        "of their own there.\n  Write a line for each: s = Slice(x, 0, 3), J = Mean(L)."
    )
