"""Three networks, three orders: where reverse, forward and a mixed order win.

The product of a chain does not depend on its brackets; what it costs does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ...network.network import Network
from ...network.run import Run
from ...network.sizes import format_sizes
from ...routes.einsum_chain import ORDERS, Chain
from ..cost.limits import MOST_PRODUCTS, estimated_products
from ..timing.workload import Workload

LONGEST = 84  # characters of brackets, of which those at both ends are shown


@dataclass(frozen=True, eq=False)
class OrderExample:
    """One Jacobian whose price depends on the order, and why."""

    title: str
    of: str
    wrt: str
    run: Run
    reason: str

    def chain(self, order: str) -> Chain:
        """The chain in one of ORDERS, counted; nothing is built."""
        return self.run.chain(self.wrt, order, of=self.of)

    def lines(self) -> list[str]:
        """The title with its reason, and one line an order: its price and its brackets."""
        chains = {order: self.chain(order) for order in ORDERS}
        width = max(len(f"{chain.multiplications:,}") for chain in chains.values())
        return [
            f"{self.title}: ∂{self.of}/∂{self.wrt}",
            *(
                f"  {order:<8} {chain.multiplications:>{width},}  {shortened(chain.brackets)}"
                for order, chain in chains.items()
            ),
            f"  {self.reason}",
        ]


def bracketing_lines(after_own: bool = False) -> list[str]:
    """Why the order matters: multiplications in three orders, and the brackets of each.

    After the reader's own network the scalar cost is left out, which that has shown.

    >>> print("\\n".join(bracketing_lines()[:6]))
    multiplications of one chain of whole Jacobians, by the order in which it is contracted
    a scalar cost, widths 4-5-3: ∂J/∂W1
      reverse    149  ((((∂J/∂a2 ∂a2/∂z2) ∂z2/∂a1) ∂a1/∂z1) ∂z1/∂W1)
      forward  1,040  (∂J/∂a2 (∂a2/∂z2 (∂z2/∂a1 (∂a1/∂z1 ∂z1/∂W1))))
      planned    149  ((((∂J/∂a2 ∂a2/∂z2) ∂z2/∂a1) ∂a1/∂z1) ∂z1/∂W1)
      reverse wins: the output is one number, and from the left every product stays one row
    """
    head = "multiplications of one chain of whole Jacobians, by the order in which it is contracted"
    examples: Sequence[OrderExample] = order_examples()
    if after_own:
        head, examples = "the same of two other chains, in which another order wins", examples[1:]
    return [head, *(line for example in examples for line in example.lines())]


def own_chain(workload: Workload, long: bool = False) -> list[str]:
    """The chain of the user's own network from the cost to its first weights, in three orders."""
    weight = next((name for name, array in workload.params.items() if array.ndim == 2), "")
    if not weight or (estimated_products(workload.run.forward_pass) > MOST_PRODUCTS and not long):
        return []
    head = "multiplications of one chain of this network, by the order in which it is contracted"
    example = OrderExample(
        "the cost by the first weights", workload.run.cost, weight, workload.run, ""
    )
    counts = {order: example.chain(order).multiplications for order in ORDERS}
    best = min(counts, key=lambda order: (counts[order], order != "reverse"))
    reason = {
        "reverse": "the planner finds nothing cheaper than reverse",
        "forward": "forward is cheapest",
        "planned": f"the planner's order takes {counts['planned']:,} of reverse's "
        f"{counts['reverse']:,}",
    }
    lines = replace(example, reason=reason[best]).lines()
    return [head, *lines]


def shortened(brackets: str) -> str:
    """Long brackets by their two ends.

    >>> shortened("(" * 100 + "A" * 100)[-4:], len(shortened("x" * 500)) <= LONGEST
    ('AAAA', True)
    """
    if len(brackets) <= LONGEST:
        return brackets
    side = (LONGEST - 3) // 2
    return f"{brackets[:side]} … {brackets[-side:]}"


def order_examples() -> tuple[OrderExample, OrderExample, OrderExample]:
    """A scalar cost, few inputs with many outputs, and an hourglass."""
    return (_scalar_cost([4, 5, 3]), _few_inputs([2, 9, 8, 12]), _hourglass([11, 9, 2, 8, 12]))


def _scalar_cost(sizes: Sequence[int]) -> OrderExample:
    net = Network.dense(sizes, "tanh", "half_squared_error", seed=0)
    run = net.run(np.linspace(-1, 1, sizes[0]), np.zeros(sizes[-1]))
    why = "reverse wins: the output is one number, and from the left every product stays one row"
    return OrderExample(f"a scalar cost, widths {format_sizes(sizes)}", "J", "W1", run, why)


def _few_inputs(sizes: Sequence[int]) -> OrderExample:
    title = f"few inputs, many outputs, widths {format_sizes(sizes)}"
    why = (
        f"forward wins: {sizes[0]} inputs, {sizes[-1]} outputs, "
        f"and from the right every product stays {sizes[0]} columns"
    )
    return OrderExample(title, f"z{len(sizes) - 1}", "x", linear_layers(sizes), why)


def _hourglass(sizes: Sequence[int]) -> OrderExample:
    title = f"an hourglass, widths {format_sizes(sizes)}"
    why = (
        f"a mixed order wins: both sides are multiplied as far as the waist of {min(sizes)}, "
        "then together"
    )
    return OrderExample(title, f"z{len(sizes) - 1}", "x", linear_layers(sizes), why)


def linear_layers(sizes: Sequence[int]) -> Run:
    """A run of layers without activations: one local Jacobian a layer, all of them dense."""
    rng, params, lines = np.random.default_rng(0), {}, []
    for layer, (inputs, outputs) in enumerate(pairwise(sizes), 1):
        before = f"z{layer - 1}" if layer > 1 else "x"
        lines.append(f"z{layer} = Linear({before}, W{layer}, b{layer})")
        params[f"W{layer}"] = rng.standard_normal((outputs, inputs))
        params[f"b{layer}"] = np.zeros(outputs)
    return Network.program(*lines, params=params).run(np.linspace(-1, 1, sizes[0]))
