"""The gates of a recurrent cell: another one in the place of one, one left out, 1 − z for z.

dc0 = δc · f              δc · i, δc · (1 − f)
dh  = … Un (dn r)         dn alone, the reset gate left out
dc  = δh · (o tanh'(c))   o alone, the slope left out
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ....ops import RNNCell
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import Equation
from .edit import Edit, called
from .of_factors import jacobian, with_array

PRODUCT = re.compile(r"\((\S+) (\S+)\)")  # (dn r), (o tanh'(c))


def of_gates(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of an op that says what its gates are."""
    if isinstance(line.step.op, RNNCell):
        yield from of_plain_cell(line, line.step.op, equation, facts)
    opened = getattr(line.step.op, "opened", None)
    if opened is None:
        return
    gates = opened(*facts.state.inputs_of(line.step))
    for factor in equation.factors():
        if factor.role == "part" and factor.own in gates:
            yield from other_gates(equation, factor, gates)
            yield from of_other_steps(line, equation, factor, facts)
        if PRODUCT.fullmatch(factor.own):
            yield from parts_left_out(line, equation, factor, gates)
            yield from along_what_is_read(equation, factor, gates)
        if factor.own[:1] == "d" and factor.own[1:] in gates:
            yield from slope_left_out(equation, factor, gates[factor.own[1:]])
            yield from other_slope(equation, factor, gates[factor.own[1:]])
            yield from other_states(line, equation, factor, facts)
            yield from gates_within(equation, factor, gates)


def of_plain_cell(line: Line, cell: RNNCell, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The value for its slope 1 − o², and the formula in terms of o fed with z."""
    o, inputs = facts.values[line.source], facts.state.inputs_of(line.step)
    z = cell.sums(*inputs, *([None] if len(inputs) < 5 else []))
    name = line.source
    others = ((name, o), ("1 − z²", 1 - z**2), (f"{name} (1 − {name})", o * (1 - o)))
    for factor in equation.factors():
        if factor.own == "tanh'(z)":
            for note, array in others:
                yield Edit("other", with_array(equation, factor, note, array), factor, note)


def other_gates(
    equation: Equation, factor: Factor, gates: Mapping[str, np.ndarray]
) -> Iterator[Edit]:
    """Another gate of the cell, and what this one does not let through."""
    for name, array in gates.items():
        if name != factor.own and array.shape == factor.array.shape:
            yield Edit("other", with_array(equation, factor, name, array), factor, name)
    name = f"1 − {factor.name}"
    yield Edit("other", with_array(equation, factor, name, 1 - factor.array), factor, name)


def parts_left_out(
    line: Line, equation: Equation, factor: Factor, gates: Mapping[str, np.ndarray]
) -> Iterator[Edit]:
    """Of a product of two, one; which of them is a gate is known, the other is what is left."""
    match = PRODUCT.fullmatch(factor.own)
    known = next((name for name in match.groups() if name in gates), None) if match else None
    if match is None or known is None or not np.all(gates[known] != 0):
        return
    other = match[2] if known == match[1] else match[1]
    rest = factor.array / gates[known]
    for left_out, array in ((known, rest), (other, gates[known])):
        named = replace(factor, name=left_out)
        wrong = with_array(equation, factor, factor.name, array)
        yield Edit("omit", wrong, named, jacobian(line))


def along_what_is_read(
    equation: Equation, factor: Factor, gates: Mapping[str, np.ndarray]
) -> Iterator[Edit]:
    """r[j] h[j] for r[k] h[j]: the gate lets through what is read, not what the weights make."""
    match = PRODUCT.fullmatch(factor.own)
    known = next((name for name in match.groups() if name in gates), "") if match else ""
    sizes = equation.sizes
    if not known or not np.all(gates[known] != 0):
        return
    for axis in equation.out:
        if axis not in factor.axes and sizes[axis] == factor.array.shape[-1]:
            rest = replace(factor, array=factor.array / gates[known])
            gate = Factor("other", known, gates[known], (*factor.axes[:-1], axis))
            terms = [
                term.using(factor, rest).times(gate) if factor in term.factors else term
                for term in equation.terms
            ]
            note = f"{known} along {called(axis, equation)}, and not along "
            note += called(factor.axes[-1], equation)
            wrong = replace(equation, terms=tuple(terms))
            yield Edit("other", wrong, replace(factor, name=known), note, extra=1)


def gates_within(
    equation: Equation, factor: Factor, gates: Mapping[str, np.ndarray]
) -> Iterator[Edit]:
    """Within dn = (1−z)(1−n²), z for 1 − z."""
    for name, gate in gates.items():
        ways = ((name, gate, f"1 − {name}", 1 - gate), (f"1 − {name}", 1 - gate, name, gate))
        for right, own, note, array in ways:
            if np.all(own != 0):
                wrong = with_array(equation, factor, factor.name, factor.array / own * array)
                yield Edit("other", wrong, replace(factor, name=right), note, extra=2)


def other_states(line: Line, equation: Equation, factor: Factor, facts: Facts) -> Iterator[Edit]:
    """The new state for the old one, within df = c0 f(1−f)."""
    y = facts.values[line.source]
    for name in line.step.args:
        old = facts.values[name]
        if old.shape == y.shape == factor.array.shape and np.all(old != 0):
            changed = with_array(equation, factor, factor.name, factor.array / old * y)
            yield Edit("other", changed, replace(factor, name=name), line.source, extra=2)


def of_other_steps(line: Line, equation: Equation, factor: Factor, facts: Facts) -> Iterator[Edit]:
    """The same gate at another time."""
    for step in facts.state.program.steps:
        opened = getattr(step.op, "opened", None)
        if step.name == line.source or type(step.op) is not type(line.step.op) or opened is None:
            continue
        array = opened(*facts.state.inputs_of(step))[factor.own]
        if array.shape == factor.array.shape:
            note = f"that of the step that computes {step.name}"
            yield Edit("other", with_array(equation, factor, note, array), factor, note, extra=1)


def other_slope(equation: Equation, factor: Factor, gate: np.ndarray) -> Iterator[Edit]:
    """The slope of tanh for that of σ, the other way round, and the gate itself or its rest."""
    letter = factor.own[1:]
    by_tanh = f"1−{letter}²", 1 - gate**2
    by_sigmoid = f"{letter}(1−{letter})", gate * (1 - gate)
    right = by_tanh if np.any(gate < 0) else by_sigmoid
    if not np.all(right[1] != 0):
        return
    for note, array in (by_tanh, by_sigmoid, (letter, gate), (f"1−{letter}", 1 - gate)):
        if note != right[0]:
            changed = with_array(equation, factor, factor.name, factor.array / right[1] * array)
            yield Edit("other", changed, replace(factor, name=right[0]), note)


def slope_left_out(equation: Equation, factor: Factor, gate: np.ndarray) -> Iterator[Edit]:
    """The slope of a gate's own σ or tanh: z (1 − z), 1 − n²."""
    letter = factor.own[1:]
    by_sigmoid = bool(((gate > 0) & (gate < 1)).all())
    for slope, name in (
        (gate * (1 - gate), f"{letter}(1−{letter})"),
        (1 - gate**2, f"1−{letter}²"),
    ):
        if np.all(slope != 0) and (by_sigmoid or name.endswith("²")):
            named = replace(factor, name=name)
            wrong = with_array(equation, factor, factor.name, factor.array / slope)
            yield Edit("omit", wrong, named, factor.name, extra=name.endswith("²"))
