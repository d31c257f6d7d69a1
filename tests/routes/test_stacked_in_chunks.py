"""∂f/∂θ in chunks of whole rows, made here: what Dask and Zarr are handed."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, Network, memory_limit

RNG = np.random.default_rng(29)
NET = Network.dense([2, 7, 3], ["tanh", "softmax"], None, seed=4)
RUN = NET.run(RNG.standard_normal((5, 2)))
STACKED = RUN.jacobian("a2", NET.params)  # (5, 3, 45)


def put_together(found):
    whole = np.full(found.shape, np.nan)
    for place, make in found.made():
        made = make()
        assert made.shape == found.chunk_shape(place)
        whole[found.slices(place)] = made
    return whole


@pytest.mark.parametrize("lengths", [(5, 3, 45), (2, 3, 45), (1, 3, 45), (3, 3, 45)])
def test_the_chunks_make_up_the_whole(lengths):
    found = STACKED.in_chunks(lengths, "here")
    assert found.lengths == lengths
    assert found.grid == (-(-5 // lengths[0]), 1, 1)
    np.testing.assert_array_equal(put_together(found), STACKED.materialise())


def test_of_a_number_of_bytes_as_many_rows_are_taken_as_fit():
    for rows, bytes_ in ((1, 1080), (1, 2159), (2, 2160), (4, 5399), (5, 5400), (5, 10**6)):
        assert STACKED.in_chunks(bytes_, "here").lengths == (rows, 3, 45)


def test_of_two_axes_that_can_be_cut_the_first_is_cut_first():
    params = {"W": RNG.standard_normal((3, 2)), "b": RNG.standard_normal(3)}
    run = Network.program("y = Linear(x, W, b)", "a = Tanh(y)", params=params).run(
        x=RNG.standard_normal((5, 7, 2)), axes={"x": "n,t,i"}
    )
    stacked = run.jacobian("a", ["W", "b"])
    row = 3 * 9 * 8
    for size, lengths in ((2 * 7 * row, (2, 7)), (7 * row - 1, (1, 6)), (3 * row, (1, 3))):
        found = stacked.in_chunks(size, "here")
        assert found.lengths == (*lengths, 3, 9)
        np.testing.assert_array_equal(put_together(found), stacked.materialise())


def test_what_cannot_be_cut_is_refused_with_lengths_that_work():
    name = "∂a2/∂(W1, b1, W2, b2)"
    assert refusal(AxisError, STACKED.in_chunks, (2, 3, 11), f"{name}.to_dask") == (
        f"{name}.to_dask: entries is not cut here: it has 45, and chunks says 11.\n"
        "  Write chunks=(2, 3, 45), or take one variable: run.jacobian('a2', 'W1') is cut "
        "along all axes."
    )
    assert STACKED.in_chunks((2, 3, 45), "here").grid == (3, 1, 1)
    assert refusal(DomainError, STACKED.in_chunks, 100, "here") == (
        "here: rows of shape (1, 3, 45), the fewest, take 1.1 KiB.\n"
        "  Write chunks=1080, or ask for fewer variables at once, such as W1 alone."
    )
    with memory_limit(1000):
        assert refusal(DomainError, STACKED.in_chunks, "auto", "here") == (
            "here: rows of shape (1, 3, 45), the fewest, take 1.1 KiB.\n"
            "  Ask for fewer variables at once, such as W1 alone."
        )
    with memory_limit(1080 * 3):  # more than a part of the memory, and no more than there is
        assert STACKED.in_chunks("auto", "here").lengths == (1, 3, 45)
