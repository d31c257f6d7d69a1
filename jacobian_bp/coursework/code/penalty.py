"""What a regularising number adds to the gradients: a multiple of W, the same in every layer."""

from dataclasses import dataclass

import numpy as np

from ...numbers.wrong_arrays import of_examples
from ...writing.signs import fraction
from .readings import Reading
from .trace import Trace, near
from .trials import MARGIN, Trials, multiple, penalised


@dataclass(frozen=True)
class Penalty:
    """The first line whose penalty is wrong, in words; or what is penalised by how much."""

    line: int | None
    sentence: str


def penalty_of(reading: Reading, trials: Trials, mended: dict[int, object]) -> Penalty | None:
    """How the gradients change with the penalty's number; None where the text has none."""
    quantities = reading.quantities
    without = trials.trace(mended)
    quantities.penalised = True
    try:
        trace = trials.trace(mended)
    finally:
        quantities.penalised = False
    if not quantities.penalties or len(trace.stores) != len(without.stores):
        return None
    name = sorted(quantities.penalties)[0]
    times: dict[str, float] = {}
    decays = {n: s.place for n, s in enumerate(without.stores) if s.decays and s.place}
    for number, goal in sorted({**without.gradients.of, **decays}.items()):
        change = _change(trace, without, number) / quantities.penalty(name)
        if not np.abs(change).max() > MARGIN:
            continue
        factor = penalised(change, goal.of, quantities)
        if factor is None and number in decays:  # of W behind another update of it
            factor = multiple(change, without.stores[number].before)
        line = trace.stores[_cause(trace, without, number)].line
        if factor is None:
            return Penalty(line, f"What {name} adds is no multiple of {goal.of}.")
        factor *= trace.stores[number].sign
        if factor < 0:
            return Penalty(line, f"What {name} adds has the other sign than {name} * {goal.of}.")
        earlier = [
            (of, f) for of, f in times.items() if of[0] == goal.of[0] and not near(f, factor)
        ]
        if earlier:
            of, before = earlier[0]
            sentence = (
                f"{name} * {goal.of} is added {_written(factor, trials)} times, "
                f"{name} * {of} {_written(before, trials)} times."
            )
            return Penalty(line, sentence)
        times[goal.of] = factor
    if not times:
        return None
    left_out = [n for n, goal in without.gradients.of.items() if goal.of not in times]
    for number in left_out:
        of = without.gradients.of[number].of
        if of[0] == "W" and any(other[0] == "W" for other in times):
            others = ", ".join(other for other in times if other[0] == "W")
            line = trace.stores[number].line
            return Penalty(line, f"{name} penalises {others}, and not {of}.")
    factor_of = next(iter(times.values()))
    how = "" if near(factor_of, 1) else f"{_written(factor_of, trials)} * "
    added = f"{how}{name} * W"
    return Penalty(
        None, f"{added} is added to the gradients of {', '.join(times)}: a cost with {name}."
    )


def _written(factor: float, trials: Trials) -> str:
    """The number as somebody writes it: 1/m, 2/m, 1/(2m), 1/2, 2."""
    m = trials.quantities.examples
    for times, of_m in ((1, "1/m"), (2, "2/m"), (0.5, "1/(2m)")):
        if of_examples(factor / times, m) == "1/m":
            return of_m
    return fraction(round(factor, 12))


def _change(trace: Trace, without: Trace, number: int) -> np.ndarray:
    return np.asarray(trace.stores[number].value) - np.asarray(without.stores[number].value)


def _cause(trace: Trace, without: Trace, number: int) -> int:
    """The first store that changes with the number, on the way to this one."""
    for each in sorted(trace.ancestors(number) | {number}):
        first, second = trace.stores[each].value, without.stores[each].value
        comparable = isinstance(first, np.ndarray) and first.shape == np.shape(second)
        if comparable and np.abs(first - second).max(initial=0) > MARGIN:
            return each
    return number
