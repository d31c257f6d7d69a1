"""A planned writer puts into its spot what evaluating the expression gives, and no more."""

import numpy as np
import pytest

from jacobian_bp.algebra.expression import Dense, Expression, delta, dense, distinct, one
from jacobian_bp.algebra.products.placing import evaluate
from jacobian_bp.algebra.products.placing_planned import (
    Spot,
    spot_of,
    summed_products,
    writer,
)

RNG = np.random.default_rng(11)
SIZES = {"k": 3, "i": 5, "k'": 3, "i'": 7}
x, y, d = RNG.normal(size=5), RNG.normal(size=7), RNG.normal(size=3)
H, C, T = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 7)), RNG.normal(size=(3, 5, 3, 7))
Y = dense("y[i']", y)
LEFT = dense("x[i]", x) * dense("H[k,k']", H) * Y

CASES = {
    "an outer product": LEFT,
    "terms that share a factor": LEFT + dense("x[i]", x) * dense("C[k,i']", C) * dense("d[k']", d),
    "a factor twice in one of them": LEFT + dense("x[i]", x) * dense("Q[k,k']", H.T.copy()) * Y * Y,
    "terms that share none": LEFT + dense("T[k,i,k',i']", T),
    "a delta beside it": delta("k,k'") * dense("d[k]", d) * dense("x[i]", x) * dense("y[i']", y),
    "a delta added": delta("k,k'") * dense("x[i]", x) * dense("y[i']", y) + LEFT,
    "a coefficient": -2.5 * LEFT + 0.5 * delta("k,k'") * one("i") * dense("y[i']", y),
    "no array": delta("k,k'") * one("i") * one("i'"),
}
ORDERS = [("k", "i", "k'", "i'"), ("k'", "i'", "k", "i"), ("i'", "k", "i", "k'")]


def written(expression, axes):
    """Into the middle of a larger matrix, with a margin of each side that must stay 0."""
    shape = [SIZES[axis] for axis in axes]
    rows, columns = shape[0] * shape[1], shape[2] * shape[3]
    whole = np.zeros((rows + 5, columns + 4))
    step, line = 8, 8 * (columns + 4)
    strides = (shape[1] * line, line, shape[3] * step, step)
    spot = Spot(axes, tuple(shape), strides, 2 * line + 3 * step)
    planned = writer(expression, spot, np.dtype(float))
    planned(expression.arrays, whole)
    inner = whole[2 : 2 + rows, 3 : 3 + columns].copy()
    whole[2 : 2 + rows, 3 : 3 + columns] = 0
    assert not whole.any()
    return inner.reshape(shape)


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_the_expression(case, axes):
    expected = evaluate(CASES[case], axes, SIZES, np.dtype(float))
    found = written(CASES[case], axes)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)
    if case != "no array":
        wrong = CASES[case].holding([-CASES[case].arrays[0], *CASES[case].arrays[1:]])
        assert abs(written(wrong, axes) - expected).max() > 1e-3


def test_what_is_no_product_of_deltas_and_arrays_is_left_to_evaluate():
    spot = spot_of(("k", "k'"), (3, 3), 8)
    assert writer(distinct("k,k'") * dense("d[k]", d), spot, np.dtype(float)) is None
    assert writer(dense("H[k,k']", H), spot, np.dtype(np.float32)) is None
    assert writer(dense("H[k,k']", H), spot, np.dtype(float)) is not None


SUMS = [LEFT + dense("T[k,i,k',i']", T), -2.5 * LEFT + 0.5 * LEFT]


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("case", SUMS)
def test_a_small_sum_of_products_is_a_new_array_row_by_row(case, axes):
    expected = evaluate(case, axes, SIZES, np.dtype(float))
    added = summed_products(case, axes, SIZES, np.dtype(float))
    found = added(*case.arrays)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
    assert found.flags.c_contiguous
    assert not any(np.shares_memory(found, array) for array in case.arrays)
    assert abs(added(-case.arrays[0], *case.arrays[1:]) - expected).max() > 1e-3


def test_a_delta_one_term_and_many_entries_are_left_to_others():
    axes, known = ("k", "i", "k'", "i'"), (SIZES, np.dtype(float))
    for name in ("an outer product", "a delta added", "a coefficient"):
        assert summed_products(CASES[name], axes, *known) is None
    wide = {"k": 3, "i": 50, "k'": 3, "i'": 70}
    assert summed_products(SUMS[0], axes, wide, np.dtype(float)) is None
    assert summed_products(SUMS[0], axes, SIZES, np.dtype(np.float32)) is None
    uncovered = dense("x[i]", x) + dense("d[k]", d)
    assert summed_products(uncovered, ("k", "i"), *known) is None


@pytest.mark.parametrize("own", [False, True])
def test_an_array_that_is_there_already_is_written_into_the_place_that_is_given(own):
    expression, out = Expression.of(Dense("H", ("k", "k'"), H, own=own)), np.full((3, 3), np.nan)
    given = evaluate(expression, ("k", "k'"), {"k": 3, "k'": 3}, np.dtype(float), out=out)
    assert given is out
    np.testing.assert_array_equal(out, H)
    fresh = evaluate(expression, ("k", "k'"), {"k": 3, "k'": 3}, np.dtype(float))
    np.testing.assert_array_equal(fresh, H)
    assert np.shares_memory(fresh, H) == own  # what a contraction has made need not be copied
