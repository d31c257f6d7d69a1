"""diagnose of a Jacobian whose entries are handed in as one row or column."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.algebra.layouts import LAYOUTS
from jacobian_bp.coursework.diagnosis import diagnose

RNG = np.random.default_rng(8)
RUN = Network.dense([3, 5, 2], "tanh", "half_squared_error", seed=1).run(
    RNG.normal(size=3), RNG.normal(size=2)
)
BY_ROWS = "numerator, flat, row by row"
BY_COLUMNS = "numerator, flat, column by column"


@pytest.mark.parametrize("key", [("z2", "a1"), ("z2", "W2"), ("z1", "W1")])
@pytest.mark.parametrize("shape", [(-1,), (1, -1), (-1, 1)])
def test_all_entries_in_one_line_are_right_in_the_order_that_is_named(key, shape):
    J = RUN.jacobian(*key).materialise("numerator")
    name = f"∂{key[0]}/∂{key[1]}"
    for letter, order in (("C", BY_ROWS), ("F", BY_COLUMNS)):
        found = diagnose(RUN, {key: J.ravel(order=letter).reshape(shape)})[key]
        assert found.remark == f"{name} is right, in another layout: {order}."
        assert found.label == "correct-other-layout"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_entries_of_any_layout_in_one_line_are_right(layout):
    J = RUN.jacobian("z2", "W2").materialise(layout)
    assert diagnose(RUN, {("z2", "W2"): J.ravel()}).ok


def test_entries_in_one_line_that_are_wrong_are_judged_in_that_line():
    W2 = RUN["W2"]
    found = diagnose(RUN, {"dz2_da1": 2 * W2.ravel()})["dz2_da1"]
    assert (found.label, found.factor) == ("constant-factor", 2.0)
    spoilt = W2.ravel().copy()
    spoilt[7] = 0.3
    found = diagnose(RUN, {"dz2_da1": spoilt})["dz2_da1"]
    assert found.label == "unknown"
    assert found.proved == (
        "Its shape (10,) is read as numerator, flat, row by row, of (2, 5).",
        "Wrong in 1 entry only: 7 (counted from 0).",
    )


def test_entries_in_another_shape_are_still_in_the_wrong_places():
    found = diagnose(RUN, {"dz2_da1": RUN["W2"].reshape(5, 2)})["dz2_da1"]
    assert found.label == "reshape-order"
    shuffled = diagnose(RUN, {"dz2_da1": RUN["W2"].ravel()[::-1]})["dz2_da1"]
    assert not shuffled.ok
