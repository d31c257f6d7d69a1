"""The tree of a formula: its text comes back sign by sign, and every part is where it belongs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobian_bp.writing.formula_tree import (
    Bracket,
    Derivative,
    Number,
    Power,
    Ratio,
    Row,
    Scripted,
    Sign,
    Sum,
    Symbol,
    parse,
    spaced,
    text,
    within,
)

PRINTED = (
    "∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']",
    "∂²J/∂W2∂b1[k,i,k'] + ∂²J/∂b1²",
    "1/m Σ_n δ^(3)[n,k'] a^(2)[n,i']ᵀ",
    "Σ_r K[d,c',r] δ[i',2o+r−1] δ[r,a[c,o]]",
    "J = −Σ (y log a^(4) + (1−y) log(1−a^(4))) ²",
    "2e-05 relu'(z[3])  =  ( ∂a/∂W | ∂a/∂b )",
)
PIECES = st.sampled_from([*"abWσδΣ∂/[]()'ᵀ²^_,.=+−½ 01", "∂z/∂W", "[k,k']", "^(2)", "1/3", "2e-05"])


@pytest.mark.parametrize("formula", PRINTED)
def test_the_text_of_a_formula_comes_back(formula):
    assert text(parse(formula)) == formula


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=20))
def test_any_text_comes_back(formula):
    assert text(parse(formula)) == formula


def test_every_kind_of_part_is_told():
    (first, *_, last) = parse("Σ_k 1/3 2e-05 (1−a)² ∂²J/∂b1² W2ᵀ[k,i']").parts
    assert first == Sum(Row((Symbol("k"),)))
    k, i = Row((Symbol("k"),)), Row((Scripted(Symbol("i"), primes=1),))
    assert last == Scripted(Symbol("W", "2"), turned=True, indices=(k, i))
    assert parse("1/3").parts == (Ratio("1", "3"),)
    assert parse("2e-05").parts == (Number("2", "-05"),)
    assert parse("W[2]").parts == (Symbol("W", "", "[2]"),)
    one_minus_a = Row((Number("1"), Sign("−"), Symbol("a")))
    assert parse("(1−a)²").parts == (Power(Bracket(one_minus_a), None),)
    curvature = Derivative(Row((Symbol("J"),)), (Row((Symbol("b", "1"),)),), 2)
    assert parse("∂²J/∂b1²").parts == (curvature,)


def test_a_bracket_that_is_never_closed_or_opened_is_a_sign():
    assert parse("(a").parts == (Sign("("), Symbol("a"))
    assert parse("a)").parts == (Symbol("a"), Sign(")"))


def test_the_room_in_front_of_a_part_is_that_of_both_neighbours():
    gaps = [gap for gap, _ in spaced(parse("( a b ) = − log (c) tanh(z) d"))]
    assert gaps == ["", "", "", "", "wide", "narrow", "", "narrow"]
    (inside,) = [part.inside for part in within(parse("( a b )")) if isinstance(part, Bracket)]
    assert [gap for gap, _ in spaced(inside)] == ["", "narrow"]
    assert [gap for gap, _ in spaced(parse("y log a"), ("log",))] == ["", "", ""]
