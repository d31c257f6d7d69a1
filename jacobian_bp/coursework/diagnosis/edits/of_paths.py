"""One path of several that is wrong as a whole: with the other sign, or counted twice.

m = s (t − x)        δx has −s δm, and s δm is added
r = x + f(x)         δx has δr once, and it is added twice
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import Equation
from .edit import Edit


def of_paths(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Where more than one line adds up to the delta of the target."""
    awake = [other for other in facts.backward.to[line.target] if not other.asleep]
    if len(awake) < 2 or line.asleep:
        return
    terms = tuple(replace(term, coefficient=-term.coefficient) for term in equation.terms)
    whose = Factor("jacobian", f"∂{facts.state.cost}/∂{line.target}", np.zeros(()))
    note = f"the one through {line.source}"
    yield Edit("negate", replace(equation, terms=terms), whose, note)
    doubled = tuple(replace(term, coefficient=2 * term.coefficient) for term in equation.terms)
    note = f"the path through {line.source} twice"
    yield Edit("path twice", replace(equation, terms=doubled), whose, note)
