"""Like terms are one, a factor that is 0 or 1 stands once, and no value is changed by either."""

import numpy as np
import pytest

from jacobian_bp import delta, dense, distinct, within
from jacobian_bp.algebra.expression import Dense, Expression
from jacobian_bp.algebra.products.like_terms import like_terms_added, written_short
from jacobian_bp.algebra.products.placing import evaluate
from jacobian_bp.algebra.products.spending import spend

RNG = np.random.default_rng(29)
SIZES = {"k": 5, "k'": 5, "i": 3, "j": 3, "n": 5}
W, V = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))


def value(expression, kept):
    found = np.zeros([SIZES[axis] for axis in kept])
    for term in expression.terms:
        word, arrays = [], []
        for factor in term.factors:
            word.append("".join(chr(97 + [*SIZES].index(axis)) for axis in factor.axes))
            sizes = {axis: SIZES[axis] for axis in factor.axes}
            is_array = isinstance(factor, Dense)
            array = (
                factor.array
                if is_array
                else evaluate(Expression.of(factor), [*sizes], sizes, float)
            )
            arrays.append(array)
        out = "".join(chr(97 + [*SIZES].index(axis)) for axis in kept)
        found += term.coefficient * np.einsum(f"{','.join(word)}->{out}", *arrays)
    return found


LIKE = [
    (dense("W[k,i]", W) * dense("V[k',i]", V) + dense("V[k',j]", V) * dense("W[k,j]", W), 1),
    (dense("W[k,i]", W) * dense("V[k',i]", V) - 3 * dense("W[k,j]", W) * dense("V[k',j]", V), 1),
    (delta("k,k'") * dense("W[k,i]", W) + delta("k',k") * dense("W[k,j]", W), 1),
    (delta("k,k'") * dense("W[k,i]", W) - delta("k',k") * dense("W[k,j]", W), 0),
    (delta("k,k'") * dense("W[k,i]", W) + delta("k',k") * dense("W[k',j]", W), 2),
    (delta("k,k'") * dense("W[k,i]", W) + delta("k,k'") * dense("W[k,i]", V), 2),
    (dense("W[k,i]", W) * dense("V[k',i]", V) + dense("W[k,i]", W) * dense("V[k',j]", V), 2),
    (delta("k,k'") * dense("W[k,i]", W) + distinct("k,k'") * dense("W[k,i]", W), 2),
]


@pytest.mark.parametrize(("expression", "count"), LIKE)
def test_terms_that_differ_in_a_number_or_in_the_letters_of_sums_are_one(expression, count):
    kept = ["k", "k'"]
    found = like_terms_added(expression, kept)
    assert len(found.terms) == count
    np.testing.assert_allclose(value(found, kept), value(expression, kept), atol=1e-14)


def test_what_all_terms_have_stands_in_front_and_a_number_before_its_sum():
    w, v = dense("w[k]", W[:, 0]), dense("v[k']", V[:, 0])
    kept, seen = ["k", "k'"], delta("k,k'") * within("k <= k'")
    assert written_short(seen * w - seen * v, kept) == "δ[k,k'] [k≤k'] (w[k] − v[k'])"
    assert written_short(seen * w, kept) == "δ[k,k'] [k≤k'] w[k]"
    assert written_short(delta("k,k'") * w - within("k <= k'") * v, kept) == (
        "δ[k,k'] w[k] − [k≤k'] v[k']"
    )
    product = dense("W[k,i]", W) * dense("V[k',i]", V)
    assert written_short(product + product - 4 * product, kept) == "−2 Σ_i W[k,i] V[k',i]"
    assert written_short(Expression(), kept) == "0"


def test_a_factor_of_zeros_and_ones_stands_once_and_an_array_as_often_as_it_does():
    w = dense("w[k]", W[:, 0])
    once = within("k <= k'") * distinct("k,k'") * w * w
    twice = within("k <= k'") * distinct("k,k'") * distinct("k',k") * w * within("k <= k'") * w
    (term,) = twice.terms
    spent = spend(term, ["k", "k'"], SIZES)
    assert str(spent) == str(once) == "[k≤k'] (1−δ[k,k']) w[k] w[k]"
    sizes = {"k": 5, "k'": 5}
    found = [evaluate(e, ["k", "k'"], sizes, np.dtype(float)) for e in (once, twice)]
    np.testing.assert_array_equal(*found)
    np.testing.assert_array_equal(found[0], np.triu(np.outer(W[:, 0] ** 2, np.ones(5)), 1))


def test_ranges_that_meet_when_a_delta_is_spent_are_one():
    (term,) = (delta("k,n") * within("k <= k'") * within("n <= k'")).terms
    assert str(spend(term, ["k", "k'"], SIZES)) == "[k≤k']"
    (term,) = (delta("k,k'") * delta("k',k") * delta("k,n")).terms
    assert str(spend(term, ["k", "k'"], SIZES)) == "δ[k,k']"
