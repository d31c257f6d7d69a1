"""Mistakes where a value or a parameter is read more than once, and at statistics."""

from collections.abc import Collection, Iterator

import numpy as np

from ..passes.backward import Line, LineKey
from .mutation import Facts, Wrong, mutation

SAME = 1e-9  # of the largest entry
ADDED = 0.1  # of a variance: at most so much is added to it before it divides
ALL = ("weights", "slope", "outer", "bias", "pass", "op", "softmax", "cost")


def uses(line: Line, facts: Facts) -> list[Line]:
    """The lines that add up to the delta of this line's target, in backward order.

    A penalty is none: it is added once, and what is forgotten of it has a label of its own.
    """
    awake = [k for k in facts.backward.to[line.target] if not k.asleep]
    return [k for k in awake if k.kind != "penalty"]


@mutation("overwritten-index", 8, "outer", "op")
def repeated_rows_overwritten(line: Line, facts: Facts) -> Iterator[Wrong]:
    """dE[index] = δ where dE[index] += δ is meant: one row with an index wins."""
    lines = [k for k in uses(line, facts) if positions(k, facts) is not None]
    if not lines or line is not lines[0]:
        return
    for last, note in ((True, "the last row with an index"), (False, "the first one")):
        for by_example in (False, True):
            kept = winners(lines[::-1], facts, last, by_example)
            if kept is None:
                return
            changes = {
                k.key: k.by(lambda d, *f, k=k, mask=mask: k.product(d * mask[..., None], *f))
                for k, mask in zip(lines[::-1], kept, strict=True)
            }
            yield Wrong(None, note, note, changes, prior=3 * (not last) + by_example)
    if len(lines) > 1:
        note = "the last row with an index in each statement"
        yield Wrong(None, note, note, {k.key: alone(k, facts) for k in lines}, prior=4)


def alone(line: Line, facts: Facts) -> Line:
    """dE[index] += δ, where numpy adds the last row with an index only."""
    kept = winners([line], facts, last=True, by_example=False)
    if kept is None:
        return line
    return line.by(lambda d, *f: line.product(d * kept[0][..., None], *f))


def positions(line: Line, facts: Facts) -> np.ndarray | None:
    """The index that each row of a one-hot operand picks; None where it is none."""
    made = facts.values[line.source]
    for position, arg in enumerate(line.step.args):
        x = facts.values[arg]
        if position == line.position or not x.ndim or x.shape[:-1] != made.shape[:-1]:
            continue
        if ((x == 0) | (x == 1)).all() and (x.sum(-1) == 1).all() and x.shape[-1] > 1:
            return np.asarray(x.argmax(-1))
    return None


def winners(
    lines: list[Line], facts: Facts, last: bool, by_example: bool
) -> list[np.ndarray] | None:
    """For each use, which of its rows is not overwritten; None where no index comes twice."""
    found = [np.asarray(positions(k, facts)) for k in lines]
    places = [(u, i) for u, index in enumerate(found) for i in np.ndindex(index.shape)]
    if by_example:
        places.sort(key=lambda place: (place[1], place[0]))
    if not last:
        places.reverse()
    owner = {int(found[u][i]): (u, i) for u, i in places}
    if len(owner) == len(places):
        return None
    kept = [np.zeros(index.shape) for index in found]
    for u, i in owner.values():
        kept[u][i] = 1
    return kept


def makes_a_statistic(line: Line, facts: Facts) -> bool:
    """Whether the step computes a mean, a variance or a standard deviation of what it reads."""
    if line.kind in ("cost", "share", "penalty") or line.target in facts.params:
        return False
    made, read = facts.values[line.source], facts.values[line.target]
    if made.size >= read.size:
        return False
    over_units, over_examples = range(made.ndim, read.ndim), range(read.ndim - made.ndim)
    return any(is_statistic(made, read, tuple(way)) for way in (over_units, over_examples))


def is_statistic(made: np.ndarray, read: np.ndarray, axes: tuple[int, ...]) -> bool:
    """The mean, or by its square or itself the variance, perhaps with a small number added."""
    mean, variance = read.mean(axes), read.var(axes)
    if mean.shape != made.shape:
        return False
    scale = np.abs(read).max(initial=0.0)
    if np.abs(made - mean).max(initial=0.0) <= SAME * scale:
        return True
    for power in (made, made * made, made**-2.0 if np.all(made != 0) else made):
        added = power - variance
        small = np.all(added >= -SAME * scale**2) and np.all(added <= ADDED * variance)
        if small and np.ptp(added) <= SAME * variance.max():
            return True
    return False


@mutation("fan-out-overwritten", 10, *ALL)
def one_path_kept(line: Line, facts: Facts) -> Iterator[Wrong]:
    """= where += is meant: one path back is kept, or one forgotten."""
    lines = uses(line, facts)
    if len(lines) < 2:
        return
    others = {k.key: None for k in lines if k is not line}
    yield Wrong(None, f"the path through {line.source} alone", "kept", others)
    if len(lines) > 2:
        note = f"without the path through {line.source}"
        yield Wrong(None, note, "dropped", {line.key: None}, prior=4)


@mutation("last-step-only", 6, "weights", "outer", "bias", "op")
def last_use_kept(line: Line, facts: Facts) -> Iterator[Wrong]:
    """A tied parameter gets the share of one time step only, mostly the last."""
    lines = uses(line, facts)
    if len(lines) < 2 or line.target not in facts.params or line is not lines[0]:
        return
    if not one_behind_another(lines, facts):
        return
    for step in lines:
        others = {k.key: None for k in lines if k is not step}
        tag, more = ("last", 0) if step is line else (step.source, 2)
        yield Wrong(None, f"the step that computes {step.source} alone", tag, others, prior=more)


def one_behind_another(lines: list[Line], facts: Facts) -> bool:
    """Whether the last use is nearer to the cost on the very path of each earlier one.

    Or on the path of the state that the earlier one reads: outputs of an unrolled network.
    """
    needed, last = facts.backward.needed, lines[0]
    path = set(needed(last.source)) - {last.source}

    def is_later(line: Line) -> bool:
        states = [a for a in line.step.args if is_computed(a, facts) and a not in last.step.args]
        on_the_way = path < set(needed(line.source)) - {line.source}
        return on_the_way or any(last.source in needed(state) for state in states)

    return all(is_later(line) for line in lines[1:])


def is_computed(name: str, facts: Facts) -> bool:
    """Whether a step computes it; a first state that is given is no part of the recurrence."""
    return facts.state.step(name) is not None


@mutation("last-step-only", 14, "weights", "op")
def recurrence_cut(line: Line, facts: Facts) -> Iterator[Wrong]:
    """The state of the step before is taken for a constant: nothing flows back in time."""
    if line.kind != "weights":
        return
    W = line.factor("weight").name
    if len(facts.backward.to.get(W, ())) < 2:
        return
    every = [k for k in facts.backward.lines if k.kind == "weights"]
    lines = [k for k in every if k.factor("weight").name == W and is_computed(k.target, facts)]
    if not lines or line is not lines[0]:
        return
    changes = {k.key: None for k in lines}
    if goes_another_way(changes, facts):
        note, label = f"without the path through {W}", "fan-out-overwritten"
        yield Wrong(None, note, "cut", changes, label=label)
    else:
        yield Wrong(None, "nothing flows back through time", "cut", changes)


def goes_another_way(cut: Collection[LineKey], facts: Facts) -> bool:
    """Whether the state of one cell reaches the next by lines that are not cut: c beside h."""
    cells = facts.mates
    between = (k for k in facts.backward.lines if k.source in cells and k.target in cells)
    return any(k.key not in cut and cells[k.source] != cells[k.target] for k in between)


@mutation("statistics-as-constants", 4, *ALL)
def statistics_cut(line: Line, facts: Facts) -> Iterator[Wrong]:
    """The paths through a mean or a variance are forgotten."""
    if not makes_a_statistic(line, facts):
        return
    statistics = [k for k in facts.backward.lines if makes_a_statistic(k, facts)]
    if len(uses(line, facts)) > 1:
        yield Wrong(None, f"{line.source} taken for a constant", "one", {line.key: None})
    if line is statistics[0] and len(statistics) > 1:
        every = {k.key: None for k in statistics}
        yield Wrong(None, "the statistics taken for constants", "all", every)


@mutation("statistics-as-constants", 5, "op")
def normalised_with_constants(line: Line, facts: Facts) -> Iterator[Wrong]:
    """An op of one's own that normalises: its slope with mean and variance held."""
    x, y = facts.values[line.target], facts.values[line.source]
    if x.shape != y.shape or line.target in facts.params:
        return
    for axis in range(x.ndim):
        slope = held_slope(line, facts, axis)
        if slope is None:
            continue
        yield Wrong(line.by(lambda d, s=slope: d * s), "mean and variance held", "both")

        def mean_only(d, s=slope, axis=axis):
            g = d * s
            return g - g.mean(axis, keepdims=True)

        def variance_only(d, s=slope, axis=axis):
            return line.product(d) + (d * s).mean(axis, keepdims=True)

        yield Wrong(line.by(mean_only), "the variance held", "variance", prior=1)
        yield Wrong(line.by(variance_only), "the mean held", "mean", prior=1)


def held_slope(line: Line, facts: Facts, axis: int) -> np.ndarray | None:
    """γ/std where y = γ (x − mean)/std + β along an axis; None where it is not so.

    A value that is proportional to its input, or centred alone, has no mean and variance held.
    """
    x, y = facts.values[line.target], facts.values[line.source]
    if x.shape[axis] < 3:
        return None
    params = [facts.values[a] for a in line.step.args if a in facts.params]
    vectors = [p for p in params if p.ndim <= 1 and (p.ndim == 0 or p.size == x.shape[-1])]
    zero, unit = np.zeros(()), np.ones(())
    for gamma in [unit, *vectors]:
        for beta in [zero, *vectors]:
            plain = (y - beta) / gamma
            dx, dy = x - x.mean(axis, keepdims=True), plain - plain.mean(axis, keepdims=True)
            norm = (dx * dx).sum(axis, keepdims=True)
            if not np.all(norm > 0):
                return None
            rate = (dx * dy).sum(axis, keepdims=True) / norm
            straight = np.abs(dy - rate * dx).max() <= SAME * np.abs(dy).max()
            if straight and np.any(rate != 0) and is_standardised(plain, axis):
                return np.broadcast_to(rate * gamma, x.shape)
    return None


def is_standardised(plain: np.ndarray, axis: int) -> bool:
    """Mean 0 and variance 1, less what a small number in the root takes from it."""
    mean, variance = plain.mean(axis), plain.var(axis)
    centred = np.abs(mean).max() <= SAME * np.abs(plain).max()
    return bool(centred and np.all(variance <= 1 + SAME) and np.all(variance >= 1 - ADDED))
