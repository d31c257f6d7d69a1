"""The function of one step of a GRU, in the four forms that courses write it in.

r, z = σ of their W x + U h + b,  n = tanh(W x + r U h + b) or tanh(W x + U (r h) + b)
h' = (1 − z) n + z h  or  z n + (1 − z) h
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ...numbers.stable import sigmoid
from ...ops.gated import GRUCell
from ...program.forward_pass import Pass
from ...writing.signs import dims
from ..lines.vocabulary import Naming, Quantity, words
from .cell_steps import EXAMPLES, INPUTS, UNITS, StepArrays
from .cells import NAMES, CellQuantities, StudiedCell
from .laid_out import Layout
from .quantities import Quantities

SEED, GATES = 37, "rzn"
FORMS = [f"{reset} {kept}" for reset, kept in product(("behind", "before"), ("old", "new"))]
OF_GATES = {
    "r": words("r rt r_t rg reset reset_gate"),
    "z": words("z zt z_t u ut u_t zg update update_gate gamma_u"),
    "n": words("n nt n_t g cand candidate h_tilde h_hat hhat htilde h_cand hcand hc n_gate new"),
    "(U h) of n": words("hn h_n un_h uh hh nh u_h"),
    "r h": words("rh r_h reset_h h_reset hr rh_prev"),
}
LETTERS = {"r": "r", "z": "z", "u": "z", "n": "n", "h": "n", "g": "n", "c": "n"}
WEIGHTS = re.compile(r"(w|wx|wi|u|wh|r|b)_?([rzunhgc])")
SUMS = re.compile(r"(?:a|z|pre)_?([rzunhg])(?:_?t)?|([rzunhg])_?(?:raw|pre|in|input|sum)")


def gru_step(form: str, given: dict[str, Any], bar: Any) -> StepArrays:
    """A GRU of a form, its parameters a gate each: W_r, U_r, b_r, …; `bar` is ∂J/∂h'."""
    x, h = given["x"], given["h"]
    behind, old = form.split()[0] == "behind", form.split()[1] == "old"

    def total(q: str, read: Any) -> Any:
        return x @ given[f"W_{q}"].T + read @ given[f"U_{q}"].T + given[f"b_{q}"]

    r, z = sigmoid(total("r", h)), sigmoid(total("z", h))
    of_h = h @ given["U_n"].T
    inner = x @ given["W_n"].T + r * of_h + given["b_n"] if behind else total("n", r * h)
    n = np.tanh(inner)
    values = {**given, "r": r, "z": z, "n": n, "h'": (1 - z) * n + z * h}
    if not old:
        values["h'"] = z * n + (1 - z) * h
    dn, dz = (bar * (1 - z), bar * (h - n)) if old else (bar * z, bar * (n - h))
    sums = {"n": dn * (1 - n**2), "z": dz * z * (1 - z)}
    back_h = bar * z if old else bar * (1 - z)
    if behind:
        values["(U h) of n"], read_n, sum_u = of_h, h, sums["n"] * r
        dr, more = sums["n"] * of_h, {"(U h) of n": sum_u}
        back_h = back_h + sum_u @ given["U_n"]
    else:
        values["r h"], read_n, sum_u = r * h, r * h, sums["n"]
        more = {"r h": sum_u @ given["U_n"]}
        dr = more["r h"] * h
        back_h = back_h + more["r h"] * r
    sums["r"] = dr * r * (1 - r)
    results = {"x": sum(sums[q] @ given[f"W_{q}"] for q in GATES)}
    results["h"] = back_h + sums["r"] @ given["U_r"] + sums["z"] @ given["U_z"]
    for q in GATES:
        of, read = (sum_u, read_n) if q == "n" else (sums[q], h)
        results |= {f"W_{q}": sums[q].T @ x, f"U_{q}": of.T @ read, f"b_{q}": sums[q].sum(0)}
    kept = bar * z if old else bar * (1 - z)
    derivatives = {"h'": bar, "n": dn, "z": dz, "r": dr, "h kept by z alone": kept, **more}
    return StepArrays(values, derivatives | {f"z_{q}": sums[q] for q in GATES}, results)


@dataclass(frozen=True)
class StudiedGRU(StudiedCell):
    """One step of a GRU; which form it has is told from the text."""

    def namings(self, text: str) -> Sequence[Naming]:
        return [Naming(gates=form) for form in FORMS]

    def quantities(self, layout: Layout, naming: Naming, numbers: dict[str, float]) -> Quantities:
        arrays = gru_arrays(naming.gates, 1 if layout.one else EXAMPLES)
        studied = replace(self, arrays=arrays, examples=1 if layout.one else EXAMPLES)
        return GRUQuantities(studied, layout, naming, numbers)

    def read_as(self, layout: Layout, naming: Naming) -> str:
        rows = layout.convention.examples == "rows"
        sizes: tuple[int, ...] = (EXAMPLES, INPUTS) if rows else (INPUTS, EXAMPLES)
        if layout.one:
            sizes = (INPUTS,) if rows else (INPUTS, 1)
        reset, kept = naming.gates.split()
        inner = "W x + r (U h) + b" if reset == "behind" else "W x + U (r h) + b"
        state = "(1 − z) n + z h" if kept == "old" else "z n + (1 − z) h"
        own = "" if naming.gates == FORMS[0] else "; the run's own has r (U h) and (1 − z) n + z h"
        return (
            f"Read as GRUCell of x {dims(sizes)}, {layout}, n = tanh({inner}), h' = {state}{own}."
        )


def studied_gru(state: Pass) -> StudiedGRU | None:
    """The network's step of a GRU, or its steps; None where it has none."""
    found = [step.op for step in state.program.steps if isinstance(step.op, GRUCell)]
    if not found:
        return None
    return StudiedGRU(gru_arrays(FORMS[0], EXAMPLES), found[0], state, examples=EXAMPLES)


def gru_arrays(form: str, examples: int) -> dict[Quantity, Any]:
    """Every value and derivative of a step, at random numbers."""
    draw = np.random.default_rng(SEED).standard_normal
    given: dict[str, Any] = {}
    for q in GATES:
        given |= {f"W_{q}": draw((UNITS, INPUTS)), f"U_{q}": draw((UNITS, UNITS))}
        given[f"b_{q}"] = draw(UNITS)
    given |= {"x": draw((EXAMPLES, INPUTS))[:examples], "h": draw((EXAMPLES, UNITS))[:examples]}
    return gru_step(form, given, draw((EXAMPLES, UNITS))[:examples]).quantities()


class GRUQuantities(CellQuantities):
    """The quantities of a step of a GRU, under the names that courses give them."""

    def _named_so(self, low: str) -> str | None:
        for name in ("x", "h", "h'"):
            if low in NAMES[name] and low not in ("a", "s"):
                return name
        for gate, spelt in OF_GATES.items():
            if low in spelt and self._has(gate):
                return gate
        if weight := WEIGHTS.fullmatch(low):
            kind = "b" if weight[1] == "b" else "U" if weight[1] in ("u", "wh", "r") else "W"
            return f"{kind}_{LETTERS[weight[2]]}"
        return None

    def _sum_named(self, inner: str) -> str | None:
        found = SUMS.fullmatch(inner)
        return f"z_{LETTERS[found[1] or found[2]]}" if found else None
