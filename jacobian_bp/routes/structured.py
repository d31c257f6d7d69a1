"""The structured route: local Jacobians as deltas and factors, the deltas spent first.

Which deltas are spent, and what is contracted with what, follows from the axes
alone. So the first run of a program and its shapes records the sweep, and each run
hands its slopes and weights to the recorded contractions.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..algebra import chain_rule
from ..algebra.expression import Dense, Expression, Factor, Term, is_position
from ..algebra.nodes_and_links import Link, Node, identity
from ..algebra.products.placing import evaluate
from ..algebra.tape import StandIn, Tape
from ..numbers.arrays import quiet
from ..program.forward_pass import Pass
from ..program.program import Program
from ..program.step import Step

MOST_SWEEPS = 64  # kept of a program

_RECORDS: WeakKeyDictionary[Program, dict[Any, "Sweep"]] = WeakKeyDictionary()

Raw = Mapping[str, Expression]  # what an op hands over, for each of its inputs


@quiet
def structured(state: Pass, wrt: Sequence[str], magnitudes: bool = False) -> dict[str, np.ndarray]:
    """∂cost/∂name for each name: one reverse sweep, each delta spent when its axis is summed.

    With `magnitudes`, every factor is replaced by its absolute value: what the
    sums would be if nothing cancelled, the scale of their rounding error. No two
    of the arrays share memory.
    """
    found = swept(state, state.cost, wrt, dense=True, magnitudes=magnitudes)
    arrays = [factor.array for factor in dense_factors(found)]
    first = {id(array): place for place, array in reversed([*enumerate(arrays)])}
    own = [a if first[id(a)] == place else a.copy() for place, a in enumerate(arrays)]
    return dict(zip(wrt, own, strict=True))


def swept(
    state: Pass, of: str, wrt: Sequence[str], dense: bool = False, magnitudes: bool = False
) -> list[Expression]:
    """∂of/∂name for each name, its sums spent or contracted, over the axes of both.

    With `dense`, each is one whole array. With `magnitudes`, every factor is
    replaced by its absolute value. Raises MemoryLimitError, before anything is
    built, where an array of the sweep is too large.
    """
    sweep, arrays = recorded(state, of, wrt, dense, magnitudes)
    found = iter(arrays)
    return [expression.holding(found) for expression in sweep.expressions]


def recorded(
    state: Pass, of: str, wrt: Sequence[str], dense: bool = False, magnitudes: bool = False
) -> tuple["Sweep", list[np.ndarray]]:
    """The sweep as it is kept, and the arrays of its expressions at the values of `state`."""
    shapes = tuple([value.shape for value in state.values.values()])
    alike = (of, tuple(wrt), state.dtype, shapes, dense)
    key, kept = (*alike, magnitudes), records(state.program)
    sweep = kept.get(key) or _of_absolute_values(kept.get((*alike, not magnitudes)))
    arrays = _arrays(state, sweep) if sweep else None
    if sweep is None or arrays is None or not sweep.tape.fits():
        if len(kept) >= MOST_SWEEPS:
            kept.clear()
        sweep = _record(state, of, wrt, dense, magnitudes)
        arrays = _arrays(state, sweep)
        assert arrays is not None
    kept[key] = sweep
    return sweep, sweep.tape.replay(arrays)


def _of_absolute_values(sweep: "Sweep | None") -> "Sweep | None":
    """The same sweep with magnitudes, or without: where no term is subtracted it is the same."""
    if sweep is None or not sweep.only_adds:
        return None
    return replace(sweep, magnitudes=not sweep.magnitudes)


def _arrays(state: Pass, sweep: "Sweep") -> list[np.ndarray] | None:
    """The factors that the sweep takes; at the same values they are the same, and are kept."""
    if sweep.magnitudes:  # they are new arrays, of which there may be many
        return sweep.arrays(state)
    if sweep not in state.answers:
        state.answers[sweep] = sweep.arrays(state)
    found: list[np.ndarray] | None = state.answers[sweep]
    return found


def records(program: Program) -> dict[Any, "Sweep"]:
    """The sweeps recorded for a program, by what was asked and the shapes; they go with it."""
    return _RECORDS.setdefault(program, {})


@dataclass(frozen=True, eq=False)
class Sweep:
    """A recorded sweep: the steps whose local Jacobians it takes, how they looked, the tape.

    `expressions` are the results, on stand-ins. With `tables`, some arrays are look-ups; it
    `only_adds` where no local Jacobian subtracts a term. `plans`
    has what was worked out once for the results, under the name of whoever did.
    """

    steps: tuple[Step, ...]
    looks: tuple[Any, ...]
    magnitudes: bool
    tape: Tape
    expressions: tuple[Expression, ...]
    tables: bool
    only_adds: bool
    plans: dict[str, Any] = field(default_factory=dict)

    @quiet
    def arrays(self, state: Pass) -> list[np.ndarray] | None:
        """The factors of the local Jacobians at the values of `state`, in the tape's order.

        None where an op hands over other factors than it did: the algebra is then another.
        """
        found: list[np.ndarray] = []
        for step, look in zip(self.steps, self.looks, strict=True):
            raw = state.raw_in_silence(step)
            if look_of(raw) != look:
                return None
            if self.magnitudes:
                found += arrays_of(map(absolute, raw.values()))
            elif self.tables:
                found += arrays_of(raw.values())
            else:
                found += [factor.array for factor in dense_factors(raw.values())]
        return found


def _record(state: Pass, of: str, wrt: Sequence[str], dense: bool, magnitudes: bool) -> Sweep:
    """The sweep from `of` down to all of `wrt`, done on stand-ins."""
    tape = Tape()
    names, steps = state.dependents(wrt, of)
    nodes = [state.node(name) for name in names or [of]]
    links = _links(state, names, steps, tape, magnitudes)
    on_a_path = frozenset(names)
    asked, out = set(wrt), state.axes(of)
    sinks = {place for place, node in enumerate(nodes) if node.name in asked}
    start = identity([axis.name for axis in out], nodes[0].primed)
    found = chain_rule.reverse(nodes, links, start, out, sinks=sinks, of=of)
    by_name = {nodes[place].name: expression for place, expression in found.items()}
    expressions = [by_name.get(name, Expression()) for name in wrt]
    if dense:
        pairs = zip(expressions, map(state.node, wrt), strict=True)
        expressions = [_whole(expression, node, tape, state.dtype) for expression, node in pairs]
    results = arrays_of(expressions)
    looks = tuple(look_of(state.raw(step)) for step in steps)
    tables = any(raw.has_positions for step in steps for raw in state.raw(step).values())
    tape = tape.finished(results)
    only_adds = not any(_subtracts(state, step, on_a_path) for step in steps)
    return Sweep(tuple(steps), looks, magnitudes, tape, tuple(expressions), tables, only_adds)


def _subtracts(state: Pass, step: Step, names: Collection[str]) -> bool:
    """Whether a local Jacobian by one of the names has a coefficient below 0."""
    raw = state.raw(step)
    return any(
        term.coefficient < 0
        for operand, arg in step.called.items()
        if arg in names and operand in raw
        for term in raw[operand].terms
    )


def _links(
    state: Pass, names: Sequence[str], steps: Sequence[Step], tape: Tape, magnitudes: bool
) -> list[Link]:
    """The local Jacobians on stand-ins, which are the tape's leaves."""
    raws = {}
    for step in steps:
        planned = {name: _stood_in(raw, tape) for name, raw in state.raw(step).items()}
        if magnitudes:
            planned = {name: absolute(expression) for name, expression in planned.items()}
        raws[step.name] = planned
    return state.links(
        names, steps, lambda step, operand: state.cast(step, operand, raws[step.name])
    )


def _whole(expression: Expression, node: Node, tape: Tape, dtype: np.dtype) -> Expression:
    """The derivative of a scalar as one array over the axes of the variable."""
    sizes = dict(zip(node.primed, node.shape, strict=True))
    array: Any = evaluate(expression, node.primed, sizes, dtype)
    if not isinstance(array, StandIn):  # a number for every run, such as ∂J/∂J = 1
        array = tape.record(np.copy, [array], array.shape)
    return Expression.of(Dense(node.name, node.primed, array, own=True))


def look_of(raw: Raw) -> tuple[Any, ...]:
    """All of an op's Jacobians but the numbers and labels: what the algebra depends on."""
    found: list[Any] = []
    for name, expression in raw.items():
        found.append(name)
        for term in expression.terms:
            found += (term.coefficient, len(term.factors))
            for factor in term.factors:
                if isinstance(factor, Dense):
                    found += (factor.axes, factor.array.shape, factor.array.dtype)
                elif is_position(factor):
                    found += (factor.look, term.sums)
                else:
                    found.append(factor)
    return tuple(found)


def arrays_of(expressions: Iterable[Expression]) -> list[Any]:
    """The arrays of dense factors and of look-ups, in the order in which they stand."""
    return [array for expression in expressions for array in expression.arrays]


def dense_factors(expressions: Iterable[Expression]) -> list[Dense]:
    """The dense factors in the order in which they stand."""
    return [f for expression in expressions for t in expression.terms for f in t.of(Dense)]


def _stood_in(expression: Expression, tape: Tape) -> Expression:
    """The expression with a stand-in for each of its arrays, given by each replay."""
    arrays = arrays_of([expression])
    return expression.holding([tape.leaf(array.shape, array.dtype) for array in arrays])


def absolute(expression: Expression) -> Expression:
    """The expression with every factor and coefficient replaced by its absolute value."""

    def positive(factor: Factor) -> Factor:
        if not isinstance(factor, Dense) or isinstance(factor.array, StandIn):
            return factor  # a stand-in is given absolute values
        return factor.absolute()

    return Expression(
        tuple(
            Term(tuple(map(positive, term.factors)), abs(term.coefficient), term.sums)
            for term in expression.terms
        )
    )
