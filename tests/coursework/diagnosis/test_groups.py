"""A convolution in groups: kernels that read the other group's channels, alone and beside more."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose, ops

RNG = np.random.default_rng(47)
EXAMPLES = 5
PARAMS = {"K": RNG.normal(size=(6, 2, 3, 2)), "c": RNG.normal(size=6), "W": RNG.normal(size=(3, 6))}
NET = Network.program(
    "z = Conv2d(x, K, c, groups=2)",
    "a = Tanh(z)",
    "g = Einsum(a, 'cij->c')",
    "q = Linear(g, W)",
    "L = HalfSquaredError(q, y)",
    "J = Mean(L)",
    params=PARAMS,
)
RUN = NET.run(RNG.normal(size=(EXAMPLES, 4, 7, 5)), RNG.normal(size=(EXAMPLES, 3)))
RIGHT = RUN.gradients()
SWAPPED = RUN["x"][:, [2, 3, 0, 1]]
PLACES = "In the gradient of K the places δ[c,channel[d',e']] are taken in reverse order along d."


def by_kernel(back, read):
    """The gradient of K, from what comes back to z and what the kernels read."""
    found = ops.Conv2d(groups=2).vjp(back, read, PARAMS["K"], PARAMS["c"])["K"]
    return found() if callable(found) else found


def test_the_gradient_that_is_planted_in_is_the_right_one():
    np.testing.assert_allclose(by_kernel(RUN.vjp("J", "z", 1.0), RUN["x"]), RIGHT["K"], rtol=1e-12)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (1, PLACES),
        (EXAMPLES, f"{PLACES} Besides, the 1/m of the mean over the examples is left out."),
        (-1, f"{PLACES} Besides, every entry has the other sign."),
    ],
)
def test_groups_that_are_swapped_are_told_alone_and_beside_a_factor(factor, said):
    wrong = factor * by_kernel(RUN.vjp("J", "z", 1.0), SWAPPED)
    assert diagnose(RUN, {"K": wrong})["K"].remark == said


def test_groups_that_are_swapped_are_told_beside_a_mistake_in_another_gradient():
    wrong = by_kernel(RUN.vjp("J", "z", 1.0), SWAPPED)
    no_slope = RUN.vjp("J", "a", 1.0).sum(axis=(0, 2, 3))
    found = diagnose(RUN, {"K": wrong, "c": no_slope, "W": RIGHT["W"]})
    assert found["K"].remark == PLACES
    assert found["c"].remark == (
        "In the delta of z the slope tanh'(z) is left out: what comes back has to go through it."
    )
    assert found["W"].ok


def test_what_is_beside_a_slope_that_lacks_is_not_guessed():
    both = by_kernel(RUN.vjp("J", "a", 1.0), SWAPPED)
    assert "no known mistake gives these numbers" in str(diagnose(RUN, {"K": both}))
