"""A whole Jacobian that was handed in, such as ∂z2/∂W2, in any layout."""

import numpy as np

from ...jacobian import Jacobian
from ...layouts import LAYOUTS
from .backward import Changes
from .contractions import squeezed
from .judge import Judge
from .matching import precision_of
from .proofs import not_finite, proved
from .readings import HOME, OTHER, Reading
from .report import Finding, name_of
from .search import Question, everywhere, factor_alone, one_mistake
from .words import accepted_reading

LARGEST = 2_000_000  # entries of a Jacobian that is computed again for each mistake
MOST_ROWS = 512  # outputs that are pulled back one by one


def jacobian_finding(judge: Judge, key: tuple[str, str], S: np.ndarray) -> Finding:
    """Right in some layout, or wrong in a way that one mistake explains."""
    of, wrt = key
    facts, name = judge.facts, name_of(key)
    exact = facts.state.jacobian(of, wrt)
    right = exact.materialise("numerator")

    def compute(changes: Changes) -> np.ndarray:
        return facts.backward.jacobian(of, wrt, changes) if changes else right

    precision = precision_of(S, facts.state.dtype)
    forms = jacobian_forms(S, exact, judge.layout)
    question = Question(wrt, compute, S, forms, precision, right)
    if not np.isfinite(S).all():
        return judge.words.unknown(key, [not_finite(S)])
    accepted = accepted_reading(question, right)
    if accepted is not None:
        return judge.words.right(key, accepted, question)
    found = factor_alone(question, right, facts)
    if right.size <= LARGEST and facts.values[of].size <= MOST_ROWS:
        possible = judge.possible(wrt, of)
        found += one_mistake(question, [*possible, *everywhere(possible)], facts)
    found = judge.ranked(key, found)
    if found:
        return judge.words.explained(key, found, False)
    array = next((reading.array for reading in forms), None)
    return judge.words.unknown(key, proved(name, array, right, precision))


def jacobian_forms(S: np.ndarray, exact: Jacobian, layout: str) -> list[Reading]:
    """The array read in each layout whose shape it has, the declared one first."""
    found = []
    for name in (layout, *(other for other in LAYOUTS if other != layout)):
        shape = exact.shape_in(name)
        if squeezed(S.shape) == squeezed(shape):
            array = exact.from_layout(S.reshape(shape).astype(np.float64), name)
            found.append(Reading(array, HOME if name == layout else OTHER, name))
    return found
