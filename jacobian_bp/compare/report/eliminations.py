"""Which value to eliminate first: the orders of elimination in a cost card."""

from ...program.forward_pass import Pass
from ...writing.signs import plural
from ...writing.tables import fold, wrapped
from ..cost.elimination import MOST_EXACT, elimination_orders, values_between

MOST_SEARCHED = 30  # values between cost and parameters; where there are more, no line is shown
FIRST = 12  # columns of the order's name


def elimination_lines(state: Pass, room: int) -> list[str]:
    """What each order takes, and the values in it; nothing for a deep network, or one step."""
    between = values_between(state)
    if not 1 < len(between) <= MOST_SEARCHED:
        return []
    found = elimination_orders(state)
    number = max(len(f"{one.multiplications:,}") for one in found)
    lines = [
        "",
        "orders of elimination: the values between are eliminated one by one, zeros left out",
    ]
    for one in found:
        head = f"{one.order:<{FIRST}}{one.multiplications:>{number},}  "
        lines += wrapped(head + " ".join(one.values), room, rest=" " * len(head))
    looked = "every order was looked at" if found[-1].exact else _beamed(len(between))
    return [*lines, *fold(f"  searched: {looked}; forward takes all parameters at once.", room)]


def _beamed(count: int) -> str:
    orders = f"{plural(count, 'value')} can be eliminated in too many orders to look at each"
    return f"{orders} (above {MOST_EXACT}), and this is the cheapest of those tried"
