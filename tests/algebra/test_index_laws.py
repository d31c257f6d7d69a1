"""The laws of δ[i,f] and [low ≤ f ≤ high], each with the form that it gives and its numbers."""

import numpy as np
import pytest
from random_terms import by_loops

from jacobian_bp import Jacobian, at, dense, within
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import Expression, Term
from jacobian_bp.algebra.positions.scattering import scatter
from jacobian_bp.algebra.products.placing import evaluate
from jacobian_bp.algebra.products.spending import spend, spend_positions
from jacobian_bp.algebra.products.summing_positions import held_axes, sum_positions

RNG = np.random.default_rng(11)
SIZES = {"o": 5, "m": 3, "q": 2, "r": 3, "i": 7, "j": 11, "c": 2}


def numbers(name, axes):
    return dense(f"{name}[{axes}]", RNG.standard_normal([SIZES[a] for a in axes.split(",")]))


def term_of(expression):
    (term,) = expression.terms
    return term


def spent(expression, kept, sizes=SIZES):
    term = spend(term_of(expression), kept, sizes)
    return spend_positions(term, kept, sizes)


def array(term, kept, sizes=SIZES):
    inside = term.summing(kept, sizes)
    return evaluate(Expression((inside,)), kept, sizes, np.dtype(float))


def same_numbers(expression, kept, sizes=SIZES):
    """The term spent, once it is what nested loops say of the term as it was written."""
    before = term_of(expression)
    after = spent(expression, kept, sizes)
    want, _ = by_loops(before, kept, sizes)
    np.testing.assert_allclose(array(after, kept, sizes), want, rtol=1e-12, atol=1e-12)
    summed = sum_positions(after, kept, sizes)
    np.testing.assert_allclose(array(summed, kept, sizes), want, rtol=1e-12, atol=1e-12)
    return after


def test_law_1_a_summed_axis_is_read_at_its_position_and_0_outside():
    x = numbers("x", "c,i")
    after = same_numbers(x * at("i = 2o + r - 1"), ["c", "o", "r"])
    assert str(after) == "x[c,2o+r−1] [0≤2o+r−1≤6]"
    padded = term_of(x).factors[0].array
    inside = array(after, ["c", "o", "r"])
    assert inside[1, 0, 0] == 0  # o = r = 0 reads at −1
    assert inside[1, 2, 1] == padded[1, 4]


def test_law_1_without_a_border_is_a_view_of_the_same_memory():
    x = numbers("x", "c,i")
    (factor,) = spent(x * at("i = o + r"), ["c", "o", "r"]).factors
    assert str(factor) == "x[c,o+r]"
    assert np.shares_memory(factor.array, term_of(x).factors[0].array)
    assert not factor.array.flags.writeable


def test_law_1_at_a_table_is_a_gather():
    u = np.array([6, 0, 6, -1, 7])
    after = same_numbers(numbers("x", "c,i") * at("i = u[o]", u), ["c", "o"])
    assert str(after) == "x[c,u[o]] [0≤u[o]≤6]"


def test_law_2_entries_that_meet_are_added():
    g, w = numbers("g", "o"), numbers("w", "r")
    after = same_numbers(g * w * at("i = 2o + r - 1"), ["i"])
    summed = sum_positions(after, ["i"], SIZES, "∂J/∂x")
    assert [str(f) for f in summed.factors] == ["∂J/∂x[i]"]
    met = np.zeros(7)
    for o in range(5):
        for r in range(3):
            if 0 <= 2 * o + r - 1 < 7:
                arrays = (term_of(g).factors[0].array, term_of(w).factors[0].array)
                met[2 * o + r - 1] += arrays[0][o] * arrays[1][r]
    np.testing.assert_allclose(summed.factors[0].array, met, rtol=1e-12)


def test_law_2_no_view_that_is_added_to_overlaps_itself():
    """A view over o and r at once, o + r being the place, would lose terms."""
    out = np.zeros(7)
    position = term_of(at("i = o + r")).factors[0].position
    scatter(out, ["i"], np.ones((5, 3)), ["o", "r"], {"i": position}, SIZES)
    np.testing.assert_array_equal(out, np.convolve(np.ones(5), np.ones(3)))
    lost = np.zeros(7)
    view = np.lib.stride_tricks.as_strided(lost, (5, 3), (8, 8))
    view += 1
    assert lost.sum() < 15


def test_law_3_a_position_of_a_position_is_one_with_a_guard():
    after = same_numbers(at("j = 2i + q + 1") * at("i = 3o + r - 1"), ["j", "q", "o", "r"], SIZES)
    assert str(after) == "δ[j,q+6o+2r−1] [0≤3o+r−1≤6]"
    unguarded = Term(after.factors[:1], after.coefficient)
    kept = ["j", "q", "o", "r"]
    assert not np.array_equal(array(unguarded, kept), array(after, kept))


def test_law_3_with_a_table_is_a_table():
    u = np.array([6, 0, 3, 7, -1])
    after = same_numbers(at("j = 2i - 1") * at("i = u[o]", u), ["j", "o"])
    assert str(after) == "δ[j,2u[o]−1] [0≤u[o]≤6]"
    after = same_numbers(at("j = u[i]", np.arange(7)[::-1]) * at("i = o + 1"), ["j", "o"])
    assert str(after) == "δ[j,u[o+1]]"


def test_law_4_two_positions_of_one_summed_axis_are_equal():
    after = same_numbers(at("i = o + r - 1") * at("i = 2m"), ["o", "r", "m"])
    assert str(after) == "[o+r=2m+1] [0≤o+r−1≤6]"


def test_law_5_a_kept_axis_is_read_where_it_is():
    kept = ["i", "o", "m"]
    after = same_numbers(at("i = 2o - 1") * at("o = m + 1"), kept)
    assert str(after) == "δ[i,2m+1] δ[o,m+1]"
    after = same_numbers(at("i = 2o") * at("i = m + 1"), kept)
    assert str(after) == "δ[i,2o] [2o=m+1]"
    after = same_numbers(at("o = 3o - 2"), ["o"])
    assert str(after) == "[2=2o]"


def test_law_6_two_axes_of_one_position_are_equal_where_their_sizes_are():
    sizes = {"f": 6, "g": 6, "h": 7, "i": 2, "j": 3}
    both = at("f = 3i + j") * at("g = 3i + j")
    assert str(same_numbers(both, ["f", "g", "i", "j"], sizes)) == "δ[f,g] δ[g,3i+j]"
    other = at("f = 3i + j") * at("h = 3i + j")
    assert str(same_numbers(other, ["f", "h", "i", "j"], sizes)) == "δ[f,3i+j] δ[h,3i+j]"


def test_law_6_a_reshape_and_its_inverse_are_the_identity():
    f, g, i, j = Axis("f", 6), Axis("g'", 6), Axis("i", 2), Axis("j", 3)
    there = Jacobian.local("y", "x", (f,), (Axis("i'", 2), Axis("j'", 3)), at("f = 3i' + j'"))
    back = Jacobian.local("x", "w", (i, j), (g,), at("g' = 3i + j"))
    whole = there @ back
    assert str(whole.collapse()).splitlines()[0] == "∂y/∂w[f,g'] = δ[f,g']"
    np.testing.assert_array_equal(whole.materialise(), np.eye(6))
    assert whole.structural_nonzeros == 6


def test_law_7_a_delta_is_open_where_its_position_has_an_axis_that_stays():
    K = numbers("w", "r")
    window = term_of(K * at("i = 2o + r"))
    assert held_axes(window, ["i", "o"]) == ("r",)
    assert held_axes(window, ["i"]) == ()
    chained = term_of(at("i = 2o + r") * at("j = r + 2q"))
    assert held_axes(chained, ["i", "o", "j"]) == ("r", "q")
    stays = sum_positions(window, ["i", "o"], SIZES)
    assert str(stays.summing(["i", "o"], SIZES)) == "Σ_r w[r] δ[i,2o+r]"
    gone = sum_positions(window, ["i"], SIZES)
    assert not gone.has_positions


def test_law_8_a_window_over_all_that_went_before_is_a_triangle():
    t, u = (Axis("t", 5),), (Axis("u'", 5),)
    window = Jacobian.local("y", "x", t, u, at("u' = t - r", sizes={"r": 5}))
    triangle = Jacobian.local("y", "x", t, u, within("u' <= t"))
    assert str(window).splitlines()[0] == "∂y/∂x[t,u'] = Σ_r δ[u',t−r]"
    np.testing.assert_array_equal(window.materialise(), np.tril(np.ones((5, 5))))
    np.testing.assert_array_equal(window.materialise(), triangle.materialise())
    assert window.patterns == triangle.patterns
    assert window.structural_nonzeros == 15
    assert window.structure == triangle.structure == "lower triangle"


MASK = (np.arange(105) % 4 == 0).reshape(5, 3, 7) * (np.arange(7) > 2)
BAD = [np.nan, np.inf, -np.inf, -1.5]


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(
    "expression",
    [
        lambda K: dense("K[o,r]", K) * at("i' = o + r - 1"),
        lambda K: dense("K[o]", K[:, 0]) * at("i' = u[o]", np.array([6, 0, 6, -1, 7])),
        lambda K: dense("K[o,i']", np.resize(K, (5, 7))) * within("i' <= o"),
        lambda K: dense("K[o,i']", np.resize(K, (5, 7))) * within("m[i']", table=np.arange(7) % 2),
        lambda K: dense("K[o,r]", K) * at("i' = o + r - 1") * within("r <= o"),
        lambda K: dense("K[o,r]", K) * at("i' = o + r - 1") * within("0 <= r <= 1"),
        lambda K: dense("K[o,r]", K) * at("i' = 2o - 3") * within("o <= r"),
        lambda K: dense("K[o,r]", K) * within("m[o,r,i']", table=MASK),
    ],
)
def test_law_9_zeros_are_exactly_plus_0_beside_any_number(expression, value):
    K = np.full((5, 3), value)
    out, wrt = (Axis("o", 5),), (Axis("i'", 7),)
    J = Jacobian.local("y", "x", out, wrt, expression(K))
    found, stands = J.materialise(), J.can_be_nonzero()
    assert 0 < stands.sum() < stands.size
    zeros = found[~stands]
    assert (zeros == 0).all()
    assert not np.signbit(zeros).any()
    assert not (found[stands] == 0).any()


def test_law_9_what_a_range_leaves_out_of_a_sum_cannot_spoil_it():
    """Σ_j x[j] [j≤o], x[4] = inf: 0 · inf would be NaN in every row."""
    x = np.array([1.0, 2.0, 3.0, 5.0, np.inf])
    sums = dense("x[j]", x) * within("j <= o")
    J = Jacobian.local("y", "x", (Axis("o", 5),), (), sums)
    np.testing.assert_array_equal(J.materialise(), np.cumsum(x))


def test_law_9_an_infinite_factor_of_padding_cannot_spoil_a_sum():
    """Σ_o g[o] x[o−1]: g[0] = inf stands beside padding, where 0 · inf would be NaN."""
    g, x = np.array([np.inf, 1.0, 2.0, 3.0, 5.0]), RNG.standard_normal(7)
    by_y = Jacobian.local("J", "y", (), (Axis("o'", 5),), dense("g[o']", g))
    padded = dense("x[i]", x) * at("i = o - 1")
    whole = by_y @ Jacobian.local("y", "s", (Axis("o", 5),), (), padded)
    np.testing.assert_allclose(whole.materialise(), g[1:] @ x[:4], rtol=1e-12)
    np.testing.assert_allclose(whole.collapse().materialise(), g[1:] @ x[:4], rtol=1e-12)


def test_arrays_are_as_they_were_and_results_share_nothing():
    K = RNG.standard_normal((5, 3))
    before = K.copy()
    out, wrt = (Axis("o", 5),), (Axis("i'", 7),)
    J = Jacobian.local("y", "x", out, wrt, dense("K[o,r]", K) * at("i' = o + r"))
    first = J.materialise()
    first[...] = 7.0
    np.testing.assert_array_equal(K, before)
    assert not (J.materialise() == 7.0).any()
