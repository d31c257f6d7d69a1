"""Which entries of several axes go together: sets of index tuples, joined, projected, counted.

A relation has a row for each tuple at which an entry can be other than a structural zero:
a window has as many rows as it reads, never as many as the dense array has entries.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

AxisKey = tuple[str, int]

DENSE = 2**24  # entries: two relations of few axes are joined as matrices of yes and no
EXACT = 2**62  # rows joined at the most, below which 64 bits can count them


@dataclass(frozen=True, eq=False)
class Relation:
    """Distinct rows of whole numbers over `keys`, in lexicographic order."""

    keys: tuple[AxisKey, ...]
    rows: np.ndarray

    @classmethod
    def of(cls, keys: Sequence[AxisKey], rows: np.ndarray) -> "Relation":
        """The relation of these rows, in whatever order and however often they stand.

        >>> Relation.of([("out", 1), ("out", 0)], np.array([[3, 5], [3, 5], [2, 5]])).rows
        array([[5, 2],
               [5, 3]])
        """
        order = sorted(range(len(keys)), key=lambda place: keys[place])
        rows = rows[:, order]
        _, first = np.unique(_codes(rows), return_index=True)
        return cls(tuple(keys[place] for place in order), rows[first])

    @classmethod
    def where(cls, keys: Sequence[AxisKey], holds: np.ndarray) -> "Relation":
        """The relation of an array of yes and no."""
        rows = np.argwhere(holds)
        return cls(tuple(keys), rows) if list(keys) == sorted(keys) else cls.of(keys, rows)

    @cached_property
    def _mark(self) -> tuple[tuple[AxisKey, ...], bytes]:
        return self.keys, np.ascontiguousarray(self.rows).tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Relation) and self._mark == other._mark

    def __hash__(self) -> int:
        return hash(self._mark)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """One more than the largest number of each key."""
        return tuple(int(column.max(initial=-1)) + 1 for column in self.rows.T)

    def renamed(self, names: Mapping[AxisKey, AxisKey]) -> "Relation":
        """Other keys; where two become one, the rows in which they are equal."""
        keys = [names.get(key, key) for key in self.keys]
        if tuple(keys) == self.keys:
            return self
        rows, own = self.rows, list(dict.fromkeys(keys))
        for place, key in enumerate(keys):
            rows = rows[rows[:, place] == rows[:, keys.index(key)]]
        return Relation.of(own, rows[:, [keys.index(key) for key in own]])

    def without(self, gone: Collection[AxisKey]) -> "Relation":
        """The rows for which some value of `gone` does."""
        left = [place for place, key in enumerate(self.keys) if key not in gone]
        return Relation.of([self.keys[place] for place in left], self.rows[:, left])

    def joined(self, other: "Relation") -> "Relation":
        """The rows at which both hold."""
        whole, _, _ = pairs(self, other)
        return Relation.of(whole.keys, whole.rows)

    def either(self, other: "Relation") -> "Relation":
        """The rows of one or the other, over the same keys."""
        return Relation.of(self.keys, np.concatenate([self.rows, other.rows]))

    def implies(self, other: "Relation") -> bool:
        """Whether every row is a row of the other relation."""
        if self.keys != other.keys or len(self) > len(other):
            return False
        return self == other or len(pairs(self, other)[0]) == len(self)

    def holds(self, keys: Sequence[AxisKey], sizes: Mapping[AxisKey, int]) -> np.ndarray:
        """Yes and no over `keys`, of size 1 along those that the relation has not."""
        found = np.zeros([sizes[key] for key in self.keys], bool)
        if len(self):
            found[tuple(self.rows.T)] = True
        order = [self.keys.index(key) for key in keys if key in self.keys]
        spread = tuple(slice(None) if key in self.keys else None for key in keys)
        return found.transpose(order)[spread]


def pairs(left: Relation, right: Relation) -> tuple[Relation, np.ndarray, np.ndarray]:
    """The join, its rows not in order, and for each of them its row on the left and the right."""
    shared = [key for key in left.keys if key in right.keys]
    mine = left.rows[:, [left.keys.index(key) for key in shared]]
    theirs = right.rows[:, [right.keys.index(key) for key in shared]]
    new = [place for place, key in enumerate(right.keys) if key not in shared]
    codes = _codes(np.concatenate([mine, theirs]))
    ours, others = codes[: len(left)], codes[len(left) :]
    order = np.argsort(others, kind="stable")
    first = np.searchsorted(others[order], ours)
    count = np.searchsorted(others[order], ours, side="right") - first
    row = np.repeat(np.arange(len(left)), count)
    behind = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    partner = order[np.repeat(first, count) + behind]
    rows = np.concatenate([left.rows[row], right.rows[partner][:, new]], axis=1)
    keys = (*left.keys, *(right.keys[place] for place in new))
    return Relation(keys, rows), row, partner


def projected(found: Iterable[Relation], kept: Collection[AxisKey]) -> list[Relation]:
    """Relations over kept keys alone: for every other key some value does.

    One key after another is given up, with all that speak of it joined.
    """
    relations = list(found)
    while True:
        inner = sorted({key for r in relations for key in r.keys if key not in kept})
        if not inner:
            return relations
        key = min(inner, key=lambda k: sum(len(r) for r in relations if k in r.keys))
        touched = [r for r in relations if key in r.keys]
        whole = touched[0]
        for other in touched[1:-1]:
            whole = whole.joined(other)
        whole = _some(whole, touched[-1], key) if len(touched) > 1 else whole.without([key])
        relations = [r for r in relations if key not in r.keys] + [whole]


def _some(left: Relation, right: Relation, key: AxisKey) -> Relation:
    """The join of two, for which some value of `key` does: a product of matrices if it is small."""
    shared = [k for k in left.keys if k in right.keys]
    sides = [[k for k in r.keys if k != key] for r in (left, right)]
    if shared != [key] or any(len(side) != 1 for side in sides):
        return left.joined(right).without([key])
    shapes = [dict(zip(r.keys, r.shape, strict=True)) for r in (left, right)]
    reach = max(shape[key] for shape in shapes)
    sizes = {side[0]: shape[side[0]] for side, shape in zip(sides, shapes, strict=True)}
    if max(prod(sizes.values()), *(reach * size for size in sizes.values())) > DENSE:
        return left.joined(right).without([key])
    sizes[key] = reach
    one = left.holds([sides[0][0], key], sizes).astype(np.float32)
    other = right.holds([key, sides[1][0]], sizes).astype(np.float32)
    return Relation.where([sides[0][0], sides[1][0]], one @ other > 0)


def number_of_rows(found: Iterable[Relation]) -> int:
    """How many tuples over all keys satisfy every relation.

    One key after another is summed: [u≤t] [u'≤t] are Σ_t (t+1)², and no triple is listed.
    """
    relations = list(found)
    alone = [
        r for r in relations if not any({*r.keys} & {*o.keys} for o in relations if o is not r)
    ]
    times = prod(len(relation) for relation in alone)
    shared = [r for r in relations if not any(r is other for other in alone)]
    waiting = [(relation, np.ones(len(relation), np.int64)) for relation in shared]
    if prod(max(1, len(relation)) for relation, _ in waiting) >= EXACT:
        waiting = [(relation, weight.astype(object)) for relation, weight in waiting]
    while any(relation.keys for relation, _ in waiting):
        keys = {key for relation, _ in waiting for key in relation.keys}
        key = min(keys, key=lambda k: (sum(k in r.keys for r, _ in waiting), k))
        touched = [pair for pair in waiting if key in pair[0].keys]
        waiting = [pair for pair in waiting if key not in pair[0].keys]
        whole, weight = touched[0]
        for other, more in touched[1:]:
            whole, row, partner = pairs(whole, other)
            weight = weight[row] * more[partner]
        waiting.append(_summed_out(whole, weight, key))
    return times * prod(int(weight.sum()) for _, weight in waiting)


def _summed_out(whole: Relation, weight: np.ndarray, key: AxisKey) -> tuple[Relation, np.ndarray]:
    """The rows without one key, each with the sum of the weights of those that it stood in."""
    left = [place for place, own in enumerate(whole.keys) if own != key]
    rows = whole.rows[:, left]
    codes = _codes(rows)
    order = np.argsort(codes, kind="stable")
    first = np.flatnonzero(np.diff(codes[order], prepend=-1))
    total = np.add.reduceat(weight[order], first) if len(first) else weight[:0]
    return Relation(tuple(whole.keys[place] for place in left), rows[order[first]]), total


def _codes(rows: np.ndarray) -> np.ndarray:
    """A whole number for each row, in lexicographic order."""
    reach = [int(column.max(initial=0)) + 1 for column in rows.T]
    dtype = np.int64 if prod(reach) < EXACT else object
    found = np.zeros(len(rows), dtype)
    for column, size in zip(rows.T, reach, strict=True):
        found = found * size + column
    return found
