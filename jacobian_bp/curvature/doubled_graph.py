"""The graph of a gradient: every link once more, turned round, and one for each op that bends.

A gradient is computed by a graph of its own: the local Jacobian ∂s/∂v, turned round, carries
∂J/∂s to ∂J/∂v. Where an op bends, what it carries moves with the op's inputs too, by
Σ_s ∂J/∂s ∂²s/∂u∂v: a link from the value v to ∂J/∂u. In this doubled graph

    ∂²J/∂p∂q  =  the Jacobian of the node ∂J/∂p by the node q,

and each path runs up through the values from q to some v, over one link that bends, and down
through turned Jacobians from ∂J/∂u to ∂J/∂p. Grouped by that link the paths are the rows of
the Hessian:

    Σ over rows (∂u/∂p)ᵀ [Σ_s ∂J/∂s ∂²s/∂u∂v] (∂v/∂q)
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ..algebra import chain_rule
from ..algebra.axes import Axis, fresh
from ..algebra.expression import Dense, Expression
from ..algebra.finite import infinite_slope
from ..algebra.nodes_and_links import Link, Node, identity
from ..algebra.products.placing import evaluate
from ..algebra.products.spending import multiply
from ..numbers.arrays import is_finite, quiet
from ..numbers.overflow import require_product
from ..program.bends import Bent, bends_of
from ..program.forward_pass import Pass
from ..program.step import Step

Links = Callable[[Sequence[str], Sequence[Step]], list[Link]]


@dataclass(frozen=True, eq=False)
class Bend:
    """One link of the doubled graph: how ∂of/∂u moves with v, because a step bends."""

    link: Link
    bent: Bent

    @property
    def name(self) -> str:
        """∂²z2/∂W2∂a1"""
        return self.bent.name

    @property
    def key(self) -> tuple[str, frozenset[int]]:
        """What the two orders of a pair share: they are one row."""
        return self.bent.step.name, frozenset(self.bent.pair)


@dataclass(frozen=True, eq=False)
class DoubledGraph:
    """Nodes ∂of/∂v from the leaves up, then values v down to the leaves, and their links."""

    of: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    bends: tuple[Bend, ...]

    def slope(self, name: str) -> int:
        """The place of ∂of/∂name; −1 where `of` does not depend on it."""
        return self._place(slope_name(self.of, name))

    def value(self, name: str) -> int:
        """The place of the value; −1 where `of` does not depend on it."""
        return self._place(name)

    def require_finite(self, product: np.ndarray, name: str, also: str = "") -> None:
        """DomainError where a product along paths of this graph has an entry that is not finite."""
        if not is_finite(product):
            start = f"{self.of}, the values before it{also} and every slope are finite; "
            start += "a product of slopes"
            slopes = self._not_finite() or "finite"
            require_product(product, name, start, product.dtype, slopes)

    def _not_finite(self) -> str:
        """The first second derivative or local Jacobian with a factor that is not finite."""
        for bend in self.bends:
            if not all(map(is_finite, bend.bent.expression.arrays)):
                return bend.name
        bent, head = {id(bend.link) for bend in self.bends}, slope_name(self.of, "")[:-1]
        for link in self.links:
            slope = "" if id(link) in bent else infinite_slope(self.nodes, [link])
            if slope and self.nodes[link.target].name.startswith(head):  # it is turned round
                v, s = (self.nodes[p].name[len(head) : -1] for p in (link.target, link.source))
                return f"∂{s}/∂{v}"
            if slope:
                return slope
        return ""

    def _place(self, name: str) -> int:
        return self._places.get(name, -1)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {node.name: place for place, node in enumerate(self.nodes)}

    def keeping(self, chosen: Callable[[Bend], bool]) -> "DoubledGraph":
        """The same graph with only some of the links that bend."""
        dropped = {id(bend.link) for bend in self.bends if not chosen(bend)}
        links = tuple(link for link in self.links if id(link) not in dropped)
        return replace(self, links=links, bends=tuple(filter(chosen, self.bends)))

    def between(self, start: int, ends: Collection[int]) -> "DoubledGraph":
        """Only what lies on a path from one of `ends` to `start`, and these themselves."""
        down, up = {start}, set(ends)
        for link in sorted(self.links, key=lambda link: link.target):
            if link.target in down:
                down.add(link.source)
        for link in sorted(self.links, key=lambda link: -link.source):
            if link.source in up:
                up.add(link.target)
        crossed = down & up
        kept = sorted({start, *ends, *crossed})
        seats = {place: seat for seat, place in enumerate(kept)}
        moved = {
            id(link): replace(link, target=seats[link.target], source=seats[link.source])
            for link in self.links
            if link.target in crossed and link.source in crossed
        }
        bends = tuple(
            Bend(moved[id(bend.link)], bend.bent) for bend in self.bends if id(bend.link) in moved
        )
        nodes = tuple(self.nodes[place] for place in kept)
        return replace(self, nodes=nodes, links=tuple(moved.values()), bends=bends)


def slope_name(of: str, name: str) -> str:
    """What the node of a gradient is called: (∂J/∂W2)."""
    return f"(∂{of}/∂{name})"


@quiet
def doubled(
    state: Pass,
    of: str,
    first: Sequence[str],
    second: Sequence[str],
    bends: bool = True,
    links: Links | None = None,
    bent: Callable[[Step], list[Bent]] | None = None,
) -> DoubledGraph:
    """The graph of ∂of/∂p for each p of `first`, over the values that depend on `second`.

    Raises JacobianError where an op between does not say how it bends. Without `bends` none
    is asked. `links` and `bent` give the local Jacobians and the bends, in place of the run's own.
    """
    links_of, bends_by = links or state.links, bent or partial(bends_of, state)
    names, steps = state.dependents(dict.fromkeys([*first, *second]), of)
    slopes = [n for n in reversed(names) if n in _reached(first, steps)]
    values = [n for n in names if n in _reached(second, steps)]
    out = state.axes(of)
    seats = {name: len(slopes) + place for place, name in enumerate(values)}
    places = {name: place for place, name in enumerate(slopes)}
    nodes = [Node(slope_name(of, n), (*out, *state.axes(n))) for n in slopes]
    nodes += [state.node(name) for name in values]
    straight = links_of(names, steps)
    all_links: list[Link] = []
    for link in straight:
        s, v = names[link.target], names[link.source]
        if s in places and v in places:
            all_links.append(_turned(link, places[v], places[s], out))
        if s in seats and v in seats:
            all_links.append(replace(link, target=seats[s], source=seats[v]))
    found: list[Bend] = []
    if bends:
        slopes_of = _cotangents(state, of, names, straight, {step.name for step in steps})
        for step in steps:
            for one in bends_by(step):
                u, v = one.inputs
                if u in places and v in seats and step.name in slopes_of:
                    bond = _bent_link(slopes_of[step.name], state.node(step.name), one, out)
                    found.append(Bend(replace(bond, target=places[u], source=seats[v]), one))
    all_links += [bend.link for bend in found]
    return DoubledGraph(of, tuple(nodes), tuple(all_links), tuple(found))


def _reached(names: Iterable[str], steps: Sequence[Step]) -> set[str]:
    """The names, and every step that depends on one of them; `steps` run from the output down."""
    found = set(names)
    for step in reversed(steps):
        if found.intersection(step.args):
            found.add(step.name)
    return found


def _turned(link: Link, target: int, source: int, out: Sequence[Axis]) -> Link:
    """∂s/∂v as the map from ∂of/∂s to ∂of/∂v; the axes of `of` are passed on."""
    taken = {*link.wrt, *link.out, *link.expression.sums}
    rows, columns = (_letters([axis.name for axis in out], taken) for _ in range(2))
    own = _letters(_bare(link.wrt), taken)
    expression = link.expression.renamed(dict(zip(link.wrt, own, strict=True)))
    if out:
        expression = identity(rows, columns) * expression
    return Link(target, source, (*rows, *own), (*columns, *link.out), expression)


def _bare(names: Sequence[str]) -> list[str]:
    """Axis names without primes: a sum keeps such a letter to itself."""
    return [name.rstrip("'") for name in names]


def _letters(preferred: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Names for axes, each free of all that are taken, which it joins."""
    found = []
    for name in preferred:
        found.append(fresh(taken, name))
        taken.add(found[-1])
    return tuple(found)


def _cotangents(
    state: Pass,
    of: str,
    names: Sequence[str],
    links: Sequence[Link],
    computed: Collection[str],
) -> dict[str, Expression]:
    """∂of/∂s for each value s that is computed, over the axes of `of` and the primed axes of s."""
    ends = {place for place, name in enumerate(names) if name in computed}
    if not ends:
        return {}
    nodes = [state.node(name) for name in names]
    out = state.axes(of)
    rows = _letters(_bare([axis.name for axis in out]), set())
    outer = tuple(Axis(name, axis.size) for name, axis in zip(rows, out, strict=True))
    start = identity(rows, nodes[0].primed)
    links = [link for link in links if link.source in ends]
    found = chain_rule.reverse(nodes, links, start, outer, sinks=ends, of=of)
    result = {}
    for place, expression in found.items():
        node = nodes[place]
        if not out and place:  # one array under its own name
            sizes = dict(zip(node.primed, node.shape, strict=True))
            array = evaluate(expression, node.primed, sizes, state.dtype)
            label = f"∂{of}/∂{node.name}"
            expression = Expression.of(Dense(label, node.primed, array))
        result[node.name] = expression
    return result


def _bent_link(slope: Expression, node: Node, bent: Bent, out: Sequence[Axis]) -> Link:
    """Σ_s ∂of/∂s ∂²s/∂u∂v as a link from v to ∂of/∂u."""
    s, u, v = ([axis.name for axis in part] for part in (bent.out, bent.first, bent.second))
    inside = {*bent.expression.sums}
    taken = {*s, *u, *v, *inside, *slope.sums}
    rows = _letters(_bare([axis.name for axis in out]), taken)
    before = _letters(_bare([axis.name for axis in out]), set())
    clash = [axis for axis in slope.sums if axis in {*s, *u, *v, *inside}]
    names = dict(zip(clash, _letters(clash, taken), strict=True))
    names |= dict(zip(node.primed, s, strict=True)) | dict(zip(before, rows, strict=True))
    sizes = {axis.name: axis.size for part in (bent.out, bent.first, bent.second) for axis in part}
    sizes |= dict(zip(rows, (axis.size for axis in out), strict=True))
    label = f"(Σ ∂/∂{node.name} {bent.name})"
    left = slope.renamed(names)
    found = multiply(left, bent.expression, [*rows, *u, *v], sizes, label)
    own = _letters(_bare(u), {*rows, *v, *found.sums})
    found = found.renamed(dict(zip(u, own, strict=True)))
    return Link(0, 1, (*rows, *own), tuple(v), found)
