"""Every edit of a line, as variations of the backward pass."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ..mutations.mutation import Facts, Variation, place
from ..passes.backward import Line, LineKey
from ..passes.equation import Equation
from .edit import Edit
from .of_choices import of_choices, of_one_place
from .of_factors import (
    in_all_places,
    inverted,
    off_the_diagonal,
    omitted,
    one_for_all,
    repeated,
    replaced,
)
from .of_gates import of_gates
from .of_losses import of_cost
from .of_moved_places import moved
from .of_norms import of_norms
from .of_order import Order, in_another_order, not_transposed, of_factors_moved, of_joined
from .of_other_ops import exchanged, of_other_ops
from .of_overwriting import overwritten
from .of_parts import in_parts
from .of_paths import of_paths
from .of_positions import flipped
from .of_shapes import reordered
from .of_shares import complemented, of_one_example, of_shares, rows_left_out
from .of_siblings import of_masks, of_siblings
from .of_slopes import (
    at_its_value,
    elsewhere,
    other_slopes,
    parts_of_slope,
    two_sides,
    written_out_slope,
)
from .of_sums import axes_exchanged, of_sums
from .of_terms import forms, of_terms, unnormalised

NONE = ("share", "penalty")  # kinds of lines that have mistakes of their own only


def edits_of(line: Line, facts: Facts) -> list[Variation]:
    """What may go wrong in a line, by its equation; none where it has none."""
    equation = facts.equation(line) if line.kind not in NONE else None
    if equation is None:
        return []
    here, seen = place(line, facts), Counter[str]()
    found = []
    twice = line.step.args.count(line.target) > 1  # of u B u the same factor in both lines
    for edit in all_edits(line, facts):
        kind = f"{edit.tag} {edit.factor.name}" if twice and edit.tag else edit.tag
        seen[kind] += 1  # the first of its kind in one layer goes with the first in another
        tag = f"{kind or line.key} {seen[kind]}"
        found.append(
            Variation(
                edit.label,
                edit.prior,
                facts.in_place_of(line, line.by(edit.product)),
                here,
                line,
                edit.note,
                tag,
                missing=edit.factor.name,
            )
        )
    for changes, edit in of_several_lines(line, equation, facts):
        tag, missing = f"{line.key} {edit.note}", edit.factor.name
        found.append(
            Variation(edit.label, edit.prior, changes, here, line, edit.note, tag, missing=missing)
        )
    return found


def of_several_lines(
    line: Line, equation: Equation, facts: Facts
) -> Iterator[tuple[dict[LineKey, Line | None], Edit]]:
    """What is wrong in all lines to one value together."""
    for mine, theirs, edit in exchanged(line, facts):
        yield {line.key: mine, theirs.key: theirs}, edit
    for order, edit in in_another_order(line, equation, facts):
        every = [k for k in facts.backward.to[line.target] if not k.asleep]
        yield {k.key: k.by(partial(ordered, k, order)) for k in every}, edit


def ordered(line: Line, order: Order, incoming: np.ndarray, *factors: np.ndarray) -> np.ndarray:
    """What the line gives, in another order."""
    return order(line.product(incoming, *factors))


def all_edits(line: Line, facts: Facts) -> Iterator[Edit]:
    """Factors first, then terms, then sums."""
    equation = facts.equation(line)
    if equation is None:
        return
    if line.kind == "cost":
        yield from of_cost(line, equation, facts)
        return
    parts = in_parts(line, equation, facts)
    slope = written_out_slope(line, equation, facts)
    for form in (*forms(equation, facts), *([parts] if parts is not equation else [])):
        yield from omitted(line, form)
        yield from repeated(line, form)
    if slope is not None:
        yield from omitted(line, slope)
        yield from (replace(edit, extra=edit.extra + 8) for edit in repeated(line, slope))
        yield from of_terms(line, slope, facts)
    if parts is not equation:
        yield from inverted(line, parts)
    yield from replaced(line, equation, facts)
    *_, whole = forms(equation, facts)
    yield from in_all_places(line, whole, facts)
    yield from complemented(equation)
    yield from of_one_example(equation)
    yield from of_shares(whole, facts)
    yield from rows_left_out(line, equation, facts)
    yield from one_for_all(line, equation)
    yield from inverted(line, equation)
    yield from unnormalised(line, equation, facts)
    yield from elsewhere(line, equation, facts)
    yield from other_slopes(line, equation, facts)
    yield from parts_of_slope(line, equation, facts)
    yield from two_sides(line, equation, facts)
    yield from at_its_value(line, equation, facts)
    yield from of_masks(line, equation, facts)
    yield from of_siblings(line, equation, facts)
    yield from of_terms(line, equation, facts)
    yield from overwritten(line, equation, facts)
    yield from flipped(line, equation)
    yield from moved(line, equation)
    yield from of_choices(line, equation, facts)
    yield from of_one_place(line, equation)
    yield from of_norms(line, equation, facts)
    yield from of_gates(line, equation, facts)
    yield from of_paths(line, equation, facts)
    yield from of_other_ops(line, equation, facts)
    yield from of_sums(line, parts, facts)
    yield from axes_exchanged(line, equation, facts)
    yield from reordered(line, equation, facts)
    yield from not_transposed(line, equation, facts)
    yield from of_factors_moved(line, parts)
    yield from off_the_diagonal(line, equation)
    yield from of_joined(line, equation, facts)
