"""diagnose_line on dZ2, A1 and X for d2, a1 and x; np.power for **."""

import numpy as np
import pytest
from line_cases import suggestion
from network_cases import refusal, run_of

from jacobian_bp import Network, SpecError, diagnose_line
from jacobian_bp.coursework.lines.language import read_line

BATCH = run_of([11, 7, 3, 2], 5)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("dZ2 = np.dot(W3.T, dZ3) * slope(z2)", "z2"),
        ("dZ2 = np.dot(W3.T, dZ3) * slope(Z2)", "z2"),
        ("dZ2 = np.dot(W3.T, dZ3) * (1 - np.power(A2, 2))", "z2"),
        ("dZ2 = np.multiply(np.dot(W3.T, dZ3), 1 - np.square(a2))", "z2"),
        ("np.dot(W3.T, dZ3) * (1 - A2**2)", "z2"),
        ("dA2 = np.dot(W3.T, dZ3)", "a2"),
        ("dW2 = np.dot(dZ2, A1.T)", "W2"),
        ("np.dot(dZ2, A1.T)", "W2"),
        ("dW1 = np.dot(dZ1, X.T)", "W1"),
        ("db2 = np.sum(dZ2, axis=1, keepdims=True)", "b2"),
        ("Z2 = np.dot(W2, A1) + b2", "z2"),
        ("dX = W1.T @ dZ1", "x"),
    ],
)
def test_capitals_are_read_as_small_letters(line, target):
    report = diagnose_line(line, BATCH, examples="columns")
    assert (report.right, report.target) == (True, target)
    wrong = line + " / 2"
    assert diagnose_line(wrong, BATCH, target, examples="columns").right is False


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dZ2 = dZ3 @ W3.T * slope(Z2)", "dZ3 @ W3 * slope(Z2)   (W3 for W3.T)"),
        ("dZ2 = dZ3 @ W3 * slope(Z1)", "dZ3 @ W3 * slope(z2)   (slope(z2) for slope(Z1))"),
        ("dZ2 = dZ3 @ W3", "dZ3 @ W3 * slope(z2)   (slope(z2) put in)"),
        ("dW2 = dZ2.T @ Z1", "dZ2.T @ A1   (A1 for Z1)"),
        ("dW1 = dZ1.T @ A1", "dZ1.T @ X   (X for A1)"),
        ("dW2 = dZ3.T @ A1", "dZ2.T @ A1   (dZ2 for dZ3)"),
    ],
)
def test_a_correction_keeps_the_capitals(line, meant):
    assert suggestion(line, BATCH) == meant


@pytest.mark.parametrize(
    ("line", "target"),
    [("dZ2.T @ Z1", "W2"), ("(A3 - Y) * A3", "z3"), ("dZ3 @ W3.T * slope(A2)", "z2")],
)
def test_what_factors_with_capitals_suggest(line, target):
    report = diagnose_line(line, BATCH)
    assert (report.right is True, report.target) == (False, target)


def test_a_value_of_the_network_comes_before_its_small_letter():
    net = Network.program(
        "z1 = Linear(x, A, b)",
        "a = Tanh(z1)",
        "L = SquaredError(a, y)",
        "J = Mean(L)",
        params={"A": np.random.default_rng(3).standard_normal((2, 3)), "b": np.ones(2)},
    )
    run = net.run(np.random.default_rng(4).standard_normal((5, 3)), np.ones((5, 2)))
    assert diagnose_line("dA = d1.T @ X", run).right is True
    assert diagnose_line("A", run).value.shape == (2, 3)
    assert diagnose_line("da = 0 * a", run).target == "a"


def test_np_power_is_a_small_power():
    assert read_line("np.power(a2, 3)").tree == read_line("a2**3").tree
    assert read_line("1 - np.square(a2 - y)").tree == read_line("1 - (a2 - y)**2").tree
    assert read_line("np.power(1 + a2**2, -0.5)").tree == read_line("(1 + a2**2)**-0.5").tree
    for exponent in ("17", "-17", "a2"):
        assert refusal(SpecError, diagnose_line, f"np.power(a1, {exponent})", BATCH) == (
            f"diagnose_line: the exponent {exponent} is not a number from -16 to 16.\n"
            "  Write such as z1**2."
        )
    assert refusal(SpecError, diagnose_line, "np.power(a1)", BATCH) == (
        "diagnose_line: np.power is not given what it takes.\n  Write np.power(a2, 2), or a2**2."
    )
    assert refusal(SpecError, diagnose_line, "np.square(a1, 2)", BATCH) == (
        "diagnose_line: np.square is not given what it takes.\n  Write np.square(a2), or a2**2."
    )
