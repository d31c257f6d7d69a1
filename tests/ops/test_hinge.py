"""The multiclass hinge loss against loops over the classes; kinks, refusals, a network."""

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp

from jacobian_bp import DomainError, Network, check_op, ops

RNG = np.random.default_rng(59)


def by_loops(z, true):
    """L and ∂L/∂z of one example: each other class that is less than 1 below the true one."""
    value, slope = 0.0, np.zeros(len(z))
    for k in range(len(z)):
        if k != true and 1 + z[k] - z[true] > 0:
            value += 1 + z[k] - z[true]
            slope[k] += 1
            slope[true] -= 1
    return value, slope


@pytest.mark.parametrize("true", range(5))
@pytest.mark.parametrize("scale", [0.1, 1, 10])
def test_each_class_inside_the_margin_pushes(true, scale):
    z, y = scale * RNG.normal(size=5), np.eye(5)[true]
    value, slope = by_loops(z, true)
    op = ops.Hinge()
    agree(op.forward(z, y), value)
    agree(dense_jacobian(op, "z", [z, y]), slope)
    agree(swept_vjp(op, "z", [z, y]), slope)
    assert check_op(op, {"z": z, "y": true}).ok
    assert check_op(op, {"z": z, "y": y}).ok


def test_three_derivatives_agree_along_examples_and_tokens():
    z, y = RNG.normal(size=(2, 3, 5)), RNG.integers(0, 5, (2, 3))
    assert check_op(ops.Hinge(), {"z": z, "y": y}, axes={"z": "n,t"}).ok
    expected = [[by_loops(z[n, t], y[n, t])[0] for t in range(3)] for n in range(2)]
    agree(ops.Hinge().forward(z, np.eye(5)[y]), expected)


def test_a_margin_of_exactly_0_is_a_kink_with_slope_0():
    net = Network.program("L = Hinge(z, y)", "J = Mean(L)")
    run = net.run(z=[2.0, 1.0, 0.5, 1.5], y=0)
    agree(run.jacobian("J", "z").materialise(), [-1, 0, 0, 1])
    kinks = [line.strip() for line in run.check().lines() if "exactly 0" in line]
    assert kinks == ["kink: J: a margin is exactly 0; its slope is taken as 0"]


@pytest.mark.parametrize("lead", [(), (7,)])
def test_a_network_trains_with_it_and_all_routes_agree(lead):
    net = Network.dense([3, 5, 4], ["tanh", "identity"], "hinge", seed=0)
    y = RNG.integers(0, 4, lead)
    run = net.run(RNG.normal(size=(*lead, 3)), y)
    assert run.check().ok, str(run.check())
    step = net.compile(batch=lead[0] if lead else None)
    loss, gradients = step(net.params, run["x"], y)
    agree(loss, run.loss)
    for name, gradient in run.gradients().items():
        agree(gradients[name], gradient)


def test_labels_that_are_no_class_are_refused():
    assert refusal(DomainError, lambda: check_op(ops.Hinge(), {"z": np.ones(3), "y": 3})) == (
        "y is 3; with 3 classes an index lies from 0 to 2.\n"
        "  Count classes from 0, or give the network more outputs."
    )
    soft = {"z": np.ones((2, 3)), "y": [[0, 1, 0], [0.25, 0.75, 0]]}
    assert refusal(DomainError, lambda: check_op(ops.Hinge(), soft)) == (
        "y[1,0] is 0.25; a hinge loss has one true class.\n"
        "  Pass class indices, or rows with one 1."
    )


def test_a_true_class_that_is_pushed_once_is_told():
    class PushedOnce(ops.Hinge):
        def vjp(self, L_bar, z, y):
            return {"z": np.sign(super().vjp(L_bar, z, y)["z"])}

    (finding,) = check_op(PushedOnce(), {"z": np.array([0.1, 0.3, 0.2, 0.5]), "y": 0}).findings
    assert finding.wrong == "vjp() is wrong"
    assert finding.pattern == "one entry alone is off"
