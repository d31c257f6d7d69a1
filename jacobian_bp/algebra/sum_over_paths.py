"""One walk over a graph, in any algebra.

    G[source]  =  plus over the links (target ← source) of  times(G[target], link)

What is summed and multiplied is the caller's: whole arrays, structured
expressions, patterns of zeros, path counts, cotangents, or the bytes and
multiplications that one of these would take. The walk itself knows the order in
which values are taken up, that paths add, and when a value was used for the last time.
"""

from collections.abc import Callable, Container, Hashable, Iterable
from operator import add
from typing import TypeVar

from .nodes_and_links import Link

Place = TypeVar("Place", bound=Hashable)
Value = TypeVar("Value")
Part = tuple[Place, Value]


def walk(
    order: Iterable[Place],
    start: dict[Place, Value],
    times: Callable[[Place, Value], Iterable[Part]],
    plus: Callable[[Value, Value], Value],
    kept: Container[Place] = (),
    settle: Callable[[Place, Value], Value] | None = None,
    let_go: Callable[[Value], None] | None = None,
) -> dict[Place, Value]:
    """What has arrived at each place in `kept`, and at each that `order` does not reach.

    `times(place, value)` gives the parts that the value at a place hands on: (where
    to, what). Parts that meet are added. A place is taken up in its turn in
    `order`, when all its parts are there: `settle` may put their sum into its final
    form. A value that is not kept is forgotten as it is handed on, and `let_go`
    is told of it afterwards.

    Paths from 0 to 3 along 0→1→3, 0→2→3 and 0→3:

    >>> ways = {0: [1, 2, 3], 1: [3], 2: [3]}
    >>> walk(range(4), {0: 1}, lambda p, n: [(q, n) for q in ways.get(p, ())], int.__add__, {3})
    {3: 3}
    """
    found = dict(start)
    for place in order:
        if place not in found:
            continue
        stays = place in kept
        value = found[place] if stays else found.pop(place)
        if settle:
            value = settle(place, value)
            if stays:
                found[place] = value
        for source, part in times(place, value):
            found[source] = plus(found[source], part) if source in found else part
            del part  # an array lives no longer than it is needed
        if let_go and not stays:
            let_go(value)
    return found


def by_target(links: Iterable[Link]) -> dict[int, list[Link]]:
    """The links by which each place hands a cotangent on, from the output down."""
    found: dict[int, list[Link]] = {}
    for link in links:
        found.setdefault(link.target, []).append(link)
    return found


def by_source(links: Iterable[Link]) -> dict[int, list[Link]]:
    """The links by which each place hands a tangent on, from the variable up."""
    found: dict[int, list[Link]] = {}
    for link in links:
        found.setdefault(link.source, []).append(link)
    return found


def down(
    links: Iterable[Link],
    last: int,
    start: Value,
    times: Callable[[Value, Link], Value],
    plus: Callable[[Value, Value], Value],
) -> dict[int, Value]:
    """The walk from the output, place 0, to the variable, place `last`; what arrives at `last`."""
    below = by_target(links)

    def hand_on(place: int, value: Value) -> Iterable[tuple[int, Value]]:
        return [(link.source, times(value, link)) for link in below.get(place, ())]

    return walk(range(last), {0: start}, hand_on, plus)


def paths_from_output(links: Iterable[Link], last: int) -> dict[int, int]:
    """For each place, the number of paths that lead to it from place 0."""
    below = {target: [k.source for k in group] for target, group in by_target(links).items()}
    return _paths(range(last + 1), 0, below)


def paths_to_variable(links: Iterable[Link], last: int) -> dict[int, int]:
    """For each place, the number of paths that lead from it to place `last`."""
    above = {source: [k.target for k in group] for source, group in by_source(links).items()}
    return _paths(range(last, -1, -1), last, above)


def _paths(order: range, start: int, following: dict[int, list[int]]) -> dict[int, int]:
    def hand_on(place: int, ways: int) -> list[tuple[int, int]]:
        return [(other, ways) for other in following.get(place, ())]

    return walk(order, {start: 1}, hand_on, add, kept=order)
