"""Seconds of several calls, measured side by side.

Each candidate is called once to warm up, unless it is known to be slow; a call
shorter than the clock can resolve is timed in batches; the candidates take turns,
so that a busy moment of the machine strikes all of them. The minimum is the least
disturbed call, median and spread (the interquartile range) say how disturbed the
others were.
"""

import gc
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from ...routes.difference import Progress
from .stopping import require_none

ROUNDS = 15
SHORTEST = 2e-4  # seconds of one timed batch: a thousand ticks of a clock of 200 ns
MOST_CALLS = 2**16  # in one batch, for calls that take next to no time
UNSEEN_CALLS = 2**4  # a clock that shows nothing of so many stands still, or runs backwards
TRIES = 3  # a clock that ran backwards is read again
SLOW = 0.1  # seconds of a call that needs no second one to be known as slow
BUDGET, FEWEST_ROUNDS = 3.0, 3  # seconds after which a slow candidate has had its rounds
VERY_SLOW = 10.0  # seconds of a call that is timed once

Candidate = Callable[[], object]


@dataclass
class Sample:
    """Seconds a call, one number a round, each the mean of `calls` calls."""

    calls: int = 1
    seconds: list[float] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        return len(self.seconds)

    @property
    def minimum(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """The interquartile range: half of the rounds lie within it.

        >>> Sample(1, [1.0, 2.0, 3.0, 4.0, 100.0]).spread, Sample(1, [7.0]).spread
        (2.0, 0.0)
        """
        return quantile(self.seconds, 0.75) - quantile(self.seconds, 0.25)


@dataclass(frozen=True)
class Timer:
    """How often to measure, and by which clock.

    `rounds` None means 15, fewer (from 3 up) for a candidate that takes long, and one
    where a call takes more than ten seconds.

    >>> ticks = iter(range(1000))
    >>> samples = Timer(rounds=2, clock=lambda: float(next(ticks))).measure({"f": int})
    >>> samples["f"].seconds
    [1.0, 1.0]
    """

    rounds: int | None = None
    clock: Callable[[], float] = time.perf_counter
    shortest: float = SHORTEST

    def measure(
        self,
        calls: Mapping[str, Candidate],
        samples: dict[str, Sample] | None = None,
        progress: Progress | None = None,
        warm: Collection[str] = (),
    ) -> dict[str, Sample]:
        """Time every call; `samples` fills up round by round, and keeps them when interrupted.

        Those in `warm` are slow and have been called before: no further call warms them up.
        """
        samples = {} if samples is None else samples
        total = self.rounds or ROUNDS
        with collector_off():
            for name, call in calls.items():
                samples[name] = Sample(1 if name in warm else self._calls_in_a_batch(call))
            for done in range(total):
                for name, call in calls.items():
                    if self.rounds or not _has_had_enough(samples[name]):
                        samples[name].seconds.append(self._seconds(call, samples[name].calls))
                if progress:
                    progress(done + 1, total)
        return samples

    def _calls_in_a_batch(self, call: Candidate) -> int:
        """How many calls, a power of two, last longer than the shortest batch; this warms up.

        One where the clock shows nothing: no batch is long enough for such a clock.
        """
        calls = 1
        if self._seconds(call, 1) > SLOW:
            return calls
        while calls < MOST_CALLS and (each := self._seconds(call, calls)) * calls < self.shortest:
            if each == 0 and calls >= UNSEEN_CALLS:
                return 1
            calls *= 2
        return calls

    def _seconds(self, call: Candidate, calls: int) -> float:
        """Seconds of one call; 0 where the clock keeps running backwards."""
        for _ in range(TRIES):
            start = self.clock()
            for _ in range(calls):
                call()
            elapsed = self.clock() - start
            require_none()
            if elapsed >= 0:
                return elapsed / calls
        return 0.0


def quantile(values: list[float], share: float) -> float:
    """The value below which a share of them lies, on the line between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@contextmanager
def collector_off() -> Iterator[None]:
    """No garbage collection between two readings of the clock."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _has_had_enough(sample: Sample) -> bool:
    spent = sum(sample.seconds) * sample.calls
    return spent > VERY_SLOW or (sample.rounds >= FEWEST_ROUNDS and spent > BUDGET)
