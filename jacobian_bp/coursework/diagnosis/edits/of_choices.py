"""What the values have chosen, the largest entry of a window: not chosen, or chosen otherwise.

dx = δ                 all entries of the window are passed on
dx = δ · [x is least]  the least entry for the largest
dx = δ · y · chosen    the largest entry itself multiplied in
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .... import ops
from ....algebra.axes import BATCH
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import CHOICE, DELTA, Equation
from .edit import Edit, called
from .of_factors import jacobian

PICKS_ONE = (ops.Max, ops.Min, ops.MaxPool1d, ops.MaxPool2d)


def of_choices(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """All choices of a line at once, as an image has two for one window; then another choice."""
    chosen = [factor for factor in equation.factors() if factor.role == CHOICE]
    if len(chosen) > 1:
        left = equation
        for factor in chosen:
            left = left.without(factor)
        yield Edit("omit", left, together(chosen), jacobian(line))
    if chosen and len(line.step.args) == 1:
        yield from of_the_least(line, equation, facts, chosen)
        yield from of_the_size(line, equation, facts, chosen)
        yield from of_the_positive(line, equation, facts, chosen)
    if chosen:
        yield from of_the_first_example(equation, chosen)
    if chosen and isinstance(line.step.op, PICKS_ONE):
        yield from of_fixed_places(equation, chosen)
        yield from of_wider_rows(line, equation, facts, chosen)
    yield from times_its_value(line, equation, facts)


def together(chosen: list[Factor]) -> Factor:
    """All choices under one name."""
    return replace(chosen[0], name=" ".join(factor.name for factor in chosen))


def with_arrays(equation: Equation, chosen: list[Factor], arrays: list[np.ndarray]) -> Equation:
    """Other arrays in the places of the choices."""
    for factor, array in zip(chosen, arrays, strict=True):
        equation = equation.using(factor, replace(factor, array=array))
    return equation


def of_the_first_example(equation: Equation, chosen: list[Factor]) -> Iterator[Edit]:
    """What one example has chosen, for all."""
    if not all(factor.axes[0].rstrip("'") == BATCH for factor in chosen):
        return
    for place, which in ((0, "first"), (-1, "last")):
        arrays = [np.broadcast_to(f.array[place], f.array.shape) for f in chosen]
        note = f"the choice of the {which} example, for all"
        yield Edit("places", with_arrays(equation, chosen, arrays), together(chosen), note)


def of_fixed_places(equation: Equation, chosen: list[Factor]) -> Iterator[Edit]:
    """Always the first place, or the last; and an equal share for every place."""
    for place, which in ((0, "first"), (-1, "last")):
        arrays = []
        for factor in chosen:
            array = np.zeros(factor.array.shape)
            array[..., place] = 1
            arrays.append(array)
        note = f"the {which} place, whatever stands there,"
        yield Edit("places", with_arrays(equation, chosen, arrays), together(chosen), note)
    shares = [np.full(f.array.shape, 1 / f.array.shape[-1]) for f in chosen]
    wrong, size = (
        with_arrays(equation, chosen, shares),
        int(np.prod([f.array.shape[-1] for f in chosen])),
    )
    yield Edit("other", wrong, together(chosen), f"the share 1/{size} of a mean")


def of_wider_rows(
    line: Line, equation: Equation, facts: Facts, chosen: list[Factor]
) -> Iterator[Edit]:
    """The largest of another row: along another axis, along all, and by size without its sign."""
    x, left = facts.values[line.target], equation
    for factor in chosen:
        left = left.without(factor)
    if x.ndim != len(equation.out):
        return
    largest = isinstance(line.step.op, ops.Min) is False
    best = np.max if largest else np.min
    word = "largest" if largest else "least"
    ways: list[tuple[int, ...]] = [(place,) for place in range(x.ndim)]
    ways += [tuple(range(1, x.ndim)), tuple(range(x.ndim))] if x.ndim > 2 else [(0, 1)]
    for axes in dict.fromkeys(way for way in ways if way):
        there = x == best(x, axis=axes, keepdims=True)
        mask = Factor("mask", "the choice", there * 1.0, equation.out)
        over = " and ".join(called(equation.out[place], equation) for place in axes)
        note = f"[{line.target} is the {word} along {over}]"
        yield Edit("places", left.times(mask), together(chosen), note, extra=2)


def of_the_least(
    line: Line, equation: Equation, facts: Facts, chosen: list[Factor]
) -> Iterator[Edit]:
    """The choice that the op makes of −x: of the largest the least."""
    op, x = line.step.op, facts.values[line.target]
    (operand,) = op.differentiable() if len(op.differentiable()) == 1 else ("",)
    if not operand:
        return

    def gives(incoming: np.ndarray) -> np.ndarray:
        return np.asarray(op.vjp(np.array(incoming), -x)[operand])

    note = f"the choice that is made of −{line.target}"
    yield Edit("places", equation, together(chosen), note, gives=gives)


def of_the_size(
    line: Line, equation: Equation, facts: Facts, chosen: list[Factor]
) -> Iterator[Edit]:
    """The choice that the op makes of |x|."""
    op, x = line.step.op, facts.values[line.target]
    if len(op.differentiable()) == 1:
        (operand,) = op.differentiable()

        def gives(incoming: np.ndarray) -> np.ndarray:
            return np.asarray(op.vjp(np.array(incoming), abs(x))[operand])

        note = f"the choice that is made of |{line.target}|"
        yield Edit("places", equation, together(chosen), note, extra=1, gives=gives)


def of_the_positive(
    line: Line, equation: Equation, facts: Facts, chosen: list[Factor]
) -> Iterator[Edit]:
    """A rectifier's mask for the choice: what is above 0 gets all that comes in."""
    x = facts.values[line.target]
    left = equation
    for factor in chosen:
        left = left.without(factor)
    if x.ndim == len(equation.out):
        above = Factor("mask", "above 0", (x > 0) * 1.0, equation.out)
        yield Edit("places", left.times(above), together(chosen), f"[{line.target}>0]")


def of_one_place(line: Line, equation: Equation) -> Iterator[Edit]:
    """Along an axis that a sum or a mean takes away: one place alone gets what comes in."""
    if line.kind != "op" or len(equation.terms) != 1:
        return
    (term,) = equation.terms
    for axis in equation.out:
        if axis in term.axes or equation.sizes[axis] == 1:
            continue
        for place, which in ((0, "first"), (-1, "last")):
            only = np.zeros(equation.sizes[axis])
            only[place] = 1
            mask = Factor("mask", f"1[{axis}]", only, (axis,))
            note = f"the {which} place along {called(axis, equation)} alone"
            yield Edit("places", equation.times(mask), mask, note)


def times_its_value(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """What is made, or read, multiplied in, where the Jacobian has no value in it, only places."""
    incoming = next((f for f in equation.factors() if f.role == DELTA), None)
    plain = all(f.role not in ("value", "weight", "part", "jacobian") for f in equation.factors())
    if line.kind != "op" or incoming is None or not plain or len(equation.terms) != 1:
        return
    for name, axes in ((line.source, incoming.axes), (line.target, equation.out)):
        array = facts.values[name]
        if array.ndim == len(axes) and array.ndim:
            value = Factor("value", name, array, axes)
            yield Edit("extra", equation.times(value), value, jacobian(line), extra=2)
