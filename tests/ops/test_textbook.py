"""Each form of a slope that a textbook prints is that slope, where it does not overflow."""

import numpy as np
import pytest

from jacobian_bp.ops import textbook

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
