"""How a wrong array comes out of the right one: a sign, a factor, axes exchanged, entries moved."""

from collections.abc import Sequence

import numpy as np

from ..numbers.moved_entries import in_other_steps, shifted, spread_apart, turned_round
from ..numbers.moved_windows import read_by_other_windows
from ..numbers.rounding import agree, scales
from ..numbers.wrong_arrays import exchanged_axes, factor_between, of_examples, times_right
from ..writing.signs import number

ONE_ENTRY = "one entry alone is off"
ALIKE = 1e3  # in units of rounding of the largest entry: a pattern is a hint, not a verdict


def describe_pattern(wrong: np.ndarray, right: np.ndarray, examples: int, unit: float) -> str:
    """How a wrong array comes out of the right one, where that can be said in a few words."""
    tolerance = ALIKE * unit * scales(np.fmax(np.abs(right), np.abs(wrong)), unit)
    if agree(wrong, -right, tolerance):
        return "every entry has the opposite sign"
    if not wrong.any():
        return "every entry is 0"
    held = np.abs(right) > tolerance
    if held.any() and not np.any(np.abs(wrong[~held]) > tolerance[~held]):
        factor = factor_between(wrong[held], right[held])
        if number(factor, 8) != "1" and agree(
            wrong, factor * right, tolerance * max(1.0, abs(factor))
        ):
            return times_right(number(factor, 8)) + _examples_hint(factor, examples)
    if agree(wrong, right, tolerance):
        return ""  # off by less than a pattern is looked for
    exchanged = exchanged_axes(wrong, right, tolerance)
    if exchanged:
        return f"axes {exchanged[0]} and {exchanged[1]} are exchanged: a factor is transposed"
    moved = _moved(wrong, right, tolerance)
    if moved:
        return moved
    different = np.abs(wrong - right) > tolerance
    if int(different.sum()) == 1:
        return ONE_ENTRY
    return ""


def _moved(wrong: np.ndarray, right: np.ndarray, tolerance: np.ndarray) -> str:
    """The right numbers in other places, as a window that lies elsewhere leaves them."""
    reversed_axes = turned_round(wrong, right, tolerance)
    if reversed_axes:
        return f"reversed along {_axes(reversed_axes)}: the right one, read from the other end"
    shift = shifted(wrong, right, tolerance)
    if shift:
        (by,) = set(shift.values())
        padding = f"as a padding {'smaller' if by > 0 else 'larger'} by {abs(by)} shifts it"
        return f"shifted by {by} along {_axes([*shift])}, {padding}"
    steps = in_other_steps(wrong, right, tolerance)
    if steps:
        by, pairs = steps
        each = " and ".join(f"by {by} along axis {i} for each step of axis {o}" for o, i in pairs)
        stride = f"as a stride {'larger' if by > 0 else 'smaller'} by {abs(by)} shifts it"
        return f"shifted {each}, {stride}"
    spread = spread_apart(wrong, right, tolerance)
    if spread:
        by, apart, axes = spread
        dilation = f"as a dilation of {by} in place of {apart} spreads them"
        return (
            f"the entries of a window lie {by} apart along {_axes(axes)}, not {apart}, {dilation}"
        )
    otherwise = read_by_other_windows(wrong, right, tolerance)
    return f"windows along {_axes(otherwise.axes)} with {otherwise}" if otherwise else ""


def _axes(axes: Sequence[int]) -> str:
    """axis 2; axes 1 and 4"""
    if len(axes) == 1:
        return f"axis {axes[0]}"
    return f"axes {', '.join(map(str, axes[:-1]))} and {axes[-1]}"


def _examples_hint(factor: float, examples: int) -> str:
    return {
        "1/m": f", 1/{examples}: the mean over {examples} examples was taken once too often",
        "m": f": the mean over {examples} examples, 1/{examples}, is missing",
        "": "",
    }[of_examples(factor, examples)]
