"""The sums of a term with positions: what stays inside it, and what becomes one array.

    Σ_d,o g[d,o] K[d,c',r] δ[i',2o+r]     o and r are both summed: a scatter, one array
    Σ_r K[d,c',r] δ[i',2o+r]              o and i' are kept: the window stays a window

δ[i,f] is open if f has an axis that is kept, or one that another open delta holds.
"""

from collections.abc import Collection, Sequence
from math import prod

import numpy as np

from ..numbers.memory import require_memory
from .contracting import contract
from .diagonals import ordered
from .expression import Delta, Dense, Expression, Factor, Term
from .placing import evaluate
from .position_factors import At

LONGEST_LABEL = 60  # a longer name of a product is written …


def held_axes(term: Term, kept: Collection[str]) -> tuple[str, ...]:
    """The axes of the sums that stay inside the term: those of its open deltas."""
    held: dict[str, None] = {}
    waiting = term.of(At)
    while True:
        is_open = [f for f in waiting if any(a in kept or a in held for a in f.position.axes)]
        if not is_open:
            return tuple(held)
        waiting = [f for f in waiting if f not in is_open]
        held |= dict.fromkeys(a for f in is_open for a in f.position.axes if a not in kept)


def sum_positions(term: Term, kept: Sequence[str], sizes: dict[str, int], label: str = "") -> Term:
    """Whatever shares an axis that does not stay inside becomes one array, summed over it."""
    inside = (*kept, *held_axes(term, kept))
    found: list[Factor] = []
    for group, loose in _groups(term, inside):
        if not loose:
            found += group
            continue
        whole = len(group) == len(term.factors) and term.coefficient == 1
        found.append(_summed(group, loose, inside, sizes, label if whole else ""))
    summed = Term(tuple(found), term.coefficient).summing(kept, sizes)
    return _as_array(summed, kept, sizes, label)


def _groups(term: Term, inside: Collection[str]) -> list[tuple[list[Factor], list[str]]]:
    """Factors that share axes which are summed, and those axes; each other factor by itself."""
    groups: list[tuple[list[Factor], list[str]]] = []
    for factor in term.factors:
        loose = [axis for axis in dict.fromkeys(factor.axes) if axis not in inside]
        group = [factor]
        apart = []
        for others, theirs in groups:
            if {*loose} & {*theirs}:
                group = [*others, *group]
                loose = list(dict.fromkeys((*theirs, *loose)))
            else:
                apart.append((others, theirs))
        groups = [*apart, (group, loose)]
    return groups


def _summed(
    group: Sequence[Factor],
    loose: Sequence[str],
    inside: Sequence[str],
    sizes: dict[str, int],
    label: str,
) -> Dense:
    """Σ over the loose axes of a product: arrays contracted, what is left scattered."""
    dense = [f for f in group if isinstance(f, Dense)]
    others = [f for f in group if not isinstance(f, Dense)]
    axes = ordered({a for f in group for a in f.axes}, inside)
    words = " ".join(f.label if isinstance(f, Dense) else str(f) for f in [*dense, *others])
    words = words if len(words) <= LONGEST_LABEL else "…"
    name = label or f"(Σ_{','.join(sorted(loose))} {words})"
    if dense:
        needed = {a for f in others for a in f.axes}
        own = ordered({a for f in dense for a in f.axes}, (*inside, *sorted(needed - {*inside})))
        if len(dense) > 1 or {*dense[0].axes} - {*own}:
            dense = [Dense("", own, contract(dense, own, sizes), own=True)]
        if not others:
            return Dense(name, own, dense[0].array, own=True)
    dtype = dense[0].array.dtype if dense else np.dtype(np.float64)
    return Dense(name, axes, _array([*dense, *others], axes, sizes, dtype, name), own=True)


def _as_array(term: Term, kept: Sequence[str], sizes: dict[str, int], label: str) -> Term:
    """The term as one array beside its deltas, where its windows are longer than what they read."""
    if not term.sums:
        return term
    targets = prod(sizes[f.axis] for f in term.of(At))
    if prod(axis.size for axis in term.sums) <= targets:
        return term
    deltas = term.of(Delta)
    rest = [f for f in term.factors if not isinstance(f, Delta)]
    axes = ordered({a for f in rest for a in f.axes}, kept)
    dtypes = [f.array.dtype for f in term.of(Dense)]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
    where = ", ".join(f"{delta.left} = {delta.right}" for delta in deltas)
    name = f"({label} where {where})" if where else label
    array = _array(rest, axes, sizes, dtype, name)
    return Term((*deltas, Dense(name, axes, array, own=True)), term.coefficient)


def _array(
    factors: Sequence[Factor],
    axes: Sequence[str],
    sizes: dict[str, int],
    dtype: np.dtype,
    name: str,
) -> np.ndarray:
    require_memory(name, [sizes[a] for a in axes], dtype.itemsize, "Use J.pull(v), or J.push(u).")
    term = Term(tuple(factors)).summing(axes, sizes)
    return evaluate(Expression((term,)), axes, sizes, dtype)
