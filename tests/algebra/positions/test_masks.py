"""A factor that is 1 where a table says so: written as the mask that it is, or with its bound."""

import numpy as np
import pytest

from jacobian_bp.algebra.positions.affine_and_table import Table
from jacobian_bp.algebra.positions.position_factors import Within


@pytest.mark.parametrize(
    ("entries", "words"),
    [([0, 1, 1], "m[k]"), ([0, 2, 1], "[1≤m[k]]"), ([-1, 1, 0], "[1≤m[k]]"), ([2, 3], "[1≤m[k]]")],
)
def test_only_a_table_of_0_and_1_is_written_as_a_mask(entries, words):
    assert str(Within(Table("m", ("k",), np.array(entries)), 1)) == words
