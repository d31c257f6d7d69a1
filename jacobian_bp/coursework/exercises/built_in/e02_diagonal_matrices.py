"""Exercise 2: BP1 and BP2 with the slopes on the diagonal of a matrix (Nielsen, chapter 2)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..accepted_forms import matrix_forms, only, vector_forms
from ..generator import Drawn, draw, drawn_of
from ..questions import ArrayQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A network of three layers of weights, ReLU, tanh and sigmoid, with the cost J = 1/2 |a3 - y|^2
and one example. Instead of the elementwise product, write the slopes on the diagonal of a square
matrix: S3 = ∂a3/∂z3, S2 = ∂a2/∂z2, S1 = ∂a1/∂z1. Then the delta of a layer, the gradient of J
by its pre-activations, is a product of matrices: BP1 is {formula: delta3 = S3 @ (a3 - y)}, and BP2
takes delta3 to delta2.
"""

FORWARD = """
z1 = W1 @ x + b1
a1 = np.maximum(z1, 0)
z2 = W2 @ a1 + b2
a2 = np.tanh(z2)
z3 = W3 @ a2 + b3
a3 = 1 / (1 + np.exp(-z3))
"""

HINTS = (
    "Entry k of a3 reads entry k of z3 only, so everything off the diagonal of ∂a3/∂z3 is 0.",
    "The slope of a sigmoid in terms of its value a is a(1 - a), of a tanh 1 - a^2; that of a "
    "ReLU is 1 where z > 0 and 0 elsewhere.",
    "{formula: delta2 = S2 @ W3.T @ delta3}: read from the right, each matrix takes a vector one "
    "step back.",
    "dW2 has one entry for each pair of a unit of layer 2 and a unit of layer 1: the outer "
    "product of delta2 with what W2 was multiplied by.",
)


NETWORK = (["relu", "tanh", "sigmoid"], "half_squared_error")


def attempt(rng: np.random.Generator) -> Task:
    return task_of(draw(rng, *NETWORK, batch=False))


def of_given(given: Mapping[str, Any]) -> Task:
    return task_of(drawn_of(given, *NETWORK))


def task_of(drawn: Drawn) -> Task:
    run = drawn.run
    gradients = run.gradients()

    def slopes(layer: int, ask: str, solution: str) -> ArrayQuestion:
        key = (f"a{layer}", f"z{layer}")
        right = run.jacobian(*key).materialise()
        return ArrayQuestion(f"S{layer}", ask, solution, forms=only(right), key=key)

    def delta(layer: int, ask: str, solution: str) -> ArrayQuestion:
        right = run.jacobian(run.cost, f"z{layer}").materialise()
        name = f"delta{layer}"
        return ArrayQuestion(name, ask, solution, forms=vector_forms(right), key=f"z{layer}")

    questions = (
        slopes(3, "the matrix ∂a3/∂z3", "np.diag(a3 * (1 - a3))"),
        delta(3, "∂J/∂z3 by BP1, with S3", "S3 @ (a3 - y)"),
        slopes(2, "the matrix ∂a2/∂z2", "np.diag(1 - a2**2)"),
        delta(2, "∂J/∂z2 by BP2, from delta3", "S2 @ W3.T @ delta3"),
        slopes(1, "the matrix ∂a1/∂z1", "np.diag((z1 > 0) * 1.0)"),
        delta(1, "∂J/∂z1 by BP2, from delta2", "S1 @ W2.T @ delta2"),
        ArrayQuestion(
            "dW2",
            "∂J/∂W2, from delta2",
            "np.outer(delta2, a1)",
            forms=matrix_forms(gradients["W2"]),
            key="W2",
        ),
    )
    return Task(questions, drawn.given, FORWARD, run)


VECTOR = "a vector, not the diagonal matrix with it"
MISTAKES = (
    Planted("missing-output-slope", {"delta3": "a3 - y"}, "S3 was left out of BP1"),
    Planted("sign", {"delta3": "S3 @ (y - a3)"}, "the difference a3 - y was turned round"),
    Planted("constant-factor", {"delta3": "2 * S3 @ (a3 - y)"}, "the 1/2 of the cost was lost"),
    Planted(
        "slope-at-activation",
        {"S3": "np.diag(np.exp(-a3) / (1 + np.exp(-a3)) ** 2)"},
        "the slope of the sigmoid was taken at a3, not at z3",
    ),
    Planted(
        "slope-of-preactivation-formula",
        {"S3": "np.diag(z3 * (1 - z3))"},
        "a(1 - a) was written with z3 in place of a3",
    ),
    Planted("value-for-slope", {"S2": "np.diag(a2)"}, "the value tanh(z2) stands for its slope"),
    Planted("missing-slope", {"delta2": "W3.T @ delta3"}, "S2 was left out of BP2"),
    Planted("weight-missing", {"delta2": "S2 @ np.ones_like(W3.T) @ delta3"}, "W3 was left out"),
    Planted(
        "not-a-matrix",
        {"S3": "a3 * (1 - a3)"},
        VECTOR,
        besides={"delta3": "S3 * (a3 - y)"},
    ),
    Planted(
        "not-a-matrix, S2",
        {"S2": "1 - a2**2"},
        VECTOR,
        besides={"delta2": "S2 * (W3.T @ delta3)"},
        label="not-a-matrix",
    ),
    Planted(
        "not-a-matrix, S1",
        {"S1": "np.where(z1 > 0, 1.0, 0.0)"},
        VECTOR,
        besides={"delta1": "S1 * (W2.T @ delta2)"},
        label="not-a-matrix",
    ),
    Planted(
        "row-column-broadcast",
        {"delta2": "(1 - a2**2)[:, None] * (W3.T @ delta3)"},
        "a column met a row, and numpy made a table of them",
        besides={
            "delta1": "S1 @ W2.T @ S2 @ W3.T @ delta3",
            "dW2": "np.outer(S2 @ W3.T @ delta3, a1)",
        },
    ),
    Planted(
        "value-for-slope, S1",
        {"S1": "np.diag(a1)"},
        "the value a1 stands for its slope",
        label="value-for-slope",
    ),
    Planted("kink-side", {"S1": "np.diag((z1 < 0) * 1.0)"}, "z1 < 0 stands for z1 > 0"),
    Planted("dead-unit-alive", {"S1": "np.eye(len(z1))"}, "the ReLU was taken as the identity"),
    Planted("preactivation-for-activation", {"dW2": "np.outer(delta2, z1)"}, "z1 stands for a1"),
)

RIGHT_FORMS = (
    Planted(
        "column vectors",
        {"delta3": "(S3 @ (a3 - y))[:, None]", "dW2": "delta2 @ a1[None]"},
    ),
    Planted("rows", {"delta3": "((a3 - y) @ S3)[None]", "delta2": "(delta3 @ W3 @ S2)[0]"}),
    Planted("elementwise", {"delta2": "(W3.T @ delta3) * (1 - a2**2)"}),
    Planted("dW2 transposed", {"dW2": "np.outer(a1, delta2)"}),
    Planted("dW2 flat", {"dW2": "np.kron(delta2, a1)"}),
    Planted("sigmoid slope from z3", {"S3": "np.diag(np.exp(-z3) / (1 + np.exp(-z3)) ** 2)"}),
)

EXERCISE = Exercise(
    2,
    "BP1 and BP2 with diagonal matrices",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
