"""The structured route: local Jacobians as deltas and factors, the deltas spent first.

Which deltas are spent, and what is contracted, follows from the axes alone. So the
algebra of a program is done once for its shapes, and recorded; each run then
hands its slopes and weights to the recorded contractions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import accumulate
from .arrays import quiet
from .factors import Dense, Expression, Factor, Term
from .forward import Pass, link_of
from .placing import evaluate
from .program import Step
from .recording import StandIn, Tape

MOST_SWEEPS = 64  # kept by a program

Raw = Mapping[str, Expression]  # what an op hands over, for each of its inputs


@quiet
def structured(state: Pass, wrt: Sequence[str], magnitudes: bool = False) -> dict[str, np.ndarray]:
    """∂cost/∂name for each name: one reverse sweep, each delta spent when its axis is summed.

    With `magnitudes`, every factor is replaced by its absolute value: what the
    sums would be if nothing cancelled, the scale of their rounding error.
    """
    shapes = tuple([value.shape for value in state.values.values()])
    key = (state.cost, tuple(wrt), state.batched, state.dtype, shapes, magnitudes)
    sweep = state.sweeps.get(key)
    arrays = sweep.arrays(state) if sweep else None
    if sweep is None or arrays is None or not sweep.tape.fits():
        if len(state.sweeps) >= MOST_SWEEPS:
            state.sweeps.clear()
        sweep = state.sweeps[key] = record(state, wrt, magnitudes)
        arrays = sweep.arrays(state)
        assert arrays is not None
    return dict(zip(wrt, sweep.tape.replay(arrays), strict=True))


@dataclass(frozen=True, eq=False)
class Sweep:
    """A recorded sweep: the steps whose local Jacobians it takes, how they looked, the tape."""

    steps: tuple[Step, ...]
    looks: tuple[Any, ...]
    magnitudes: bool
    tape: Tape

    def arrays(self, state: Pass) -> list[np.ndarray] | None:
        """The factors of the local Jacobians at the values of `state`, in the tape's order.

        None where an op hands over other factors than it did: the algebra is then another.
        """
        found: list[np.ndarray] = []
        for step, look in zip(self.steps, self.looks, strict=True):
            raw = state.raw(step)
            if look_of(raw) != look:
                return None
            factors = dense_factors(raw.values())
            if self.magnitudes:
                found += [factor.absolute().array for factor in factors]
            else:
                found += [factor.array for factor in factors]
        return found


def record(state: Pass, wrt: Sequence[str], magnitudes: bool) -> Sweep:
    """The sweep from the cost down to all of `wrt`, done on stand-ins.

    Raises MemoryLimitError, before anything is built, where an array of it is too large.
    """
    tape, locals_of = Tape(), {}
    names, steps = state.dependents(wrt, state.cost)
    names = names or [state.cost]
    nodes = [state.node(name) for name in names]
    for step in steps:
        planned = {name: _stood_in(raw, tape) for name, raw in state.raw(step).items()}
        if magnitudes:
            planned = {name: absolute(expression) for name, expression in planned.items()}
        locals_of[step.name] = state.lifted(step, planned)
    links = state.links(
        names, steps, lambda step, operand: link_of(step, operand, locals_of[step.name])
    )
    asked = set(wrt)
    sinks = {place for place, node in enumerate(nodes) if node.name in asked}
    start = Expression((Term(()),))
    found = accumulate.reverse(nodes, links, start, sinks=sinks, of=state.cost)
    places = {nodes[place].name: place for place in found}
    results: list[StandIn] = []
    for name in wrt:
        node = state.node(name)
        sizes = dict(zip(node.primed, node.shape, strict=True))
        expression = found[places[name]] if name in places else Expression()
        array: Any = evaluate(expression, node.primed, sizes, state.dtype)
        if not isinstance(array, StandIn):  # a number for every run, such as ∂J/∂J = 1
            array = tape.record(np.copy, [array], array.shape)
        results.append(array)
    looks = tuple(look_of(state.raw(step)) for step in steps)
    return Sweep(tuple(steps), looks, magnitudes, tape.finished(results))


def look_of(raw: Raw) -> tuple[Any, ...]:
    """All of an op's Jacobians but the numbers and labels: what the algebra depends on."""
    return tuple([(name, *map(_look, expression.terms)) for name, expression in raw.items()])


def _look(term: Term) -> tuple[Any, ...]:
    parts: list[Any] = [term.coefficient]
    for factor in term.factors:
        if isinstance(factor, Dense):
            parts.append((factor.axes, factor.array.shape, factor.array.dtype))
        else:
            parts.append((type(factor), factor.axes))
    return tuple(parts)


def dense_factors(expressions: Iterable[Expression]) -> list[Dense]:
    """The dense factors in the order in which they stand."""
    return [f for expression in expressions for t in expression.terms for f in t.of(Dense)]


def _stood_in(expression: Expression, tape: Tape) -> Expression:
    """The expression with a stand-in for each of its arrays, given by each replay."""
    factors = dense_factors([expression])
    return expression.holding([tape.leaf(f.array.shape, f.array.dtype) for f in factors])


def absolute(expression: Expression) -> Expression:
    """The expression with every factor and coefficient replaced by its absolute value."""

    def positive(factor: Factor) -> Factor:
        if not isinstance(factor, Dense) or isinstance(factor.array, StandIn):
            return factor  # a stand-in is given absolute values
        return factor.absolute()

    return Expression(
        tuple(
            Term(tuple(map(positive, term.factors)), abs(term.coefficient))
            for term in expression.terms
        )
    )
