"""One line of the results: what was predicted of one subject, and what was measured."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from .timing import Sample


@dataclass(frozen=True)
class Row:
    """A subject at one task. What is not known, or was refused, is None."""

    task: str
    quantity: str
    subject: str
    axis: str = ""  # what a sweep changes: width, depth, batch
    size: int | None = None
    dtype: str = ""
    multiplications: int | None = None
    nonzero_multiplications: int | None = None
    predicted_bytes: int | None = None
    largest: str = ""
    largest_bytes: int | None = None
    minimum: float | None = None
    median: float | None = None
    spread: float | None = None
    rounds: int = 0
    calls: int = 0
    built_bytes: int | None = None  # arrays of the full route, followed from birth to death
    measured_bytes: int | None = None  # all that numpy allocated at the peak
    refused: str = ""
    complete: bool = False

    def timed(self, sample: Sample | None, rounds_done: bool) -> "Row":
        """The row with its seconds; without a sample as it is."""
        if sample is None or not sample.seconds:
            return self
        return replace(
            self,
            minimum=sample.minimum,
            median=sample.median,
            spread=sample.spread,
            rounds=sample.rounds,
            calls=sample.calls,
            complete=rounds_done,
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def ratio(row: Row, base: Row | None) -> float | None:
    """How many times as long as `base`, by their minima; None where one has no length."""
    if base is None or row.minimum is None or not base.minimum:
        return None
    return row.minimum / base.minimum
