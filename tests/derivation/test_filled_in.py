"""The sentence of each kind of zero, said where its premise holds."""

import numpy as np
import pytest

from jacobian_bp import delta, dense, one
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import At, Expression, Within, distinct
from jacobian_bp.algebra.positions.affine_and_table import Affine
from jacobian_bp.derivation.page.filled_in import FilledIn

K, PRIMED = Axis("k", 3), Axis("k'", 3)
U, T = Axis("u", 5), Axis("t", 3)
A = dense("a[k]", np.array([2.0, -3.0, 0.0]))
WINDOW = Expression.of(At("u", Affine.of({"t": 2}, -1)))
CHOSEN = Expression.of(At("u", Affine.of({"t": 2}, -1), here=True))
RANGE = Expression.of(Within(Affine.of({"t": 1, "u": -1}), 0))
TINY = dense("a[k]", np.full(3, 1e-200)) * dense("c[k]", np.full(3, -1e-200))
DIFFER = "because 0 and 2 differ."

CASES = {
    "a delta": (
        *(delta("k,k'") * A, (K, PRIMED), (0, 2), 0.0, False),
        *("= 0 · 2 = 0", f"Zero for every input: δ[0,2] is 0, {DIFFER}"),
    ),
    "an entry that is not zero": (
        delta("k,k'") * A,
        (K, PRIMED),
        (1, 1),
        -3.0,
        True,
        "= 1 · (−3) = −3",
        "",
    ),
    "a factor that is 0 here": (
        *(delta("k,k'") * A, (K, PRIMED), (2, 2), 0.0, True),
        *("= 1 · 0 = 0", "Zero at this input: a[2] is 0 here."),
    ),
    "1 − δ": (
        *(distinct("k,k'") * A, (K, PRIMED), (1, 1), 0.0, False),
        *("= 0 · (−3) = 0", "Zero for every input: 1−δ[1,1] is 0, because both are 1."),
    ),
    "terms of which each is 0": (
        *(delta("k,k'") * A - 3 * delta("k,k'") * A, (K, PRIMED), (0, 2), 0.0, False),
        *("= 0 · 2 − 3 · 0 · 2 = 0", f"Zero for every input: δ[0,2] is 0, {DIFFER}"),
    ),
    "terms that cancel": (
        *(A - A, (K,), (0,), 0.0, True),
        *("= 2 − 2 = 0", "Zero at this input: the 2 products add up to 0."),
    ),
    "a product that is too small": (
        *(TINY, (K,), (0,), 0.0, True, "= 1e−200 · (−1e−200) = 0"),
        "Zero at this input: the product is smaller than any number that can be stored.",
    ),
    "a window": (
        *(WINDOW, (U, T), (0, 2), 0.0, False, "= 0"),
        "Zero for every input: δ[u,2t−1] is δ[0,3], and 0 and 3 differ.",
    ),
    "a window that values chose": (
        *(CHOSEN, (U, T), (0, 2), 0.0, True, "= 0"),
        "Zero at this input: δ[u,2t−1] is δ[0,3], and the values chose another entry.",
    ),
    "a range": (
        *(RANGE, (T, U), (1, 2), 0.0, False, "= 0"),
        "Zero for every input: [u≤t] does not hold at t = 1, u = 2.",
    ),
    "constancy": (
        one("t") * dense("c[u]", np.arange(5.0)),
        (T, U),
        (1, 3),
        3.0,
        True,
        "= 1 · 3 = 3",
        "",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_entry_has_its_numbers_and_the_reason_of_its_zero(case):
    expression, axes, index, value, possible, numbers, reason = case
    found = FilledIn(expression, axes).entry(index, value, possible)
    assert (found.numbers, found.reason) == (numbers, reason)


def test_of_a_long_sum_some_products_are_written_and_the_others_counted():
    wide = dense("W[k,i]", np.arange(33.0).reshape(3, 11)) * dense("v[i]", np.ones(11))
    filled = FilledIn(wide, (K,))
    found = filled.entry((1,), 176.0, True)
    assert found.numbers.endswith(" + 18 · 1 + … (3 more) = 176")
    assert filled.template.endswith("<mtext>… (3 more)</mtext>")
    assert found.indices[:4] == ("1,0", "0", "1,1", "1")
    assert filled.entry((1,), 0.0, True).reason == "Zero at this input."
