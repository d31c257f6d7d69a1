"""Numbers that are written as a formula, 2/3 or sqrt(2), wherever they stand in a product."""

import numpy as np
import pytest

from jacobian_bp import SpecError, formula
from jacobian_bp.writing.signs import fraction

ROOT = np.sqrt(2)
HAND = {  # by hand: the formula, the variable, its derivative
    "sum((2/3) * x**2)": ("x", lambda x: 4 / 3 * x),
    "sum(3 * 2 * x * y)": ("x", lambda x, y: 6 * y),
    "trace((2/3) * A @ B)": ("A", lambda A, B: 2 / 3 * B.T),
    "y.T @ A @ ((1/2) * x)": ("A", lambda y, A, x: np.outer(y, x) / 2),
    "sum(x**2 / sqrt(2))": ("x", lambda x: ROOT * x),
    "outer(2**3 * a, b)": ("b", lambda a, b: 8 * np.einsum("k,ij->kij", a, np.eye(len(b)))),
    "mean((1 - 1/3) * (X @ w - y)**2)": (
        "w",
        lambda X, w, y: 4 / 3 * X.T @ (X @ w - y) / len(y),
    ),
    "dot(exp(1) * x, y)": ("y", lambda x, y: np.e * x),
    "x / sqrt(2)": ("x", lambda x: np.eye(len(x)) / ROOT),
    "x * (y / sqrt(2))": ("y", lambda x, y: np.diag(x) / ROOT),
    "W @ (x / sqrt(2)) + b": ("x", lambda W, x, b: W / ROOT),
}


@pytest.mark.parametrize("text", HAND)
def test_a_number_counts_as_it_is_written(text):
    by, derivative = HAND[text]
    found = formula(text)
    want = derivative(**found.arrays)
    np.testing.assert_allclose(found.array(by), want, rtol=1e-12, atol=1e-12)
    assert not np.allclose(found.array(by), 2 * want)
    assert found.ok, str(found)


@pytest.mark.parametrize(
    "text", ["softmax(Q @ K.T / sqrt(2)) @ V", "softmax(x / sqrt(3)) * y", "x * x / sqrt(2)"]
)
def test_a_slope_that_is_such_a_number_is_right_by_all_routes_and_as_it_is_printed(text):
    assert formula(text).ok
    assert formula(f"sum({text})").second_ok


@pytest.mark.parametrize("text", ["sum((1 - 1) * x)", "trace(2 * (3 - 3) * A)"])
def test_a_product_with_nothing_is_told_to_be_left_out(text):
    with pytest.raises(SpecError, match="a factor 0 makes what it stands beside 0 too"):
        formula(text)


def test_a_part_whose_digits_have_no_end_is_a_fraction():
    found = formula("sum((y - X @ b)**2) / 7")
    assert found.derivatives["y"] == "2/7 (y − X b)"
    written = {2 / 7: "2/7", -4 / 3: "-4/3", 1 / 7: "1/7", 0.3: "0.3", 1.25: "1.25", 9.0: "9"}
    assert {value: fraction(value) for value in written} == written
    assert fraction(np.pi) == "3.14159265359"
    assert fraction(0.2857142857) == "0.2857142857"
