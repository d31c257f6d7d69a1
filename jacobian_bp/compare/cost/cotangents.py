"""What the structured route and the vector-Jacobian products cost, counted from shapes.

Both send one cotangent from the cost down; no whole Jacobian is met. The rule:

    g · slope, elementwise     as many multiplications as g has entries
    g @ W, W of (k,i)          m·k·i for m examples
    outer product g x          m·k·i
    sums over the examples     none; a delta takes none either
    1−δ  (softmax)             a matrix where it is structured, a sum in a VJP
    signs, 2, 1/m              none: they belong to the slopes, which no route counts
    cotangents of the data     none: no gradient asks for them

Bytes: a cotangent lives until its last use. A vector-Jacobian product makes the
cotangents of all inputs of a step together; slopes within an op are not
counted. It hands out each gradient as an array of its own, beside the one that
the sweep found.

The structured route does its algebra once, on the shapes of a program, and
replays it: no array is made by that but those that the replay holds. It has the
factors of all local Jacobians first, and leaves an outer product as two factors
to the end; a gradient that was summed is handed out as it is, any other becomes
an array then. Scratch is not counted: where a softmax or a path that forks makes
several terms of a cotangent, a term is an array for a moment.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import opt_einsum

from ...algebra.expression import MASK, Delta, Dense, Distinct, Factor, Term, is_position
from ...algebra.nodes_and_links import Link, Node
from ...algebra.products.spending import spend, spend_positions
from ...algebra.sum_over_paths import by_target, walk
from .counting import Shape, Tally

Sizes = dict[str, int]


@dataclass(frozen=True)
class Pulled:
    """One cotangent through one link: its products, and whether an axis was summed."""

    multiplications: int = 0
    nonzero: int = 0
    summed: bool = False
    masks: tuple[int, ...] = ()  # sizes of the matrices 1−δ

    def __add__(self, other: "Pulled") -> "Pulled":
        return Pulled(
            self.multiplications + other.multiplications,
            self.nonzero + other.nonzero,
            self.summed or other.summed,
            self.masks + other.masks,
        )


def vjp(tally: Tally, nodes: Sequence[Node], links: Sequence[Link], kept: Collection[int]) -> None:
    """The vjp route from the cost, counted: what is handed on is the shape of a cotangent."""
    below = by_target(links)
    tally.build(_name(nodes, 0), ())

    def times(place: int, bar: Shape) -> list[tuple[int, Shape]]:
        for link in below[place]:  # the cotangents of all inputs of a step are made together
            _count(tally, pulled(link, nodes, with_row=True, masks=False))
            tally.build(_name(nodes, link.source), nodes[link.source].shape)
        return [(link.source, nodes[link.source].shape) for link in below[place]]

    def plus(found: Shape, part: Shape) -> Shape:
        _add(tally, found)
        return part

    start: dict[int, Shape] = {0: ()}
    walk(below, start, times, plus, kept, let_go=tally.drop)
    _hand_out(tally, nodes, kept)


def structured(
    tally: Tally,
    nodes: Sequence[Node],
    links: Sequence[Link],
    kept: Collection[int],
    values: Iterable[np.ndarray],
) -> None:
    """The structured route, counted; the bytes of `values`, which are there anyway, are not.

    What is handed on is the shape of a cotangent that is an array, or None where it
    is still a product of factors that are there.
    """
    for name, shape in _factors(links, values):
        tally.build(name, shape)
    below = by_target(links)

    def times(place: int, held: Shape | None) -> Iterable[tuple[int, Shape | None]]:
        for link in below[place]:
            shape = nodes[link.source].shape
            found = pulled(link, nodes, with_row=place > 0, masks=True)
            _count(tally, found)
            for size in found.masks:
                tally.build(MASK, (size, size))
            if found.summed or (found.multiplications and link.source not in kept):
                tally.build(_name(nodes, link.source), shape)
                yield link.source, shape
            else:
                yield link.source, None
            for size in found.masks:
                tally.drop((size, size))

    def plus(found: Shape | None, part: Shape | None) -> Shape | None:
        if found is not None and part is not None:
            _add(tally, part)
        return found if part is None else part

    def let_go(held: Shape | None) -> None:
        if held is not None:
            tally.drop(held)

    start: dict[int, Shape | None] = {0: None}
    found = walk(below, start, times, plus, kept, let_go=let_go)
    _hand_out(tally, nodes, [place for place in kept if found.get(place) is None])


def pulled(link: Link, nodes: Sequence[Node], with_row: bool, masks: bool) -> Pulled:
    """The products of Σ_out g[out] ∂out/∂by, after its deltas are spent."""
    shape = (*nodes[link.target].shape, *nodes[link.source].shape)
    sizes = dict(zip((*link.out, *link.wrt), shape, strict=True))
    row = Dense("g", link.out, np.broadcast_to(0.0, nodes[link.target].shape))
    total = Pulled()
    for term in link.expression.terms:
        factors = ((row,) if with_row else ()) + term.factors
        if not masks:  # Σ_k (1−δ[k,k']) f[k] is the sum less one entry: no multiplication
            factors = tuple(map(_as_delta, factors))
        known = term.sizes(sizes)
        spent = spend(replace(term, factors=factors), link.wrt, known)
        total += (
            _laid(spent, link.wrt, known)
            if spent.has_positions
            else _products(spent, link.wrt, known)
        )
    return total


def _laid(term: Term, kept: Sequence[str], sizes: Sizes) -> Pulled:
    """Arrays are read at positions and multiplied; what is added where they lie costs nothing."""
    term = spend_positions(term, kept, sizes)
    ends = {a for f in term.factors if is_position(f) for a in f.axes if a not in kept}
    return replace(_products(term, (*kept, *sorted(ends)), sizes), summed=True)


def _products(term: Term, kept: Sequence[str], sizes: Sizes) -> Pulled:
    """The pairwise products of the factors that are left, in the planner's order."""
    masks = [f.axes for f in term.of(Distinct)]
    operands = [tuple(dict.fromkeys(f.axes)) for f in term.of(Dense)] + masks
    summed = any(axis not in kept for axes in operands for axis in axes)
    dense = nonzero = 0
    for pair in _order(operands, kept, sizes):
        chosen = [operands.pop(p) for p in sorted(pair, reverse=True)]
        axes = tuple(dict.fromkeys(axis for operand in chosen for axis in operand))
        cost = math.prod(sizes[axis] for axis in axes) if len(chosen) > 1 else 0
        dense += cost
        for mask in masks:
            if mask in chosen:
                cost -= cost // sizes[mask[0]]
        nonzero += cost
        wanted = {*kept, *(axis for operand in operands for axis in operand)}
        operands.append(tuple(axis for axis in axes if axis in wanted))
    return Pulled(dense, nonzero, summed, tuple(sizes[mask[0]] for mask in masks))


def _order(
    operands: Sequence[tuple[str, ...]], kept: Sequence[str], sizes: Sizes
) -> Iterable[tuple[int, ...]]:
    if len(operands) < 2:
        return []
    symbol = {axis: opt_einsum.get_symbol(p) for p, axis in enumerate(sizes)}
    words = ["".join(symbol[axis] for axis in axes) for axes in operands]
    left = "".join(symbol[a] for a in kept if any(a in axes for axes in operands))
    shapes = [tuple(sizes[axis] for axis in axes) for axes in operands]
    path, _ = opt_einsum.contract_path(f"{','.join(words)}->{left}", *shapes, shapes=True)
    return list(path)


def _as_delta(factor: Factor) -> Factor:
    return Delta(*factor.axes) if isinstance(factor, Distinct) else factor


def _count(tally: Tally, found: Pulled) -> None:
    tally.multiplications += found.multiplications
    tally.nonzero_multiplications += found.nonzero


def _add(tally: Tally, shape: Shape) -> None:
    """Two cotangents of this shape are added into a new array, and let go."""
    tally.build("a sum", shape)
    tally.drop(shape)
    tally.drop(shape)


def _hand_out(tally: Tally, nodes: Sequence[Node], kept: Collection[int]) -> None:
    """Each gradient becomes an array of its own."""
    for place in kept:
        tally.build(_name(nodes, place), nodes[place].shape)


def _factors(links: Sequence[Link], values: Iterable[np.ndarray]) -> list[tuple[str, Shape]]:
    """The arrays that the local Jacobians add to the values: slopes, differences."""
    seen = {id(_owner(value)) for value in values}
    found = []
    for link in links:
        for term in link.expression.terms:
            for factor in term.of(Dense):
                for array in (factor.array, factor.magnitude):
                    if array is not None and id(_owner(array)) not in seen:
                        seen.add(id(_owner(array)))
                        found.append((factor.label, _owner(array).shape))
    return found


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _name(nodes: Sequence[Node], place: int) -> str:
    return f"∂{nodes[0].name}/∂{nodes[place].name}"
