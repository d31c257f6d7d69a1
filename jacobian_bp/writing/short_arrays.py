"""A matrix in fewer lines than rows: a column, blocks on its diagonal, diagonals in a row.

    [0.5; -1; 2]

    [1  2]  [5  6]  blocks on the diagonal, '.' beside them
    [3  4]  [7  8]

    [1  2  3]  [4  5  6]  diagonals one below another, '.' beside them

'.' is zero for every input, as in every printed array.
"""

from collections.abc import Callable, Sequence

import numpy as np

from .tables import DIGITS, right_aligned, zero_or_number

FEW_ROWS = 5  # of a matrix that is shown whole, whatever its form

Block = tuple[np.ndarray, np.ndarray]  # numbers, and where they can be other than zero


def in_fewer_lines(value: np.ndarray, can_be_nonzero: np.ndarray | None, room: int) -> list[str]:
    """A matrix of one of these forms in `room` columns; nothing for another one.

    >>> in_fewer_lines(np.array([[0.5], [-1.0], [2.0]]), None, 40)
    ['[0.5; -1; 2]']
    >>> block = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]])
    >>> twice = np.kron(np.eye(2), block), np.kron(np.eye(2), np.ones((3, 2))) > 0
    >>> print(*in_fewer_lines(*twice, 60), sep="\\n")
    [1  2]  2 such blocks on the diagonal, '.' beside them
    [3  4]
    [5  0]
    >>> below = np.kron(np.array([[2.0], [7.0]]), np.eye(3))
    >>> in_fewer_lines(below, below > 0, 70)
    ["[2  2  2]  [7  7  7]  diagonals one below another, '.' beside them"]
    """
    if value.ndim != 2 or len(value) < 2 or not value.size:
        return []
    mask = np.ones(value.shape, bool) if can_be_nonzero is None else can_be_nonzero
    if value.shape[1] == 1:
        return _first_that_fits(lambda digits: [_rows(value, mask, digits)], room)
    if len(value) <= FEW_ROWS:
        return []
    blocks, said = _on_the_diagonal(value, mask), "blocks on the diagonal"
    if len(blocks) == len(value):
        return []  # each of one row, which no other form is shorter than
    if len({(v.tobytes(), m.tobytes()) for v, m in blocks}) == 1:
        blocks, said = blocks[:1], f"{len(blocks)} such {said}"
    if not blocks:
        blocks, said = _diagonals_below(value, mask), "diagonals one below another"

    def ways(digits: int) -> list[list[str]]:
        first, *others = _side_by_side([_rows(*block, digits) for block in blocks])
        told = f"{said}, '.' beside them"
        return [[f"{first}  {told}", *others], [first, *others, told]]

    return _first_that_fits(ways, room) if blocks else []


def _first_that_fits(lines: Callable[[int], list[list[str]]], room: int) -> list[str]:
    """The first way to write it that fits, with as many digits as there is room for."""
    ways = (way for digits in DIGITS for way in lines(digits))
    return next((way for way in ways if max(map(len, way)) <= room), [])


def _on_the_diagonal(value: np.ndarray, mask: np.ndarray) -> list[Block]:
    """As many blocks of one size as there are with nothing beside them."""
    rows, columns = mask.shape
    for count in range(min(rows, columns), 1, -1):
        if rows % count or columns % count:
            continue
        high, wide = rows // count, columns // count
        places = [np.s_[k * high : (k + 1) * high, k * wide : (k + 1) * wide] for k in range(count)]
        if sum(int(mask[place].sum()) for place in places) == int(mask.sum()):
            return [(value[place], mask[place]) for place in places]
    return []


def _diagonals_below(value: np.ndarray, mask: np.ndarray) -> list[Block]:
    """The diagonals, as rows, of squares of which the matrix consists, nothing beside them."""
    rows, columns = mask.shape
    whole = np.tile(np.eye(columns, dtype=bool), (rows // columns, 1))
    if rows == columns or rows % columns or not np.array_equal(mask, whole):
        return []
    every = np.ones((1, columns), bool)
    return [(row[None], every) for row in value[whole].reshape(-1, columns)]


def _rows(value: np.ndarray, mask: np.ndarray, digits: int) -> list[str]:
    """A row on each line; the rows of one column on one, divided by semicolons."""
    cells = [zero_or_number(*row, digits) for row in zip(value, mask, strict=True)]
    if value.shape[1] == 1:
        return [f"[{'; '.join(cell for (cell,) in cells)}]"]
    return [f"[{row}]" for row in right_aligned(cells)]


def _side_by_side(blocks: Sequence[Sequence[str]]) -> list[str]:
    """Blocks of as many lines each, beside each other."""
    return ["  ".join(line) for line in zip(*blocks, strict=True)]
