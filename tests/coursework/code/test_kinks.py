"""A mask by another comparison is right off the kink, and that is said with its line."""

import numpy as np
import pytest
from backward_functions import RELU_CLASSES, TANH_LINEAR, planted, run_of

from jacobian_bp import Network, diagnose_code, ops

TEXT = """\
def backward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    A2 = softmax(W2 @ A1 + b2)
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (Z1 > 0)
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
"""
OFF = (
    "Right off the kink: where z1 is exactly 0 the run takes the slope {}, and this line another "
    "one."
)
MASK, LINE = "dZ1 = dA1 * (Z1 > 0)", 9


def said_of(text, run):
    report = diagnose_code(text, run)
    assert (report.right, report.first_wrong) == (True, None), str(report)
    return {line.number: line.sentences for line in report.lines if line.sentences}


@pytest.mark.parametrize(
    "mask",
    [
        "dZ1 = dA1 * (Z1 >= 0)",
        "dZ1 = np.where(Z1 < 0, 0, dA1)",
        "dZ1 = dA1 * np.heaviside(Z1, 1)",
        "dZ1 = dA1; dZ1[Z1 < 0] = 0",
    ],
)
def test_another_slope_at_the_kink_is_said_once_with_its_line(mask):
    text, line = planted(TEXT, MASK, mask)
    assert said_of(text, run_of(RELU_CLASSES)) == {line: (OFF.format(0),)}


def test_a_mask_inside_of_a_gradient_is_said_there():
    text, _ = planted(TEXT, "dW1 = dZ1 @ X.T", "dW1 = (dA1 * (Z1 >= 0)) @ X.T")
    assert said_of(text, run_of(RELU_CLASSES)) == {10: (OFF.format(0),)}


@pytest.mark.parametrize(
    "mask",
    [MASK, "dZ1 = dA1 * (A1 > 0)", "dZ1 = np.where(Z1 <= 0, 0, dA1)", "dZ1 = dA1 * relu_grad(Z1)"],
)
def test_nothing_is_said_of_the_slope_that_the_run_takes(mask):
    assert said_of(TEXT.replace(MASK, mask), run_of(RELU_CLASSES)) == {}


def test_the_slope_at_zero_is_that_of_the_run():
    lines = ["z1 = Linear(x, W1, b1)", "a1 = Bent(z1)", "z2 = Linear(a1, W2, b2)"]
    lines += ["a2 = Softmax(z2)", "L = CrossEntropy(a2, y)", "J = Mean(L)"]
    rng = np.random.default_rng(5)
    shapes = {"W1": (7, 3), "b1": 7, "W2": (2, 7), "b2": 2}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    net = Network.program(*lines, params=params, ops={"Bent": ops.ReLU(at_zero=1.0)})
    run = net.run(x=rng.standard_normal((5, 3)), y=np.eye(2)[rng.integers(0, 2, 5)])
    assert said_of(TEXT, run) == {LINE: (OFF.format(1),)}
    assert said_of(TEXT.replace("Z1 > 0", "Z1 >= 0"), run) == {}


def test_a_smooth_activation_has_no_kink():
    text = "m = len(X)\ndZ2 = (A2 - Y) / m\ndZ1 = dZ2 @ W2.T * (1 - A1**2)\ndW1 = X.T @ dZ1\n"
    assert said_of(text, run_of(TANH_LINEAR)) == {}


def test_at_a_run_that_is_at_the_kink_itself_what_is_right_off_it_is_right():
    net = Network.dense([3, 7, 2], ["relu", "softmax"], "cross_entropy", seed=3)
    params = {name: np.array(value) for name, value in net.params.items()}
    params["W1"][2], params["b1"][2] = 0.0, 0.0
    net = net.with_params(params)
    rng = np.random.default_rng(3)
    run = net.run(rng.standard_normal((5, 3)), np.eye(2)[rng.integers(0, 2, 5)])
    assert said_of(TEXT.replace("Z1 > 0", "Z1 >= 0"), run) == {LINE: (OFF.format(0),)}
