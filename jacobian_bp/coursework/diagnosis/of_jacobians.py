"""A whole Jacobian that was handed in, such as ∂z2/∂W2, in any layout."""

from dataclasses import replace

import numpy as np

from ...algebra.jacobian import Jacobian
from ...algebra.layouts import LAYOUTS
from ...writing.signs import dims
from .diagnosis import Finding, name_of
from .evidence.other_quantities import other_jacobians
from .evidence.proofs import Place, not_finite, proved
from .evidence.readings import HOME, OTHER, Reading
from .evidence.search import (
    Hypothesis,
    Question,
    everywhere,
    factor_alone,
    layout_alone,
    one_mistake,
)
from .evidence.strength import proved_only
from .filled_sentences import accepted_reading
from .judge import Judge
from .mutations.contractions import squeezed
from .mutations.mutation import Facts
from .passes.backward import Changes

LARGEST = 2_000_000  # entries of a Jacobian that is computed again for each mistake
BACKWARDS = '{of} does not depend on {wrt}; did you mean ("{wrt}", "{of}")?'
DIAGONAL, BLOCKS = "its diagonal alone", "a block for each example"
ONE_BLOCK = "one block for all examples"
FLAT = "flat, row by row"
BY_ROWS, BY_COLUMNS = f"numerator, {FLAT}", "numerator, flat, column by column"
ENTRIES = Place(of_vector="entry")
MOST_ROWS = 512  # outputs that are pulled back one by one


def jacobian_finding(judge: Judge, key: tuple[str, str], S: np.ndarray) -> Finding:
    """Right in some layout, or wrong in a way that one mistake explains."""
    of, wrt = key
    judge.begin()
    facts = judge.facts
    exact = facts.state.jacobian(of, wrt)
    right = exact.materialise("numerator")

    def compute(changes: Changes) -> np.ndarray:
        return facts.backward.jacobian(of, wrt, changes) if changes else right

    forms = jacobian_forms(S, exact, judge.declared or "numerator")
    question = Question(wrt, compute, S, forms, judge.exact[key], right)
    if not forms and not facts.fits(S.shape):
        return judge.words.unknown(key, certain(judge, key, None, exact))
    if not np.isfinite(S).all():
        return judge.words.unknown(key, [not_finite(judge.handed[key].back(S))])
    accepted = accepted_reading(question, right)
    if accepted is not None:
        found = as_at_home(judge, key, question) if accepted.label == OTHER else []
        return with_labels(judge.words.right(key, accepted, question), found)
    if forms:
        judge.earlier.jacobians[key] = forms[0].array
    found = layout_alone(question, right)
    found += factor_alone(question, right, facts)
    found = judge.ranked(key, [*found, *mistaken(judge, key, question)])
    if found:
        return judge.words.explained(key, found, False)
    if goes_backwards(key, facts):
        return judge.words.unknown(key, [BACKWARDS.format(of=of, wrt=wrt)])
    said = certain(judge, key, next(iter(forms), None), exact)
    return judge.words.unknown(key, said + judge.was_cut())


def certain(
    judge: Judge, key: tuple[str, str], reading: Reading | None, exact: Jacobian
) -> list[str]:
    """What is proved of it, said of the array as it was handed in; what it is read as."""
    right, handed = exact.materialise("numerator"), judge.handed[key]
    name = name_of(key)
    if reading is None or reading.label == "reshape-order":
        return proved(name, None, right, judge.exact[key])
    S = handed.array.astype(np.float64)
    if reading.layout in LAYOUTS:
        meant = exact.materialise(reading.layout).reshape(S.shape)
        return proved(name, handed.back(S), handed.back(meant), judge.exact[key], ENTRIES)
    if reading.layout == DIAGONAL:
        meant = np.diagonal(right.reshape(S.size, S.size)).reshape(S.shape)
    elif reading.layout == BY_ROWS:
        meant = right.reshape(S.shape)
    elif reading.layout == BLOCKS:
        meant = np.stack([right[n, :, n] for n in range(len(S))])
    else:
        meant = right[0, :, 0]
    read = f"Its shape {dims(S.shape)} is read as {reading.layout}, of {dims(right.shape)}."
    return [read, *proved(name, S, meant, judge.exact[key], ENTRIES)]


def mistaken(judge: Judge, key: tuple[str, str], question: Question) -> list[Hypothesis]:
    """The single mistakes on the way from the one to the other that give these numbers."""
    of, wrt = key
    facts = judge.facts
    if question.right.size > LARGEST or facts.values[of].size > MOST_ROWS:
        return []
    path = facts.backward.needed(wrt)
    possible = judge.possible(path[path.index(of) + 1 :] if of in path else path)
    found = one_mistake(question, [*possible, *everywhere(possible)], facts)
    found += proved_only(other_jacobians(question, facts, key), question)
    if not facts.examples:  # nothing is summed in a Jacobian of one example
        found = [h for h in found if h.labels[0] != "bias-wrong-axis"]
    is_cost = of == facts.state.cost
    return [h for each in found for h in for_any_slope(each, is_cost)]


def as_at_home(judge: Judge, key: tuple[str, str], question: Question) -> list[Hypothesis]:
    """What a square one, right in another layout, would mean in the declared layout."""
    home = [r for r in question.readings if r.label == HOME]
    return judge.ranked(key, mistaken(judge, key, replace(question, readings=home))) if home else []


def with_labels(finding: Finding, found: list[Hypothesis]) -> Finding:
    """The finding, with the labels of the mistakes that give the same numbers behind its own."""
    more = (h.labels[0] for h in found)
    return replace(finding, labels=tuple(dict.fromkeys((*finding.labels, *more))))


def goes_backwards(key: tuple[str, str], facts: Facts) -> bool:
    """Whether the second of the two is computed from the first."""
    of, wrt = key
    needed = facts.backward.needed
    return of not in needed(wrt) and wrt in needed(of)


def for_any_slope(h: Hypothesis, is_cost: bool) -> list[Hypothesis]:
    """Where no loss is in a Jacobian, the slope of the output is a slope like the others."""
    if h.labels[0] != "missing-output-slope":
        return [h]
    like_others = replace(h, labels=("missing-slope", *h.labels[1:]))
    return [h, like_others] if is_cost else [like_others, h]


def jacobian_forms(S: np.ndarray, exact: Jacobian, layout: str) -> list[Reading]:
    """The array read in each layout whose shape it has, the declared one first."""
    found = []
    for name in (layout, *(other for other in LAYOUTS if other != layout)):
        shape = exact.shape_in(name)
        if squeezed(S.shape) == squeezed(shape):
            array = exact.from_layout(S.reshape(shape), name)
            found.append(Reading(array, HOME if name == layout else OTHER, name))
    if is_diagonal(S, exact):
        found.append(Reading(on_the_diagonal(S, exact), OTHER, DIAGONAL))
    if of_each_example(S, exact):
        found.append(Reading(blocks(S, exact), OTHER, BLOCKS))
    elif of_one_example(S, exact):
        every = np.broadcast_to(S, (exact.shape_in("numerator")[0], *S.shape))
        found.append(Reading(blocks(every, exact), OTHER, ONE_BLOCK))
    found += flat_forms(S, exact, found)
    return found + reordered(S, exact, found)


def flat_forms(S: np.ndarray, exact: Jacobian, found: list[Reading]) -> list[Reading]:
    """All entries in one row or column: of the numerator's rows, of its columns, of a layout."""
    numerator = exact.shape_in("numerator")
    if S.size != int(np.prod(numerator)) or len(squeezed(S.shape)) != 1:
        return []
    orders = {
        BY_ROWS: S.reshape(numerator),
        BY_COLUMNS: S.ravel().reshape(numerator, order="F"),
        **{f"{name}, {FLAT}": in_layout(S, exact, name) for name in LAYOUTS},
    }
    flat: list[Reading] = []
    for order, array in orders.items():
        if not any(np.array_equal(array, reading.array) for reading in [*found, *flat]):
            flat.append(Reading(array, OTHER, order))
    return flat


def in_layout(S: np.ndarray, exact: Jacobian, name: str) -> np.ndarray:
    """The numbers read row by row as a Jacobian in this layout, brought to the numerator's."""
    return exact.from_layout(S.reshape(exact.shape_in(name)), name)


def is_diagonal(S: np.ndarray, exact: Jacobian) -> bool:
    """A slope vector, as an elementwise product takes it, where the whole is square."""
    shape = exact.shape_in("numerator")
    half = len(shape) // 2
    return (
        S.size > 1 and shape[:half] == shape[half:] and squeezed(S.shape) == squeezed(shape[:half])
    )


def on_the_diagonal(S: np.ndarray, exact: Jacobian) -> np.ndarray:
    """The slopes on the diagonal of the whole."""
    return np.diag(S.ravel()).reshape(exact.shape_in("numerator"))


def of_each_example(S: np.ndarray, exact: Jacobian) -> bool:
    """(m, outputs, inputs) where the whole is (m, outputs, m, inputs)."""
    shape = exact.shape_in("numerator")
    same = len(shape) == 4 and shape[0] == shape[2]
    return same and S.shape == (shape[0], shape[1], shape[3])


def of_one_example(S: np.ndarray, exact: Jacobian) -> bool:
    """(outputs, inputs), where it is the same in each example."""
    shape = exact.shape_in("numerator")
    return len(shape) == 4 and shape[0] == shape[2] and S.shape == (shape[1], shape[3])


def blocks(S: np.ndarray, exact: Jacobian) -> np.ndarray:
    """The examples' blocks on the diagonal of the whole."""
    whole = np.zeros(exact.shape_in("numerator"))
    for n, block in enumerate(S):
        whole[n, :, n] = block
    return whole


def reordered(S: np.ndarray, exact: Jacobian, found: list[Reading]) -> list[Reading]:
    """Right numbers reshaped from one layout to another: in the wrong places."""
    numerator = exact.shape_in("numerator")
    if S.size != int(np.prod(numerator)):
        return []
    wrong: list[Reading] = []
    for name in LAYOUTS:
        array = in_layout(S, exact, name)
        if not any(np.array_equal(array, reading.array) for reading in [*found, *wrong]):
            wrong.append(Reading(array, "reshape-order", name, 8))
    return wrong
