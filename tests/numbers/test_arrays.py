"""Which containers and dtypes come in, and what they become."""

import numpy as np
import pytest

from jacobian_bp.errors import DomainError
from jacobian_bp.numbers.arrays import as_array, entry, raw_array, require_finite

RNG = np.random.default_rng(7)


def refusal(value, name="x"):
    with pytest.raises(DomainError) as caught:
        as_array(value, name)
    return str(caught.value)


class Frame:
    """Like a pandas object: numpy knows how to read it."""

    def __array__(self, dtype=None, copy=None):
        return np.array([2.0, 3.0, 5.0], dtype)


# ---------------------------------------------------------------- admitted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([2, 3, 5], [2.0, 3.0, 5.0]),
        ((2, 3.5), [2.0, 3.5]),
        ([[2, 3, 5]], [[2.0, 3.0, 5.0]]),
        ([], []),
        (7, 7.0),
        ([2.0, np.float64(3), np.array(5)], [2.0, 3.0, 5.0]),
        (Frame(), [2.0, 3.0, 5.0]),
        (np.array([100, -128], np.int8), [100.0, -128.0]),
        (np.array([2**63], np.uint64), [2.0**63]),
        (np.array([True, False, True]), [1.0, 0.0, 1.0]),
        (np.array([2, 3], ">f8"), [2.0, 3.0]),
        (np.array([2, 3], ">i4"), [2.0, 3.0]),
        (np.array([[2, 3], [5, 7]]).view(np.matrix), [[2.0, 3.0], [5.0, 7.0]]),
        (np.longdouble(0.25), 0.25),
    ],
)
def test_it_becomes_a_native_float64_ndarray(value, expected):
    array = as_array(value, "x")
    assert type(array) is np.ndarray
    assert array.dtype == np.float64
    assert array.dtype.isnative
    assert array.tolist() == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ">f4", ">f2"])
def test_small_floats_become_float32(dtype):
    array = as_array(np.array([2.5, -3.25], dtype), "x")
    assert array.dtype == np.float32
    assert array.dtype.isnative
    assert array.tolist() == [2.5, -3.25]


def test_longdouble_is_rounded_to_the_nearest_float64():
    assert as_array(np.longdouble(1) / 3, "x") == 1 / 3


def test_int8_sums_and_products_do_not_wrap():
    array = as_array(np.array([100, 100], np.int8), "x")
    assert array @ array == 20_000
    assert np.array([100, 100], np.int8) @ np.array([100, 100], np.int8) == 32  # what would be


SOURCE = RNG.standard_normal((5, 7))


@pytest.mark.parametrize(
    "view",
    [
        np.asfortranarray(SOURCE),
        SOURCE.T,
        SOURCE[::-1, ::2],
        SOURCE[:, 3],
        np.broadcast_to(SOURCE[0], (3, 7)),
        np.broadcast_to(np.float64(2.5), (2, 3)),
    ],
    ids=["fortran", "transposed", "negative strides", "slice", "broadcast", "stride 0"],
)
def test_the_memory_layout_does_not_matter(view):
    before = view.tobytes()
    array = as_array(view, "x")
    assert array.flags.c_contiguous
    assert np.array_equal(array, view.copy())
    array += 1.0  # would show through an alias
    assert view.tobytes() == before


def test_the_copy_is_fresh_and_a_read_only_input_works():
    source = SOURCE.copy()
    source.flags.writeable = False
    array = as_array(source, "x")
    assert not np.shares_memory(array, source)
    assert array.flags.writeable
    assert np.shares_memory(np.asarray(source), source)  # the sharing would be seen


def test_raw_labels_keep_their_dtype():
    assert raw_array(np.array([2, 0, 1], np.uint8), "y").dtype == np.uint8
    assert raw_array([True, False], "y").dtype == bool


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("value", "row"),
    [
        ([[2, 3], [5, 7], [11, 13, 17]], "x[0] has 2 entries, x[2] has 3 entries"),
        ([[2, 3], 5], "x[0] has 2 entries, x[1] has a number"),
        ([2, [3, 5]], "x[0] has a number, x[1] has 2 entries"),
    ],
    ids=["long row", "number after row", "row after number"],
)
def test_the_odd_row_of_a_ragged_list_is_named(value, row):
    assert refusal(value) == f"x is ragged: {row}.\n  Give every row the same length."


@pytest.mark.parametrize(
    "value",
    [[[[2, 3], [5]], [[7, 11], [13, 17]]], [np.ones(2), np.ones(3)]],
    ids=["deeper", "rows that are arrays"],
)
def test_a_ragged_list_is_called_ragged_at_any_depth(value):
    assert refusal(value).startswith("x is ragged: ")


def test_a_foreign_name_is_shown_escaped():
    assert refusal([2j], "x\x1b[31m").startswith("x\\x1b[31m has dtype complex128")


# ---------------------------------------------------------------- finite


def test_the_first_entry_that_is_not_finite_is_named():
    array = RNG.standard_normal((2, 3))
    require_finite(array, "W1", "")
    array[0, 2], array[1, 0] = -np.inf, np.nan
    with pytest.raises(DomainError) as caught:
        require_finite(array, "W1", "A parameter is a finite number.")
    assert str(caught.value) == (
        """\
W1[0,2] is -inf; 2 of 6 entries of W1 are not finite.
  A parameter is a finite number."""
    )


def test_an_entry_is_named_as_numpy_indexes_it():
    assert entry("W1", (0, 2)) == "W1[0,2]"
    assert entry("x", (np.int64(3),)) == "x[3]"
    assert entry("J", ()) == "J"
