"""Is a Hessian right? Differences of the vjp gradient, H v of a random v, and H = Hᵀ.

    ∂²J/∂p∂q ≈ (4 d(h) − d(2h)) / 3,   d(h) = (g_p(q + h) − g_p(q − h)) / 2h

The gradients g come from the ops' own vjp, which knows no second derivative. A column of which
a step crosses a kink, or leaves the domain of an op, is left out: nothing can be said there.
∂²J/∂p∂q and ∂²J/∂q∂p are each derived, neither is the other turned round. What cancels is as
large as its rounding, so that each bar has UNITS · u · Σ|terms|, of the gradient too, and more
where the way to the cost is long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..curvature.doubled_graph import doubled
from ..curvature.hessian_columns import hessian_columns
from ..curvature.hessian_vector import hessian_vector
from ..curvature.magnitudes import hessian_magnitudes, product_magnitudes
from ..errors import JacobianError
from ..numbers.arrays import entry, quiet
from ..numbers.rounding import (
    differing,
    is_single,
    largest,
    of_formulas,
    of_sums,
    unit_roundoff,
)
from ..program.forward_pass import Pass
from ..program.roundings import units_of_gradient, units_of_hessian
from ..routes.difference import Perturbed
from ..routes.structured import structured
from ..routes.vjp import pull
from .kinks import crossed_kink

STEPS = (1e-3, 1e-5)  # relative to an entry beyond 1; the second where the first crosses a kink
MOST_COLUMNS = 60  # that are compared where the matrix is not built
ROUNDINGS = 1000.0  # units that a gradient may be off, at the scale of its largest entry


@dataclass(frozen=True)
class HessianCheck:
    """What was compared, how far apart it was, and the first entry that was too far."""

    columns: int
    all_columns: int
    left_out: int  # columns of which a step crosses a kink, or leaves the domain of an op
    differences: float
    product: float
    asymmetry: float
    wrong: str = ""

    @property
    def entries(self) -> tuple[int, int]:
        """Compared, and all."""
        return self.columns * self.all_columns, self.all_columns**2

    @property
    def ok(self) -> bool:
        return not self.wrong


@quiet
def check_hessian(
    state: Pass,
    names: Sequence[str],
    whole: np.ndarray | None,
    sums: np.ndarray | None = None,
    seed: int = 0,
) -> HessianCheck:
    """Compare ∂²J/∂(names)² with what shares no second derivative with it.

    `sums` are the Σ|terms| of the `whole` matrix, where they are at hand. Without the matrix,
    columns that are evenly spaced are compared, each as H e.
    """
    flat = [(name, index) for name in names for index in np.ndindex(state.values[name].shape)]
    count = len(flat)
    every = _stride(count, whole is not None)
    moved = {name: Perturbed(state, name) for name in names}
    if whole is None:
        sums = _sums_of_product(state, names, np.ones(count))[:, None]  # of every column together
    elif sums is None:
        sums = hessian_magnitudes(state, state.cost, names)
    units = units_of_hessian(state, names)
    rounding = of_sums(sums, state.dtype, units)  # of each column, or one for all
    slopes = _rounding_of_slopes(state, names)
    wrong, far, compared, left_out = "", 0.0, 0, 0
    for place in range(0, count, every):
        name, index = flat[place]
        column = _column(state, names, moved[name], index, slopes)
        if column is None:
            left_out += 1
            continue
        found, allowed = column
        claimed = _product(state, names, _unit(count, place)) if whole is None else whole[:, place]
        allowed = allowed + of_formulas(claimed, *_loose(state))
        allowed = allowed + rounding[:, 0 if whole is None else place]
        compared += 1
        far = max(far, largest(claimed - found))
        apart = differing(claimed, found, allowed)
        if not wrong and apart.any():
            row = int(np.argmax(apart))
            wrong = (
                f"∂²{state.cost}/∂{_entry(flat[row])}∂{_entry(flat[place])} is {claimed[row]:.9g}, "
                f"its difference {found[row]:.9g}"
            )
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(2, count))
    pushed = _product(state, names, v)
    if whole is None:
        other = _product(state, names, u)
        product, asymmetry = 0.0, float(abs(u @ pushed - v @ other))
        scale = np.array(abs(u) @ abs(pushed) + abs(v) @ abs(other))
        terms = np.array(abs(u) @ _sums_of_product(state, names, v))
        bar = of_formulas(scale, *_loose(state)) + of_sums(terms, state.dtype, units)
        bent = bool(asymmetry > bar)
    else:
        both = derived_both_ways(state, names, whole)
        product = largest(whole @ v - pushed)
        asymmetry = max(largest(one - other) for one, other in both)
        bar = of_formulas(whole, *_loose(state)) + rounding
        bent = any(differing(one, other, bar).any() for one, other in both)
        bar = of_formulas(abs(whole) @ abs(v), *_loose(state)) + rounding @ abs(v)
        if not wrong and differing(pushed, whole @ v, bar).any():
            wrong = "H v, never built, is not the matrix times v"
    if not wrong and bent:
        wrong = f"∂²{state.cost}/∂p∂q is not ∂²{state.cost}/∂q∂p"
    return HessianCheck(compared, count, left_out, far, product, asymmetry, wrong)


def columns_compared(count: int, built: bool) -> int:
    """Of how many variables' entries the columns are compared with differences."""
    return len(range(0, count, _stride(count, built)))


def _stride(count: int, built: bool) -> int:
    return 1 if built else max(1, count // MOST_COLUMNS)


def derived_both_ways(
    state: Pass, names: Sequence[str], whole: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The columns of the matrix, each derived, beside themselves turned round and beside `whole`.

    In the `whole` a block below the diagonal is that above it, turned round.
    """
    columns = hessian_columns(state, doubled(state, state.cost, names, names), names)
    return (columns, columns.T), (columns, whole)


def _rounding_of_slopes(state: Pass, names: Sequence[str]) -> np.ndarray:
    """What the sums of the gradients that are compared, in float64, may be off."""
    sums = flattened(names, structured(state, names, magnitudes=True))
    most = float(np.finfo(state.dtype).max)  # where they overflow, and the gradient does not
    sums = np.nan_to_num(sums, nan=most, posinf=most)
    return of_sums(sums, np.float64, units_of_gradient(state, names))


def _sums_of_product(state: Pass, names: Sequence[str], v: np.ndarray) -> np.ndarray:
    """Σ|terms| of H v as one vector."""
    return flattened(names, product_magnitudes(state, state.cost, taken_apart(state, names, v)))


def _loose(state: Pass) -> tuple[float, float]:
    """By how much two formulas for the same numbers may differ, relative and at the least."""
    return (1e-3, 1e-4) if is_single(np.empty(0, state.dtype)) else (1e-6, 1e-9)


def _entry(place: tuple[str, tuple[int, ...]]) -> str:
    return entry(*place)


def _unit(count: int, place: int) -> np.ndarray:
    unit = np.zeros(count)
    unit[place] = 1
    return unit


def _product(state: Pass, names: Sequence[str], v: np.ndarray) -> np.ndarray:
    """H v as one vector."""
    return flattened(names, hessian_vector(state, state.cost, taken_apart(state, names, v)))


def taken_apart(state: Pass, names: Sequence[str], v: np.ndarray) -> dict[str, np.ndarray]:
    """The entries of each variable out of one vector of them all."""
    found, start = {}, 0
    for name in names:
        value = state.values[name]
        found[name] = v[start : start + value.size].reshape(value.shape)
        start += value.size
    return found


def flattened(names: Sequence[str], arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """The entries of all variables as one vector."""
    return np.concatenate([np.asarray(arrays[name], np.float64).reshape(-1) for name in names])


def _column(
    state: Pass,
    names: Sequence[str],
    moved: Perturbed,
    index: tuple[int, ...],
    slopes: np.ndarray,
) -> tuple[np.ndarray, np.ndarray] | None:
    """∂(the gradient)/∂(one entry) by differences, and how far off it may be; None for no word.

    `slopes` are how far off the sums of a gradient may be.
    """
    for relative in STEPS:
        h = moved.step_size(index, relative)
        try:
            if any(crossed_kink(moved, index, step) for step in (h, 2 * h)):
                continue
            ends = {n: _gradient(state, names, moved, index, n * h) for n in (1, -1, 2, -2)}
        except JacobianError:
            continue
        near, far = ((ends[n] - ends[-n]) / (2 * n * h) for n in (1, 2))
        if not (np.isfinite(near).all() and np.isfinite(far).all()):
            continue
        rounding = ROUNDINGS * unit_roundoff(np.float64) * max(map(largest, ends.values())) / h
        return (4 * near - far) / 3, abs(near - far) + rounding + 1.5 * slopes / h
    return None


def _gradient(
    state: Pass, names: Sequence[str], moved: Perturbed, index: tuple[int, ...], change: float
) -> np.ndarray:
    """The gradient by the vjp route, one entry moved."""
    values = moved.values_at(index, change)
    there = replace(state, values=values, dtype=np.dtype(np.float64))
    return flattened(names, pull(there, state.cost, list(names), np.array(1.0)))
