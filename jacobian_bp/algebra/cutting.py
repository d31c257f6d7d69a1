"""A Jacobian cut into blocks: how long, which of them can be other than zero, and what is in one.

Axes that a delta joins are cut alike: two of their pieces are the same piece, or apart. In
the same piece δ[k,k'] stays a delta; apart it is a structural zero, and nothing is made.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from .axes import Axis
from .expression import Delta, Dense, Distinct, Expression, Factor, One
from .positions.affine_and_table import Affine, Position, Table, along
from .positions.position_factors import At, Within
from .products.solving import apart
from .structure.patterns import Pattern, Patterns, count
from .structure.relations import AxisKey, Relation

Span = tuple[int, int]  # from the first entry up to the one behind the last


def piece_lengths(
    axes: Sequence[Axis], expression: Expression, found: Patterns, out_rank: int, most: int
) -> dict[str, int]:
    """How long a piece of each axis is, so that no block has more than `most` entries.

    The first axes are cut first, so that the last stay whole. `most` is at least 1.
    """
    lengths = {axis.name: axis.size for axis in axes}
    for group in joined_axes(axes, expression, found, out_rank):
        entries = math.prod(lengths.values())
        if entries <= most:
            break
        size = lengths[group[0]]
        beside = entries // size ** len(group)
        piece = max(1, _root(most // beside, len(group)))
        lengths |= dict.fromkeys(group, min(size, piece))
    return lengths


def joined_axes(
    axes: Sequence[Axis], expression: Expression, found: Patterns, out_rank: int
) -> list[list[str]]:
    """The axes in groups that are cut alike, in their order."""
    names = [axis.name for axis in axes]
    ties = [f.axes for t in expression.terms for f in t.of(Delta) + t.of(Distinct)]
    for pattern in found:
        for joined in (*pattern.equal, *pattern.differ):
            ties.append(tuple(names[_place(key, out_rank)] for key in joined))
    groups: list[list[str]] = [[name] for name in names]
    for tie in ties:
        met = [group for group in groups if {*group} & {*tie}]
        whole = [axis for group in met for axis in group]
        groups = [*(group for group in groups if group not in met), whole]
    cut = [sorted(group, key=names.index) for group in groups if group]
    return sorted(cut, key=lambda group: names.index(group[0]))


def cuttable(expression: Expression, axes: Sequence[Axis]) -> Expression:
    """The same expression, in which what differs from the axis of a sum is said as a position.

    (1−δ[i',s]) under Σ_s is cut along i' as the range [i'≠s] is: a sum has no pieces.
    """
    outer = {axis.name: axis.size for axis in axes}
    terms = []
    for term in expression.terms:
        factors = tuple(
            apart(along(f.left), along(f.right), term.sizes(outer))
            if isinstance(f, Distinct) and not {*f.axes} <= {*outer}
            else f
            for f in term.factors
        )
        terms.append(replace(term, factors=factors))
    return Expression(tuple(terms))


def _place(key: AxisKey, out_rank: int) -> int:
    return key[1] if key[0] == "out" else out_rank + key[1]


def _root(number: int, degree: int) -> int:
    """The largest whole number whose power is not above `number`."""
    root = round(number ** (1 / degree))
    while root**degree > number:
        root -= 1
    return root


def standing(
    found: Patterns, axes: Mapping[AxisKey, Axis], lengths: Mapping[str, int]
) -> Iterator[tuple[dict[AxisKey, Span], Patterns]]:
    """The blocks in which an entry can be other than zero, each with the patterns inside it.

    They come in the order of their first entries. One axis after another is fixed, and only
    pieces that some pattern lets stand are gone into.
    """
    keys = list(axes)

    def further(
        spans: dict[AxisKey, Span], alive: list[Pattern]
    ) -> Iterator[tuple[dict[AxisKey, Span], Patterns]]:
        if len(spans) == len(keys):
            sizes = {key: stop - start for key, (start, stop) in spans.items()}
            if any(count([pattern], sizes) for pattern in alive):
                yield dict(spans), frozenset(alive)
            return
        key = keys[len(spans)]
        size, length = axes[key].size, max(1, lengths[axes[key].name])
        starts = {s for pattern in alive for s in _starts(pattern, key, spans, size, length)}
        for start in sorted(starts):
            here = spans | {key: (start, min(start + length, size))}
            left = [p for p in (_narrowed(p, key, here) for p in alive) if p is not None]
            if left:
                yield from further(here, left)

    yield from further({}, list(found))


def _starts(
    pattern: Pattern, key: AxisKey, spans: Mapping[AxisKey, Span], size: int, length: int
) -> list[int]:
    """Where the pieces of an axis begin that can stand beside the pieces fixed before."""
    for group in pattern.equal:
        for other in group & spans.keys():
            if key in group:
                return [spans[other][0]]
    for relation in pattern.related:
        if key in relation.keys:
            read = relation.rows[:, relation.keys.index(key)]
            return [int(piece) * length for piece in np.unique(read // length)]
    return list(range(0, size, length))


def _narrowed(pattern: Pattern, key: AxisKey, spans: Mapping[AxisKey, Span]) -> Pattern | None:
    """The pattern within the pieces, counted from their starts; None where nothing stands."""
    start, stop = spans[key]
    for group in pattern.equal:
        if key in group and any(spans[k] != spans[key] for k in group & spans.keys()):
            return None
    differ = frozenset(
        pair
        for pair in pattern.differ
        if key not in pair or all(spans[k] == spans[key] for k in pair & spans.keys())
    )
    related = []
    for relation in pattern.related:
        if key in relation.keys:
            place = relation.keys.index(key)
            read = relation.rows[:, place]
            rows = relation.rows[(read >= start) & (read < stop)]
            rows[:, place] -= start
            relation = Relation(relation.keys, rows)
        if not len(relation):
            return None
        related.append(relation)
    return Pattern(pattern.equal, differ, frozenset(related))


def within(expression: Expression, spans: Mapping[str, Span]) -> Expression:
    """The expression over these pieces of its axes, each counted from its start."""
    terms = []
    for term in expression.terms:
        if not any(spans[f.left] != spans[f.right] for f in term.of(Delta)):
            factors = tuple(part for f in term.factors for part in _factor(f, spans))
            terms.append(replace(term, factors=factors))
    return Expression(tuple(terms))


def _factor(factor: Factor, spans: Mapping[str, Span]) -> tuple[Factor, ...]:
    """One factor of a term over the pieces."""
    if isinstance(factor, Dense):
        piece = _piece(factor.array, factor.axes, spans)
        return (Dense(factor.label, factor.axes, piece),)
    if isinstance(factor, Distinct):
        if spans[factor.left] == spans[factor.right]:
            return (factor,)
        return One(factor.left), One(factor.right)  # apart: no two entries are the same
    if isinstance(factor, At):
        start = spans.get(factor.axis, (0, 0))[0]
        return (factor.reading(_position(factor.position, spans, start)),)
    if isinstance(factor, Within):
        return (factor.reading(_position(factor.position, spans, 0)),)
    return (factor,)


def _position(position: Position, spans: Mapping[str, Span], start: int) -> Position:
    """A position over the pieces, counted from the start of the piece that is read."""
    if isinstance(position, Table):
        piece = _piece(position.array, position.axes, spans) - start
        return replace(position, array=piece)
    more = sum(times * spans[axis][0] for axis, times in position.parts if axis in spans)
    return Affine(position.parts, position.offset + more - start)


def _piece(array: np.ndarray, axes: Sequence[str], spans: Mapping[str, Span]) -> np.ndarray:
    return array[tuple(slice(*spans[axis]) if axis in spans else slice(None) for axis in axes)]
