"""What would take very long is left out with a sentence, unless --long asks for it.

Counting the chain of every parameter takes time itself, so the number of products
is estimated first, and multiplications are counted where there are few enough.
"""

from collections.abc import Sequence

from ...program.forward_pass import Pass
from .cost_card import ROUTES, RouteCost, cost_card

MOST_PRODUCTS = 10_000  # of two Jacobians: seconds to plan them, and in each call
MOST_MULTIPLICATIONS = 20_000_000_000  # some ten seconds of one call
EACH_CHAIN = ("full, forward", "full, planned")

Left = dict[str, str]


def affordable(
    state: Pass, long: bool, routes: Sequence[str] = ROUTES
) -> tuple[tuple[RouteCost, ...], Left]:
    """The costs of the routes that are counted, and a sentence for each that is left out."""
    left: Left = {}
    products = estimated_products(state)
    if not long and products > MOST_PRODUCTS:
        words = f"left out: about {_rounded(products)} products of two Jacobians; --long runs it"
        left = {route: words for route in routes if route in EACH_CHAIN}
    costs = cost_card(state, [route for route in routes if route not in left])
    for cost in costs:
        if not long and cost.multiplications > MOST_MULTIPLICATIONS:
            count = _rounded(cost.multiplications)
            left[cost.route] = f"left out: about {count} multiplications; --long runs it"
    return costs, left


def estimated_products(state: Pass) -> int:
    """The links of all chains from the cost to a parameter, each chain by itself."""
    steps = state.program.steps
    first = {arg: place for place, step in reversed([*enumerate(steps)]) for arg in step.args}
    return sum(len(steps) - first[name] for name in state.program.params if name in first)


def _rounded(count: int) -> str:
    """
    >>> _rounded(412_345_678_901), _rounded(1_003_000)
    ('4e11', '1e6')
    """
    digits, power = f"{count:.0e}".split("e")
    return f"{digits}e{int(power)}"
