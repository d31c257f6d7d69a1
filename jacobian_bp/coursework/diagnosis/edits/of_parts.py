"""A factor that is made of two, γ/s: one of them left out, or there twice; a factor of a sibling.

∂y/∂x = (γ/s) (δ − 1/K − u u/K)      γ left out: du taken for g; 1/s left out, 1/s twice
∂y/∂β = δ                            γ δ: what belongs into ∂y/∂γ or ∂y/∂x
d = a · m / keep                     the mask left out, the scale kept
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, POSITION, Equation
from .edit import Edit
from .of_factors import jacobian


def of_parts(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of quotients, then of masks, then of factors that stand in another Jacobian of the step."""
    yield from of_quotients(line, equation, facts)
    yield from of_masks(line, equation, facts)
    yield from of_siblings(line, equation, facts)


def of_quotients(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """A factor that is printed (γ/s), γ a parameter of the step, in every term."""
    quotients = [f for f in equation.factors() if f.role == "part" and "/" in f.name]
    if not quotients:
        return
    above, _, below = quotients[0].name.strip("()").partition("/")
    known = facts.values.get(above)
    same = [f for f in quotients if f.name == quotients[0].name]
    if known is None or above not in facts.params or not np.all(known):
        return
    if any(known.shape != f.array.shape[f.array.ndim - known.ndim :] for f in same):
        return
    parameter = Factor("weight", above, known)
    rest = Factor("part", f"1/{below}", np.zeros(()))
    for kind, factor, made in (
        ("omit", parameter, lambda array: array / known),
        ("omit", rest, lambda array: np.broadcast_to(known, array.shape)),
        ("repeat", parameter, lambda array: array * known),
        ("repeat", rest, lambda array: array * array / known),
    ):
        changed = equation
        for each in same:
            changed = changed.using(each, replace(each, array=np.array(made(each.array))))
        yield Edit(kind, changed, factor, jacobian(line))


def of_masks(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """A mask that the data bring along, left out."""
    for factor in equation.factors():
        given = factor.name.partition("[")[0]
        if factor.role == POSITION and given in facts.state.program.constants:
            left = tuple(term.without(factor) for term in equation.terms)
            named = replace(factor, name=given)
            yield Edit("omit", replace(equation, terms=left), named, jacobian(line))


def of_siblings(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """A parameter of the same step multiplied in, where the Jacobian by this one has it not."""
    if line.target not in facts.params or len(equation.terms) != 1:
        return
    (term,) = equation.terms
    names = {factor.name for factor in term.factors}
    incoming = next((f for f in term.factors if f.role == DELTA), None)
    for name in line.step.args:
        array = facts.values[name]
        other = name in facts.params and name != line.target and name not in names
        if not other or incoming is None or not array.ndim or array.ndim > len(incoming.axes):
            continue
        axes = incoming.axes[len(incoming.axes) - array.ndim :]
        if tuple(equation.sizes[axis] for axis in axes) == array.shape:
            extra = Factor("weight", name, array, axes)
            yield Edit(
                "extra", replace(equation, terms=(term.times(extra),)), extra, jacobian(line)
            )
