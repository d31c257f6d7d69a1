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
from ..program.bends import Bent, lifted_bends, raw_bends_in_silence
from ..program.forward_pass import Pass, link_of
from ..program.program import Program
from ..program.step import Step
from ..routes.structured import look_of
from .doubled_graph import DoubledGraph, doubled

MOST_RECORDS = 64  # kept of a program

Sweep = Callable[[DoubledGraph, Sequence[StandIn]], Mapping[Any, Expression]]

_RECORDS: WeakKeyDictionary[Program, dict[Hashable, "Record"]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Record:
    """A recorded sweep: the steps that it asks, how their answers looked, the tape.

    Where arrays are given, `before` makes of the answers what does not ask for these, once a run.
    `found` are the results, on stand-ins, and `plan` what was made of them for every run.
    """

    steps: tuple[Step, ...]
    looks: tuple[Any, ...]
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
    answers = _Answers(state, record.steps) if record else None
    if record is None or answers is None or answers.looks != record.looks or not record.tape.fits():
        of, first, second = graph
        _, steps = state.dependents(dict.fromkeys([*first, *second]), of)
        answers = _Answers(state, steps)
        record = _record(state, graph, sweep, given, answers)
        if plan:
            record = replace(record, plan=plan(record.found))
        if len(kept) >= MOST_RECORDS:
            kept.clear()
        kept[key] = record
    kept_here = record.before.replay(answers.arrays) if record.before else answers.arrays
    state.answers[own] = record, kept_here
    return record, record.tape.replay([*kept_here, *given])


class _Answers:
    """What the ops of some steps say of slopes and of bends, their arrays once each, and the look.

    An array that stands in several expressions is one leaf, so that the algebra sees it as one.
    """

    def __init__(self, state: Pass, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        self.slopes: list[Mapping[Any, Expression]]
        self.bends: list[Mapping[Any, Expression]]
        self.slopes = [state.raw_in_silence(step) for step in steps]
        self.bends = [raw_bends_in_silence(state, step) for step in steps]
        self.arrays: list[np.ndarray] = []
        self.seats: list[int] = []
        place: dict[int, int] = {}
        for raw in (*self.slopes, *self.bends):
            for expression in raw.values():
                for array in expression.arrays:
                    seat = place.setdefault(id(array), len(self.arrays))
                    if seat == len(self.arrays):
                        self.arrays.append(array)
                    self.seats.append(seat)
        looks = [look_of(raw) for raw in (*self.slopes, *self.bends)]
        self.looks = (tuple(self.seats), *looks)


def _record(
    state: Pass,
    graph: tuple[str, tuple[str, ...], tuple[str, ...]],
    sweep: Sweep,
    given: Sequence[np.ndarray],
    answers: _Answers,
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
    return Record(answers.steps, answers.looks, before, tape, found)


def _next(standing: Any, expression: Expression) -> list[StandIn]:
    return [next(standing) for _ in expression.arrays]
