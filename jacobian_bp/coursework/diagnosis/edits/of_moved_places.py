"""Windows and look-ups that read other places: stride, dilation, padding or start forgotten.

    y[o] = Σ_r K[r] x[2o+r−1]      δ[i',2o+r]   the padding forgotten
                                   δ[i',o+r−1]  the stride forgotten
                                   δ[i',2o+r]   and δ[i',2o+r−2], one place beside it

What is read beyond the end is nothing. Windows that lie along several axes, as in an image, are
changed together and one by one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..passes.backward import Factor, Line
from ..passes.equation import POSITION, Equation
from .edit import Edit, along
from .of_factors import jacobian
from .of_terms import coefficient

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


def moved(line: Line, equation: Equation) -> Iterator[Edit]:
    """Every window of the line read with one of its numbers forgotten, or one place beside it."""
    windows = {f: reading for f in equation.factors() if (reading := reading_of(f))}
    for place in range(min((len(r.steps) for r in windows.values()), default=0)):
        yield from together(equation, windows, lambda r, f, p=place: without_step(r, p))
    yield from together(equation, windows, lambda r, f: replace(r, start=0))
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


def without_step(reading: Reading, place: int) -> Reading:
    """The stride, or the dilation, forgotten: 1 in its place."""
    step = reading.steps[place]
    plain = step // abs(step)
    steps = (*reading.steps[:place], plain, *reading.steps[place + 1 :])
    return replace(reading, steps=steps)


def one_behind_another(reading: Reading, factor: Factor) -> Reading:
    """Windows that overlap, or leave a gap, taken for such as stand one behind another."""
    if len(reading.steps) != 2:
        return reading
    return replace(reading, steps=(factor.array.shape[1], reading.steps[1]))


def together(equation: Equation, windows: dict[Factor, Reading], change) -> Iterator[Edit]:
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
        yield Edit("places", wrong, whole, " ".join(notes), extra=len(windows) - len(chosen))


def one_tap(equation: Equation, windows: list[Factor]) -> Iterator[Edit]:
    """The first tap of every window alone, or the last: one entry for the sum over all."""
    taps = [f.axes[1] for f in windows if len(f.axes) > 2]
    summed = [a for a in taps if all(a in equation.summed(term) for term in equation.terms)]
    if not summed or len(summed) < len(taps):
        return
    for place, said in ((0, "first"), (-1, "last")):
        wrong = equation
        for axis in summed:
            only = np.zeros(equation.sizes[axis])
            only[place] = 1
            wrong = wrong.times(Factor("mask", "the one that is kept", only, (axis,)))
        note = f"the {said} place along {along(tuple(summed), equation)} alone is taken for all"
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
                note = f"the difference of neighbours, [{match[1]}={match[2]}] − "
                note += f"[{match[1]}={match[2]}{sign}1],"
                wrong = equation.using(factor, replace(factor, array=array))
                yield Edit("places", wrong, factor, note)
