"""Which windows an array was read by, in place of those of the right one: two mistakes at once.

    right[o,i] = T[r]  where  i = s·o + a·r − p      a Jacobian by what the windows read
    right[o,r] = X[s·o + a·r − p]                    one by the kernel, X what they read

T or X comes out of the right array by its own stride s, padding p and dilation a; an array with
the same numbers read by another stride, padding or dilation, or from the other end of the
kernel, is told with all that is otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

import numpy as np

from .moved_entries import FARTHEST, pairs_of_axes
from .rounding import differing

MOST = 2**15  # entries of an array, so that all windows together take a second or two
ENOUGH = 4  # entries other than 0 that have to agree


@dataclass(frozen=True)
class Lie:
    """How windows lie: δ[i, stride·o + dilation·r − padding]."""

    stride: int
    dilation: int
    padding: int
    turned: tuple[int, ...] = ()  # along which the kernel is read from its other end

    def reads(self, places: Sequence[int], taps: Sequence[int]) -> list[np.ndarray]:
        """For each axis the entry that place o reads with tap r."""
        found = []
        for axis, (o, r) in enumerate(zip(places, taps, strict=True)):
            order = np.arange(r)[::-1] if axis in self.turned else np.arange(r)
            found.append(self.stride * np.arange(o)[:, None] + self.dilation * order - self.padding)
        return found


@dataclass(frozen=True)
class Otherwise:
    """How the windows of the right array lie, how those of another, and along which axes."""

    right: Lie
    found: Lie
    axes: tuple[int, ...]

    def __str__(self) -> str:
        """a stride of 1 in place of 2 and a padding larger by 1"""
        mine, theirs = self.found, self.right
        said = [
            f"a {name} of {own} in place of {other}"
            for name, own, other in (
                ("stride", mine.stride, theirs.stride),
                ("dilation", mine.dilation, theirs.dilation),
            )
            if own != other
        ]
        by = mine.padding - theirs.padding
        said += [f"a padding {'larger' if by > 0 else 'smaller'} by {abs(by)}"] if by else []
        if mine.turned:
            count = len(self.axes) // 2
            along = [self.axes[count + axis] for axis in mine.turned]
            where = f" along axis {along[0]}" if len(along) < count else ""
            said.append(f"the kernel read from its other end{where}")
        return " and ".join(said)


def read_by_other_windows(
    found: np.ndarray, right: np.ndarray, allowed: np.ndarray
) -> Otherwise | None:
    """The windows that give the found array out of the right one, with the fewest changes.

    >>> taps = np.array([3.0, 5.0, 7.0])
    >>> right, found = np.zeros((4, 9)), np.zeros((4, 9))
    >>> for o, r in np.ndindex(4, 3):
    ...     right[o, 2 * o + r], found[o, o + 2 * r] = taps[r], taps[r]
    >>> str(read_by_other_windows(found, right, np.zeros((4, 9))))
    'a stride of 1 in place of 2 and a dilation of 2 in place of 1'
    """
    if found.shape != right.shape or not 1 < right.size <= MOST:
        return None
    for pairs in pairs_of_axes(right.ndim):
        front = [o for o, _ in pairs] + [i for _, i in pairs]
        order = [*front, *(axis for axis in range(right.ndim) if axis not in front)]
        parts = [a.transpose(order) for a in (found, right, np.broadcast_to(allowed, right.shape))]
        f, r, a = parts
        one = _of_the_largest(f, r, 2 * len(pairs)), _of_the_largest(r, r, 2 * len(pairs))
        room = _of_the_largest(a, r, 2 * len(pairs))
        for between in (_by_what_is_read, _by_the_kernel):
            told = between(*one, room, len(pairs), None)
            if told and between(f, r, a, len(pairs), told):
                return Otherwise(*told, tuple(front))
    return None


Told = tuple[Lie, Lie] | None


def _of_the_largest(part: np.ndarray, right: np.ndarray, count: int) -> np.ndarray:
    """The entries beside the largest one, along the first axes: what the others need not be."""
    behind = int(np.argmax(np.abs(right))) % int(np.prod(right.shape[count:]))
    return np.asarray(part.reshape(*part.shape[:count], -1)[..., behind])


def _by_what_is_read(
    found: np.ndarray, right: np.ndarray, allowed: np.ndarray, count: int, known: Told
) -> Told:
    """T, by the places of its entries; of lies that are `known`, whether they are right."""
    places, sizes = right.shape[:count], right.shape[count : 2 * count]
    used = (right != 0).any(axis=tuple(range(2 * count, right.ndim)))
    for own in [known[0]] if known else _lies(0):
        taps = tuple((size - 1 + own.padding) // own.dilation + 1 for size in sizes)
        if min(taps) < 2:
            continue
        weights = _gathered(used, right, own, places, taps, count)
        here = np.nonzero(weights.any(axis=tuple(range(count, weights.ndim))))
        if not len(here[0]) or any(where.min() > 0 for where in here):
            continue  # a smaller padding says the same
        taps = tuple(int(where.max()) + 1 for where in here)
        if max(taps) < 2:
            continue
        weights = weights[tuple(map(slice, taps))]
        if differing(_placed(weights, own, right.shape, count), right, allowed).any():
            continue
        for other in [known[1]] if known else _others(own, count):
            there = _placed(weights, other, right.shape, count)
            enough = np.count_nonzero(there) >= ENOUGH
            if enough and not differing(found, there, allowed).any():
                return own, other
    return None


def _gathered(
    used: np.ndarray,
    right: np.ndarray,
    own: Lie,
    places: tuple[int, ...],
    taps: tuple[int, ...],
    count: int,
) -> np.ndarray:
    """T where some place reads an entry with the tap, from the first that does; else 0."""
    weights = np.zeros((*taps, *right.shape[2 * count :]))
    reads = own.reads(places, taps)
    for tap in np.ndindex(*taps):
        for place in np.ndindex(*places):
            at = tuple(int(reads[k][place[k], tap[k]]) for k in range(count))
            if all(0 <= a < size for a, size in zip(at, right.shape[count:], strict=False)):
                weights[tap] = right[(*place, *at)]
                if used[(*place, *at)]:
                    break
    return weights


def _placed(weights: np.ndarray, lie: Lie, shape: tuple[int, ...], count: int) -> np.ndarray:
    """The array whose windows lie so."""
    found = np.zeros(shape)
    places, sizes, taps = shape[:count], shape[count : 2 * count], weights.shape[:count]
    reads = lie.reads(places, taps)
    inside = [(r >= 0) & (r < size) for r, size in zip(reads, sizes, strict=True)]
    if count == 1:
        o, r = np.nonzero(inside[0])
        found[o, reads[0][o, r]] = weights[r]
        return found
    (o, r), (q, t) = np.nonzero(inside[0]), np.nonzero(inside[1])
    rows, columns = reads[0][o, r], reads[1][q, t]
    found[o[:, None], q, rows[:, None], columns] = weights[r[:, None], t]
    return found


def _by_the_kernel(
    found: np.ndarray, right: np.ndarray, allowed: np.ndarray, count: int, told: Told
) -> Told:
    """X, by the places that read it; where nothing of it is known, anything may stand."""
    places, taps = right.shape[:count], right.shape[count : 2 * count]
    if min(taps) < 2 or min(places) < 2:
        return None
    for own in [told[0]] if told else _lies(FARTHEST):
        table, known = _table(right, own, places, taps, count)
        if differing(_looked_up(table, own, places, taps, count), right, allowed).any():
            continue
        for other in [told[1]] if told else _others(own, count):
            sure = _looked_up(known, other, places, taps, count) > 0
            there = _looked_up(table, other, places, taps, count)
            wrong = differing(found, there, allowed) & sure.reshape(
                sure.shape + (1,) * (right.ndim - sure.ndim)
            )
            held = int(np.count_nonzero(there))
            if not wrong.any() and held >= ENOUGH and 3 * held > np.count_nonzero(right):
                return own, other
    return None


@lru_cache(4096)  # one array is looked up by many ways to lie, and each of these in many arrays
def _entries(
    lie: Lie, places: tuple[int, ...], taps: tuple[int, ...], length: int
) -> tuple[np.ndarray, ...]:
    """For each pair the entry of X, with room in front, that a place reads with a tap."""
    reads = lie.reads(places, taps)
    return tuple(np.clip(each + 2 * FARTHEST, 0, length - 1) for each in reads)


def _length(places: tuple[int, ...], taps: tuple[int, ...]) -> int:
    return FARTHEST * (max(places) + max(taps)) + 4 * FARTHEST


def _table(
    right: np.ndarray, own: Lie, places: tuple[int, ...], taps: tuple[int, ...], count: int
) -> tuple[np.ndarray, np.ndarray]:
    length = _length(places, taps)
    at = _entries(own, places, taps, length)
    table = np.zeros((length,) * count + right.shape[2 * count :])
    known = np.zeros((length,) * count)
    if count == 1:
        table[at[0]], known[at[0]] = right, 1
    else:
        rows, columns = at[0][:, None, :, None], at[1][None, :, None, :]
        table[rows, columns], known[rows, columns] = right, 1
    return table, known


def _looked_up(
    table: np.ndarray, lie: Lie, places: tuple[int, ...], taps: tuple[int, ...], count: int
) -> np.ndarray:
    at = _entries(lie, places, taps, len(table))
    if count == 1:
        return np.asarray(table[at[0]])
    return np.asarray(table[at[0][:, None, :, None], at[1][None, :, None, :]])


def _lies(padding: int) -> Iterator[Lie]:
    """Those that the right array may have; one padding stands for all where X is not known."""
    for stride, dilation in product(range(1, FARTHEST + 1), repeat=2):
        for p in [0] if padding else range(FARTHEST + 1):
            yield Lie(stride, dilation, p)


@cache
def _others(own: Lie, count: int) -> tuple[Lie, ...]:
    """All other ones, those with the fewest changes first."""
    steps = range(1, FARTHEST + 1)
    paddings = range(own.padding - FARTHEST, own.padding + FARTHEST + 1)
    turned = [(), (0,)] if count == 1 else [(), (1,), (0,), (0, 1)]
    lies = [Lie(*given) for given in product(steps, steps, paddings, turned)]
    return tuple(sorted((lie for lie in lies if lie != own), key=lambda lie: _changes(lie, own)))


def _changes(lie: Lie, own: Lie) -> tuple[int, int]:
    """In how many things they differ, and by how much."""
    names = ("stride", "dilation", "padding")
    far = [abs(getattr(lie, name) - getattr(own, name)) for name in names]
    return sum(by > 0 for by in far) + bool(lie.turned), sum(far) + len(lie.turned)
