"""The structured route: local Jacobians as deltas and factors, the deltas spent first."""

from collections.abc import Sequence

import numpy as np

from .arrays import quiet
from .forward import Pass
from .sweeps import dense_factors, swept


@quiet
def structured(state: Pass, wrt: Sequence[str], magnitudes: bool = False) -> dict[str, np.ndarray]:
    """∂cost/∂name for each name: one reverse sweep, each delta spent when its axis is summed.

    With `magnitudes`, every factor is replaced by its absolute value: what the
    sums would be if nothing cancelled, the scale of their rounding error. No two
    of the arrays share memory.
    """
    found = swept(state, state.cost, wrt, dense=True, magnitudes=magnitudes)
    arrays = [factor.array for factor in dense_factors(found)]
    first = {id(array): place for place, array in reversed([*enumerate(arrays)])}
    own = [a if first[id(a)] == place else a.copy() for place, a in enumerate(arrays)]
    return dict(zip(wrt, own, strict=True))
