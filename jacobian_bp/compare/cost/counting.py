"""What the full route costs, counted from shapes: the same walk, with nothing built.

A `Whole` stands for a whole Jacobian, a `Tally` for the machine that would hold
it. One pairwise contraction takes one multiplication for each product of two
numbers:

    dense      every (out, bond, by): all sizes multiplied
    non-zero   the (out, bond, by) at which neither factor is a structural zero

The second is the size of a union of patterns, exact, by inclusion and exclusion.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ...algebra.graph import Link, Node
from ...algebra.jacobian import Jacobian
from ...algebra.patterns import Key, Pattern, composed, count, patterns_of, pruned
from ...routes.chain import Operand, operands_of, pairs_of, segments

Shape = tuple[int, ...]
Patterns = frozenset[Pattern]


@dataclass(frozen=True)
class Whole:
    """∂of/∂by as it would be built: the sizes of its axes, and where it can be non-zero."""

    of: str
    by: str
    out: Shape
    wrt: Shape
    patterns: Patterns

    @classmethod
    def local(cls, link: Link, nodes: Sequence[Node]) -> "Whole":
        """One local Jacobian."""
        of, by = nodes[link.target], nodes[link.source]
        where = patterns_of(link.expression, link.out, link.wrt)
        return cls(of.name, by.name, of.shape, by.shape, where)

    @property
    def name(self) -> str:
        return f"∂{self.of}/∂{self.by}"

    @property
    def shape(self) -> Shape:
        return self.out + self.wrt


class Tally:
    """Bytes that are alive, the most at one time, the largest array, and multiplications."""

    def __init__(self, itemsize: int) -> None:
        self.itemsize = itemsize
        self.alive_bytes = self.peak_bytes = self.largest_bytes = 0
        self.largest: tuple[str, Shape] = ("nothing", ())
        self.multiplications = self.nonzero_multiplications = 0

    def build(self, name: str, shape: Shape) -> None:
        """An array comes alive."""
        size = math.prod(shape) * self.itemsize
        self.alive_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.alive_bytes)
        if size > self.largest_bytes:
            self.largest, self.largest_bytes = (name, shape), size

    def drop(self, shape: Shape) -> None:
        """An array is let go."""
        self.alive_bytes -= math.prod(shape) * self.itemsize

    def multiply(self, left: Whole, right: Whole) -> Whole:
        """∂of/∂bond · ∂bond/∂by: the product is built beside both factors."""
        where = _composed(left.patterns, right.patterns)
        product = Whole(left.of, right.by, left.out, right.wrt, where)
        sizes = left.out, left.wrt, right.wrt
        self.multiplications += math.prod(map(math.prod, sizes))
        self.nonzero_multiplications += nonzero_products(left.patterns, right.patterns, sizes)
        self.build(product.name, product.shape)
        return product


def full_reverse(
    tally: Tally, nodes: Sequence[Node], links: Sequence[Link], kept: Collection[int]
) -> dict[int, Whole]:
    """`chain.sweep`, counted: what it builds and lets go, in the same order."""
    last = {link.target: link for link in links}
    found: dict[int, Whole] = {}
    for link in links:
        part = Whole.local(link, nodes)
        tally.build(part.name, part.shape)
        if link.target:
            row, local = found[link.target], part
            part = tally.multiply(row, local)
            tally.drop(local.shape)
            if link is last[link.target] and link.target not in kept:
                tally.drop(row.shape)
        if link.source in found:  # added in place
            tally.drop(part.shape)
            either = found[link.source].patterns | part.patterns
            part = replace(part, patterns=frozenset(pruned(either)))
        found[link.source] = part
    return found


def contract_full(tally: Tally, jacobian: Jacobian, order: str) -> None:
    """`chain.contract_full`, counted; the result stays alive."""
    parts = segments(jacobian)
    if not parts:
        tally.build(jacobian.name, jacobian.shape)
        return
    operands, sizes = operands_of(parts)
    done: dict[int, Whole] = {}

    def take(operand: Operand) -> Whole:
        place = operand.place
        return done.pop(place) if place in done else _whole(tally, parts[place])

    for first, second, result in pairs_of(operands, sizes, order):
        left, right = take(first), take(second)
        done[result.place] = tally.multiply(left, right)
        tally.drop(left.shape)
        tally.drop(right.shape)
    take(operands[0])


@lru_cache(maxsize=4096)
def nonzero_products(left: Patterns, right: Patterns, shapes: tuple[Shape, Shape, Shape]) -> int:
    """The (out, bond, by) at which left[out,bond] and right[bond,by] both can be non-zero.

    `shapes` are those of out, bond and by. A diagonal times a matrix (n,n)(n,k)
    has n·k such products, not n·n·k:

    >>> key = lambda side: frozenset({("out", 0), (side, 0)})
    >>> diagonal, full = Pattern(frozenset({key("wrt")})), Pattern(frozenset())
    >>> nonzero_products(frozenset({diagonal}), frozenset({full}), ((5,), (5,), (3,)))
    15
    """
    sides = ("out", "bond", "wrt")
    sizes = {(s, p): size for s, sh in zip(sides, shapes, strict=True) for p, size in enumerate(sh)}
    return count([_both(a, b) for a in left for b in right], sizes)


def _whole(tally: Tally, part: Jacobian) -> Whole:
    last = len(part.nodes) - 1
    return full_reverse(tally, part.nodes, part.links, (last,))[last]


@lru_cache(maxsize=4096)
def _composed(left: Patterns, right: Patterns) -> Patterns:
    return frozenset(pruned(composed(left, right)))


def _both(left: Pattern, right: Pattern) -> Pattern:
    """Both conditions at once, over (out, bond, by)."""
    return Pattern(
        frozenset((*_renamed(left.equal, "wrt"), *_renamed(right.equal, "out"))),
        frozenset((*_renamed(left.differ, "wrt"), *_renamed(right.differ, "out"))),
    )


def _renamed(groups: Iterable[frozenset[Key]], side: str) -> list[frozenset[Key]]:
    return [frozenset(("bond" if s == side else s, p) for s, p in group) for group in groups]
