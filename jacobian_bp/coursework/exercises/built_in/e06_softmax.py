"""Exercise 6: the Jacobian of the softmax, which is not diagonal, and its null vector."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import only, vector_forms
from ..generator import PRIMES, decimals
from ..questions import ArrayQuestion, NullQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
p = softmax(z) of one vector of logits: p[k] = exp z[k] / sum over j of exp z[j]. Every class
stands in the sum, so every p reads every z, and ∂p/∂z is no diagonal matrix. Adding one number
to all logits changes nothing: what does that say about ∂p/∂z? Behind the softmax comes a cost
with the gradient g = ∂J/∂p.
"""

FORWARD = """
K = len(z)
"""

HINTS = (
    "Write p[k] = e[k]/s with s the sum, and use the quotient rule: s depends on z[j] as well.",
    "On the diagonal p[k] - p[k]^2, off the diagonal - p[k] p[j]: one diagonal matrix and one "
    "outer product.",
    "z + t (1, ..., 1) gives the same p for every t. Take the derivative by t.",
    "g is a gradient: ∂J/∂z[j] is the sum over k of g[k] ∂p[k]/∂z[j].",
)


def attempt(rng: np.random.Generator) -> Task:
    size = int(rng.choice(PRIMES[1:4]))
    z = decimals(rng.uniform(-1.5, 1.5, size))
    g = decimals(rng.uniform(0.2, 2.0, size) * rng.choice([-1.0, 1.0], size))
    return of_given({"z": z, "g": g})


def of_given(given: Mapping[str, Any]) -> Task:
    z, g = given["z"], given["g"]
    size = len(z)
    run = Network.program("p = Softmax(z)").run(z=z)
    J = run.jacobian("p", "z").materialise()
    questions = (
        ArrayQuestion("p", "softmax(z)", "np.exp(z) / np.exp(z).sum()", vector_forms(run["p"])),
        ArrayQuestion("J", "the matrix ∂p/∂z", "np.diag(p) - np.outer(p, p)", only(J)),
        NullQuestion("null", "a vector v, not 0, with J v = 0", "np.ones(K)", J, np.ones(size)),
        NumberQuestion(
            "rank", "the rank of J", "np.linalg.matrix_rank(J)", int(np.linalg.matrix_rank(J))
        ),
        ArrayQuestion("dz", "∂J/∂z from g", "J.T @ g", vector_forms(run.vjp("p", "z", g))),
    )
    return Task(questions, given, FORWARD, run)


MISTAKES = (
    Planted("not-normalised", {"p": "np.exp(z)"}, "the exponentials were not divided by their sum"),
    Planted(
        "softmax-as-elementwise",
        {"J": "np.diag(p * (1 - p))"},
        "the softmax was taken for a sigmoid: the entries off the diagonal are missing",
    ),
    Planted(
        "sign", {"J": "np.diag(p) + np.outer(p, p)"}, "the outer product was added, not subtracted"
    ),
    Planted("diagonal-missing", {"J": "-np.outer(p, p)"}, "the delta was left out"),
    Planted("only-diagonal", {"J": "np.diag(p)"}, "the sum in p was taken as a constant"),
    Planted(
        "not-a-matrix",
        {"J": "p * (1 - p)"},
        "a vector, the diagonal, stands for the matrix",
        besides={"rank": "K - 1", "dz": "p * (g - p @ g)"},
    ),
    Planted("log-softmax", {"J": "np.eye(K) - p"}, "the Jacobian of log p stands for that of p"),
    Planted("null-p", {"null": "p"}, "p stands there, which J does not send to 0"),
    Planted("null-zero", {"null": "np.zeros(K)"}, "the zero vector, which every matrix sends to 0"),
    Planted("null-unit", {"null": "np.eye(K)[0]"}, "one logit alone was moved, and that changes p"),
    Planted("full-rank", {"rank": "K"}, "a matrix with a null vector has not this rank"),
    Planted("rank-one", {"rank": "1"}, "that is the rank of the outer product alone"),
    Planted(
        "elementwise-for-contraction",
        {"dz": "p * (1 - p) * g"},
        "a product entry by entry stands for one with J",
    ),
    Planted("missing-mean", {"dz": "p * g"}, "the term that all classes share is missing"),
)

RIGHT_FORMS = (
    Planted("shifted", {"p": "np.exp(z - z.max()) / np.exp(z - z.max()).sum()"}),
    Planted("entry by entry", {"J": "p[:, None] * (np.eye(K) - p[None, :])"}),
    Planted("another null vector", {"null": "-7 * np.ones((K, 1))"}),
    Planted("without the matrix", {"dz": "p * (g - p @ g)"}),
    Planted("a row", {"p": "(np.exp(z) / np.exp(z).sum())[None]", "J": "np.diag(p[0]) - p.T @ p"}),
    Planted("rank without the matrix", {"rank": "K - 1"}),
)

EXERCISE = Exercise(
    6,
    "the softmax Jacobian and its null vector",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="the softmax of one vector has no weights, no batch and no layer",
)
