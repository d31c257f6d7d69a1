"""The 1/m of a mean cost, left out of every δ and written in the gradients.

    J = (1/m) Σ_n L[n],   δ = m ∂J/∂z = ∂L/∂z of each example,   ∂J/∂W = (1/m) Σ_n δ[n] …

Examples do not mix, so that ∂L[n]/∂z is 0 but for z[n]: δ has one entry for each of z.
"""

from dataclasses import dataclass, replace

from ..algebra.expression import Expression, Term
from ..errors import SpecError
from ..ops import Mean
from ..program.forward_pass import Pass
from ..writing.signs import safe

SHARE = "1/m"
ROUNDED = 1e-12


@dataclass(frozen=True)
class MeanCost:
    """The mean over the examples on the way to the cost."""

    loss: str  # what it is the mean of, one number for each example
    count: int  # m

    @classmethod
    def of(cls, state: Pass) -> "MeanCost | None":
        """The one mean of a run; None for one example, and for a cost without a mean.

        SpecError where the cost reads the examples in another way too: no single 1/m
        can then be left out.
        """
        if state.examples is None:
            return None
        _, steps = state.dependents(state.program.params, state.cost)
        reading = [step for step in steps if step.op.parsed.mixes_examples]
        means = [step for step in reading if isinstance(step.op, Mean)]
        if not means:
            return None
        averaged = [axis.name for axis in state.axes(means[0].args[0])]
        if len(reading) > 1 or len(averaged) > 1:
            why = f"{reading[0]} and {reading[-1]} read all examples"
            if len(reading) == 1:
                why = f"{reading[0]} reads {safe(means[0].args[0])}[{','.join(averaged)}]"
                why += ", of each example more than one number"
            raise SpecError(
                f'mean = "gradient" cannot be said of this program: {why}.\n'
                '  Write a convention with mean = "delta", where a δ is ∂J/∂z.'
            )
        return cls(means[0].args[0], state.examples)


def times(expression: Expression, factor: float) -> Expression:
    """The expression times a number; 5 times 1/5 is 1, however 1/5 is rounded."""
    return Expression(tuple(times_term(term, factor) for term in expression.terms))


def times_term(term: Term, factor: float) -> Term:
    """The term times a number; a coefficient within rounding of a whole number is that number."""
    product = term.coefficient * factor
    if factor > 1 and abs(product - round(product)) < ROUNDED * max(1.0, abs(product)):
        product = float(round(product))
    return replace(term, coefficient=product)
