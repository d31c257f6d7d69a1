"""Outputs that are 0 or 1 to rounding: NaN by the textbook's formulas, digits that are lost."""

from collections.abc import Iterator

import numpy as np

from ...ops import BinaryCrossEntropyFromLogits, CrossEntropyFromLogits
from .backward import Changes
from .mutation import Facts
from .pass_lines import entrywise
from .search import Question

FUSED = (BinaryCrossEntropyFromLogits, CrossEntropyFromLogits)
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


def textbook(facts: Facts) -> Iterator[tuple[Changes, list[str]]]:
    """Unfused and unguarded formulas, layer by layer: only where they give NaN or infinity."""
    changes: dict = {}
    names = []
    for line in facts.backward.lines:
        unsafe = _unsafe(line, facts)
        if unsafe is not None and not np.isfinite(unsafe).all():
            wrong = line.using(line.factors[0].role, line.factors[0].name, unsafe)
            if line.kind == "softmax":
                wrong = wrong.by(entrywise)
            changes[line.key] = wrong
            names.append(line.target if line.kind != "cost" or not line.asleep else line.source)
    if changes:
        yield changes, names


def _unsafe(line, facts: Facts) -> np.ndarray | None:
    """The array of a line by the formula that a textbook prints."""
    with np.errstate(all="ignore"):
        if line.kind == "cost" and line.step.op.name == "BinaryCrossEntropyFromLogits":
            a = _sigmoid(facts.values[line.target])
            y = facts.values[line.step.args[-1]]
            return (-y / a + (1 - y) / (1 - a)) * (a * (1 - a))
        if line.kind == "cost" and line.step.op.name == "CrossEntropyFromLogits":
            e = np.exp(facts.values[line.target])
            p = e / e.sum(axis=-1, keepdims=True)
            y = facts.values[line.step.args[-1]]
            through = -y / p
            return p * (through - (through * p).sum(-1, keepdims=True))
        if line.kind == "cost" and line.step.op.name == "BinaryCrossEntropy":
            a, y = facts.values[line.target], facts.values[line.step.args[-1]]
            return -y / a + (1 - y) / (1 - a)
        if line.kind == "slope" and line.step.op.name == "Sigmoid":
            z = facts.values[line.target]
            e = np.exp(z)
            return e / (1 + e) * (1 - e / (1 + e))
        if line.kind == "slope" and line.step.op.name == "Tanh":
            z = facts.values[line.target]
            up, down = np.exp(z), np.exp(-z)
            return 1 - ((up - down) / (up + down)) ** 2
        if line.kind == "slope" and line.step.op.name == "Softplus":
            e = np.exp(facts.values[line.target])
            return e / (1 + e)
    return None


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def by_subtraction(facts: Facts) -> Changes:
    """a − y in floating point, as every course writes it: right but for the digits it loses."""
    changes: dict = {}
    for line in facts.backward.lines:
        if line.kind == "cost" and isinstance(line.step.op, FUSED) and not line.asleep:
            twins = [k for k in facts.backward.to[line.target] if k.asleep]
            if twins:
                a, y = facts.values[twins[0].source], facts.values[line.step.args[-1]]
                changes[line.key] = line.using("cost", "(a − y)", a - y)
    return changes


def saturated_outputs(question: Question, facts: Facts) -> list[str]:
    """The outputs behind an object at which a formula that divides by a (1 − a) breaks down."""
    path = set(facts.backward.needed(question.name)) if question.name in facts.values else set()
    found = []
    for line in facts.backward.lines:
        if line.kind == "cost" and isinstance(line.step.op, FUSED) and line.target in path:
            twins = [k for k in facts.backward.to[line.target] if k.asleep]
            a = facts.values[twins[0].source] if twins else np.array(0.5)
            if np.any(a * (1 - a) <= SATURATED):
                found.append(twins[0].source)
    return found
