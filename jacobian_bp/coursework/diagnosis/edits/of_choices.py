"""What the values have chosen, the largest entry of a window: not chosen, or chosen otherwise.

dx = δ                 all entries of the window are passed on
dx = δ · [x is least]  the least entry for the largest
dx = δ · y · chosen    the largest entry itself multiplied in
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import CHOICE, DELTA, Equation
from .edit import Edit
from .of_factors import jacobian


def of_choices(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """All choices of a line at once, as an image has two for one window; then another choice."""
    chosen = [factor for factor in equation.factors() if factor.role == CHOICE]
    if len(chosen) > 1:
        left = equation
        for factor in chosen:
            left = left.without(factor)
        whole = replace(chosen[0], name=" ".join(factor.name for factor in chosen))
        yield Edit("omit", left, whole, jacobian(line))
    if chosen and len(line.step.args) == 1:
        yield from of_the_least(line, equation, facts, chosen)
        yield from of_the_positive(line, equation, facts, chosen)
    yield from times_its_value(line, equation, facts)


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

    whole = replace(chosen[0], name=" ".join(factor.name for factor in chosen))
    yield Edit("places", equation, whole, f"the choice that is made of −{line.target}", gives=gives)


def of_the_positive(
    line: Line, equation: Equation, facts: Facts, chosen: list[Factor]
) -> Iterator[Edit]:
    """A rectifier's mask for the choice: what is above 0 gets all that comes in."""
    x = facts.values[line.target]
    whole = replace(chosen[0], name=" ".join(factor.name for factor in chosen))
    left = equation
    for factor in chosen:
        left = left.without(factor)
    if x.ndim == len(equation.out):
        above = Factor("mask", "above 0", (x > 0) * 1.0, equation.out)
        yield Edit("places", left.times(above), whole, f"[{line.target}>0]")


def times_its_value(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The value itself multiplied in, where the Jacobian has no value in it, only places."""
    incoming = next((f for f in equation.factors() if f.role == DELTA), None)
    plain = all(f.role not in ("value", "weight", "part", "jacobian") for f in equation.factors())
    if line.kind != "op" or incoming is None or not plain or len(equation.terms) != 1:
        return
    y = facts.values[line.source]
    if y.ndim == len(incoming.axes) and y.ndim:
        value = Factor("value", line.source, y, incoming.axes)
        yield Edit("extra", equation.times(value), value, jacobian(line), extra=2)
