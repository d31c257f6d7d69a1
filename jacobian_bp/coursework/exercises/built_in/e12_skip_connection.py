"""Exercise 12: a skip connection, x read twice, in a square layer where shapes say nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import matrix_forms, only, vector_forms
from ..generator import FLAT, KINK, Redraw, decimals
from ..questions import ArrayQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A block with a skip connection, for one example: {formula: z = W @ x + b}, h = tanh(z), s = h + x,
and the cost J = 1/2 |s - y|^2. x is read twice, by W and by the sum. W is square, so no shape tells
a matrix from its transpose.
"""

FORWARD = """
z = W @ x + b
h = np.tanh(z)
s = h + x
K = len(x)
"""

HINTS = (
    "Where a value is read twice, the derivatives along the two paths are added.",
    "∂s/∂h and the direct ∂s/∂x are both the identity; ∂h/∂x is a diagonal matrix times "
    "{weights: W | W^T}.",
    "A gradient is pulled back by the transposed Jacobian: {formula: dx = ds_dx.T @ ds}.",
)


def attempt(rng: np.random.Generator) -> Task:
    width = int(rng.choice([3, 4, 5]))
    W, x, b, y = (
        decimals(rng.uniform(0.2, 1.4, shape) * rng.choice([-1.0, 1.0], shape))
        for shape in ((width, width), (width,), (width,), (width,))
    )
    return of_given({"x": x, "y": y, "W": W, "b": b})


def of_given(given: Mapping[str, Any]) -> Task:
    x, y, W, b = (given[name] for name in ("x", "y", "W", "b"))
    net = Network.program(
        "z = Linear(x, W, b)",
        "h = Tanh(z)",
        "s = Add(h, x)",
        "J = HalfSquaredError(s, y)",
        params={"W": W, "b": b},
    )
    run = net.run(x, y)
    if np.abs(run["z"]).max() > FLAT / 2 or np.abs(run["z"]).min() < KINK:
        raise Redraw("no tanh is saturated")
    gradients = run.gradients()
    ds, dx = (run.jacobian("J", name).materialise() for name in ("s", "x"))
    jacobian = run.jacobian("s", "x").materialise()

    paths = run.jacobian("s", "x").paths
    questions = (
        ArrayQuestion(
            "D", "the matrix ∂h/∂z", "np.diag(1 - h**2)", only(run.jacobian("h", "z").materialise())
        ),
        ArrayQuestion(
            "ds_dx",
            "the matrix ∂s/∂x, rows = outputs",
            "D @ W + np.eye(K)",
            only(jacobian),
            {"gradient (rows = inputs)": jacobian.T},
        ),
        NumberQuestion("paths", "how many paths lead from x to s", "2", paths),
        ArrayQuestion("ds", "∂J/∂s", "s - y", vector_forms(ds), key="s"),
        ArrayQuestion("dx", "∂J/∂x, from ∂s/∂x and ds", "ds_dx.T @ ds", vector_forms(dx), key="x"),
        ArrayQuestion(
            "dW", "∂J/∂W, from ds", "np.outer(D @ ds, x)", matrix_forms(gradients["W"]), key="W"
        ),
    )
    return Task(questions, given, FORWARD, run)


MISTAKES = (
    Planted("fan-out-overwritten", {"ds_dx": "D @ W"}, "the direct path is missing"),
    Planted("only-the-skip", {"ds_dx": "np.eye(K)"}, "the path through W is missing"),
    Planted(
        "paths-multiplied", {"ds_dx": "(D @ W) * np.eye(K)"}, "the paths were multiplied, not added"
    ),
    Planted(
        "wrong-order",
        {"ds_dx": "W @ D + np.eye(K)"},
        "{formula: W @ D} stands for {formula: D @ W}",
    ),
    Planted("weight-transposed", {"ds_dx": "D @ W.T + np.eye(K)"}, "W was turned round"),
    Planted("missing-slope", {"ds_dx": "W + np.eye(K)"}, "the slope of the tanh is missing"),
    Planted(
        "rows-are-inputs",
        {"ds_dx": "(D @ W + np.eye(K)).T"},
        "rows are inputs; they should be outputs",
    ),
    Planted(
        "not-a-matrix",
        {"D": "1 - h**2"},
        "a vector, not the diagonal matrix with it",
        besides={"ds_dx": "D[:, None] * W + np.eye(K)", "dW": "np.outer(D * ds, x)"},
    ),
    Planted("value-for-slope", {"D": "np.diag(h)"}, "the value tanh(z) stands for its slope"),
    Planted(
        "slope-at-activation",
        {"D": "np.diag(1 - np.tanh(h) ** 2)"},
        "the slope was taken at h, not at z",
    ),
    Planted("not-transposed", {"dx": "ds_dx @ ds"}, "ds_dx stands for its transpose"),
    Planted("skip-forgotten", {"dx": "W.T @ D @ ds"}, "the direct path is missing"),
    Planted("branch-forgotten", {"dx": "ds"}, "the path through W is missing"),
    Planted("constant-factor", {"ds": "2 * (s - y)"}, "the 1/2 of the cost was lost"),
    Planted("before-the-sum", {"ds": "h - y"}, "h stands for s"),
    Planted(
        "gradient-missing-slope", {"dW": "np.outer(ds, x)"}, "the slope of the tanh is missing"
    ),
    Planted("gradient-of-block", {"dW": "np.outer(D @ ds, s)"}, "s stands for x"),
    Planted("one-path", {"paths": "1"}, "not every path was counted"),
)

RIGHT_FORMS = (
    Planted("elementwise", {"dW": "((1 - h**2) * ds)[:, None] * x[None, :]"}),
    Planted("path by path", {"dx": "W.T @ (D @ ds) + ds"}),
    Planted("columns", {"dx": "ds_dx.T @ ds[:, None]", "dW": "(D @ ds[:, None]) @ x[None]"}),
    Planted("dW transposed", {"dW": "np.outer(x, D @ ds)"}),
)

EXERCISE = Exercise(
    12,
    "a skip connection",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
