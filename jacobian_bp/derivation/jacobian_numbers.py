"""The numbers of a Jacobian: in its layout where they fit, else slice by slice of the tensor."""

from ..algebra.axes import BATCH
from ..algebra.jacobian import Jacobian
from ..algebra.layouts import layout_axes
from ..document.blocks import Entries, Matrix
from ..document.text_matrices import matrix_lines
from ..numbers.memory import format_bytes
from ..writing.long_arrays import MOST_NUMBERS

LARGEST_BUILT = 64 * 64 * 10  # entries that are built to be printed without being asked for
MOST_EXAMPLES = 16  # of a batch that is built so, to print the first
LARGEST_PRINTED = 2**24  # entries that are built to be printed when everything is asked for


def numbers(jacobian: Jacobian, layout: str, room: int, everything: bool = False) -> list[str]:
    """The entries in `room` columns: laid out as asked, or the tensor's rows, and that is said.

    Above MOST_NUMBERS entries that can be other than 0 there is one line about them, unless
    `everything` is asked for.
    """
    return matrix_lines(matrix_of(jacobian, layout, everything), room)


def matrix_of(
    jacobian: Jacobian, layout: str, everything: bool = False, structure: str = ""
) -> Matrix:
    """The entries as a block of a document, which builds them when they are rendered.

    Where the `structure` is said, an identity counts as known, and a diagonal is one line.
    """
    size = f"{jacobian.size:,} entries, {format_bytes(jacobian.nbytes)}"

    def entries(arranged: str) -> Entries:
        return jacobian.materialise(arranged), jacobian.can_be_nonzero(arranged)

    refused = ""
    if jacobian.size > LARGEST_PRINTED:
        refused = f"[{size}: too many to print]"
    elif jacobian.size > largest_built(jacobian) and not everything:
        refused = f"[{size}: not built here]"
    known = structure in ("identity", "delta ⊗ ones", "ones")
    diagonal = structure == "diagonal" and not everything and not refused
    return Matrix(
        laid_out=lambda: entries(layout),
        tensor=(lambda: entries("numerator")) if len(jacobian.axes) > 2 else None,
        slices=_slices(jacobian, layout),
        refused=refused,
        beyond_memory=f"[{size}: not built, the memory limit is lower]",
        form="known" if known else "diagonal" if diagonal else "",
        most=float("inf") if everything else MOST_NUMBERS,
        whole=everything,
        examples=examples_of(jacobian),
    )


def examples_of(jacobian: Jacobian) -> int:
    """How many examples its value has, each with a slice of its own; 0 for one without a batch."""
    out = jacobian.out_axes
    return out[0].size if len(out) > 1 and out[0].name == BATCH else 0


def largest_built(jacobian: Jacobian) -> int:
    """So many entries are built to be printed without being asked for."""
    return LARGEST_BUILT * min(max(1, examples_of(jacobian)), MOST_EXAMPLES)


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
