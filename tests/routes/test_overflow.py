"""A gradient that overflows is said, on every route and in a compiled step: never a silent inf."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, Network
from jacobian_bp.routes.gradients import ROUTES

FAR = {np.float64: (1e200, 1e-60, "1.8e+308"), np.float32: (1e20, 1e-2, "3.4e+38")}


def far_out(dtype):
    """The cost is finite, and twice the residual times x is not."""
    x, w, _ = FAR[dtype]
    params = {"W1": np.full((2, 3), w, dtype), "b1": np.zeros(2, dtype)}
    net = Network.dense([3, 2], "relu", "squared_error", params=params)
    return net, np.full(3, x, dtype), np.array([1, 2], dtype)


def message(dtype, route):
    wider = "" if dtype is np.float64 else ", or compute in float64"
    return (
        "∂J/∂W1[0,0] is inf; 6 of 6 entries of ∂J/∂W1 are not finite.\n"
        f"  J and the values before it are finite; on the {route} route a product of slopes "
        f"passes\n  {FAR[dtype][2]}, the largest {np.dtype(dtype)}, or a slope is not finite.\n"
        f"  Standardise the data, or start from smaller weights{wider}."
    )


@pytest.mark.parametrize("dtype", FAR)
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_says_that_the_gradient_overflows(route, dtype):
    net, x, y = far_out(dtype)
    run = net.run(x, y)
    assert np.isfinite(run.loss)
    assert refusal(DomainError, run.gradients, route) == message(dtype, route)


@pytest.mark.parametrize("dtype", FAR)
def test_the_advice_helps(dtype):
    """The data standardised: every route has a finite gradient."""
    net, x, y = far_out(dtype)
    run = net.run(x / x.max(), y)
    assert all(np.isfinite(run.gradients(route)["W1"]).all() for route in ROUTES)


@pytest.mark.parametrize("dtype", FAR)
def test_a_compiled_step_says_it_too_and_works_on(dtype):
    net, x, y = far_out(dtype)
    step, near = net.compile(), (x / x.max()).astype(dtype)
    expected = {name: g.copy() for name, g in step(net.params, near, y)[1].items()}
    assert refusal(DomainError, step, net.params, x, y) == message(dtype, "vjp")
    for name, gradient in step(net.params, near, y)[1].items():
        np.testing.assert_array_equal(gradient, expected[name])


@pytest.mark.parametrize("dtype", FAR)
def test_a_check_names_it_and_blames_no_op(dtype):
    net, x, y = far_out(dtype)
    agreement = net.run(x, y).check()
    assert not agreement.ok
    assert agreement.parted == ""
    assert str(agreement) == f"the routes cannot be compared: {message(dtype, 'vjp')}"
