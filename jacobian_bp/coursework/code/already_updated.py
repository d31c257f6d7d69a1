"""A line that is wrong because the parameter that it reads has its new value by then.

W2 -= lr * dW2
d1 = d2 @ W2.T * slope  needs the W2 of the forward pass.
"""

from .blame import Found
from .store import BREAK, UPDATE
from .trace import Trace
from .trials import Trials

UPDATED = "updated"


def read_too_late(found: Found, trace: Trace, trials: Trials) -> Found:
    """What is found, or that a line is right with a parameter as it was before its update."""
    number, said = found.number, found.quantity
    store = trace.stores[number]
    if store.kind in (UPDATE, BREAK) or not trace.states or (said and said.kind == "value"):
        return found
    for each in sorted(set(store.reads)):
        update = trace.stores[each]
        if update.kind != UPDATE or update.before is None:
            continue
        path = update.path.removeprefix("update of ")
        again = trials.alone(number, trace, store.statement, {path: update.before})
        same = trace.quantities.matches(again.value, said) if again else []
        right = (m for m in same if not m.turned and trace.legitimate(m.factor))
        goal = next((m.quantity for m in right if m.quantity.is_derivative), None)
        if goal is not None and said in (None, goal):
            name = update.said.removeprefix("update of ")
            return Found(number, goal, UPDATED, f"{name}, which line {update.line} has")
    return found
