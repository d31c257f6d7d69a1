"""Arrays too long for one block: rows folded and numbered, rows without a number left out.

    [2,:]    row 2, whole
    [2,8:]   row 2 from its entry 8 on: what stands before it is on the lines above
    [1,2,:]  row 2 of slice 1
    [1,1,:], [2,2,:], … [7,7,:]: each the same as [0,0,:]

'.' is zero for every input, as in every printed array.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .signs import vector
from .tables import DIGITS, MOST_ROWS, about, line_of, plain_block, wrapped, zero_or_number

MOST_NUMBERS = 640  # of one array that is printed without being asked for: ten rows of 64
MOST_WHOLE = 36  # rows, those without a number too: six slices of six
MOST_EMPTY_ROWS, MOST_EMPTY = 16, 64  # rows of '.' alone, and their entries: four slices of four
MOST_LINES = 16  # of rows, before a row that is the same as another is told in words
ROUND = (10, 5, 4, 2, 1)  # counts of entries on a line, those first in which a place is soon found
FEW_ON_A_DIAGONAL = 3  # a square of so many rows is shown whole


def long_block(
    value: np.ndarray,
    can_be_nonzero: np.ndarray | None,
    room: int,
    most: float = MOST_NUMBERS,
    whole: bool = False,
) -> list[str]:
    """An array row by row in at most `room` columns, or one line about it above `most` numbers.

    Rows that are the same as another are told in words, and many rows of '.' alone are left
    out; a `whole` array has the former, and up to MOST_WHOLE rows the latter.

    >>> for line in long_block(np.arange(1.0, 12.0) / 8, None, 34):
    ...     print(line)
    [0:]   0.125   0.25  0.375    0.5
    [4:]   0.625   0.75  0.875      1
    [8:]    1.12   1.25   1.38
    """
    mask = np.ones(value.shape, bool) if can_be_nonzero is None else can_be_nonzero
    most_rows = MOST_WHOLE if value.ndim == 3 else MOST_ROWS
    in_rows = value.ndim < 4 and not leaves_out(mask, whole)
    block = plain_block(value, mask, room, most_rows) if in_rows else []
    if block or not value.size:
        return block or [about(value)]
    if not mask.any():
        return ["every entry is '.'"]
    if not fits_a_page(mask, most):
        return [about(value)]
    if _is_diagonal(mask):
        told = "its diagonal, from entry [0,0] on; every entry beside it is '.'"
        return [told, *long_block(np.diagonal(value), None, room, most)]
    return _rows(value, mask, room, whole)


def diagonal_line(value: np.ndarray, can_be_nonzero: np.ndarray, room: int) -> list[str]:
    """A diagonal matrix on one line where it fits, nothing where it is not one, or is small.

    >>> slopes = np.array([1.0, 0.0, 0.5, 1.0])
    >>> diagonal_line(np.diag(slopes), np.eye(4, dtype=bool), 60)
    ["diagonal [1  0  0.5  1], '.' beside it"]
    """
    if not _is_diagonal(can_be_nonzero) or len(value) <= FEW_ON_A_DIAGONAL:
        return []
    for digits in DIGITS:
        line = f"diagonal {vector(np.diagonal(value), digits, len(value))}, '.' beside it"
        if len(line) <= room:
            return [line]
    return []


def fits_a_page(mask: np.ndarray, most: float = MOST_NUMBERS) -> bool:
    """Whether at most so many numbers are to be written: those of a diagonal, or of whole rows."""
    return (len(mask) if _is_diagonal(mask) else count_shown(mask)) <= most


def count_shown(mask: np.ndarray) -> int:
    """The entries of the rows in which there can be a number."""
    return int(mask.any(axis=-1).sum()) * mask.shape[-1]


def leaves_out(mask: np.ndarray, whole: bool = False) -> bool:
    """Whether rows in which every entry is '.' are left out: where there are many of them."""
    some = mask.any(axis=-1)
    if mask.ndim < 3 or some.all():
        return mask.ndim == 2 and some.size > MOST_WHOLE and not some.all()
    empty = int((~some).sum())
    if whole:
        return some.size > MOST_WHOLE
    return empty > MOST_EMPTY_ROWS or empty * mask.shape[-1] > MOST_EMPTY


def _rows(value: np.ndarray, mask: np.ndarray, room: int, whole: bool) -> list[str]:
    """Each row under its index, in columns that all rows share."""
    length = value.shape[-1]
    places = [tuple(map(int, p)) for p in np.ndindex(*value.shape[:-1])]
    if leaves_out(mask, whole):
        places = [p for p in places if mask[p].any()]
    head = max(len(_label(p, length)) for p in places) + 1
    cells, each, widths = _set(value, mask, places, room - head)
    lines_each = -(-length // each)
    same = _same(value, mask, places)
    if whole or len(places) * lines_each <= (MOST_LINES if lines_each == 1 else lines_each):
        same = {place: [] for place in places}
    lines = []
    for place, others in same.items():
        row = cells[place]
        for start in range(0, length, each):
            part = line_of(row[start : start + each], widths[: len(row) - start])
            label = _label(place) if each >= length else _label(place, start)
            lines.append(f"{label:<{head}}{part}")
        lines += wrapped(_the_same(others, place), room, rest="    ") if others else []
    return lines


def _set(
    value: np.ndarray, mask: np.ndarray, places: Sequence[tuple[int, ...]], room: int
) -> tuple[dict[tuple[int, ...], list[str]], int, list[int]]:
    """The cells of each row, how many stand on a line, and how wide their columns are.

    Fewer digits are written before a row is folded.
    """
    length = value.shape[-1]
    for digits in DIGITS:
        cells = {place: zero_or_number(value[place], mask[place], digits) for place in places}
        wide = [max(map(len, column)) for column in zip(*cells.values(), strict=True)]
        if sum(wide) + 2 * (length - 1) <= room:
            return cells, length, wide
    lengths = range(1, min(length, room))
    fitting = [n for n in lengths if sum(_folded(wide, n)) + 2 * (n - 1) <= room] or [1]
    fewest = -(-length // fitting[-1])
    best = [n for n in fitting if -(-length // n) == fewest]
    each = next(n for unit in ROUND for n in best if n % unit == 0)
    return cells, each, _folded(wide, each)


def _folded(wide: Sequence[int], each: int) -> list[int]:
    """The width of each column where so many entries of a row stand on a line."""
    return [max(wide[position::each]) for position in range(each)]


def _same(
    value: np.ndarray, mask: np.ndarray, places: Sequence[tuple[int, ...]]
) -> dict[tuple[int, ...], list[tuple[int, ...]]]:
    """The first of all rows that are the same, to the last bit, and the others."""
    found: dict[tuple[bytes, bytes], list[tuple[int, ...]]] = {}
    for place in places:
        found.setdefault((value[place].tobytes(), mask[place].tobytes()), []).append(place)
    return {first: others for first, *others in found.values()}


def _the_same(others: Sequence[tuple[int, ...]], first: tuple[int, ...]) -> str:
    """[1,1,:], [2,2,:], … [7,7,:]: each the same as [0,0,:]; all are named where uneven."""
    names = [_label(place) for place in others]
    steps = {tuple(np.subtract(b, a)) for a, b in pairwise([first, *others])}
    if len(others) > 3 and len(steps) == 1:
        names = [*names[:2], f"… {names[-1]}"]
    listed = ", ".join(names).replace(", …", " …")
    return f"{listed}: {'each ' if len(others) > 1 else ''}the same as {_label(first)}"


def _label(place: tuple[int, ...], start: int | None = None) -> str:
    """[1,2,:] for a row, [1,2,8:] for what of it begins at entry 8."""
    return f"[{','.join(map(str, place))}{',' if place else ''}{'' if start is None else start}:]"


def _is_diagonal(mask: np.ndarray) -> bool:
    square = mask.ndim == 2 and 1 < mask.shape[0] == mask.shape[1]
    return square and bool(np.array_equal(mask, np.eye(len(mask), dtype=bool)))
