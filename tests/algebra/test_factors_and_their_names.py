"""How many factors a product keeps, and what a factor that was computed is called."""

from itertools import permutations

import numpy as np
import pytest

from jacobian_bp.algebra.expression import Delta, Dense, Expression, Term
from jacobian_bp.algebra.positions.affine_and_table import Affine
from jacobian_bp.algebra.positions.position_factors import At
from jacobian_bp.algebra.products.spending import MANY_FACTORS, merge, sum_out
from jacobian_bp.algebra.products.summing_positions import sum_positions

RNG = np.random.default_rng(131)
SIZES = {"i": 3, "k": 5, "l": 7}


def dense(label, *axes):
    return Dense(label, axes, RNG.normal(size=[SIZES[axis] for axis in axes]))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_many_factors_become_one_where_one_has_all_their_axes(order):
    """In whatever order they stand: first the narrow ones, or first the wide one."""
    narrow = [dense("u", "i"), dense("v", "k")]
    parts = [narrow, [dense("W", "i", "k")], [dense("p", "i"), dense("q", "k")]]
    factors = [factor for place in order for factor in parts[place]]
    assert len(factors) > MANY_FACTORS
    (one,) = sum_out(Term(tuple(factors)), ("i", "k"), SIZES).factors
    assert (one.label, set(one.axes)) == ("(5 factors)", {"i", "k"})
    u, v, W, p, q = (f.array for f in [*narrow, *parts[1], *parts[2]])
    expected = np.einsum("i,k,ik,i,k->ik", u, v, W, p, q)
    np.testing.assert_allclose(one.array.transpose([one.axes.index(a) for a in "ik"]), expected)


def test_what_is_added_up_is_called_a_part_where_other_terms_stay_beside_it():
    same = [Term((dense(name, "i"), Delta("k", "l"))) for name in "uv"]
    sizes = SIZES | {"l": 5}
    (whole,) = merge(Expression(tuple(same)), ("i", "k", "l"), sizes, "dz").terms
    assert [f.label for f in whole.of(Dense)] == ["(dz where k = l)"]
    other = Term((Dense("w", ("i", "k", "l"), RNG.normal(size=(3, 5, 5))),))
    part, beside = merge(Expression((*same, other)), ("i", "k", "l"), sizes, "dz").terms
    assert [f.label for f in part.of(Dense)] == ["((part of dz) where k = l)"]
    assert beside is other


def test_a_sum_over_positions_is_called_by_its_axes_and_factors_each_named_once():
    sizes = {"i": 13, "o": 5, "r": 7}
    g, K = (Dense(name, (a,), RNG.normal(size=sizes[a])) for name, a in (("g", "o"), ("K", "r")))
    there = At("i", Affine.of({"o": 2, "r": 1}, -1))
    (one,) = sum_positions(Term((there, g, K)), ("i",), sizes).factors
    assert one.label == "(Σ_o,r g K δ[i,2o+r−1])"
    expected = np.zeros(13)
    for o in range(5):
        for r in range(7):
            if 0 <= 2 * o + r - 1 < 13:
                expected[2 * o + r - 1] += g.array[o] * K.array[r]
    np.testing.assert_allclose(one.array, expected)
    long = Dense("a name " * 9, ("o",), g.array)
    (short,) = sum_positions(Term((there, long, K)), ("i",), sizes).factors
    assert short.label == "(Σ_o,r …)"
