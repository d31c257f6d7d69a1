"""What a long check will do and about how long it takes, counted before it begins."""

from math import prod

from ..program.forward_pass import Pass
from .by_differences import entries_in_time, work_per_entry
from .of_hessian import columns_compared

LARGEST_COMPARED = 2**29  # bytes of one array that a check builds; the routes have the full limit
PER_STEP = 1.6e-3  # seconds for the full and the structured route and the scale of the sums
PER_ENTRY = 8e-9  # of a whole local Jacobian
PER_WORK = 2e-9  # of what the difference route reads and writes
PER_BLOCK_BUILT = 0.5e-3  # of a Hessian that is built
PER_BLOCK_WRITTEN = 1.7e-3  # of one that is written out
PER_STEP_OF_COLUMN = 1.6e-4  # four gradients, and H e
PER_ENTRY_OF_COLUMN = 4e-7
PER_PAIR_OF_STEPS = 4e-5  # of the entries that can be other than zero, counted
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
        f"the check takes about {_rounded(seconds)}: the full and the structured route through "
        f"{len(state.program.steps):,} steps, the difference route at {sampled:,} of "
        f"{total:,} entries"
    )


def second_announcement(state: Pass, built: bool, everything: bool) -> str:
    """The same for a page of second derivatives, whose whole matrix is `built` or not."""
    seconds = expected_of_second(state, built, everything)
    if seconds < LONG:
        return ""
    arrays = len(state.program.params)
    total = sum(state.values[name].size for name in state.program.params)
    blocks = f"{arrays * (arrays + 1) // 2:,} blocks, " * (built or everything)
    return (
        f"the page takes about {_rounded(seconds)}: {blocks}differences of the gradient "
        f"by {columns_compared(total, built):,} of {total:,} entries"
    )


def expected_of_second(state: Pass, built: bool, everything: bool) -> float:
    """From the number of blocks, and of gradients that are differenced, and their entries."""
    steps, arrays = len(state.program.steps), len(state.program.params)
    total = sum(state.values[name].size for name in state.program.params)
    blocks = arrays**2 * (PER_BLOCK_BUILT * built + PER_BLOCK_WRITTEN * everything)
    entries = sum(state.values[arg].size for step in state.program.steps for arg in step.args)
    column = steps * PER_STEP_OF_COLUMN + entries * PER_ENTRY_OF_COLUMN
    return blocks + columns_compared(total, built) * column + PER_PAIR_OF_STEPS * steps**2


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


def _rounded(seconds: float) -> str:
    """10 s, 40 s, 3 min: an estimate has one digit."""
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return (
        f"{5 * round(seconds / 5):.0f} s" if seconds < 20 else f"{10 * round(seconds / 10):.0f} s"
    )
