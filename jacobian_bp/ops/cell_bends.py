"""How a recurrent cell bends: by its sums, and from these by all that they read.

A cell is a function of a few numbers for each unit: the sums W x + U h + b of its gates, and the
state that the unit keeps. It bends by two of these, and each is straight in each thing it reads:

    ∂²o/∂a∂b = Σ_s,t ∂²(s,t)[k] ∂s[k]/∂a ∂t[k]/∂b + Σ_s ds[k] ∂²s[k]/∂a∂b

∂²(s,t) is the second slope of the value by the sums s and t, ds the first by s. A sum bends by W
and x together, and by U and h: ∂²s/∂x∂W = δ[g',k+qK] δ[i',i''], as row k + qK is unit k's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..algebra.axes import Operand, primed
from ..algebra.expression import Expression, delta, dense
from ..algebra.written_positions import at
from ..numbers.stable import sigmoid


@dataclass(frozen=True)
class Sum:
    """One number that each unit reads: the block of its rows, what it is a sum of, ds.

    `rows` is the letter of the gate in the labels of its rows, Wi; without a block it is the
    state that the unit itself keeps.
    """

    reads: tuple[str, ...]
    block: int | None = None
    rows: str = ""
    slope: Expression | None = None


def cell_bends(
    gates: int,
    operands: Sequence[Operand],
    given: Mapping[str, np.ndarray],
    sums: Mapping[str, Sum],
    curves: Mapping[tuple[str, str], Expression],
) -> dict[tuple[str, str], Expression]:
    """∂²o/∂a∂b for each pair of inputs, from ∂²(s,t) for each pair of sums."""
    cell = _Cell(gates, operands[1].name, given, sums, curves)
    axes = {o.name: o.axes for o in operands}
    names = [name for name in axes if name in given]
    found = {}
    for place, first in enumerate(names):
        for second in names[place:]:
            word = primed((*axes[first], *axes[second]))
            split = len(axes[first])
            terms = list(cell.terms(first, second, word[:split], word[split:]))
            if terms:
                found[first, second] = _added(terms)
    return found


@dataclass(frozen=True)
class _Cell:
    gates: int
    state: str  # what the signature calls h
    given: Mapping[str, np.ndarray]
    sums: Mapping[str, Sum]
    curves: Mapping[tuple[str, str], Expression]

    def terms(
        self, first: str, second: str, by: Sequence[str], then: Sequence[str]
    ) -> Iterator[Expression]:
        """The terms of one pair, whose axes are `by` and `then`."""
        for (s, t), curve in self.curves.items():
            for one, other in [(s, t), (t, s)][: 1 + (s != t)]:
                if first in self.sums[one].reads and second in self.sums[other].reads:
                    yield curve * self.moved(one, first, by) * self.moved(other, second, then)
        for weights, read in (("W", "x"), ("U", self.state)):
            if {first, second} == {weights, read}:
                rows, entries = (by, then) if first == weights else (then, by)
                for each in self.sums.values():
                    if weights in each.reads and each.slope is not None:
                        own = self.own_row(each, rows[0])
                        yield each.slope * own * delta(f"{rows[1]},{entries[0]}")

    def moved(self, name: str, by: str, axes: Sequence[str]) -> Expression:
        """∂s[k]/∂by: a row of weights, or what the weights read, at the unit's own row."""
        each = self.sums[name]
        if each.block is None:
            return delta(f"k,{axes[0]}")
        weights = {"x": "W", self.state: "U"}.get(by)
        if weights:
            units = len(self.given[weights]) // self.gates
            rows = self.given[weights][each.block * units : (each.block + 1) * units]
            return dense(f"{weights}{each.rows}[k,{axes[0]}]", rows)
        own, read = self.own_row(each, axes[0]), {"W": "x", "U": self.state}.get(by)
        return own * dense(f"{read}[{axes[1]}]", self.given[read]) if read else own

    def own_row(self, each: Sum, axis: str) -> Expression:
        """δ[g',k+qK]: row k + qK is unit k's own, of gate q; δ[k,k'] where there is one gate."""
        if self.gates == 1:
            return delta(f"k,{axis}")
        units = len(self.given["W"]) // self.gates
        return at(f"{axis} = k + {(each.block or 0) * units}")


def curve(first: str, second: str, array: np.ndarray) -> Expression:
    """∂²(s,t)[k], the second slope by the sums s and t."""
    return dense(f"∂²({first},{second})[k]", array)


def sigmoid_slope(z: np.ndarray) -> np.ndarray:
    return sigmoid(z) * sigmoid(-z)


def sigmoid_bend(z: np.ndarray) -> np.ndarray:
    """σ'' = σ' (1 − 2σ), and 1 − 2σ(z) is −tanh(z/2)."""
    return -sigmoid_slope(z) * np.tanh(z / 2)


def tanh_slope(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    sech = 2 * e / (1 + e * e)
    return sech * sech


def tanh_bend(z: np.ndarray) -> np.ndarray:
    """tanh'' = −2 tanh tanh'"""
    return -2 * np.tanh(z) * tanh_slope(z)


def _added(terms: list[Expression]) -> Expression:
    whole = terms[0]
    for term in terms[1:]:
        whole = whole + term
    return whole
