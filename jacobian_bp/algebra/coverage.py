"""How many entries of a Jacobian can be other than zero, in each cell of a coarse grid.

Rows and columns are counted by the values of the axes that a delta joins: the entries of a
cell are then a sum of products of two small tables of counts, with a sign for each way in
which patterns overlap. Nothing of the Jacobian's size is built, and nothing is sampled:
samples of a fine staircase show stripes that are not there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations
from math import prod

import numpy as np

from ..errors import MemoryLimitError
from .axes import Axis
from .layouts import axis_order
from .structure.patterns import Classes, Pattern, Patterns, count, joined_classes, pruned
from .structure.relations import AxisKey, Relation, pairs

MOST_LINES = 2**22  # rows, and columns, that are gone through
MOST_LISTED = 2**21  # entries that are listed where positions choose them

Grid = tuple[int, int]


def coverage(
    found: Patterns,
    out: Sequence[Axis],
    wrt: Sequence[Axis],
    layout: str,
    grid: Grid,
    who: str,
) -> np.ndarray:
    """The share of entries that can be other than zero, exactly, in each cell of at most `grid`.

    `layout` is flat or flat_column. Raises MemoryLimitError for what has too many lines to be
    gone through, `who` it is.
    """
    sizes = {("out", p): axis.size for p, axis in enumerate(out)}
    sizes |= {("wrt", p): axis.size for p, axis in enumerate(wrt)}
    sides = _sides(layout, out, wrt)
    full = prod(sizes[key] for key in sides[0]), prod(sizes[key] for key in sides[1])
    if max(full) > MOST_LINES:
        raise MemoryLimitError(
            f"{who} is not drawn: it has {full[0]:,} rows and {full[1]:,} columns.\n"
            f"  At most {MOST_LINES:,} of each are counted. Draw a smaller network of this form."
        )
    cells = min(grid[0], full[0]), min(grid[1], full[1])
    total = np.zeros(cells, np.int64)
    if not any(pattern.related for pattern in found):
        for sign, equal in _signed(found):
            total += sign * _product(equal, sides, sizes, cells)
    else:
        listed = sum(count([pattern], sizes) for pattern in found)
        if listed > MOST_LISTED:
            raise MemoryLimitError(
                f"{who} is not drawn: {listed:,} entries can be other than zero.\n"
                f"  At most {MOST_LISTED:,} are listed where positions choose them. "
                "Draw fewer examples, or a smaller network of this form."
            )
        lines = [_places(rows, sides, sizes) for rows in (_entries(p, sizes) for p in found)]
        places = np.unique(np.concatenate(lines), axis=0)
        at = [_cell(places[:, s], full[s], cells[s]) for s in (0, 1)]
        np.add.at(total, tuple(at), 1)
    heights, widths = (
        np.bincount(_cell(np.arange(n), n, c)) for n, c in zip(full, cells, strict=True)
    )
    return total / np.outer(heights, widths)


def _sides(
    layout: str, out: Sequence[Axis], wrt: Sequence[Axis]
) -> tuple[list[AxisKey], list[AxisKey]]:
    """The axes of a row and of a column, the slowest first."""
    keys: dict[str, AxisKey] = {axis.name: ("out", p) for p, axis in enumerate(out)}
    keys |= {axis.name: ("wrt", p) for p, axis in enumerate(wrt)}
    order = [keys[name] for name in axis_order(layout, out, wrt)]
    return order[: len(out)], order[len(out) :]


def _cell(lines: np.ndarray, count: int, cells: int) -> np.ndarray:
    """In which of the cells each line lies."""
    return lines * cells // max(1, count)


def _signed(found: Iterable[Pattern]) -> Iterator[tuple[int, Classes]]:
    """The union of patterns as a sum, each term with its sign, in which no axes must differ."""
    kept = pruned(found)
    for number in range(1, len(kept) + 1):
        for chosen in combinations(kept, number):
            equal = joined_classes(c for p in chosen for c in p.equal)
            differ = [pair for p in chosen for pair in p.differ]
            yield from _without_differ((-1) ** (number + 1), equal, differ)


def _without_differ(
    sign: int, equal: Classes, differ: list[frozenset[AxisKey]]
) -> Iterator[tuple[int, Classes]]:
    """All entries, less those at which a pair that must differ is equal."""
    if not differ:
        yield sign, equal
        return
    yield from _without_differ(sign, equal, differ[1:])
    yield from _without_differ(-sign, joined_classes([*equal, differ[0]]), differ[1:])


def _product(
    equal: Classes,
    sides: tuple[list[AxisKey], list[AxisKey]],
    sizes: Mapping[AxisKey, int],
    cells: Grid,
) -> np.ndarray:
    """The entries in each cell at which the axes of each class are equal."""
    down = _counted(sides[0], sides[1], equal, sizes, cells[0], "down")
    across = _counted(sides[1], sides[0], equal, sizes, cells[1], "across")
    whole, row, partner = pairs(down[0], across[0])
    found = np.zeros(cells, np.int64)
    at = [whole.rows[:, whole.keys.index((side, 0))] for side in ("down", "across")]
    np.add.at(found, tuple(at), down[1][row] * across[1][partner])
    return found


def _counted(
    own: list[AxisKey],
    others: list[AxisKey],
    equal: Classes,
    sizes: Mapping[AxisKey, int],
    cells: int,
    side: str,
) -> tuple[Relation, np.ndarray]:
    """How many lines of each cell have each value of the axes that are joined across."""
    lines = prod(sizes[key] for key in own)
    shape = [sizes[key] for key in own]
    at = dict(zip(own, np.unravel_index(np.arange(lines), shape) if own else (), strict=True))
    alive, code = np.ones(lines, bool), np.zeros(lines, np.int64)
    for group in sorted(equal, key=sorted):
        mine = [key for key in own if key in group]
        for other in mine[1:]:
            alive &= at[mine[0]] == at[other]
        if mine and set(others) & group:
            code = code * max(sizes[key] for key in group) + at[mine[0]]
    both = (code * cells + _cell(np.arange(lines), lines, cells))[alive]  # one number, as sorted
    distinct, number = np.unique(both, return_counts=True)
    return Relation((("code", 0), (side, 0)), np.stack(np.divmod(distinct, cells), axis=1)), number


def _entries(
    pattern: Pattern, sizes: Mapping[AxisKey, int]
) -> tuple[Sequence[AxisKey], np.ndarray]:
    """Every entry that a pattern lets stand, as a row of the positions along its axes."""
    relations = list(pattern.related)
    for group in pattern.equal:
        first, *rest = sorted(group)
        for key in rest:
            line = np.arange(min(sizes[first], sizes[key]))
            relations.append(Relation.of([first, key], np.stack([line, line], axis=1)))
    known = {key for relation in relations for key in relation.keys}
    free = [key for key in sizes if key not in known]
    relations += [Relation.of([key], np.arange(sizes[key])[:, None]) for key in free]
    whole = reduce(Relation.joined, sorted(relations, key=len))
    rows = whole.rows
    for pair in pattern.differ:
        a, b = (whole.keys.index(key) for key in pair)
        rows = rows[rows[:, a] != rows[:, b]]
    return whole.keys, rows


def _places(
    entries: tuple[Sequence[AxisKey], np.ndarray],
    sides: tuple[list[AxisKey], list[AxisKey]],
    sizes: Mapping[AxisKey, int],
) -> np.ndarray:
    """The row and the column of each entry."""
    keys, rows = entries
    found = np.zeros((len(rows), 2), np.int64)
    for place, side in enumerate(sides):
        for key in side:
            found[:, place] = found[:, place] * sizes[key] + rows[:, keys.index(key)]
    return found
