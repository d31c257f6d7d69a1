"""Exercise 18: an embedding taken back: rows that are read twice, windows that overlap."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import only
from ..generator import Redraw, numbers
from ..questions import ArrayQuestion, MaskQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A table E has a row of D entries for each of V words. A text is T word numbers u; e[t] = E[u[t]] are
the rows that it reads, and some words stand in the text more than once. Then windows of Q rows,
each of which begins one row after the one before: h[p,q] = e[p + q]. Behind them comes a cost with
the gradient g = ∂J/∂h, of the axes p, q and that of a row.
"""

FORWARD = """
V, D = E.shape
T, Q = len(u), g.shape[1]
e = E[u]
at = np.arange(T - Q + 1)[:, None] + np.arange(Q)
h = e[at]
"""

HINTS = (
    "∂e[t,d]/∂E[v,d'] = delta[v, u[t]] delta[d,d']: a row is copied, so all slopes are 0 or 1.",
    "A row of e stands in up to Q windows, and what comes back from all of them is added.",
    "With H[t,v] = delta[v, u[t]], e = H E; so dE = H^T de, which adds up the rows of a word that "
    "stands in the text more than once.",
)


def attempt(rng: np.random.Generator) -> Task:
    words, width, length = ((7, 3, 5), (7, 2, 5), (8, 3, 6))[int(rng.integers(3))]
    u = rng.integers(0, words, length)
    if len(np.unique(u)) >= length - 1 or len(np.unique(u)) < 3:
        raise Redraw("words come again, and there are three or more")
    return of_given(
        {"E": numbers(rng, words, width), "u": u, "g": numbers(rng, length - 1, 2, width)}
    )


def of_given(given: Mapping[str, Any]) -> Task:
    E, u, g = (given[name] for name in ("E", "u", "g"))
    length, taps = len(u), g.shape[1]
    places = np.arange(length - taps + 1)[:, None] + np.arange(taps)
    run = Network.program(
        "e = Embedding(u, E)",
        "h = Einsum(e, Q, 'td,pqt->pqd')",
        "J = Einsum(h, g, 'pqd,pqd->')",
        params={"E": E},
    ).run(u=u, g=g, Q=np.eye(length)[places], axes={"u": "t"})
    look_up = run.jacobian("e", "E")
    questions = (
        MaskQuestion(
            "H",
            "H[t,v], 1 where e[t] is the row E[v], else 0",
            "(u[:, None] == np.arange(V)) * 1.0",
            only(look_up.materialise()[:, 0, :, 0]),
        ),
        NumberQuestion(
            "ones",
            "how many entries of ∂e/∂E, of the axes t, d, v, d', are not 0",
            "T * D",
            look_up.structural_nonzeros,
        ),
        NumberQuestion(
            "untouched",
            "how many rows of ∂J/∂E are 0 whatever g is",
            "V - len(np.unique(u))",
            int((look_up.materialise().sum(axis=(0, 1, 3)) == 0).sum()),
        ),
        ArrayQuestion(
            "de",
            "∂J/∂e, from g",
            "np.einsum('pqd,pqt->td', g, np.eye(T)[at])",
            only(run.vjp("J", "e", 1.0)),
            key="e",
        ),
        ArrayQuestion("dE", "∂J/∂E, from de", "H.T @ de", only(run.gradients()["E"]), key="E"),
    )
    return Task(questions, given, FORWARD, run)


MISTAKES = (
    Planted(
        "one-hot-turned",
        {"H": "(np.arange(V)[:, None] == u) * 1.0"},
        "the words stand along the first axis; the places t belong there",
        besides={"dE": "H @ de"},
    ),
    Planted(
        "place-for-word",
        {"H": "(np.arange(T)[:, None] == np.arange(V)) * 1.0"},
        "the place t stands for the word u[t]",
    ),
    Planted("counted-as-matrix", {"ones": "T"}, "the ones of H were counted, without the axis d"),
    Planted("all-words", {"ones": "T * V * D"}, "words that are not read were counted"),
    Planted("all-pairs", {"ones": "T * D * D"}, "the delta between d and d' is missing"),
    Planted("touched", {"untouched": "len(np.unique(u))"}, "the words that are read were counted"),
    Planted(
        "places-counted", {"untouched": "V - T"}, "a word was counted as often as it stands there"
    ),
    Planted(
        "overwritten-window",
        {"de": "np.concatenate([g[:, 0], g[-1:, 1]])"},
        "where windows overlap the last one was kept, as by de[at] = g; they are added",
        label="summand-overwritten",
    ),
    Planted(
        "windows-averaged",
        {
            "de": "np.einsum('pqd,pqt->td', g, np.eye(T)[at])"
            " / np.eye(T)[at].sum(axis=(0, 1))[:, None]"
        },
        "the mean over the windows of a row stands for their sum",
    ),
    Planted(
        "first-of-window",
        {"de": "np.concatenate([g[:, 0], 0 * g[-1:, 0]])"},
        "the first row of each window alone was counted",
    ),
    Planted(
        "overwritten-index",
        {"dE": "(H * (H[::-1].cumsum(axis=0)[::-1] == 1)).T @ de"},
        "of a word that comes again the last place was kept, as by dE[u] = de; they are added",
    ),
    Planted(
        "first-place-only",
        {"dE": "(H * (H.cumsum(axis=0) == 1)).T @ de"},
        "of a word that comes again the first place was kept; they are added",
    ),
    Planted(
        "mean-over-tokens", {"dE": "H.T @ de / T"}, "the mean over the places stands for their sum"
    ),
    Planted(
        "mean-of-a-word",
        {"dE": "H.T @ de / np.maximum(1, H.sum(axis=0))[:, None]"},
        "the mean over the places of a word stands for their sum",
    ),
    Planted(
        "table-times-gradient",
        {"dE": "(H.T @ de) * E"},
        "what comes back was multiplied by the table",
    ),
)

RIGHT_FORMS = (
    Planted("rows of the identity", {"H": "np.eye(V)[u]"}),
    Planted(
        "shifted and added",
        {"de": "np.pad(g[:, 0], ((0, 1), (0, 0))) + np.pad(g[:, 1], ((1, 0), (0, 0)))"},
    ),
    Planted(
        "place by place", {"dE": "sum(np.outer(np.arange(V) == u[t], de[t]) for t in range(T))"}
    ),
    Planted("einsum", {"dE": "np.einsum('tv,td->vd', np.eye(V)[u], de)"}),
    Planted(
        "counted", {"ones": "h.shape[0] * D + D", "untouched": "sum(v not in u for v in range(V))"}
    ),
)

EXERCISE = Exercise(
    18,
    "an embedding taken back",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="a table of words is no layer's weight, and one text has no batch",
)
