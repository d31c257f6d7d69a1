"""A long array is printed whole: what is read back from its lines is the array."""

import re

import numpy as np
import pytest
from printed_arrays import read_back

from jacobian_bp.writing.long_arrays import MOST_NUMBERS, long_block

RNG = np.random.default_rng(20261129)
SHAPES = [(1,), (13,), (67,), (1, 61), (7, 61), (61, 7), (19, 19), (3, 5, 7), (11, 13, 5)]
SHAPES += [(5, 7, 61), (3, 2, 5, 7)]
ROOMS = [32, 52, 72, 91, 180]


def drawn(shape):
    """Numbers of many sizes, all at places that a random rule allows."""
    value = RNG.standard_normal(shape) * 10.0 ** RNG.integers(-7, 7, shape)
    mask = RNG.random(shape) < RNG.choice([0.1, 0.6, 1.0])
    return np.where(mask, value, 0.0), mask


@pytest.mark.one_in(5)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("room", ROOMS)
def test_every_number_stands_at_its_place(shape, room):
    for _ in range(5):
        value, mask = drawn(shape)
        lines = long_block(value, mask, room, float("inf"))
        assert max(map(len, lines)) <= room
        np.testing.assert_allclose(read_back(lines, shape), value, rtol=5.1e-3, atol=0)


def test_a_number_that_moved_would_be_seen():
    value, mask = drawn((7, 61))
    mask[:] = True
    value[3, 5] = 1.25
    lines = long_block(np.roll(value, 1, axis=1), mask, 72)
    assert not np.allclose(read_back(lines, value.shape), value, rtol=5.1e-3, atol=0)


@pytest.mark.parametrize("size", [37, 61])
def test_a_diagonal_is_one_row(size):
    value = np.diag(RNG.standard_normal(size))
    lines = long_block(value, np.eye(size, dtype=bool), 91)
    assert lines[0] == "its diagonal, from entry [0,0] on; every entry beside it is '.'"
    assert len(lines) < 10
    np.testing.assert_allclose(read_back(lines, value.shape), value, rtol=5.1e-3)


def test_a_zero_on_the_diagonal_is_no_other_zero():
    value = np.diag(RNG.standard_normal(23))
    value[5, 5] = 0
    assert " 0" in long_block(value, np.eye(23, dtype=bool), 60)[1]


def test_the_columns_of_folded_rows_stand_under_each_other():
    lines = long_block(RNG.standard_normal((3, 61)), None, 72)
    ends = [
        {found.end() for found in re.finditer(r"\S+", line)} - {len("[0,0:]")} for line in lines
    ]
    longest = max(ends, key=len)
    assert len(longest) >= 4
    assert all(places - {len("[0,00:]")} <= longest for places in ends)


def test_an_array_in_which_nothing_can_be_a_number_is_told():
    nothing = np.zeros((41, 3))
    assert long_block(nothing, nothing > 0, 60) == ["every entry is '.'"]


def test_rows_without_a_number_are_left_out_of_many_and_kept_in_few():
    few, many = np.zeros((3, 3, 2)), np.zeros((11, 11, 2))
    for value in (few, many):
        value[range(len(value)), range(len(value))] = [1.5, -2.5]
    assert len(long_block(few, few != 0, 60)) == 9
    lines = long_block(many, many != 0, 60)
    assert lines == [f"[{k},{k},:]{' ' * (2 if k > 9 else 4)}1.5  -2.5" for k in range(11)]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("shape", [(7, 7, 61), (23, 23, 5), (3, 7, 7, 11)], ids=str)
def test_rows_that_are_the_same_are_told_in_words_and_read_back(shape, room):
    value = np.zeros(shape)
    diagonal = range(shape[-2])
    value[..., diagonal, diagonal, :] = RNG.standard_normal((*shape[:-3], 1, shape[-1]))
    lines = long_block(value, value != 0, room)
    assert max(map(len, lines)) <= room
    assert [line for line in lines if "the same as" in " ".join(lines)]
    np.testing.assert_allclose(read_back(lines, shape), value, rtol=5.1e-3, atol=0)
    whole = long_block(value, value != 0, room, float("inf"), whole=True)
    assert "the same as" not in " ".join(whole)
    assert len(whole) > len(lines)


def test_rows_that_differ_in_the_last_bit_or_in_a_possible_zero_are_not_the_same():
    value = np.tile(RNG.standard_normal(61), (3, 1))
    value[1, 7] = np.nextafter(value[1, 7], 9)
    mask = np.ones(value.shape, bool)
    value[:, 11], mask[2, 11] = 0, False
    assert "the same" not in " ".join(long_block(value, mask, 91))
    value[2], mask[2] = value[0], mask[0]
    assert long_block(value, mask, 91)[-1 - len(long_block(value[1], None, 91))].startswith("[2,:]")


def test_more_numbers_than_a_page_holds_are_told_unless_all_are_asked_for():
    value = np.linspace(-1, 2, MOST_NUMBERS + 1)
    assert long_block(value, None, 91) == [f"[{value.size} entries, from -1 to 2]"]
    whole = long_block(value, None, 91, float("inf"))
    np.testing.assert_allclose(read_back(whole, value.shape), value, rtol=5.1e-3)
    assert long_block(np.zeros((0, 3)), None, 91) == ["[no entries]"]


def test_the_array_is_as_it_was():
    value, mask = drawn((5, 7, 61))
    before = value.tobytes(), mask.tobytes()
    assert long_block(value, mask, 60) == long_block(value, mask, 60)
    assert (value.tobytes(), mask.tobytes()) == before
