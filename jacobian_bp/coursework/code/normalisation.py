"""The function of one normalisation, BatchNorm or LayerNorm: its values, derivatives and names.

x̂ = (x − μ)/s,  s = √(var + eps),  out = gamma x̂ + beta
dx, dgamma, dbeta  from  dout = ∂J/∂out
"""

import re
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ...ops import BatchNorm, LayerNorm
from ...program.forward_pass import Pass
from ...writing.signs import dims
from ..lines.inner_names import SPOKEN
from ..lines.vocabulary import COUNT, Naming, Quantity, words
from .laid_out import Layout
from .limits import NotReadError
from .one_op import QuantitiesOfOneOp, StudiedOp
from .quantities import Quantities

EXAMPLES, UNITS, SEED = 7, 5, 19
RESULTS = ("x", "gamma", "beta")  # whose derivatives the function hands back
CARRIED = words("running_mean running_var moving_mean")  # from step to step
NAMES = {  # of what the function computes -> what courses call it
    "x": words("x input inputs x_in data"),
    "out": words("out y output"),
    **{
        name: SPOKEN[inside] - CARRIED
        for name, inside in {
            "gamma": "gamma", "beta": "beta", "xhat": "x_hat", "mu": "mu", "var": "var",
            "s": "std", "1/s": "ivar", "(x − mu)": "xmu", "(x − mu)²": "squared",
        }.items()
    },
}  # fmt: skip
SHARES = {  # what comes back through one step and through the other, in the order of cs231n
    **dict.fromkeys((f"{word}1" for word in SPOKEN["xmu"]), "(x − mu) through x̂ alone"),
    **dict.fromkeys((f"{word}2" for word in SPOKEN["xmu"]), "(x − mu) through s alone"),
    "x1": "(x − mu)",
    "x2": "x through mu alone",
}
GRADIENT = re.compile(r"(?:grad_|dl_d|dloss_d|d_|d)(.+)")
UPSTREAM = words("dout dy d_out grad_output grad_out upstream dl_dout")
NUMBERS = {"momentum": 0.9}


class StudiedNorm(StudiedOp):
    """One normalisation, of examples in rows."""

    def layouts(self, convention: Convention | None) -> list[Layout]:
        axes = [convention.examples] if convention else ["rows", "columns"]
        return [Layout(Convention(examples)) for examples in axes]

    def quantities(self, layout: Layout, naming: Naming, numbers: dict[str, float]) -> Quantities:
        return NormQuantities(self, layout, naming, numbers)  # type: ignore[arg-type]

    def read_as(self, layout: Layout, naming: Naming) -> str:
        sizes = (EXAMPLES, UNITS) if layout.convention.examples == "rows" else (UNITS, EXAMPLES)
        how = f"examples in {layout.convention.examples}, eps = {getattr(self.op, 'eps', 0.0):g}"
        return f"Read as {self.op.name} of x {dims(sizes)}, {how}."


def studied_norm(state: Pass) -> StudiedNorm | None:
    """The network's one normalisation in training; None where there is none, or more."""
    found = [s.op for s in state.program.steps if isinstance(s.op, BatchNorm | LayerNorm)]
    if len(found) != 1 or not getattr(found[0], "training", True):
        return None
    op = found[0]
    draw = np.random.default_rng(SEED)
    x, dout = draw.standard_normal((2, EXAMPLES, UNITS))
    gamma, beta = draw.standard_normal((2, UNITS))
    axis = 0 if isinstance(op, BatchNorm) else 1
    arrays = _arrays(op, axis, x, gamma, beta, dout)
    return StudiedNorm(arrays, op, state, examples=EXAMPLES)


def _arrays(op: Any, axis: int, x: Any, gamma: Any, beta: Any, dout: Any) -> dict[Quantity, Any]:
    count = x.shape[axis]
    centred = x - x.mean(axis, keepdims=True)
    var = (centred**2).mean(axis, keepdims=True)
    s = np.sqrt(var + op.eps)
    dxhat = dout * gamma
    dinverse = (dxhat * centred).sum(axis, keepdims=True)
    ds = -dinverse / s**2
    values = {
        "x": x, "gamma": gamma, "beta": beta, "out": op.forward(x, gamma, beta),
        "xhat": centred / s, "mu": x.mean(axis), "var": var.squeeze(), "s": s.squeeze(),
        "1/s": (1 / s).squeeze(), "(x − mu)": centred, "(x − mu)²": centred**2,
    }  # fmt: skip
    dvar, dmu = ds / (2 * s), -(dxhat / s).sum(axis, keepdims=True)
    every = np.ones_like(x)
    derivatives = {
        "out": dout, "xhat": dxhat, "1/s": dinverse.squeeze(), "s": ds.squeeze(),
        "var": dvar.squeeze(), "mu": dmu.squeeze(), "(x − mu)²": every * dvar / count,
        "(x − mu) through x̂ alone": dxhat / s,
        "(x − mu) through s alone": 2 * centred * dvar / count,
        "(x − mu)": dxhat / s + 2 * centred * dvar / count,
        "x through mu alone": every * dmu / count,
    }  # fmt: skip
    values |= {  # the sums of the closed form
        "Σ dx̂": dxhat.sum(axis), "Σ dx̂ x̂": (dxhat * centred / s).sum(axis),
        "x̂ Σ dx̂ x̂": centred / s * (dxhat * centred / s).sum(axis, keepdims=True),
    }  # fmt: skip
    pulled = op.vjp(dout, x, gamma, beta)
    found = {Quantity("value", name): array for name, array in values.items()}
    found |= {Quantity("gradient", name): array for name, array in derivatives.items()}
    return found | {Quantity("result", name): pulled[name] for name in RESULTS}


class NormQuantities(QuantitiesOfOneOp):
    """The quantities of a normalisation, under the names that courses give them."""

    @property
    def output(self) -> str:
        return "out"

    def _laid(self, quantity: Quantity, array: np.ndarray) -> np.ndarray:
        """The array as a text has it; a mean stands beside what it is the mean of."""
        array = np.array(array, float)
        if array.ndim == 2:
            return array.T.copy() if self.columns else array
        of_examples = len(array) == EXAMPLES
        return array[:, None] if of_examples != self.columns else array

    def lookup(self, word: str, bag: str = "") -> Any:
        low = word.lower().strip("_")
        if word in self.numbers:
            return self.numbers[word]
        if low in UPSTREAM:
            return self.known[Quantity("gradient", "out")]
        if low in ("eps", "epsilon"):
            return self.studied.op.eps
        for name, spelt in NAMES.items():
            if low in spelt:
                return self.value(name)
        if low in COUNT:
            return EXAMPLES
        if low in ("d", "features", "num_features"):
            return UNITS
        if low in CARRIED:
            return np.zeros_like(self.value("mu"))
        return NUMBERS.get(low)

    def goal_of(self, path: str) -> Quantity | None:
        keyed = re.fullmatch(r".*\['(\w+)'\]", path)
        word = (keyed[1] if keyed else path.split(".")[-1]).lower()
        if word in UPSTREAM:
            return Quantity("gradient", "out")
        lead = GRADIENT.fullmatch(word)
        if lead and lead[1] in SHARES:
            return Quantity("gradient", SHARES[lead[1]])
        for name, spelt in NAMES.items():
            if lead and lead[1] in spelt:
                return Quantity("result" if name in RESULTS else "gradient", name)
        for name, spelt in NAMES.items():
            if word in spelt:
                return Quantity("value", name)
        return None

    def helper(self, word: str, given: list[Any], options: dict[str, Any]) -> Any:
        raise NotReadError(f"what {word}() does")

    @property
    def lists(self) -> dict[str, list[np.ndarray]]:
        return {}
