"""Mistakes with a number of the student's own in them: a learning rate, a decay, a kink's slope.

The number is solved for by least squares, and has to fit every entry exactly.
"""

from collections.abc import Callable, Iterator

import numpy as np

from .backward import Changes, Line
from .factors import is_plain
from .matching import Precision, is_right, is_same, ratio
from .mutation import Facts
from .search import Context, Hypothesis, Question, unchanged

MOST_KINKS = 12


def stale_weights(question: Question, facts: Facts, context: Context) -> Iterator[Hypothesis]:
    """W − lr dW in the place of W: one layer, or each layer as a loop updates it."""
    path = set(facts.backward.needed(question.name))
    lines = [
        k
        for k in facts.backward.lines
        if k.kind == "weights" and k.target in path and is_parameter(k, facts)
    ]
    for line in lines:
        yield from _stale(question, [line], facts, context, prior=30)
    if len(lines) > 1:
        yield from _stale(question, lines, facts, context, prior=28)


def is_parameter(line: Line, facts: Facts) -> bool:
    return line.factor("weight").name in facts.params


def _stale(
    question: Question, lines: list[Line], facts: Facts, context: Context, prior: int
) -> Iterator[Hypothesis]:
    def updated(rate: float) -> Changes:
        changes = dict(context.changes)
        for line in lines:
            name = line.factor("weight").name
            gradient = facts.backward.value(name, changes, context.own)
            W = line.factor("weight").array
            if W.shape != gradient.shape or W is not facts.values[name]:
                gradient = gradient.T
            changes[line.key] = line.using("weight", name, W - rate * gradient)
        return changes

    def at(rate: float) -> np.ndarray:
        return question.compute(updated(rate))

    for reading in question.readings:
        if not reading.accepted:
            continue
        rate = solved(at, reading.array, question)
        if rate is not None and rate > 0 and not unchanged(at(rate), question):
            first = lines[0].factor("weight").name
            where = question.name
            shown = f"{rate:.6g}"
            yield Hypothesis(
                ("stale-weights",), 1, prior, where, rate, "", first, shown, updated(rate)
            )


def solved(
    at: Callable[[float], np.ndarray], wanted: np.ndarray, question: Question
) -> float | None:
    """The rate at which `at` gives the wanted array exactly: Newton's method in one unknown."""
    rate, h = 0.0, 1e-4
    for _ in range(12):
        here = at(rate)
        if here.shape != wanted.shape:
            return None
        slope = (at(rate + h) - here) / h
        size = float((slope * slope).sum())
        if not size > 0 or not np.isfinite(size):
            return None
        step = float((slope * (wanted - here)).sum()) / size
        rate += step
        if abs(step) <= 1e-13 * abs(rate) or not np.isfinite(rate):
            break
    for guess in (float(f"{rate:.3g}"), rate):  # a rate that somebody wrote down, if it fits
        if guess and is_same(wanted, at(guess), question.precision):
            break
    else:
        return None
    plain = guess == float(f"{rate:.3g}")
    enough = 2 if question.precision.relative < 1e-8 else 4
    proved = np.count_nonzero(slope) >= enough and ratio(slope, at(0.0), Precision()) is None
    return guess if proved or plain else None


def weight_decay(question: Question, facts: Facts, right: np.ndarray) -> Iterator[Hypothesis]:
    """dW + λ W; the gradient itself may be a sum where a mean is meant."""
    W = facts.values[question.name]
    size = float((W * W).sum())
    enough = 2 if question.precision.relative < 1e-8 else 4
    if np.count_nonzero(W) < enough or not size:
        return
    for times, more in ((1.0, ()), (facts.examples or 1.0, ("missing-batch-mean",))):
        if more and times == 1.0:
            continue
        for reading in question.readings:
            if reading.array.shape != W.shape:
                continue
            S, gradient = reading.array, times * right
            rest = S - gradient
            guesses = as_written(float((rest * W).sum()) / size, facts.examples or 1)
            fit = [d for d in guesses if is_same(S, gradient + d * W, question.precision)]
            if not fit or unchanged(right + fit[0] * W, question):
                continue
            decay = fit[0]
            if decay > 0 or is_plain(decay, 1e-8):
                wrong = (reading.label,) if not reading.accepted else ()
                labels = ("weight-decay", *more, *wrong)
                yield Hypothesis(labels, len(labels), 30, question.name, decay, by=f"{decay:.6g}")


def as_written(decay: float, m: int) -> Iterator[float]:
    """λ or λ/m with the digits that somebody writes, then as it comes out."""
    yield float(f"{decay:.3g}")
    yield float(f"{decay * m:.3g}") / m
    yield decay


def kinks(question: Question, facts: Facts, context: Context) -> Iterator[Hypothesis]:
    """Another slope between the two one-sided ones, where a rectifier is exactly at its corner."""
    path = set(facts.backward.needed(question.name))
    lines = []
    for line in facts.backward.lines:
        if line.kind == "slope" and line.target in path and not line.asleep:
            branch = line.step.op.branch(facts.values[line.target])
            if branch is not None and np.any(branch == 0):
                lines.append((line, branch == 0))
    if not lines:
        return

    def at(slopes: list[np.ndarray]) -> np.ndarray:
        changes = dict(context.changes)
        for (line, _), slope in zip(lines, slopes, strict=True):
            changes[line.key] = line.using("slope", line.factor("slope").name, slope)
        return question.compute(changes)

    plain = [line.factor("slope").array for line, _ in lines]

    def everywhere(c: float) -> np.ndarray:
        return at([np.where(zero, c, s) for s, (_, zero) in zip(plain, lines, strict=True)])

    for c in (1.0, 0.5):
        yield from _chosen(question, everywhere(c), f"{c:g}")
    for reading in question.readings:
        fit = solved(everywhere, reading.array, question) if reading.accepted else None
        if fit is not None and 0 < fit < 1:
            yield from _chosen(question, everywhere(fit), f"{fit:.3g}")
    entries = [
        (p, i) for p, (_, mask) in enumerate(lines) for i in zip(*mask.nonzero(), strict=True)
    ]
    if len(entries) > MOST_KINKS:
        return
    base, columns = at(plain), []
    for p, index in entries:
        moved = [s.copy() for s in plain]
        moved[p][index] += 1
        columns.append((at(moved) - base).ravel())
    if np.any(np.array(columns), axis=0).sum() < 2 * len(entries):
        return  # a slope of its own for each entry could give any numbers
    for reading in question.readings:
        if reading.array.shape != base.shape or not reading.accepted:
            continue
        found = np.linalg.lstsq(np.array(columns).T, (reading.array - base).ravel(), rcond=None)[0]
        slopes = [s.copy() for s in plain]
        for (p, index), c in zip(entries, found, strict=True):
            slopes[p][index] += c
        chosen = [slopes[p][index] for p, index in entries]
        if all(-1e-9 <= c <= 1 + 1e-9 for c in chosen):
            yield from _chosen(question, at(slopes), f"{chosen[0]:.3g}")


def _chosen(question: Question, candidate: np.ndarray, shown: str) -> Iterator[Hypothesis]:
    for reading in question.readings:
        if reading.accepted and is_right(reading.array, candidate, question.precision):
            yield Hypothesis(("kink",), 0, 0, question.name, note=shown)
            return
