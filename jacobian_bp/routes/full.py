"""The full route: whole local Jacobians, built, used once, let go.

A sweep multiplies them from the output down, row times matrix; paths are added.
It asks its algebra for each product, so that the same sweep runs on arrays, and on
shapes alone where only its cost is wanted (`compare/cost`).
"""

from collections.abc import Collection, Iterable, Sequence
from math import isqrt, prod
from typing import Protocol, TypeVar

import numpy as np
import opt_einsum

from ..algebra.nodes_and_links import Link, Node
from ..algebra.products.placing import evaluate
from ..algebra.sum_over_paths import by_target, walk
from ..numbers.arrays import quiet
from ..numbers.memory import built, require_memory
from ..program.forward_pass import Pass

LONG_SUM = 128  # terms of a sum that is taken in parts

Whole = TypeVar("Whole")
Letters = tuple[int, ...]
Bond = tuple[Letters, Letters, Letters]  # the axes of left, right and their product


class WholeAlgebra(Protocol[Whole]):
    """What can be done with whole Jacobians, as arrays or as something that stands for them."""

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        """MemoryLimitError where such an array may not be built."""

    def zeros(self, name: str, shape: tuple[int, ...]) -> Whole:
        """A Jacobian by something that is not read."""

    def local(self, link: Link, nodes: Sequence[Node]) -> Whole:
        """One local Jacobian, built."""

    def times(self, left: Whole, right: Whole, name: str, bond: Bond) -> Whole:
        """Their contraction over the axes that both have."""

    def plus(self, found: Whole, part: Whole) -> Whole:
        """Another path, added into what was found."""

    def let_go(self, value: Whole) -> None:
        """Nobody will use this any more."""


class Arrays:
    """Whole Jacobians as arrays."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        require_dense(name, shape, self.dtype)

    def zeros(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        return built(name, np.zeros(shape, self.dtype))

    def local(self, link: Link, nodes: Sequence[Node]) -> np.ndarray:
        return whole_link(link, nodes, self.dtype)

    def times(self, left: np.ndarray, right: np.ndarray, name: str, bond: Bond) -> np.ndarray:
        mine, other, result = bond
        summed = len(mine) + len(other) - len({*mine, *other})
        if mine[len(mine) - summed :] == other[:summed]:  # row times matrix: no planner is needed
            return built(name, _contracted(left, right, summed))
        return built(name, np.asarray(opt_einsum.contract(left, mine, right, other, result)))

    def plus(self, found: np.ndarray, part: np.ndarray) -> np.ndarray:
        found += part  # in place: the sweep alone holds it
        return found

    def let_go(self, value: np.ndarray) -> None:
        """An array dies with its last name."""


def _contracted(left: np.ndarray, right: np.ndarray, summed: int) -> np.ndarray:
    """Σ left right over the last axes of left, which are the first of right.

    A long sum of a row by a matrix is taken in about √n parts: n equal terms in a row, as a
    constant image has them, are all rounded the same way, by up to n units together.
    """
    terms, first = prod(right.shape[:summed]), prod(left.shape[: left.ndim - summed])
    if first != 1 or terms <= LONG_SUM:
        return np.tensordot(left, right, summed)
    row, matrix, part = left.reshape(-1), right.reshape(terms, -1), isqrt(terms)
    whole = terms - terms % part
    parts = np.matmul(
        row[:whole].reshape(-1, 1, part), matrix[:whole].reshape(-1, part, matrix.shape[1])
    )
    found = parts.sum(axis=(0, 1)) + row[whole:] @ matrix[whole:]
    shape = left.shape[: left.ndim - summed] + right.shape[summed:]
    return np.asarray(found.reshape(shape), left.dtype)


@quiet
def full_reverse(state: Pass, wrt: Sequence[str]) -> dict[str, np.ndarray]:
    """One reverse sweep over whole Jacobians: row times matrix, from the cost down.

    Each local Jacobian is built whole, used once and let go; so is each row.
    """
    nodes, links = _graph(state, wrt)
    places = {node.name: place for place, node in enumerate(nodes)}
    kept = [places[name] for name in wrt if name in places]
    whole = Arrays(state.dtype)
    found = sweep(whole, nodes, links, kept)
    rows = {nodes[place].name: row for place, row in found.items()}
    if state.cost in wrt:
        rows[state.cost] = np.ones((), state.dtype)
    for name in wrt:
        if name not in rows:
            rows[name] = whole.zeros(f"∂{state.cost}/∂{name}", state.values[name].shape)
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
    whole: WholeAlgebra[Whole], nodes: Sequence[Node], links: Sequence[Link], kept: Collection[int]
) -> dict[int, Whole]:
    """∂(node 0)/∂node at the nodes in `kept`: whole local Jacobians, multiplied from the output.

    A path multiplies, paths are added; each value is let go when it was used for the last time.
    """
    below = by_target(links)

    def times(place: int, row: Whole | None) -> Iterable[tuple[int, Whole | None]]:
        for link in below.get(place, ()):
            yield link.source, _along(whole, row, link, nodes)

    def plus(found: Whole | None, part: Whole | None) -> Whole | None:
        return part if found is None or part is None else whole.plus(found, part)

    def let_go(row: Whole | None) -> None:
        if row is not None:
            whole.let_go(row)

    start: dict[int, Whole | None] = {0: None}  # ∂0/∂0, by which nothing is multiplied
    found = walk(below, start, times, plus, kept, let_go=let_go)
    return {place: row for place, row in found.items() if place in kept and row is not None}


def _along(
    whole: WholeAlgebra[Whole], row: Whole | None, link: Link, nodes: Sequence[Node]
) -> Whole:
    """One step of a path: ∂(node 0)/∂target · ∂target/∂source; without a row, the local alone."""
    local = whole.local(link, nodes)
    if row is None:
        return local
    first, target, source = nodes[0], nodes[link.target], nodes[link.source]
    bond = _bond(len(first.axes), len(target.axes), len(source.axes))
    product = whole.times(row, local, f"∂{first.name}/∂{source.name}", bond)
    whole.let_go(local)
    return product


def _bond(out: int, between: int, by: int) -> Bond:
    """The letters of a matrix product, from the numbers of axes of the three values."""
    letters = tuple(range(out + between + by))
    return letters[: out + between], letters[out:], (*letters[:out], *letters[out + between :])


def _graph(state: Pass, wrt: Sequence[str]) -> tuple[list[Node], list[Link]]:
    """The values between the cost and all of `wrt`, and their local Jacobians."""
    names, steps = state.dependents(wrt, state.cost)
    names = names or [state.cost]
    return [state.node(name) for name in names], state.links(names, steps)
