"""Local Jacobians cast in moulds: lifted and checked once for all numbers that look alike.

Which axes a local Jacobian has and whether its sizes fit follows from shapes and letters. So the
first one of a step is lifted and checked; those after it take over the axes, and hold their own
arrays.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from ..algebra.binding import Binding
from ..algebra.expression import Dense, Expression, Term
from ..algebra.nodes_and_links import Link


def cast(
    binding: Binding,
    operand: str,
    raw: Mapping[str, Expression],
    lifted: Callable[[], Link],
) -> Link:
    """The link of `raw[operand]`, which an op has handed over for these shapes.

    Where it is the first of its look, or speaks of positions, it is `lifted`.
    """
    own = raw.get(operand)
    if own is None or own.has_positions:
        return lifted()
    key = (operand, *raw, _look(own))
    if key not in binding.moulds:
        link = lifted()
        if _arrays(link.expression) != _arrays(own):  # a sum was spent: it depends on the numbers
            return link
        binding.moulds[key] = replace(link, expression=_emptied(link.expression))
        return link
    mould: Link = binding.moulds[key]
    return replace(mould, expression=_filled(mould.expression, own))


def _look(expression: Expression) -> Hashable:
    """All of an expression but its numbers."""
    return tuple(
        [
            (
                term.coefficient,
                term.sums,
                *[
                    (f.label, f.axes, f.array.shape) if isinstance(f, Dense) else f
                    for f in term.factors
                ],
            )
            for term in expression.terms
        ]
    )


def _arrays(expression: Expression) -> list[int]:
    return [id(array) for array in expression.arrays]


def _emptied(expression: Expression) -> Expression:
    """The expression without its arrays, which are not kept beyond their run."""
    return _with(expression, lambda _: (None, None, False))


def _filled(mould: Expression, own: Expression) -> Expression:
    """The mould with the arrays of the expression in their order."""
    following = iter([f for term in own.terms for f in term.of(Dense)])

    def next_one(_: Dense) -> tuple:
        factor = next(following)
        return factor.array, factor.magnitude, factor.own

    return _with(mould, next_one)


def _with(expression: Expression, held: Callable[[Dense], tuple]) -> Expression:
    return Expression(
        tuple(
            [
                Term(
                    tuple(
                        [
                            Dense(f.label, f.axes, *held(f)) if isinstance(f, Dense) else f
                            for f in term.factors
                        ]
                    ),
                    term.coefficient,
                    term.sums,
                )
                for term in expression.terms
            ]
        )
    )
