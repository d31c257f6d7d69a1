"""A small Hessian by its columns: H V for the unit vectors V, in one sweep of the doubled graph.

The sweep is that of H v with one more axis, so that it is linear in the depth, where the blocks
are its square. Each entry is derived, those below the diagonal too: none is another turned round.
"""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from ..algebra.axes import Axis
from ..numbers.arrays import quiet
from ..program.forward_pass import Pass
from .doubled_graph import DoubledGraph
from .hessian_vector import pulled

MOST_AT_ONCE = 2**23  # entries of one value, or of all variables, moved along so many vectors
MANY = "v"


@quiet
def hessian_columns(
    state: Pass, graph: DoubledGraph, names: Sequence[str], rows: range | None = None
) -> np.ndarray:
    """∂²of/∂(names)² of one scalar `of`, flat, shape (P, P): row p is what ∂of/∂p moves with.

    Of some rows, as many as there are, shape (…, P).

    >>> from jacobian_bp.curvature.doubled_graph import doubled
    >>> from jacobian_bp.reference import X, Y, second_seed
    >>> run = second_seed().run(X, Y)
    >>> state, names = run.forward_pass, run.params
    >>> found = hessian_columns(state, doubled(state, run.cost, names, names), names)
    >>> bool(abs(found - run.hessian(names).materialise()).max() < 1e-15)
    True
    """
    shapes = {name: state.values[name].shape for name in names}
    count = sum(map(prod, shapes.values()))
    widest = max([count, *(prod(node.shape) for node in graph.nodes)])
    step = max(1, MOST_AT_ONCE // widest)
    rows = rows or range(count)
    found = np.empty((len(rows), count), state.dtype)
    for start in range(rows.start, rows.stop, step):
        stop = min(rows.stop, start + step)
        units = np.eye(stop - start, count, start, dtype=state.dtype)
        pieces = _taken_apart(units, shapes)
        moved = pulled(state, graph, pieces, (Axis(MANY, stop - start),))
        found[start - rows.start : stop - rows.start] = np.concatenate(
            [moved[name].reshape(stop - start, -1) for name in names], axis=1
        )
    return found


def _taken_apart(rows: np.ndarray, shapes: Mapping[str, Sequence[int]]) -> dict[str, np.ndarray]:
    """The columns of each variable, in its shape behind the axis of the rows."""
    found, start = {}, 0
    for name, shape in shapes.items():
        stop = start + prod(shape)
        found[name] = np.ascontiguousarray(rows[:, start:stop]).reshape(len(rows), *shape)
        start = stop
    return found
