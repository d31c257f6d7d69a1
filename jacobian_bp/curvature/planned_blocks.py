"""The blocks of a whole Hessian: those on and above the diagonal derived, all of them written.

∂²f/∂q∂p is ∂²f/∂p∂q with its axes in the other order: one formula is written to two places.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..algebra import chain_rule
from ..algebra.axes import Axis
from ..algebra.expression import Dense, Expression
from ..algebra.finite import ROUNDING
from ..algebra.nodes_and_links import Node, identity
from ..algebra.products.placing import written_to
from ..algebra.products.placing_planned import Writer
from ..numbers.arrays import size_bound
from ..program.forward_pass import Pass
from .doubled_graph import DoubledGraph
from .hessian import slope_axes
from .placed_blocks import PlacedBlock, spot_of_block
from .planned_strips import PlannedStrip, planned_strip, strips_of

SMALL = 2**16  # entries: so many are copied faster than multiplied again

Block = tuple[str, str, tuple[Axis, ...]]  # two variables, and the axes of ∂of/∂(the first)


@dataclass(frozen=True, eq=False)
class PlannedBlock:
    """One block: which arrays are its own, and what writes it, and its transpose.

    `bounds` are, for each term, its coefficient and how many arrays it multiplies; None where the
    block has positions or sums inside, so that only its entries say whether it is finite.
    """

    block: PlacedBlock
    own: Sequence[int]  # the seats of its arrays among those of all blocks
    write: Writer
    mirror: Writer | None  # of a large block; a small one is copied, turned round
    bounds: tuple[tuple[float, int], ...] | None

    @property
    def blocks(self) -> Sequence[PlacedBlock]:
        return (self.block,)

    def put(self, arrays: Sequence[np.ndarray], whole: np.ndarray) -> float:
        """Write the block, and that below the diagonal. A bound of the size of its entries."""
        own, block = [arrays[seat] for seat in self.own], self.block
        self.write(own, whole)
        if self.mirror:
            self.mirror(own, whole)
        elif not block.is_diagonal:
            turned = whole[..., block.rows, block.columns].swapaxes(-1, -2)
            whole[..., block.columns, block.rows] = turned
        return np.inf if self.bounds is None else _bound(self.bounds, own)


Planned = PlannedBlock | PlannedStrip


def upper_blocks(
    state: Pass, graph: DoubledGraph, names: Sequence[str], sums_stay: bool = False
) -> dict[Block, Expression]:
    """The formula of each block that is not 0, of those on and above the diagonal.

    One sweep from ∂of/∂p down serves all blocks of a row. A last sum over the examples is done,
    unless `sums_stay` where it holds fewer numbers.
    """
    found: dict[Block, Expression] = {}
    for count, first in enumerate(names):
        start, out = graph.slope(first), slope_axes(state, graph.of, first)
        ends = {graph.value(name) for name in names[count:]} - {-1}
        if start < 0 or not ends:
            continue
        own = graph.between(start, ends)
        sinks = {own.value(name): name for name in names[count:]}
        begin = identity([axis.name for axis in out], own.nodes[0].primed)
        name = f"(∂{graph.of}/∂{first})"
        arrived = chain_rule.reverse(
            own.nodes,
            own.links,
            begin,
            out,
            sinks=[*sinks],
            of=name,
            apart=True,
            sums_stay=sums_stay,
        )
        found |= {(first, sinks[place], out): block for place, block in arrived.items()}
    return found


def plan_blocks(
    found: Mapping[Block, Expression],
    places: Mapping[str, slice],
    variables: Sequence[Node],
    shape: Sequence[int],
    dtype: np.dtype,
) -> list[Planned]:
    """What writes each block to its place in the whole, and its transpose to the other."""
    nodes, split = {node.name: node for node in variables}, len(shape) - 2
    blocks = []
    for (first, second, axes), formula in found.items():
        after = [*map(Axis, nodes[second].primed, nodes[second].shape)]
        parts = axes[:split], axes[split:], after
        blocks.append(PlacedBlock(first, second, formula, *parts, places[first], places[second]))
    every = [array for formula in found.values() for array in formula.arrays]
    seats = {id(array): seat for seat, array in enumerate(every)}
    strips, alone = strips_of(blocks, SMALL)
    planned: list[Planned] = [_planned_block(block, seats, shape, dtype) for block in alone]
    planned += [planned_strip(strip, seats, shape, dtype) for strip in strips]
    return planned


def _planned_block(
    block: PlacedBlock, seats: Mapping[int, int], shape: Sequence[int], dtype: np.dtype
) -> PlannedBlock:
    formula, before, after = block.formula, block.before, block.after
    corner = block.rows.start, block.columns.start
    spot = spot_of_block((block.front, before, after), corner, shape, dtype)
    mirror, bounds = None, None
    if not block.is_diagonal and prod(block.shape) > SMALL:
        turned = spot_of_block((block.front, after, before), corner[::-1], shape, dtype)
        mirror = written_to(formula, turned, dtype)
    if not (formula.has_positions or formula.sums):
        bounds = tuple([(abs(t.coefficient), len(t.of(Dense))) for t in formula.terms])
    own = [seats[id(array)] for array in formula.arrays]
    return PlannedBlock(block, own, written_to(formula, spot, dtype), mirror, bounds)


def write_blocks(
    planned: Sequence[Planned],
    arrays: Sequence[np.ndarray],
    whole: np.ndarray,
    require_finite: Callable[[np.ndarray, str, str], None],
) -> None:
    """Every block into the whole, which holds zeros; `require_finite` looks where it may fail."""
    largest = float(np.finfo(whole.dtype).max) / ROUNDING
    for part in planned:
        if not part.put(arrays, whole) < largest:
            for block in part.blocks:
                entries = whole[..., block.rows, block.columns].reshape(block.shape)
                require_finite(entries, block.first, block.second)


def _bound(terms: Sequence[tuple[float, int]], arrays: Sequence[np.ndarray]) -> float:
    """Σ_terms |coefficient| Π_factors √Σ x², which no entry exceeds by more than rounding."""
    sizes, bound, place = [size_bound(array) for array in arrays], 0.0, 0
    for size, count in terms:
        bound, place = bound + prod(sizes[place : place + count], start=size), place + count
    return bound
