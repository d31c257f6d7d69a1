"""Every edit of a line, as variations of the backward pass."""

from collections import Counter
from collections.abc import Iterator

from ..mutations.mutation import Facts, Variation, place
from ..passes.backward import Line
from .edit import Edit
from .of_choices import of_choices
from .of_factors import (
    at_its_value,
    elsewhere,
    inverted,
    omitted,
    one_for_all,
    other_slopes,
    repeated,
    replaced,
    unnormalised,
)
from .of_gates import of_gates
from .of_moved_places import moved
from .of_norms import of_norms
from .of_overwriting import overwritten
from .of_parts import in_parts
from .of_paths import of_paths
from .of_positions import flipped
from .of_shapes import reordered
from .of_siblings import of_masks, of_siblings
from .of_sums import axes_exchanged, of_sums
from .of_terms import forms, of_cost, of_terms

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
    return found


def all_edits(line: Line, facts: Facts) -> Iterator[Edit]:
    """Factors first, then terms, then sums."""
    equation = facts.equation(line)
    if equation is None:
        return
    if line.kind == "cost":
        yield from of_cost(line, equation, facts)
        return
    parts = in_parts(line, equation, facts)
    for form in (*forms(equation, facts), *([parts] if parts is not equation else [])):
        yield from omitted(line, form)
        yield from repeated(line, form)
    if parts is not equation:
        yield from inverted(line, parts)
    yield from replaced(line, equation, facts)
    yield from one_for_all(line, equation)
    yield from inverted(line, equation)
    yield from unnormalised(line, equation, facts)
    yield from elsewhere(line, equation, facts)
    yield from other_slopes(line, equation, facts)
    yield from at_its_value(line, equation, facts)
    yield from of_masks(line, equation, facts)
    yield from of_siblings(line, equation, facts)
    yield from of_terms(line, equation, facts)
    yield from overwritten(line, equation, facts)
    yield from flipped(line, equation)
    yield from moved(line, equation)
    yield from of_choices(line, equation, facts)
    yield from of_norms(line, equation, facts)
    yield from of_gates(line, equation, facts)
    yield from of_paths(line, equation, facts)
    yield from of_sums(line, parts, facts)
    yield from axes_exchanged(line, equation, facts)
    yield from reordered(line, equation, facts)
