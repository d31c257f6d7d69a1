"""What is known of a Hessian too large to be built: a direction of descent, found by products H v.

For any d of length 1 the lowest eigenvalue is at most θ = dᵀ H d, and one eigenvalue lies within
‖H d − θ d‖ of θ. Lanczos' method looks for the d with the lowest θ among few products; whether
another eigenvalue is lower still, it does not say.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..checks.of_hessian import flattened, taken_apart
from ..curvature.cut import Cut
from ..curvature.doubled_graph import DoubledGraph
from ..curvature.hessian_vector import shares_along
from ..curvature.magnitudes import product_magnitudes
from ..curvature.stacked_hessian import StackedHessian
from ..numbers.arrays import quiet
from ..numbers.rounding import of_sums
from ..program.forward_pass import Pass
from ..program.roundings import units_of_hessian
from .second_ledger import BendRow, Search
from .second_verdict import middle_of

PRODUCTS = 30
EXHAUSTED = 1e-10  # of the first step: what is left of a product when its directions are used up


@quiet
def search_of(state: Pass, graph: DoubledGraph, cut: Cut, rows: Sequence[BendRow]) -> Search:
    """The signs that follow from the cut, and the lowest curvature that few products find."""
    params = state.program.params
    whole = StackedHessian(state, state.cost, params)
    d, products = lowest_direction(whole.push, whole.shape[-1])
    moved = whole.push(d)
    theta = float(d @ moved)
    pieces = taken_apart(state, params, abs(d))
    sums = flattened(params, product_magnitudes(state, state.cost, pieces))
    of_each = of_sums(sums, state.dtype, units_of_hessian(state, params))
    rounding = float(abs(d) @ of_each)
    parts = dict.fromkeys((row.key for row in rows), 0.0)
    for bend, share in shares_along(state, graph, taken_apart(state, params, d)):
        parts[bend.key] += share
    name, middle = middle_of(state, graph, cut)
    return Search(
        cut.told,
        name,
        middle,
        products,
        theta,
        float(np.linalg.norm(moved - theta * d) + np.linalg.norm(of_each)),
        theta < -rounding,
        tuple((row.number, parts[row.key]) for row in rows),
    )


def lowest_direction(
    push: Callable[[np.ndarray], np.ndarray], count: int, seed: int = 0
) -> tuple[np.ndarray, int]:
    """A d of length 1 with a low dᵀ H d, and the products that it took: Lanczos' method.

    >>> H = np.diag([3.0, 2.0, -1.0, 5.0])
    >>> d, products = lowest_direction(lambda v: H @ v, 4)
    >>> round(float(d @ H @ d), 12), products
    (-1.0, 4)
    """
    first = np.random.default_rng(seed).normal(size=count)
    basis = [first / np.linalg.norm(first)]
    projected, scale = np.zeros((PRODUCTS, PRODUCTS)), 0.0
    for place in range(PRODUCTS):
        own = np.asarray(push(basis[place]), np.float64)
        scale = scale or float(np.linalg.norm(own))
        for _ in range(2):  # once more, for what rounding has left
            for other, q in enumerate(basis):
                share = float(q @ own)
                projected[other, place] += share
                own = own - share * q
        left = float(np.linalg.norm(own))
        if left <= EXHAUSTED * scale or place + 1 in (PRODUCTS, count):
            break
        basis.append(own / left)
    size = len(basis)
    small = np.triu(projected[:size, :size])
    _, vectors = np.linalg.eigh(small + np.triu(small, 1).T)
    d = vectors[:, 0] @ np.array(basis)
    return d / np.linalg.norm(d), size
