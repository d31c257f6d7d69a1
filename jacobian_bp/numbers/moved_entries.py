"""How an array comes out of another by moving entries: turned round, shifted, in steps, spread.

A window, a look-up or a running sum that reads the wrong entry has the right numbers in the
wrong places. Only places that both arrays have are compared; what came in over the border may
be anything.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, product

import numpy as np

from .rounding import differing

FARTHEST = 3  # entries that a shift is looked for
SHARED = 8  # with other steps most windows may leave the axis: one entry in so many is left
MOST = 2**18  # entries of an array, so that all moves together take no second

Moves = Mapping[int, int]


def turned_round(
    found: np.ndarray, right: np.ndarray, allowed: np.ndarray
) -> tuple[int, ...] | None:
    """The fewest axes whose reversal gives the right array.

    >>> x = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 9.0]])
    >>> turned_round(x[:, ::-1], x, np.zeros_like(x)), turned_round(x, x + 1, np.zeros_like(x))
    ((1,), None)
    """
    if not _of_one_size(found, right):
        return None
    for count in range(1, right.ndim + 1):
        for axes in combinations(range(right.ndim), count):
            if not differing(np.flip(found, axes), right, allowed).any():
                return axes
    return None


def shifted(found: np.ndarray, right: np.ndarray, allowed: np.ndarray) -> Moves | None:
    """How far the right entries lie shifted along one axis, or as far along a pair of the last.

    >>> x = np.array([1.0, 2.0, 4.0, 0.0])
    >>> shifted(np.roll(x, 1), x, np.zeros_like(x))
    {0: 1}
    """
    if not _of_one_size(found, right):
        return None
    kept = int(np.count_nonzero(right))
    axes: list[tuple[int, ...]] = [(axis,) for axis in reversed(range(right.ndim))]
    axes += [(right.ndim - 2, right.ndim - 1)] if right.ndim > 1 else []
    for moved in axes:
        for step in _steps():
            moves = dict.fromkeys(moved, step)
            to, back = _both(right, moves)
            if _held(found[to], right[back], allowed[to], kept):
                return moves
    return None


def in_other_steps(
    found: np.ndarray, right: np.ndarray, allowed: np.ndarray
) -> tuple[int, tuple[tuple[int, int], ...]] | None:
    """n, and pairs of axes (o, i): entry o of the right array lies n·o further along i.

    >>> x = np.eye(5)[::2] + 2 * np.eye(5, k=1)[::2]  # reads 2o and 2o + 1
    >>> y = np.eye(3, 5) + 2 * np.eye(3, 5, k=1)      # reads o and o + 1
    >>> in_other_steps(y, x, np.zeros_like(x))
    (-1, ((0, 1),))
    """
    if not _of_one_size(found, right):
        return None
    for pairs in pairs_of_axes(right.ndim):
        for step in _steps():
            if _sheared(found, right, allowed, pairs, step):
                return step, pairs
    return None


def spread_apart(
    found: np.ndarray, right: np.ndarray, allowed: np.ndarray
) -> tuple[int, int, tuple[int, ...]] | None:
    """How far apart the entries of a window lie, how far they should, and along which axes.

    >>> x = 3 * np.eye(3, 6) + 2 * np.eye(3, 6, k=1)  # reads o and o + 1
    >>> y = 3 * np.eye(3, 6) + 2 * np.eye(3, 6, k=2)  # reads o and o + 2
    >>> spread_apart(y, x, np.zeros_like(x))
    (2, 1, (1,))
    """
    if not _of_one_size(found, right):
        return None
    for pairs in pairs_of_axes(right.ndim):
        for stride, padding, apart in product(range(1, 4), range(4), range(1, 4)):
            if not all(_on_lattice(right, pair, stride, padding, apart) for pair in pairs):
                continue
            for other in {1, 2, 3} - {apart}:
                moved, known = right, np.ones(right.shape, bool)
                for pair in pairs:
                    moved, known = _spread(moved, known, pair, stride, padding, apart, other)
                here = int(np.count_nonzero(moved[known]))
                alike = not (differing(found, moved, allowed) & known).any()
                if alike and here > 3 and 2 * here > int(np.count_nonzero(right)):
                    return other, apart, tuple(i for _, i in pairs)
    return None


def _on_lattice(
    right: np.ndarray, pair: tuple[int, int], stride: int, padding: int, apart: int
) -> bool:
    """Whether all that is not 0 lies at stride·o + apart·r − padding, r from 0 on."""
    others = tuple(axis for axis in range(right.ndim) if axis not in pair)
    places, reads = np.nonzero((right != 0).any(axis=others))
    taps = reads - stride * places + padding
    if not taps.size or (taps < 0).any() or (taps % apart).any():
        return False
    return bool(taps.any() and not taps.all())  # with an empty first tap the padding is another


def _spread(
    right: np.ndarray,
    known: np.ndarray,
    pair: tuple[int, int],
    stride: int,
    padding: int,
    apart: int,
    other: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The entries of each window as far apart as `other` says, and which are known then."""
    order = (*pair, *(axis for axis in range(right.ndim) if axis not in pair))
    rows, sure = right.transpose(order), known.transpose(order)
    moved, told = np.zeros_like(rows), np.ones_like(sure)
    size = rows.shape[1]
    for place in range(rows.shape[0]):
        base = stride * place - padding
        for tap in range(size):
            come, go = base + apart * tap, base + other * tap
            if 0 <= go < size:
                inside = 0 <= come < size
                moved[place, go] = rows[place, come] if inside else 0
                told[place, go] = sure[place, come] if inside else False
    back = np.argsort(order)
    return moved.transpose(back), told.transpose(back)


def _of_one_size(found: np.ndarray, right: np.ndarray) -> bool:
    return found.shape == right.shape and 1 < right.size <= MOST


def _steps() -> Iterator[int]:
    for far in range(1, FARTHEST + 1):
        yield far
        yield -far


def pairs_of_axes(rank: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """One axis of the output with one of the input, and two beside each other with such two."""
    yield from (((o, i),) for i in reversed(range(rank)) for o in range(i))
    for o, i in combinations(range(rank - 1), 2):
        if o + 1 < i:
            yield ((o, i), (o + 1, i + 1))


def _held(found: np.ndarray, right: np.ndarray, allowed: np.ndarray, kept: int) -> bool:
    """Whether two parts agree and hold most of the entries that are not 0, `kept` of them."""
    here = int(np.count_nonzero(right))
    return here > 1 and 2 * here > kept and not differing(found, right, allowed).any()


def _sheared(
    found: np.ndarray,
    right: np.ndarray,
    allowed: np.ndarray,
    pairs: tuple[tuple[int, int], ...],
    step: int,
) -> bool:
    """Whether entry o lies step·o further along i, for each pair (o, i)."""
    here = 0
    for place in np.ndindex(*(right.shape[o] for o, _ in pairs)):
        at: list[slice] = [slice(None)] * right.ndim
        moves = {}
        for (o, i), n in zip(pairs, place, strict=True):
            at[o], moves[i] = slice(n, n + 1), step * n
        part, other, room = (a[tuple(at)] for a in (found, right, allowed))
        to, back = _both(part, moves)
        if differing(part[to], other[back], room[to]).any():
            return False
        here += int(np.count_nonzero(other[back]))
    return here > 3 and SHARED * here > int(np.count_nonzero(right))


def _both(array: np.ndarray, moves: Moves) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where entries lie after the moves, and where they lay; none where a move goes beyond."""
    to, back = [slice(None)] * array.ndim, [slice(None)] * array.ndim
    for axis, far in moves.items():
        size = array.shape[axis]
        to[axis] = slice(min(max(far, 0), size), size + min(far, 0) if size > -far else 0)
        back[axis] = slice(min(max(-far, 0), size), size - max(far, 0) if size > far else 0)
    return tuple(to), tuple(back)
