"""An op whose examples stand in columns: the same op, the axis n of every array the last one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..algebra.axes import BATCH, Signature, unnamed
from ..algebra.binding import Binding
from ..algebra.expression import Dense, Expression, delta, one
from ..ops import Op

PRIMED = BATCH + "'"


class InColumns(Op):
    """An op of examples in rows, for arrays with the examples in the last axis.

        z[k] = f(a[i]) of each example n   becomes   z[k,n] of a[i,n]

    What was lifted over the rows is written out: δ[n,n'] by data, since examples do not
    mix, and 1[n] by a parameter, which all examples share. Other axes in front, such as tokens
    t, stay there and are carried: z[t,k] of n is z[t,k,n].
    """

    def __init__(self, op: Op, binding: Binding) -> None:
        self.op = op
        self.lifted = tuple(BATCH in front for front in binding.carried)  # carry the examples
        self.any_lifted = BATCH in binding.leading
        given = op.parsed
        self.places = tuple(map(_place, binding.carried, (o.axes for o in given.inputs)))
        self.place = _place(binding.leading, given.output.axes)
        read = tuple(
            replace(operand, axes=_last(operand.axes, lifted))
            for operand, lifted in zip(given.inputs, self.lifted, strict=True)
        )
        out = replace(given.output, axes=_last(given.output.axes, self.any_lifted))
        self.signature = str(Signature(read, out, given.rules))
        self.fronts = _fronts(binding.leading, given.letters)
        options = {name for rule in given.rules for name in rule.names} - {*given.letters}
        said = ("parameters", "constants", "labels", "formula", "reasons", "keeps_zeros_of")
        vars(self).update({n: getattr(op, n) for n in (*said, "activation", *options)})

    @property
    def name(self) -> str:
        return self.op.name

    def undefined(self) -> tuple[str, ...]:
        return self.op.undefined()

    def lacks(self, method: str) -> str:
        return self.op.lacks(method)

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        return _to_columns(self.op.forward(*self._to_rows(inputs)), self.place)

    def jacobians(self, *inputs: np.ndarray) -> Mapping[str, Expression]:
        found = {}
        expressions = self.op.jacobians(*self._to_rows(inputs))
        for operand, lifted in zip(self.op.parsed.inputs, self.lifted, strict=True):
            if operand.name not in expressions:
                continue
            expression = expressions[operand.name].renamed(self.fronts)
            if self.any_lifted:
                by = delta(f"{BATCH},{PRIMED}") if lifted else one(BATCH)
                expression = by * expression
            found[operand.name] = _turned(expression)
        return found

    @property
    def has_second(self) -> bool:
        return self.op.has_second

    def second(self, *inputs: np.ndarray) -> Mapping[tuple[str, str], Expression]:
        """δ[n,n'] δ[n,n''] by two inputs that carry the examples; 1[n] where neither does."""
        lifted = dict(zip((o.name for o in self.op.parsed.inputs), self.lifted, strict=True))
        found = {}
        for pair, raw in self.op.second(*self._to_rows(inputs)).items():
            expression, mark = raw.renamed(self.fronts), "'"
            if self.any_lifted:
                meets = []
                for name in pair:
                    if lifted[name]:
                        meets.append(delta(f"{BATCH},{BATCH}{mark}"))
                        mark += "'"
                for by in meets or [one(BATCH)]:
                    expression = by * expression
            found[pair] = _turned(expression)
        return found

    def vjp(self, bar: np.ndarray, *inputs: np.ndarray) -> Mapping[str, np.ndarray]:
        pulled = self.op.vjp(_to_rows(bar, self.place), *self._to_rows(inputs))
        places = dict(zip((o.name for o in self.op.parsed.inputs), self.places, strict=True))
        return {  # an op may speak of an input that is left out
            name: _to_columns(array, places[name])
            for name, array in pulled.items()
            if name in places
        }

    def support(self, *inputs: np.ndarray) -> Expression | None:
        return self.op.support(*self._to_rows(inputs))

    def branch(self, *inputs: np.ndarray) -> np.ndarray | None:
        branch = self.op.branch(*self._to_rows(inputs))
        return None if branch is None else _to_columns(branch, self.place)

    def _to_rows(self, inputs: Any) -> list[np.ndarray]:
        return [_to_rows(*pair) for pair in zip(inputs, self.places, strict=True)]


def columns_of(array: np.ndarray, axes: tuple[str, ...]) -> np.ndarray:
    """An array with these axes, the examples moved to the last."""
    return np.moveaxis(array, axes.index(BATCH), -1)


def _last(axes: tuple[str, ...], lifted: bool) -> tuple[str, ...]:
    """The axes with that of the examples behind the others."""
    return (*(a for a in axes if a != BATCH), *([BATCH] if lifted or BATCH in axes else []))


def _place(front: Sequence[str], own: Sequence[str]) -> int | None:
    """Where the examples stand among the axes of an array of rows; None where it has none."""
    axes = (*front, *own)
    return axes.index(BATCH) if BATCH in axes else None


def _fronts(leading: Sequence[str], letters: Sequence[str]) -> dict[str, str]:
    """What an op calls the axes in front of rows, and what they are called in columns.

    The examples are n there, which is no axis in front any more.
    """
    others = [axis for axis in leading if axis != BATCH]
    own = {*letters, *([BATCH] if BATCH in leading else [])}
    names = {BATCH: BATCH, **dict(zip(others, unnamed(len(others), own), strict=True))}
    says = dict(zip(unnamed(len(leading), letters), leading, strict=True))
    return {old + mark: names[axis] + mark for old, axis in says.items() for mark in ("", "'")}


def _to_rows(array: np.ndarray, place: int | None) -> np.ndarray:
    return array if place is None else np.ascontiguousarray(np.moveaxis(array, -1, place))


def _to_columns(array: np.ndarray, place: int | None) -> np.ndarray:
    return array if place is None else np.moveaxis(np.asarray(array), place, -1)


def _turned(expression: Expression) -> Expression:
    """The expression with the examples last among the axes of each of its arrays."""
    terms = []
    for term in expression.terms:
        factors = tuple(_turned_factor(f) if isinstance(f, Dense) else f for f in term.factors)
        terms.append(replace(term, factors=factors))
    return Expression(tuple(terms))


def _turned_factor(factor: Dense) -> Dense:
    others = [n for n, axis in enumerate(factor.axes) if axis.rstrip("'") != BATCH]
    order = [*others, *(place for place in range(len(factor.axes)) if place not in others)]
    size = factor.magnitude
    return Dense(
        factor.label,
        tuple(factor.axes[place] for place in order),
        factor.array.transpose(order),
        None if size is None else size.transpose(order),
    )
