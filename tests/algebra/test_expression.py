"""Deltas, dense factors, products and sums: what is printed, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

import jacobian_bp
from jacobian_bp import Jacobian
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import Expression, delta, dense, distinct, one
from jacobian_bp.errors import AxisError, DomainError

RNG = np.random.default_rng(5)
A = dense("a[i']", RNG.standard_normal(5))
P = dense("p[k]", RNG.standard_normal(3))
P_PRIMED = dense("p[k']", RNG.standard_normal(3))


def local(out, wrt, expression):
    """∂z/∂x over axes such as k=3, k'=3."""
    axes = [tuple(Axis(a, 5 if a[0] == "i" else 3) for a in text.split(",")) for text in (out, wrt)]
    return Jacobian.local("z", "x", *axes, expression)


def then(left, right):
    """left @ right, the value between them named y."""
    (z, x), (y, w) = left.nodes, right.nodes
    y, x = replace(y, name="y"), replace(x, name="y")
    return replace(left, nodes=(z, x)) @ replace(right, nodes=(y, w))


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
        (-1 * -A, "a[i']"),
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
    def terms(expression):
        return sorted(map(str, expression.terms))

    left, right = delta("k,k'") * P - P * P_PRIMED, A + 3 * one("i'")
    assert terms(left * right) == terms(left * A + left * (3 * one("i'")))
    assert terms(left * right) != terms(left * A + 3 * one("i'"))  # planted: a forgotten bracket


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
            'dense("W[k,i\']"): the label has 2 axes, the array has shape (3,).\n'
            "  Name every axis of the array; axes that are carried in front need no name.",
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
        "pass np.real(a) and np.imag(a) as two inputs."
    )


# ---------------------------------------------------------------- met with axes


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            P,
            "∂z/∂x: axis i' stands in no factor of the term p[k].\n"
            '  Where the term does not change along it, write one("i\'").',
        ),
        (
            delta("k,j") * P,
            "∂z/∂x: axis i' stands in no factor of the term δ[k,j] p[k].\n"
            "  Its axis j is none of the Jacobian's: write i' for it.",
        ),
        (
            delta("k,i'"),
            "∂z/∂x: δ[k,i'] joins two axes of different size.\n  k = 3\n  i' = 5\n"
            "  A delta joins an output axis with the same axis of the variable.",
        ),
        (
            dense("W[i',k]", np.ones((3, 5))),
            "∂z/∂x: axis i' has two sizes.\n  W[i',k] has shape (3, 5), so i' = 3\n"
            "  the Jacobian has i' = 5\n"
            "  Name the axes of the factor in the order of the array's own axes.",
        ),
        (
            dense("W[k,r]", np.ones((3, 7))) * dense("V[r,i']", np.ones((7, 5))),
            "∂z/∂x: the term W[k,r] V[r,i'] has the axis r, which is neither an axis of the output "
            "nor of the variable.\n  The Jacobian has the axes k, i'; sum the axis out first.",
        ),
    ],
)
def test_an_expression_that_does_not_fit_its_axes_is_refused(expression, message):
    assert refusal(local, "k", "i'", expression) == message


@pytest.mark.parametrize(
    "expression", [distinct("k,i'") * one("k") * one("i'"), delta("k,j") * delta("j,i'")]
)
def test_axes_of_different_size_are_never_joined(expression):
    """Placed by strides, such an expression would write beyond the end of the array."""
    assert "different size" in refusal(local, "k", "i'", expression)


WILD = np.array([np.inf, np.nan, -2.0])
DIAGONAL = local("k", "k'", delta("k,k'") * dense("d[k]", WILD))
OTHERS = local("k", "k'", distinct("k,k'") * one("k") * dense("v[k']", WILD))
TENSOR = local("k", "k',k''", delta("k,k'") * dense("a[k'']", WILD))


@pytest.mark.parametrize(
    ("jacobian", "nonzeros"),
    [
        (DIAGONAL, np.eye(3)),
        (then(DIAGONAL, DIAGONAL), np.eye(3)),
        (TENSOR, np.eye(3)[:, :, None]),
        (then(DIAGONAL, TENSOR), np.eye(3)[:, :, None]),
        (OTHERS, 1 - np.eye(3)),
        (then(DIAGONAL, OTHERS), 1 - np.eye(3)),
        (then(OTHERS, DIAGONAL), 1 - np.eye(3)),
    ],
    ids=["δ d", "δ d @ δ d", "δ a", "δ d @ δ a", "1−δ", "δ d @ 1−δ", "1−δ @ δ d"],
)
def test_structural_zeros_are_positive_zeros_beside_inf_and_nan(jacobian, nonzeros):
    array = jacobian.materialise(finite=False)
    zeros = array[np.broadcast_to(nonzeros == 0, array.shape)]
    assert np.array_equal(zeros, np.zeros_like(zeros))
    assert not np.signbit(zeros).any()
    with np.errstate(invalid="ignore"):  # planted: zeros that are computed
        assert np.isnan(np.eye(3) * WILD).sum() > np.isnan(WILD).sum()


def test_whole_numbers_do_not_wrap_and_halves_are_not_lost():
    a, b = (dense(label, np.array([100, 2, 3], np.int8)) for label in ("a[k]", "b[k']"))
    assert local("k", "k'", a * b).materialise()[0, 0] == 10_000
    assert local("k", "k'", 0.5 * a * one("k'")).materialise()[2, 1] == 1.5
