"""Exercise 11: a saturated sigmoid behind the cross-entropy, where the textbook gives NaN."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..accepted_forms import batch_forms, matrix_forms, scalar_forms, vector_forms
from ..generator import Drawn, Redraw, draw, drawn_of
from ..questions import ArrayQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A classifier with a ReLU layer and one sigmoid; J is the mean over m examples of the binary
cross-entropy, -y log a2 - (1 - y) log(1 - a2). The first example is far on the wrong side: in
float64 its a2 is exactly 1 although y is 0. The slope of the cost is infinite there and the
slope of the sigmoid is 0, but their product, ∂J/∂z2, is an ordinary number. Work it out on paper
first; no answer may be NaN or infinite.
"""

FORWARD = """
m = len(x)
z1 = x @ W1.T + b1
a1 = np.maximum(z1, 0)
z2 = a1 @ W2.T + b2
a2 = 1 / (1 + np.exp(-z2))
"""

HINTS = (
    "∂J/∂a2 = (a2 - y)/(a2 (1 - a2))/m, and the slope of the sigmoid is a2 (1 - a2): write the "
    "product down before you put numbers in.",
    "The factor a2 (1 - a2) cancels: what is left has no quotient but 1/m.",
    "log a2 = -log(1 + exp(-z2)): np.logaddexp(0, z) is log(1 + exp(z)) without overflow.",
)


NETWORK = (["relu", "sigmoid"], "bce")


def attempt(rng: np.random.Generator) -> Task:
    return task_of(draw(rng, *NETWORK, kind="saturated", last=1))


def of_given(given: Mapping[str, Any]) -> Task:
    return task_of(drawn_of(given, *NETWORK))


def task_of(drawn: Drawn) -> Task:
    run = drawn.run
    if not (run["a2"] == 1).any() or (run["a2"] == 1)[1:].any() or drawn.y[0, 0] != 0:
        raise Redraw("the first example alone has a2 = 1 and y = 0")
    gradients = run.gradients()
    delta2 = run.jacobian("J", "z2").materialise()
    delta1 = run.jacobian("J", "z1").materialise()
    questions = (
        NumberQuestion(
            "flat",
            "for how many examples is a2 (1 - a2) exactly 0",
            "int((a2 * (1 - a2) == 0).sum())",
            int((run["a2"] * (1 - run["a2"]) == 0).sum()),
        ),
        ArrayQuestion(
            "cost",
            "J, finite",
            "np.mean(np.logaddexp(0, z2) - y * z2)",
            scalar_forms(np.array(run["J"])),
        ),
        ArrayQuestion("delta2", "∂J/∂z2", "(a2 - y) / m", batch_forms(delta2), key="z2"),
        ArrayQuestion("dW2", "∂J/∂W2", "delta2.T @ a1", matrix_forms(gradients["W2"]), key="W2"),
        ArrayQuestion(
            "db2", "∂J/∂b2", "delta2.sum(axis=0)", vector_forms(gradients["b2"]), key="b2"
        ),
        ArrayQuestion("delta1", "∂J/∂z1", "delta2 @ W2 * (z1 > 0)", batch_forms(delta1), key="z1"),
    )
    return Task(questions, drawn.given, FORWARD, run)


TEXTBOOK = "(a2 - y) / (a2 * (1 - a2)) * (a2 * (1 - a2)) / m"
CLIPPED = "(a2 - y) / np.clip(a2 * (1 - a2), 1e-12, None) * (a2 * (1 - a2)) / m"
FROM_SOUND = {
    "dW2": "((a2 - y) / m).T @ a1",
    "db2": "((a2 - y) / m).sum(axis=0)",
    "delta1": "((a2 - y) / m) @ W2 * (z1 > 0)",
}

MISTAKES = (
    Planted(
        "saturated-nan",
        {"delta2": TEXTBOOK},
        "zero times infinity stands there: cancel first",
        FROM_SOUND,
    ),
    Planted("clipped", {"delta2": CLIPPED}, "clipped: the gradient vanishes where it is large"),
    Planted(
        "missing-batch-mean", {"delta2": "a2 - y"}, "the mean over the batch is gone", mean="delta"
    ),
    Planted(
        "missing-batch-mean, dW2",
        {"dW2": "m * delta2.T @ a1"},
        "the mean over the batch is gone",
        label="missing-batch-mean",
        mean="gradient",
    ),
    Planted(
        "batch-mean-twice, delta2",
        {"delta2": "(a2 - y) / m / m"},
        "1/m stands there; its place is in the gradients",
        label="batch-mean-twice",
        mean="gradient",
    ),
    Planted(
        "extra-output-slope",
        {"delta2": "(a2 - y) * a2 * (1 - a2) / m"},
        "the slope of the sigmoid stands there; it is in a2 - y already",
    ),
    Planted("sign", {"delta2": "(y - a2) / m"}, "the difference was turned round"),
    Planted(
        "log-of-zero",
        {"cost": "-np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))"},
        "the logarithm of 0 was taken, which is infinite",
    ),
    Planted(
        "sum-for-mean",
        {"cost": "np.sum(np.logaddexp(0, z2) - y * z2)"},
        "a sum stands for the mean",
    ),
    Planted("batch-mean-twice", {"dW2": "delta2.T @ a1 / m"}, "1/m was put in twice"),
    Planted("preactivation-for-activation", {"dW2": "delta2.T @ z1"}, "z1 stands for a1"),
    Planted("bias-not-summed", {"db2": "delta2"}, "the examples were not summed"),
    Planted("bias-averaged", {"db2": "delta2.mean(axis=0)"}, "a mean stands for the sum"),
    Planted("missing-slope", {"delta1": "delta2 @ W2"}, "the slope of the ReLU is missing"),
    Planted(
        "flat-counted",
        {"flat": "m"},
        "all examples were counted, not only those where a2 is exactly 0 or 1",
    ),
)

RIGHT_FORMS = (
    Planted(
        "examples in columns",
        {
            "delta2": "(a2 - y).T / m",
            "dW2": "delta2 @ a1",
            "db2": "delta2.sum(axis=1)",
            "delta1": "W2.T @ delta2 * (z1 > 0).T",
        },
    ),
    Planted("a bias as a number", {"db2": "delta2.sum().reshape(1)"}),
    Planted("the mean at the end", {"dW2": "(a2 - y).T @ a1 / m"}),
    Planted("from z2", {"cost": "np.mean(np.where(y, np.logaddexp(0, -z2), np.logaddexp(0, z2)))"}),
)

EXERCISE = Exercise(
    11,
    "a saturated sigmoid",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
