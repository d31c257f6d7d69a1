"""What the full route costs, counted from shapes: the same walk, with nothing built.

`routes.full` and `routes.einsum_chain` run on any algebra of whole Jacobians. This is the
one that counts: a `Counted` stands for a whole Jacobian, a `Tally` for the machine
that would hold it. One pairwise contraction takes one multiplication for each product of two
numbers:

    dense      every (out, bond, by): all sizes multiplied
    non-zero   the (out, bond, by) at which neither factor is a structural zero

The second is the size of a union of patterns, exact, by inclusion and exclusion.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ...algebra.nodes_and_links import Link, Node, patterns_through
from ...algebra.structure.patterns import Pattern, Patterns, composed, count, united
from ...algebra.structure.relations import AxisKey, Relation
from ...routes.full import Bond

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Counted:
    """A whole Jacobian as it would be built: the sizes of its axes, and where it can be ≠ 0."""

    out: Shape
    by: Shape
    patterns: Patterns


class Tally:
    """An algebra of whole Jacobians in which nothing is built: it counts what would be.

    Bytes that are alive, the most at one time, the largest array, and multiplications.
    """

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

    def require(self, name: str, shape: Shape) -> None:
        """Anything may be counted, however large."""

    def zeros(self, name: str, shape: Shape) -> Counted:
        self.build(name, shape)
        return Counted(shape, (), frozenset())

    def local(self, link: Link, nodes: Sequence[Node]) -> Counted:
        of, by = nodes[link.target], nodes[link.source]
        self.build(f"∂{of.name}/∂{by.name}", of.shape + by.shape)
        return Counted(of.shape, by.shape, patterns_through(link, of.shape + by.shape))

    def times(self, left: Counted, right: Counted, name: str, bond: Bond) -> Counted:
        """∂of/∂between · ∂between/∂by: the product is built beside both factors."""
        sizes = left.out, left.by, right.by
        self.multiplications += math.prod(map(math.prod, sizes))
        self.nonzero_multiplications += nonzero_products(left.patterns, right.patterns, sizes)
        self.build(name, left.out + right.by)
        return Counted(left.out, right.by, composed(left.patterns, right.patterns))

    def plus(self, found: Counted, part: Counted) -> Counted:
        self.let_go(part)  # added in place
        return replace(found, patterns=united(found.patterns, part.patterns))

    def let_go(self, value: Counted) -> None:
        self.drop(value.out + value.by)


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


def _both(left: Pattern, right: Pattern) -> Pattern:
    """Both conditions at once, over (out, bond, by)."""
    return Pattern(
        frozenset((*_renamed(left.equal, "wrt"), *_renamed(right.equal, "out"))),
        frozenset((*_renamed(left.differ, "wrt"), *_renamed(right.differ, "out"))),
        frozenset((*_related(left.related, "wrt"), *_related(right.related, "out"))),
    )


def _related(related: Iterable[Relation], side: str) -> list[Relation]:
    return [r.renamed({k: ("bond", k[1]) for k in r.keys if k[0] == side}) for r in related]


def _renamed(groups: Iterable[frozenset[AxisKey]], side: str) -> list[frozenset[AxisKey]]:
    return [frozenset(("bond" if s == side else s, p) for s, p in group) for group in groups]
