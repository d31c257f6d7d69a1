"""Where a Jacobian can be non-zero, read off its deltas before anything is built.

A pattern says which axes must be equal for an entry to be other than a
structural zero: δ[k,k'] a[i'] has the pattern {k = k'}. Positions and ranges say which
entries go together: δ[i',2o+r] has a row for each o and each i' in its window. Axes are
numbered here: ("out", 0), ("wrt", 1), so that patterns of different Jacobians compose.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from ..expression import Delta, Distinct, Expression, Term
from ..positions.affine_and_table import along
from ..positions.position_factors import At, Within
from ..products.solving import apart
from .relations import AxisKey, Relation, number_of_rows, projected

Classes = frozenset[frozenset[AxisKey]]


@dataclass(frozen=True)
class Pattern:
    """Axes that must be equal, pairs of axes that must differ, and entries that go together."""

    equal: Classes
    differ: frozenset[frozenset[AxisKey]] = frozenset()
    related: frozenset[Relation] = frozenset()


Patterns = frozenset[Pattern]


def same_entries(rank: int) -> Patterns:
    """The pattern of ∂a/∂a, a value of this many axes: each entry reads itself alone."""
    pairs = [frozenset((("out", p), ("wrt", p))) for p in range(rank)]
    return frozenset((Pattern(frozenset(pairs)),))


def patterns_of(
    expression: Expression,
    out: Sequence[str],
    wrt: Sequence[str],
    sizes: Mapping[str, int],
) -> Patterns:
    """One pattern a term; none at all for a Jacobian that is zero everywhere.

    What the values have chosen is left open: at another input another entry stands.
    `sizes` has those of all axes outside.
    """
    keys: dict[str, AxisKey] = {axis: ("out", p) for p, axis in enumerate(out)}
    keys |= {axis: ("wrt", p) for p, axis in enumerate(wrt)}
    found = set()
    for term in expression.terms:
        equal = joined_classes([{keys[f.left], keys[f.right]} for f in term.of(Delta)])
        if term.has_positions:
            found.add(Pattern(equal, related=_related(term, keys, term.sizes(dict(sizes)))))
        else:
            differ = (frozenset((keys[f.left], keys[f.right])) for f in term.of(Distinct))
            found.add(Pattern(equal, frozenset(differ)))
    return frozenset(found)


def _related(term: Term, keys: Mapping[str, AxisKey], sizes: dict[str, int]) -> frozenset[Relation]:
    """The entries that positions and ranges let stand, over the axes outside."""
    inner = {axis.name: ("inner", place) for place, axis in enumerate(term.sums)}
    every, found = {**keys, **inner}, []
    for factor in term.factors:
        if isinstance(factor, Distinct):
            factor = apart(along(factor.left), along(factor.right), sizes)
        if isinstance(factor, At) and not factor.here:
            found.append(_read(factor, every, sizes))
        elif isinstance(factor, Within):
            own = factor.axes
            held = factor.holds(factor.position.values(own, sizes))
            shape = [sizes[axis] for axis in own]
            found.append(Relation.where([every[a] for a in own], np.broadcast_to(held, shape)))
    return frozenset(r for r in projected(found, {*keys.values()}) if r.keys or not len(r))


def _read(factor: At, keys: Mapping[str, AxisKey], sizes: dict[str, int]) -> Relation:
    """A row for each position that lies inside the axis."""
    own = factor.position.axes
    at = np.broadcast_to(factor.position.values(own, sizes), [sizes[axis] for axis in own])
    inside = (at >= 0) & (at < sizes[factor.axis])
    rows = np.concatenate([np.argwhere(inside), at[inside][:, None]], axis=1)
    read = ("read", 0)
    found = Relation.of([*(keys[a] for a in own), read], rows)
    return found.renamed({read: keys[factor.axis]})


@lru_cache(maxsize=4096)
def composed(left: Patterns, right: Patterns) -> Patterns:
    """The patterns of a product: equal to the same bond axis means equal to each other."""
    found = set()
    for a in left:
        for b in right:
            links = [_moved(c, "wrt", "bond") for c in a.equal]
            links += [_moved(c, "out", "bond") for c in b.equal]
            classes = joined_classes(links)
            outer = [{key for key in c if key[0] != "bond"} for c in classes]
            pairs = [_moved(pair, "wrt", "bond") for pair in a.differ]
            pairs += [_moved(pair, "out", "bond") for pair in b.differ]
            ends = [frozenset(_outer_end(key, classes) for key in pair) for pair in pairs]
            differ = frozenset(pair for pair in ends if not any(k[0] == "bond" for k in pair))
            equal = joined_classes([c for c in outer if len(c) > 1])
            found.add(Pattern(equal, differ, _related_through(a, b, classes)))
    return frozenset(pruned(found))


def _related_through(left: Pattern, right: Pattern, classes: Classes) -> frozenset[Relation]:
    """What a product lets stand: some entry of the value between does for both."""
    found = [_facing(r, "wrt") for r in left.related] + [_facing(r, "out") for r in right.related]
    if not found:
        return frozenset()
    names = {key: _outer_end(key, classes) for c in classes for key in c}
    names |= {key: min(c) for c in classes for key in c if all(k[0] == "bond" for k in c)}
    found = [relation.renamed(names) for relation in found]
    kept = {k for r in found for k in r.keys if k[0] != "bond"}
    return frozenset(r for r in projected(found, kept) if r.keys or not len(r))


def _facing(relation: Relation, side: str) -> Relation:
    """A relation with the keys of one side named as those of the value between."""
    return relation.renamed({key: ("bond", key[1]) for key in relation.keys if key[0] == side})


def united(left: Patterns, right: Patterns) -> Patterns:
    """The patterns of a sum."""
    return frozenset(pruned(left | right))


def pruned(found: Iterable[Pattern]) -> list[Pattern]:
    """Patterns that no weaker one contains: any matrix plus a diagonal is any matrix."""
    kept: list[Pattern] = []
    for pattern in sorted(set(found), key=_rank):
        if not any(_contains(weaker, pattern) for weaker in kept):
            kept.append(pattern)
    return _in_one(kept) if any(pattern.related for pattern in kept) else kept


def _in_one(found: list[Pattern]) -> list[Pattern]:
    """Patterns that differ in one relation over the same axes are one: either may hold."""
    kept: list[Pattern] = []
    for pattern in found:
        for place, other in enumerate(kept):
            mine, its = pattern.related - other.related, other.related - pattern.related
            same = (pattern.equal, pattern.differ) == (other.equal, other.differ)
            if not same or len(mine) != 1 or len(its) != 1:
                continue
            (left,), (right,) = its, mine
            if left.keys == right.keys:
                related = (other.related & pattern.related) | {left.either(right)}
                kept[place] = Pattern(other.equal, other.differ, related)
                break
        else:
            kept.append(pattern)
    return kept


def count(found: Iterable[Pattern], sizes: dict[AxisKey, int]) -> int:
    """Entries that can be non-zero: the size of the union, by inclusion and exclusion."""
    patterns = frozenset(found)
    if any(pattern.related for pattern in patterns):  # rows that are not worth keeping
        return _counted(patterns, tuple(sizes.items()))
    return _counted_once(patterns, tuple(sizes.items()))


def _counted(found: Patterns, known: tuple[tuple[AxisKey, int], ...]) -> int:
    kept, sizes = pruned(found), dict(known)
    total = 0
    for number in range(1, len(kept) + 1):
        for chosen in combinations(kept, number):
            equal = joined_classes([c for p in chosen for c in p.equal])
            differ = [pair for p in chosen for pair in p.differ]
            related = {relation for p in chosen for relation in p.related}
            total += (-1) ** (number + 1) * _matching(equal, differ, related, sizes)
    return total


_counted_once = lru_cache(maxsize=1024)(_counted)  # layers of one shape have one count


def can_stand(found: Iterable[Pattern], sizes: dict[AxisKey, int]) -> np.ndarray:
    """Yes where an entry can be other than zero, over all axes in the order of `sizes`."""
    keys = tuple(sizes)
    holds = np.zeros([sizes[key] for key in keys], bool)
    for pattern in pruned(found):
        part = np.ones([1] * len(keys), bool)
        pairs = [(pair, True) for c in pattern.equal for pair in combinations(sorted(c), 2)]
        pairs += [(pair, False) for p in pattern.differ for pair in combinations(sorted(p), 2)]
        for pair, same in pairs:
            shape = [sizes[key] for key in pair]
            agree = np.equal.outer(np.arange(shape[0]), np.arange(shape[1])) == same
            part = part & Relation.where(pair, agree).holds(keys, sizes)
        for relation in pattern.related:
            part = part & relation.holds(keys, sizes)
        holds |= part
    return holds


def joined_classes(groups: Iterable[Iterable[AxisKey]]) -> Classes:
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
    size = sum(map(len, pattern.equal)), len(pattern.differ), len(pattern.related)
    rows = sorted((r.keys, -len(r), r.rows.tobytes()) for r in pattern.related)
    return (*size, sorted(map(sorted, pattern.equal)), sorted(map(sorted, pattern.differ)), rows)


def _outer_end(key: AxisKey, classes: Classes) -> AxisKey:
    """An outer axis that is equal to this one, if there is one."""
    same = next((c for c in classes if key in c), frozenset({key}))
    return min((k for k in same if k[0] != "bond"), default=key)


def _contains(weaker: Pattern, pattern: Pattern) -> bool:
    """Whether all that one pattern lets stand is known to stand in the weaker one."""
    return (
        not weaker.differ
        and _implies(pattern.equal, weaker.equal)
        and all(any(mine.implies(r) for mine in pattern.related) for r in weaker.related)
    )


def _implies(stronger: Classes, weaker: Classes) -> bool:
    return all(any(w <= s for s in stronger) for w in weaker)


def _matching(
    equal: Classes,
    differ: list[frozenset[AxisKey]],
    related: Iterable[Relation],
    sizes: dict[AxisKey, int],
) -> int:
    if differ:  # all entries, less those at which the first pair is equal
        first, rest = differ[0], differ[1:]
        merged = joined_classes([*equal, first])
        return _matching(equal, rest, related, sizes) - _matching(merged, rest, related, sizes)
    names = {key: min(c) for c in equal for key in c}
    rows = [relation.renamed(names) for relation in related]
    listed = {key for relation in rows for key in relation.keys}
    free = [key for key in sizes if names.get(key, key) == key and key not in listed]
    return number_of_rows(rows) * math.prod(sizes[key] for key in free)
