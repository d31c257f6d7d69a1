"""How long a comparison will take, and its largest call, predicted before anything is timed.

Seconds are those of the counts: multiplications at RATE, bytes written at BANDWIDTH. They are
right within a few times, which is enough to tell a minute from an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import SpecError
from ...numbers.memory import current_limit, format_bytes
from ..cost.cost_card import RouteCost
from ..cost.limits import Left
from .timer import BUDGET, FEWEST_ROUNDS, ROUNDS, VERY_SLOW

RATE = 2_000_000_000  # multiplications a second, in products of whole arrays
BANDWIDTH = 1_000_000_000  # bytes a second
PATIENCE = 60.0  # seconds that nobody is asked about
ANNOUNCED = 1.0  # seconds of a call that is announced
MOST_OF_LIMIT = 2  # a call above one of so many parts of the memory limit is asked about


@dataclass(frozen=True)
class Call:
    """One route at one workload, as the shapes have it."""

    route: str
    workload: str
    multiplications: int
    peak_bytes: int

    @property
    def seconds(self) -> float:
        """Of one call."""
        return self.multiplications / RATE + self.peak_bytes / BANDWIDTH

    def all_rounds(self, rounds: int | None) -> float:
        """Of the call that is followed byte by byte, and of all rounds of timing."""
        most = BUDGET / self.seconds if self.seconds else ROUNDS
        usual = 1 if self.seconds > VERY_SLOW else min(ROUNDS, max(FEWEST_ROUNDS, most))
        return self.seconds * (1 + (rounds or usual))

    @property
    def name(self) -> str:
        return f"{self.route} at {self.workload}"

    @property
    def work(self) -> str:
        """What it does, and for how long."""
        return (
            f"{self.multiplications:,} multiplications, "
            f"{format_bytes(self.peak_bytes)} at its peak, {duration(self.seconds)}"
        )


@dataclass(frozen=True)
class Forecast:
    """Every call that will be made."""

    calls: tuple[Call, ...]
    rounds: int | None = None

    @property
    def seconds(self) -> float:
        """Of the whole comparison."""
        return sum(call.all_rounds(self.rounds) for call in self.calls)

    def lines(self) -> list[str]:
        """The largest call and what all take, where that is long enough to be told."""
        largest = max(self.calls, key=lambda call: call.seconds, default=None)
        if largest is None or largest.seconds < ANNOUNCED:
            return []
        return [f"largest   {largest.name}: {largest.work}; all calls: {duration(self.seconds)}"]

    def require_yes(self) -> None:
        """SpecError above a minute, or half of the memory limit: what --yes would start."""
        largest = max(self.calls, key=lambda call: call.seconds, default=None)
        fullest = max(self.calls, key=lambda call: call.peak_bytes, default=None)
        if largest is None or fullest is None:
            return
        smaller = "or write smaller sizes"
        if self.seconds > PATIENCE:
            raise SpecError(
                f"this comparison takes {duration(self.seconds)}.\n"
                f"  Its largest call is {largest.name}:\n"
                f"  {largest.work}.\n"
                f"  Add --yes to start it, {smaller}."
            )
        if fullest.peak_bytes * MOST_OF_LIMIT > current_limit():
            limit = format_bytes(current_limit())
            raise SpecError(
                f"this comparison takes more than half of the memory limit, {limit}.\n"
                f"  Its fullest call is {fullest.name}:\n"
                f"  {fullest.work}.\n"
                f"  Add --yes to start it, {smaller}."
            )


def calls_of(workload: str, costs: Sequence[RouteCost], left: Left) -> list[Call]:
    """The calls at one workload: those that fit and are not left out."""
    return [
        Call(cost.route, workload, cost.multiplications, cost.peak_bytes)
        for cost in costs
        if cost.route not in left and cost.peak_bytes <= current_limit()
    ]


def duration(seconds: float) -> str:
    """A prediction in words.

    >>> duration(0.3), duration(7.2), duration(100), duration(7200)
    ('less than 1 s', 'about 7 s', 'about 2 min', 'about 2 h')
    """
    if seconds < 1:
        return "less than 1 s"
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"about {seconds / length:.0f} {unit}"
    return f"about {seconds:.0f} s"
