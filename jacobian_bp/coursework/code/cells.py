"""The function of one recurrent step, plain or an LSTM: its values, derivatives and names.

h' = tanh(z),  z = W x + U h + b                     dx, dh, dW, dU, db  from  dh'
c' = f c + i g,  h' = o tanh(c'),  i, f, o = σ and g = tanh of their rows of such a z
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ...ops import RNNCell
from ...ops.gated import LSTMCarry, LSTMOutput
from ...program.forward_pass import Pass
from ...writing.signs import dims
from ..lines.function_names import FORMULAS, function_of
from ..lines.vocabulary import COUNT, RATE, Naming, Quantity, words
from .cell_steps import EXAMPLES, GATES, INPUTS, UNITS, lstm_step, plain_step
from .gate_order import OF_GATES, OF_SUMS, put_together, taken_apart
from .laid_out import Layout
from .limits import NotReadError
from .one_op import QuantitiesOfOneOp, StudiedOp
from .quantities import Quantities

OUTPUTS, SEED = 2, 23
ORDERS = ("ifgo", "ifog", "figo", "fiog", "iofg")
JOINED_FIRST = ("h", "x")  # of x and h in one array, in the place of the order of the gates
RESULTS = ("x", "h", "c", "W", "U", "b")  # whose derivatives the function hands back
PREVIOUS = words("{0}_prev prev_{0} {0}prev {0}0 {0}_0 {0}_old old_{0} last_{0} {0}_last")
NEXT = words("next_{0} {0}_next {0}next {0}_new new_{0} {0}t {0}_t {0}1")


def _of(letters: str, patterns: frozenset[str]) -> frozenset[str]:
    return frozenset(pattern.format(letter) for pattern in patterns for letter in letters.split())


NAMES = {  # of what a step computes -> what courses call it
    "x": words("x xt x_t inputs input"),
    "h": _of("h a s state hidden", PREVIOUS),
    "h'": _of("h a s state hidden", NEXT) | words("h out"),
    "W": words("wx wxh wax w_x w_xh w_ih wih w w_in"),
    "U": words("wh whh waa w_h w_hh u u_h wha"),
    "b": words("b bh ba b_h bias"),
    "z": words("raw hraw h_raw pre pre_act preact act a z tanh net sums"),
    "c": _of("c cell", PREVIOUS),
    "c'": _of("c cell", NEXT) | words("c"),
    "tanh c'": words("tanh_c tanhc tanh_next_c tanh_ct tanh_c_next tc c_tanh"),
    "V": words("wya why v w_y wy"),
    "by": words("by b_y"),
}
LETTERS = {"i": ("i",), "f": ("f",), "o": ("o",), "g": ("g", "c")}
ABOUT_TO = re.compile(r"(?:grad_?|nabla_?|dl_?d|dloss_d|d_|d|g_?(?=w|u_|b[a-z]?$|v$))(.+)")
JOINED = re.compile(
    r"(?:concatenate|row_stack|column_stack|[hv]stack)\(\(?[\[(] *(\w+)[^,]*, *(\w+)"
)


@dataclass(frozen=True)
class StudiedCell(StudiedOp):
    """One step of a recurrent network, of examples in rows."""

    def layouts(self, convention: Convention | None) -> list[Layout]:
        orders = ("out,in", "in,out")
        found = [Convention(e, w) for e in ("columns", "rows") for w in orders]
        if convention:
            found = [Convention(convention.examples, convention.weights)]
        return [Layout(each, one) for one in (False, True) for each in found]

    def namings(self, text: str) -> Sequence[Naming]:
        before = "".join(letter for letter in "hc" if _is_before(letter, text))
        if Quantity("value", "c") not in self.arrays:
            return [Naming(before=before)]
        told = _joins(text) or taken_apart(text)
        stacked = put_together(text)
        orders = [told] if told else sorted(ORDERS, key=lambda order: order != stacked)
        return [Naming(gates=order, before=before) for order in orders]

    def quantities(self, layout: Layout, naming: Naming, numbers: dict[str, float]) -> Quantities:
        return CellQuantities(self.one_example() if layout.one else self, layout, naming, numbers)

    def one_example(self) -> "StudiedCell":
        """The step of the first example alone."""
        data = {name: self.arrays[Quantity("value", name)] for name in ("x", "h", "W", "U", "b")}
        first = {name: a[:1] if name in "xh" else a for name, a in data.items()}
        bar = self.arrays[Quantity("gradient", "h'")][:1]
        if (cell := self.arrays.get(Quantity("value", "c"))) is None:
            arrays = plain_step(**first, bar=bar).quantities()
        else:
            kept = self.arrays[Quantity("gradient", "c' so far")][:1]
            arrays = lstm_step(**first, c=cell[:1], bar=bar, kept=kept).quantities()
        arrays |= {q: a for q, a in self.arrays.items() if q.of in ("V", "by")}
        return replace(self, arrays=arrays, examples=1)

    def read_as(self, layout: Layout, naming: Naming) -> str:
        rows = layout.convention.examples == "rows"
        sizes: tuple[int, ...] = (EXAMPLES, INPUTS) if rows else (INPUTS, EXAMPLES)
        if layout.one:
            sizes = (INPUTS,) if rows else (INPUTS, 1)
        cell, gates = "RNNCell", ""
        if Quantity("value", "c") in self.arrays:
            cell, gates = "LSTMCell", f", gates in the order {', '.join(naming.gates)}"
            if naming.gates in JOINED_FIRST:
                gates = f", {naming.gates} first in one array with {'xh'[naming.gates == 'x']}"
        return f"Read as {cell} of x {dims(sizes)}, {layout}{gates}."


def _is_before(letter: str, text: str) -> bool:
    """Whether h is the state before the step: the text stores h_new, say, and h itself nowhere."""
    behind = "|".join(sorted(_of(letter, NEXT)))
    stores = re.search(rf"\b(?:{behind})\b *=(?!=)", text)
    return bool(stores) and not re.search(rf"\b{letter} *=(?!=)", text)


def _joins(text: str) -> str:
    """Whether a text has x and h in one array: "h" or "x", which stands first; "" where not."""
    for found in JOINED.finditer(text):
        first, second = (word.lower() for word in found.groups())
        if {first in NAMES["x"], second in NAMES["x"]} == {True, False}:
            return "x" if first in NAMES["x"] else "h"
    return ""


def studied_cell(state: Pass, several: bool = False) -> StudiedCell | None:
    """The network's one step of a recurrent cell, or its `several` steps of one kind; or None."""
    found = [
        s.op for s in state.program.steps if isinstance(s.op, RNNCell | LSTMCarry | LSTMOutput)
    ]
    draw = np.random.default_rng(SEED).standard_normal
    x, h, c, bar, kept = draw((EXAMPLES, INPUTS)), *draw((4, EXAMPLES, UNITS))
    names = [type(op).__name__ for op in found]
    kinds = sorted(set(names) if several else names)
    if kinds == ["RNNCell"]:
        weights = draw((UNITS, INPUTS)), draw((UNITS, UNITS)), draw(UNITS)
        arrays = plain_step(x, h, *weights, bar).quantities()
    elif kinds == ["LSTMCarry", "LSTMOutput"]:
        weights = draw((4 * UNITS, INPUTS)), draw((4 * UNITS, UNITS)), draw(4 * UNITS)
        arrays = lstm_step(x, h, c, *weights, bar, kept).quantities()
    else:
        return None
    arrays |= {
        Quantity("value", "V"): draw((OUTPUTS, UNITS)),
        Quantity("value", "by"): draw(OUTPUTS),
    }
    return StudiedCell(arrays, found[0], state, examples=EXAMPLES)


class CellQuantities(QuantitiesOfOneOp):
    """The quantities of a recurrent step, under the names that courses give them."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.naming.gates in JOINED_FIRST:
            self._join()
            self._named = {id(array): q for q, array in self.known.items()}

    def _join(self) -> None:
        """The weights of each gate by x and by h in one array, as x and h are."""
        across = 0 if self.layout.convention.weights == "in,out" else 1
        along = 0 if self.columns or self.layout.one else 1
        for kind in ("value", "result"):
            for q in GATES:
                pair = [self.known.pop(Quantity(kind, f"{name}_{q}")) for name in "UW"]
                pair = pair if self.naming.gates == "h" else pair[::-1]
                self.known[Quantity(kind, f"W_{q}")] = np.concatenate(pair, across)
        pair = [self.value(name) for name in "hx"]
        pair = pair if self.naming.gates == "h" else pair[::-1]
        self.known[Quantity("value", "h with x")] = np.concatenate(pair, along)

    def _laid(self, quantity: Quantity, array: np.ndarray) -> np.ndarray:
        """The array as a text has it, the gates in its order."""
        name, array = quantity.of, np.array(array, float)
        weighs = name[0] in "WUV"
        of_gates = self.naming.gates not in JOINED_FIRST
        if (
            of_gates
            and name in ("W", "U", "b", "z")
            and Quantity("value", "c") in self.studied.arrays
        ):
            axis = 0 if weighs else -1
            of = dict(zip(GATES, np.split(array, 4, axis), strict=True))
            array = np.concatenate([of[q] for q in self.naming.gates], axis)
        if weighs:
            return array.T.copy() if self.layout.convention.weights == "in,out" else array
        if array.ndim == 1:
            return array[:, None] if self.columns else array
        if self.layout.one and not self.columns:
            return array[0]
        return array.T.copy() if self.columns else array

    @property
    def output(self) -> str:
        return "h'"

    @property
    def lists(self) -> dict[str, list[np.ndarray]]:
        return {}

    def _named_so(self, low: str) -> str | None:
        """The value that a name means."""
        for gate, spelt in OF_GATES.items():
            if low in spelt and self._has(gate):
                return gate
        for name, spelt in NAMES.items():
            if low in spelt and self._has(name):
                return name
        for gate, letters in LETTERS.items():
            for letter in letters if self._has(gate) else ():
                own = {f"w{letter}": "W", f"wx{letter}": "W", f"u{letter}": "U", f"wh{letter}": "U"}
                own |= {
                    f"b{letter}": "b",
                    f"w_{letter}": "W",
                    f"u_{letter}": "U",
                    f"b_{letter}": "b",
                }
                name = f"{own.get(low, '')}_{gate}"
                if Quantity("value", name) in self.known:
                    return name
        return None

    def parameter(self, path: str | None) -> Quantity | None:
        """The gradient that W -= lr * dW takes."""
        if path is None or re.search(r"grad|cache|mem", path.lower()):
            return None
        goal = self.goal_of(path)
        named = goal is not None and goal.kind == "value" and goal.of not in RESULTS[:3]
        return self._in_known("result", goal.of) if goal and named else None

    def _has(self, name: str) -> bool:
        return Quantity("value", name) in self.known

    def _value_named(self, low: str) -> str | None:
        """The value that a name means, h being the state before the step where the text has it so.

        dh stays what comes back from behind the step.
        """
        return low if low in tuple(self.naming.before) else self._named_so(low)

    def lookup(self, word: str, bag: str = "") -> Any:
        low = word.lower().strip("_")
        if word in self.numbers:
            return self.numbers[word]
        given = self.goal_of(word) if ABOUT_TO.fullmatch(low) else None
        if given and given.kind == "gradient" and given.of in ("h'", "c' so far"):
            return self.known[given]
        if low in ("dout", "dh", "dnext", "grad_output", "upstream"):
            return self.known[Quantity("gradient", "h'")]
        if name := self._value_named(low):
            return self.value(name)
        return self.examples if low in COUNT else 1.0 if low in RATE else None

    def _sum_named(self, inner: str) -> str | None:
        """What a gate is the activation of: z_f for af, za_f and f_in."""
        found = OF_SUMS.fullmatch(inner)
        return f"z_{found[1] or found[2]}" if found else None

    def goal_of(self, path: str) -> Quantity | None:
        keyed = re.fullmatch(r".*\['(\w+)'\]", path)
        word = (keyed[1] if keyed else path.split(".")[-1]).lower().strip("_")
        lead = ABOUT_TO.fullmatch(word)
        if lead is None:
            name = self._value_named(word)
            return Quantity("value", name) if name else None
        inner = lead[1].strip("_")
        if of_sum := self._sum_named(inner):
            return self._in_known("gradient", of_sum)
        name = self._named_so(inner)
        if name == "c'" and inner in NAMES["c'"] - {"c"}:
            return self._in_known("gradient", "c' so far")
        if name is None:
            return None
        result = name in RESULTS or name[1:2] == "_"
        return self._in_known("result" if result else "gradient", name)

    def behind(self, quantity: Quantity) -> Quantity | None:
        """∂J/∂z_f, which Ng's dft is, for ∂J/∂f; and the other way round."""
        of = quantity.of
        return self._in_known(quantity.kind, of[2:] if of[:2] == "z_" else f"z_{of}")

    def _in_known(self, kind: str, of: str) -> Quantity | None:
        quantity = Quantity(kind, of)
        return quantity if quantity in self.known else None

    def helper(self, word: str, given: list[Any], options: dict[str, Any]) -> Any:
        function = function_of(word)
        if function is None or function.op not in FORMULAS or len(given) != 1:
            raise NotReadError(f"what {word}() does")
        active, slope = FORMULAS[function.op]
        if function.kind == "activation":
            return active(given[0])
        known = {m.quantity.of for m in self.matches(given[0]) if abs(m.factor - 1) < 1e-6}
        return slope(given[0] if known & {*GATES, "h'", "tanh c'"} else active(given[0]))
