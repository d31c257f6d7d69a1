"""H v, the Hessian never built: the gradient of the number v · ∂f/∂θ, in one sweep.

On the doubled graph v stands before the nodes ∂f/∂p, and what arrives at q is Σ_p v_p ∂²f/∂p∂q.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..algebra import chain_rule
from ..algebra.axes import Axis
from ..algebra.expression import Dense, Expression, Term
from ..algebra.nodes_and_links import Link, Node
from ..algebra.products.placing import evaluate
from ..algebra.tape import StandIn, Tape
from ..errors import AxisError, SpecError
from ..numbers.arrays import is_finite, quiet, size_bound
from ..numbers.named_vectors import of_variables
from ..program.forward_pass import Pass
from ..writing.signs import dims, safe
from .doubled_graph import Bend, DoubledGraph, doubled
from .recorded_sweeps import replayed


def hessian_vector(state: Pass, of: str, vectors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Σ_q ∂²of/∂p∂q v_q for each p that `vectors` names: a dict of the same names.

    A variable that is not named counts as one whose v is 0. Raises AxisError where `of` is no
    single number or a vector does not fit its variable, and DomainError where an entry of H v is
    not finite.
    """
    if not isinstance(vectors, Mapping) or not vectors:
        name = (state.program.params or state.variables())[0]
        raise SpecError(
            f"H v takes a dict from names to arrays, not {safe(vectors)}.\n"
            f'  Write it such as {{"{name}": v}}, v of the shape of {name}.'
        )
    state.require(of)
    if state.axes(of):
        raise AxisError(
            f"H v is of one number; {of} has shape {dims(state.values[of].shape)}.\n"
            f"  Pass of= the name of a scalar, or push a vector through one block: "
            f'run.hessian("{next(iter(vectors))}", of="{of}").push(v).'
        )
    for name in vectors:
        state.require_variable(of, name)
    shapes = {name: state.values[name].shape for name in vectors}
    given = of_variables(vectors, shapes, "H v", "vector")
    return replayed_product(state, of, given, "", lambda graph: graph)


@quiet
def replayed_product(
    state: Pass,
    of: str,
    vectors: Mapping[str, np.ndarray],
    part: str,
    chosen: Callable[[DoubledGraph], DoubledGraph],
) -> dict[str, np.ndarray]:
    """H v, or its `part` with the links that are `chosen`, by the sweep recorded for this program.

    New arrays, and finite, or DomainError.
    """
    names = tuple(vectors)
    given = [np.asarray(vector, state.dtype) for vector in vectors.values()]

    def sweep(graph: DoubledGraph, leaves: Sequence[StandIn]) -> dict[Any, Expression]:
        standing = dict(zip(names, leaves, strict=True))
        arrived = _arrived(state, chosen(graph), standing)
        results: dict[Any, Expression] = {}
        for name, expression in arrived.items():
            array = _evaluated(state, name, expression)
            kept = [e.arrays[0] for e in results.values()]
            results[name] = _whole(state, name, array, leaves[0].tape, kept)
        pairs = {("u x", name): _outer_product(found) for name, found in arrived.items()}
        return results | {key: pair for key, pair in pairs.items() if pair.terms}

    record, arrays = replayed(state, ("H v", part), (of, names, names), sweep, given)
    result: dict[str, np.ndarray] = {}
    taken: set[int] = set()  # two biases of one value have one array between them
    for name, array in zip(names, arrays, strict=False):
        memory = id(array if array.base is None else array.base)
        result[name] = array.copy() if memory in taken else array
        taken.add(memory)
    factors = iter(arrays[len(names) :])
    products = [key[1] for key in record.found if key not in names]
    known = {name for name in products if _is_finite_product(next(factors), next(factors))}
    for name, array in result.items():
        if name not in known and not is_finite(array):
            graph = chosen(doubled(state, of, names, names))
            graph.require_finite(array, f"(H v)[{name!r}]", ", v")
    return result


def _whole(state: Pass, name: str, array: Any, tape: Tape, others: Sequence[StandIn]) -> Expression:
    """One result as an array that each replay makes anew."""
    is_new = isinstance(array, StandIn) and array.slot not in tape.leaves
    if not is_new or any(array.slot == other.slot for other in others):
        array = tape.record(np.copy, [array], array.shape)
    return Expression.of(Dense(name, state.node(name).primed, array, own=True))


def pulled(
    state: Pass, graph: DoubledGraph, vectors: Mapping[str, Any], many: Sequence[Axis] = ()
) -> dict[str, Any]:
    """Σ_p v_p ∂²of/∂p∂q for each q; `vectors` are arrays or stand-ins, and so is what is found.

    Where they are `many` at once, each array has that axis in front, and so has what is found.
    """
    arrived = _arrived(state, graph, vectors, many)
    return {name: _evaluated(state, name, found, many) for name, found in arrived.items()}


def _arrived(
    state: Pass, graph: DoubledGraph, vectors: Mapping[str, Any], many: Sequence[Axis] = ()
) -> dict[str, Expression]:
    """What `pulled` gives, as products of factors over the primed axes of each q."""
    nodes, links = _with_vectors(graph, vectors, many)
    ends = {name: graph.value(name) + 1 for name in vectors}
    sinks = [place for place in ends.values() if place]
    start = Expression.of()
    found = chain_rule.reverse(nodes, links, start, many, sinks=sinks or [-1], of="(v · ∂)")
    return {name: found.get(place, Expression()) for name, place in ends.items()}


def _evaluated(state: Pass, name: str, expression: Expression, many: Sequence[Axis] = ()) -> Any:
    node = state.node(name)
    axes = (*(axis.name for axis in many), *node.primed)
    sizes = dict(zip(axes, (*(axis.size for axis in many), *node.shape), strict=True))
    return evaluate(expression, axes, sizes, state.dtype)


def _outer_product(expression: Expression) -> Expression:
    """The expression itself where it is u[k'] x[i'], two factors that share no axis; else none."""
    match expression.terms:
        case [Term(factors=(Dense() as u, Dense() as x), coefficient=1.0)]:
            if u.axes and x.axes and {*u.axes}.isdisjoint(x.axes):
                return expression
    return Expression()


def _is_finite_product(u: np.ndarray, x: np.ndarray) -> bool:
    """Whether u[k'] x[i'] is finite by the lengths of u and x, which are more than any entry."""
    return size_bound(u) * size_bound(x) < np.finfo(u.dtype).max / 2


def _with_vectors(
    graph: DoubledGraph, vectors: Mapping[str, Any], many: Sequence[Axis] = ()
) -> tuple[tuple[Node, ...], list[Link]]:
    """The graph with the vectors before the nodes ∂of/∂p: its nodes and links, each one further."""
    nodes = (Node("(v · ∂)", ()), *graph.nodes)
    links = [replace(link, target=link.target + 1, source=link.source + 1) for link in graph.links]
    for name, vector in vectors.items():
        place = graph.slope(name) + 1
        if place:
            axes = nodes[place].primed
            own = (*(axis.name for axis in many), *axes)
            links.append(Link(0, place, (), axes, Expression.of(Dense(f"v{name}", own, vector))))
    return nodes, links


@quiet
def shares_along(
    state: Pass, graph: DoubledGraph, vectors: Mapping[str, np.ndarray]
) -> list[tuple[Bend, float]]:
    """For each link that bends, its part of vᵀ H v: u̇ᵀ [Σ_s ∂of/∂s ∂²s/∂u∂v] v̇, of one scalar.

    u̇ is how the value u moves along the vectors: what arrives at ∂of/∂u, before anything bends.
    """
    given = {name: v.astype(state.dtype) for name, v in vectors.items()}
    nodes, links = _with_vectors(graph.keeping(lambda bend: False), given)
    seats = {name: graph.slope(name) for bend in graph.bends for name in bend.bent.inputs}
    sinks = [place + 1 for place in seats.values()] or [-1]
    arrived = chain_rule.reverse(nodes, links, Expression.of(), (), sinks=sinks, of="(v · ∂)")
    moves = {}
    for name, place in seats.items():
        node = graph.nodes[place]
        sizes = dict(zip(node.primed, node.shape, strict=True))
        expression = arrived.get(place + 1, Expression())
        moves[name] = evaluate(expression, node.primed, sizes, state.dtype)
    found = []
    for bend in graph.bends:
        u, v = bend.bent.inputs
        ends = Node(f"d{u}", graph.nodes[bend.link.target].axes), state.node(v)
        own, other = (node.primed for node in ends)
        path = [
            Link(0, 1, (), own, Expression.of(Dense(f"d{u}", own, moves[u]))),
            replace(bend.link, target=1, source=2),
            Link(2, 3, other, (), Expression.of(Dense(f"d{v}", other, moves[v]))),
        ]
        scalars = Node("(v · ∂)", ()), Node(bend.name, ())
        whole = chain_rule.reverse(
            (scalars[0], *ends, scalars[1]), path, Expression.of(), (), of="(v · ∂)"
        )
        share = evaluate(whole.get(3, Expression()), (), {}, state.dtype)
        found.append((bend, float(share)))
    return found
