"""The numbers of a Jacobian: in its layout where they fit, else slice by slice of the tensor."""

from ..algebra.jacobian import Jacobian
from ..algebra.layouts import layout_axes
from ..errors import MemoryLimitError
from ..numbers.memory import format_bytes
from ..writing.long_arrays import MOST_NUMBERS, fits_a_page, leaves_out, long_block
from ..writing.tables import about, fold, plain_block

LARGEST_BUILT = 64 * 64 * 10  # entries that are built to be printed without being asked for
LARGEST_PRINTED = 2**24  # entries that are built to be printed when everything is asked for


def numbers(jacobian: Jacobian, layout: str, room: int, everything: bool = False) -> list[str]:
    """The entries in `room` columns: laid out as asked, or the tensor's rows, and that is said.

    Above MOST_NUMBERS entries that can be other than 0 there is one line about them, unless
    `everything` is asked for.
    """
    size = f"{jacobian.size:,} entries, {format_bytes(jacobian.nbytes)}"
    if jacobian.size > LARGEST_PRINTED:
        return [f"[{size}: too many to print]"]
    if jacobian.size > LARGEST_BUILT and not everything:
        return [f"[{size}: not built here]"]
    most = float("inf") if everything else MOST_NUMBERS
    try:
        value, mask = jacobian.materialise(layout), jacobian.can_be_nonzero(layout)
        in_rows = value.ndim < 4 and not leaves_out(mask, everything)
        block = plain_block(value, mask, room) if in_rows else []
        if block or len(jacobian.axes) < 3:
            return block or long_block(value, mask, room, most, everything)
        if layout != "numerator":
            value, mask = jacobian.materialise(), jacobian.can_be_nonzero()
    except MemoryLimitError:
        return [f"[{size}: not built, the memory limit is lower]"]
    if not fits_a_page(mask, most):
        return [about(value)]
    said = [_slices(jacobian, layout), "rows of '.' alone left out"]
    said = said if leaves_out(mask, everything) else said[:1]
    return [*fold("; ".join(said), room), *long_block(value, mask, room, most, everything)]


def _slices(jacobian: Jacobian, layout: str) -> str:
    """Why there are slices, and what a row is: [k,k',:] is ∂z1[k]/∂W1[k',:]."""
    out = [axis.name for axis in jacobian.out_axes]
    within = [*(axis.name for axis in jacobian.wrt_axes[:-1]), ":"]
    of = f"{jacobian.of}[{','.join(out)}]" if out else jacobian.of
    row = ",".join([*out, *within])
    meant = f"[{row}] is ∂{of}/∂{jacobian.wrt}[{','.join(within)}]"
    axes = jacobian.out_axes, jacobian.wrt_axes
    if layout_axes(layout, *axes) == layout_axes("numerator", *axes):
        return f"slices of the tensor: {meant}"
    why = "too wide laid flat" if layout.startswith("flat") else f"too large in layout {layout}"
    return f"slices, {why}: {meant}"
