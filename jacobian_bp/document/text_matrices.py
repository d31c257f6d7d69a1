"""A matrix as lines of text: laid out where it fits, else slice by slice, else told of."""

from ..errors import MemoryLimitError
from ..writing.long_arrays import diagonal_line, fits_a_page, leaves_out, long_block
from ..writing.short_arrays import in_fewer_lines
from ..writing.tables import about, fold, plain_block
from .blocks import Entries, Matrix

LAID_OUT_AXES = 3  # above them an array is not laid out in rows


def matrix_lines(matrix: Matrix, room: int) -> list[str]:
    """The entries in `room` columns; where the tensor's rows stand for them, that is said."""
    if matrix.refused:
        return [matrix.refused]
    try:
        return _lines(matrix, room)
    except MemoryLimitError:
        return [matrix.beyond_memory]


def lines_below(matrix: Matrix, room: int) -> list[str]:
    """The same below a row, which says some entries already; diagonals and columns are short."""
    if matrix.form == "known":
        return []
    if matrix.form == "diagonal":
        value, mask = (matrix.tensor or matrix.laid_out)()
        told = diagonal_line(value, mask, room) if mask is not None else []
        return told or matrix_lines(matrix, room)
    lines = matrix_lines(matrix, room)
    if len(lines) < 2 or matrix.whole:
        return lines
    shorter = in_fewer_lines(*matrix.laid_out(), room)
    return shorter if 0 < len(shorter) < len(lines) else lines


def _lines(matrix: Matrix, room: int) -> list[str]:
    value, mask = matrix.laid_out()
    thin = value.ndim <= LAID_OUT_AXES or matrix.deep
    in_rows = thin and not (mask is not None and leaves_out(mask, matrix.whole))
    block = plain_block(value, mask, room) if in_rows else []
    if block or matrix.tensor is None:
        return block or long_block(value, mask, room, matrix.most, matrix.whole)
    return _slices(matrix, matrix.tensor(), room)


def _slices(matrix: Matrix, entries: Entries, room: int) -> list[str]:
    value, mask = entries
    said = [matrix.slices]
    if mask is not None and matrix.examples > 1 and not fits_a_page(mask, matrix.most):
        value, mask = value[:1], mask[:1]
        said.append(f"the first of {matrix.examples} examples, --all prints the others")
    if mask is None or not fits_a_page(mask, matrix.most):
        return [about(entries[0])]
    if leaves_out(mask, matrix.whole):
        said.append("rows of '.' alone left out")
    block = long_block(value, mask, room, matrix.most, matrix.whole)
    return [*fold("; ".join(said), room), *block]
