"""What is said of an array that was computed from a wrong one is true of that one."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose

RNG = np.random.default_rng(11)
NET = Network.dense([3, 5, 2], ["tanh", "sigmoid"], "half_squared_error", seed=1)
RUN = NET.run(RNG.normal(size=(7, 3)), RNG.uniform(size=(7, 2)))
GARBAGE = RNG.normal(size=(7, 2))
B2, W2 = GARBAGE.sum(axis=0), GARBAGE.T @ RUN["a1"]


@pytest.mark.parametrize(
    ("answer", "label", "said"),
    [
        (
            {"b2": 2 * B2},
            "constant-factor",
            "The gradient of b2 (layer 2) is 2 times what your own z2 gives, in every entry.",
        ),
        (
            {"W2": -W2},
            "sign",
            "Given your own z2, the gradient of W2 (layer 2) has the wrong sign in every entry.",
        ),
        (
            {"W2": W2 / 7},
            "batch-mean-twice",
            "The gradient of W2 (layer 2) has the 1/m of the mean once too often: it is 1/7 times "
            "what your own z2 gives.",
        ),
    ],
)
def test_a_mistake_behind_an_own_delta_is_one_given_that_delta(answer, label, said):
    (key,) = answer
    finding = diagnose(RUN, {"z2": GARBAGE, **answer})[key]
    assert finding.label == label
    assert finding.sentences[0].replace("0.142857", "1/7") == said


def test_a_mistake_behind_a_right_delta_is_one_of_the_right_array():
    right = RUN.gradients()
    found = diagnose(RUN, {"z2": RUN.vjp("J", "z2", 1.0), "b2": 2 * right["b2"]})
    assert found["b2"].sentences == (
        "The gradient of b2 (layer 2) is 2 times the right array, in every entry.",
    )


def test_what_was_left_out_in_a_step_is_said_as_before():
    slope = 1 - RUN["a1"] ** 2
    wrong = GARBAGE @ NET.params["W2"]  # the slope of layer 1 is missing
    finding = diagnose(RUN, {"z2": GARBAGE, "z1": wrong})["z1"]
    assert (finding.label, slope.shape) == ("missing-slope", wrong.shape)
    assert finding.sentences[0].startswith("In the delta of z1 (layer 1) the slope tanh'(z1)")
