"""Deltas, dense factors, products and sums: what is printed, and what is refused."""

import numpy as np
import pytest

import jacobian_bp
from jacobian_bp.errors import AxisError, DomainError
from jacobian_bp.factors import Expression, delta, dense, distinct, one

RNG = np.random.default_rng(5)
A = dense("a[i']", RNG.standard_normal(5))
P = dense("p[k]", RNG.standard_normal(3))
P_PRIMED = dense("p[k']", RNG.standard_normal(3))


def refusal(call, *arguments, error=AxisError):
    with pytest.raises(error) as caught:
        call(*arguments)
    return str(caught.value)


def test_the_four_factors_are_public_functions():
    assert jacobian_bp.delta is delta
    assert jacobian_bp.dense is dense
    assert jacobian_bp.distinct is distinct
    assert jacobian_bp.one is one


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (delta("k,k'"), "δ[k,k']"),
        (distinct("k,k'"), "(1−δ[k,k'])"),
        (one("k"), "1[k]"),
        (A, "a[i']"),
        (dense("s", 2.0), "s"),
        (delta("k,k'") * A, "δ[k,k'] a[i']"),
        (delta("n,n'") * delta("k,k'") * A, "δ[n,n'] δ[k,k'] a[i']"),
        (-A, "−a[i']"),
        (2 * A, "2 a[i']"),
        (A * 2, "2 a[i']"),
        (-2 * A, "−2 a[i']"),
        (0.2 * A, "1/5 a[i']"),
        (-0.2 * A, "−1/5 a[i']"),
        (1 / 3 * A, "1/3 a[i']"),
        (0.3 * A, "0.3 a[i']"),
        (2 * (3 * A), "6 a[i']"),
        (-(-A), "a[i']"),
        (delta("k,k'") * P - P * P_PRIMED, "δ[k,k'] p[k] − p[k] p[k']"),
        (-P - 0.5 * P_PRIMED, "−p[k] − 1/2 p[k']"),
        (P + P_PRIMED + P, "p[k] + p[k'] + p[k]"),
        ((P + P_PRIMED) * A, "p[k] a[i'] + p[k'] a[i']"),
        ((P - P_PRIMED) * (A - P), "p[k] a[i'] − p[k] p[k] − p[k'] a[i'] + p[k'] p[k]"),
        (Expression(), "0"),
        (Expression.of(), "1"),
        (Expression.of(coefficient=-1.0), "−1"),
        (Expression.of(coefficient=0.25), "1/4"),
    ],
)
def test_an_expression_prints_as_the_formula(expression, text):
    assert str(expression) == text


def test_multiplication_distributes_over_the_sum():
    left, right = delta("k,k'") * P - P * P_PRIMED, A + 3 * one("i'")
    assert str(left * right) == str(left * A + left * (3 * one("i'")))
    assert str(left * right) != str(left * A + right)  # planted: a bracket forgotten


def test_a_dense_factor_with_an_axis_more_carries_the_examples():
    batched = dense("a[i']", RNG.standard_normal((7, 5)))
    (factor,) = batched.terms[0].factors
    assert str(batched) == "a[n,i']"
    assert factor.axes == ("n", "i'")
    assert str(dense("s", RNG.standard_normal(7))) == "s[n]"
    assert str(dense("a[n,i']", RNG.standard_normal((7, 5)))) == "a[n,i']"


def test_renaming_changes_axes_and_relabelling_changes_arrays():
    expression = delta("k,k'") * dense("σ'(z)[k]", RNG.standard_normal(3)) * one("i'")
    assert str(expression.renamed({"k": "j", "i'": "l"})) == "δ[j,k'] σ'(z)[j] 1[l]"
    assert str(expression.relabelled({"z": "z2"})) == "δ[k,k'] σ'(z2)[k] 1[i']"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: delta("k"), "delta('k') takes two axes.\n  Write delta(\"k,k'\")."),
        (
            lambda: distinct("k,k',j"),
            """distinct("k,k',j") takes two axes.\n  Write distinct("k,k'").""",
        ),
        (
            lambda: one("k,i"),
            "one('k,i') takes one axis.\n  Write one('k') * one('i') for two.",
        ),
        (
            lambda: dense("W[k,i']", np.zeros(3)),
            "dense(\"W[k,i']\"): the label has 2 axes, the array has shape (3,).\n"
            "  Name every axis of the array; a batch axis in front needs no name.",
        ),
        (
            lambda: dense("a[n,i']", np.zeros((2, 7, 5))),
            "dense(\"a[n,i']\"): the label has 2 axes, the array has shape (2, 7, 5).\n"
            "  Name every axis of the array; a batch axis in front needs no name.",
        ),
        (
            lambda: dense("a[2]", np.zeros(3)),
            "dense('a[2]'): '2' is not an axis name.\n"
            "  An axis is a word such as k or unit, with a prime for the variable's own: k'.",
        ),
        (
            lambda: delta("k,"),
            "delta('k,'): '' is not an axis name.\n"
            "  An axis is a word such as k or unit, with a prime for the variable's own: k'.",
        ),
    ],
)
def test_a_factor_that_cannot_be_one_says_why(make, message):
    assert refusal(make) == message


def test_a_dense_factor_is_made_of_real_numbers():
    assert refusal(dense, "a[k]", np.array([1j, 2.0]), error=DomainError) == (
        "a has dtype complex128, which holds complex numbers: "
        "differentiate the real and the imaginary part as two inputs."
    )


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
def test_whole_numbers_become_floats_in_a_dense_factor(dtype):
    """100·2 is not −56, and half of 1 is not 0."""
    (factor,) = dense("a[k]", np.ones(3, dtype)).terms[0].factors
    assert factor.array.dtype == np.float64
