"""Exercise 20: attention taken back: three paths to the tokens, and what a scale is for."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import matrix_forms, only
from ..generator import Redraw, numbers
from ..questions import ArrayQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Attention of T tokens to each other, one head: the rows of X are tokens, Q = X Wq^T, K = X Wk^T,
V = X Wv^T, the scores S = Q K^T / sqrt(d) with d the length of a row of K, P the softmax of each
row of S, and O = P V. Behind it comes a cost with the gradient g = ∂J/∂O. Three paths lead from X
to O.
"""

FORWARD = """
T, d = len(X), len(Wk)
Q, K, V = X @ Wq.T, X @ Wk.T, X @ Wv.T
S = Q @ K.T / np.sqrt(d)
P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
O = P @ V
"""

HINTS = (
    "O is a product: dP = g V^T and dV = P^T g.",
    "A row of P is the softmax of a row of S: dS = P (dP - sum over the row of dP P).",
    "S is a product too, divided by sqrt(d): dQ = dS K / sqrt(d), and dK = dS^T Q / sqrt(d).",
    "X is read three times, so dX is a sum of three terms; each weight is read by all tokens, so "
    "its gradient is a sum over the tokens.",
)


def attempt(rng: np.random.Generator) -> Task:
    tokens, width, head = ((3, 2, 5), (5, 3, 2), (3, 5, 2))[int(rng.integers(3))]
    X, g = numbers(rng, tokens, width), numbers(rng, tokens, head)
    Wq, Wk, Wv = numbers(rng, 3, head, width)
    if np.abs(X @ Wq.T @ Wk @ X.T).max() / np.sqrt(head) > 3:
        raise Redraw("no row of P is nearly a one and zeros")
    return of_given({"X": X, "Wq": Wq, "Wk": Wk, "Wv": Wv, "g": g})


def of_given(given: Mapping[str, Any]) -> Task:
    X, Wq, Wk, Wv, g = (given[name] for name in ("X", "Wq", "Wk", "Wv", "g"))
    run = Network.program(
        "Q = Einsum(X, Wq, 'ti,hi->th')",
        "K = Einsum(X, Wk, 'ti,hi->th')",
        "V = Einsum(X, Wv, 'ti,hi->th')",
        "S = Einsum(Q, K, c, 'th,uh,->tu')",
        "P = Softmax(S)",
        "O = Einsum(P, V, 'tu,uh->th')",
        "J = Einsum(O, g, 'th,th->')",
        params={"Wq": Wq, "Wk": Wk, "Wv": Wv},
    ).run(X=X, g=g, c=1 / np.sqrt(len(Wk)))
    gradients = run.gradients()

    def back(name: str, solution: str, ask: str = "") -> ArrayQuestion:
        right = only(run.vjp("J", name, 1.0))
        return ArrayQuestion(f"d{name}", f"∂J/∂{name}{ask}", solution, right, key=name)

    def weight(name: str, solution: str) -> ArrayQuestion:
        right = matrix_forms(gradients[name])
        return ArrayQuestion(f"d{name}", f"∂J/∂{name}", solution, right, key=name)

    questions = (
        back("P", "g @ V.T"),
        back("V", "P.T @ g"),
        back("S", "P * (dP - (dP * P).sum(axis=1, keepdims=True))", ", from dP"),
        back("Q", "dS @ K / np.sqrt(d)", ", from dS"),
        back("K", "dS.T @ Q / np.sqrt(d)", ", from dS"),
        weight("Wq", "dQ.T @ X"),
        weight("Wk", "dK.T @ X"),
        weight("Wv", "dV.T @ X"),
        back("X", "dQ @ Wq + dK @ Wk + dV @ Wv", ", from dQ, dK and dV"),
    )
    return Task(questions, given, FORWARD, run)


LOST = "the 1/sqrt(d) of the scores was lost"
MISTAKES = (
    Planted("value-turned", {"dP": "V @ g.T"}, "{formula: V @ g.T} stands for its transpose"),
    Planted("weights-turned", {"dV": "P @ g"}, "P stands for its transpose"),
    Planted("weights-missing", {"dV": "g"}, "P is missing: a token gets what comes back to itself"),
    Planted(
        "softmax-as-elementwise",
        {"dS": "P * (1 - P) * dP"},
        "each weight was taken to read its own score only",
    ),
    Planted(
        "wrong-axis",
        {"dS": "P * (dP - (dP * P).sum(axis=0))"},
        "the sum goes along a column; a row is what sums to 1",
    ),
    Planted("term-missing", {"dS": "P * dP"}, "the sum over the row was left out"),
    Planted("scale-lost", {"dQ": "dS @ K"}, LOST),
    Planted("scale-squared", {"dQ": "dS @ K / d"}, "1/d stands for 1/sqrt(d)"),
    Planted("query-for-key", {"dQ": "dS @ Q / np.sqrt(d)"}, "Q stands for K"),
    Planted(
        "scores-turned, dQ",
        {"dQ": "dS.T @ K / np.sqrt(d)"},
        "dS stands there transposed",
        label="scores-turned",
    ),
    Planted("scale-lost, dK", {"dK": "dS.T @ Q"}, LOST, label="scale-lost"),
    Planted("scores-turned", {"dK": "dS @ Q / np.sqrt(d)"}, "dS stands there not transposed"),
    Planted("key-for-query", {"dK": "dS.T @ K / np.sqrt(d)"}, "K stands for Q"),
    Planted(
        "mean-over-tokens", {"dWq": "dQ.T @ X / T"}, "the mean over the tokens stands for their sum"
    ),
    Planted("last-token-only", {"dWq": "np.outer(dQ[-1], X[-1])"}, "one token alone was counted"),
    Planted("query-weight-for-key", {"dWk": "dQ.T @ X"}, "dQ stands for dK"),
    Planted(
        "mean-over-tokens, dWv",
        {"dWv": "dV.T @ X / T"},
        "the mean over the tokens stands for their sum",
        label="mean-over-tokens",
    ),
    Planted("weights-skipped", {"dWv": "g.T @ X"}, "g stands for dV: P was left out"),
    Planted("value-path-only", {"dX": "dV @ Wv"}, "the paths through the scores are missing"),
    Planted("value-path-missing", {"dX": "dQ @ Wq + dK @ Wk"}, "the path through V is missing"),
    Planted("key-path-missing", {"dX": "dQ @ Wq + dV @ Wv"}, "the path through K is missing"),
    Planted("wrong-weight", {"dX": "dQ @ Wk + dK @ Wq + dV @ Wv"}, "Wq and Wk were exchanged"),
)

RIGHT_FORMS = (
    Planted("a column for the sum", {"dS": "P * (dP - (dP * P).sum(axis=1)[:, None])"}),
    Planted(
        "row by row", {"dS": "np.stack([(np.diag(p) - np.outer(p, p)) @ r for p, r in zip(P, dP)])"}
    ),
    Planted(
        "einsum",
        {
            "dWq": "np.einsum('th,ti->hi', dQ, X)",
            "dK": "np.einsum('tu,th->uh', dS, Q) / np.sqrt(d)",
        },
    ),
    Planted("gradients transposed", {"dWq": "X.T @ dQ", "dWk": "X.T @ dK", "dWv": "X.T @ dV"}),
    Planted("side by side", {"dX": "np.hstack([dQ, dK, dV]) @ np.vstack([Wq, Wk, Wv])"}),
)

EXERCISE = Exercise(
    20,
    "attention taken back",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="the tokens of one text are no batch of examples",
)
