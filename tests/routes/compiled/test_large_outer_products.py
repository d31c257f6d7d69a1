"""One example: a large δ aᵀ is not looked at entry by entry, and still no overflow passes."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, Network
from jacobian_bp.routes.compiled import plan as plans

RNG = np.random.default_rng(53)
WIDE, OUT = 71, 67  # 4,757 entries
X, Y = RNG.normal(size=WIDE), RNG.normal(size=OUT)


def net(dtype=np.float64):
    return Network.dense([WIDE, OUT], "identity", "half_squared_error", seed=1, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "read", "back"), [(np.float64, 1e170, 1e149), (np.float32, 1e22, 1e17)]
)
def test_an_outer_product_that_overflows_is_refused_as_a_run_refuses_it(dtype, read, back):
    own = net(dtype)
    step, params = own.compile(), {**own.params, "b1": np.full(OUT, 0, dtype)}
    step(params, X.astype(dtype), Y.astype(dtype))
    assert step._plan.read_by_outer == ("x",)
    small = {**params, "W1": np.zeros((OUT, WIDE), dtype)}
    x, y = (X * read).astype(dtype), (Y * back).astype(dtype)
    said = refusal(DomainError, step, small, x, y)
    assert said == refusal(DomainError, own.with_params(small).run(x, y).gradients)
    assert said.startswith("∂J/∂W1[")


def test_what_only_looks_as_if_it_overflowed_is_right():
    own = net()
    step, zeros = own.compile(), {"W1": np.zeros((OUT, WIDE)), "b1": np.zeros(OUT)}
    step(zeros, X, Y)
    x, y = X * 1e160, Y * 1e-150
    loss, gradients = step(zeros, x, y)
    np.testing.assert_allclose(gradients["W1"], np.outer(-y, x), rtol=1e-15)
    assert np.isfinite(gradients["W1"]).all()
    assert loss == pytest.approx((y @ y) / 2)


def test_without_the_look_at_what_it_is_made_of_the_overflow_would_pass(monkeypatch):
    step, zeros = net().compile(), {"W1": np.zeros((OUT, WIDE)), "b1": np.zeros(OUT)}
    step(zeros, X, Y)
    monkeypatch.setattr(plans.Plan, "slopes_are_finite", lambda _: True)
    _, gradients = step(zeros, X * 1e170, Y * 1e149)
    assert not np.isfinite(gradients["W1"]).all()


def test_a_weight_that_is_read_twice_is_looked_at():
    lines = ("z = Linear(x, W, b)", "a = Tanh(z)", "q = Linear(a, W, b)", "J = SquaredError(q, y)")
    params = {"W": RNG.normal(size=(WIDE, WIDE)) / 9, "b": np.zeros(WIDE)}
    own = Network.program(*lines, params=params)
    step = own.compile()
    loss, gradients = step(own.params, X, X[::-1].copy())
    assert step._plan.read_by_outer == ()
    run = own.run(X, X[::-1].copy())
    assert loss == pytest.approx(run.loss)
    np.testing.assert_allclose(gradients["W"], run.gradients()["W"], rtol=1e-12)
