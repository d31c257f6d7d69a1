"""Beside a penalty the diagnosis says only what is true of this cost."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose

RNG = np.random.default_rng(61)
X, Y = RNG.standard_normal((7, 5)), RNG.standard_normal((7, 2))


def gradients(**options):
    net = Network.dense([5, 3, 2], ["tanh", "identity"], "squared_error", seed=1, **options)
    run = net.run(X, Y)
    return run, {name: np.array(g) for name, g in run.gradients().items()}, net.params


def test_a_right_gradient_with_its_penalty_is_right():
    run, right, _ = gradients(penalty={"W1": 0.25, "W2": {"l1": 0.5}})
    found = diagnose(run, right)
    assert {found[name].label for name in right} == {"correct"}


@pytest.mark.parametrize(
    ("penalty", "said"),
    [
        (None, "this cost has no weight decay"),
        ({"W2": 0.25}, "this cost has no weight decay"),
        ({"W1": 0.25}, "the right one has that of R1 = 0.25 Σ W1² already"),
    ],
)
def test_weight_decay_that_is_too_much_is_told_beside_what_the_cost_has(penalty, said):
    run, right, params = gradients(penalty=penalty)
    finding = diagnose(run, {"W1": right["W1"] + 0.125 * params["W1"]})["W1"]
    assert finding.label == "weight-decay"
    assert finding.sentences == (
        "The gradient of W1 (layer 1) has the parameter itself added, times 0.125; " + said + ".",
    )


def test_a_penalty_that_is_forgotten_is_a_wrong_gradient():
    run, _, _ = gradients(penalty={"W1": 0.25})
    finding = diagnose(run, {"W1": gradients()[1]["W1"]})["W1"]
    assert finding.label not in ("correct", "unknown")
    assert "the step that computes z1 alone" in finding.sentences[0]
