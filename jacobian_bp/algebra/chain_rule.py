"""The chain rule along a graph of local Jacobians: a path multiplies, paths add.

    G[node] = Σ over links (target <- node) of  G[target] · ∂target/∂node

from the output down (`reverse`), or the same sum from the variable up
(`forward`). Each node is visited once, however many paths cross it, so the work
and the record of it are linear in the number of links.
"""

from collections.abc import Container, Sequence

from .axes import Axis, fresh
from .expression import Expression
from .graph import Link, Node
from .spending import Step, densify, merge, multiply, product


def reverse(
    nodes: Sequence[Node],
    links: Sequence[Link],
    start: Expression,
    out: Sequence[Axis] = (),
    sinks: Container[int] = (),
    of: str = "",
    trace: list[Step] | None = None,
    sum_out: bool = True,
) -> dict[int, Expression]:
    """G at the sinks (default: the last node), each over `out` and the node's primed axes.

    `start` stands at node 0: the identity for a Jacobian, a cotangent for a
    vector-Jacobian product. What is not a sink is forgotten once it was used.
    Without `sum_out` the sums stay written out: the formula, for a short chain.
    """
    sinks = sinks or (len(nodes) - 1,)
    kept_out = [axis.name for axis in out]
    by_target: dict[int, list[Link]] = {}
    for link in links:
        by_target.setdefault(link.target, []).append(link)
    found: dict[int, Expression] = {0: start}
    primed, shapes = [node.primed for node in nodes], [node.shape for node in nodes]
    for position, node in enumerate(nodes):
        if position not in found:
            continue
        own = primed[position]
        sizes = {axis.name: axis.size for axis in out}
        sizes |= dict(zip(own, shapes[position], strict=True))
        label = f"∂{of}/∂{node.name}"
        here = found[position]
        if sum_out:
            here = merge(here, [*kept_out, *own], sizes, label)
        if position in sinks:
            found[position] = here
        else:
            del found[position]
            if sum_out:
                here = densify(here, [*kept_out, *own], sizes, label)
        for link in by_target.get(position, ()):
            below = primed[link.source]
            sizes |= dict(zip(below, shapes[link.source], strict=True))
            taken = {*kept_out, *below, *own}
            if not sum_out:  # sums that stay written out keep their letters to themselves
                taken |= {axis for term in here.terms for axis in term.axes}
            bonds = _bonds(link.out, taken)
            sizes |= dict(zip(bonds, shapes[position], strict=True))
            left = here.renamed(dict(zip(own, bonds, strict=True)))
            names = dict(zip(link.out, bonds, strict=True))
            names |= dict(zip(link.wrt, below, strict=True))
            right = link.expression.renamed(names)
            record = trace if position else None  # at the output there is nothing to spend yet
            kept = [*kept_out, *below]
            if sum_out:
                part = multiply(
                    left, right, kept, sizes, f"∂{of}/∂{nodes[link.source].name}", record
                )
            else:
                part = product(left, right, kept, sizes, record)
            earlier = found.get(link.source)
            found[link.source] = part if earlier is None else earlier + part
    return {position: found[position] for position in found if position in sinks}


def forward(
    nodes: Sequence[Node], links: Sequence[Link], start: Expression, by: str = ""
) -> Expression | None:
    """The tangent at node 0, over its axes; `start` is the tangent at the last node."""
    by_source: dict[int, list[Link]] = {}
    for link in links:
        by_source.setdefault(link.source, []).append(link)
    found: dict[int, Expression] = {len(nodes) - 1: start}
    for position in range(len(nodes) - 1, 0, -1):
        if position not in found:
            continue
        node = nodes[position]
        own = node.plain
        sizes = dict(zip(own, node.shape, strict=True))
        here = merge(found.pop(position), own, sizes, f"d{node.name}")
        here = densify(here, own, sizes, f"d{node.name}")
        for link in by_source.get(position, ()):
            target = nodes[link.target]
            names = target.plain
            bonds = _bonds(link.wrt, set(names) | set(own))
            sizes |= dict(zip(names, target.shape, strict=True))
            sizes |= dict(zip(bonds, node.shape, strict=True))
            right = here.renamed(dict(zip(own, bonds, strict=True)))
            turned = dict(zip(link.out, names, strict=True))
            turned |= dict(zip(link.wrt, bonds, strict=True))
            left = link.expression.renamed(turned)
            part = multiply(left, right, names, sizes, f"d{target.name}/d{by}")
            earlier = found.get(link.target)
            found[link.target] = part if earlier is None else earlier + part
    return found.get(0)


def _bonds(preferred: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Names for the axes that are summed, free of every name that stays."""
    bonds: list[str] = []
    for name in preferred:
        bonds.append(fresh(taken | set(bonds), name))
    return tuple(bonds)
