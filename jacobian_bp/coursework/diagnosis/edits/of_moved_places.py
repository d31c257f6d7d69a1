"""Windows and look-ups that read other places: stride, dilation, padding or start forgotten.

    y[o] = Σ_r K[r] x[2o+r−1]      δ[i',2o+r]   the padding forgotten
                                   δ[i',o+r−1]  the stride forgotten
                                   δ[i',2o+r]   and δ[i',2o+r−2], one place beside it

What is read beyond the end is nothing. Windows that lie along several axes, as in an image, are
changed together and one by one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np

from ..passes.backward import Factor, Line
from ..passes.equation import POSITION, Equation
from .edit import Edit, along, called
from .of_factors import jacobian
from .of_terms import coefficient

MOST_TAPS = 6  # of a window, each of which is tried alone
WHOLE = 1e-9  # of a number: by how much it may miss 1

DELTA_AT = re.compile(r"δ\[([^,\[\]]+),(.+)\]")  # δ[i',2o+r−1]: the axis, and where it is read
SUMMAND = re.compile(r"([+−]?)(\d*)([a-z]\w*'*)?")
WITHIN = re.compile(r"\[([^≤\]]+)≤([^≤\]]+)\]")  # [i'≤o]


@dataclass(frozen=True)
class Reading:
    """δ[axis, Σ steps · index + start]."""

    axis: str
    steps: tuple[int, ...]  # one for each index
    start: int

    def written(self, names: tuple[str, ...]) -> str:
        """δ[i',2o+r−1]"""
        text = ""
        for step, name in zip(self.steps, names, strict=True):
            sign = "−" if step < 0 else "+" if text else ""
            text += f"{sign}{'' if abs(step) == 1 else abs(step)}{name}"
        if self.start:
            text += f"{'−' if self.start < 0 else '+'}{abs(self.start)}"
        return f"δ[{self.axis},{text}]"

    def array(self, sizes: tuple[int, ...], length: int) -> np.ndarray:
        """Ones where an index reads a place, the axis that is read last; none beyond its end."""
        at = np.full(sizes, self.start)
        for step, index in zip(self.steps, np.indices(sizes), strict=True):
            at = at + step * index
        return (at[..., None] == np.arange(length)).astype(float)


Change = Callable[[Reading, Factor], Reading]


def moved(line: Line, equation: Equation) -> Iterator[Edit]:
    """Every window of the line read with one of its numbers forgotten, or one place beside it."""
    windows = {f: reading for f in equation.factors() if (reading := reading_of(f))}
    fewest = min((len(reading.steps) for reading in windows.values()), default=0)
    forgotten: list[Change] = [partial(without_step, place) for place in range(fewest)]
    forgotten.append(lambda r, f: replace(r, start=0))
    for change in forgotten:
        yield from together(equation, windows, change)
    yield from together(equation, windows, one_after_another, 3)
    yield from together(equation, windows, side_by_side, 2)
    for two in combinations(forgotten, 2):
        if all(change(r, f) != r for f, r in windows.items() for change in two):
            yield from together(equation, windows, partial(both, two), 3)
    yield from together(equation, windows, lambda r, f: replace(r, start=r.start + 1))
    yield from together(equation, windows, lambda r, f: replace(r, start=r.start - 1))
    yield from together(equation, windows, one_behind_another)
    yield from one_tap(equation, [*windows])
    yield from without_the_padding(equation, [*windows])
    yield from beside(equation)
    yield from of_ranges(line, equation)


def reading_of(factor: Factor) -> Reading | None:
    """The numbers of a window, read from its name; None where the values or a table choose."""
    match = DELTA_AT.fullmatch(factor.name) if factor.role == POSITION else None
    if match is None or "[" in match[2]:
        return None
    steps, start = dict.fromkeys(bare(axis) for axis in factor.axes[:-1]), 0
    for sign, number, name in SUMMAND.findall(match[2]):
        value = (-1 if sign == "−" else 1) * int(number or 1)
        if name and bare(name) in steps:
            steps[bare(name)] = value
        elif number:
            start = value
    if None in steps.values() or len(steps) < factor.array.ndim - 1:
        return None
    found = Reading(match[1], tuple(step for step in steps.values() if step), start)
    if len(found.steps) < len(steps):
        return None
    same = np.array_equal(
        found.array(factor.array.shape[:-1], factor.array.shape[-1]), factor.array
    )
    return found if same else None


def bare(axis: str) -> str:
    return axis.rstrip("'")


def both(two: tuple[Change, Change], reading: Reading, factor: Factor) -> Reading:
    """One change behind another."""
    first, second = two
    return second(first(reading, factor), factor)


def without_step(place: int, reading: Reading, factor: Factor) -> Reading:
    """The stride, or the dilation, forgotten: 1 in its place."""
    del factor
    step = reading.steps[place]
    plain = step // abs(step)
    steps = (*reading.steps[:place], plain, *reading.steps[place + 1 :])
    return replace(reading, steps=steps)


def one_after_another(reading: Reading, factor: Factor) -> Reading:
    """Every place as it comes: stride 1, forwards, from the start."""
    del factor
    return replace(reading, steps=(1,) * len(reading.steps), start=0)


def side_by_side(reading: Reading, factor: Factor) -> Reading:
    """All first taps before all second ones, as np.tile repeats: δ[i',o+5r] for δ[i',2o+r]."""
    if len(reading.steps) != 2:
        return reading
    return replace(reading, steps=(1, factor.array.shape[0]))


def one_behind_another(reading: Reading, factor: Factor) -> Reading:
    """Windows that overlap, or leave a gap, taken for such as stand one behind another."""
    if len(reading.steps) != 2:
        return reading
    return replace(reading, steps=(factor.array.shape[1], reading.steps[1]))


def together(
    equation: Equation, windows: dict[Factor, Reading], change: Change, extra: int = 0
) -> Iterator[Edit]:
    """A change of all windows that it changes; then of each by itself."""
    new = {f: change(reading, f) for f, reading in windows.items()}
    changed = [f for f, reading in new.items() if reading != windows[f]]
    for chosen in (changed, *([f] for f in changed if len(changed) > 1)):
        if not chosen:
            continue
        wrong, notes = equation, []
        for f in chosen:
            names = tuple(axis for axis in f.axes[:-1])
            shown = new[f].written(names)
            array = new[f].array(f.array.shape[:-1], f.array.shape[-1])
            wrong = wrong.using(f, replace(f, name=shown, array=array))
            notes.append(shown)
        whole = replace(chosen[0], name=" ".join(f.name for f in chosen))
        unlikely = extra + len(windows) - len(chosen)
        yield Edit("places", wrong, whole, " ".join(notes), extra=unlikely)


def one_tap(equation: Equation, windows: list[Factor]) -> Iterator[Edit]:
    """One tap of every window alone, such as the first: one entry for the sum over all."""
    taps = [f.axes[1] for f in windows if len(f.axes) > 2]
    summed = [a for a in taps if all(a in equation.summed(term) for term in equation.terms)]
    if not summed or len(summed) < len(taps):
        return
    places = {0: "first", -1: "last"}
    shortest = min(equation.sizes[axis] for axis in summed)
    places |= {place: f"[{place}]" for place in range(1, min(shortest, MOST_TAPS) - 1)}
    for place, said in places.items():
        wrong = equation
        for axis in summed:
            only = np.zeros(equation.sizes[axis])
            only[place] = 1
            wrong = wrong.times(Factor("mask", "the one that is kept", only, (axis,)))
        which = f"the {said} place" if place in (0, -1) else f"place {place}, counted from 0,"
        note = f"{which} along {along(tuple(summed), equation)} alone is taken for all"
        yield Edit("sum", wrong, windows[0], note)


def without_the_padding(equation: Equation, windows: list[Factor]) -> Iterator[Edit]:
    """A mean over the entries of a window that there are, where the padding counts too."""
    if len(equation.terms) != 1 or not windows:
        return
    share = abs(equation.terms[0].coefficient)
    taps = [f.axes[1] for f in windows if len(f.axes) == 3]
    if len(taps) < len(windows) or abs(share * _product(equation, taps) - 1) > WHOLE:
        return
    wrong = equation
    for window, tap in zip(windows, taps, strict=True):
        there = window.array.sum((1, 2))
        if np.any(there == 0):
            return
        rest = Factor("part", "the share", equation.sizes[tap] / there, window.axes[:1])
        wrong = wrong.times(rest)
    number = Factor("part", coefficient(share), np.zeros(()))
    note = "1 over the number of entries in a window, the padding left aside"
    yield Edit("other", wrong, number, note)


def _product(equation: Equation, axes: list[str]) -> int:
    return int(np.prod([equation.sizes[axis] for axis in axes]))


def beside(equation: Equation) -> Iterator[Edit]:
    """A look-up that reads the row after, or the row before: counted from 1 for from 0."""
    for factor in equation.factors():
        match = DELTA_AT.fullmatch(factor.name) if factor.role == POSITION else None
        if match is not None and match[2].endswith("]") and not match[2].startswith("channel"):
            for step, sign in ((1, "+1"), (-1, "−1")):
                array = np.roll(factor.array, step, axis=-1)
                note = f"δ[{match[1]},{match[2]}{sign}]"
                wrong = equation.using(factor, replace(factor, name=note, array=array))
                yield Edit("places", wrong, factor, note, extra=4)
            for place, axis in enumerate(factor.axes[:-1]):
                for step, which in ((-1, "next"), (1, "previous")):
                    array = np.roll(factor.array, step, axis=place)
                    where = called(axis, equation).replace("the examples", "example")
                    note = f"that of the {which} {where}"
                    wrong = equation.using(factor, replace(factor, name=note, array=array))
                    yield Edit("places", wrong, factor, note, extra=5)


def of_ranges(line: Line, equation: Equation) -> Iterator[Edit]:
    """[i'≤o] left out, so that all is added up; and [i'<o], without the entry itself."""
    for factor in equation.factors():
        match = WITHIN.fullmatch(factor.name) if factor.role == POSITION else None
        if match is None or factor.array.ndim != 2:
            continue
        everything = replace(factor, name="1", array=np.ones(factor.array.shape))
        yield Edit("omit", equation.using(factor, everything), factor, jacobian(line))
        if factor.array.shape[0] == factor.array.shape[1]:
            strict = replace(factor, array=factor.array * (1 - np.eye(len(factor.array))))
            note = f"[{match[1]}<{match[2]}]"
            yield Edit("places", equation.using(factor, strict), factor, note)
            size = len(factor.array)
            for step, sign in ((1, "+"), (-1, "−")):
                array = np.eye(size) - np.eye(size, k=-step)  # rows by the first name
                if factor.axes[0] != match[1]:
                    array = array.T
                said = f"[{match[1]}={match[2]}] − [{match[1]}={match[2]}{sign}1],"
                wrong = equation.using(factor, replace(factor, array=array))
                yield Edit("places", wrong, factor, f"the difference of neighbours, {said}")
                ring = np.eye(size) - np.roll(np.eye(size), -step, axis=0)
                ring = ring if factor.axes[0] == match[1] else ring.T
                wrong = equation.using(factor, replace(factor, array=ring))
                note = "the difference of neighbours in a ring, the first behind the last,"
                yield Edit("places", wrong, factor, f"{note} {said}", extra=1)
        yield from along_another_axis(equation, factor)


def along_another_axis(equation: Equation, factor: Factor) -> Iterator[Edit]:
    """A running sum along another axis than the one that is read."""
    first, second = factor.axes
    target, made = (first, second) if first in equation.out else (second, first)
    for axis in equation.out:
        size = equation.sizes[axis]
        if axis == target or size < 2 or equation.sizes[target] != equation.sizes[made]:
            continue
        lower = np.tril(np.ones((size, size)))
        for array, which in ((lower, "after"), (lower.T, "before")):
            other = f"{axis} read"
            ways = {made: target, axis: other}
            terms = tuple(
                replace(
                    term,
                    factors=tuple(
                        Factor(POSITION, "range", array, (axis, other))
                        if f is factor
                        else replace(f, axes=tuple(ways.get(a, a) for a in f.axes))
                        for f in term.factors
                    ),
                )
                for term in equation.terms
            )
            sizes = {**equation.sizes, other: size}
            name = called(axis, equation)
            note = f"a sum over what is not {which} along {name}"
            wrong = replace(equation, terms=terms, sizes=sizes)
            yield Edit("places", wrong, factor, note, extra=2)
