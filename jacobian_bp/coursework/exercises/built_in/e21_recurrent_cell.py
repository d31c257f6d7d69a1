"""Exercise 21: a recurrent cell taken back through three steps in time."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import matrix_forms, only, vector_forms
from ..generator import FLAT, Redraw, numbers
from ..questions import ArrayQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A recurrent cell, three steps of one sequence: s1 = W x1 + U h0 + b and h1 = tanh(s1), and so
on with x2 and h1, x3 and h2. The cost J = 1/2 |h3 - y|^2 reads the last state alone. All steps use
the same W, U and b; delta3 = ∂J/∂s3, and likewise delta2 and delta1.
"""

FORWARD = """
h1 = np.tanh(W @ x1 + U @ h0 + b)
h2 = np.tanh(W @ x2 + U @ h1 + b)
h3 = np.tanh(W @ x3 + U @ h2 + b)
"""

HINTS = (
    "∂h3/∂h2 = diag(1 - h3^2) U: the slope stands at the later state.",
    "delta2 is U^T delta3, times the slope at h2, entry by entry.",
    "W, U and b are read at every step, so their gradients are sums over the steps; the first step "
    "reads h0, and U gets a share from it too.",
)


def attempt(rng: np.random.Generator) -> Task:
    units, inputs = ((3, 2), (2, 3), (3, 5))[int(rng.integers(3))]
    given = {f"x{t}": numbers(rng, inputs) for t in (1, 2, 3)}
    given |= {"h0": numbers(rng, units) / 2, "y": numbers(rng, units)}
    given |= {"W": numbers(rng, units, inputs), "U": numbers(rng, units, units)}
    given |= {"b": numbers(rng, units)}
    given["h0"] = np.round(given["h0"], 2)
    return of_given(given)


def of_given(given: Mapping[str, Any]) -> Task:
    steps = [
        (
            f"r{t} = Linear(x{t}, W, b)",
            f"q{t} = Linear(h{t - 1}, U)",
            f"s{t} = Add(r{t}, q{t})",
            f"h{t} = Tanh(s{t})",
        )
        for t in (1, 2, 3)
    ]
    params = {name: given[name] for name in ("W", "U", "b")}
    data = {name: value for name, value in given.items() if name not in params}
    lines = [line for step in steps for line in step]
    run = Network.program(*lines, "J = HalfSquaredError(h3, y)", params=params).run(**data)
    if max(np.abs(run[f"s{t}"]).max() for t in (1, 2, 3)) > FLAT / 2:
        raise Redraw("no tanh is saturated")
    gradients = run.gradients()

    def delta(t: int, solution: str, ask: str = "") -> ArrayQuestion:
        right = vector_forms(run.vjp("J", f"s{t}", 1.0))
        return ArrayQuestion(f"delta{t}", f"∂J/∂s{t}{ask}", solution, right, key=f"s{t}")

    questions = (
        delta(3, "(h3 - y) * (1 - h3**2)"),
        ArrayQuestion(
            "dh3_dh1",
            "the matrix ∂h3/∂h1, rows = entries of h3",
            "np.diag(1 - h3**2) @ U @ np.diag(1 - h2**2) @ U",
            only(run.jacobian("h3", "h1").materialise()),
        ),
        delta(2, "U.T @ delta3 * (1 - h2**2)", ", from delta3"),
        delta(1, "U.T @ delta2 * (1 - h1**2)", ", from delta2"),
        ArrayQuestion(
            "dU",
            "∂J/∂U",
            "np.outer(delta3, h2) + np.outer(delta2, h1) + np.outer(delta1, h0)",
            matrix_forms(gradients["U"]),
            key="U",
        ),
        ArrayQuestion(
            "dW",
            "∂J/∂W",
            "np.outer(delta3, x3) + np.outer(delta2, x2) + np.outer(delta1, x1)",
            matrix_forms(gradients["W"]),
            key="W",
        ),
        ArrayQuestion(
            "db", "∂J/∂b", "delta3 + delta2 + delta1", vector_forms(gradients["b"]), key="b"
        ),
        NumberQuestion(
            "paths",
            "how many times W is used on the way from x1, x2 and x3 to J",
            "3",
            sum(line.count("W") for line in lines),
        ),
    )
    return Task(questions, given, FORWARD, run)


MISTAKES = (
    Planted("missing-output-slope", {"delta3": "h3 - y"}, "the slope at h3 is missing"),
    Planted("value-for-slope", {"delta3": "(h3 - y) * h3"}, "h3 stands for its slope"),
    Planted(
        "slope-at-activation",
        {"delta3": "(h3 - y) * (1 - np.tanh(h3) ** 2)"},
        "the slope was taken at h3, not at s3",
    ),
    Planted(
        "slope-of-the-step-before",
        {"dh3_dh1": "np.diag(1 - h2**2) @ U @ np.diag(1 - h1**2) @ U"},
        "the slopes stand at h2 and h1; those of h3 and h2 belong there",
    ),
    Planted("one-step", {"dh3_dh1": "np.diag(1 - h3**2) @ U"}, "one step was gone back, not two"),
    Planted(
        "rows-are-inputs",
        {"dh3_dh1": "(np.diag(1 - h3**2) @ U @ np.diag(1 - h2**2) @ U).T"},
        "rows are entries of h1; they should be those of h3",
    ),
    Planted("missing-slope", {"dh3_dh1": "U @ U"}, "the slopes are missing"),
    Planted(
        "weight-not-transposed",
        {"delta2": "U @ delta3 * (1 - h2**2)"},
        "U stands for its transpose",
    ),
    Planted(
        "wrong-layer-slope",
        {"delta2": "U.T @ delta3 * (1 - h3**2)"},
        "the slope at h3 stands for that at h2",
    ),
    Planted(
        "missing-slope, delta2",
        {"delta2": "U.T @ delta3"},
        "the slope at h2 is missing",
        label="missing-slope",
    ),
    Planted("from-the-cost", {"delta1": "U.T @ delta3 * (1 - h1**2)"}, "delta3 stands for delta2"),
    Planted(
        "missing-slope, delta1",
        {"delta1": "U.T @ delta2"},
        "the slope at h1 is missing",
        label="missing-slope",
    ),
    Planted("last-step-only", {"dU": "np.outer(delta3, h2)"}, "the last step alone was counted"),
    Planted(
        "state-after-for-before",
        {"dU": "np.outer(delta3, h3) + np.outer(delta2, h2) + np.outer(delta1, h1)"},
        "the state that each step gives stands for the one that it reads",
    ),
    Planted(
        "first-step-forgotten",
        {"dU": "np.outer(delta3, h2) + np.outer(delta2, h1)"},
        "the first step, which reads h0, was left out",
    ),
    Planted(
        "mean-over-steps",
        {"dU": "(np.outer(delta3, h2) + np.outer(delta2, h1) + np.outer(delta1, h0)) / 3"},
        "the mean over the steps stands for their sum",
    ),
    Planted(
        "last-step-only, dW",
        {"dW": "np.outer(delta3, x3)"},
        "the last step alone was counted",
        label="last-step-only",
    ),
    Planted(
        "steps-reversed",
        {"dW": "np.outer(delta3, x1) + np.outer(delta2, x2) + np.outer(delta1, x3)"},
        "the inputs stand in the reverse order of the steps",
    ),
    Planted(
        "last-step-only, db",
        {"db": "delta3"},
        "the last step alone was counted",
        label="last-step-only",
    ),
    Planted("one-path", {"paths": "1"}, "one step was counted"),
)

RIGHT_FORMS = (
    Planted(
        "steps side by side",
        {
            "dU": "np.stack([delta3, delta2, delta1], 1) @ np.stack([h2, h1, h0])",
            "dW": "np.stack([delta3, delta2, delta1], 1) @ np.stack([x3, x2, x1])",
            "db": "np.stack([delta3, delta2, delta1]).sum(axis=0)",
        },
    ),
    Planted("by the matrix", {"delta1": "(1 - h1**2) * (dh3_dh1.T @ (h3 - y))"}),
    Planted(
        "slopes as columns", {"dh3_dh1": "(1 - h3**2)[:, None] * U @ ((1 - h2**2)[:, None] * U)"}
    ),
    Planted(
        "rows",
        {
            "delta2": "delta3 @ U * (1 - h2**2)",
            "dU": "(np.outer(h2, delta3) + np.outer(h1, delta2) + np.outer(h0, delta1)).T",
        },
    ),
    Planted("a column", {"db": "(delta3 + delta2 + delta1)[:, None]"}),
)

EXERCISE = Exercise(
    21,
    "a recurrent cell through time",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="its numbers count steps in time, not layers, and one sequence has no batch",
)
