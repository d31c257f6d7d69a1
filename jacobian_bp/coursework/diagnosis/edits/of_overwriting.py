"""= where += is meant: of the summands that go to one place the last one is kept.

    for o in range(O): dx[o : o + K] = δ[o] * w           the last window with an entry wins
    for t in range(T): dE[ids[:, t]] += δ[:, t]           each statement keeps its last row

Where each summand goes is what a factor of zeros and ones says, a selection; without one
every summand goes to every place.
"""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from ....algebra.axes import BATCH
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, POSITION, Equation
from .edit import Edit, along

MOST_PLACES, MOST_AXES = 300_000, 3


def overwritten(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The last summand wins along some of the summed axes, the others are added up."""
    term = equation.terms[0]
    summed = tuple(a for a in equation.summed(term) if equation.sizes[a] > 1)
    incoming = next(f for f in term.factors if f.role == DELTA)
    picks = [f for f in term.factors if is_selection(f)]
    several = len(equation.terms) > 1
    if line.target in facts.params and (several or picks or len(summed) > MOST_AXES):
        yield from of_one_example(equation)
    if several:
        return
    if len(summed) > MOST_AXES:
        yield from of_windows(equation, picks, summed, incoming)
    yield from of_means(line, equation, picks, incoming, facts)
    if not 1 <= len(summed) <= MOST_AXES:
        return
    for count in range(1, len(summed) + 1):
        for along_axes in permutations(summed, count):
            rest = tuple(axis for axis in summed if axis not in along_axes)
            for first in (False, True) if rest and picks else (False,):
                winners = last_ones(equation, picks, along_axes, rest, first)
                if winners is None:
                    continue
                changed = equation.times(winners)
                kind = "overwrite" if picks or along_axes != (BATCH,) else "last"
                rows = line.target in facts.params and any(picks_rows(f, equation) for f in picks)
                added = tuple(axis for axis in rest if first and is_summed(axis, picks))
                note = said(along_axes, added, equation, rows)
                yield Edit(kind, changed, incoming, note, rows=rows, extra=2 * (count > 1) + first)
                if count in (1, len(summed)) and not first:
                    earliest = last_ones(equation, picks, along_axes, rest, first, backwards=True)
                    if earliest is not None:
                        kept = note.replace("the last", "the first", 1)
                        changed = equation.times(earliest)
                        yield Edit(kind, changed, incoming, kept, rows=rows, extra=3 + (count > 1))


def of_windows(
    equation: Equation, picks: list[Factor], summed: tuple[str, ...], incoming: Factor
) -> Iterator[Edit]:
    """Of an image: the last tap, or the last place, of every window at once."""
    windows = [f for f in picks if f.role == POSITION and len(f.axes) > 2]
    if len(windows) < 2:
        return
    for place in range(min(len(window.axes) for window in windows) - 1):
        axes = tuple(window.axes[place] for window in windows)
        rest = tuple(axis for axis in summed if axis not in axes)
        if not set(axes) <= set(summed):
            continue
        for together in (False, True):
            winners = last_ones(equation, windows, axes, rest, together)
            if winners is not None:
                added = tuple(a for a in rest if together and is_summed(a, windows))
                note = said(axes, added, equation, rows=False)
                yield Edit("overwrite", equation.times(winners), incoming, note, extra=2)


def of_one_example(equation: Equation) -> Iterator[Edit]:
    """The share of the first example, or of the last, where each has one."""
    if all(BATCH in equation.summed(term) for term in equation.terms):
        incoming = next(f for f in equation.factors() if f.role == DELTA)
        for place, note in ((-1, "the last one"), (0, "the first one")):
            only = np.zeros(equation.sizes[BATCH])
            only[place] = 1
            wrong = equation.times(Factor("mask", "the one that is kept", only, (BATCH,)))
            yield Edit("last", wrong, incoming, f"{note} along the examples", extra=place == 0)


def of_means(
    line: Line, equation: Equation, picks: list[Factor], incoming: Factor, facts: Facts
) -> Iterator[Edit]:
    """Rows with one index averaged, where they add up."""
    rows = [f for f in picks if picks_rows(f, equation)]
    if line.target not in facts.params or len(rows) != 1:
        return
    (pick,) = rows
    count = pick.array.sum(axis=tuple(range(pick.array.ndim - 1)))
    if count.max() > 1:
        share = Factor("part", "the share", 1 / np.maximum(count, 1), pick.axes[-1:])
        note = "the mean of the rows with one index is taken for their sum"
        yield Edit("mean", equation.times(share), incoming, note)


def is_summed(axis: str, picks: list[Factor]) -> bool:
    """Whether the selections let more than one summand along an axis through."""
    for pick in picks:
        if axis in pick.axes and (pick.array != 0).sum(pick.axes.index(axis)).max() <= 1:
            return False
    return True


def said(axes: tuple[str, ...], added: tuple[str, ...], equation: Equation, rows: bool) -> str:
    """the last one along o; where sums are assigned, it is said of the sums."""
    what = "the last row with an index" if rows else "the last one"
    over = f"{what} along {along(axes, equation)}"
    return f"{over}, each summed over {along(added, equation)}," if added else over


def is_selection(factor: Factor) -> bool:
    """Zeros and ones, and some of each; or a Jacobian with zeros in it."""
    if factor.role == DELTA or factor.array.ndim < 2:
        return False
    zeros = factor.array == 0
    if not zeros.any() or zeros.all():
        return False
    return factor.role == "jacobian" or bool((zeros | (factor.array == 1)).all())


def picks_rows(factor: Factor, equation: Equation) -> bool:
    """Whether it is one-hot along an axis of the target: each row of it picks one index."""
    return factor.axes[-1] in equation.out and bool((factor.array.sum(-1) == 1).all())


def last_ones(
    equation: Equation,
    picks: list[Factor],
    axes: tuple[str, ...],
    rest: tuple[str, ...],
    together: bool,
    backwards: bool = False,
) -> Factor | None:
    """1 at the last place along `axes` at which a summand goes to an entry, else 0.

    In a loop that goes `backwards` that is the first one.

    `together` asks for the last one at which any summand along the other axes goes there.
    """
    selecting = tuple(a for a in (*equation.out, *rest) if any(a in f.axes for f in picks))
    order = (*selecting, *axes)
    sizes = [equation.sizes[axis] for axis in order]
    if int(np.prod(sizes)) > MOST_PLACES:
        return None
    there = np.ones(sizes, bool)
    for pick in picks:
        extra = tuple(place for place, axis in enumerate(pick.axes) if axis not in order)
        array = (pick.array != 0).any(axis=extra)
        kept = [axis for axis in pick.axes if axis in order]
        array = array.transpose([kept.index(axis) for axis in order if axis in kept])
        there = there & array.reshape([equation.sizes[a] if a in kept else 1 for a in order])
    if together:
        among = tuple(place for place, axis in enumerate(order) if axis in rest)
        there = np.broadcast_to(there.any(axis=among, keepdims=True), sizes)
    flat = there.reshape(*sizes[: len(selecting)], -1)
    turn = 1 if backwards else -1
    after = np.cumsum(flat[..., ::turn], axis=-1)[..., ::turn]
    winners = (flat & (after == 1)).reshape(sizes).astype(float)
    return Factor("mask", "the one that is kept", winners, order)
