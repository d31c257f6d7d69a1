"""dZ of each example, without the 1/m of the mean: a convention of some courses, not a mistake.

    dZ2 = A2 - Y;   dW2 = 1/m dZ2.T @ A1

Such a delta is m times ours. The right gradient that is computed from it shows that the
1/m is not forgotten.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from .diagnosis import Key
from .mutations.mutation import Facts

REMARK = "It is ∂L/∂{name} of each example, without the 1/m of the mean; your gradients have it."
DECLARED = "It is ∂L/∂{name} of each example: the 1/m of the mean is in the gradients."
IF_IN_GRADIENTS = "It is right as ∂L/∂{name} of each example, if the 1/m is in your gradients."
IsRight = Callable[[str, np.ndarray], bool]


def each_example(facts: Facts, arrays: Mapping[Key, np.ndarray], right: IsRight) -> frozenset[str]:
    """The deltas handed in without the 1/m, as at least one right gradient confirms."""
    m, state = facts.examples, facts.state
    if m < 2 or not state.program.averages:
        return frozenset()
    names = [key for key in arrays if isinstance(key, str)]
    deltas = [k for k in names if k in state.batched and not right(k, arrays[k])]
    larger = [k for k in deltas if right(k, arrays[k] / m)]
    return frozenset(deltas if larger and confirmed(facts, names, arrays, larger, right) else ())


def confirmed(
    facts: Facts,
    names: Iterable[str],
    arrays: Mapping[Key, np.ndarray],
    larger: list[str],
    right: IsRight,
) -> bool:
    """Whether a right gradient is computed from one of these deltas."""
    for name in names:
        if name in facts.params and right(name, arrays[name]):
            path = facts.backward.needed(name)
            if any(delta in path for delta in larger):
                return True
    return False
