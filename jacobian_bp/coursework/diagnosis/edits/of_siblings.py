"""A mask that is left out, and a factor that stands in another Jacobian of the same step.

∂y/∂β = δ                            γ δ: what belongs into ∂y/∂γ or ∂y/∂x
d = a · m / keep                     the mask left out, the scale kept
"""

from collections.abc import Iterator
from dataclasses import replace

from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, POSITION, Equation
from .edit import Edit
from .of_factors import jacobian


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
