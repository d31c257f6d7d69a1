"""A factor left out, repeated, or replaced by another array of the run."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

import numpy as np

from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, MASK, POSITION, Equation
from .edit import Edit, along

MOST_CHOICES = 8  # in which a factor that several terms have is left out
MOST_OTHERS = 24  # arrays that are tried in the place of one factor


def omitted(line: Line, equation: Equation) -> Iterator[Edit]:
    """δ for δ · m, and m alone; in all terms, and in one."""
    for group in by_array(equation):
        factor = group[0]
        if factor.role == MASK or (factor.role == POSITION and len(factor.axes) > 2):
            continue
        for chosen in islice(one_a_term(equation, group), MOST_CHOICES):
            left = replace(
                equation,
                terms=tuple(
                    term if f is None else term.without(f)
                    for term, f in zip(equation.terms, chosen, strict=True)
                ),
            )
            if any(term.factors for term in left.terms):
                yield Edit("omit", left, factor, jacobian(line))
            if any(term.factors.count(factor) > 1 for term in equation.terms):  # of 1/w² one 1/w
                pairs = zip(left.terms, equation.terms, strict=True)
                kept = [t.times(factor) if factor in own.factors else t for t, own in pairs]
                yield Edit("omit", replace(equation, terms=tuple(kept)), factor, jacobian(line))
        if len(equation.terms) > 1:
            yield from omitted_once(line, equation, group)
        elif factor.role not in (DELTA, POSITION):
            for same in group:
                yield from passed_on(line, equation, same)


def passed_on(line: Line, equation: Equation, factor: Factor) -> Iterator[Edit]:
    """What comes in goes on as it is: the index that the factor would have changed stays."""
    rest = equation.terms[0].without(factor)
    for axis in factor.axes:
        for other in factor.axes:
            lost = other in equation.out and other not in rest.axes
            if lost and axis not in equation.out and equation.sizes[axis] == equation.sizes[other]:
                kept = replace(
                    rest,
                    factors=tuple(
                        replace(f, axes=tuple(other if a == axis else a for a in f.axes))
                        for f in rest.factors
                    ),
                )
                yield Edit("omit", replace(equation, terms=(kept,)), factor, jacobian(line))


def omitted_once(line: Line, equation: Equation, group: list[Factor]) -> Iterator[Edit]:
    """In one term; or in the diagonal, which alone is used."""
    for place, term in enumerate(equation.terms):
        for factor in group:
            if factor not in term.factors:
                continue
            left = term.without(factor)
            if factor.role == DELTA:
                if set(factor.axes) == set(equation.out) and left.factors:
                    only = replace(equation, terms=(left,))
                    yield Edit("omit", only, factor, f"the diagonal of {jacobian(line)}", extra=6)
                elif left.factors:
                    note = f"one term of {jacobian(line)}"
                    yield Edit("omit", equation.but(place, left), factor, note, extra=6)
                continue
            note = f"one term of {jacobian(line)}"
            yield Edit("omit", equation.but(place, left), factor, note, extra=4)
    yield from omitted_but_once(line, equation, group)


def off_the_diagonal(line: Line, equation: Equation) -> Iterator[Edit]:
    """Of a diagonal that is read, whole rows or columns added up."""
    incoming = next((f for f in equation.factors() if f.role == DELTA), None)
    if incoming is None or len({*incoming.axes}) == len(incoming.axes):
        return
    twice = next(axis for axis in incoming.axes if incoming.axes.count(axis) > 1)
    for place, axis in enumerate(incoming.axes):
        if axis == twice:
            free = f"{twice} free"
            axes = (*incoming.axes[:place], free, *incoming.axes[place + 1 :])
            wrong = equation.using(incoming, replace(incoming, axes=axes))
            sizes = {**equation.sizes, free: equation.sizes[twice]}
            whole = Factor(POSITION, "that is 0 beside the diagonal", np.zeros(()))
            yield Edit("omit", replace(wrong, sizes=sizes), whole, jacobian(line))


def omitted_but_once(line: Line, equation: Equation, group: list[Factor]) -> Iterator[Edit]:
    """In all terms but one, where three have it: the gain before the means are subtracted."""
    having = [place for place, term in enumerate(equation.terms) if set(group) & {*term.factors}]
    if len(having) < 3 or group[0].role == DELTA:
        return
    for kept in having:
        left = []
        for place, term in enumerate(equation.terms):
            own = next((f for f in group if f in term.factors), None)
            left.append(term if own is None or place == kept else term.without(own))
        note = f"all terms of {jacobian(line)} but one"
        yield Edit("omit", replace(equation, terms=tuple(left)), group[0], note, extra=5)


def by_array(equation: Equation) -> list[list[Factor]]:
    """The factors that are one array, along whatever axes; what comes in is one too."""
    groups: dict[tuple, list[Factor]] = {}
    for factor in equation.factors():
        key = (factor.role, 0 if factor.role == DELTA else id(factor.array))
        groups.setdefault(key, []).append(factor)
    return list(groups.values())


def one_a_term(equation: Equation, group: list[Factor]) -> Iterator[tuple[Factor | None, ...]]:
    """Ways to choose one of these factors in each term that has one."""
    choices: list[list[Factor | None]] = []
    for term in equation.terms:
        choices.append([f for f in group if f in term.factors] or [None])
    return product(*choices)


def jacobian(line: Line) -> str:
    """∂s/∂q, the Jacobian of the line's step."""
    return f"∂{line.source}/∂{line.target}"


def repeated(line: Line, equation: Equation) -> Iterator[Edit]:
    """m twice, or what comes in."""
    del line
    for group in by_array(equation):
        if group[0].role in (MASK, "jacobian"):
            continue
        again = []
        for term in equation.terms:
            own = next((factor for factor in group if factor in term.factors), None)
            again.append(term if own is None else term.times(own))
        yield Edit("repeat", replace(equation, terms=tuple(again)), group[0])


def inverted(line: Line, equation: Equation) -> Iterator[Edit]:
    """Multiplied where it divides, and the other way round."""
    del line
    for group in by_array(equation):
        factor = group[0]
        if factor.role in ("weight", "value", "part") and np.all(factor.array != 0):
            one_over = f"1/({factor.name})" if "/" in factor.name else f"1/{factor.name}"
            one_over = factor.name[2:] if factor.name[:2] == "1/" else one_over
            changed = equation
            for same in group:
                changed = with_array(changed, same, one_over, 1 / same.array)
            yield Edit("other", changed, factor, one_over, extra=6)


def one_for_all(line: Line, equation: Equation) -> Iterator[Edit]:
    """The first entries along an axis of a parameter, or the last, for those of every place."""
    if line.kind in ("weights", "outer"):
        return
    for factor in equation.factors():
        if factor.role != "weight" or factor.array.ndim < 2:
            continue
        for place, axis in enumerate(factor.axes):
            if equation.sizes[axis] > 1:
                for index, which in ((0, "first"), (-1, "last")):
                    one = factor.array.take([index], axis=place)
                    array = np.broadcast_to(one, factor.array.shape)
                    note = f"its {which} entries along {along((axis,), equation)}, for all"
                    changed = with_array(equation, factor, factor.name, array)
                    yield Edit("other", changed, factor, note, extra=3)


def with_array(equation: Equation, factor: Factor, name: str, array: np.ndarray) -> Equation:
    """Another array in the place of a factor, in every term."""
    other = Factor("other", name, array, factor.axes)
    return equation.using(factor, other)


def replaced(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Another array of the run of the same shape, in the place of a factor; or its transpose."""
    for factor in equation.factors():
        if factor.role in ("weight", "value", "part", DELTA):
            yield from other_arrays(line, equation, factor, facts)
        if factor.role in ("weight", "value", "jacobian", DELTA):
            yield from turned(equation, factor)
    yield from turned_together(equation)
    yield from only_diagonal(equation)


def turned_together(equation: Equation) -> Iterator[Edit]:
    """An array that stands twice, as in −X⁻¹ dX X⁻¹, the wrong way round in both places."""
    for group in by_array(equation):
        square = all(
            len(f.axes) >= 2 and equation.sizes[f.axes[-1]] == equation.sizes[f.axes[-2]]
            for f in group
        )
        if len(group) < 2 or not square:
            continue
        wrong = equation
        for factor in group:
            axes = (*factor.axes[:-2], factor.axes[-1], factor.axes[-2])
            wrong = wrong.using(factor, replace(factor, axes=axes))
        note = along(group[0].axes[-2:], equation)
        yield Edit("turned", wrong, group[0], note)


def only_diagonal(equation: Equation) -> Iterator[Edit]:
    """The diagonal of a square array of the run for the whole, as of a covariance."""
    for factor in equation.factors():
        array = factor.array
        if factor.role not in ("value", "weight", "part") or array.ndim < 2:
            continue
        rows, columns = array.shape[-2:]
        if rows == columns > 1:
            own = array * np.eye(rows)
            if np.any(own) and not np.array_equal(own, array):
                changed = with_array(equation, factor, factor.name, own)
                note = "its diagonal, with zeros beside it"
                yield Edit("other", changed, factor, note, relation="its diagonal")


def other_arrays(line: Line, equation: Equation, factor: Factor, facts: Facts) -> Iterator[Edit]:
    """Those of the factor's own kind first, nearest first; then the others."""
    shape = tuple(equation.sizes[axis] for axis in factor.axes)
    if not shape:
        return
    base, tried = facts.backward.base, 0
    for kind, name, array in candidates(line, factor, facts):
        own = kind == factor.role and name == factor.name
        if factor.role == DELTA:
            own = array is base.get(line.source)
        if own or array.shape != shape or not np.any(array):
            continue
        if factor.role == DELTA and kind != DELTA and is_constant(base.get(line.source)):
            continue  # whatever multiplies the whole would be said to stand for it
        tried += 1
        if tried > MOST_OTHERS:
            return
        shown = f"∂{facts.state.cost}/∂{name}" if kind in (DELTA, "gradient") else name
        kind_of = "gradient" if kind == "gradient" and name == factor.name else "other"
        likely = 0 if kind == factor.role else 8
        changed = with_array(equation, factor, shown, array)
        own_value = "its own value" if name == line.source and kind == "value" else ""
        yield Edit(kind_of, changed, factor, shown, extra=likely, relation=own_value)
        if factor.role == "part" and shape[-1] == shape[-2:][0] and len(shape) > 1:
            changed = with_array(equation, factor, shown, array.swapaxes(-1, -2))
            yield Edit(kind_of, changed, factor, f"{shown}ᵀ", extra=likely + 1)


def is_constant(delta: np.ndarray | None) -> bool:
    """Whether one number comes in everywhere, as the 1 of a sum does."""
    return delta is not None and delta.size > 0 and bool(np.ptp(delta) == 0)


def in_all_places(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Another array wherever one stands more than once: S for P in P (δ − Σ P δ)."""
    for group in by_array(equation):
        factor = group[0]
        if len(group) < 2 or factor.role not in ("value", "part"):
            continue
        square = all(
            len({equation.sizes[a] for a in f.axes[-2:]}) == 1 < len(f.axes) for f in group
        )
        for kind, name, array in islice(candidates(line, factor, facts), MOST_OTHERS):
            if kind != "value" or array.shape != factor.array.shape or name == factor.name:
                continue
            turns = (False, True) if square else (False,)
            for turn in turns:
                wrong, there = equation, array.swapaxes(-1, -2) if turn else array
                for same in group:
                    wrong = with_array(wrong, same, name, there)
                note = f"{name}ᵀ" if turn else name
                yield Edit("other", wrong, factor, note, extra=2 + turn)


def candidates(line: Line, factor: Factor, facts: Facts) -> Iterator[tuple[str, str, np.ndarray]]:
    """(role, name, array) of everything that the run has, or the formula that the line is in."""
    base, params, labels = facts.backward.base, facts.params, facts.state.program.labels
    if factor.name in params and factor.name in base:
        yield "gradient", factor.name, base[factor.name]
    groups = {
        DELTA: [(n, base[n]) for n in facts.backward.order if n in base and n not in params],
        "weight": [(name, facts.values[name]) for name in sorted(params)],
        "value": [(n, a) for n, a in facts.values.items() if n not in params and n not in labels],
        "gradient": [(n, base[n]) for n in sorted(params) if n in base and n != factor.name],
    }
    roles = (factor.role, *(role for role in groups if role != factor.role))
    mates = facts.mates.get(line.source)
    for role in roles if factor.role in groups else ("value",):
        for name, array in groups[role]:
            if mates is None or name in mates:
                yield role, name, array


def turned(equation: Equation, factor: Factor) -> Iterator[Edit]:
    """Two axes of one size exchanged; an array that is its own transpose stays as it is."""
    for first, a in enumerate(factor.axes):
        for b in factor.axes[:first]:
            if equation.sizes[a] != equation.sizes[b] or equation.sizes[a] == 1:
                continue
            other = {a: b, b: a}
            swapped = replace(factor, axes=tuple(other.get(c, c) for c in factor.axes))
            yield Edit("turned", equation.using(factor, swapped), factor, along((b, a), equation))
