"""Lines that are right off a kink alone: (z >= 0) where the run's rectifier has slope 0 at z = 0.

The text is walked once more on a network in which a unit of each rectifier is exactly at its kink.
"""

from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity
from .limits import NotReadError, ShapesError
from .quantities import Quantities
from .readings import Reading, Readings
from .studied import Studied
from .trace import Trace
from .trials import Trials

CLOSE = 1e-6


def off_the_kink(best: Reading, readings: Readings) -> dict[int, str]:
    """What is to be said of the first line of a right text that has another slope at each kink."""
    studied = readings.studied
    if not isinstance(studied, Studied) or best.guessed:
        return {}
    kinked, found = studied.at_kinks(), dict[int, str]()
    if kinked is None:
        return found
    quantities = replace_studied(readings, kinked)._quantities(best.layout, best.naming)
    try:
        trace = Trials(readings.parsed, quantities, readings.budget).trace({})
    except (NotReadError, ShapesError):
        return found
    right = best.judgement.trace
    if len(trace.stores) != len(right.stores):
        return found
    for number in range(len(trace.stores)):
        before = {n for n in trace.ancestors(number) if trace.stores[n].line in found}
        of = None if before else _differs(number, right, trace, best.quantities, quantities)
        if of is not None:
            layer = _layer_of_kink(of)
            at_zero = _activation(quantities, of).at_zero
            found.setdefault(
                right.stores[number].line,
                f"Right off the kink: where z{layer} is exactly 0 the run takes the slope "
                f"{at_zero:g}, and this line another one.",
            )
    return found


def replace_studied(readings: Readings, studied: Studied) -> Readings:
    """The readings of the same text on another network."""
    return Readings(
        readings.parsed, studied, readings.convention, readings.numbers, readings.penalties
    )


def _differs(
    number: int, right: Trace, kinked: Trace, usual: Quantities, at_kink: Quantities
) -> Quantity | None:
    """The slope, or the derivative, that a line gives off the kink and not at it.

    Where no unit of an example is switched off a value is ∂J/∂z1 and ∂J/∂a1: one may be meant.
    """
    goal = right.gradients.of.get(number) or usual.goal(right.stores[number])
    found: list[Quantity] = []
    for match in usual.matches(right.stores[number].value, goal):
        quantity = match.quantity
        if quantity.kind not in ("slope", "gradient") or match.turned:
            return None
        wanted = at_kink.right(quantity, kinked.stores[number]) * match.factor
        value: Any = kinked.stores[number].value
        if np.shape(value) != np.shape(wanted) or np.allclose(value, wanted, CLOSE, CLOSE):
            return None
        found.append(quantity)
    bent = (q for q in found if hasattr(_activation(usual, q), "at_zero"))
    return next(bent, None)


def _activation(quantities: Quantities, quantity: Quantity) -> Any:
    """The op whose slope a derivative is the first to read."""
    step = quantities.studied.state.step(f"a{_layer_of_kink(quantity)}")
    return step.op if step else None


def _layer_of_kink(quantity: Quantity) -> int:
    """The layer whose slope a derivative is the first to read: of ∂J/∂a1 that of z2."""
    if quantity.of == "x":
        return 1
    return int(quantity.of[1:]) + (quantity.of[0] == "a")
