"""The structure of a Jacobian in words: identity, delta ⊗ vector, shifted window ⊗ matrix, …

The words for positions are read off the entries that they let stand, so that they are the
same for a local Jacobian and for a product.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import prod

import numpy as np

from ..expression import Delta, Dense, Distinct, Expression, Term
from ..positions.position_factors import At
from .patterns import Pattern, patterns_of, pruned
from .relations import AxisKey, Relation

CHOSEN = "selection chosen by the values"


def describe(
    expression: Expression,
    out: Sequence[str],
    wrt: Sequence[str],
    sizes: Mapping[str, int] | None = None,
) -> str:
    """The structure in words: identity, diagonal, delta ⊗ vector, dense, shifted window, …

    `sizes` has those of all axes outside, where a term has positions.
    """

    def words(term: Term) -> str:
        if not term.has_positions:
            return _describe_term(term, out, wrt)
        return _describe_positions(term, out, wrt, sizes or {})

    if not expression.terms:
        return "zero"
    text = words(expression.terms[0])
    for term in expression.terms[1:]:
        text += (" minus " if term.coefficient < 0 else " plus ") + words(term)
    return text


def describe_patterns(
    found: Iterable[Pattern], rank: int, sizes: Mapping[AxisKey, int] | None = None
) -> str:
    """The structure of a product of Jacobians, as far as its deltas and positions tell."""
    kept = pruned(found)
    if not kept:
        return "zero"
    words = []
    for pattern in kept:
        equal = sum(map(len, pattern.equal))
        whole = equal == rank and rank > 0
        parts = ["delta"] if equal else []
        parts += _words(pattern, sizes or {})
        if whole:
            in_order = all(len({place for _, place in group}) == 1 for group in pattern.equal)
            words.append(" ⊗ ".join([_whole_word(in_order), *parts[1:]]))
        else:
            words.append(" ⊗ ".join([*parts, "dense"]))
    return " plus ".join(words)


def _describe_positions(
    term: Term, out: Sequence[str], wrt: Sequence[str], sizes: Mapping[str, int]
) -> str:
    """What deltas, positions and values let stand, and how many axes the arrays have."""
    (pattern,) = patterns_of(Expression((term,)), out, wrt, sizes)
    keys: dict[AxisKey, int] = {("out", p): sizes[axis] for p, axis in enumerate(out)}
    keys |= {("wrt", p): sizes[axis] for p, axis in enumerate(wrt)}
    words = ["delta"] if pattern.equal else []
    words += _words(pattern, keys)
    words += [CHOSEN] if any(f.here for f in term.of(At)) else []
    tied = {axis for f in term.of(Delta) for axis in f.axes}
    if tied and tied == {*out, *wrt}:
        return " ⊗ ".join(["diagonal", *words[1:]])
    dense = term.of(Dense)
    axes = {axis for f in dense for axis in f.axes} - tied
    if len(dense) > 1 and _are_apart(dense, [*axes]):
        words.append("outer product")
    elif axes:
        words.append({1: "vector", 2: "matrix"}.get(len(axes), f"{len(axes)}-tensor"))
    elif dense or not words:
        words.append("scalar" if dense else "ones")
    return " ⊗ ".join(dict.fromkeys(words))


def _words(pattern: Pattern, sizes: Mapping[AxisKey, int]) -> list[str]:
    """A word for each relation that leaves something out, in one order for all machines."""
    related = sorted(pattern.related, key=lambda r: (r.keys, len(r), r.rows.tobytes()))
    partial = [r for r in related if len(r) < prod(sizes[key] for key in r.keys)]
    return list(dict.fromkeys(map(_word, partial)))


def _word(relation: Relation) -> str:
    """How the entries of a relation lie: what each entry of the output reads.

    >>> t, u = np.indices((3, 3))
    >>> keys = ("out", 0), ("wrt", 0)
    >>> _word(Relation.where(keys, u <= t)), _word(Relation.where(keys, abs(u - t) < 2))
    ('lower triangle', 'shifted window')
    >>> _word(Relation.where(keys, u == (t + 2) % 3))
    'selection'
    """
    if len(relation.keys) == 1:
        return "mask"
    rows = relation.rows
    own = [place for place, key in enumerate(relation.keys) if key[0] == "out"]
    one_each = np.diff(rows[:, own], axis=0).any(axis=1).all()  # in order, those of out first
    if 0 < len(own) < len(relation.keys) and one_each:
        return "selection"
    if len(relation.keys) > 2 or not len(rows):
        return "mask"
    reads, is_read = rows.T
    size = int(rows.max()) + 1
    if len(rows) == size * (size + 1) // 2:
        if (is_read <= reads).all():
            return "lower triangle"
        if (is_read >= reads).all():
            return "upper triangle"
    first = np.flatnonzero(np.diff(reads, prepend=-1))
    last = np.append(first[1:], len(reads)) - 1
    ends = [np.diff(is_read[first]), np.diff(is_read[last])]
    if all((end >= 0).all() for end in ends) or all((end <= 0).all() for end in ends):
        return "shifted window"
    return "mask"


def _describe_term(term: Term, out: Sequence[str], wrt: Sequence[str]) -> str:
    deltas, dense = term.of(Delta), term.of(Dense)
    tied = {axis for f in deltas for axis in f.axes}
    free = [axis for axis in (*out, *wrt) if axis not in tied]
    if not free and tied:
        plain = not dense and term.coefficient == 1 and len(deltas) == len(out) == len(wrt)
        pairs = [{*f.axes} for f in deltas]
        return _whole_word(all({*pair} in pairs for pair in zip(out, wrt, strict=False)), plain)
    held = [f for f in dense if set(f.axes) & set(free)]
    if not free:
        rest = "scalar"
    elif not held:
        rest = "ones off the diagonal" if term.of(Distinct) else "ones"
    elif term.of(Distinct) or _are_apart(held, free):
        rest = "outer product"
    else:
        rank = len({axis for f in held for axis in f.axes} & set(free))
        rest = {1: "vector", 2: "matrix"}.get(rank, f"{rank}-tensor")
    if tied:
        return f"delta ⊗ {rest}"
    if held and not {*free} <= {axis for f in held for axis in f.axes}:
        return "outer product"  # with ones along the axes that no factor has
    return "dense" if rest in ("vector", "matrix") or rest.endswith("tensor") else rest


def _whole_word(in_order: bool, plain: bool = False) -> str:
    """Where every entry reads one: the one at its own place, or, with axes exchanged, another."""
    if plain:
        return "identity" if in_order else "permutation"
    return "diagonal" if in_order else "scaled permutation"


def _are_apart(factors: Sequence[Dense], free: Sequence[str]) -> bool:
    """Whether factors fall in groups that share no axis: a column times a row."""
    groups: list[set[str]] = []
    for factor in factors:
        met = {*factor.axes} & {*free}
        joined = [group for group in groups if group & met]
        groups = [group for group in groups if not group & met]
        groups.append(met.union(*joined))
    return len(groups) > 1
