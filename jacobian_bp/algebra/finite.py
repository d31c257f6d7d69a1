"""Which products of factors are finite, told from the factors before the products are looked at."""

from collections.abc import Sequence

import numpy as np

from ..numbers.arrays import is_finite, size_bound
from .expression import Dense, Expression
from .nodes_and_links import Link, Node

ROUNDING = 2.0  # more than the rounding of a product of few factors


def surely_finite(expression: Expression, dtype: np.dtype) -> bool:
    """Whether no entry can pass the largest number, by the sizes of the factors; False is unknown.

    Σ_terms |coefficient| Π_factors √Σ x²  bounds every entry where no sum is inside.
    """
    if expression.has_positions or expression.sums:
        return False
    bound = 0.0
    for term in expression.terms:
        size = abs(term.coefficient)
        for factor in term.of(Dense):
            size *= size_bound(factor.array)
        bound += size
    return ROUNDING * bound < float(np.finfo(dtype).max)  # NaN is not


def infinite_slope(nodes: Sequence[Node], links: Sequence[Link]) -> str:
    """The first local Jacobian with a factor that is not finite, by name; empty where none has."""
    for link in links:
        if not all(is_finite(factor) for factor in link.expression.arrays):
            return f"∂{nodes[link.target].name}/∂{nodes[link.source].name}"
    return ""
