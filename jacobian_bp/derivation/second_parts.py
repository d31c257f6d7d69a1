"""The Gauss-Newton part of a whole Hessian and the rest, built, for sizes and signs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..curvature.cut import Cut
from ..curvature.doubled_graph import Bend, DoubledGraph
from ..curvature.hessian_columns import hessian_columns
from ..curvature.stacked_hessian import StackedHessian


@dataclass(frozen=True, eq=False)
class Parts:
    """Both parts by all parameters, laid flat, and where each parameter's entries lie."""

    gauss_newton: np.ndarray
    residual: np.ndarray
    places: Mapping[str, slice]


def parts_of(whole: StackedHessian, graph: DoubledGraph, cut: Cut) -> Parts:
    """The parts by the links that bend at or behind the cut, and before it."""

    def is_inside(bend: Bend) -> bool:
        return bend.bent.step.name in cut.inside

    state, names = whole.state, whole.wrt
    outer, inner = graph.keeping(lambda bend: not is_inside(bend)), graph.keeping(is_inside)
    return Parts(
        hessian_columns(state, outer, names), hessian_columns(state, inner, names), whole.places
    )
