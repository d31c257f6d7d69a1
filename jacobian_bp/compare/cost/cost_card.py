"""The cost card: what the whole gradient costs on every route, from shapes alone.

    full, reverse   every local Jacobian whole, row times matrix, one sweep for all
    full, forward   whole, from the parameter up, each parameter's chain for itself
    full, planned   whole, in the planner's order, each parameter's chain for itself
    structured      local Jacobians as deltas and factors, one sweep
    vjp             each op's own vector-Jacobian product, one sweep

Sizes are Python integers, and no Jacobian is built: a layer of 4096 is counted as
fast as one of 4. For the full routes the bytes are those that `memory.metered`
finds when they run; for the other two the rule stands in `cotangents`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...algebra.jacobian import Jacobian
from ...algebra.nodes_and_links import Link, Node
from ...errors import JacobianError
from ...network.run import Run
from ...program.forward_pass import Pass
from ...routes.einsum_chain import contracted
from ...routes.full import sweep
from ...routes.gradients import require_scalar
from ...writing.signs import did_you_mean
from . import cotangents
from .counting import Tally

ORDER_OF = {"full, reverse": "reverse", "full, forward": "forward", "full, planned": "planned"}
ROUTES = (*ORDER_OF, "structured", "vjp")


@dataclass(frozen=True)
class RouteCost:
    """The predicted cost of the gradient of the cost by all parameters, on one route."""

    route: str
    multiplications: int
    nonzero_multiplications: int  # structural zeros left out
    peak_bytes: int  # the most that is alive at one time
    largest: tuple[str, tuple[int, ...]]  # name and shape of the largest array
    largest_bytes: int


def cost_card(run: Run | Pass, routes: Sequence[str] = ROUTES) -> tuple[RouteCost, ...]:
    """The predicted cost of each of `routes`.

    >>> import jacobian_bp as jb
    >>> net = jb.Network.dense([2, 3, 2], "tanh", "half_squared_error", seed=0)
    >>> for cost in cost_card(net.run([1.0, 2.0], [0.0, 1.0])):
    ...     print(f"{cost.route:<14}{cost.multiplications:>4}{cost.peak_bytes:>5}")
    full, reverse   62  280
    full, forward  237  360
    full, planned   89  232
    structured      23  192
    vjp             25  272

    Raises AxisError where the last value is no scalar.
    """
    state = run.forward_pass if isinstance(run, Run) else run
    require_scalar(state)
    for route in routes:
        if route not in ROUTES:
            raise JacobianError(
                f"route {route!r} is unknown.{did_you_mean(route, ROUTES)}\n"
                f"  Write one of {'; '.join(ROUTES)}."
            )
    graph = Graph.of(state)
    return tuple(_cost(state, graph, route) for route in routes)


@dataclass(frozen=True)
class Graph:
    """The values between the cost and all parameters, and their local Jacobians, made once."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    @classmethod
    def of(cls, state: Pass) -> "Graph":
        names, steps = state.dependents(state.program.params, state.cost)
        names = names or [state.cost]
        return cls(tuple(map(state.node, names)), tuple(state.links(names, steps)))

    def kept(self, state: Pass) -> list[int]:
        """The places of the parameters."""
        place = {node.name: p for p, node in enumerate(self.nodes)}
        return [place[name] for name in state.program.params if name in place]

    def jacobian(self, state: Pass, name: str) -> Jacobian:
        """∂cost/∂name, as `state.jacobian` gives it, with no local Jacobian made again."""
        names, _ = state.dependents([name], state.cost)
        names = [other for other in names if other != name] or [state.cost]
        names.append(name)
        moved = {other: place for place, other in enumerate(names)}
        links = []
        for link in self.links:
            target, source = self.nodes[link.target].name, self.nodes[link.source].name
            if target in moved and source in moved:
                links.append(replace(link, target=moved[target], source=moved[source]))
        nodes = tuple(map(state.node, names))
        out, wrt = state.axes(state.cost), state.axes(name)
        return Jacobian(nodes, tuple(links), out, wrt, state.dtype)


def _cost(state: Pass, graph: Graph, route: str) -> RouteCost:
    tally, kept = Tally(state.dtype.itemsize), graph.kept(state)
    if route == "full, reverse":
        sweep(tally, graph.nodes, graph.links, kept)
    elif route in ORDER_OF:
        for name in state.program.params:
            contracted(tally, graph.jacobian(state, name), ORDER_OF[route])
    elif route == "structured":
        cotangents.structured(tally, graph.nodes, graph.links, kept, state.values.values())
    else:
        cotangents.vjp(tally, graph.nodes, graph.links, kept)
    reached = {graph.nodes[place].name for place in kept}
    if route not in ("full, forward", "full, planned"):  # there a zero is the contraction's
        for name in state.program.params:
            if name not in reached:
                tally.build(f"∂{state.cost}/∂{name}", state.values[name].shape)
    return RouteCost(
        route,
        tally.multiplications,
        tally.nonzero_multiplications,
        tally.peak_bytes,
        tally.largest,
        tally.largest_bytes,
    )
