"""Recurrent cells: one step of a network that reads a sequence, with what it kept of it before.

Here is what they share, and the plain one; those with gates are in gated.py.

A cell is a step like any other: a program that reads three entries has three of them, with the
same W, U and b, and the gradients of the three places are added. The gates of an LSTM and of a
GRU are blocks of rows of W, U and b: gate number q of unit k is row k + q·K, K the number of
units, in PyTorch's order. The row stands in a delta, so that each unit's own rows are seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..algebra.expression import Expression, delta, dense
from ..algebra.written_positions import at
from ..errors import AxisError
from ..numbers.arrays import quiet
from ..writing.signs import dims
from .base import Op, outer, over_batch
from .cell_bends import Sum, cell_bends, tanh_bend, tanh_slope

CELL = {"W": "each unit has its own rows of W", "U": "each unit has its own rows of U"}


@dataclass(frozen=True)
class Gate:
    """One gate of a cell: its letter, the number of its block of rows, the value's slope by it.

    The slope is that by the sum that the gate reads, W x + U h + b; where what it has from h
    counts otherwise, as in a GRU, `of_h` is that by U h.
    """

    letter: str
    block: int
    slope: np.ndarray
    of_h: np.ndarray | None = None

    @property
    def slope_of_h(self) -> np.ndarray:
        return self.slope if self.of_h is None else self.of_h

    @property
    def label_of_h(self) -> str:
        return f"d{self.letter}" if self.of_h is None else f"(d{self.letter} r)"


class Cell(Op):
    """What the cells share: x and h weighed by W and U, and a bias that may be left out."""

    parameters: ClassVar[tuple[str, ...]] = ("W", "U", "b")
    gates: ClassVar[int] = 1  # blocks of rows

    def __init_subclass__(cls, **options: Any) -> None:
        """Of each gate q the slope dq and the rows Wq and Uq are labels of the Jacobians."""
        super().__init_subclass__(**options)
        letters = cls.own_letters
        made = {"d": "d{%s}", "W": "{W}{%s}", "U": "{U}{%s}"}
        cls.own_labels = {x + q: said % q for x, said in made.items() for q in letters}

    def reading(self, count):
        read = super().reading(count)
        if read is not self:
            read.formula = self.formula.replace(" + b", "")
        return read

    def sums(self, x: np.ndarray, h: np.ndarray, W: np.ndarray, U: np.ndarray, b) -> np.ndarray:
        """W x + U h + b, for all gates."""
        both = x @ W.T + h @ U.T
        return both if b is None else both + b

    def sums_in_stages(self) -> tuple[str, ...]:
        """W x + U h + b, for all gates, as lines of a program."""
        from_x = ", ".join(o.name for o in self.parsed.inputs if o.name in ("x", "W", "b"))
        from_h = f"{self.parsed.inputs[1].name}, U"
        return (
            f"from_x = Linear({from_x})",
            f"from_h = Linear({from_h})",
            "raw = Add(from_x, from_h)",
        )

    def blocks(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows of each gate."""
        return np.split(rows, self.gates, axis=-1)

    def weighed(self, gates: Sequence[Gate], weights: np.ndarray, name: str, by: str, of_h: bool):
        """Σ_gates d[k] W_gate[k,i']: what reaches the value through each gate."""
        units = len(weights) // self.gates
        found = None
        for gate in gates:
            rows = weights[gate.block * units : (gate.block + 1) * units]
            slope = gate.slope_of_h if of_h else gate.slope
            label = gate.label_of_h if of_h else f"d{gate.letter}"
            part = dense(f"{label}[k]", slope) * dense(f"{name}{gate.letter}[k,{by}]", rows)
            found = part if found is None else found + part
        return found

    def own_rows(self, gates: Sequence[Gate], units: int, read: Expression | None, of_h: bool):
        """Σ_gates δ[g',k+qK] d[k] x[i']: row k + qK is unit k's own, of gate q."""
        found = None
        for gate in gates:
            slope = gate.slope_of_h if of_h else gate.slope
            label = gate.label_of_h if of_h else f"d{gate.letter}"
            part = at(f"g' = k + {gate.block * units}") * dense(f"{label}[k]", slope)
            part = part if read is None else part * read
            found = part if found is None else found + part
        return found

    def through(self, gates: Sequence[Gate], x, h, W, U, has_bias: bool) -> dict[str, Expression]:
        """The Jacobians by all that the gates read; h is called as the signature calls it."""
        units, (_, state) = len(W) // self.gates, self.parsed.inputs[:2]
        by_h = state.axes[0] + "'"
        read_h = dense(f"{state.name}[j']", h)
        found = {
            "x": self.weighed(gates, W, "W", "i'", of_h=False),
            state.name: self.weighed(gates, U, "U", by_h, of_h=True),
            "W": self.own_rows(gates, units, dense("x[i']", x), of_h=False),
            "U": self.own_rows(gates, units, read_h, of_h=True),
        }
        return found | ({"b": self.own_rows(gates, units, None, of_h=False)} if has_bias else {})

    def stacked(self, bars: Mapping[int, np.ndarray]) -> np.ndarray:
        """The cotangents of the gates' sums one behind the other, 0 for a gate without one."""
        some = next(iter(bars.values()))
        rows = [bars[q] if q in bars else np.zeros_like(some) for q in range(self.gates)]
        return np.concatenate(rows, axis=-1)

    def back(self, bar: np.ndarray, x, h, W, U, has_bias: bool) -> dict[str, np.ndarray]:
        """The cotangents of all that the gates read, from that of their sums."""
        state = self.parsed.inputs[1].name
        found = dict(zip(("x", "W"), weighed_back(bar, x, W), strict=True))
        found |= dict(zip((state, "U"), weighed_back(bar, h, U), strict=True))
        return found | ({"b": over_batch(bar)} if has_bias else {})

    def bends(
        self,
        inputs: Sequence[np.ndarray],
        sums: Mapping[str, Sum],
        curves: Mapping[tuple[str, str], Expression],
    ) -> dict[tuple[str, str], Expression]:
        """How it bends by its inputs, from how it bends by its sums: see cell_bends.py."""
        operands = self.parsed.inputs
        pairs = zip((o.name for o in operands), inputs, strict=False)
        given = {name: array for name, array in pairs if array is not None}
        return cell_bends(self.gates, operands, given, sums, curves)

    def admit(self, names, *inputs):
        """AxisError where W has other rows than there are gates and units, or U other columns."""
        named = dict(zip((o.name for o in self.parsed.inputs), inputs, strict=True))
        W, U, h = named["W"], named["U"], inputs[1]
        if W.ndim == U.ndim == 2 and h.ndim and len(W) == len(U):
            units = h.shape[-1]
            rows, columns = self.gates * units, units
            for name, array, wrong in (
                ("W", W, len(W) != rows),
                ("U", U, len(U) != rows or U.shape[1] != columns),
            ):
                if wrong:
                    raise AxisError(
                        f"{self.name}: {names[name]} has shape {dims(array.shape)}, "
                        f"{names[self.parsed.inputs[1].name]} has {units} units.\n"
                        f"  {self._rows(rows, units)}"
                        f"{f' and {columns} columns' if name == 'U' else ''} in {names[name]}."
                    )
        return inputs

    def _rows(self, rows: int, units: int) -> str:
        each = f", {units} for each of its {self.gates} gates," if self.gates > 1 else ""
        return f"Write {rows} rows{each}"


class RNNCell(Cell):
    """One step of a plain recurrent network.

        o[k] = tanh(z[k]),  z[k] = Σ_i W[k,i] x[i] + Σ_j U[k,j] h[j] + b[k]
        ∂o/∂x = d[k] W[k,i'],  ∂o/∂h = d[k] U[k,j'],  d[k] = tanh'(z)[k]
        ∂o/∂W = δ[k,k'] d[k] x[i'],  ∂o/∂U = δ[k,k'] d[k] h[j'],  ∂o/∂b = δ[k,k'] d[k]
        ∂²o/∂a∂b = tanh''(z)[k] ∂z[k]/∂a ∂z[k]/∂b,  and d[k] δ[k,k'] δ[i',i''] more by W and x

    Unit k has its own row of W, of U and of b, hence δ[k,k']. It is PyTorch's RNNCell, b the sum
    of its two biases. Raises AxisError where the units of h, W and U are not as many.
    Source: Elman, 1990.
    """

    signature = "x[i], h[j], W[k,i], U[k,j], b[k]? -> o[k]"
    formula = "tanh(z), z = W x + U h + b"
    own_letters = ("z",)
    reasons: Mapping[str, str] = {
        "x": "unit k weighs x by row k of W",
        "h": "unit k weighs h by row k of U",
        "W": "unit k reads only row k of W",
        "U": "unit k reads only row k of U",
        "b": "each unit has its own bias",
    }
    example_sizes = {"i": 3, "j": 2, "k": 2}

    def forward(self, x, h, W, U, b=None):
        return np.tanh(self.sums(x, h, W, U, b))

    @quiet
    def jacobians(self, x, h, W, U, b=None):
        slope = dense("tanh'(z)[k]", tanh_slope(self.sums(x, h, W, U, b)))
        own = delta("k,k'") * slope
        found = {
            "x": slope * dense("W[k,i']", W),
            "h": slope * dense("U[k,j']", U),
            "W": own * dense("x[i']", x),
            "U": own * dense("h[j']", h),
        }
        return found | ({} if b is None else {"b": own})

    @quiet
    def second(self, x, h, W, U, b=None):
        z = self.sums(x, h, W, U, b)
        slope = dense("tanh'(z)[k]", tanh_slope(z))
        sums = {"z": Sum(("x", "h", "W", "U", "b"), 0, slope=slope)}
        return self.bends((x, h, W, U, b), sums, {("z", "z"): dense("tanh''(z)[k]", tanh_bend(z))})

    @quiet
    def vjp(self, o_bar, x, h, W, U, b=None):
        slope = (1 / np.cosh(self.sums(x, h, W, U, b))) ** 2
        return self.back(o_bar * slope, x, h, W, U, b is not None)

    def stages(self):
        return ((*self.sums_in_stages(), "o = Tanh(raw)"),)


def weighed_back(bar: np.ndarray, read: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """The cotangents of a and W of W a; an a that has fewer axes in front is shared along them."""
    wide = np.broadcast_to(read, (*bar.shape[:-1], read.shape[-1]))
    return [over_batch(bar @ weights, read.ndim), outer(bar, wide)]


def sigmoid_slope_of_size(z: np.ndarray) -> np.ndarray:
    """The same number by e = exp(−|z|)."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) / (1 + e)
