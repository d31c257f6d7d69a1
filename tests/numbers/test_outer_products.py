"""A column times a row, however it is written."""

import numpy as np
import pytest

from jacobian_bp.numbers.outer_products import write_product

RNG = np.random.default_rng(13)
SHAPES = [  # left, right, and what they make
    ((37, 1), (1, 211)),
    ((211, 1), (1, 37)),
    ((5, 37, 1), (5, 1, 211)),
    ((5, 37, 1), (1, 1, 211)),
    ((3, 5, 37, 1), (3, 1, 1, 31)),
    ((1, 211), (37, 1)),
    ((37, 211), (1, 211)),
    ((37, 211), (37, 211)),
    ((2, 1), (1, 3)),
    ((), (61, 211)),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("left", "right"), SHAPES, ids=str)
@pytest.mark.parametrize("within", [False, True], ids=["new", "part"])
def test_it_is_the_product(left, right, dtype, within):
    a = np.asarray(RNG.standard_normal(left), dtype)
    b = np.asarray(RNG.standard_normal(right), dtype)
    expected = a * b
    out = np.full(expected.shape, np.nan, dtype)
    if within:  # the columns of a larger array
        out = np.full((*expected.shape[:-1], expected.shape[-1] + 3), np.nan, dtype)[..., 2:-1]
    buffer = np.getbufsize()
    write_product(a, b, out)
    assert np.array_equal(out, expected)
    assert not np.array_equal(out, expected + np.spacing(np.abs(expected)))
    assert np.getbufsize() == buffer


def test_the_buffer_is_put_back_after_a_failure():
    buffer = np.setbufsize(4096)
    try:
        with pytest.raises(ValueError, match="broadcast"):
            write_product(np.ones((61, 2)), np.ones((1, 211)), np.ones((61, 211)))
        assert np.getbufsize() == 4096
    finally:
        np.setbufsize(buffer)


def test_both_precisions_meet_in_the_result():
    a, b = RNG.standard_normal((37, 1)), RNG.standard_normal((1, 211)).astype(np.float32)
    for out in (np.empty((37, 211)), np.empty((37, 211), np.float32)):
        write_product(a, b, out)
        assert np.array_equal(out, (a * b).astype(out.dtype))
