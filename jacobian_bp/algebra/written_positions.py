"""Positions as one writes them: at("i = 2o + r - 1"), within("u <= t")."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import AxisError
from ..numbers.arrays import raw_array, read_only
from ..writing.signs import dims, plural
from .axes import BATCH, Axis, parse_axes, unnamed
from .expression import Expression, Term, read_label
from .positions.affine_and_table import Affine, Position, Table
from .positions.position_factors import At, Within

_NAME = r"[^\W\d]\w*'*"
_PART = re.compile(rf"\s*([+−-]?)\s*(?:([0-9]+)\s*[*·]?\s*)?({_NAME})\s*|\s*([+−-]?)\s*([0-9]+)\s*")
_SIDES = re.compile(r"<=|≤")
MOST_DIGITS = 12  # of a coefficient: positions stay far below what 64 bits hold
_EXAMPLES = "a sum of whole multiples of axes, such as 2o + r - 1"


def at(
    equation: str,
    table: Any = None,
    *,
    here: bool = False,
    sizes: Mapping[str, int] | None = None,
) -> Expression:
    """The delta between an axis and a position: 1 where the equation holds.

        at("i' = 2o + r - 1")        δ[i',2o+r−1]    a window of stride 2, padded by 1
        at("v' = u[t]", u)           δ[v',u[t]]      row u[t], a look-up of whole numbers
        at("r = a[c,o]", a, here=True)               the place that the values have chosen

    δ[i,f] stands where entry i is read at f only. Where f is no position of the axis, the
    factor is 0: padding. With `here`, other values would have chosen another place, so that
    the zeros are those of this input. An axis of the position that no array has, and that is
    neither the output's nor the variable's, is summed: `sizes` says how long it is.
    A table with one axis more than its label was computed from a batch. Raises AxisError
    where the equation cannot be read or the table holds other than whole numbers, DomainError
    where it holds no numbers.

    >>> print(at("i' = 2o + r - 1"))
    δ[i',2o+r−1]
    >>> print(at("v' = u[t]", np.array([4, 0, 4])))
    δ[v',u[t]]
    """
    position: Position
    if table is None:
        axis, position = _read_equation(equation)
    else:
        axis, label = _two_sides(equation, "'v = u[t]'")
        position = _read_table(label, table, f"at({equation!r})")
    term = Term((At(axis, position, here),), sums=_read_sizes(sizes, position, f"at({equation!r})"))
    return Expression((term,))


def within(
    text: str,
    low: int | None = None,
    high: int | None = None,
    *,
    table: Any = None,
    sizes: Mapping[str, int] | None = None,
) -> Expression:
    """A range as a factor: 1 where the position lies in it, else a structural zero.

        within("u <= t")                  [u≤t]             what is not later
        within("0 <= o + r - 1 <= 4")     [0≤o+r−1≤4]       what is no padding
        within("t - u"), within("o + r - 1", 0, 4)          the same in other words
        within("m[k]", table=m)           m[k]              a given mask, 0 or 1
        within("u[t]", 0, 4, table=u)     [0≤u[t]≤4]        looked-up positions in a range

    It stands where entries are zero for every input: the causal half of attention, say.
    A position without bounds is one that is at least 0. Raises AxisError where the text
    cannot be read, DomainError where a table holds no numbers.

    >>> print(within("u <= t"), within("t - u"), within("o + r - 1", 0, 4))
    [u≤t] [u≤t] [0≤o+r−1≤4]
    """
    who = f"within({text!r})"
    if table is not None:
        position = _read_table(text, table, who)
        if low is None and high is None:
            _require_mask(position.array, who)
            low = 1
        factor = Within(position, _whole(low, who), _whole(high, who))
    elif low is None and high is None:
        factor = _read_range(text)
    else:
        factor = Within(_read_affine(text, who), _whole(low, who), _whole(high, who))
    term = Term((factor,), sums=_read_sizes(sizes, factor.position, who))
    return Expression((term,))


@lru_cache(maxsize=256)
def _read_equation(equation: str) -> tuple[str, Affine]:
    axis, right = _two_sides(equation, "'i = 2o + r - 1'")
    if "[" in right:
        raise AxisError(
            f"at({equation!r}): {right!r} is a look-up, and no table is given.\n"
            f"  Pass its whole numbers too: at({equation!r}, table)."
        )
    return axis, _read_affine(right, f"at({equation!r})")


@lru_cache(maxsize=256)
def _read_range(text: str) -> Within:
    """u <= t, 0 <= o + r - 1 <= 4, or a position that is at least 0."""
    who = f"within({text!r})"
    if re.search(r"[<>=≥]", _SIDES.sub("", text)):
        raise AxisError(
            f"{who}: a range is written with <= only.\n"
            "  Write 'u <= t' for t >= u, 'u <= t - 1' for u < t, and at('i = t') for i = t."
        )
    sides = [_read_affine(side, who) for side in _SIDES.split(text)]
    if len(sides) == 1:
        return Within(sides[0], 0)
    if len(sides) == 2:
        return Within(sides[1].plus(sides[0], -1), 0)
    if len(sides) == 3 and not sides[0].parts and not sides[2].parts:
        return Within(sides[1], sides[0].offset, sides[2].offset)
    raise AxisError(
        f"{who}: only a position between two whole numbers has two bounds.\n"
        "  Write '0 <= o + r - 1 <= 4', or two ranges: within('a <= b') * within('b <= c')."
    )


def _two_sides(equation: str, example: str) -> tuple[str, str]:
    left, sign, right = equation.partition("=")
    names = parse_axes(left, f"at({equation!r})") if sign else ()
    if len(names) != 1 or "=" in right:
        raise AxisError(
            f"at({equation!r}) is no equation of one axis and a position.\n  Write at({example})."
        )
    return names[0], right.strip()


def _read_affine(text: str, who: str) -> Affine:
    """2o + r - 1, o*2 not being a way to write it."""
    found, place = Affine(), 0
    while place < len(text) or not text.strip():
        match = _PART.match(text, place)
        sign = match[1] or match[4] if match else ""
        if not match or (place and not sign):
            rest = text[place:].strip() or text
            raise AxisError(
                f"{who}: {text.strip()!r} cannot be read at {rest!r}.\n  A position is {_EXAMPLES}."
            )
        digits, axis = match[2] or match[5], match[3]
        if len(digits or "") > MOST_DIGITS:
            raise AxisError(
                f"{who}: {digits} is too large for a position.\n"
                f"  Write a number of at most {MOST_DIGITS} digits."
            )
        times = int(digits or 1) * (-1 if sign in ("-", "−") else 1)
        found = found.plus(Affine(((axis, 1),)) if axis else Affine((), 1), times)
        place = match.end()
    return found


def _read_table(label: str, table: Any, who: str) -> Table:
    """A look-up: its name, its axes, and a copy of its whole numbers."""
    head, axes = read_label(label, "at")
    array = raw_array(table, head)
    whole = _are_whole(array)
    if not whole.all():
        place = tuple(int(i) for i in np.argwhere(~whole)[0])
        raise AxisError(
            f"{who}: the table holds {array[place]} at {list(place)}.\n"
            f"  A position is a whole number of at most {MOST_DIGITS} digits."
        )
    if array.ndim > len(axes) and BATCH not in axes:
        axes = (*unnamed(array.ndim - len(axes)), *axes)
    if array.ndim != len(axes) or len({*axes}) < len(axes):
        raise AxisError(
            f"{who}: {label} has {plural(len(axes), 'axis', 'axes')}, "
            f"the table has shape {dims(array.shape)}.\n"
            "  Name every axis of the table once; axes in front, of a batch, need no name."
        )
    return Table(head, axes, read_only(np.array(array, np.int64)))


def _require_mask(array: np.ndarray, who: str) -> None:
    if not np.isin(array, (0, 1)).all():
        place = tuple(int(i) for i in np.argwhere(~np.isin(array, (0, 1)))[0])
        raise AxisError(
            f"{who}: the mask holds {array[place]} at {list(place)}.\n"
            "  A mask holds 1 where an entry may stand, and 0 where none does."
        )


def _are_whole(array: np.ndarray) -> np.ndarray:
    size = np.abs(array.astype(np.float64))
    return (size < 10.0**MOST_DIGITS) & (array == np.floor(array))


def _read_sizes(sizes: Mapping[str, int] | None, position: Position, who: str) -> tuple[Axis, ...]:
    for axis, size in (sizes or {}).items():
        if axis not in position.axes:
            raise AxisError(
                f"{who}: sizes has the axis {axis}, which the position has not.\n"
                f"  The position reads {', '.join(position.axes) or 'no axis'}."
            )
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
            raise AxisError(
                f"{who}: axis {axis} has size {size}.\n"
                "  A size is a whole number that is not negative."
            )
    return tuple(Axis(axis, int(size)) for axis, size in (sizes or {}).items())


def _whole(bound: int | None, who: str) -> int | None:
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, int | np.integer):
        raise AxisError(f"{who}: the bound {bound!r} is no whole number.\n  Write such as 0.")
    return int(bound)
