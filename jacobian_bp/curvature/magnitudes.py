"""Σ|terms| of second derivatives, no term cancelling another: the scale at which they round.

    Σ over rows |∂u/∂p|ᵀ [Σ_s |∂J/∂s| |∂²s/∂u∂v|] |∂v/∂q|

It is the Hessian of the doubled graph in which each factor of each local Jacobian, and of what
bends, is its absolute value.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from ..algebra.expression import Expression
from ..algebra.nodes_and_links import Link
from ..numbers.arrays import quiet
from ..program.bends import Bent, lifted_bends, raw_bends
from ..program.forward_pass import Pass, link_of
from ..program.step import Step
from ..routes.structured import absolute
from .doubled_graph import DoubledGraph, doubled
from .hessian_columns import hessian_columns
from .hessian_vector import pulled

Key = TypeVar("Key")


@quiet
def hessian_magnitudes(state: Pass, of: str, names: Sequence[str]) -> np.ndarray:
    """Σ|terms| of each entry of ∂²of/∂(names)², of one scalar `of`; flat, shape (P, P)."""
    return _bounded(hessian_columns(state, _absolute_graph(state, of, names), names), state.dtype)


@quiet
def product_magnitudes(
    state: Pass, of: str, vectors: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Σ|terms| of each entry of H v, of one scalar `of`; no Hessian is built."""
    sizes = {name: np.abs(vector).astype(state.dtype) for name, vector in vectors.items()}
    found = pulled(state, _absolute_graph(state, of, [*vectors]), sizes)
    return {name: _bounded(array, state.dtype) for name, array in found.items()}


def _bounded(sums: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The sums as float64; over absolute values one may overflow where the derivative does not."""
    most = float(np.finfo(dtype).max)
    return np.nan_to_num(np.asarray(sums, np.float64), nan=most, posinf=most)


def _absolute_graph(state: Pass, of: str, names: Sequence[str]) -> DoubledGraph:
    def links(values: Sequence[str], steps: Sequence[Step]) -> list[Link]:
        local = {step.key: state.lifted(step, _absolute(state.raw(step))) for step in steps}
        return state.links(values, steps, lambda step, o: link_of(step, o, local[step.key]))

    def bent(step: Step) -> list[Bent]:
        return lifted_bends(state, step, _absolute(raw_bends(state, step)))

    return doubled(state, of, names, names, links=links, bent=bent)


def _absolute(raw: Mapping[Key, Expression]) -> dict[Key, Expression]:
    return {key: absolute(expression) for key, expression in raw.items()}
