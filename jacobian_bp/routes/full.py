"""The full route: whole local Jacobians, built, used once, let go.

A sweep multiplies them from the output down, row times matrix; paths are added.
"""

from collections.abc import Collection, Sequence

import numpy as np
import opt_einsum

from ..algebra.graph import Link, Node
from ..algebra.placing import evaluate
from ..numbers.arrays import quiet
from ..numbers.memory import built, require_memory
from ..program.forward import Pass


@quiet
def full_reverse(state: Pass, wrt: Sequence[str]) -> dict[str, np.ndarray]:
    """One reverse sweep over whole Jacobians: row times matrix, from the cost down.

    Each local Jacobian is built whole, used once and let go; so is each row.
    """
    nodes, links = _graph(state, wrt)
    places = {node.name: place for place, node in enumerate(nodes)}
    kept = [places[name] for name in wrt if name in places]
    found = sweep(nodes, links, state.dtype, kept)
    rows = {nodes[place].name: row for place, row in found.items()}
    if state.cost in wrt:
        rows[state.cost] = np.ones((), state.dtype)
    for name in wrt:
        if name not in rows:
            rows[name] = built(f"∂{state.cost}/∂{name}", np.zeros_like(state.values[name]))
    return {name: rows[name] for name in wrt}


def require_dense(name: str, shape: Sequence[int], dtype: np.dtype) -> None:
    """MemoryLimitError with the routes that need no such array."""
    instead = 'Use run.gradients(route="structured") or run.gradients(route="vjp").'
    require_memory(name, shape, dtype.itemsize, instead)


def whole_link(link: Link, nodes: Sequence[Node], dtype: np.dtype) -> np.ndarray:
    """One local Jacobian as a dense array, its structural zeros placed."""
    names = (*link.out, *link.wrt)
    shape = (*nodes[link.target].shape, *nodes[link.source].shape)
    name = f"∂{nodes[link.target].name}/∂{nodes[link.source].name}"
    require_dense(name, shape, dtype)
    sizes = dict(zip(names, shape, strict=True))
    return built(name, evaluate(link.expression, names, sizes, dtype).astype(dtype, copy=False))


def sweep(
    nodes: Sequence[Node], links: Sequence[Link], dtype: np.dtype, kept: Collection[int]
) -> dict[int, np.ndarray]:
    """∂(node 0)/∂node at the nodes in `kept`: whole local Jacobians, multiplied from the output.

    `links` come in the order of their targets. A path multiplies, paths are
    added; each array is let go when it was used for the last time.
    """
    last = {link.target: link for link in links}
    found: dict[int, np.ndarray] = {}
    for link in links:
        at = link.target
        row = None if at == 0 else found[at]
        if at in found and link is last[at] and at not in kept:
            del found[at]
        _add(found, link.source, _along(row, link, nodes, dtype))
    return {place: found[place] for place in kept if place in found}


def times_whole(row: np.ndarray, local: np.ndarray, rank: int) -> np.ndarray:
    """Contract the last `rank` axes of `row` with the first of `local`."""
    left = tuple(range(row.ndim))
    kept = row.ndim - rank
    right = (*left[kept:], *range(row.ndim, row.ndim + local.ndim - rank))
    result = (*left[:kept], *right[rank:])
    return np.asarray(opt_einsum.contract(row, left, local, right, result))


def _along(
    row: np.ndarray | None, link: Link, nodes: Sequence[Node], dtype: np.dtype
) -> np.ndarray:
    """One step of a path: ∂(node 0)/∂target · ∂target/∂source; without a row, the local alone."""
    local = whole_link(link, nodes, dtype)
    if row is None:
        return local
    name = f"∂{nodes[0].name}/∂{nodes[link.source].name}"
    return built(name, times_whole(row, local, len(link.out)))


def _add(found: dict[int, np.ndarray], place: int, part: np.ndarray) -> None:
    """Paths add up, in place."""
    if place in found:
        found[place] += part
    else:
        found[place] = part


def _graph(state: Pass, wrt: Sequence[str]) -> tuple[list[Node], list[Link]]:
    """The values between the cost and all of `wrt`, and their local Jacobians."""
    names, steps = state.dependents(wrt, state.cost)
    names = names or [state.cost]
    return [state.node(name) for name in names], state.links(names, steps)
