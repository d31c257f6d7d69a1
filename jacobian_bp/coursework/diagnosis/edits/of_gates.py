"""The gates of a recurrent cell: another one in the place of one, one left out, 1 − z for z.

dc0 = δc · f              δc · i, δc · (1 − f)
dh  = … Un (dn r)         dn alone, the reset gate left out
dc  = δh · (o tanh'(c))   o alone, the slope left out
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import Equation
from .edit import Edit
from .of_factors import jacobian, with_array

PRODUCT = re.compile(r"\((\S+) (\S+)\)")  # (dn r), (o tanh'(c))


def of_gates(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of an op that says what its gates are."""
    opened = getattr(line.step.op, "opened", None)
    if opened is None:
        return
    gates = opened(*facts.state.inputs_of(line.step))
    for factor in equation.factors():
        if factor.role == "part" and factor.name in gates:
            yield from other_gates(equation, factor, gates)
        if PRODUCT.fullmatch(factor.name):
            yield from parts_left_out(line, equation, factor, gates)
        if factor.name[:1] == "d" and factor.name[1:] in gates:
            yield from slope_left_out(equation, factor, gates[factor.name[1:]])


def other_gates(
    equation: Equation, factor: Factor, gates: Mapping[str, np.ndarray]
) -> Iterator[Edit]:
    """Another gate of the cell, and what this one does not let through."""
    for name, array in gates.items():
        if name != factor.name and array.shape == factor.array.shape:
            yield Edit("other", with_array(equation, factor, name, array), factor, name)
    name = f"1 − {factor.name}"
    yield Edit("other", with_array(equation, factor, name, 1 - factor.array), factor, name)


def parts_left_out(
    line: Line, equation: Equation, factor: Factor, gates: Mapping[str, np.ndarray]
) -> Iterator[Edit]:
    """Of a product of two, one; which of them is a gate is known, the other is what is left."""
    match = PRODUCT.fullmatch(factor.name)
    known = next((name for name in match.groups() if name in gates), None) if match else None
    if match is None or known is None or not np.all(gates[known] != 0):
        return
    other = match[2] if known == match[1] else match[1]
    rest = factor.array / gates[known]
    for left_out, array in ((known, rest), (other, gates[known])):
        named = replace(factor, name=left_out)
        wrong = with_array(equation, factor, factor.name, array)
        yield Edit("omit", wrong, named, jacobian(line))


def slope_left_out(equation: Equation, factor: Factor, gate: np.ndarray) -> Iterator[Edit]:
    """The slope of a gate's own σ or tanh: z (1 − z), 1 − n²."""
    letter = factor.name[1:]
    by_sigmoid = bool(((gate > 0) & (gate < 1)).all())
    for slope, name in (
        (gate * (1 - gate), f"{letter}(1−{letter})"),
        (1 - gate**2, f"1−{letter}²"),
    ):
        if np.all(slope != 0) and (by_sigmoid or name.endswith("²")):
            named = replace(factor, name=name)
            wrong = with_array(equation, factor, factor.name, factor.array / slope)
            yield Edit("omit", wrong, named, factor.name, extra=name.endswith("²"))
