"""Xᵀ D X: by half of it where no weight is below 0, else as any other contraction."""

import numpy as np
import pytest

from jacobian_bp.algebra.expression import Dense
from jacobian_bp.algebra.products import contracting, gram
from jacobian_bp.algebra.products.contracting import contract

RNG = np.random.default_rng(31)
SIZES = {"n": 5, "t": 3, "i": 7, "j": 7, "k": 2, "a": 11, "b": 11}
CASES = [
    ("ni", "nj", ["n"], "ij"),
    ("in", "jn", ["n"], "ji"),
    ("nti", "ntj", ["n", "nt"], "ij"),
    ("nia", "njb", ["n"], "iajb"),
    ("ni", "nj", ["nk", "n"], "kij"),
    ("ni", "nj", ["k", "n"], "ikj"),
    ("nia", "nja", ["n"], "ij"),
]
OTHERS = [("ni", "nj", ["nj"], "ij"), ("ni", "nj", ["ni"], "ij"), ("ni", "nj", ["n"], "nij")]


def shaped(word):
    return RNG.standard_normal([SIZES[axis] for axis in word])


def contracted(words, arrays, axes):
    factors = [Dense("f", tuple(w), a) for w, a in zip(words, arrays, strict=True)]
    return contract(factors, tuple(axes), SIZES, 3.0)


@pytest.fixture
def halves(monkeypatch):
    """How often half a product was taken."""
    seen = []
    monkeypatch.setattr(gram, "WIDE", 1)
    whole = np.sqrt
    monkeypatch.setattr(gram.np, "sqrt", lambda weights: seen.append(1) or whole(weights))
    return seen


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("first", "second", "weights", "axes"), CASES)
def test_weights_that_are_not_negative_halve_the_product(
    first, second, weights, axes, dtype, halves
):
    x, others = shaped(first).astype(dtype), [abs(shaped(w)).astype(dtype) for w in weights]
    before, words, arrays = x.copy(), [first, *weights, second], [x, *others, x]
    text = f"{','.join(words)}->{axes}"
    expected = 3 * np.einsum(text, *(a.astype(float) for a in arrays))
    found = contracted(words, arrays, axes)
    bar = 1e-13 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(found, expected, rtol=bar, atol=bar)
    assert found.dtype == dtype
    assert halves
    np.testing.assert_array_equal(x, before)
    twisted = [x, *others, x[::-1].copy()]
    assert not np.allclose(contracted(words, twisted, axes), expected)


@pytest.mark.parametrize("wrong", [-0.25, np.nan])
@pytest.mark.parametrize(("first", "second", "weights", "axes"), CASES)
def test_one_weight_below_zero_or_none_at_all_is_multiplied_as_ever(
    first, second, weights, axes, wrong, halves
):
    x, others = shaped(first), [abs(shaped(w)) for w in weights]
    others[0].flat[1] = wrong
    words, arrays = [first, *weights, second], [x, *others, x]
    found = contracted(words, arrays, axes)
    expected = 3 * np.einsum(f"{','.join(words)}->{axes}", *arrays)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert not halves


@pytest.mark.parametrize(("first", "second", "weights", "axes"), OTHERS)
def test_what_only_looks_alike_is_no_such_product(first, second, weights, axes, halves):
    x, others = shaped(first), [abs(shaped(w)) for w in weights]
    words, arrays = [first, *weights, second], [x, *others, x]
    expected = 3 * np.einsum(f"{','.join(words)}->{axes}", *arrays)
    np.testing.assert_allclose(contracted(words, arrays, axes), expected, rtol=1e-12, atol=1e-12)
    assert not halves


def test_two_arrays_of_the_same_numbers_are_two(halves):
    x, d = shaped("ni"), abs(shaped("n"))
    expected = 3 * np.einsum("ni,n,nj->ij", x, d, x)
    found = contracted(["ni", "n", "nj"], [x, d, x.copy()], "ij")
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert not halves


def test_few_columns_are_not_worth_a_square_root():
    assert SIZES["i"] < gram.WIDE
    assert contracting.gram_of is gram.gram_of
    x = shaped("ni")
    arrays, words = [x, abs(shaped("n")), x], [("n", "i"), ("n",), ("n", "j")]
    assert gram.gram_of(arrays, words, "ij", SIZES) is None
    assert gram.gram_of(arrays, words, "ij", SIZES | {"i": 64, "j": 64}).pair == (0, 2)
