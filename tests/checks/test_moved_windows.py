"""A window that reads wrong entries is named: shifted, reversed, in other steps, spread apart."""

import numpy as np
import pytest

from jacobian_bp import check_op, ops
from jacobian_bp.numbers.moved_entries import in_other_steps, shifted, spread_apart, turned_round
from jacobian_bp.numbers.moved_windows import read_by_other_windows

RNG = np.random.default_rng(43)
LINE = {"x": (3, 11), "K": (2, 3, 3), "b": (2,)}
IMAGE = {"x": (2, 7, 11), "K": (3, 2, 3, 2), "b": (3,)}


def arrays(shapes):
    return {name: RNG.standard_normal(shape) for name, shape in shapes.items()}


def by_x_of(right, other):
    """The op `right` with ∂y/∂x as the op `other` has it."""

    class Wrong(type(right)):
        def jacobians(self, x, K, b):
            return super().jacobians(x, K, b) | {"x": other.jacobians(x, K, b)["x"]}

    return Wrong(right.stride, right.padding, right.dilation, right.groups)


class KernelTurned(ops.Conv1d):
    """K[d,c,2−r] in place of K[d,c,r]."""

    def jacobians(self, x, K, b):
        return super().jacobians(x, K, b) | {"x": super().jacobians(x, K[..., ::-1], b)["x"]}


class GradientTurned(ops.Conv2d):
    """The gradient of the kernel, as it was read from right to left."""

    def vjp(self, y_bar, x, K, b):
        found = dict(super().vjp(y_bar, x, K, b))
        return found | {"K": found["K"][..., ::-1].copy()}


class SumFromTheOtherEnd(ops.Conv1d):
    def vjp(self, y_bar, x, K, b):
        found = dict(super().vjp(y_bar, x, K, b))
        return found | {"x": np.roll(found["x"], -2, axis=-1)}


CASES = {
    "another padding": (
        by_x_of(ops.Conv1d(padding=1), ops.Conv1d(padding=0)),
        LINE,
        "shifted by 1 along axis 3, as a padding smaller by 1 shifts it",
    ),
    "another padding of an image": (
        by_x_of(ops.Conv2d(padding=1), ops.Conv2d(padding=2)),
        IMAGE,
        "shifted by -1 along axes 4 and 5, as a padding larger by 1 shifts it",
    ),
    "another stride": (
        by_x_of(ops.Conv1d(stride=2), ops.Conv1d(stride=1)),
        LINE,
        "shifted by -1 along axis 3 for each step of axis 1, as a stride smaller by 1 shifts it",
    ),
    "another stride of an image": (
        by_x_of(ops.Conv2d(stride=1), ops.Conv2d(stride=2)),
        IMAGE,
        "shifted by 1 along axis 4 for each step of axis 1 and by 1 along axis 5 for each step "
        "of axis 2, as a stride larger by 1 shifts it",
    ),
    "another dilation": (
        by_x_of(ops.Conv1d(), ops.Conv1d(dilation=2)),
        LINE,
        "the entries of a window lie 2 apart along axis 3, not 1, "
        "as a dilation of 2 in place of 1 spreads them",
    ),
    "another dilation beside a stride and a padding": (
        by_x_of(ops.Conv1d(2, 1, 3), ops.Conv1d(2, 1, 2)),
        LINE,
        "the entries of a window lie 2 apart along axis 3, not 3, "
        "as a dilation of 2 in place of 3 spreads them",
    ),
    "another dilation of an image": (
        by_x_of(ops.Conv2d(dilation=2), ops.Conv2d(dilation=1)),
        IMAGE,
        "the entries of a window lie 1 apart along axes 4 and 5, not 2, "
        "as a dilation of 1 in place of 2 spreads them",
    ),
    "another dilation and padding, in groups": (
        by_x_of(ops.Conv1d(padding=1, groups=2), ops.Conv1d(dilation=2, groups=2)),
        {"x": (4, 11), "K": (6, 2, 3), "b": (6,)},
        "windows along axes 1 and 3 with a dilation of 2 in place of 1 and a padding smaller by 1",
    ),
    "the kernel turned round": (
        KernelTurned(),
        LINE,
        "reversed along axes 1 and 3: the right one, read from the other end",
    ),
    "the gradient of the kernel turned round": (
        GradientTurned(),
        IMAGE,
        "reversed along axis 6: the right one, read from the other end",
    ),
    "a vjp that writes two entries off": (
        SumFromTheOtherEnd(),
        LINE,
        "shifted by -2 along axis 3, as a padding larger by 2 shifts it",
    ),
}


def of_kernel(right, other):
    """The op `right` with ∂y/∂K as the op `other` has it."""

    class Wrong(type(right)):
        def jacobians(self, x, K, b):
            return super().jacobians(x, K, b) | {"K": other.jacobians(x, K, b)["K"]}

    return Wrong(right.stride, right.padding, right.dilation)


class TurnedAndDense(ops.Conv1d):
    """Read with stride 1, from the other end of the kernel."""

    def jacobians(self, x, K, b):
        return super().jacobians(x, K, b) | {"x": ops.Conv1d().jacobians(x, K[..., ::-1], b)["x"]}


CASES |= {
    "another padding and another stride": (
        by_x_of(ops.Conv1d(2, 1), ops.Conv1d(1, 0)),
        LINE,
        "windows along axes 1 and 3 with a stride of 1 in place of 2 and a padding smaller by 1",
    ),
    "another padding and another dilation": (
        by_x_of(ops.Conv1d(2, 1, 2), ops.Conv1d(2, 2, 1)),
        LINE,
        "windows along axes 1 and 3 with a dilation of 1 in place of 2 and a padding larger by 1",
    ),
    "another stride and the kernel turned": (
        TurnedAndDense(2),
        LINE,
        "windows along axes 1 and 3 with a stride of 1 in place of 2 "
        "and the kernel read from its other end",
    ),
    "another stride and another padding, by the kernel": (
        of_kernel(ops.Conv1d(2, 1), ops.Conv1d(1, 0)),
        LINE,
        "windows along axes 1 and 4 with a stride of 1 in place of 2 and a padding smaller by 1",
    ),
}


@pytest.mark.one_in(8)
@pytest.mark.parametrize("name", CASES)
def test_what_a_window_reads_wrongly_is_named(name):
    op, shapes, pattern = CASES[name]
    report = check_op(op, arrays(shapes))
    assert [finding.pattern for finding in report.findings] == [pattern]


def test_numbers_that_are_wrong_elsewhere_too_are_not_called_moved():
    x = RNG.standard_normal((5, 7))
    room = np.full_like(x, 1e-12)
    for wrong in (np.roll(x, 1, axis=1), np.flip(x, 0), np.triu(x)):
        spoilt = wrong.copy()
        spoilt[2:4, 2:5] += 1
        assert turned_round(spoilt, x, room) is None
        assert shifted(spoilt, x, room) is None
        assert in_other_steps(spoilt, x, room) is None
        assert spread_apart(spoilt, x, room) is None
        assert read_by_other_windows(spoilt, x, room) is None


def test_an_array_with_too_little_in_it_proves_no_shift():
    """One entry that is not 0 could have come from anywhere."""
    right, wrong = np.zeros(7), np.zeros(7)
    right[2] = wrong[3] = 1.5
    assert shifted(wrong, right, np.zeros(7)) is None
