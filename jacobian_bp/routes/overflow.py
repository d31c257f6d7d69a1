"""A derivative of a run that is not finite: a slope is infinite, or a product overflows."""

import numpy as np

from ..algebra.finite import infinite_slope
from ..numbers.overflow import require_product
from ..program.forward_pass import Pass


def refuse(state: Pass, of: str, wrt: str, found: np.ndarray, name: str, start: str) -> None:
    """DomainError for `found`, which `name` names and whose entries are not all finite."""
    names, steps = state.dependents([wrt], of)
    slope = infinite_slope([state.node(each) for each in names], state.links(names, steps))
    require_product(found, name, start, state.dtype, slope or "unknown")  # a vjp has its own
