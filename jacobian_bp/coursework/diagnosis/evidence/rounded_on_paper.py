"""Numbers rounded on paper: what they were before, and what the rounding does to the next step.

A student rounds z2 for the page and computes W2 from the z2 that is not rounded. Where the
mistake in z2 is known, so are its exact numbers; where it is not, W2 may differ from what
the page leads to by the half units of z2, carried forward.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ..passes.backward import Backward
from .matching import is_same
from .search import Hypothesis, Question

MOST_CARRIED = 0.01  # of the largest entry: beyond it, what follows cannot be told


def unrounded(
    array: np.ndarray, asked: Sequence[Question], best: Hypothesis | None, meant: Question | None
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers before they were rounded, and by how much they may differ from them.

    They are right in the question that is `meant`, or given by the mistake that is the `best`.
    """
    if meant is not None:
        return meant.right, np.broadcast_to(meant.precision.carried, array.shape)
    precision = asked[-1].precision
    exact = before_rounding(asked, best, array) if best is not None else None
    if exact is not None:
        return exact, np.zeros(array.shape)
    return array, np.broadcast_to(precision.allowed(array), array.shape)


def before_rounding(
    asked: Sequence[Question], h: Hypothesis, array: np.ndarray
) -> np.ndarray | None:
    """The exact numbers that the mistake gives, where they round to the array."""
    for question in asked:
        found = question.candidate(h.changes) if h.changes else question.right
        for factor in (1.0, h.factor or 1.0):
            if found is not None and is_same(array, factor * found, question.precision):
                return np.asarray(factor * found)
    return None


def carried(
    backward: Backward,
    key: str,
    units: Mapping[str, np.ndarray],
    own: Collection[str],
    right: np.ndarray,
) -> np.ndarray | float:
    """The half units of earlier deltas as they add up in `key`; 0 where it cannot be told."""
    found = {name: units[name] for name in own if name in units}
    if not found:
        return 0.0
    for name in backward.needed(key):
        lines = [k for k in backward.to.get(name, ()) if k.source in found and not k.asleep]
        if name in own or not lines:
            continue
        if any(line.kind == "op" for line in lines):  # not a product of factors
            return 0.0
        parts = (k.product(found[k.source], *(np.abs(f.array) for f in k.factors)) for k in lines)
        found[name] = np.asarray(sum(parts))
    most = found.get(key, np.zeros(()))
    if most.shape != right.shape or most.max() > MOST_CARRIED * np.abs(right).max(initial=0.0):
        return 0.0
    return most
