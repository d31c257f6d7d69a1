"""A sweep of the doubled graph, recorded once for a program and its shapes, and replayed.

Which deltas are spent, and what is contracted with what, follows from the axes alone. So the
first run records the doubling and the sweep on stand-ins, and each run hands its slopes, and how
they move, to the recorded contractions.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..algebra.expression import Expression
from ..algebra.nodes_and_links import Link
from ..algebra.tape import StandIn, Tape
from ..program.bends import Bent, lifted_bends
from ..program.forward_pass import Pass, link_of
from ..program.program import Program
from ..program.step import Step
from .answers import Again, Answers
from .doubled_graph import DoubledGraph, doubled

MOST_RECORDS = 64  # kept of a program

Sweep = Callable[[DoubledGraph, Sequence[StandIn]], Mapping[Any, Expression]]

_RECORDS: WeakKeyDictionary[Program, dict[Hashable, "Record"]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Record:
    """A recorded sweep: the steps that it asks, how their answers looked, the tape.

    `again` has the arrays of the answers at other numbers, where their terms stay. Where arrays
    are given, `before` makes of the answers what does not ask for these, once a run. `found` are
    the results, on stand-ins, and `plan` what was made of them for every run.
    """

    steps: tuple[Step, ...]
    looks: tuple[Any, ...]
    again: Again | None
    before: Tape | None
    tape: Tape
    found: Mapping[Any, Expression]
    plan: Any = None


def replayed(
    state: Pass,
    asked: Hashable,
    graph: tuple[str, tuple[str, ...], tuple[str, ...]],
    sweep: Sweep,
    given: Sequence[np.ndarray] = (),
    plan: Callable[[Mapping[Any, Expression]], Any] | None = None,
) -> tuple[Record, list[np.ndarray]]:
    """What `sweep` makes of the doubled `graph` of a value by two lists of names, and of `given`.

    The record, and the arrays of its results in their order, some of which may be an op's own.
    `asked` tells the sweeps of one graph apart, and `plan` makes of the results what every run can
    use. The caller has numpy's warnings off. Raises what `doubled` raises, and MemoryLimitError
    before anything is built, where an array is too large.
    """
    own = (asked, *graph, tuple([array.shape for array in given]))
    known = state.answers.get(own)  # at the same values the answers are the same
    if known is not None and known[0].tape.fits():
        return known[0], known[0].tape.replay([*known[1], *given])
    shapes = tuple([value.shape for value in state.values.values()])
    key = (own, state.dtype, shapes)
    kept = _RECORDS.setdefault(state.program, {})
    record = kept.get(key)
    arrays = record.again.arrays(state) if record and record.again else None
    if record is None or arrays is None or not record.tape.fits():
        answers = Answers.of(state, record.steps if record else _steps(state, *graph))
        arrays, again = answers.arrays, answers.again(state)
        if record is None or answers.looks != record.looks or not record.tape.fits():
            record = _record(state, graph, sweep, given, answers)
            if plan:
                record = replace(record, plan=plan(record.found))
        if len(kept) >= MOST_RECORDS and key not in kept:
            kept.clear()
        kept[key] = record = replace(record, again=again)
    kept_here = record.before.replay(arrays) if record.before else arrays
    state.answers[own] = record, kept_here
    return record, record.tape.replay([*kept_here, *given])


def _steps(state: Pass, of: str, first: Sequence[str], second: Sequence[str]) -> list[Step]:
    """The steps between a value and what it is differentiated by."""
    return state.dependents(dict.fromkeys([*first, *second]), of)[1]


def _record(
    state: Pass,
    graph: tuple[str, tuple[str, ...], tuple[str, ...]],
    sweep: Sweep,
    given: Sequence[np.ndarray],
    answers: Answers,
) -> Record:
    """The doubling and the sweep, done on stand-ins."""
    tape = Tape(shares=not given)  # H v hands its arrays out
    leaves = [tape.leaf(array.shape, array.dtype) for array in answers.arrays]
    standing = iter([leaves[seat] for seat in answers.seats])
    slopes, bends = (
        {
            step.key: {name: e.holding(_next(standing, e)) for name, e in raw.items()}
            for step, raw in zip(answers.steps, asked, strict=True)
        }
        for asked in (answers.slopes, answers.bends)
    )
    local = {step.key: state.lifted(step, slopes[step.key]) for step in answers.steps}

    def links(names: Sequence[str], steps: Sequence[Step]) -> list[Link]:
        return state.links(names, steps, lambda step, o: link_of(step, o, local[step.key]))

    def bent(step: Step) -> list[Bent]:
        return lifted_bends(state, step, bends[step.key])

    vectors = [tape.leaf(array.shape, array.dtype) for array in given]
    found = sweep(doubled(state, *graph, links=links, bent=bent), vectors)
    results = [array for expression in found.values() for array in expression.arrays]
    before, tape = None, tape.finished(results)
    if given:
        before, tape = tape.divided(len(answers.arrays))
    return Record(answers.steps, answers.looks, None, before, tape, found)


def _next(standing: Any, expression: Expression) -> list[StandIn]:
    return [next(standing) for _ in expression.arrays]
