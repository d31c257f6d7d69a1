"""A product of many links is folded, and what it names on the way is said."""

import re

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.algebra.expression import Delta, Dense
from jacobian_bp.derivation.legend import arrays_on_the_way
from jacobian_bp.derivation.one_jacobian import MOST_STEPS, document_of_jacobian, explain
from jacobian_bp.document.as_latex import article
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(53)
T, D, V, H = 3, 2, 5, 7  # tokens, width, words, keys
LINES = (
    "e = Embedding(w, E)",
    "Q = Einsum(e, WQ, 'ti,ki->tk')",
    "K = Einsum(e, WK, 'ti,ki->tk')",
    "U = Einsum(e, WV, 'ti,ji->tj')",
    "s = Einsum(Q, K, c, 'tk,uk,->tu')",
    "P = CausalSoftmax(s)",
    "o = Einsum(P, U, 'tu,uj->tj')",
    "z = Linear(o, W, b)",
    "L = CrossEntropyFromLogits(z, y)",
    "J = Mean(L, over='t')",
)


@pytest.fixture(scope="module")
def attention():
    shapes = {"E": (V, D), "WQ": (H, D), "WK": (H, D), "WV": (D, D), "W": (V, D), "b": (V,)}
    params = {name: np.random.default_rng(5).normal(size=size) for name, size in shapes.items()}
    net = Network.program(*LINES, params=params)
    return net.run(w=np.array([0, 3, 1]), y=np.array([3, 1, 2]), c=0.7, axes={"w": "t"})


def steps_in(lines):
    """The reasons of the steps that are printed: each stands on a line of its own."""
    first = lines.index("collapsed, link by link from the left:")
    part = lines[first : lines.index("in the five layouts:")]
    return [line for line in part if re.match(r" {6}(δ\[.* is 0 unless|the sum over|what )", line)]


def test_the_ends_of_a_long_product_are_printed_and_how_many_steps_are_left_out(attention):
    jacobian = attention.jacobian("z", "E")
    count = len(jacobian.collapse().trace)
    assert count > MOST_STEPS
    short, whole = explain(jacobian), explain(jacobian, everything=True)
    (left_out,) = [line for line in short if "more steps" in line]
    assert left_out == f"  … {count - 9} more steps like these; --all prints them"
    assert len(steps_in(short)) == 9
    assert len(steps_in(whole)) == count
    assert not any("more steps" in line for line in whole)
    few = second_seed().run(X, Y).jacobian("z3", "x")
    assert not any("more steps" in line for line in explain(few))


def test_each_name_that_is_given_on_the_way_has_its_sentence(attention):
    lines = explain(attention.jacobian("z", "E"))
    assert (
        "  (part of ∂z/∂e): terms of ∂z/∂e with the same δ and ranges, added up to one array"
        in lines
    )
    assert "  (Σ_l W U): that sum, worked out to one array" in lines
    text = article(document_of_jacobian(attention.jacobian("z", "E")))
    assert "that sum, worked out to one array" in text
    plain = explain(second_seed().run(X, Y).jacobian("z3", "x"))
    assert not any("one array" in line for line in plain)


@pytest.mark.full
def test_so_it_has_in_a_second_derivation(attention):
    said = "R21a: terms of (∂J/∂P) [21] where t' = t'', u' = u'', added up to one array"
    assert said in attention.second_derivation().text()
    assert "one array" not in second_seed().run(X, Y).second_derivation().text()


def test_what_is_said_of_an_array_is_true_of_it(attention):
    whole = attention.jacobian("z", "s")
    made = whole.collapse().links[0].expression
    (term,) = made.terms
    (array,), (delta,) = term.of(Dense), term.of(Delta)
    assert {array.label, delta.left, delta.right} == {"(∂z/∂s where t = t')", "t", "t'"}
    said = f"{array.label}: the numbers of ∂z/∂s where that holds, as one array"
    assert arrays_on_the_way(str(made)) == [said]
    dense = whole.materialise()  # t, k, t', u'
    there = np.einsum("tktu->tku", dense)
    found = array.array.transpose([array.axes.index(a) for a in ("t", "k", "u'")])
    in_range = np.tril(np.ones((T, T), bool))[:, None, :]
    np.testing.assert_allclose(np.where(in_range, found, 0.0), there, rtol=1e-12)
    assert np.count_nonzero(there) == V * T * (T + 1) / 2 - V  # token 0 reads itself alone


@pytest.mark.parametrize(
    "text",
    ["tanh(z)[k] Σ_k (x)[k]", "(1−P)[t,u] relu'(z1)[k]", "J = −Σ (y log a + (1−y) log(1−a))"],
)
def test_a_formula_without_such_a_name_is_told_nothing(text):
    assert arrays_on_the_way(text) == []
