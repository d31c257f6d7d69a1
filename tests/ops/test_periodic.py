"""Sine and cosine beyond the grid of the oracle: angles past half of the largest float, and 0."""

import numpy as np
import pytest

from jacobian_bp import Network, check_op, ops


@pytest.mark.parametrize("op", [ops.Sin(), ops.Cos()])
def test_where_twice_the_angle_is_no_float_the_slope_is_still_right(op):
    z = np.array([1.7e308, -1.2e308, 0.0, -0.0, 5e-324])
    expected = np.cos(z) if op.name == "Sin" else -np.sin(z)
    found = op.vjp(np.ones(5), z)["z"]
    np.testing.assert_allclose(found, expected, rtol=4e-16, atol=0)
    assert np.array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize(("formula", "step"), [("sin(x)", "Sin(x)"), ("cos(x)", "Cos(x)")])
def test_as_a_step_and_in_a_formula_it_is_the_same(formula, step):
    x = np.random.default_rng(3).normal(size=7)
    runs = [Network.program(f"a = {s}", "J = sum(a**3)").run(x) for s in (formula, step)]
    first, second = (run.jacobian("J", "x").materialise() for run in runs)
    np.testing.assert_allclose(first, second, rtol=1e-15)
    first, second = (run.hessian("x", "x").materialise() for run in runs)
    np.testing.assert_allclose(first, second, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_compiled_step_gives_what_the_run_gives(dtype):
    x = np.random.default_rng(5).normal(size=(3, 7)).astype(dtype)
    p = {"p": np.linspace(0.5, 2, 7, dtype=dtype)}
    lines = [
        "z = Multiply(x, p)",
        "a = Sin(z)",
        "c = Cos(a)",
        "L = Sum(c, over='k')",
        "J = Mean(L)",
    ]
    net = Network.program(*lines, params=p)
    loss, gradients = net.compile(batch=3)(net.params, x)
    run = net.run(x)
    u = float(np.finfo(dtype).eps)
    assert loss == pytest.approx(float(run.loss), rel=4 * u)
    np.testing.assert_allclose(gradients["p"], run.gradients()["p"], rtol=16 * u, atol=4 * u)


def test_a_slope_of_the_wrong_sign_is_caught():
    class Wrong(ops.Cos):
        def vjp(self, a_bar, z):
            return {"z": -super().vjp(a_bar, z)["z"]}

    report = check_op(Wrong(), {"z": np.array([0.3, 1.1, 2.9])})
    assert "every entry has the opposite sign" in str(report)
