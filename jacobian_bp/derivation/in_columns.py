"""An op whose examples stand in columns: the same op, the axis n of every array the last one."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..algebra.axes import BATCH, Binding
from ..algebra.expression import Dense, Expression, Term, delta, one
from ..ops import Op

PRIMED = BATCH + "'"


class InColumns(Op):
    """An op of examples in rows, for arrays with the examples in the last axis.

        z[k] = f(a[i]) of each example n   becomes   z[k,n] of a[i,n]

    What was lifted over the rows is written out: δ[n,n'] by data, since examples do not
    mix, and 1[n] by a parameter, which all examples share.
    """

    def __init__(self, op: Op, binding: Binding) -> None:
        self.op = op
        self.lifted = tuple(binding.batched)  # which inputs have one axis more than the op names
        self.any_lifted = binding.any_batched
        signature = op.parsed
        read = [
            f"{operand.name}[{','.join(_last(operand.axes, lifted))}]"
            for operand, lifted in zip(signature.inputs, self.lifted, strict=True)
        ]
        given = (
            f"{signature.output.name}[{','.join(_last(signature.output.axes, self.any_lifted))}]"
        )
        self.signature = f"{', '.join(read)} -> {given}"
        own = {name: getattr(op, name) for name in ("parameters", "constants", "labels")}
        vars(self).update(own)  # which a class says of all its ops, and this one of itself
        self.formula, self.reasons = op.formula, op.reasons

    @property
    def name(self) -> str:
        return self.op.name

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        return self._to_columns(self.op.forward(*self._to_rows(inputs)), self._output_moves)

    def jacobians(self, *inputs: np.ndarray) -> Mapping[str, Expression]:
        found = {}
        expressions = self.op.jacobians(*self._to_rows(inputs))
        for operand, lifted in zip(self.op.parsed.inputs, self.lifted, strict=True):
            if operand.name not in expressions:
                continue
            expression = expressions[operand.name]
            if self.any_lifted:
                by = delta(f"{BATCH},{PRIMED}") if lifted else one(BATCH)
                expression = by * expression
            found[operand.name] = _turned(expression)
        return found

    def vjp(self, bar: np.ndarray, *inputs: np.ndarray) -> Mapping[str, np.ndarray]:
        moved = _to_front(bar) if self._output_moves else bar
        pulled = self.op.vjp(moved, *self._to_rows(inputs))
        moves = dict(zip((o.name for o in self.op.parsed.inputs), self._moves, strict=True))
        return {name: self._to_columns(array, moves[name]) for name, array in pulled.items()}

    def branch(self, *inputs: np.ndarray) -> np.ndarray | None:
        branch = self.op.branch(*self._to_rows(inputs))
        return None if branch is None else self._to_columns(branch, self._output_moves)

    @property
    def _moves(self) -> list[bool]:
        """Of each input, whether the examples are one axis of several."""
        signature = self.op.parsed
        return [
            lifted or BATCH in operand.axes
            for operand, lifted in zip(signature.inputs, self.lifted, strict=True)
        ]

    @property
    def _output_moves(self) -> bool:
        return self.any_lifted or BATCH in self.op.parsed.output.axes

    def _to_rows(self, inputs: Any) -> list[np.ndarray]:
        pairs = zip(inputs, self._moves, strict=True)
        return [_to_front(array) if moves else array for array, moves in pairs]

    @staticmethod
    def _to_columns(array: np.ndarray, moves: bool) -> np.ndarray:
        return np.moveaxis(np.asarray(array), 0, -1) if moves else array


def columns_of(array: np.ndarray, axes: tuple[str, ...]) -> np.ndarray:
    """An array with these axes, the examples moved to the last."""
    return np.moveaxis(array, axes.index(BATCH), -1) if BATCH in axes else array


def _last(axes: tuple[str, ...], lifted: bool) -> tuple[str, ...]:
    """The axes with that of the examples behind the others."""
    return (*(a for a in axes if a != BATCH), *([BATCH] if lifted or BATCH in axes else []))


def _to_front(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, -1, 0))


def _turned(expression: Expression) -> Expression:
    """The expression with the examples last among the axes of each of its arrays."""
    return Expression(
        tuple(
            Term(
                tuple(_turned_factor(f) if isinstance(f, Dense) else f for f in term.factors),
                term.coefficient,
            )
            for term in expression.terms
        )
    )


def _turned_factor(factor: Dense) -> Dense:
    others = [place for place, axis in enumerate(factor.axes) if axis not in (BATCH, PRIMED)]
    order = [*others, *(place for place in range(len(factor.axes)) if place not in others)]
    size = factor.magnitude
    return Dense(
        factor.label,
        tuple(factor.axes[place] for place in order),
        factor.array.transpose(order),
        None if size is None else size.transpose(order),
    )
