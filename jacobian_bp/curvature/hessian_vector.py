"""H v, the Hessian never built: the gradient of the number v · ∂f/∂θ, in one sweep.

On the doubled graph v stands before the nodes ∂f/∂p, and what arrives at q is Σ_p v_p ∂²f/∂p∂q.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..algebra import chain_rule
from ..algebra.expression import Dense, Expression
from ..algebra.nodes_and_links import Link, Node
from ..algebra.products.placing import evaluate
from ..algebra.tape import StandIn, Tape
from ..errors import AxisError, SpecError
from ..numbers.arrays import is_finite, quiet, real_array, require_finite
from ..program.forward_pass import Pass
from ..writing.signs import dims, safe
from .doubled_graph import DoubledGraph, doubled
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
    given = {}
    for name, vector in vectors.items():
        state.require_variable(of, name)
        v, expected = real_array(vector, f"the vector of {name}"), state.values[name].shape
        require_finite(v, f"the vector of {name}", "Pass a finite vector.")
        if v.shape != expected:
            raise AxisError(
                f"H v: the vector of {name} does not fit.\n"
                f"  it has shape {dims(v.shape)}\n"
                f"  {name} has shape {dims(expected)}\n"
                f"  Pass an array of the shape of {name}."
            )
        given[name] = v
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

    def sweep(graph: DoubledGraph, leaves: Sequence[StandIn]) -> dict[str, Expression]:
        standing = dict(zip(names, leaves, strict=True))
        found = pulled(state, chosen(graph), standing)
        results: dict[str, Expression] = {}
        for name, array in found.items():
            kept = [e.arrays[0] for e in results.values()]
            results[name] = _whole(state, name, array, leaves[0].tape, kept)
        return results

    _, arrays = replayed(state, ("H v", part), (of, names, names), sweep, given)
    result = dict(zip(names, arrays, strict=True))
    for name, array in result.items():
        if not is_finite(array):
            graph = chosen(doubled(state, of, names, names))
            graph.require_finite(array, f"(H v)[{name!r}]", ", v")
    return result


def _whole(state: Pass, name: str, array: Any, tape: Tape, others: Sequence[StandIn]) -> Expression:
    """One result as an array that each replay makes anew."""
    is_new = isinstance(array, StandIn) and array.slot not in tape.leaves
    if not is_new or any(array.slot == other.slot for other in others):
        array = tape.record(np.copy, [array], array.shape)
    return Expression.of(Dense(name, state.node(name).primed, array, own=True))


@quiet
def pulled_back(
    state: Pass, graph: DoubledGraph, vectors: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Σ_p v_p ∂²of/∂p∂q for each q, of one scalar `of`: new arrays, and finite, or DomainError."""
    result = pulled(state, graph, {name: v.astype(state.dtype) for name, v in vectors.items()})
    for name, array in result.items():
        result[name] = np.array(array, copy=True)
        graph.require_finite(result[name], f"(H v)[{name!r}]", ", v")
    return result


def pulled(state: Pass, graph: DoubledGraph, vectors: Mapping[str, Any]) -> dict[str, Any]:
    """Σ_p v_p ∂²of/∂p∂q for each q; `vectors` are arrays or stand-ins, and so is what is found."""
    nodes = (Node("(v · ∂)", ()), *graph.nodes)
    links = [replace(link, target=link.target + 1, source=link.source + 1) for link in graph.links]
    for name, vector in vectors.items():
        place = graph.slope(name) + 1
        if place:
            axes = nodes[place].primed
            links.append(Link(0, place, (), axes, Expression.of(Dense(f"v{name}", axes, vector))))
    ends = {name: graph.value(name) + 1 for name in vectors}
    sinks = [place for place in ends.values() if place]
    found = chain_rule.reverse(nodes, links, Expression.of(), (), sinks=sinks or [-1], of="(v · ∂)")
    result = {}
    for name, place in ends.items():
        node = state.node(name)
        sizes = dict(zip(node.primed, node.shape, strict=True))
        expression = found.get(place, Expression()) if place else Expression()
        result[name] = evaluate(expression, node.primed, sizes, state.dtype)
    return result
