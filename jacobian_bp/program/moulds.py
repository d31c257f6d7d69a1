"""Local Jacobians cast in moulds: lifted and checked once for all numbers that look alike.

Which axes a local Jacobian has and whether its sizes fit follows from shapes and letters. So the
first one of a step is lifted and checked; those after it, of other runs and of layers that have the
same shapes, take over the axes, and hold their own arrays under their own names.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

import numpy as np

from ..algebra.binding import Binding
from ..algebra.expression import Dense, Expression, Term
from ..algebra.nodes_and_links import Link
from ..writing.signs import rename

NO_NUMBERS = np.empty(0)


def cast(
    binding: Binding,
    operand: str,
    raw: Mapping[str, Expression],
    spelled: dict[str, str],
    lifted: Callable[[], Link],
) -> Link:
    """The link of `raw[operand]`, which an op has handed over for these shapes.

    Where it is the first of its look, or speaks of positions, it is `lifted`. `spelled` has the
    network's names for those of the op.
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
    return Link(0, 1, mould.out, mould.wrt, _filled(mould.expression, own, spelled))


def _look(expression: Expression) -> Hashable:
    """All of an expression but its numbers and their names."""
    return tuple(
        [
            (
                term.coefficient,
                term.sums,
                *[(f.axes, f.array.shape) if isinstance(f, Dense) else f for f in term.factors],
            )
            for term in expression.terms
        ]
    )


def _arrays(expression: Expression) -> list[int]:
    return [id(array) for array in expression.arrays]


def _emptied(expression: Expression) -> Expression:
    """The expression without its arrays, which are not kept beyond their run."""
    return _with(expression, lambda f: Dense("", f.axes, NO_NUMBERS))


def _filled(mould: Expression, own: Expression, spelled: dict[str, str]) -> Expression:
    """The mould with the arrays of the expression in their order, under the network's names."""
    following = iter([f for term in own.terms for f in term.of(Dense)])

    def next_one(empty: Dense) -> Dense:
        f = next(following)
        return Dense(rename(f.label, spelled), empty.axes, f.array, f.magnitude, f.own)

    return _with(mould, next_one)


def _with(expression: Expression, held: Callable[[Dense], Dense]) -> Expression:
    return Expression(
        tuple(
            [
                Term(
                    tuple([held(f) if isinstance(f, Dense) else f for f in term.factors]),
                    term.coefficient,
                    term.sums,
                )
                for term in expression.terms
            ]
        )
    )
