"""Exercise 8: the Jacobian of layer normalisation, and its two null vectors."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....algebra.expression import delta, dense, one
from ....network.network import Network
from ....ops import Op
from ..accepted_forms import only, vector_forms
from ..generator import decimals
from ..questions import ArrayQuestion, NullQuestion, NumberQuestion
from ..task import Exercise, Planted, Task


class LayerNorm(Op):
    """Layer normalisation of one row, without gain, shift or epsilon.

        y[k] = (x[k] − μ) / s,   μ the mean of x, s² the mean of (x − μ)²
        ∂y/∂x = (δ[k,k'] − 1/K − y[k] y[k'] / K) / s

    1/K is there because the mean reads every entry, y y'/K because s does. The
    rows sum to 0, and so do the rows times y: shift and stretch change nothing.
    """

    signature = "x[k] -> y[k]"
    reasons = {"x": "all entries share mean and deviation"}

    def forward(self, x):  # type: ignore[override]
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True))

    def jacobians(self, x):  # type: ignore[override]
        y, share = self.forward(x), 1 / x.shape[-1]
        inner = delta("k,k'") - share * one("k") * one("k'")
        inner = inner - share * dense("y[k]", y) * dense("y[k']", y)
        return {"x": dense("(1/s)", 1 / x.std(axis=-1)) * inner}

    def vjp(self, y_bar, x):  # type: ignore[override]
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        along = (y_bar * centred).mean(axis=-1, keepdims=True) / variance
        g = y_bar - along * centred
        return {"x": (g - g.mean(axis=-1, keepdims=True)) / np.sqrt(variance)}


STATEMENT = """
Layer normalisation of one row x of K numbers: y = (x - mu)/s, where mu is the mean of x, and
s^2 the mean of (x - mu)^2 (divided by K, not K - 1; no epsilon, no gain). mu and s are
functions of x. Behind it comes a cost with the gradient g = ∂J/∂y.
"""

FORWARD = """
K = len(x)
"""

HINTS = (
    "mu and s read every entry of x: ∂mu/∂x[j] = 1/K, and ∂s/∂x[j] = y[j]/K.",
    "By the quotient rule ∂y[k]/∂x[j] = (delta[k,j] - 1/K)/s - (x[k] - mu)/s^2 * ∂s/∂x[j].",
    "Together (I - 1/K - y y^T/K)/s: the identity, less two projections.",
    "What can be done to x without changing y? A number can be added to all entries, and all "
    "can be stretched about their mean.",
)


def attempt(rng: np.random.Generator) -> Task:
    size = int(rng.choice([5, 7]))
    x = decimals(rng.uniform(-3, 3, size))
    g = decimals(rng.uniform(0.2, 2.0, size) * rng.choice([-1.0, 1.0], size))
    return of_given({"x": x, "g": g})


def of_given(given: Mapping[str, Any]) -> Task:
    x, g = given["x"], given["g"]
    size = len(x)
    run = Network.program("y = LayerNorm(x)", ops={"LayerNorm": LayerNorm}).run(x)
    J = run.jacobian("y", "x").materialise()
    questions = (
        ArrayQuestion(
            "y", "the row (x - mu)/s", "(x - x.mean()) / x.std()", vector_forms(run["y"])
        ),
        ArrayQuestion(
            "J", "the matrix ∂y/∂x", "(np.eye(K) - 1 / K - np.outer(y, y) / K) / x.std()", only(J)
        ),
        NullQuestion("null_1", "a vector v, not 0, with J v = 0", "np.ones(K)", J, np.ones(size)),
        NullQuestion(
            "null_2", "another one, in another direction", "y", J, np.array(run["y"]), ("null_1",)
        ),
        NumberQuestion(
            "rank",
            "the rank of J",
            "np.linalg.matrix_rank(J, 1e-9)",
            int(np.linalg.matrix_rank(J, 1e-9)),
        ),
        ArrayQuestion("dx", "∂J/∂x from g", "J.T @ g", vector_forms(run.vjp("y", "x", g))),
    )
    return Task(questions, given, FORWARD, run)


BESIDES = {"null_2": "x"}
MISTAKES = (
    Planted("bessel", {"y": "(x - x.mean()) / x.std(ddof=1)"}, "K - 1 stands for K", BESIDES),
    Planted("not-centred", {"y": "x / x.std()"}, "the mean was not subtracted", BESIDES),
    Planted("variance-for-deviation", {"y": "(x - x.mean()) / x.var()"}, "s^2 stands for s"),
    Planted(
        "statistics-as-constants", {"J": "np.eye(K) / x.std()"}, "mu and s were taken as constants"
    ),
    Planted(
        "deviation-as-constant", {"J": "(np.eye(K) - 1 / K) / x.std()"}, "s was taken as a constant"
    ),
    Planted(
        "mean-as-constant",
        {"J": "(np.eye(K) - np.outer(y, y) / K) / x.std()"},
        "mu was taken as a constant",
    ),
    Planted("missing-scale", {"J": "np.eye(K) - 1 / K - np.outer(y, y) / K"}, "1/s is missing"),
    Planted(
        "sign",
        {"J": "(np.eye(K) - 1 / K + np.outer(y, y) / K) / x.std()"},
        "the last term was added, not subtracted",
    ),
    Planted(
        "null-zero", {"null_1": "np.zeros(K)"}, "the zero vector, which every matrix sends to 0"
    ),
    Planted(
        "null-unit", {"null_1": "np.eye(K)[1]"}, "one entry alone was moved, and that changes y"
    ),
    Planted("null-twice", {"null_2": "3 * null_1"}, "the first direction stands there again"),
    Planted("null-square", {"null_2": "y**2"}, "y^2 stands there, which J does not send to 0"),
    Planted("rank-one-less", {"rank": "K - 1"}, "not every null vector was counted"),
    Planted("full-rank", {"rank": "K"}, "a matrix with null vectors has not this rank"),
    Planted(
        "dx-statistics-as-constants", {"dx": "g / x.std()"}, "mu and s were taken as constants"
    ),
    Planted("dx-mean-only", {"dx": "(g - g.mean()) / x.std()"}, "s was taken as a constant"),
)

RIGHT_FORMS = (
    Planted("x as the second null vector", {"null_2": "x"}),
    Planted("exchanged", {"null_1": "2 * y", "null_2": "y - np.ones(K)"}),
    Planted("without the matrix", {"dx": "(g - g.mean() - y * (g * y).mean()) / x.std()"}),
    Planted("a column", {"y": "((x - x.mean()) / x.std())[:, None]", "null_2": "y"}),
    Planted("less two null vectors", {"rank": "K - 2"}),
)

EXERCISE = Exercise(
    8,
    "the layer norm Jacobian",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="one row has no weights, no batch and no layer",
)
