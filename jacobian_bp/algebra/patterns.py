"""Where a Jacobian can be non-zero, read off its deltas before anything is built.

A pattern says which axes must be equal for an entry to be other than a
structural zero: δ[k,k'] a[i'] has the pattern {k = k'}. Axes are numbered here:
("out", 0), ("wrt", 1), so that patterns of different Jacobians compose.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from .expression import Delta, Dense, Distinct, Expression, Term

AxisKey = tuple[str, int]
Classes = frozenset[frozenset[AxisKey]]


@dataclass(frozen=True)
class Pattern:
    """Axes that must be equal, and pairs of axes that must differ."""

    equal: Classes
    differ: frozenset[frozenset[AxisKey]] = frozenset()


Patterns = frozenset[Pattern]


def same_entries(rank: int) -> Patterns:
    """The pattern of ∂a/∂a, a value of this many axes: each entry reads itself alone."""
    pairs = [frozenset((("out", p), ("wrt", p))) for p in range(rank)]
    return frozenset((Pattern(frozenset(pairs)),))


def patterns_of(expression: Expression, out: Sequence[str], wrt: Sequence[str]) -> Patterns:
    """One pattern a term; none at all for a Jacobian that is zero everywhere."""
    keys: dict[str, AxisKey] = {axis: ("out", p) for p, axis in enumerate(out)}
    keys |= {axis: ("wrt", p) for p, axis in enumerate(wrt)}
    return frozenset(
        Pattern(
            _joined([{keys[f.left], keys[f.right]} for f in term.of(Delta)]),
            frozenset(frozenset((keys[f.left], keys[f.right])) for f in term.of(Distinct)),
        )
        for term in expression.terms
    )


@lru_cache(maxsize=4096)
def composed(left: Patterns, right: Patterns) -> Patterns:
    """The patterns of a product: equal to the same bond axis means equal to each other."""
    found = set()
    for a in left:
        for b in right:
            links = [_moved(c, "wrt", "bond") for c in a.equal]
            links += [_moved(c, "out", "bond") for c in b.equal]
            classes = _joined(links)
            outer = [{key for key in c if key[0] != "bond"} for c in classes]
            pairs = [_moved(pair, "wrt", "bond") for pair in a.differ]
            pairs += [_moved(pair, "out", "bond") for pair in b.differ]
            ends = [frozenset(_outer_end(key, classes) for key in pair) for pair in pairs]
            differ = frozenset(pair for pair in ends if not any(k[0] == "bond" for k in pair))
            found.add(Pattern(_joined([c for c in outer if len(c) > 1]), differ))
    return frozenset(_pruned(found))


def united(left: Patterns, right: Patterns) -> Patterns:
    """The patterns of a sum."""
    return frozenset(_pruned(left | right))


def _pruned(found: Iterable[Pattern]) -> list[Pattern]:
    """Patterns that no weaker one contains: any matrix plus a diagonal is any matrix."""
    kept: list[Pattern] = []
    for pattern in sorted(set(found), key=_rank):
        if not any(not k.differ and _implies(pattern.equal, k.equal) for k in kept):
            kept.append(pattern)
    return kept


def count(found: Iterable[Pattern], sizes: dict[AxisKey, int]) -> int:
    """Entries that can be non-zero: the size of the union, by inclusion and exclusion."""
    kept = _pruned(found)
    total = 0
    for number in range(1, len(kept) + 1):
        for chosen in combinations(kept, number):
            equal = _joined([c for p in chosen for c in p.equal])
            differ = [pair for p in chosen for pair in p.differ]
            total += (-1) ** (number + 1) * _matching(equal, differ, sizes)
    return total


def describe(expression: Expression, out: Sequence[str], wrt: Sequence[str]) -> str:
    """The structure in words: identity, diagonal, delta ⊗ vector, dense, …"""
    if not expression.terms:
        return "zero"
    text = _describe_term(expression.terms[0], out, wrt)
    for term in expression.terms[1:]:
        sign = " minus " if term.coefficient < 0 else " plus "
        text += sign + _describe_term(term, out, wrt)
    return text


def describe_patterns(found: Iterable[Pattern], rank: int) -> str:
    """The structure of a product of Jacobians, as far as its deltas tell."""
    kept = _pruned(found)
    if not kept:
        return "zero"
    words = []
    for pattern in kept:
        equal = sum(map(len, pattern.equal))
        whole = equal == rank and rank > 0
        words.append("diagonal" if whole else "delta ⊗ dense" if equal else "dense")
    return " plus ".join(words)


def _describe_term(term: Term, out: Sequence[str], wrt: Sequence[str]) -> str:
    deltas, dense = term.of(Delta), term.of(Dense)
    tied = {axis for f in deltas for axis in f.axes}
    free = [axis for axis in (*out, *wrt) if axis not in tied]
    if not free and tied:
        plain = not dense and term.coefficient == 1 and len(deltas) == len(out) == len(wrt)
        return "identity" if plain else "diagonal"
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
    return "dense" if rest in ("vector", "matrix") or rest.endswith("tensor") else rest


def _are_apart(factors: Sequence[Dense], free: Sequence[str]) -> bool:
    """Whether there are several factors, and no two of them share an axis: a column times a row."""
    axes = [axis for f in factors for axis in set(f.axes) & set(free)]
    return len(factors) > 1 and len(axes) == len(set(axes))


def _joined(groups: Iterable[Iterable[AxisKey]]) -> Classes:
    """The finest partition in which every group lies in one class."""
    classes: list[set[AxisKey]] = []
    for group in groups:
        merged = set(group)
        apart = []
        for known in classes:
            if known & merged:
                merged |= known
            else:
                apart.append(known)
        classes = [*apart, merged]
    return frozenset(frozenset(c) for c in classes if len(c) > 1)


def _moved(group: Iterable[AxisKey], old: str, new: str) -> set[AxisKey]:
    return {(new, p) if side == old else (side, p) for side, p in group}


def _rank(pattern: Pattern) -> tuple:
    """Weaker patterns first, and one order for all machines."""
    size = sum(map(len, pattern.equal)), len(pattern.differ)
    return (*size, sorted(map(sorted, pattern.equal)), sorted(map(sorted, pattern.differ)))


def _outer_end(key: AxisKey, classes: Classes) -> AxisKey:
    """An outer axis that is equal to this one, if there is one."""
    same = next((c for c in classes if key in c), frozenset({key}))
    return min((k for k in same if k[0] != "bond"), default=key)


def _implies(stronger: Classes, weaker: Classes) -> bool:
    return all(any(w <= s for s in stronger) for w in weaker)


def _matching(equal: Classes, differ: list[frozenset[AxisKey]], sizes: dict[AxisKey, int]) -> int:
    if differ:  # all entries, less those at which the first pair is equal
        first, rest = differ[0], differ[1:]
        merged = _joined([*equal, first])
        return _matching(equal, rest, sizes) - _matching(merged, rest, sizes)
    tied = {key for c in equal for key in c}
    free = math.prod(size for key, size in sizes.items() if key not in tied)
    return free * math.prod(sizes[min(c)] for c in equal)
