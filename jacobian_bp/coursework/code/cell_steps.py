"""One step of a recurrent cell: its values, its derivatives, and what it hands back.

h' = tanh(z),  z = W x + U h + b
c' = f c + i g,  h' = o tanh(c'),  i, f, o = σ and g = tanh of their rows of such a z
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...numbers.stable import sigmoid
from ..lines.vocabulary import Quantity

EXAMPLES, INPUTS, UNITS = 5, 3, 7
GATES = "ifgo"
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class StepArrays:
    """Values, ∂J/∂ what the step computes, and ∂J/∂ what it reads: `results`."""

    values: Arrays
    derivatives: Arrays
    results: Arrays

    def quantities(self) -> dict[Quantity, np.ndarray]:
        found = {Quantity("value", name): array for name, array in self.values.items()}
        found |= {Quantity("gradient", name): array for name, array in self.derivatives.items()}
        return found | {Quantity("result", name): array for name, array in self.results.items()}


def plain_step(x: Any, h: Any, W: Any, U: Any, b: Any, bar: Any) -> StepArrays:
    """A plain cell, `bar` being ∂J/∂h'."""
    total = x @ W.T + h @ U.T + b
    new = np.tanh(total)
    back = bar * (1 - new**2)
    values = {"x": x, "h": h, "W": W, "U": U, "b": b, "z": total, "h'": new}
    return StepArrays(values, {"h'": bar, "z": back}, handed_back(back, x, h, W, U))


def lstm_step(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any, bar: Any, kept: Any) -> StepArrays:
    """An LSTM, `bar` being ∂J/∂h' and `kept` ∂J/∂c' by what comes behind the step."""
    total = x @ W.T + h @ U.T + b
    i, f, g, o = np.split(total, 4, axis=-1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    new = f * c + i * g
    tanh = np.tanh(new)
    back = kept + bar * o * (1 - tanh**2)
    gates = {"i": back * g, "f": back * c, "g": back * i, "o": bar * tanh}
    slopes = {"i": i * (1 - i), "f": f * (1 - f), "g": 1 - g**2, "o": o * (1 - o)}
    sums = {f"z_{q}": gates[q] * slopes[q] for q in GATES}
    stacked = np.concatenate(list(sums.values()), axis=-1)
    values = {"x": x, "h": h, "c": c, "W": W, "U": U, "b": b, "z": total, "c'": new}
    values |= {"h'": o * tanh, "tanh c'": tanh, "i": i, "f": f, "g": g, "o": o}
    results = handed_back(stacked, x, h, W, U) | {"c": back * f}
    for found in (values, results):
        for place, q in enumerate(GATES):
            rows = slice(place * UNITS, (place + 1) * UNITS)
            found |= {f"{name}_{q}": found[name][rows] for name in "WUb"}
    derivatives = {"h'": bar, "c' so far": kept, "c'": back, "z": stacked, **gates, **sums}
    return StepArrays(values, derivatives, results)


def handed_back(back: Any, x: Any, h: Any, W: Any, U: Any) -> Arrays:
    """What ∂J/∂z gives: ∂J/∂ the inputs, the state before and the parameters."""
    return {"x": back @ W, "h": back @ U, "W": back.T @ x, "U": back.T @ h, "b": back.sum(0)}


def name_at(name: str, t: int) -> str:
    """The name in the sequence of what a step has: h is h_{t−1} there, and h' is h_t.

    >>> name_at("h'", 2), name_at("z", 2), name_at("c' so far", 2)
    ('h2', 'z at step 2', 'c2 through step 3')
    """
    if name in ("h", "c"):
        return f"{name}{t - 1}"
    if name == "z" or name.startswith("z_"):
        return f"{name} at step {t}"
    if name == "c' so far":
        return f"c{t} through step {t + 1}"
    return name.replace("'", "") + str(t)
