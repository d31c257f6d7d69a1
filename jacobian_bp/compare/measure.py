"""Subjects side by side at one task: bytes first, then seconds; what does not fit is refused."""

import mmap
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import MemoryLimitError
from ..memory import current_limit, format_bytes, metered
from .cost import RouteCost
from .row import Row
from .subjects import Subject
from .task import Arrays
from .timing import Call, Report, Sample, Timer

REFUSED = "refused"
MOST_COMPARED = 1_000_000  # entries of an array

Sampled = dict[str, tuple[tuple[int, ...], np.ndarray]]


@dataclass
class Journal:
    """The rows as they are finished; what an interrupted measurement leaves."""

    rows: list[Row] = field(default_factory=list)
    shown: int = 0  # how many of them stand on the screen

    def show(self) -> None:
        """All rows up to here have been printed."""
        self.shown = len(self.rows)


def measure(
    blank: Row,
    subjects: Sequence[Subject],
    journal: Journal,
    timer: Timer,
    costs: Sequence[RouteCost] = (),
    report: Report | None = None,
) -> list[Row]:
    """A row for each subject, which the journal gets also where this is interrupted.

    `blank` is a row that says the task; `costs` are the predictions, by the
    subjects' names. A subject whose arrays would not fit is not called: its row says
    the bytes, and "refused". A subject whose numbers are not those of the first
    that gives any is not timed.
    """
    predicted = {cost.route: cost for cost in costs}
    rows = {s.name: _predicted(replace(blank, subject=s.name), s, predicted) for s in subjects}
    samples: dict[str, Sample] = {}
    calls: dict[str, Call] = {}
    first: list[Sampled] = []
    done = False
    try:
        for subject in subjects:
            if not rows[subject.name].refused:
                rows[subject.name], call = _prepared(subject, rows[subject.name], first)
                calls |= {subject.name: call} if call else {}
        timer.measure(calls, samples, report)
        done = True
    finally:
        found = [row.timed(samples.get(row.subject), done) for row in rows.values()]
        kept = [row for row in found if row.rounds or row.refused]
        journal.rows += kept
    return kept


def peak_bytes(call: Call) -> int:
    """The bytes that Python and numpy allocate at the peak of one call, its result among them.

    Pages that are mapped for the result pass by Python's allocator, and are added.
    """
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = call()
        return tracemalloc.get_traced_memory()[1] - before + mapped_bytes(result)
    finally:
        if not was_tracing:
            tracemalloc.stop()


def mapped_bytes(result: object) -> int:
    """The bytes of an array that lies in pages of its own; 0 for any other result."""
    count, owner = 0, result
    while isinstance(owner, np.ndarray):
        count, owner = owner.nbytes, owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    return count if isinstance(owner, mmap.mmap) else 0


def sampled(arrays: Arrays) -> Sampled:
    """The shape of each array and some of its entries, evenly spread: enough to compare."""
    found = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        step = max(1, array.size // MOST_COMPARED)
        found[name] = (array.shape, array.reshape(-1)[::step].copy())
    return found


def agree(found: Sampled, reference: Sampled) -> bool:
    """Whether two results are the same up to rounding, relative to each array's largest entry."""
    for name, (shape, entries) in reference.items():
        if name not in found or found[name][0] != shape:
            return False
        scale = float(np.max(np.abs(entries), initial=0.0))
        tolerance = float(np.sqrt(np.finfo(entries.dtype).eps)) * scale
        if not np.allclose(found[name][1], entries, rtol=0, atol=tolerance):
            return False
    return True


def refused_row(blank: Row, error: MemoryLimitError) -> Row:
    """The row of what could not even be set up."""
    return replace(blank, refused=f"{REFUSED}: {str(error).splitlines()[0]}", complete=True)


def with_cost(row: Row, cost: RouteCost) -> Row:
    """The row with what the shapes say."""
    return replace(
        row,
        multiplications=cost.multiplications,
        nonzero_multiplications=cost.nonzero_multiplications,
        predicted_bytes=cost.peak_bytes,
        largest=f"{cost.largest[0]} {cost.largest[1]}",
        largest_bytes=cost.largest_bytes,
    )


def refused(row: Row, beside: int = 0) -> Row:
    """The row of what would not fit, with its bytes; `beside` are those of network and data."""
    bytes_, limit = row.predicted_bytes or 0, format_bytes(current_limit())
    words = f"{REFUSED}: {format_bytes(bytes_)}"
    if bytes_ <= current_limit():
        words += f", and {format_bytes(beside)} for the network"
    return replace(row, refused=f"{words}; the limit is {limit}", complete=True)


def _predicted(row: Row, subject: Subject, costs: dict[str, RouteCost]) -> Row:
    """The row with what is known from shapes; refused where that does not fit."""
    if subject.name in costs:
        row = with_cost(row, costs[subject.name])
    elif subject.needs:
        row = replace(row, predicted_bytes=subject.needs)
    return row if (row.predicted_bytes or 0) <= current_limit() else refused(row)


def _prepared(subject: Subject, row: Row, first: list[Sampled]) -> tuple[Row, Call | None]:
    """The call, tried: once for its numbers, again for its bytes where they can be followed."""
    try:
        call = subject.prepare()
        result = call()
        if subject.arrays is not None:
            numbers = sampled(subject.arrays(result))
            first.append(numbers)
            if not agree(numbers, first[0]):
                return replace(row, refused="not timed: other numbers", complete=True), None
        del result
        if subject.traced:
            with metered() as meter:
                peak = peak_bytes(call)
            row = replace(row, measured_bytes=peak, built_bytes=meter.peak_bytes or None)
    except MemoryLimitError as error:
        return refused_row(row, error), None
    return row, call
