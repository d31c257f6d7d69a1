"""Small blocks side by side, written as one: what all of them are multiplied by is taken out.

    row of W1:  [ x[i] (H[k,k'] a[i'] + C[k,i'] d[k'])  |  x[i] H[k,k']  |  … ]
                    =  x[i] [ H[k,k'] a[i'] + C[k,i'] d[k']  |  H[k,k']  |  … ]
    row of b1:  the same without x[i]

All blocks in the row of W1 have the factor x[i], because W1 is read by z1 = W1 x alone. So each
is written without it, into a strip whose rows are those of k, and one product makes the strip all
of the row. A deep network has a block for each two of its layers, and a strip for each layer.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..algebra.axes import Axis
from ..algebra.expression import Delta, Dense, Expression, One
from ..algebra.kept_apart import in_both, without
from ..algebra.products.placing import written_to
from ..algebra.products.placing_planned import Writer
from ..algebra.tape import Tape
from ..numbers.arrays import size_bound
from .placed_blocks import PlacedBlock, spot_of_block

COLUMNS = "columns"  # the one axis of all columns of a strip
NARROW = {Dense, One, Delta}  # the factors of blocks that are written so


@dataclass(frozen=True, eq=False)
class Stretch:
    """Blocks of one row, side by side, and the factors that all of them are multiplied by."""

    blocks: list[PlacedBlock]
    common: list[Dense]

    @property
    def inner(self) -> list[Axis]:
        """The axes of the rows without those of the common factors."""
        outer = {axis for factor in self.common for axis in factor.axes}
        return [axis for axis in self.blocks[0].before if axis.name not in outer]

    @property
    def columns(self) -> slice:
        return slice(self.blocks[0].columns.start, self.blocks[-1].columns.stop)

    def rest(self, block: PlacedBlock) -> Expression:
        """The formula of a block without the common factors."""
        return Expression(tuple([without(term, self.common) for term in block.formula.terms]))

    @property
    def narrow(self) -> dict[int, Hashable]:
        """What each block is without the common factors, by its first column."""
        rests = {block.columns.start: self.rest(block) for block in self.blocks}
        inner = tuple(self.inner)
        return {
            column: (inner, rest.skeleton, tuple([id(array) for array in rest.arrays]))
            for column, rest in rests.items()
        }


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the whole that is columns of a strip times common factors."""

    stretch: Stretch
    part: slice  # of the strip's columns
    shape: tuple[int, ...]  # of the strip with an axis for each index of its rows
    common: Sequence[int]
    write: Writer

    def put(self, arrays: Sequence[np.ndarray], strip: np.ndarray, whole: np.ndarray) -> float:
        """Write the row, and the blocks below the diagonal. A bound of the size of its entries."""
        own = [arrays[seat] for seat in self.common]
        self.write([*own, strip.reshape(self.shape)[..., self.part]], whole)
        head, columns = self.stretch.blocks[0], self.stretch.columns
        beyond = slice(head.columns.stop, columns.stop) if head.is_diagonal else columns
        whole[..., beyond, head.rows] = whole[..., head.rows, beyond].swapaxes(-1, -2)
        return prod(map(size_bound, own), start=size_bound(strip))


@dataclass(frozen=True, eq=False)
class PlannedStrip:
    """What writes each block of a strip, and the rows of the whole that the strip is made to.

    Whatever writes comes with the seats of its arrays among those of all blocks.
    """

    shape: tuple[int, ...]  # …of, its rows, its columns
    narrow: Sequence[tuple[Sequence[int], Writer]]
    rows: Sequence[Row]

    @property
    def blocks(self) -> Sequence[PlacedBlock]:
        return [block for row in self.rows for block in row.stretch.blocks]

    def put(self, arrays: Sequence[np.ndarray], whole: np.ndarray) -> float:
        """Write all blocks. A bound of the size of their entries, or NaN."""
        strip = np.zeros(self.shape, whole.dtype)
        for seats, write in self.narrow:
            write([arrays[seat] for seat in seats], strip)
        return sum([row.put(arrays, strip, whole) for row in self.rows])


def strips_of(
    blocks: Sequence[PlacedBlock], most: int
) -> tuple[list[list[Stretch]], list[PlacedBlock]]:
    """The stretches that are made of one strip, the longest first, and the blocks that are in none.

    Those are blocks of more than `most` entries, and those with nothing in common with others.
    """
    stretches: list[Stretch] = []
    alone: list[PlacedBlock] = []
    for block in sorted(blocks, key=lambda block: (block.rows.start, block.columns.start)):
        common = _common(block) if prod(block.shape) <= most else None
        if common is None:
            alone.append(block)
        elif stretches and _is_next(stretches[-1], block, common):
            stretches[-1].blocks.append(block)
        else:
            stretches.append(Stretch([block], common))
    strips: list[list[Stretch]] = []
    held: list[dict[int, Hashable]] = []
    for stretch in sorted(stretches, key=lambda stretch: -len(stretch.blocks)):
        own = stretch.narrow
        home = next((n for n, other in enumerate(held) if own.items() <= other.items()), None)
        if home is None:
            strips.append([stretch])
            held.append(own)
        else:
            strips[home].append(stretch)
    worth = [group for group in strips if len(group) > 1 or _saves(group[0])]
    alone += [block for group in strips if group not in worth for block in group[0].blocks]
    return worth, alone


def _saves(stretch: Stretch) -> bool:
    """Whether a stretch that is a strip of its own is worth one: a product made once for many."""
    return bool(stretch.common) and len(stretch.blocks) > 1


def planned_strip(
    stretches: Sequence[Stretch], seats: Mapping[int, int], shape: Sequence[int], dtype: np.dtype
) -> PlannedStrip:
    """What writes the stretches of one strip; `seats` are those of the arrays of all blocks."""
    longest = stretches[0]
    head, inner, start = longest.blocks[0], longest.inner, longest.columns.start
    front = [axis.size for axis in head.front]
    strip = (*front, prod(axis.size for axis in inner), longest.columns.stop - start)
    narrow = []
    for block in longest.blocks:
        rest, corner = longest.rest(block), (0, block.columns.start - start)
        spot = spot_of_block((head.front, inner, block.after), corner, strip, dtype)
        own = [seats[id(array)] for array in rest.arrays]
        narrow.append((own, written_to(rest, spot, dtype)))
    return PlannedStrip(
        strip, narrow, [_row(stretch, longest, seats, shape, dtype) for stretch in stretches]
    )


def _row(
    stretch: Stretch,
    longest: Stretch,
    seats: Mapping[int, int],
    shape: Sequence[int],
    dtype: np.dtype,
) -> Row:
    """The row of a stretch out of the strip of the longest."""
    head, columns, offset = stretch.blocks[0], stretch.columns, longest.columns.start
    own = [*head.front, *stretch.inner, Axis(COLUMNS, columns.stop - columns.start)]
    sizes = [axis.size for axis in own]
    standing: Any = Tape().leaf(sizes, dtype)
    part = Dense("strip", tuple(axis.name for axis in own), standing)
    spot = spot_of_block(
        (head.front, head.before, own[-1:]), (head.rows.start, columns.start), shape, dtype
    )
    return Row(
        stretch,
        slice(columns.start - offset, columns.stop - offset),
        (*sizes[:-1], longest.columns.stop - offset),
        [seats[id(factor.array)] for factor in stretch.common],
        written_to(Expression.of(*stretch.common, part), spot, dtype),
    )


def _is_next(stretch: Stretch, block: PlacedBlock, common: Sequence[Dense]) -> bool:
    """Whether the block lies beside the stretch, and is multiplied by the same."""
    last, both = stretch.blocks[-1], in_both(stretch.common, common)
    beside = last.first == block.first and last.columns.stop == block.columns.start
    return beside and len(both) == len(stretch.common) == len(common)


def _common(block: PlacedBlock) -> list[Dense] | None:
    """The factors of every term over axes of the rows that nothing else in the terms has.

    None where the block is not written without them: an entry that is 0 for every input is placed,
    and never multiplied, so that one term has to have all entries.
    """
    terms = block.formula.terms
    kinds = [{*map(type, term.factors)} for term in terms]
    if block.formula.sums or not all(kind <= NARROW for kind in kinds):
        return None
    if all(Delta in kind for kind in kinds):
        return None
    rows = {axis.name for axis in block.before}
    common = [factor for factor in terms[0].of(Dense) if {*factor.axes} <= rows]
    for term in terms[1:]:
        common = in_both(common, term.of(Dense))
    while True:
        others = {axis for term in terms for axis in without(term, common).axes}
        kept = [factor for factor in common if others.isdisjoint(factor.axes)]
        if len(kept) == len(common):
            return kept
        common = kept
