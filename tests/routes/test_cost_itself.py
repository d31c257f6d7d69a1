"""The cost by itself is 1 by every route; a value that is no cost says how it becomes one."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, Network
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.routes.gradients import gradients

RNG = np.random.default_rng(31)
LINEAR = "z = Linear(x, W, b)"


@pytest.mark.parametrize("route", ["vjp", "full", "structured", "difference"])
def test_the_gradient_of_the_cost_by_itself_is_one(route):
    state = second_seed().run(X, Y).forward_pass
    names = ["J", "W3", "x"]
    found = gradients(state, names, route)
    assert list(found) == names
    assert found["J"].shape == ()
    assert found["J"] == 1
    alone = gradients(state, ["W3"], route)
    assert list(alone) == ["W3"]
    np.testing.assert_array_equal(alone["W3"], found["W3"])


@pytest.mark.parametrize(
    ("lines", "x", "message"),
    [
        (
            [LINEAR],
            (3,),
            "z is not a scalar: it has shape (2,).\n"
            "  End the program with a loss, or add up the entries: J = Einsum(z, 'i->')",
        ),
        (
            [LINEAR],
            (5, 3),
            "z is not a scalar: it has shape (5, 2).\n"
            "  Add up each example, s = Einsum(z, 'i->'), and end with J = Mean(s)",
        ),
        (
            [LINEAR, "J = Sum(z, over='n')"],
            (5, 3),
            "J is not a scalar: it has shape (2,).\n"
            "  It keeps k. Reduce these too: J = Sum(z, over='n,k')",
        ),
    ],
)
def test_a_value_that_is_no_cost_says_how_it_becomes_one(lines, x, message):
    params = {"W": RNG.standard_normal((2, 3)), "b": RNG.standard_normal(2)}
    run = Network.program(*lines, params=params).run(RNG.standard_normal(x))
    asked = f"; or ask for run.vjp('{run.cost}', name, v) with a cotangent v."
    assert refusal(AxisError, run.gradients) == message + asked
