"""Each form of a slope that a textbook prints is that slope; a GELU keeps its digits."""

import mpmath as mp
import numpy as np
import pytest

from jacobian_bp.ops import textbook
from jacobian_bp.ops.smooth import _logistic

RNG = np.random.default_rng(41)
PRINTED = {name: t for name, t in vars(textbook).items() if isinstance(t, textbook.Textbook)}


@pytest.mark.parametrize("name", PRINTED)
def test_every_form_of_a_slope_gives_the_same_at_ordinary_values(name):
    book, z = PRINTED[name], RNG.uniform(-3, 3, size=13)
    slope = book.slope(z)
    h = 1e-5
    difference = (book.value(z + h) - book.value(z - h)) / (2 * h)
    np.testing.assert_allclose(slope, difference, rtol=1e-6, atol=1e-8)
    for form in book.unguarded:
        np.testing.assert_allclose(form(z), slope, rtol=1e-12)
    if book.by_output is not None:
        np.testing.assert_allclose(book.by_output(book.value(z)), slope, rtol=1e-12)


def test_the_exponential_of_a_gelu_has_the_digits_that_a_cubic_in_two_floats_keeps():
    """e^−2u, u = √(2/π) (x + 0.044715 x³), within 3 units of the roundoff."""
    worst = 0.0
    with mp.workprec(200):
        for x in RNG.uniform(1, 3, size=97):
            e, c, _ = _logistic(np.array(x))
            u = mp.sqrt(2 / mp.pi) * (mp.mpf(x) + mp.mpf("0.044715") * mp.mpf(x) ** 3)
            exact = mp.exp(-2 * u)
            off = (mp.mpf(float(e)) * mp.mpf(float(c)) - exact) / exact
            worst = max(worst, abs(float(off)) * 2**53)
    assert worst < 3
