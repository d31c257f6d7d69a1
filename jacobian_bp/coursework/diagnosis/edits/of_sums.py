"""Another axis summed or kept; each factor summed by itself; a mean for a sum.

Lean on purpose: of all the sums that shapes allow, those that people write.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from ..mutations.contractions import squeezed
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, Equation, Term
from .edit import Edit, along, called
from .of_terms import forms

EQUAL = 1e-9
DENSE = ("weights", "outer", "bias")  # layers, whose contractions have a search of their own


def of_sums(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Each term's sums, one change at a time."""
    if line.kind in DENSE:
        return
    *_, equation = forms(equation, facts)
    incoming = next(f for f in equation.factors() if f.role == DELTA)
    for place, term in enumerate(equation.terms):
        summed = tuple(a for a in equation.summed(term) if equation.sizes[a] > 1)
        for axis in summed:
            if len(equation.terms) > 1:
                yield from mean_or_sum(equation, place, axis, incoming)
            yield from apart(equation, place, axis, incoming)
            yield from instead(equation, place, axis, incoming)
        yield from too_many(equation, place, summed, incoming)
        yield from without_the_delta(equation, place, incoming)
        if len(equation.terms) == 1:
            yield from kept(equation, summed, incoming, facts)
            yield from over_the_others(equation, summed, incoming, facts)
    if len(equation.terms) > 1:
        yield from in_every_term(equation, incoming)


def in_every_term(equation: Equation, incoming: Factor) -> Iterator[Edit]:
    """The same change of the one sum in every term that has one: of both means of a norm."""
    sums = {
        place: summed[0]
        for place, term in enumerate(equation.terms)
        if len(summed := [a for a in equation.summed(term) if equation.sizes[a] > 1]) == 1
    }
    if len(sums) < 2:
        return
    makers: list[Callable[[Equation, int, str], Iterator[Edit]]] = [
        lambda wrong, place, axis: mean_or_sum(wrong, place, axis, incoming),
        lambda wrong, place, axis: instead(wrong, place, axis, incoming),
        lambda wrong, place, axis: too_many(wrong, place, (axis,), incoming),
    ]
    for make in makers:
        found = [list(make(equation, place, axis)) for place, axis in sums.items()]
        for number in range(min(map(len, found))):
            wrong, last = equation, None
            for place, axis in sums.items():
                again = list(make(wrong, place, axis))
                if number < len(again):
                    last = again[number]
                    wrong = last.equation
            if last is not None:
                yield replace(last, equation=wrong, extra=1)


def is_mean(term: Term, size: int) -> bool:
    """Whether 1/n stands in front of a sum over n."""
    return abs(abs(term.coefficient) * size - 1) < EQUAL


def mean_or_sum(equation: Equation, place: int, axis: str, incoming: Factor) -> Iterator[Edit]:
    """1/n times a sum where the sum is meant; the sum where 1/n stands in front of it."""
    term, size = equation.terms[place], equation.sizes[axis]
    mean = is_mean(term, size)
    wrong = term.coefficient * size if mean else term.coefficient / size
    here, meant = ("sum", "mean") if mean else ("mean", "sum")
    note = f"the {here} over {along((axis,), equation)} is taken for the {meant}"
    yield Edit("mean", equation.but(place, replace(term, coefficient=wrong)), incoming, note)


def linked(term: Term, summed: tuple[str, ...]) -> tuple[Factor, ...]:
    """The factors that share a summed axis, directly or through others."""
    found = [f for f in term.factors if set(f.axes) & set(summed)]
    return tuple(found)


def moved(equation: Equation, place: int, factors: tuple[Factor, ...], names: dict) -> Equation:
    """Some factors of a term along other axes."""
    term = equation.terms[place]
    there = {id(f) for f in factors}
    changed = tuple(
        replace(f, axes=tuple(names.get(a, a) for a in f.axes)) if id(f) in there else f
        for f in term.factors
    )
    sizes = dict(equation.sizes)
    sizes |= {new: equation.sizes[old] for old, new in names.items() if new not in sizes}
    made = replace(equation, sizes=sizes)
    return made.but(place, replace(term, factors=changed))


def too_many(
    equation: Equation, place: int, summed: tuple[str, ...], incoming: Factor
) -> Iterator[Edit]:
    """An axis of the target summed away inside the sum, then spread out again."""
    term = equation.terms[place]
    inside = linked(term, summed) or (incoming,)
    gains = tuple(f for f in term.factors if f.role == "weight" and f not in inside)
    for axis in equation.out:
        if equation.sizes[axis] == 1 or not any(axis in f.axes for f in inside):
            continue
        over = along((*summed, axis), equation)
        meant = f"over {along(summed, equation)} alone" if summed else "of nothing"
        wrong = moved(equation, place, inside, {axis: f"{axis} summed"})
        yield Edit("sum", wrong, incoming, f"over {over}, where it is a sum {meant}")
        if summed and is_mean(term, counted(term, summed, equation)):
            share = term.coefficient / equation.sizes[axis]
            note = f"over {over}, where it is a mean {meant}"
            for chosen in (inside, (*inside, *gains)):  # the gain within the mean, or before it
                wrong = moved(equation, place, chosen, {axis: f"{axis} summed"})
                wrong = wrong.but(place, replace(wrong.terms[place], coefficient=share))
                yield Edit("sum", wrong, incoming, note)


def counted(term: Term, summed: tuple[str, ...], equation: Equation) -> int:
    """How many entries a sum adds; of the channels those of one group."""
    entries = int(np.prod([equation.sizes[axis] for axis in summed]))
    for factor in term.factors:
        if factor.name.startswith("same["):
            entries = entries * int(factor.array.sum(0)[0]) // len(factor.array)
    return entries


def instead(equation: Equation, place: int, axis: str, incoming: Factor) -> Iterator[Edit]:
    """One axis of the target summed in the place of the one that is meant."""
    term = equation.terms[place]
    inside = linked(term, (axis,))
    size = equation.sizes[axis]
    for other in equation.out:
        if equation.sizes[other] == 1:
            continue
        for free in equation.out:
            outside = all(free not in f.axes for f in inside)
            within = any(other in f.axes for f in inside)
            if equation.sizes[free] == size and outside and within and other != free:
                names = {axis: free, other: f"{other} summed"}
                over, meant = along((other,), equation), along((axis,), equation)
                note = f"over {over}, where it is one over {meant}"
                wrong = moved(equation, place, inside, names)
                if is_mean(term, size):  # and the mean is taken over the other axis too
                    share = term.coefficient * size / equation.sizes[other]
                    wrong = wrong.but(place, replace(wrong.terms[place], coefficient=share))
                yield Edit("sum", wrong, incoming, note)


def apart(equation: Equation, place: int, axis: str, incoming: Factor) -> Iterator[Edit]:
    """(Σ δ) (Σ u) for Σ δ u."""
    term = equation.terms[place]
    inside = linked(term, (axis,))
    if len(inside) < 2 or not any(f is incoming for f in inside):
        return
    mine = tuple(f for f in inside if f.role == DELTA)
    wrong = moved(equation, place, mine, {axis: f"{axis} apart"})
    note = f"each factor is summed over {along((axis,), equation)} by itself"
    yield Edit("apart", wrong, incoming, note)


def without_the_delta(equation: Equation, place: int, incoming: Factor) -> Iterator[Edit]:
    """pᵀ p of the whole batch, where each example has its own p pᵀ."""
    term = equation.terms[place]
    others = tuple(f for f in term.factors if f.role != DELTA)
    for axis in equation.out:
        mine = tuple(f for f in others if axis in f.axes)
        if axis in incoming.axes and len(mine) > 1 and equation.sizes[axis] > 1:
            wrong = moved(equation, place, mine, {axis: f"{axis} summed"})
            names = " ".join(f.name for f in mine)
            note = (
                f"{names} is summed over {along((axis,), equation)} before {incoming.name} meets it"
            )
            yield Edit("apart", wrong, incoming, note, extra=1)


def kept(
    equation: Equation, summed: tuple[str, ...], incoming: Factor, facts: Facts
) -> Iterator[Edit]:
    """An axis that is not summed at all, where an array of that shape was handed in."""
    for axis in summed:
        for out in ((axis, *equation.out), (*equation.out, axis)):
            if is_asked(out, equation, facts) and int(np.prod(sizes_of(out, equation))) < 200_000:
                note = f"over {along((axis,), equation)} nothing is summed"
                yield Edit("not summed", replace(equation, out=out), incoming, note)
                break


def over_the_others(
    equation: Equation, summed: tuple[str, ...], incoming: Factor, facts: Facts
) -> Iterator[Edit]:
    """Of what comes in alone, the axes that stay are summed, and those that are summed stay."""
    (term,) = equation.terms
    if len(term.factors) == 1 and summed and is_asked(summed, equation, facts):
        over, meant = along(equation.out, equation), along(summed, equation)
        note = f"over {over}, where it is one over {meant}"
        yield Edit("sum", replace(equation, out=summed), incoming, note)


def axes_exchanged(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Axes of one size in another order, of three or more: of a matrix that is its transpose."""
    del facts
    whose = Factor("jacobian", line.target, np.zeros(()))
    for first, a in enumerate(equation.out):
        for second in range(first):
            b = equation.out[second]
            same = equation.sizes[a] == equation.sizes[b] > 1
            if len(equation.out) > 2 and same and len(equation.terms) == 1:
                out = list(equation.out)
                out[first], out[second] = b, a
                yield Edit(
                    "axes", replace(equation, out=tuple(out)), whose, along((b, a), equation)
                )
    yield from turned_on(equation, whose)


def turned_on(equation: Equation, whose: Factor) -> Iterator[Edit]:
    """Three axes of one size moved on by one: the order forward taken for the way back too."""
    for three in combinations(range(len(equation.out)), 3):
        names = [equation.out[place] for place in three]
        if len({equation.sizes[name] for name in names}) > 1 or len(equation.terms) > 1:
            continue
        for turn in (1, 2):
            out = list(equation.out)
            for place, name in zip(three, [*names[turn:], *names[:turn]], strict=True):
                out[place] = name
            there = [called(out[place], equation) for place in three]
            note = f"{', '.join(there)} for {', '.join(called(a, equation) for a in names)}"
            yield Edit("axes", replace(equation, out=tuple(out)), whose, note, extra=1)


def sizes_of(axes: tuple[str, ...], equation: Equation) -> tuple[int, ...]:
    return tuple(equation.sizes[axis] for axis in axes)


def is_asked(axes: tuple[str, ...], equation: Equation, facts: Facts) -> bool:
    """Whether an array of this shape was handed in."""
    return squeezed(sizes_of(axes, equation)) in facts.shapes
