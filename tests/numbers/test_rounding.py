"""Equal to rounding: what is allowed, entry by entry, and what no allowance covers."""

import numpy as np
import pytest

from jacobian_bp.numbers.rounding import agree, differing, of_formulas, of_sums

RIGHT = np.array([[1.0, -2.0, 0.0], [5.0, 1e-300, -7.0]])


def test_a_gap_of_what_is_allowed_is_allowed_and_no_more():
    moved, allowed = RIGHT.copy(), np.abs(RIGHT) / 8
    moved[0, 1] -= 0.25
    assert agree(moved, RIGHT, allowed)
    moved[0, 1] = np.nextafter(moved[0, 1], -3)
    assert np.argwhere(differing(moved, RIGHT, allowed)).tolist() == [[0, 1]]
    assert not agree(moved, RIGHT, allowed)
    assert not agree(RIGHT.T, RIGHT, 9.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("allowed", [1.0, np.inf, np.nan])
def test_no_allowance_covers_what_is_no_number(bad, allowed):
    """An allowance that is taken from an overflown array is infinite itself."""
    wrong = RIGHT.copy()
    wrong[1, 2] = bad
    with np.errstate(invalid="ignore"):
        for pair in ((wrong, RIGHT), (RIGHT, wrong)):
            assert differing(*pair, np.where(np.isfinite(wrong), 1.0, allowed))[1, 2]
            assert not agree(*pair, np.where(np.isfinite(wrong), 1.0, allowed))


def test_allowances_are_at_the_scale_of_what_was_added_up():
    assert of_sums(np.array([1.0, 4.0]), np.float32).tolist() == [2.0**-20, 2.0**-18]
    assert of_formulas(np.array([-1.0, 0.0]), 0.5, 0.25).tolist() == [0.75, 0.25]
