"""Right numbers for something else: another gradient, a value, an updated weight; NaN."""

from collections.abc import Iterator

import numpy as np

from .backward import Changes
from .fits import solved
from .matching import is_same
from .mutation import Facts
from .pass_lines import entrywise
from .readings import readings
from .search import Hypothesis, Question


def other_quantities(question: Question, facts: Facts) -> Iterator[Hypothesis]:
    """Whatever else of this run has exactly these numbers."""
    S, batched = question.submitted, facts.state.batched
    params = facts.params
    for name, right in facts.backward.base.items():
        if name == question.name or right.ndim == 0 or not np.any(right):
            continue
        kind = "gradient" if name in params else "delta"
        yield from _same(question, S, right, name in batched, f"it is the {kind} of {name}", 50)
    for name, value in facts.values.items():
        if value.size > 1 and np.any(value) and name not in facts.state.program.labels:
            yield from _same(question, S, value, name in batched, f"it is {name} itself", 56)
    if question.name in params:
        W, right = facts.values[question.name], question.right
        for reading in question.readings:
            if reading.accepted:
                rate = solved(lambda t: W - t * right, reading.array, question)
                if rate is not None and rate > 0:
                    note = f"it is {question.name} after its update"
                    yield _quantity(question, note, 58)


def _same(
    question: Question, S: np.ndarray, other: np.ndarray, batched: bool, note: str, prior: int
) -> Iterator[Hypothesis]:
    for reading in readings(S, other.shape, "gradient", batched and other.ndim > 1):
        plain = reading.accepted or reading.label == "transposed"
        if plain and is_same(reading.array, other, question.precision):
            yield _quantity(question, note, prior)
            return


def _quantity(question: Question, note: str, prior: int) -> Hypothesis:
    return Hypothesis(("check-of-wrong-quantity",), 1, prior, question.name, note=note)


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
