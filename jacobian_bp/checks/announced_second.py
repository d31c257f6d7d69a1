"""About how long a page of second derivatives takes, counted before it begins."""

from ..program.forward_pass import Pass
from .announced import LONG, rounded
from .of_hessian import columns_compared

PER_BLOCK_BUILT = 0.5e-3  # of a Hessian that is built
PER_BLOCK_WRITTEN = 1.7e-3  # of one that is written out
PER_STEP_OF_COLUMN = 1.6e-4  # four gradients, and H e
PER_ENTRY_OF_COLUMN = 4e-7
PER_PAIR_OF_STEPS = 4e-5  # of the entries that can be other than zero, counted


def second_announcement(state: Pass, built: bool, everything: bool) -> str:
    """The same for a page of second derivatives, whose whole matrix is `built` or not."""
    seconds = expected_of_second(state, built, everything)
    if seconds < LONG:
        return ""
    arrays = len(state.program.params)
    total = sum(state.values[name].size for name in state.program.params)
    blocks = f"{arrays * (arrays + 1) // 2:,} blocks, " * (built or everything)
    return (
        f"the page takes about {rounded(seconds)}: {blocks}differences of the gradient "
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
