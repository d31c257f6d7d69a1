"""Two mistakes at once, of two kinds or one with a number of the student's own.

They are looked for where one mistake explains nothing, and have to fit as exactly.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..mutations.mutation import Facts, Variation
from ..passes.backward import Changes, Line
from .matching import PROVE_TWO, Precision, constant_ratio, is_same
from .own_numbers import decay_hypothesis, decay_in, stale_hypothesis, stale_lines, updated
from .ratios import Ratio, is_plain, plain_ratios
from .search import Context, Hypothesis, Question, missing_of, unchanged
from .strength import tried_all

PAIR_PRIOR = 40  # a pair is made of mistakes at least as likely as this
OWN_NUMBER = 3  # entries that prove a pair with a number of the student's own
MOST_PAIR_WORK = 40_000_000  # numbers written while pairs are tried


def pairs(
    question: Question,
    facts: Facts,
    context: Context,
    path: Sequence[str],
    possible: list[Variation],
) -> list[Hypothesis]:
    """Two slips; else a slip or a factor with stale weights; else one with weight decay."""
    found = two_mistakes(question, possible, facts)
    found = found or tried_all(stale_pairs(question, facts, context, path, possible))
    if question.name in facts.params:
        found = found or tried_all(decay_pairs(question, facts, possible))
    return found


def two_mistakes(question: Question, possible: list[Variation], facts: Facts) -> list[Hypothesis]:
    """Pairs of likely variations on different lines, as far as the work allows."""
    order = {line.key: place for place, line in enumerate(facts.backward.lines)}
    likely = [v for v in possible if v.prior <= PAIR_PRIOR and not v.everywhere]
    likely.sort(key=lambda v: v.prior)
    steps = len(facts.backward.needed(question.name))
    room = MOST_PAIR_WORK // max(20_000, 20 * question.right.size, 1000 * steps)
    found: list[Hypothesis] = []
    for position, first in enumerate(likely):
        for second in likely[:position]:
            if first.changes.keys() & second.changes.keys():
                continue
            room -= 1
            if room < 0:
                return found
            a, b = sorted((first, second), key=lambda v: order[v.line.key])
            changes = {**a.changes, **b.changes}
            candidate = question.candidate(changes)
            if candidate is None:
                continue
            for reading in question.forms(candidate):
                same = is_same(reading.array, candidate, question.precision, PROVE_TWO)
                if reading.accepted and same:
                    found.append(pair_of(said_of(a), said_of(b), changes, reading.layout))
    return found


def pair_of(a: Hypothesis, b: Hypothesis, changes: Changes, layout: str) -> Hypothesis:
    """Both, each with a sentence of its own; the first in the backward pass in front."""
    labels = tuple(dict.fromkeys((*a.labels, *b.labels)))
    prior = a.prior + b.prior
    return Hypothesis(labels, 2, prior, a.where, changes=changes, layout=layout, parts=(a, b))


def said_of(v: Variation) -> Hypothesis:
    """One mistake of a pair, for its sentence."""
    return Hypothesis(
        (v.label,), 1, v.prior, v.where, None, v.note, missing_of(v), changes=v.changes
    )


def factor_of(ratio: Ratio, name: str) -> Hypothesis:
    """A factor of a pair, for its sentence."""
    value = ratio.value
    return Hypothesis(ratio.labels, 1, ratio.prior, name, value, ratio.note, by=f"{value:.6g}")


def stale_pairs(
    question: Question,
    facts: Facts,
    context: Context,
    path: Sequence[str],
    possible: Iterable[Variation],
) -> Iterator[Hypothesis]:
    """W − lr dW in the place of one weight, and another mistake or a factor of the whole."""
    order = {line.key: place for place, line in enumerate(facts.backward.lines)}
    likely = [v for v in possible if v.prior <= PAIR_PRIOR]
    for line in stale_lines(facts, path):
        for v in (None, *likely):
            if v is not None and line.key in v.changes:
                continue
            changes = v.changes if v else {}
            ratios = [Ratio((), 1.0, 0)] if v else plain_ratios(facts)
            for ratio, rate, layout in rates(question, line, facts, context, changes, ratios):
                both = updated([line], rate, facts, context, changes)
                stale = stale_hypothesis(line, rate, facts, 30, {})
                other = said_of(v) if v else factor_of(ratio, question.name)
                first = v is not None and order[v.line.key] < order[line.key]
                parts = (other, stale) if first else (stale, other)
                yield pair_of(*parts, both, layout)


def rates(
    question: Question,
    line: Line,
    facts: Facts,
    context: Context,
    changes: Changes,
    ratios: Iterable[Ratio],
) -> Iterator[tuple[Ratio, float, str]]:
    """(ratio, lr, layout) with which what was handed in is ratio (A + lr B), A without update.

    One weight's update changes its line only, so the object is linear in the rate.
    """
    try:
        ends = [updated([line], rate, facts, context, changes) for rate in (0.0, 1.0)]
    except (ValueError, IndexError):
        return
    A, end = (question.candidate(each) for each in ends)
    if A is None or end is None or A.shape != end.shape:
        return
    B = end - A
    if (
        np.count_nonzero(B) < question.precision.proving(OWN_NUMBER)
        or constant_ratio(B, A, Precision()) is not None
    ):
        return
    for reading in question.forms(A):
        for ratio in ratios if reading.accepted else ():
            S = reading.array / ratio.value
            rate = float(f"{(B * (S - A)).sum() / (B * B).sum():.3g}")
            if rate > 0 and is_same(S, A + rate * B, question.precision, PROVE_TWO):
                yield ratio, rate, reading.layout


def decay_pairs(
    question: Question, facts: Facts, possible: Iterable[Variation]
) -> Iterator[Hypothesis]:
    """λ W added to a gradient that is wrong for another reason, or out of order."""
    name, right = question.name, question.right
    if np.count_nonzero(facts.values[name]) < question.precision.proving(OWN_NUMBER):
        return
    for v in possible:
        if v.prior <= PAIR_PRIOR or v.line.target == name:
            candidate = question.candidate(v.changes)
            if candidate is not None and not unchanged(candidate, question):
                for decay in decays(question, facts, candidate):
                    yield pair_of(said_of(v), decay, v.changes, decay.layout)
    for label, array in out_of_order(right):
        for decay in decays(question, facts, array):
            yield replace(decay, labels=(*decay.labels, label), mistakes=2)


def decays(question: Question, facts: Facts, gradient: np.ndarray) -> Iterator[Hypothesis]:
    """The gradient + λ W, where λ or λ m has no more digits than somebody writes."""
    for reading in question.readings:
        decay = decay_in(reading.array, gradient, question, facts) if reading.accepted else None
        if decay and any(is_plain(decay * m, 1e-8) for m in (1, facts.examples or 1)):
            yield decay_hypothesis(decay, question.name, facts, reading.layout)


def out_of_order(right: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The right numbers transposed, or written and read in two orders."""
    if right.ndim == 2 and min(right.shape) > 1:
        if right.shape[0] == right.shape[1]:
            yield "transposed", right.T
        yield "reshape-order", right.ravel(order="F").reshape(right.shape)
        yield "reshape-order", right.reshape(right.shape[::-1]).T
