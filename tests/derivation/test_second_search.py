"""What few products say of a Hessian that is not built, against all of its eigenvalues."""

import re

import numpy as np
import pytest

from jacobian_bp import Network, Op
from jacobian_bp.algebra.expression import Dense, Expression
from jacobian_bp.derivation import second_derivation, second_search
from jacobian_bp.derivation.second_search import PRODUCTS, lowest_direction

RNG = np.random.default_rng(41)


@pytest.mark.parametrize("count", [1, 2, 13, 29, 67, 211])
def test_the_direction_is_the_lowest_where_the_products_suffice_and_never_below_it(count):
    A = RNG.standard_normal((count, count))
    H = A + A.T
    calls = []
    d, products = lowest_direction(lambda v: calls.append(1) or H @ v, count)
    values = np.linalg.eigvalsh(H)
    theta = d @ H @ d
    assert products == len(calls) == min(count, PRODUCTS)
    np.testing.assert_allclose(d @ d, 1, rtol=1e-14)
    assert theta >= values[0] - 1e-12 * count
    assert abs(values - theta).min() <= np.linalg.norm(H @ d - theta * d) + 1e-12 * count
    if count <= PRODUCTS:
        np.testing.assert_allclose(theta, values[0], rtol=1e-10)
    else:
        assert theta < 0.8 * values[0]


def test_a_matrix_of_low_rank_is_used_up_before_the_products_are():
    U = RNG.standard_normal((53, 3))
    H = U @ np.diag([2.0, -1.0, 5.0]) @ U.T
    d, products = lowest_direction(lambda v: H @ v, 53)
    assert products == 4  # and one for what is 0
    np.testing.assert_allclose(d @ H @ d, np.linalg.eigvalsh(H)[0], rtol=1e-10)
    d, products = lowest_direction(lambda v: 0 * v, 53)
    assert (products, round(d @ d, 12)) == (1, 1)


def told(run):
    """The lines about the parts as one, and the page."""
    page = run.second_derivation()
    assert page.verdict is None
    assert page.check.ok
    return " ".join(page.text(width=400).partition("\nparts ")[2].split()), page


def classifier(sizes=(67, 6, 5)):
    net = Network.dense([*sizes], ["tanh", "softmax"], "cross_entropy", seed=3)
    return net.run(RNG.standard_normal(sizes[0]), np.array(1))


def test_a_direction_of_descent_is_told_with_the_shares_of_the_rows():
    run = classifier()
    text, page = told(run)
    values, found = np.linalg.eigvalsh(run.hessian(run.params).materialise()), page.search
    assert values[0] - 1e-9 <= found.curvature < 0
    assert abs(values - found.curvature).min() <= found.residual
    np.testing.assert_allclose(sum(share for _, share in found.shares), found.curvature, rtol=1e-9)
    assert "443 parameters: the whole matrix is not built for this page, and its eig" in text
    assert "Gauss-Newton, cut at z2: positive semidefinite, because ∂²J/∂z2² is" in text
    assert re.search(r"among \d+ products H v a direction d of length 1 was found: dᵀ H d = ", text)
    assert "whether another is lower is not said" in text
    first = page.rows[0].number
    assert f"[{first}] cannot be negative, because ∂²J/∂z2² is not: what is negative comes" in text


def test_shares_and_curvature_are_those_of_the_page_that_is_built(monkeypatch):
    run = classifier((7, 3, 2))
    built = run.second_derivation().verdict
    monkeypatch.setattr(second_derivation, "MOST_BUILT", 3)
    _, page = told(run)
    np.testing.assert_allclose(page.search.curvature, built.whole.lowest, rtol=1e-9)
    np.testing.assert_allclose(page.search.shares, built.shares, rtol=1e-6)


def test_where_nothing_bends_inside_the_network_the_whole_is_the_part():
    net = Network.dense([419, 1], ["sigmoid"], "bce", seed=3)
    text, _ = told(net.run(RNG.standard_normal(419), np.array([1.0])))
    assert "Gauss-Newton, cut at z1: positive semidefinite, because ∂²J/∂z1² is" in text
    assert "nothing bends inside the network: that part is the whole" in text
    assert "products H v" not in text


class Concave(Op):
    """J = −L"""

    signature = "L[] -> J[]"

    def forward(self, L):
        return -L

    def jacobians(self, L):
        return {"L": Expression.of(Dense("(−1)", (), -np.ones(())))}

    def second(self, L):
        return {}

    def vjp(self, bar, L):
        return {"L": -bar}


def test_a_cut_that_promises_nothing_is_said_so():
    net = Network.program(
        "z = Linear(x, W)",
        "L = SquaredError(z, y)",
        "J = Concave(L)",
        params={"W": RNG.standard_normal((2, 211))},
        ops={"Concave": Concave},
    )
    text, page = told(net.run(RNG.standard_normal(211), RNG.standard_normal(2)))
    assert "∂²J/∂z² has the lowest eigenvalue -2, so that the cut does not promise a sign" in text
    assert page.search.is_negative
    assert "cannot be negative" not in text


def test_what_is_not_below_zero_beyond_rounding_is_no_descent(monkeypatch):
    monkeypatch.setattr(second_search, "PRODUCTS", 1)
    net = Network.dense([211, 2, 1], ["softplus", "identity"], "squared_error", seed=3)
    params = {name: abs(value) for name, value in net.params.items()}
    run = net.with_params(params).run(abs(RNG.standard_normal(211)), np.array([-3.0]))
    text, page = told(run)
    assert (page.search.curvature < 0) == page.search.is_negative
    if not page.search.is_negative:
        assert "no direction d has a dᵀ H d below 0 beyond rounding: whether the whole is" in text
