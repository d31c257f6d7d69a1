"""Outputs that are 0 or 1 to rounding: NaN by the textbook's formulas, digits that are lost."""

from collections.abc import Iterator

import numpy as np

from ..mutations.logits import unfused
from ..mutations.mutation import Facts
from ..passes.backward import Changes, Line
from ..passes.pass_lines import entrywise
from .search import Question

SATURATED = 1e-9  # a (1 − a) at most


def saturated(question: Question, facts: Facts) -> list[str]:
    """Where the textbook's formulas give NaN as the answer does; empty if they do not."""
    for changes, names in textbook(facts):
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(question.compute(changes))
        except ValueError:
            continue
        for reading in question.forms(found):
            bad = ~np.isfinite(reading.array)
            if bad.any() and np.array_equal(bad, ~np.isfinite(found)):
                return names
    return []


def said_of(names: list[str], facts: Facts) -> str:
    """z2 (and so a2) is saturated"""
    read = {facts.activations[name][0]: name for name in names if name in facts.activations}
    follows = {made for z, made in read.items() if z in names}
    shown = [f"{name} (and so {read[name]})" if name in read else name for name in names]
    kept = [text for name, text in zip(names, shown, strict=True) if name not in follows]
    kept = list(dict.fromkeys(kept))
    return f"{', '.join(kept)} {'is' if len(kept) == 1 else 'are'} saturated"


def textbook(facts: Facts) -> Iterator[tuple[Changes, list[str]]]:
    """Unfused and unguarded formulas, layer by layer: only where they give NaN or infinity."""
    with np.errstate(all="ignore"):
        unsafe = {line.key: _unsafe(line, facts) for line in facts.backward.lines}
    for way in range(max(map(len, unsafe.values()), default=0)):
        changes: dict = {}
        names = []
        for line in facts.backward.lines:
            arrays = unsafe[line.key]
            array = arrays[min(way, len(arrays) - 1)] if arrays else np.zeros(())
            if not np.isfinite(array).all():
                wrong = line.using(line.factors[0].role, line.factors[0].name, array)
                changes[line.key] = wrong.by(entrywise) if line.kind == "softmax" else wrong
                unfused = line.kind == "cost" and line.asleep
                names.append(line.source if unfused else line.target)
        if changes:
            yield changes, names


def _unsafe(line: Line, facts: Facts) -> list[np.ndarray]:
    """The array of a line by the formulas that textbooks print."""
    z, op = facts.values[line.target], line.step.op
    if line.kind == "cost" and op.loss_textbook is not None:
        y = facts.values[line.step.args[-1]]
        return [formula(z, y) for formula in op.loss_textbook.unguarded]
    if line.kind == "slope" and op.textbook is not None:
        return [formula(z) for formula in op.textbook.unguarded]
    return []


def by_subtraction(facts: Facts) -> Changes:
    """a − y in floating point, as every course writes it: right but for the digits it loses."""
    changes: dict = {}
    for line in facts.backward.lines:
        if line.kind == "cost" and line.step.op.contains is not None and not line.asleep:
            twin = unfused(line, facts)
            if twin:
                a, y = facts.values[twin.source], facts.values[line.step.args[-1]]
                changes[line.key] = line.using("cost", "(a − y)", a - y)
    return changes


def saturated_outputs(question: Question, facts: Facts) -> list[str]:
    """The outputs behind an object at which a formula that divides by a (1 − a) breaks down."""
    path = set(facts.backward.needed(question.name)) if question.name in facts.values else set()
    found = []
    for line in facts.backward.lines:
        if line.kind == "cost" and line.step.op.contains is not None and line.target in path:
            twin = unfused(line, facts)
            a = facts.values[twin.source] if twin else np.array(0.5)
            if twin and np.any(a * (1 - a) <= SATURATED):
                found.append(twin.source)
    return found
