"""The sums of a term with positions: what stays inside it, and what becomes one array.

    Σ_d,o g[d,o] K[d,c',r] δ[i',2o+r]     o and r are both summed: a scatter, one array
    Σ_r K[d,c',r] δ[i',2o+r]              o and i' are kept: the window stays a window

δ[i,f] is open if f has an axis that is kept, or one that another open delta holds.
"""

from collections.abc import Collection, Sequence
from math import prod

import numpy as np

from ...numbers.memory import require_memory
from ..expression import Delta, Dense, Distinct, Expression, Factor, Term
from ..positions.position_factors import At, Within
from ..tape import apply
from .contracting import contract
from .diagonals import ordered
from .placing import evaluate
from .solving import as_array

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
    axes = ordered({a for f in group for a in f.axes}, inside)
    dense = [f for f in group if isinstance(f, Dense)]
    dtype = np.result_type(*(f.array.dtype for f in dense)) if dense else np.dtype(np.float64)
    laid = (*inside, *(a for f in group if isinstance(f, At) for a in f.position.axes))
    inner = [f for f in group if isinstance(f, Within | Distinct) and not {*f.axes} <= {*laid}]
    others = [f for f in group if not isinstance(f, Dense) and f not in inner]
    words = " ".join([*(f.label for f in dense), *(str(f) for f in group if f not in dense)])
    words = words if len(words) <= LONGEST_LABEL else "…"
    name = label or f"(Σ_{','.join(sorted(loose))} {words})"
    spread = [as_array(f, sizes, dtype) for f in inner if not _is_ensured(f)]
    value = _contracted([*dense, *spread], tuple(dict.fromkeys(laid)), sizes)
    if others or value.axes != axes:
        found = _array([value, *others], axes, sizes, dtype, name)
    else:
        found = value.array
    if inner:
        found = _with_zeros_chosen(found, group, axes, sizes, dtype)
    return Dense(name, axes, found, own=True)


def _is_ensured(factor: Within | Distinct) -> bool:
    return isinstance(factor, Within) and factor.ensured


def _contracted(dense: Sequence[Dense], laid: Sequence[str], sizes: dict[str, int]) -> Dense:
    """The product of arrays, summed over the axes that nothing is laid down by."""
    if not dense:
        return Dense("", (), np.ones(()))
    own = ordered({a for f in dense for a in f.axes}, laid)
    if len(dense) == 1 and {*dense[0].axes} == {*own} and len(dense[0].axes) == len(own):
        return Dense("", dense[0].axes, dense[0].array)
    return Dense("", own, contract(dense, own, sizes))


def _with_zeros_chosen(
    found: np.ndarray,
    group: Sequence[Factor],
    axes: tuple[str, ...],
    sizes: dict[str, int],
    dtype: np.dtype,
) -> np.ndarray:
    """The sum, which inf and NaN may have spoilt: then once more, its zeros chosen."""
    whole, known = Expression((Term(tuple(group)).summing(axes, sizes),)), dict(sizes)

    def checked(sums: np.ndarray, *arrays: np.ndarray) -> np.ndarray:
        if np.isfinite(sums).all():
            return sums
        return evaluate(whole.holding(arrays), axes, known, dtype)

    shape = tuple(sizes[axis] for axis in axes)
    return apply(checked, [found, *whole.arrays], shape, dtype)


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
