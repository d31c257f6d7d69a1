"""Right numbers for something else: another gradient, a value, an updated weight."""

from collections.abc import Iterator

import numpy as np

from ..mutations.mutation import Facts
from .matching import is_same
from .own_numbers import solved
from .readings import readings
from .search import Hypothesis, Question

VISIBLE = 1e-6  # of a weight: what its update has to change at least


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
                step = 0.0 if rate is None else rate * np.abs(right).max()
                if step > VISIBLE * np.abs(W).max():
                    note = f"it is {question.name} after its update"
                    yield _quantity(question, note, 58)


def other_jacobians(question: Question, facts: Facts, key: tuple[str, str]) -> list[Hypothesis]:
    """∂a1/∂W1 where ∂z1/∂W1 is asked for, and the like: another output or variable."""
    of, wrt = key
    values, backward = facts.values, facts.backward
    made = sorted(facts.near(list(values), of), key=lambda name: name in facts.params)
    pairs = [(o, wrt) for o in made if values[o].shape == values[of].shape and o != of]
    pairs += [(of, w) for w in made if values[w].shape == values[wrt].shape and w != wrt]
    found = []
    for o, w in pairs:
        if o == w or w not in backward.to or o not in backward.needed(w):
            continue
        other = facts.state.jacobian(o, w).materialise("numerator")
        if any(is_same(r.array, other, question.precision) for r in question.readings):
            found.append(_quantity(question, f"it is ∂{o}/∂{w}", 50))
    return found


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
