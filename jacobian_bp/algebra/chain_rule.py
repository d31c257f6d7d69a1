"""The chain rule along a graph of local Jacobians, in structured expressions.

    G[node] = Σ over links (target <- node) of  G[target] · ∂target/∂node

from the output down (`reverse`), or the same sum from the variable up
(`forward`). Each node is visited once, however many paths cross it, so the work
and the record of it are linear in the number of links.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from operator import add

from .axes import Axis, fresh
from .expression import Dense, Expression
from .kept_apart import densify_apart, merge_apart, multiply_apart
from .nodes_and_links import Link, Node
from .products.spending import Spending, densify, merge, multiply, spent_product, written
from .sum_over_paths import by_source, by_target, walk

MOST_NAMES = 4  # of values whose parts add up; more are counted

Arriving = Iterable[tuple[int, Expression]]


def reverse(
    nodes: Sequence[Node],
    links: Sequence[Link],
    start: Expression,
    out: Sequence[Axis] = (),
    sinks: Container[int] = (),
    of: str = "",
    trace: list[Spending] | None = None,
    apart: bool = False,
    sums_stay: bool = True,
) -> dict[int, Expression]:
    """G at the sinks (default: the last node), each over `out` and the node's primed axes.

    `start` stands at node 0: the identity for a Jacobian, a cotangent for a
    vector-Jacobian product. What is not a sink is forgotten once it was used. `apart` keeps
    products products, and adds terms only where that saves numbers; nothing is traced then. There
    a last sum stays a sum where it holds fewer numbers, if `sums_stay`.
    """
    sinks = sinks or (len(nodes) - 1,)
    below, ends = by_target(links), {axis.name: axis.size for axis in out}
    above = by_source(links)
    primed, shapes = [node.primed for node in nodes], [node.shape for node in nodes]

    def settle(place: int, here: Expression) -> Expression:
        axes, label = (*ends, *primed[place]), f"∂{of}/∂{nodes[place].name}"
        sizes = ends | dict(zip(primed[place], shapes[place], strict=True))
        arrived, here = here, (merge_apart if apart else merge)(here, axes, sizes, label)
        if trace is not None and len(above.get(place, ())) > 1:
            before, after = written(arrived, axes), written(here, axes)
            names = dict.fromkeys(nodes[link.target].name for link in above[place])
            if before != after:
                trace.append(Spending(before, after, _added_up(names)))
        return (
            here
            if place in sinks
            else (densify_apart if apart else densify)(here, axes, sizes, label)
        )

    def times(place: int, here: Expression) -> Arriving:
        own = primed[place]
        for link in below.get(place, ()):
            to = primed[link.source]
            taken = {*ends, *to, *own, *here.sums}
            bonds = _bonds(link.out, taken)
            left, right = _facing(here, own, bonds, link, (link.out, link.wrt), to, taken)
            sizes = ends | dict(zip(to, shapes[link.source], strict=True))
            sizes |= dict(zip(bonds, shapes[place], strict=True))
            record = trace if place else None  # at the output there is nothing to spend yet
            label = f"∂{of}/∂{nodes[link.source].name}"
            if trace is not None and len(above[link.source]) > 1:  # a part is not the whole
                label = _through(label, link, nodes, above[link.source])
            kept, last = (*ends, *to), sums_stay and link.source in sinks
            if apart:
                yield link.source, multiply_apart(left, right, kept, sizes, label, last)
            else:
                yield link.source, multiply(left, right, kept, sizes, label, record)

    found = walk(range(len(nodes)), {0: start}, times, add, sinks, settle)
    return {place: expression for place, expression in found.items() if place in sinks}


def written_out(
    nodes: Sequence[Node],
    links: Sequence[Link],
    start: Expression,
    out: Sequence[Axis],
    trace: list[Spending],
) -> Expression:
    """G at the last node, its deltas spent and its sums written out: the formula of a short chain.

    A sum that stays written out keeps its letter to itself.
    """
    below, ends = by_target(links), {axis.name: axis.size for axis in out}
    primed = [node.primed for node in nodes]
    seen: dict[str, int] = {}  # of letters that a sum before this link has left

    def times(place: int, here: Expression) -> Arriving:
        own = primed[place]
        letters = {axis for term in here.terms for axis in term.axes}
        held = [factor for term in here.terms for factor in term.of(Dense)]
        left_over = {a: n for f in held for a, n in zip(f.axes, f.array.shape, strict=True)}
        for link in below.get(place, ()):
            to = primed[link.source]
            taken = {*ends, *to, *own} | letters
            bonds = _bonds(link.out, taken)
            left, right = _facing(here, own, bonds, link, (link.out, link.wrt), to, taken)
            sizes = ends | dict(zip(to, nodes[link.source].shape, strict=True))
            sizes |= dict(zip(bonds, nodes[place].shape, strict=True))
            sizes = seen | left_over | sizes
            seen.update(sizes)
            yield (
                link.source,
                spent_product(left, right, (*ends, *to), sizes, trace if place else None),
            )

    last = len(nodes) - 1
    return walk(range(last), {0: start}, times, add).get(last, Expression())


def forward(
    nodes: Sequence[Node], links: Sequence[Link], start: Mapping[int, Expression], by: str = ""
) -> Expression | None:
    """The tangent at node 0, over its axes; `start` has that at each node where one is given."""
    above = by_source(links)

    def settle(place: int, here: Expression) -> Expression:
        node = nodes[place]
        sizes = dict(zip(node.plain, node.shape, strict=True))
        here = merge(here, node.plain, sizes, f"d{node.name}")
        return densify(here, node.plain, sizes, f"d{node.name}")

    def times(place: int, here: Expression) -> Arriving:
        node = nodes[place]
        for link in above.get(place, ()):
            target = nodes[link.target]
            own, to = node.plain, target.plain
            taken = {*to, *own, *here.sums}
            bonds = _bonds(link.wrt, taken)
            right, left = _facing(here, own, bonds, link, (link.wrt, link.out), to, taken)
            sizes = dict(zip(target.plain, target.shape, strict=True))
            sizes |= dict(zip(bonds, node.shape, strict=True))
            label = f"d{target.name}/d{by}"
            yield link.target, multiply(left, right, target.plain, sizes, label)

    return walk(range(len(nodes) - 1, 0, -1), dict(start), times, add, settle=settle).get(0)


def _through(label: str, link: Link, nodes: Sequence[Node], parts: Sequence[Link]) -> str:
    """The name of what one link brings, where several bring a part: (∂J/∂W through z1)."""
    alike = [part for part in parts if part.target == link.target]
    place = next(n for n, part in enumerate(alike, start=1) if part is link)
    which = f", {place} of {len(alike)}" if len(alike) > 1 else ""
    return f"({label} through {nodes[link.target].name}{which})"


def _added_up(names: Collection[str]) -> str:
    """Why parts that have arrived at one value become one array."""
    shown = list(names) if len(names) <= MOST_NAMES else [f"{len(names)} values"]
    return f"what comes back through {' and '.join(shown)} adds up"


def _facing(
    here: Expression,
    own: Sequence[str],
    bonds: Sequence[str],
    link: Link,
    ends: tuple[Sequence[str], Sequence[str]],
    to: Sequence[str],
    taken: set[str],
) -> tuple[Expression, Expression]:
    """What has arrived and a local Jacobian, the axes in which they meet under one name.

    `ends` are the axes of the link that meet it, and those that go on to `to`. A sum inside
    either has a letter that nobody else has.
    """
    names = dict(zip(ends[0], bonds, strict=True)) | dict(zip(ends[1], to, strict=True))
    inside = link.expression.sums
    if inside:
        names |= dict(zip(inside, _bonds(inside, {*taken, *bonds}), strict=True))
    mine = dict(zip(own, bonds, strict=True))
    clash = [axis for axis in here.sums if axis in to]
    if clash:
        mine |= dict(zip(clash, _bonds(clash, {*taken, *names.values(), *bonds}), strict=True))
    return here.renamed(mine), link.expression.renamed(names)


def _bonds(preferred: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Names for the axes that are summed, free of every name that stays."""
    bonds: list[str] = []
    for name in preferred:
        bonds.append(fresh(taken | set(bonds), name))
    return tuple(bonds)
