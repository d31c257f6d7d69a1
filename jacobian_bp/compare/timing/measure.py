"""Subjects side by side at one workload: bytes, then seconds; what does not fit is refused."""

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import JacobianError, MemoryLimitError
from ...numbers.memory import current_limit, format_bytes, metered
from ...numbers.untouched_zeros import watched
from ...routes.difference import Progress
from ..cost.cost_card import RouteCost
from .foreign_text import reason
from .result import Result
from .stopping import require_none
from .subjects import Subject
from .timer import Candidate, Sample, Timer
from .workload import Arrays

REFUSED = "refused"
LEFT = 512  # roundings of the largest entry that may be all there is of a small array
SLOW = 1.0  # seconds of a call that is not repeated to warm up
LONG = 1_000_000_000  # multiplications that are announced
MOST_COMPARED = 1_000_000  # entries of an array

Reached = Callable[[str], None]  # told what is reached
Sampled = dict[str, tuple[tuple[int, ...], np.ndarray]]


@dataclass
class Journal:
    """The rows as they are finished; what an interrupted measurement leaves."""

    rows: list[Result] = field(default_factory=list)
    shown: int = 0  # how many of them stand on the screen
    beside: tuple[str, str] = ("", "")  # what the next table compares with, and that column's head
    overhead: dict[str, float] = field(default_factory=dict)  # of a sweep's routes, at size 1

    def show(self) -> None:
        """All rows up to here have been printed."""
        self.shown = len(self.rows)


def measure(
    blank: Result,
    subjects: Sequence[Subject],
    journal: Journal,
    timer: Timer,
    costs: Sequence[RouteCost] = (),
    progress: Progress | None = None,
    left: Mapping[str, str] | None = None,
    reached: Reached = lambda text: None,
) -> list[Result]:
    """A row for each subject, which the journal gets also where this is interrupted.

    `blank` is a row that says the workload; `costs` are the predictions, by the
    subjects' names; `left` those to leave out, each with a sentence. A subject whose
    arrays would not fit is not called: its row says the bytes, and "refused". A
    subject whose numbers are not those of the first that gives any is not timed.
    """
    predicted = {cost.route: cost for cost in costs}
    rows = {s.name: _predicted(_blank(blank, s), s, predicted) for s in subjects}
    for name, words in (left or {}).items():
        if name in rows and not rows[name].refused:
            rows[name] = replace(rows[name], refused=words, complete=True)
    samples: dict[str, Sample] = {}
    calls: dict[str, Candidate] = {}
    first: list[Sampled] = []
    slow: set[str] = set()
    done = False
    try:
        for subject in subjects:
            row = rows[subject.name]
            if row.refused:
                continue
            if (row.multiplications or 0) >= LONG:
                reached(f"  {subject.name}: {row.multiplications:,} multiplications a call")
            rows[subject.name], call, took = _prepared(subject, row, first, timer)
            calls |= {subject.name: call} if call else {}
            if took > SLOW:
                slow.add(subject.name)
                reached(f"  {subject.name}: {took:.1f} s for one call; no further one to warm up")
        timer.measure(calls, samples, progress, slow)
        done = True
    finally:
        found = [row.timed(samples.get(row.subject), done) for row in rows.values()]
        kept = [row for row in found if row.rounds or row.refused]
        journal.rows += kept
    return kept


def peak_bytes(call: Callable[[], Any]) -> tuple[int, Any]:
    """The bytes that are allocated at the peak of one call, and its result, which is among them.

    Python's allocator does not see pages that the call maps. Their bytes are added: between
    two changes of the mapped bytes the peak is that of the allocator, and what is mapped.
    """
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    mapped, peaks = [0], [0]

    def changed(count: int) -> None:
        peaks[0] = max(peaks[0], tracemalloc.get_traced_memory()[1] - before + mapped[0])
        mapped[0] += count
        tracemalloc.reset_peak()

    try:
        with watched(changed):
            result = call()
        changed(0)
        return peaks[0], result
    finally:
        if not was_tracing:
            tracemalloc.stop()


def sampled(arrays: Arrays) -> Sampled:
    """The shape of each array and some of its entries, evenly spread: enough to compare."""
    found = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        step = max(1, array.size // MOST_COMPARED)
        found[name] = (array.shape, array.reshape(-1)[::step].copy())
    return found


def same_numbers(found: Sampled, reference: Sampled) -> bool:
    """Whether two results are the same up to rounding, relative to each array's largest entry.

    An array may be what rounding has left of larger ones: the bias before a normalisation has the
    gradient 0. So the largest entry of all gives room for a few hundred of its roundings.
    """
    largest = [float(np.max(np.abs(entries), initial=0.0)) for _, entries in reference.values()]
    for scale, (name, (shape, entries)) in zip(largest, reference.items(), strict=True):
        if name not in found or found[name][0] != shape:
            return False
        eps = float(np.finfo(entries.dtype).eps)
        tolerance = max(eps**0.5 * scale, LEFT * eps * max(largest))
        if not np.allclose(found[name][1], entries, rtol=0, atol=tolerance):
            return False
    return True


def refused_result(blank: Result, error: MemoryLimitError) -> Result:
    """The row of what could not even be set up."""
    return replace(blank, refused=f"{REFUSED}: {str(error).splitlines()[0]}", complete=True)


def with_cost(row: Result, cost: RouteCost) -> Result:
    """The row with what the shapes say."""
    return replace(
        row,
        multiplications=cost.multiplications,
        nonzero_multiplications=cost.nonzero_multiplications,
        predicted_bytes=cost.peak_bytes,
        largest=f"{cost.largest[0]} {cost.largest[1]}",
        largest_bytes=cost.largest_bytes,
    )


def refused(row: Result, beside: int = 0) -> Result:
    """The row of what would not fit, with its bytes; `beside` are those of network and data."""
    bytes_, limit = row.predicted_bytes or 0, format_bytes(current_limit())
    words = f"{REFUSED}: {format_bytes(bytes_)}"
    if bytes_ <= current_limit():
        words += f", and {format_bytes(beside)} for the network"
    return replace(row, refused=f"{words}; the limit is {limit}", complete=True)


def _blank(blank: Result, subject: Subject) -> Result:
    return replace(blank, subject=subject.name, quantity=subject.quantity or blank.quantity)


def _predicted(row: Result, subject: Subject, costs: dict[str, RouteCost]) -> Result:
    """The row with what is known from shapes; refused where that does not fit."""
    if subject.name in costs:
        row = with_cost(row, costs[subject.name])
    elif subject.needs:
        row = replace(row, predicted_bytes=subject.needs)
    return row if (row.predicted_bytes or 0) <= current_limit() else refused(row)


def _prepared(
    subject: Subject, row: Result, first: list[Sampled], timer: Timer
) -> tuple[Result, Candidate | None, float]:
    """The call, tried: its numbers, its bytes, its seconds.

    A quick call is made twice: the bytes of the first contain what is kept for all later ones.
    """
    took = 0.0
    try:
        call = subject.prepare()
        row, result, took = _tried(subject, row, call, timer)
        if subject.arrays is not None:
            numbers = sampled(subject.arrays(result))
            first.append(numbers)
            if not same_numbers(numbers, first[0]):
                return replace(row, refused="not timed: other numbers", complete=True), None, 0.0
        del result
        if subject.traced and took <= SLOW:
            row, _, _ = _tried(subject, row, call, timer)
        require_none()
    except MemoryLimitError as error:
        return refused_result(row, error), None, 0.0
    except Exception as error:
        if not subject.foreign or isinstance(error, JacobianError):
            raise
        return replace(row, refused=f"not timed: {reason(error)}", complete=True), None, 0.0
    return row, call, took


def _tried(
    subject: Subject, row: Result, call: Candidate, timer: Timer
) -> tuple[Result, Any, float]:
    """One call: its bytes where they can be followed, its result, its seconds."""
    start = timer.clock()
    if subject.traced:
        with metered() as meter:
            peak, result = peak_bytes(call)
        row = replace(row, measured_bytes=peak, built_bytes=meter.peak_bytes or None)
    else:
        result = call()
    return row, result, timer.clock() - start
