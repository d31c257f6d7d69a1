"""The words for a term with positions: what stands, and the array beside it, if there is one."""

import numpy as np
import pytest

from jacobian_bp.algebra.expression import dense
from jacobian_bp.algebra.structure.structure_words import describe
from jacobian_bp.algebra.written_positions import at

NUMBER = dense("c", np.array(2.5))


@pytest.mark.parametrize(
    ("expression", "entries", "words"),
    [
        (at("i' = o + 1"), (4, 5), "selection"),
        (NUMBER * at("i' = o + 1"), (4, 5), "selection ⊗ scalar"),
        (at("i' = o"), (1, 1), "ones"),
        (NUMBER * at("i' = o"), (1, 1), "scalar"),
    ],
)
def test_a_number_beside_positions_is_said_and_ones_only_where_nothing_else_is(
    expression, entries, words
):
    sizes = dict(zip(("o", "i'"), entries, strict=True))
    assert describe(expression, ["o"], ["i'"], sizes) == words
