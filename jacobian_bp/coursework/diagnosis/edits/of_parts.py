"""A factor that is a quotient, gamma/s, as the two factors that it is made of.

    (gamma/s)[k] δ[n,k]   as   gamma[k] · (1/s)[k] · δ[n,k]

What may be left out, or stand twice, is each of the two.
"""

import re
from dataclasses import replace

import numpy as np

from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import Equation

QUOTIENT = re.compile(r"\(?(\w+)/(\w+)\)?")


def in_parts(line: Line, equation: Equation, facts: Facts) -> Equation:
    """The equation with each such factor as two; what is no quotient of a value stays."""
    found, known = equation, dict[int, tuple[np.ndarray, ...]]()
    for factor in equation.factors():
        parts = parts_of(factor, line, facts)
        if parts:
            arrays = known.setdefault(id(factor.array), tuple(part.array for part in parts))
            parts = tuple(replace(p, array=a) for p, a in zip(parts, arrays, strict=True))
            terms = [
                replace(
                    term,
                    factors=tuple(
                        part for f in term.factors for part in (parts if f is factor else (f,))
                    ),
                )
                for term in found.terms
            ]
            found = replace(found, terms=tuple(terms))
    return found


def parts_of(factor: Factor, line: Line, facts: Facts) -> tuple[Factor, ...]:
    """gamma and 1/s, each along the axes that it goes along; none where it is no quotient."""
    match = QUOTIENT.fullmatch(factor.own)
    name = line.step.called.get(match[1], "") if match else ""
    above = facts.values.get(name)
    if match is None or above is None or not np.all(above != 0):
        return ()
    if above.ndim > factor.array.ndim or factor.array.shape[-above.ndim :] != above.shape:
        return ()
    own = "weight" if name in facts.params else "value"
    below, spread = factor.array / above, f"1/{line.step.spelled.get(match[2], match[2])}"
    first = Factor(own, name, above, factor.axes[len(factor.axes) - above.ndim :])
    return first, along_what_changes(Factor("part", spread, below, factor.axes, f"1/{match[2]}"))


def along_what_changes(factor: Factor) -> Factor:
    """The factor without the axes along which it is the same everywhere."""
    array, axes = factor.array, list(factor.axes)
    for place in range(array.ndim - 1, -1, -1):
        one = array.take([0], axis=place)
        if array.ndim > 1 and np.allclose(array, one, rtol=1e-12, atol=0):
            array = one.squeeze(place)
            axes.pop(place)
    return replace(factor, array=array, axes=tuple(axes))
