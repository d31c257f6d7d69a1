"""The Taylor remainder quarters with the right derivative, and with no wrong one."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, Network, taylor_test
from jacobian_bp.checks.taylor import FIRST_STEP, HALVINGS, TaylorReport

RNG = np.random.default_rng(61)
X = RNG.standard_normal((2, 3))
A = RNG.standard_normal((5, 2, 3))


def curved(x):
    """f[k] = tanh(Σ_ij A[k,i,j] x[i,j])"""
    return np.tanh(np.tensordot(A, x, 2))


def derivative(x):
    return (1 - curved(x) ** 2)[:, None, None] * A


def test_the_right_derivative_quarters_along_any_direction():
    for direction in (None, RNG.standard_normal((2, 3))):
        report = taylor_test(curved, X, derivative(X), direction)
        assert report.ok, str(report)
        assert not report.exact
        assert len(report.ratios) == HALVINGS - 1
        assert report.ratios[-1] == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda D: -D,
        lambda D: 1.001 * D,
        lambda D: D[::-1],
        lambda D: D + (np.arange(30).reshape(5, 2, 3) == 17) * 1e-3,
    ],
    ids=["sign", "factor", "order", "one entry"],
)
def test_a_wrong_derivative_does_not_quarter(mistake):
    report = taylor_test(curved, X, mistake(derivative(X)))
    assert not report.ok
    assert str(report).endswith("\nit does not quarter: the derivative is WRONG")


def test_the_remainder_is_that_of_the_formula():
    u = RNG.standard_normal((2, 3))
    report = taylor_test(curved, X, derivative(X), u, first_step=0.25)
    assert report.steps == tuple(0.25 / 2**k for k in range(HALVINGS))
    slope = np.tensordot(derivative(X), u, 2)
    expected = [np.linalg.norm(curved(X + h * u) - curved(X) - h * slope) for h in report.steps]
    np.testing.assert_allclose(report.remainders, expected, rtol=1e-12)
    assert taylor_test(curved, X, derivative(X)).steps[0] == FIRST_STEP
    scale = max(1, np.linalg.norm(curved(X)), np.linalg.norm(slope))
    assert report.rounding == pytest.approx(2 * 16 * 2.0**-53 * scale, rel=1e-12)


def test_a_linear_function_has_no_remainder():
    report = taylor_test(lambda x: np.tensordot(A, x, 2), X, A)
    assert (report.exact, report.ok) == (True, True)
    assert str(report).endswith("\nno remainder: linear along this direction")
    assert not taylor_test(lambda x: np.tensordot(A, x, 2), X, 2 * A).ok


def test_a_jacobian_and_a_scalar_are_tested_too():
    net = Network.dense([3, 5, 2], "tanh", "squared_error", seed=3)
    x, y = RNG.standard_normal(3), RNG.standard_normal(2)
    run = net.run(x, y)
    assert taylor_test(lambda x: net.run(x, y)["J"], x, run.jacobian("J", "x")).ok
    assert taylor_test(lambda x: net.run(x, y)["a1"], x, run.jacobian("a1", "x")).ok
    assert taylor_test(lambda t: float(t) ** 3, 0.5, 0.75).ok
    assert not taylor_test(lambda t: float(t) ** 3, 0.5, 0.5).ok


def test_neither_the_point_nor_what_the_function_does_to_it_changes_anything():
    x = X.copy()

    def greedy(x):
        found = curved(x)
        x[...] = 99.0
        return found

    assert taylor_test(greedy, x, derivative(X)).ok
    assert np.array_equal(x, X)


def test_a_ratio_counts_within_its_two_ends_and_clear_of_rounding():
    def ok(*remainders, rounding=1e-9):
        return TaylorReport((0.5, 0.25), remainders, rounding).ok

    assert ok(3.6, 1.0)
    assert ok(4.4, 1.0)
    assert not ok(np.nextafter(3.6, 0), 1.0)
    assert not ok(np.nextafter(4.4, 5), 1.0)
    assert not ok(4.0, 1.0, rounding=0.01)  # the smaller one is not clear of rounding
    assert ok(4.0, 1.0, rounding=np.nextafter(0.01, 0))
    assert ok(1.0, 1.0, rounding=1.0)
    assert not ok(np.nan, np.nan)


def test_the_whole_report():
    report = TaylorReport((0.5, 0.25, 0.125), (0.064, 0.016, 1e-12), 1e-11)
    assert report.text() == (
        "step        remainder     smaller by\n"
        "0.5         0.064\n"
        "0.25        0.016         4\n"
        "0.125       rounding\n"
        "it quarters"
    )
    assert report.text(ascii_only=True).isascii()


@pytest.mark.parametrize(
    ("derivative", "direction", "message"),
    [
        (
            np.ones((2, 3, 5)),
            None,
            "the derivative has shape (2, 3, 5).\n  f(x) has shape (5,)\n  x has shape (2, 3)\n"
            "  In numerator layout it has shape (5, 2, 3).",
        ),
        (
            np.ones((5, 2, 3)),
            np.ones(6),
            "the direction has shape (6,).\n  x has shape (2, 3)\n"
            "  Pass a direction of the shape of x.",
        ),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(derivative, direction, message):
    assert refusal(AxisError, taylor_test, curved, X, derivative, direction) == message
