"""What a long check will do and about how long it takes, counted before it begins."""

from math import prod

from ..program.forward_pass import Pass
from .by_differences import entries_in_time, work_per_entry

LARGEST_COMPARED = 2**29  # bytes of one array that a check builds; the routes have the full limit
PER_STEP = 1.6e-3  # seconds for the full and the structured route and the scale of the sums
PER_ENTRY = 8e-9  # of a whole local Jacobian
PER_WORK = 2e-9  # of what the difference route reads and writes
LONG = 5.0  # seconds from which it is said beforehand


def announcement(state: Pass) -> str:
    """One sentence for whoever waits, empty for a check that is soon done.

    On a machine of today; it counts steps and entries and measures nothing.
    """
    seconds = expected_seconds(state)
    if seconds < LONG:
        return ""
    total = sum(state.values[name].size for name in state.program.params)
    sampled = min(total, entries_in_time(state))
    return (
        f"the check takes about {rounded(seconds)}: the full and the structured route through "
        f"{len(state.program.steps):,} steps, the difference route at {sampled:,} of "
        f"{total:,} entries"
    )


def expected_seconds(state: Pass) -> float:
    """From the number of steps, the entries of whole Jacobians, and those that are perturbed."""
    steps = [step.active() for step in state.program.steps]
    sizes = [
        prod((state.values[step.name].size, state.values[arg].size))
        for step in steps
        for arg in step.args
    ]
    whole = sum(size for size in sizes if size * state.dtype.itemsize <= LARGEST_COMPARED)
    total = sum(state.values[name].size for name in state.program.params)
    perturbed = min(total, entries_in_time(state)) * work_per_entry(state)
    return len(steps) * PER_STEP + whole * PER_ENTRY + perturbed * PER_WORK


def rounded(seconds: float) -> str:
    """10 s, 40 s, 3 min: an estimate has one digit."""
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return (
        f"{5 * round(seconds / 5):.0f} s" if seconds < 20 else f"{10 * round(seconds / 10):.0f} s"
    )
