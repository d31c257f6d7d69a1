"""Mistakes with a number of the student's own in them: a learning rate, a decay, a kink's slope.

The number is solved for by least squares, and has to fit every entry exactly.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ....ops import Penalty
from ..mutations.mutation import Facts, place
from ..passes.backward import Changes, Line
from .matching import Precision, constant_ratio, is_right, is_same
from .ratios import Ratio, is_plain, plain_ratios
from .search import Context, Hypothesis, Question, unchanged

MOST_KINKS = 12
BATCH = ("missing-batch-mean", "batch-mean-twice")


def stale_weights(
    question: Question, facts: Facts, context: Context, path: Sequence[str]
) -> Iterator[Hypothesis]:
    """W − lr dW in the place of W: one layer on the path, or each layer as a loop updates it."""
    lines = [k for k in stale_lines(facts, path) if k.key not in context.changes]
    for line in lines:
        yield from _stale(question, [line], facts, context, prior=30)
    if len(lines) > 1:
        yield from _stale(question, lines, facts, context, prior=28)


def stale_lines(facts: Facts, path: Sequence[str]) -> list[Line]:
    """The lines on the path that go back through a weight that is a parameter."""
    weights = [k for k in facts.backward.lines if k.kind == "weights" and k.target in path]
    return [k for k in weights if k.factor("weight").name in facts.params]


def updated(
    lines: Sequence[Line], rate: float, facts: Facts, context: Context, changes: Changes
) -> Changes:
    """The changes, with these lines' weights after a step down their gradient."""
    found = {**context.changes, **changes}
    for line in lines:
        weight = line.factor("weight")
        gradient = facts.backward.value(weight.name, found, context.own)
        W = weight.array
        if W.shape != gradient.shape or W is not facts.values[weight.name]:
            gradient = gradient.T
        found[line.key] = line.using("weight", weight.name, W - rate * gradient)
    return found


def _stale(
    question: Question, lines: list[Line], facts: Facts, context: Context, prior: int
) -> Iterator[Hypothesis]:
    def at(rate: float) -> np.ndarray:
        return question.compute(updated(lines, rate, facts, context, {}))

    for reading in question.readings:
        if not reading.accepted:
            continue
        rate = solved(at, reading.array, question)
        if rate is not None and rate > 0 and not unchanged(at(rate), question):
            changes = updated(lines, rate, facts, context, {})
            yield stale_hypothesis(lines[0], rate, facts, prior, changes)


def stale_hypothesis(
    line: Line, rate: float, facts: Facts, prior: int, changes: Changes
) -> Hypothesis:
    """The weight of this line is used after its update."""
    where, name = place(line, facts), line.factor("weight").name
    shown = f"{rate:.6g}"
    return Hypothesis(("stale-weights",), 1, prior, where, rate, "", name, shown, changes)


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
    enough = question.precision.proving(2)
    proved = (
        np.count_nonzero(slope) >= enough and constant_ratio(slope, at(0.0), Precision()) is None
    )
    return guess if proved or plain else None


def weight_decay(
    question: Question, facts: Facts, right: np.ndarray, known: Sequence[float] = ()
) -> Iterator[Hypothesis]:
    """dW + λ W; a sum may stand for the mean in dW, or a minus before the whole.

    A λ that is `known` from another parameter is tried on a single number too.
    """
    once = Ratio((), 1.0, 0)
    of_gradient = [r for r in plain_ratios(facts) if r.labels[0] in BATCH]
    ways = [(1.0, r) for r in (once, *of_gradient)] + [(-1.0, Ratio(("sign",), 1.0, 0))]
    for sign, more in ways:
        for reading in question.readings:
            decay = decay_in(sign * reading.array, more.value * right, question, facts, known)
            if decay is not None:
                wrong = (reading.label,) if not reading.accepted else ()
                labels = ("weight-decay", *more.labels, *wrong)
                found = decay_hypothesis(decay, question.name, facts)
                yield replace(found, labels=labels, mistakes=len(labels))


def decay_hypothesis(decay: float, name: str, facts: Facts, layout: str = "") -> Hypothesis:
    """The parameter itself is added, times λ; what a penalty of the cost asks for is in."""
    shown = f"{decay:.6g}"
    steps = [s for s in facts.state.program.steps if isinstance(s.op, Penalty) and name in s.args]
    said = " and ".join(f"{step.name} = {step.formula}" for step in steps)
    note = f"the right one has that of {said} already" if said else "this cost has no weight decay"
    return Hypothesis(("weight-decay",), 1, 30, name, decay, by=shown, note=note, layout=layout)


def decay_in(
    S: np.ndarray,
    gradient: np.ndarray,
    question: Question,
    facts: Facts,
    known: Sequence[float] = (),
) -> float | None:
    """λ where S is the gradient + λ W in every entry."""
    W, enough = facts.values[question.name], question.precision.proving(2)
    if S.shape != W.shape or gradient.shape != W.shape or not np.any(W):
        return None
    guesses = list(known)
    if np.count_nonzero(W) >= enough:
        fitted = float(((S - gradient) * W).sum() / (W * W).sum())
        guesses += as_written(fitted, facts.examples or 1)
    fits = (d for d in guesses if is_same(S, gradient + d * W, question.precision))
    decay = next(fits, None)
    if decay is None or unchanged(question.right + decay * W, question):
        return None
    return decay if decay > 0 or is_plain(decay, 1e-8) else None


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
