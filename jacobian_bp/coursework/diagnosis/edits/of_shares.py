"""Masks, shares and tables: 1 − m for m, equal shares, a row of a table that is held at 0.

1 − m, m[0] for every example     for the mask m of a dropout
1/K, softmax along another axis   for shares that add up to 1
dE with dE[0] = 0                 for dE
"""

from collections.abc import Iterator

import numpy as np

from .... import ops
from ....algebra.axes import BATCH
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import Equation
from .edit import Edit, along
from .of_factors import jacobian, with_array


def complemented(equation: Equation) -> Iterator[Edit]:
    """1 − m for a mask m of zeros and ones."""
    for factor in equation.factors():
        array = factor.array
        if factor.role == "value" and bool(((array == 0) | (array == 1)).all()) and array.any():
            name = f"1 − {factor.name}"
            yield Edit("other", with_array(equation, factor, name, 1 - array), factor, name)


def of_one_example(equation: Equation) -> Iterator[Edit]:
    """The mask that the first example has, or the last, for all."""
    for factor in equation.factors():
        array = factor.array
        a_mask = factor.role == "value" and bool(((array == 0) | (array == 1)).all())
        if a_mask and array.ndim > 1 and factor.axes[0].rstrip("'") == BATCH:
            for place, which in ((0, "first"), (-1, "last")):
                note = f"that of the {which} example, for all"
                one = np.broadcast_to(array[place], array.shape)
                yield Edit("other", with_array(equation, factor, note, one), factor, note)


def of_shares(equation: Equation, facts: Facts) -> Iterator[Edit]:
    """For shares that add up to 1: equal ones, and those along another axis."""
    for factor in equation.factors():
        array, size = factor.array, factor.array.shape[-1] if factor.array.ndim else 1
        shares = factor.role == "value" and size > 1 and bool((array >= 0).all())
        if not shares or not np.allclose(array.sum(-1), 1) or np.ptp(array) == 0:
            continue
        equal = np.full(array.shape, 1 / size)
        yield Edit("other", with_array(equation, factor, f"1/{size}", equal), factor, f"1/{size}")
        step = facts.state.step(factor.name)
        if step is None or not step.op.name.endswith("Softmax"):
            continue
        z = facts.values[step.args[0]]
        for place, axis in enumerate(factor.axes[:-1]):
            e = np.exp(z - z.max(place, keepdims=True))
            note = f"that of softmax over {along((axis,), equation)}"
            other = e / e.sum(place, keepdims=True)
            yield Edit("other", with_array(equation, factor, note, other), factor, note)


def rows_left_out(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of a table that is looked up, the first row or the last held at 0: a padding index."""
    if not isinstance(line.step.op, ops.Embedding) or line.target not in facts.params:
        return
    rows, axis = len(facts.values[line.target]), equation.out[0]
    for row in (0, rows - 1):
        kept = np.ones(rows)
        kept[row] = 0
        name = f"[{axis.rstrip(chr(39))}≠{row}]"
        mask = Factor("mask", name, kept, (axis,))
        yield Edit("extra", equation.times(mask), mask, jacobian(line))
