"""Another slope of an activation: at another place, of another function, or one part of it.

σ'(δ), σ'(a), f(a)           for σ'(z)
tanh'(z), 1 − σ'(z)          for σ'(z)
Φ(z),  z φ(z),  φ(z)         for Φ(z) + z φ(z), what the product rule makes of z Φ(z)
a left of 0                  for e^z, in a slope that has a formula for each side
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from .... import ops
from ....numbers.stable import sigmoid
from ....ops import Op
from ....ops.arithmetic import Arithmetic
from ....ops.textbook import Function, Textbook
from ....writing.signs import number
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, Equation, Term
from ..passes.slopes import formulas
from .edit import Edit
from .of_factors import with_array

FLAT = (0.01, 0.1, 0.2, 0.3, 0.5)  # slopes of a leaky rectifier left of 0


def at_its_value(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The slope of an op of one's own at its value, f'(f(x)), where its Jacobian has more terms."""
    operands = line.step.op.differentiable()
    value, here = facts.values[line.source], facts.values[line.target]
    if len(operands) != 1 or len(line.step.args) != 1 or value.shape != here.shape:
        return
    if len(equation.terms) < 2 or not all(is_entrywise(term, equation) for term in equation.terms):
        return
    op, name = line.step.op, line.step.op.name.lower()
    whose = Factor("jacobian", f"{name}'({line.target})", np.zeros(()))

    def gives(incoming: np.ndarray) -> np.ndarray:
        return np.asarray(op.vjp(np.array(incoming), np.array(value))[operands[0]])

    yield Edit("at its value", equation, whose, f"{name}'({line.source})", gives=gives)


def is_entrywise(term: Term, equation: Equation) -> bool:
    """Whether an entry of the target reads the same entry of what comes in, and no other."""
    return not equation.summed(term) and all(set(f.axes) <= set(equation.out) for f in term.factors)


def elsewhere(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The slope at a delta, σ'(δ) for σ'(z); the activation at its own value, σ(a)."""
    if line.kind != "slope" or len(equation.terms) != 1 or isinstance(line.step.op, Arithmetic):
        return
    op = line.step.op
    f = formulas(op) or read_off(op)
    slope = slope_of(equation)
    if slope is None:
        return
    a = facts.values[line.source]
    note = f"{f.name}({line.source})"
    yield Edit("value at a", with_array(equation, slope, note, f.value(a)), slope, note)
    incoming = next(f for f in equation.factors() if f.role == DELTA)
    shown = f"∂{facts.state.cost}/∂{line.source}"
    for formula, note in slopes_at(f, shown):
        yield Edit("at the delta", equation, slope, note, partial(at_delta, formula, slope))
    for name in facts.backward.order:
        array = facts.backward.base.get(name)
        own = name in facts.params or name in (line.source, incoming.name)
        own = own or name not in facts.mates.get(line.source, (name,))
        if array is None or own or array.shape != a.shape:
            continue
        for formula, note in slopes_at(f, f"∂{facts.state.cost}/∂{name}"):
            changed = with_array(equation, slope, "", formula(array))
            yield Edit("at the delta", changed, slope, note, extra=4)


def other_slopes(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The slope of another activation, tanh'(z) for σ'(z); and 1 − σ'(z)."""
    slope, own = slope_of(equation), formulas(line.step.op)
    if line.kind != "slope" or slope is None or own is None or len(equation.terms) != 1:
        return
    z = facts.values[line.target]
    for name, formula in others():
        if not name.startswith(f"{own.name}'"):
            shown = name.format(z=line.target)
            changed = with_array(equation, slope, shown, formula(z))
            yield Edit("other", changed, slope, shown, extra=4)
    a = facts.values[line.source]
    for other in (formulas(ops.Sigmoid()), formulas(ops.Tanh()), formulas(ops.Softplus())):
        if other is not None and other.by_output is not None and other.name != own.name:
            at = "" if line.source == "a" else f" with a = {line.source}"
            shown = f"{other.written}{at}, which is the slope of a = {other.name}(z)"
            changed = with_array(equation, slope, shown, other.by_output(a))
            yield Edit("other", changed, slope, shown, extra=4)
    if slope.array.min(initial=0.0) >= 0 and slope.array.max(initial=0.0) <= 1:
        shown = f"1 − {slope.name}"
        yield Edit("other", with_array(equation, slope, shown, 1 - slope.array), slope, shown)


def others() -> list[tuple[str, Function]]:
    """The slopes that are taken for each other, and those of two other forms of GELU."""
    found: list[tuple[str, Function]] = []
    known: tuple[Op, ...] = (ops.Sigmoid(), ops.Tanh(), ops.ReLU(), ops.Softplus())
    for own in (*known, ops.SiLU(), ops.ELU()):
        f = formulas(own)
        if f is not None:
            found.append((f"{f.name}'({{z}})", f.slope))
    for op, name in (
        (ops.GELU(), "gelu'({z})"),
        (ops.GELU(approximate=True), "that of the form of GELU by tanh"),
    ):
        found.append((name, read_off(op).slope))
    return [*found, ("that of z σ(1.702 z), the quick form of GELU", quick)]


def quick(z: np.ndarray) -> np.ndarray:
    """The slope of z σ(1.702 z)."""
    s = sigmoid(1.702 * z)
    return np.asarray(s + 1.702 * z * s * (1 - s))


def written_out_slope(line: Line, equation: Equation, facts: Facts) -> Equation | None:
    """The slope as the sum of products that it is: σ(z) + z σ(z) (1−σ(z))."""
    slope, own = slope_of(equation), formulas(line.step.op)
    if line.kind != "slope" or slope is None or own is None or len(equation.terms) != 1:
        return None
    z, (whole,) = facts.values[line.target], equation.terms
    made: dict[str, Factor] = {}
    terms = []
    for share, factors in own.terms:
        term = replace(whole.without(slope), coefficient=whole.coefficient * share)
        for name, formula in factors:
            shown = name.format(z=line.target)
            known = Factor("part", shown, np.asarray(formula(z)), slope.axes, shown)
            term = term.times(made.setdefault(shown, known))
        terms.append(term)
    return replace(equation, terms=tuple(terms)) if terms else None


def parts_of_slope(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """One factor of the sum of products for all of it: φ(z) for Φ(z) + z φ(z)."""
    slope, out = slope_of(equation), written_out_slope(line, equation, facts)
    if slope is None or out is None:
        return
    for factor in out.factors():
        if factor.role == "part":
            changed = with_array(equation, slope, factor.name, factor.array)
            yield Edit("other", changed, slope, factor.name)


def two_sides(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of a slope with a formula for each side of 0: exchanged, or another one left of 0."""
    slope, own = slope_of(equation), formulas(line.step.op)
    if slope is None or own is None or own.left is None or line.kind != "slope":
        return
    z, a, right = facts.values[line.target], facts.values[line.source], slope.array
    left = np.asarray(own.left(z))
    ways = {
        "the same with its two sides exchanged": np.where(z > 0, left, 1.0),
        "its formula left of 0, for both sides": left,
        f"{line.source} left of 0": np.where(z > 0, right, a),
        f"{line.target} left of 0": np.where(z > 0, right, z),
        f"{line.target} times the slope left of 0": np.where(z > 0, right, z * right),
        "the negative of the slope left of 0": np.where(z > 0, right, -right),
    }
    if isinstance(line.step.op, ops.ELU) and line.step.op.alpha != 1:
        alpha, grown = line.step.op.alpha, np.exp(np.minimum(z, 0))
        ways |= {
            f"e^{line.target} left of 0, without alpha": np.where(z > 0, right, grown),
            f"{line.source} + 1 left of 0": np.where(z > 0, right, a + 1),
            "alpha left of 0": np.where(z > 0, right, alpha),
        }
    if np.ptp(left) == 0:  # a number, for which there may be another one
        flat = float(left.flat[0])
        for other in (*FLAT, 1 - flat):
            ways[f"{number(other)} left of 0"] = np.where(z > 0, right, other)
    for note, array in ways.items():
        yield Edit("other", with_array(equation, slope, note, array), slope, note, extra=2)


def slope_of(equation: Equation) -> Factor | None:
    """What stands beside the delta."""
    return next((f for f in equation.factors() if f.role != DELTA), None)


def read_off(op: Op) -> Textbook:
    """The formulas of an op of one's own that has none: what it computes."""
    operand = op.parsed.inputs[0].name
    return Textbook(
        op.name.lower(),
        lambda x: np.asarray(op.forward(x)),
        lambda x: np.asarray(op.vjp(np.ones_like(x), x)[operand]),
    )


def at_delta(
    formula: Function, slope: Factor, equation: Equation, incoming: np.ndarray
) -> Equation:
    """The slope's formula with the delta that comes in."""
    return with_array(equation, slope, "", formula(incoming))


def slopes_at(f: Textbook, name: str) -> list[tuple[Function, str]]:
    """The formula by z and the one by a, with something else in its place."""
    found = [(f.slope, f"{f.name}'({name})")]
    if f.by_output is not None:
        found.append((f.by_output, f"{f.written} with a = {name}"))
    return found
