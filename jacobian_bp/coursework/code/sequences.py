"""The steps of a recurrent network one after the other: their values and derivatives.

h_t = tanh(W x_t + U h_{t−1} + b), or an LSTM's;  score_t = V h_t + by;  p_t = softmax(score_t)
∂J/∂h_t = what score_t hands back + what step t+1 hands back;  ∂J/∂W = Σ_t the share of step t
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ...program.forward_pass import Pass
from ...writing.signs import dims
from ..lines.vocabulary import Naming, Quantity
from .cell_steps import EXAMPLES, INPUTS, UNITS, StepArrays, lstm_step, name_at, plain_step
from .cells import StudiedCell, studied_cell
from .gru import StudiedGRU, studied_gru
from .laid_out import Layout
from .parsing import Parsed
from .quantities import Quantities
from .sequence_names import SequenceQuantities

STEPS, OUTPUTS, SEED, SCALE = 3, 2, 29, 0.6
SHARED = ("W", "U", "b")
CODED = re.compile(  # x[inputs[t]] = 1, dy[targets[t]] -= 1, ps[t][targets[t], 0]
    r"\[ *(?:(?:np\.arange\([^\[\]]*\)|:) *, *)?(\w+)(?:\[\w+\])? *(?:, *0)? *\]"
    r" *(?:[+-]?=(?!=)|\)|,|\*|\+)"
)
INPUTS_BY = re.compile(r"\b(?:inputs?|xs?|X)\b")
MIDDLE, LAST = re.compile(r"\[ *: *, *\w+ *(?:[-+] *1 *)?[,\]]"), re.compile(r"\[ *: *, *: *, *\w")
OVER_AXIS = re.compile(r"\baxis *=|/ ?[mN]\b|batch_size|shape\[0\] *\n")
FROM_ZERO = re.compile(
    r"\b(?:hs?|s|as?|h_?prev|prev_h|h_?0|h_init|cs?)(?:\[-?\w+\])? *= *np\.zeros"
)
BOTH = re.compile(r"\bU\b[\s\S]*\bW\b|\bW\b[\s\S]*\bU\b")  # U for x and W for h, or W for x
STATE_A = re.compile(r"\ba_?(?:next|prev|0)\b|\bWaa\b")  # the state is called a
OF_CLASSES = re.compile(  # a softmax, its output, or a 1 taken off at the class
    r"softmax|exp\((?! *-)|\blog\(|\bp(?:s|t|_t|robs?|reds?)?\b|y_?hats?|-= *1\b"
)
OF_BIAS = re.compile(r"\bd?b_?(?:\d|[a-z]{1,2})?\b|bias", re.IGNORECASE)
VOCABULARY = re.compile(r"\bvocab(?:ulary)?_?size\b|\bword_dim\b|\bV\b(?! *(?:\.|@|=))")


@dataclass(frozen=True)
class StudiedSequence(StudiedCell):
    """Three steps of a recurrent network, of examples in rows."""

    squares: bool = False  # the losses are squares of y − target; else of classes

    @property
    def is_of_steps(self) -> bool:
        return True

    def namings(self, text: str) -> Sequence[Naming]:
        times = "last" if LAST.search(text) else "middle" if MIDDLE.search(text) else "list"
        words = {found[1].lower() for found in CODED.finditer(text)}
        coded = "".join(
            letter for letter, names in (("x", CODED_INPUTS), ("y", CODED_LABELS)) if words & names
        )
        coded += "v" * bool(VOCABULARY.search(text)) + "a" * bool(STATE_A.search(text))
        coded += "n" * (not OF_BIAS.search(text))
        starts = ["", "0"] if FROM_ZERO.search(text) else [""]
        orders = ["", "u"] if BOTH.search(text) else [""]
        losses = ["", "l"]  # of each step, or of the last one alone
        gates = [naming.gates for naming in super().namings(text)]
        first = ["last", "first"] if times == "list" else ["last"]
        return [
            Naming(times=times, coded=coded + order + start + loss, gates=g, kept=kept)
            for loss, g, order, start, kept in product(losses, gates, orders, starts, first)
        ]

    def is_of_examples(self, text: str) -> bool:
        """A softmax of one example has a sum, too: only one over an axis is over examples."""
        several = MIDDLE.search(text) or LAST.search(text) or OVER_AXIS.search(text)
        return bool(several)

    def quantities(self, layout: Layout, naming: Naming, numbers: dict[str, float]) -> Quantities:
        studied = self.drawn(1 if layout.one else EXAMPLES, naming.coded)
        return SequenceQuantities(studied, layout, naming, numbers)

    def drawn(self, examples: int, coded: str) -> "StudiedSequence":
        """The sequence for so many examples, its inputs one-hot where they are classes."""
        arrays = sequence_arrays(self.is_lstm, self.squares, examples, coded)
        return replace(self, arrays=arrays, examples=examples)

    @property
    def is_lstm(self) -> bool:
        return Quantity("value", "c0") in self.arrays or Quantity("value", "c") in self.arrays

    def read_as(self, layout: Layout, naming: Naming) -> str:
        rows = layout.convention.examples == "rows"
        sizes: tuple[int, ...] = (EXAMPLES, INPUTS) if rows else (INPUTS, EXAMPLES)
        if layout.one:
            sizes = (INPUTS,) if rows else (INPUTS, 1)
        last = ", a loss of the last alone" if "l" in naming.coded else ""
        cell = f"LSTM, gates in the order {', '.join(naming.gates)}" if self.is_lstm else "RNN"
        return f"Read as {STEPS} steps of an {cell}, each of x {dims(sizes)}{last}, {layout}."


CODED_INPUTS = frozenset({"inputs", "input", "x", "xs", "idx", "ix"})
CODED_LABELS = frozenset({"targets", "target", "y", "ys", "labels", "label"})


def studied_cells(state: Pass) -> StudiedCell | None:
    """The network's cell, or its cells of one kind; None where it has none."""
    return studied_cell(state, several=True) or studied_gru(state)


def for_text(cell: StudiedCell, parsed: Parsed) -> StudiedCell:
    """Several steps of a cell, where a text goes through them in a loop; else the one step."""
    loops = any(isinstance(node, ast.For) for s in parsed.body for node in ast.walk(s))
    if not loops or isinstance(cell, StudiedGRU):
        return cell
    ops = {step.op.name for step in cell.state.program.steps}
    squares = "HalfSquaredError" in ops and (
        "Linear" in ops or not OF_CLASSES.search(parsed.walked)
    )
    found = StudiedSequence(cell.arrays, cell.op, cell.state, squares=squares)
    return found.drawn(EXAMPLES, "")


def sequence_arrays(
    of_lstm: bool, squares: bool, examples: int, coded: str
) -> dict[Quantity, np.ndarray]:
    """Every value and derivative of the steps, by names such as h2 and "z at step 2"."""
    normal = np.random.default_rng(SEED).standard_normal

    def draw(*shape: int) -> np.ndarray:
        return np.asarray(normal(shape) * SCALE)

    rows, outputs = (4 if of_lstm else 1) * UNITS, INPUTS if "v" in coded else OUTPUTS
    xs = draw(STEPS, examples, INPUTS)
    if "x" in coded:
        xs = np.eye(INPUTS)[np.arange(STEPS * examples).reshape(STEPS, examples) % INPUTS]
    h, c = draw(examples, UNITS), draw(examples, UNITS)
    h, c = (h * 0, c * 0) if "0" in coded else (h, c)
    weights = {"W": draw(rows, INPUTS), "U": draw(rows, UNITS), "b": draw(rows)}
    V, by = draw(outputs, UNITS), draw(outputs)
    if "n" in coded:  # the text has no biases
        weights["b"], by = weights["b"] * 0, by * 0
    targets = draw(STEPS, examples, outputs)
    if not squares:
        targets = np.eye(outputs)[targets.argmax(-1)]
    values = {**weights, "V": V, "by": by, "h0": h} | ({"c0": c} if of_lstm else {})

    def step(t: int, bar: Any, kept: Any) -> StepArrays:
        given = {"x": xs[t - 1], "h": values[f"h{t - 1}"], **weights, "bar": bar}
        if of_lstm:
            return lstm_step(**given, c=values[f"c{t - 1}"], kept=kept)
        return plain_step(**given)

    zeros = np.zeros_like(h)
    for t in range(1, STEPS + 1):
        made = step(t, zeros, zeros).values
        values |= {name_at(name, t): made[name] for name in made if name not in SHARED}
        values |= {name: made[name] for name in made if name[1:2] == "_" and name[0] in "WUb"}
        values[f"score{t}"] = values[f"h{t}"] @ V.T + by
        grown = np.exp(values[f"score{t}"])
        values[f"p{t}"] = grown / grown.sum(-1, keepdims=True)
        values[f"y{t}"] = targets[t - 1]
    gradients: dict[str, np.ndarray] = {}
    shares: dict[str, list[np.ndarray]] = {}
    bar_h, bar_c = zeros, zeros
    for t in range(STEPS, 0, -1):
        output = values[f"score{t}"] if squares else values[f"p{t}"]
        dy = (output - targets[t - 1]) * (t == STEPS or "l" not in coded)
        gradients |= {f"score{t}": dy, f"h{t} by score{t}": dy @ V}
        by_score = step(t, dy @ V, zeros).derivatives["z"]
        gradients[f"{name_at('z', t)} by score{t}"] = by_score
        of = step(t, bar_h + dy @ V, bar_c)
        gradients |= {name_at(name, t): array for name, array in of.derivatives.items()}
        bar_h = gradients[f"h{t - 1} through step {t}"] = of.results["h"]
        bar_c = of.results.get("c", zeros)
        gradients[f"x{t}"] = of.results["x"]
        if of_lstm:
            gradients[f"c{t - 1} through step {t}"] = bar_c
        own = {n: a for n, a in of.results.items() if n[0] in "WUb"}
        for name, share in {**own, "V": dy.T @ values[f"h{t}"], "by": dy.sum(0)}.items():
            shares.setdefault(name, []).append(share)
    found = {Quantity("value", name): array for name, array in values.items()}
    found |= {Quantity("gradient", name): array for name, array in gradients.items()}
    for name, parts in shares.items():
        found[Quantity("result", name)] = np.sum(parts, axis=0)
        for t, part in zip(range(STEPS, 0, -1), parts, strict=True):
            found[Quantity("share", f"the share of step {t} in ∂J/∂{name}")] = part
    each = range(1, STEPS + 1)
    for name in ("x", "h", "score", "p", "y", *(["c", *"ifgo"] if of_lstm else [])):
        found[Quantity("value", name)] = np.stack([values[f"{name}{t}"] for t in each])
    found[Quantity("result", "x")] = np.stack([gradients[f"x{t}"] for t in each])
    by_scores = np.stack([gradients[f"h{t} by score{t}"] for t in each])
    found[Quantity("gradient", "h by the scores")] = by_scores
    found[Quantity("gradient", "score")] = np.stack([gradients[f"score{t}"] for t in each])
    return found
