"""The scale of rounding: each entry of a Hessian with every term's absolute value."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.curvature.magnitudes import hessian_magnitudes, product_magnitudes

RNG = np.random.default_rng(17)
A, B = RNG.standard_normal((7, 3)), RNG.standard_normal((7, 5))


def run_of(scale=1.0):
    """J = Σ (A p + B q)², so that H = 2 [A B]ᵀ [A B]."""
    net = Network.program(
        "a = Einsum(A, p, 'ij,j->i')",
        "b = Einsum(B, q, 'ij,j->i')",
        "u = Add(a, b)",
        "J = Einsum(u, u, 'i,i->')",
        params={"p": np.zeros(3), "q": np.zeros(5)},
    )
    return net.run(A=scale * A, B=B)


@pytest.mark.parametrize("names", [("p", "q"), ("q", "p"), ("q",)])
def test_each_entry_is_its_sum_over_absolute_values(names):
    run = run_of()
    both = np.concatenate([{"p": A, "q": B}[name] for name in names], axis=1)
    whole = run.hessian([*names]).materialise()
    np.testing.assert_allclose(whole, 2 * both.T @ both, rtol=1e-13, atol=1e-14)
    found = hessian_magnitudes(run.forward_pass, "J", names)
    np.testing.assert_allclose(found, 2 * abs(both).T @ abs(both), rtol=1e-13)
    assert (found > 1.1 * abs(whole)).any()  # some entry cancels
    v = {name: RNG.standard_normal(run[name].shape) for name in names}
    flat = np.concatenate([v[name] for name in names])
    pushed = product_magnitudes(run.forward_pass, "J", v)
    assert list(pushed) == list(names)
    together = np.concatenate([pushed[name] for name in names])
    np.testing.assert_allclose(together, found @ abs(flat), rtol=1e-13)


def test_a_sum_over_absolute_values_that_overflows_is_the_largest_number():
    found = hessian_magnitudes(run_of(1e160).forward_pass, "J", ("p", "q"))
    most = np.finfo(np.float64).max
    assert (found[:3, :3] == most).all()
    assert (found[3:, 3:] < 1e3).all()
