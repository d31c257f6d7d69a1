"""Arrays too long for one block: rows folded and numbered, rows without a number left out.

    [2,:]    row 2, whole
    [2,8:]   row 2 from its entry 8 on: what stands before it is on the lines above
    [1,2,:]  row 2 of slice 1

'.' is zero for every input, as in every printed array.
"""

import numpy as np

from .tables import DIGITS, MOST_ROWS, about, plain_block, right_aligned, zero_or_number

MOST_NUMBERS = 640  # of one array that is printed without being asked for: ten rows of 64
MOST_WHOLE = 36  # rows, those without a number too: six slices of six


def long_block(
    value: np.ndarray, can_be_nonzero: np.ndarray | None, room: int, most: float = MOST_NUMBERS
) -> list[str]:
    """An array row by row in at most `room` columns, or one line about it above `most` numbers.

    >>> for line in long_block(np.arange(1.0, 12.0) / 8, None, 34):
    ...     print(line)
    [0:]   0.125   0.25  0.375    0.5
    [4:]   0.625   0.75  0.875      1
    [8:]    1.12   1.25   1.38
    """
    most_rows = MOST_WHOLE if value.ndim == 3 else MOST_ROWS
    block = plain_block(value, can_be_nonzero, room, most_rows) if value.ndim < 4 else []
    if block or not value.size:
        return block or [about(value)]
    mask = np.ones(value.shape, bool) if can_be_nonzero is None else can_be_nonzero
    if not mask.any():
        return ["every entry is '.'"]
    if not fits_a_page(mask, most):
        return [about(value)]
    if _is_diagonal(mask):
        told = "its diagonal, from entry [0,0] on; every entry beside it is '.'"
        return [told, *long_block(np.diagonal(value), None, room, most)]
    return _rows(value, mask, room)


def fits_a_page(mask: np.ndarray, most: float = MOST_NUMBERS) -> bool:
    """Whether at most so many numbers are to be written: those of a diagonal, or of whole rows."""
    return (len(mask) if _is_diagonal(mask) else count_shown(mask)) <= most


def count_shown(mask: np.ndarray) -> int:
    """The entries of the rows in which there can be a number."""
    return int(mask.any(axis=-1).sum()) * mask.shape[-1]


def leaves_out(mask: np.ndarray) -> bool:
    """Whether rows in which every entry is '.' are left out: in an array of many rows."""
    some = mask.any(axis=-1)
    return some.size > MOST_WHOLE and not some.all()


def _rows(value: np.ndarray, mask: np.ndarray, room: int) -> list[str]:
    """Each row under its index, in columns that all rows share."""
    length = value.shape[-1]
    places = [tuple(map(int, p)) for p in np.ndindex(*value.shape[:-1])]
    if leaves_out(mask):
        places = [p for p in places if mask[p].any()]
    head = max(len(_label(p, length)) for p in places) + 2
    for digits in DIGITS:
        cells = [zero_or_number(value[p], mask[p], digits) for p in places]
        lines = right_aligned(cells)
        if max(map(len, lines)) <= room - head:
            return [f"{_label(p):<{head}}{line}" for p, line in zip(places, lines, strict=True)]
    wide = max(len(cell) for row in cells for cell in row)
    each = max(1, (room - head + 2) // (wide + 2))
    each = each // 4 * 4 or each  # a count from which the place of an entry is soon seen
    lines = []
    for place, row in zip(places, cells, strict=True):
        for start in range(0, length, each):
            part = "  ".join(f"{cell:>{wide}}" for cell in row[start : start + each])
            lines.append(f"{_label(place, start):<{head}}{part}")
    return lines


def _label(place: tuple[int, ...], start: int | None = None) -> str:
    """[1,2,:] for a row, [1,2,8:] for what of it begins at entry 8."""
    return f"[{','.join(map(str, place))}{',' if place else ''}{'' if start is None else start}:]"


def _is_diagonal(mask: np.ndarray) -> bool:
    square = mask.ndim == 2 and 1 < mask.shape[0] == mask.shape[1]
    return square and bool(np.array_equal(mask, np.eye(len(mask), dtype=bool)))
