"""Reshape and Flatten: the entries of an example, row by row, under other axes.

Both read all axes of an example: as many of the last ones as `axes` names, else all behind n.
Entry by entry nothing changes; the Jacobian says which two places are one in row-by-row order.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from math import prod
from typing import Any

import numpy as np

from ..algebra.axes import BATCH, each_once
from ..algebra.expression import Expression
from ..algebra.written_positions import at, within
from ..errors import DomainError
from ..writing.signs import dims
from .base import Op, elementwise, of_example
from .windows import is_whole

OUTPUT_LETTERS = "opqrsuvwabcdefg"  # of the axes of the result, those that the input does not have


class Reshape(Op):
    """An example's entries in another shape, row by row: Reshape(x, (3, -1)).

        y[o,p] = x[i,j]  where  P·o + p = J·i + j,  P and J the sizes of p and j
        ∂y/∂x = [P·o+p=J·i'+j']

    Entry o,p is the one entry of x with the same place row by row, hence the equation between
    the two places. One size may be −1: what is left. It reads all axes behind n, those of tokens
    too; where `axes` is said, as many of the last ones as it names, and what stands in front is
    carried. Raises DomainError where the numbers of entries differ.
    """

    formula = "x in another shape, row by row"
    reasons: Mapping[str, str] = {"x": "the same entry, at another place"}
    example = {"shape": (3, 2)}

    def __init__(self, shape: Any, axes: str | None = None) -> None:
        given = [shape] if is_whole(shape) else shape
        whole = isinstance(given, Sequence) and all(map(is_whole, given))
        if not whole or any(n < 1 and n != -1 for n in given) or list(given).count(-1) > 1:
            raise DomainError(
                f"{self.name}(shape) is {shape!r}.\n"
                "  Write whole numbers from 1 on, such as (3, 5); one may be -1."
            )
        self.shape, self.axes = shape, axes
        self.sizes = tuple(map(int, given))
        self._read(each_once("i,j" if axes is None else axes, f"{self.name}({axes!r})"))

    def _read(self, letters: tuple[str, ...]) -> None:
        """Set the axes of an example that it reads, and those of the result."""
        self.rank = len(letters)
        own = [c for c in OUTPUT_LETTERS if c not in letters][: len(self.sizes)]
        known = prod(n for n in self.sizes if n > 0)
        left = f"{'*'.join(letters) or '1'}//{known}" if known > 1 else "*".join(letters) or "1"
        rules = [f"{o} = {left if n == -1 else n}" for o, n in zip(own, self.sizes, strict=True)]
        self.signature = f"x[{','.join(letters)}] -> y[{','.join(own)}]; {'; '.join(rules)}"

    def meeting_behind(self, front: int, *axes: tuple[str, ...] | None) -> Op:
        """The op for a value with these axes: those behind n are the example's, tokens too."""
        behind = axes[0] is not None and axes[0][:1] == (BATCH,)
        inside = of_example(axes[0], int(behind), self.rank if self.axes else None)
        if inside is None or inside == self.parsed.inputs[0].axes:
            return self
        met = copy(self)
        met._read(inside)
        return met

    def forward(self, x):
        front, own = self._shapes(x)
        return x.reshape(*front, *self._result(own)).copy()

    def jacobians(self, x):
        own = self._shapes(x)[1]
        return {"x": self._same_place(own, self._result(own))}

    def second(self, *inputs):
        return {}

    def vjp(self, y_bar, x):
        return {"x": y_bar.reshape(x.shape).copy()}

    def admit(self, names, x):
        own = self._shapes(x)[1]
        count, known = prod(own), prod(n for n in self.sizes if n > 0)
        if x.ndim >= self.rank and (count % known if -1 in self.sizes else count != known):
            raise DomainError(
                f"{self.name}: an example of {names['x']} has shape {dims(own)}, {count} entries; "
                f"{dims(self.sizes)} has {'a multiple of ' * (-1 in self.sizes)}{known}.\n"
                f"  Write sizes whose product is {count}, such as ({count},)."
            )
        return (x,)

    def __repr__(self) -> str:
        return f"{self.name}({self.shape!r}, axes={self.axes!r})"

    def _shapes(self, x: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The sizes in front, and those of an example."""
        front = x.ndim - self.rank
        return x.shape[:front], x.shape[front:]

    def _result(self, own: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes of the result of an example, −1 filled in."""
        left = prod(own) // prod(n for n in self.sizes if n > 0)
        return tuple(left if n == -1 else n for n in self.sizes)

    def _same_place(self, read: tuple[int, ...], gives: tuple[int, ...]) -> Expression:
        """Where the places row by row are equal: a delta where one side has a single axis."""
        inside = [f"{axis}'" for axis in self.parsed.inputs[0].axes]
        outside = list(self.parsed.output.axes)
        if read == gives:
            same = elementwise(",".join(outside))
            return same.renamed({f"{o}'": i for o, i in zip(outside, inside, strict=True)})
        if len(outside) == 1:
            return at(f"{outside[0]} = {_row_by_row(inside, read)}")
        if len(inside) == 1:
            return at(f"{inside[0]} = {_row_by_row(outside, gives)}")
        minus = _row_by_row(inside, read).replace("+", "-")
        return within(f"{_row_by_row(outside, gives)} - {minus}", 0, 0)


class Flatten(Reshape):
    """All entries of an example in one row.

        y[o] = x[c,i,j]  where  o = I·J·c + J·i + j,  I and J the sizes of i and j
        ∂y/∂x = δ[o,I·J·c'+J·i'+j']

    Entry o is the one entry of x with this place row by row, hence the delta. `axes` as in
    Reshape.
    """

    formula = "x in one row"
    example = {}

    def __init__(self, axes: str | None = None) -> None:
        super().__init__(-1, axes)

    def __repr__(self) -> str:
        return f"Flatten(axes={self.axes!r})"


def _row_by_row(axes: Sequence[str], sizes: Sequence[int]) -> str:
    """12c + 4i + j: the place of an entry, row by row."""
    steps = [prod(sizes[place + 1 :]) for place in range(len(sizes))]
    return " + ".join(f"{step}{axis}" for step, axis in zip(steps, axes, strict=True)) or "0"
