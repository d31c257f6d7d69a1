"""How many entries of each block can be other than zero, a row of blocks in one walk."""

from collections.abc import Iterator, Sequence

from ..algebra.nodes_and_links import patterns_through
from ..algebra.structure.patterns import Patterns, composed, count, same_entries, united
from ..algebra.sum_over_paths import by_target, walk
from ..program.forward_pass import Pass
from .doubled_graph import DoubledGraph
from .hessian import slope_axes


def nonzeros_in_row(
    state: Pass, graph: DoubledGraph, first: str, names: Sequence[str]
) -> dict[str, int]:
    """Of ∂²of/∂first∂q, for each q that it has a block with, those that are no structural zeros."""
    start, ends = graph.slope(first), {graph.value(name) for name in names} - {-1}
    if start < 0 or not ends:
        return {}
    own = graph.between(start, ends)
    places = {own.value(name): name for name in names if own.value(name) >= 0}
    shapes = [node.shape for node in own.nodes]
    below = by_target(own.links)

    def hand_on(place: int, value: Patterns) -> Iterator[tuple[int, Patterns]]:
        for link in below.get(place, ()):
            shape = (*shapes[link.target], *shapes[link.source])
            yield link.source, composed(value, patterns_through(link, shape))

    out = tuple(axis.size for axis in slope_axes(state, graph.of, first))
    begin = {0: same_entries(len(out))}
    found = walk(range(len(shapes)), begin, hand_on, united, kept=places)
    outer = {("out", place): size for place, size in enumerate(out)}
    return {
        name: count(
            found[place], outer | {("wrt", n): size for n, size in enumerate(shapes[place])}
        )
        for place, name in places.items()
        if place in found
    }
