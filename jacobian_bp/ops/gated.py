"""Recurrent cells with gates: the LSTM and the GRU, each gate a block of rows of W, U and b."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from ..algebra.expression import Expression, delta, dense
from ..errors import AxisError
from ..numbers.arrays import quiet
from ..numbers.stable import sigmoid
from ..writing.signs import dims
from .base import over_batch
from .cell_bends import Sum, curve, sigmoid_bend, sigmoid_slope, tanh_bend, tanh_slope
from .recurrent import CELL, Cell, Gate, sigmoid_slope_of_size, weighed_back

ORDER = "ifgo"  # of the blocks of rows, as in PyTorch


class LSTM(Cell):
    """What the two values of an LSTM share: four gates, and a state that each unit keeps."""

    gates = 4
    example_sizes = {"i": 3, "j": 2, "k": 2, "g": 8}
    carried: ClassVar[str]  # what the signature calls the state
    letters_from = "x", "h0", "W", "U", "b"  # the same gates for both

    def admit(self, names, *inputs):
        """AxisError too where the state that is carried has other units than h0."""
        h0, c = inputs[1:3]
        if h0.shape[-1:] != c.shape[-1:]:
            state = names[self.carried]
            raise AxisError(
                f"{self.name}: the states have different units.\n"
                f"  {names['h0']} has shape {dims(h0.shape)}, so there are {h0.shape[-1]}\n"
                f"  {state} has shape {dims(c.shape)}, so there are {c.shape[-1]}\n"
                f"  Pass {names['h0']} and {state} with the same number of units."
            )
        return super().admit(names, *inputs)

    def gates_in_stages(self, functions: Mapping[str, str]) -> tuple[str, ...]:
        """The gates as lines of a program, each with its function: {"i": "Sigmoid"}."""
        lines = list(self.sums_in_stages())
        for letter, function in functions.items():
            block = ORDER.index(letter)
            lines.append(f"raw_{letter} = Slice(raw, {{{block}k}}, {{{block + 1}k}})")
            lines.append(f"{letter} = {function}(raw_{letter})")
        return tuple(lines)

    def gates_of(self, x, h0, W, U, b) -> list[np.ndarray]:
        """What the gates i, f, g and o read."""
        return self.blocks(self.sums(x, h0, W, U, b))

    def opened(self, x, h0, _, W, U, b=None) -> dict[str, np.ndarray]:
        """The gates themselves, by their letters."""
        i, f, g, o = self.gates_of(x, h0, W, U, b)
        return {"i": sigmoid(i), "f": sigmoid(f), "g": np.tanh(g), "o": sigmoid(o)}

    def by_gates(self, slopes: Mapping[str, np.ndarray], x, h0, W, U, b) -> dict[str, Expression]:
        """The Jacobians by all that the gates read, from the slope by each gate's sum."""
        gates = [Gate(letter, ORDER.index(letter), slope) for letter, slope in slopes.items()]
        return self.through(gates, x, h0, W, U, b is not None)

    def from_gates(self, bars: Mapping[str, np.ndarray], x, h0, W, U, b) -> dict[str, np.ndarray]:
        """The cotangents of all that the gates read, from that of each gate's sum."""
        stacked = self.stacked({ORDER.index(letter): bar for letter, bar in bars.items()})
        return self.back(stacked, x, h0, W, U, b is not None)

    def bent(
        self, slopes: Mapping[str, np.ndarray], curves: Mapping[str, np.ndarray], inputs
    ) -> dict[tuple[str, str], Expression]:
        """How it bends, from the second slopes by two of its sums: "ig" by those of i and g."""
        read = ("x", "h0", "W", "U", "b")
        sums = {
            letter: Sum(read, ORDER.index(letter), letter, dense(f"d{letter}[k]", slope))
            for letter, slope in slopes.items()
        }
        pairs = {(p[0], p[1]): curve(p[0], p[1], array) for p, array in curves.items()}
        return self.bends(inputs, sums | {"c": Sum((self.carried,))}, pairs)


class LSTMCarry(LSTM):
    """What an LSTM keeps: the cell state c of h, c = LSTMCell(x, h0, c0, W, U, b).

        c[k] = f[k] c0[k] + i[k] g[k],  i, f = σ and g = tanh of their rows of W x + U h0 + b
        ∂c/∂c0 = f[k] δ[k,k']
        ∂c/∂x = Σ_gates d[k] W[k+qK,i'],  ∂c/∂W = Σ_gates δ[g',k+qK] d[k] x[i'];  U, b likewise
        di = g i(1−i),  df = c0 f(1−f),  dg = i (1−g²);  q = 0, 1, 2 for i, f, g
        ∂²c/∂a∂b = Σ_s,t ∂²(s,t)[k] ∂s[k]/∂a ∂t[k]/∂b,  s and t gates' sums or c0: see cell_bends.py

    Unit k carries its own state on, hence δ[k,k'], and has row k + qK of each gate q, hence
    δ[g',k+qK]; the rows of the gate o are read by LSTMOutput alone. It is PyTorch's, b the sum
    of its two biases. Source: Hochreiter and Schmidhuber, 1997; Gers et al., 2000.
    """

    signature = "x[i], h0[j], c0[k], W[g,i], U[g,j], b[g]? -> c[k]"
    formula = "f * c0 + i * g, with the gates i, f, g, o of W x + U h0 + b"
    own_letters = ("i", "f", "g", "o")
    carried = "c0"
    reasons: Mapping[str, str] = {
        "x": "through the gates i, f and g of unit k",
        "h0": "through the gates i, f and g of unit k",
        "c0": "unit k carries its own state on, as far as f lets it",
        "b": "each unit has its own entries of b",
        **CELL,
    }

    def forward(self, x, h0, c0, W, U, b=None):
        i, f, g, _ = self.gates_of(x, h0, W, U, b)
        return sigmoid(f) * c0 + sigmoid(i) * np.tanh(g)

    @quiet
    def jacobians(self, x, h0, c0, W, U, b=None):
        i, f, g, _ = self.gates_of(x, h0, W, U, b)
        found = self.by_gates(self._slopes(c0, i, f, g), x, h0, W, U, b)
        return found | {"c0": delta("k,k'") * dense("f[k]", sigmoid(f))}

    @quiet
    def second(self, x, h0, c0, W, U, b=None):
        i, f, g, _ = self.gates_of(x, h0, W, U, b)
        curves = {
            "ii": np.tanh(g) * sigmoid_bend(i),
            "ff": c0 * sigmoid_bend(f),
            "gg": sigmoid(i) * tanh_bend(g),
            "ig": sigmoid_slope(i) * tanh_slope(g),
            "fc": sigmoid_slope(f),
        }
        return self.bent(self._slopes(c0, i, f, g), curves, (x, h0, c0, W, U, b))

    @quiet
    def vjp(self, c_bar, x, h0, c0, W, U, b=None):
        i, f, g, _ = self.gates_of(x, h0, W, U, b)
        bars = {
            "i": c_bar * np.tanh(g) * sigmoid_slope_of_size(i),
            "f": c_bar * c0 * sigmoid_slope_of_size(f),
            "g": c_bar * sigmoid(i) * (1 / np.cosh(g)) ** 2,
        }
        found = self.from_gates(bars, x, h0, W, U, b)
        return found | {"c0": over_batch(c_bar * sigmoid(f), c0.ndim)}

    def stages(self):
        gates = self.gates_in_stages({"i": "Sigmoid", "f": "Sigmoid", "g": "Tanh"})
        ends = "kept = Multiply(f, c0)", "new = Multiply(i, g)", "c = Add(kept, new)"
        return ((*gates, *ends),)

    @staticmethod
    def _slopes(c0, i, f, g):
        """di, df and dg."""
        return {
            "i": np.tanh(g) * sigmoid_slope(i),
            "f": c0 * sigmoid_slope(f),
            "g": sigmoid(i) * tanh_slope(g),
        }


class LSTMOutput(LSTM):
    """What an LSTM gives: the h of h, c = LSTMCell(x, h0, c0, W, U, b), which reads the new c.

        h[k] = o[k] tanh c[k],  o = σ of its rows of W x + U h0 + b
        ∂h/∂c = o[k] (1 − tanh² c[k]) δ[k,k']
        ∂h/∂x = do[k] W[k+3K,i'],  ∂h/∂W = δ[g',k+3K] do[k] x[i'];  U, b likewise
        do = tanh(c) o(1−o)
        ∂²h/∂a∂b = Σ_s,t ∂²(s,t)[k] ∂s[k]/∂a ∂t[k]/∂b,  s and t the sum of o or c

    Unit k reads its own state, hence δ[k,k'], and row k + 3K of W, that of its gate o.
    """

    signature = "x[i], h0[j], c[k], W[g,i], U[g,j], b[g]? -> h[k]"
    formula = "o * tanh(c), with the gates i, f, g, o of W x + U h0 + b"
    own_letters = ("i", "f", "g", "o")
    carried = "c"
    reasons: Mapping[str, str] = {
        "x": "through the gate o of unit k",
        "h0": "through the gate o of unit k",
        "c": "unit k reads its own state",
        "b": "each unit has its own entries of b",
        **CELL,
    }

    def forward(self, x, h0, c, W, U, b=None):
        return sigmoid(self.gates_of(x, h0, W, U, b)[3]) * np.tanh(c)

    @quiet
    def jacobians(self, x, h0, c, W, U, b=None):
        o = self.gates_of(x, h0, W, U, b)[3]
        found = self.by_gates({"o": np.tanh(c) * sigmoid_slope(o)}, x, h0, W, U, b)
        return found | {"c": delta("k,k'") * dense("(o tanh'(c))[k]", sigmoid(o) * tanh_slope(c))}

    @quiet
    def second(self, x, h0, c, W, U, b=None):
        o = self.gates_of(x, h0, W, U, b)[3]
        curves = {
            "oo": np.tanh(c) * sigmoid_bend(o),
            "oc": sigmoid_slope(o) * tanh_slope(c),
            "cc": sigmoid(o) * tanh_bend(c),
        }
        return self.bent({"o": np.tanh(c) * sigmoid_slope(o)}, curves, (x, h0, c, W, U, b))

    @quiet
    def vjp(self, h_bar, x, h0, c, W, U, b=None):
        o = self.gates_of(x, h0, W, U, b)[3]
        bars = {"o": h_bar * np.tanh(c) * sigmoid_slope_of_size(o)}
        found = self.from_gates(bars, x, h0, W, U, b)
        return found | {"c": over_batch(h_bar * sigmoid(o) * (1 / np.cosh(c)) ** 2, c.ndim)}

    def stages(self):
        gates = self.gates_in_stages({"o": "Sigmoid"})
        return ((*gates, "tanh_c = Tanh(c)", "h = Multiply(o, tanh_c)"),)


class LSTMCell:
    """One step of an LSTM, which gives two values: h, c = LSTMCell(x, h0, c0, W, U, b).

    A line of a program with two names is two steps, c = LSTMCarry(x, h0, c0, W, U, b), then
    h = LSTMOutput(x, h0, c, W, U, b): h reads c. W, U and b have the rows of the gates i, f, g, o
    one below the other, as PyTorch has them.

    >>> LSTMCell.lines(("h1", "c1"), ("x1", "h0", "c0", "W", "U"))
    ['c1 = LSTMCarry(x1, h0, c0, W, U)', 'h1 = LSTMOutput(x1, h0, c1, W, U)']
    """

    values = ("h", "c")
    example = "h, c = LSTMCell(x, h0, c0, W, U, b)"

    @staticmethod
    def lines(values: Sequence[str], reads: Sequence[str]) -> list[str]:
        """The two lines that this one stands for."""
        h, c = values
        kept = f"{c} = {LSTMCarry.__name__}({', '.join(reads)})"
        return [kept, f"{h} = {LSTMOutput.__name__}({', '.join((*reads[:2], c, *reads[3:]))})"]


class GRUCell(Cell):
    """One step of a gated recurrent unit, its reset as in PyTorch.

        o[k] = (1−z[k]) n[k] + z[k] h[k]
        r, z = σ of their rows of W x + b + U h + d,  n = tanh(W x + b + r (U h + d)) of theirs
        ∂o/∂h = z[k] δ[k,k'] + Σ_gates d[k] U[k+qK,k'],  with dn r in place of dn
        ∂o/∂x = Σ_gates d[k] W[k+qK,i'],  ∂o/∂W = Σ_gates δ[g',k+qK] d[k] x[i'];  U, b, d likewise
        dr = dn (U h + d)_n r(1−r),  dz = (h−n) z(1−z),  dn = (1−z)(1−n²);  q = 0, 1, 2 for r, z, n
        ∂²o/∂a∂b = Σ_s,t ∂²(s,t)[k] ∂s[k]/∂a ∂t[k]/∂b,  s and t of r, z, n, u = (U h + d)_n and h

    r stands in front of what n has from h, its bias d included: that is why there are two
    biases. Unit k has row k + qK of each gate q, hence δ[g',k+qK]. b and d may be left out.
    Source: Cho et al., 2014.
    """

    signature = "x[i], h[k], W[g,i], U[g,j], b[g]?, d[g]? -> o[k]"
    parameters = ("W", "U", "b", "d")
    formula = "(1 − z) * n + z * h, with the gates r, z, n of W x + b and U h + d"
    own_letters = ("r", "z", "n", "u")
    gates = 3
    reasons: Mapping[str, str] = {
        "x": "through the gates r, z and n of unit k",
        "h": "unit k keeps its own h as far as z lets it; the rest through the gates",
        "b": "each unit has its own entries of b",
        "d": "each unit has its own entries of d",
        **CELL,
    }
    example_sizes = {"i": 3, "j": 2, "k": 2, "g": 6}

    def reading(self, count):
        read = super().reading(count)
        if read is not self:
            read.formula = self.formula.replace(" + d", "")
            read.formula = read.formula if count == 5 else read.formula.replace(" + b", "")
        return read

    def forward(self, x, h, W, U, b=None, d=None):
        _, z, n, _, _ = self._parts(x, h, W, U, b, d)
        return sigmoid(-z) * np.tanh(n) + sigmoid(z) * h

    @quiet
    def jacobians(self, x, h, W, U, b=None, d=None):
        r, z, n, of_h, kept = self._parts(x, h, W, U, b, d)
        by_n = sigmoid(-z) * tanh_slope(n)
        gates = [
            Gate("r", 0, by_n * of_h * sigmoid_slope(r)),
            Gate("z", 1, (h - np.tanh(n)) * sigmoid_slope(z)),
            Gate("n", 2, by_n, by_n * kept),
        ]
        found = self.through(gates, x, h, W, U, b is not None)
        found["h"] = delta("k,k'") * dense("z[k]", sigmoid(z)) + found["h"]
        if d is not None:
            found["d"] = self.own_rows(gates, len(W) // 3, None, of_h=True)
        return found

    @quiet
    def second(self, x, h, W, U, b=None, d=None):
        """∂²(s,t) by the sums of r and z, by what n has from x and u from h, and by h itself."""
        r, z, n, of_h, kept = self._parts(x, h, W, U, b, d)
        by_n, by_r, down = sigmoid(-z) * tanh_slope(n), of_h * sigmoid_slope(r), -sigmoid_slope(z)
        bend = sigmoid(-z) * tanh_bend(n)
        slopes = {"r": by_n * by_r, "z": (h - np.tanh(n)) * -down, "n": by_n}
        curves = {
            "nn": bend,
            "nu": bend * kept,
            "uu": bend * kept * kept,
            "nr": bend * by_r,
            "ur": bend * kept * by_r + by_n * sigmoid_slope(r),
            "rr": bend * by_r * by_r + by_n * of_h * sigmoid_bend(r),
            "nz": down * tanh_slope(n),
            "uz": down * tanh_slope(n) * kept,
            "rz": down * tanh_slope(n) * by_r,
            "zz": (h - np.tanh(n)) * sigmoid_bend(z),
            "zh": -down,
        }
        both = ("x", "h", "W", "U", "b", "d")
        reads = {"r": both, "z": both, "n": ("x", "W", "b")}
        sums = {
            letter: Sum(reads[letter], block, letter, dense(f"d{letter}[k]", slopes[letter]))
            for block, letter in enumerate(slopes)
        }
        sums["u"] = Sum(("h", "U", "d"), 2, "n", dense("(dn r)[k]", by_n * kept))
        pairs = {(p[0], p[1]): curve(p[0], p[1], array) for p, array in curves.items()}
        return self.bends((x, h, W, U, b, d), sums | {"h": Sum(("h",))}, pairs)

    @quiet
    def vjp(self, o_bar, x, h, W, U, b=None, d=None):
        r, z, n, of_h, kept = self._parts(x, h, W, U, b, d)
        by_n = o_bar * sigmoid(-z) * (1 / np.cosh(n)) ** 2
        by_r = by_n * of_h * sigmoid_slope_of_size(r)
        by_z = o_bar * (h - np.tanh(n)) * sigmoid_slope_of_size(z)
        of_x = self.stacked({0: by_r, 1: by_z, 2: by_n})
        from_h = self.stacked({0: by_r, 1: by_z, 2: by_n * kept})
        found = self.back(of_x, x, h, W, U, b is not None)
        h_bar, found["U"] = weighed_back(from_h, h, U)
        found["h"] = h_bar + over_batch(o_bar * sigmoid(z), h.ndim)
        return found if d is None else found | {"d": over_batch(from_h)}

    def stages(self):
        biases = {o.name for o in self.parsed.inputs} & {"b", "d"}
        lines = [f"from_x = Linear(x, W{', b' * ('b' in biases)})"]
        lines += [f"from_h = Linear(h, U{', d' * ('d' in biases)})"]
        for block, letter in enumerate("rzn"):
            rows = f"{{{block}k}}, {{{block + 1}k}}"
            lines += [f"x_{letter} = Slice(from_x, {rows})", f"h_{letter} = Slice(from_h, {rows})"]
            let_in = f"h_{letter}"
            if letter == "n":
                let_in = "let_in"
                lines += ["let_in = Multiply(r, h_n)"]
            lines += [f"raw_{letter} = Add(x_{letter}, {let_in})"]
            lines += [f"{letter} = {'Tanh' if letter == 'n' else 'Sigmoid'}(raw_{letter})"]
        ends = "left = Subtract(1, z)", "new = Multiply(left, n)", "kept = Multiply(z, h)"
        return ((*lines, *ends, "o = Add(new, kept)"),)

    def opened(self, x, h, W, U, b=None, d=None) -> dict[str, np.ndarray]:
        """The gates themselves, by their letters."""
        _, z, n, _, kept = self._parts(x, h, W, U, b, d)
        return {"r": kept, "z": sigmoid(z), "n": np.tanh(n)}

    def _parts(self, x, h, W, U, b, d):
        """What r, z and n read; what n has from h, and how much of it r lets through."""
        from_x = x @ W.T if b is None else x @ W.T + b
        from_h = h @ U.T if d is None else h @ U.T + d
        parts = zip(self.blocks(from_x), self.blocks(from_h), strict=True)
        (x_r, h_r), (x_z, h_z), (x_n, h_n) = parts
        r, z = x_r + h_r, x_z + h_z
        kept = sigmoid(r)
        return r, z, x_n + kept * h_n, h_n, kept
