"""What holds of a Hessian's two parts here: signs of eigenvalues, and where the lowest comes from.

    Gauss-Newton = Aᵀ M A,   M = ∂²J/∂f² at the cut f,   A = ∂f/∂θ

so that it is positive semidefinite wherever M is. The residual has no such reason. Along the
direction d of the lowest eigenvalue, dᵀ H d is the sum of dᵀ (row) d over the rows.
"""

from collections.abc import Sequence

import numpy as np

from ..checks.of_hessian import taken_apart
from ..curvature.cut import Cut
from ..curvature.doubled_graph import DoubledGraph
from ..curvature.hessian_vector import shares_along
from ..curvature.magnitudes import hessian_magnitudes
from ..curvature.stacked_hessian import StackedHessian
from ..numbers.arrays import quiet
from ..numbers.rounding import largest, of_sums, unit_roundoff
from ..program.forward_pass import Pass
from ..program.roundings import units_of_hessian
from .second_ledger import BendRow, Spectrum, Verdict
from .second_parts import Parts

MOST_MIDDLE = 600  # entries of the values at the cut
ROUNDED = 16  # units, times the size of the matrix and its largest eigenvalue


@quiet
def verdict_of(
    state: Pass,
    graph: DoubledGraph,
    cut: Cut,
    rows: Sequence[BendRow],
    parts: Parts,
    sums: np.ndarray,
) -> Verdict:
    """The spectra of the Gauss-Newton part, the rest and the whole, and the rows' shares.

    `sums` are the Σ|terms| of the whole's entries.
    """
    params = state.program.params
    gauss_newton, residual = parts.gauss_newton, parts.residual
    whole = gauss_newton + residual
    values, vectors = np.linalg.eigh(_symmetric(whole))
    rounding = _of_terms(sums, state)
    bar = _bar(values, state, rounding)
    repeats = int((values <= values[0] + 1e6 * bar).sum())
    shares: list[tuple[int, float]] = []
    if values[0] < -bar and repeats == 1:
        parts_of = dict.fromkeys((row.key for row in rows), 0.0)
        for bend, share in shares_along(state, graph, taken_apart(state, params, vectors[:, 0])):
            parts_of[bend.key] += share
        shares = [(row.number, parts_of[row.key]) for row in rows]
    name, middle = middle_of(state, graph, cut)
    scale = largest(values)
    return Verdict(
        cut.told,
        name,
        middle,
        spectrum(gauss_newton, state, rounding, scale),
        spectrum(residual, state, rounding, scale),
        float(np.trace(residual.astype(np.float64))),
        spectrum(whole, state, rounding),
        repeats,
        tuple(shares),
    )


def spectrum(matrix: np.ndarray, state: Pass, rounding: float, scale: float = 0.0) -> Spectrum:
    """The eigenvalues that are not 0 to rounding, beside `scale` where that is larger."""
    values = np.linalg.eigvalsh(_symmetric(matrix))
    kept = values[abs(values) > _bar(np.append(values, scale), state, rounding)]
    return Spectrum(tuple(sorted(kept.tolist(), key=_largest_first)), len(values), largest(values))


def _largest_first(value: float) -> tuple[float, float]:
    """By size to nine digits, of two signs the positive one first, on every machine."""
    return -float(f"{abs(value):.9g}"), -value


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    wide = matrix.astype(np.float64)
    return (wide + wide.T) / 2


def _bar(values: np.ndarray, state: Pass, rounding: float) -> float:
    """What rounding may make of an eigenvalue that is 0: that of the entries, or that of `eigh`."""
    return max(rounding, ROUNDED * len(values) * unit_roundoff(state.dtype) * largest(values))


def _of_terms(sums: np.ndarray, state: Pass) -> float:
    """By how much the rounding of the entries may move an eigenvalue: units · u · ‖Σ|terms|‖₂."""
    norm = np.array(largest(np.linalg.eigvalsh(_symmetric(sums))))
    return float(of_sums(norm, state.dtype, units_of_hessian(state, state.program.params)))


def middle_of(state: Pass, graph: DoubledGraph, cut: Cut) -> tuple[str, Spectrum | None]:
    """M: by the values at the cut, and by what else bends at or behind it: the W of a penalty."""
    bent = [u for b in graph.bends if b.bent.step.name not in cut.inside for u in b.bent.inputs]
    params = state.program.params
    at = [name for name in cut.at if graph.value(name) >= 0]
    names = dict.fromkeys([*at, *(u for u in bent if u in params or u in cut.inside)])
    if not bent or not names:
        return "", None
    middle = StackedHessian(state, state.cost, tuple(names)).gauss_newton
    only = next(iter(names))
    name = (
        f"∂²{state.cost}/∂{only}²" if len(names) == 1 else f"∂²{state.cost}/∂({', '.join(names)})²"
    )
    if middle.shape[-1] > MOST_MIDDLE:
        return name, None
    rounding = _of_terms(hessian_magnitudes(state, state.cost, tuple(names)), state)
    return name, spectrum(middle.materialise(), state, rounding)
