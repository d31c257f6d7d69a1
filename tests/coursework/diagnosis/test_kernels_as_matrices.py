"""The gradient of a kernel as im2col gives it is right, and its mistakes are the same ones."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose

RNG = np.random.default_rng(101)


@pytest.fixture(scope="module")
def filtered():
    """Images through a convolution of five kernels with two channels and 3 × 2 taps."""
    params = {"K": RNG.normal(size=(5, 2, 3, 2)), "b": RNG.normal(size=5)}
    x, g = RNG.normal(size=(3, 2, 7, 6)), RNG.normal(size=(3, 5, 5, 5))
    lines = ["z = Conv2d(x, K, b)", "a = Tanh(z)", "L = Einsum(a, g, 'doq,doq->')"]
    return Network.program(*lines, "J = Mean(L)", params=params).run(x=x, g=g)


def by_columns(run, dz):
    """dK as a matrix: every window of x is a column of channels · height · width entries."""
    windows = np.lib.stride_tricks.sliding_window_view(np.array(run["x"]), (3, 2), (2, 3))
    columns = windows.transpose(1, 4, 5, 0, 2, 3).reshape(12, -1)
    return dz.transpose(1, 0, 2, 3).reshape(5, -1) @ columns.T


def test_it_is_right_as_a_matrix_either_way_round_and_in_one_row(filtered):
    matrix = by_columns(filtered, filtered.vjp("J", "z", 1.0))
    rows, columns = {"a matrix of 5 rows": matrix}, {"a matrix of 5 columns": matrix.T}
    shapes = rows | columns | {"flat": matrix.ravel()}
    for words, array in shapes.items():
        found = diagnose(filtered, {"K": array})["K"]
        assert found.ok
        assert found.remark == f"K is right, in another layout: {words}."


def test_what_is_wrong_in_it_is_named_in_every_shape(filtered):
    wrong = by_columns(filtered, filtered.vjp("J", "a", 1.0))
    for array in (wrong, wrong.T, wrong.ravel()):
        found = diagnose(filtered, {"z": filtered.vjp("J", "z", 1.0), "K": array})["K"]
        assert found.label == "wrong-delta"
        assert found.remark == (
            "In the gradient of K another array stands in the place of what comes back, ∂J/∂z: "
            "∂J/∂a."
        )


def test_what_is_certain_is_said_of_the_matrix_as_it_was_handed_in(filtered):
    matrix = by_columns(filtered, filtered.vjp("J", "z", 1.0))
    matrix[1] = RNG.normal(size=12)
    of_rows, of_columns = (diagnose(filtered, {"K": m})["K"] for m in (matrix, matrix.T.copy()))
    assert of_rows.proved == ("Wrong in 1 row only: 1 (counted from 0).",)
    assert of_columns.proved == ("Wrong in 1 column only: 1 (counted from 0).",)


def test_a_matrix_of_other_rows_is_none(filtered):
    matrix = by_columns(filtered, filtered.vjp("J", "z", 1.0))
    channels = matrix.reshape(10, 6)
    assert diagnose(filtered, {"K": channels})["K"].label == "unknown"
    noise = RNG.normal(size=matrix.shape)
    found = diagnose(filtered, {"K": noise})["K"]
    assert (found.label, found.proved) == (
        "unknown",
        ("No row, column or entry is right, and no ratio is constant.",),
    )
