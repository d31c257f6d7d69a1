"""Elimination orders: what Jacobians cost when the values between are eliminated one by one.

A value is **eliminated** by joining each edge that comes to it with each edge that leaves it,

    ∂of/∂by += ∂of/∂value · ∂value/∂by      for every `of` that reads it, every `by` it reads,

and taking it out of the graph. When all values between are gone, the edges that are left are the
Jacobians. Every order gives the same numbers; what differs is the count of multiplications, here
with structural zeros left out.

    reverse     from the output down: backpropagation
    forward     from the variables up, all variables at once: one joint forward pass
    Markowitz   always the value that is cheapest to eliminate now, of equals the nearest to the
                output (the degree of Markowitz, where each edge is one number)
    searched    the cheapest order of all for few values, else the cheapest that a beam found

Where paths fork, the pieces that meet at one edge are added: an addition, which is not counted.

Source: A. Griewank and A. Walther, "Evaluating Derivatives", 2nd edition, SIAM 2008, chapter 9;
J. Lohoff and E. Neftci, "Optimizing Automatic Differentiation with Deep Reinforcement
Learning", 2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...algebra.nodes_and_links import patterns_through
from ...algebra.structure.patterns import Patterns, composed, united
from ...errors import JacobianError
from ...network.run import Run
from ...program.forward_pass import Pass
from ...writing.signs import did_you_mean
from .counting import Shape, nonzero_products

ORDERS = ("reverse", "forward", "Markowitz", "searched")
MOST_EXACT = 10  # values between for which every order is looked at: 2¹⁰ sets of them
BEAM = 24  # sets of eliminated values that are carried on where there are more


@dataclass(frozen=True)
class Elimination:
    """One order of elimination: the values in it, and its multiplications, zeros left out."""

    order: str
    values: tuple[str, ...]
    multiplications: int
    exact: bool = False  # whether no other order takes fewer


class _Piece(NamedTuple):
    """The Jacobian on an edge, as far as counting goes: the shapes of its ends, its patterns."""

    of: Shape
    by: Shape
    patterns: Patterns


_Edges = dict[tuple[int, int], _Piece]  # by (value that reads, value that is read)


def elimination_orders(
    run: Run | Pass,
    variables: Sequence[str] | None = None,
    of: str | None = None,
    orders: Sequence[str] = ORDERS,
) -> tuple[Elimination, ...]:
    """What ∂of/∂variables takes in each of `orders`; `variables` are the parameters, unless named.

    >>> import jacobian_bp as jb
    >>> net = jb.Network.dense([2, 3, 2], "tanh", "half_squared_error", seed=0)
    >>> for found in elimination_orders(net.run([1.0, 2.0], [0.0, 1.0])):
    ...     print(f"{found.order:<10}{found.multiplications:>4}  {' '.join(found.values)}")
    reverse     28  a2 z2 a1 z1
    forward     79  z1 a1 z2 a2
    Markowitz   31  a2 a1 z2 z1
    searched    28  a2 z2 a1 z1

    Raises SpecError for an unknown name, DomainError for labels, JacobianError for an unknown
    order.
    """
    state = run.forward_pass if isinstance(run, Run) else run
    of = state.cost if of is None else of
    wanted = list(state.program.params if variables is None else variables)
    for name in wanted:
        state.require_variable(of, name)
    for order in orders:
        if order not in ORDERS:
            raise JacobianError(
                f"order {order!r} is unknown.{did_you_mean(order, ORDERS)}\n"
                f"  Write one of {', '.join(ORDERS)}."
            )
    names, edges = _graph(state, wanted, of)
    between = [place for place, name in enumerate(names) if place and name not in wanted]
    return tuple(_found(order, names, edges, between) for order in orders)


def values_between(state: Pass) -> list[str]:
    """The values that are eliminated, from the cost down, by the parameters as variables."""
    wanted = state.program.params
    names, _ = state.dependents(wanted, state.cost)
    return [name for name in names[1:] if name not in wanted]


def _graph(state: Pass, wanted: Sequence[str], of: str) -> tuple[list[str], _Edges]:
    """The values from `of` down to the variables, and the local Jacobians between them."""
    names, steps = state.dependents(wanted, of)
    edges: _Edges = {}
    shapes = {name: state.values[name].shape for name in names}
    for link in state.links(names, steps):
        ends = shapes[names[link.target]], shapes[names[link.source]]
        piece = _Piece(*ends, patterns_through(link, ends[0] + ends[1]))
        _add(edges, (link.target, link.source), piece)
    return names, edges


def _found(order: str, names: list[str], edges: _Edges, between: list[int]) -> Elimination:
    exact = False
    if order == "reverse":
        places = between
    elif order == "forward":
        places = between[::-1]
    elif order == "Markowitz":
        places = _markowitz(edges, between)
    else:
        exact = len(between) <= MOST_EXACT
        places = _searched(edges, between, None if exact else BEAM)
    count, left = 0, dict(edges)
    for place in places:
        count += _cost(left, place)
        left = _without(left, place)
    return Elimination(order, tuple(names[place] for place in places), count, exact)


def _cost(edges: _Edges, place: int) -> int:
    """The multiplications that eliminating one value takes now."""
    above = [piece for (_, source), piece in edges.items() if source == place]
    below = [piece for (target, _), piece in edges.items() if target == place]
    return sum(
        nonzero_products(left.patterns, right.patterns, (left.of, left.by, right.by))
        for left in above
        for right in below
    )


def _without(edges: _Edges, place: int) -> _Edges:
    """The graph after one value is eliminated; `edges` are as they were."""
    left = {key: piece for key, piece in edges.items() if place not in key}
    for (target, source), upper in edges.items():
        if source != place:
            continue
        for (middle, variable), lower in edges.items():
            if middle == place:
                patterns = composed(upper.patterns, lower.patterns)
                _add(left, (target, variable), _Piece(upper.of, lower.by, patterns))
    return left


def _add(edges: _Edges, key: tuple[int, int], piece: _Piece) -> None:
    known = edges.get(key)
    if known is not None:
        piece = piece._replace(patterns=united(known.patterns, piece.patterns))
    edges[key] = piece


def _markowitz(edges: _Edges, between: Sequence[int]) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < len(between):
        waiting = [place for place in between if place not in chosen]
        place = min(waiting, key=lambda place: (_cost(edges, place), place))
        chosen.append(place)
        edges = _without(edges, place)
    return chosen


def _searched(edges: _Edges, between: Sequence[int], beam: int | None) -> list[int]:
    """The cheapest order: what is left of a graph depends on which values are gone, not on how.

    So the cheapest way to each set of eliminated values is kept, sets of one value, of two, …;
    with a beam, the cheapest sets alone, and reverse and forward are never dropped.
    """
    best: dict[frozenset[int], tuple[int, list[int], _Edges]] = {frozenset(): (0, [], edges)}
    sweeps = {frozenset(line[:n]) for line in (between, between[::-1]) for n in range(len(line))}
    for _ in between:
        following: dict[frozenset[int], tuple[int, list[int], _Edges | None]] = {}
        for gone, (count, order, left) in best.items():
            for place in between:
                if place in gone:
                    continue
                total, key = count + _cost(left, place), gone | {place}
                if key not in following or total < following[key][0]:
                    following[key] = total, [*order, place], None
        chosen = sorted(following, key=lambda key: (following[key][0], following[key][1]))
        if beam is not None:
            chosen = [key for n, key in enumerate(chosen) if n < beam or key in sweeps]
        best = {key: _after(following[key], best) for key in chosen}
    return best[frozenset(between)][1]


def _after(
    step: tuple[int, list[int], _Edges | None],
    best: dict[frozenset[int], tuple[int, list[int], _Edges]],
) -> tuple[int, list[int], _Edges]:
    count, order, _ = step
    return count, order, _without(best[frozenset(order[:-1])][2], order[-1])
