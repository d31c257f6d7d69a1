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
from ..algebra.products.placing_planned import Spot, Writer
from ..numbers.arrays import size_bound
from ..program.forward_pass import Pass
from .doubled_graph import DoubledGraph
from .hessian import slope_axes

SMALL = 2**16  # entries: so many are copied faster than multiplied again

Block = tuple[str, str, tuple[Axis, ...]]  # two variables, and the axes of ∂of/∂(the first)


@dataclass(frozen=True, eq=False)
class PlannedBlock:
    """One block: its variables, which arrays are its own, and what writes it, and its transpose.

    `bounds` are, for each term, its coefficient and how many arrays it multiplies; None where the
    block has positions or sums inside, so that only its entries say whether it is finite.
    """

    first: str
    second: str
    start: int
    stop: int
    spot: Spot
    write: Writer
    rows: slice
    columns: slice
    mirror: Writer | None  # of a large block; a small one is copied, turned round
    bounds: tuple[tuple[float, int], ...] | None


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
        sinks.pop(-1, None)
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
) -> list[PlannedBlock]:
    """What writes each block to its place in the whole, and its transpose to the other."""
    nodes = {node.name: node for node in variables}
    planned, start = [], 0
    for (first, second, rows), block in found.items():
        stop = start + len(block.arrays)
        split = len(shape) - 2
        front, before = rows[:split], rows[split:]
        after = [*map(Axis, nodes[second].primed, nodes[second].shape)]
        spot = _spot([front, before, after], [places[first], places[second]], shape, dtype)
        mirror = None
        if first != second and prod(spot.sizes) > SMALL:
            turned = _spot([front, after, before], [places[second], places[first]], shape, dtype)
            mirror = written_to(block, turned, dtype)
        write, bounds = written_to(block, spot, dtype), None
        if not (block.has_positions or block.sums):
            bounds = tuple([(abs(t.coefficient), len(t.of(Dense))) for t in block.terms])
        places_of = places[first], places[second]
        planned.append(
            PlannedBlock(first, second, start, stop, spot, write, *places_of, mirror, bounds)
        )
        start = stop
    return planned


def write_blocks(
    planned: Sequence[PlannedBlock],
    arrays: Sequence[np.ndarray],
    whole: np.ndarray,
    require_finite: Callable[[np.ndarray, str, str], None],
) -> None:
    """Every block into the whole, which holds zeros; `require_finite` looks where it may fail."""
    sizes: dict[int, float] = {}
    largest = float(np.finfo(whole.dtype).max) / ROUNDING
    for block in planned:
        own = arrays[block.start : block.stop]
        block.write(own, whole)
        if block.bounds is None or not _bound(block.bounds, own, sizes) < largest:
            require_finite(block.spot.of(whole), block.first, block.second)
        if block.mirror:
            block.mirror(own, whole)
        elif block.first != block.second:
            turned = whole[..., block.rows, block.columns].swapaxes(-1, -2)
            whole[..., block.columns, block.rows] = turned


def _bound(
    terms: Sequence[tuple[float, int]], arrays: Sequence[np.ndarray], sizes: dict[int, float]
) -> float:
    """Σ_terms |coefficient| Π_factors √Σ x², which no entry exceeds by more than rounding."""
    bound, place = 0.0, 0
    for size, count in terms:
        for array in arrays[place : place + count]:
            key = id(array)
            if key not in sizes:
                sizes[key] = size_bound(array)
            size *= sizes[key]
        bound, place = bound + size, place + count
    return bound


def _spot(
    parts: Sequence[Sequence[Axis]],
    slices: Sequence[slice],
    shape: Sequence[int],
    dtype: np.dtype,
) -> Spot:
    """Where a block lies: the axes of `of` in front, those of its rows, those of its columns."""
    front, rows, columns = parts
    width, step = shape[-1], dtype.itemsize
    strides = [
        *_strides(front, shape[-2] * width * step),
        *_strides(rows, width * step),
        *_strides(columns, step),
    ]
    every = [*front, *rows, *columns]
    offset = (slices[0].start * width + slices[1].start) * step
    axes, sizes = tuple(a.name for a in every), tuple(a.size for a in every)
    return Spot(axes, sizes, tuple(strides), offset)


def _strides(axes: Sequence[Axis], last: int) -> list[int]:
    return [last * prod(axis.size for axis in axes[n + 1 :]) for n in range(len(axes))]
