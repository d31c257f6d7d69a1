"""Exercise 23: the Gauss-Newton part of a Hessian, what it leaves out, and H v."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..accepted_forms import only, vector_forms
from ..generator import Drawn, Redraw, draw, drawn_of, numbers
from ..questions import ArrayQuestion, ChoiceQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Two layers, for one example: {formula: z1 = W1 @ x + b1}, a1 = tanh(z1),
{formula: z2 = W2 @ a1 + b2}, a2 the softmax of z2, and J the cross-entropy with the labels y. All
second derivatives are by z1. The Gauss-Newton part is {formula: Jz.T @ Hz @ Jz}, with
Jz = ∂z2/∂z1 and Hz = ∂²J/∂z2²; the rest is what tanh bends.
"""

FORWARD = """
z1 = W1 @ x + b1
a1 = np.tanh(z1)
z2 = W2 @ a1 + b2
a2 = np.exp(z2) / np.exp(z2).sum()
"""

HINTS = (
    "The gradient of a cross-entropy behind a softmax is a2 - y, so Hz is the Jacobian of the "
    "softmax.",
    "Jz = W2 diag(1 - a1^2): the slopes multiply the columns of W2.",
    "tanh bends by -2 a1 (1 - a1^2), entry by entry: the rest is diagonal, each entry times what "
    "comes back to it, W2^T (a2 - y).",
    "v^T (Gauss-Newton) v is the variance of Jz v under a2, so it is never below 0. The rest can "
    "have either sign.",
)

NETWORK = (["tanh", "softmax"], "cross_entropy")
WORDS = ("always", "not always")


def attempt(rng: np.random.Generator) -> Task:
    drawn = draw(rng, *NETWORK, batch=False, last=3)
    units = len(drawn.given["b1"])
    if units < 3:
        raise Redraw("three hidden units or more")
    return task_of(drawn, numbers(rng, units))


def of_given(given: Mapping[str, Any]) -> Task:
    network = {name: value for name, value in given.items() if name != "v"}
    return task_of(drawn_of(network, *NETWORK), given["v"])


def task_of(drawn: Drawn, v: np.ndarray) -> Task:
    run = drawn.run
    hessian = run.hessian("z1")
    whole = hessian.materialise()
    questions = (
        ArrayQuestion(
            "Hz",
            "∂²J/∂z2², a matrix",
            "np.diag(a2) - np.outer(a2, a2)",
            only(run.hessian("z2").materialise()),
        ),
        ArrayQuestion(
            "Jz",
            "the matrix ∂z2/∂z1, rows = entries of z2",
            "W2 @ np.diag(1 - a1**2)",
            only(run.jacobian("z2", "z1").materialise()),
            key=("z2", "z1"),
        ),
        ArrayQuestion(
            "G",
            "the Gauss-Newton part of ∂²J/∂z1²",
            "Jz.T @ Hz @ Jz",
            only(hessian.gauss_newton.materialise()),
        ),
        ArrayQuestion(
            "rest",
            "the rest of ∂²J/∂z1²",
            "np.diag(W2.T @ (a2 - y) * -2 * a1 * (1 - a1**2))",
            only(hessian.residual.materialise()),
        ),
        ArrayQuestion("Hv", "∂²J/∂z1² times v", "G @ v + rest @ v", vector_forms(whole @ v)),
        ChoiceQuestion(
            "G_sign",
            "v^T G v is 0 or more for every v: always or not always",
            "'always'",
            "always",
            WORDS,
        ),
    )
    return Task(questions, {**drawn.given, "v": v}, FORWARD, run)


MISTAKES = (
    Planted(
        "softmax-as-elementwise",
        {"Hz": "np.diag(a2 * (1 - a2))"},
        "the entries beside the diagonal are missing",
    ),
    Planted(
        "square-of-the-error",
        {"Hz": "np.outer(a2 - y, a2 - y)"},
        "the gradient times itself stands for the second derivative",
    ),
    Planted(
        "identity", {"Hz": "np.eye(len(y))"}, "the identity stands there, as behind a squared error"
    ),
    Planted("missing-slope", {"Jz": "1 * W2"}, "the slopes of the tanh are missing"),
    Planted("value-for-slope", {"Jz": "W2 @ np.diag(a1)"}, "a1 stands for the slope"),
    Planted(
        "rows-are-inputs",
        {"Jz": "(W2 @ np.diag(1 - a1**2)).T"},
        "rows are entries of z1; they should be those of z2",
        besides={"G": "Jz @ Hz @ Jz.T"},
    ),
    Planted("without-the-loss", {"G": "Jz.T @ Jz"}, "Hz is missing"),
    Planted(
        "diagonal-only",
        {"G": "np.diag(np.diag(Jz.T @ Hz @ Jz))"},
        "the entries beside the diagonal are missing",
    ),
    Planted(
        "slopes-on-one-side",
        {"G": "W2.T @ Hz @ Jz"},
        "the slopes stand on one side only, so that the matrix is not symmetric",
    ),
    Planted(
        "whole-hessian",
        {"G": "Jz.T @ Hz @ Jz + np.diag(W2.T @ (a2 - y) * -2 * a1 * (1 - a1**2))"},
        "the rest was added",
    ),
    Planted(
        "sign",
        {"rest": "np.diag(W2.T @ (a2 - y) * 2 * a1 * (1 - a1**2))"},
        "the minus of the bend of tanh is missing",
    ),
    Planted(
        "slope-for-bend",
        {"rest": "np.diag(W2.T @ (a2 - y) * (1 - a1**2))"},
        "the first derivative of tanh stands for the second",
    ),
    Planted(
        "slope-in-the-bend",
        {"rest": "np.diag(W2.T @ (a2 - y) * -2 * a1)"},
        "the slope 1 - a1^2 is missing: tanh bends by -2 a1 (1 - a1^2)",
    ),
    Planted(
        "upstream-missing",
        {"rest": "np.diag(-2 * a1 * (1 - a1**2))"},
        "what comes back to a1 is missing",
    ),
    Planted("gauss-newton-only", {"Hv": "G @ v"}, "the rest is missing"),
    Planted("rest-only", {"Hv": "rest @ v"}, "the Gauss-Newton part is missing"),
    Planted("quadratic-form", {"Hv": "v * (G @ v + rest @ v)"}, "v was multiplied in once more"),
    Planted(
        "sign-of-gauss-newton",
        {"G_sign": "'not always'"},
        "a variance was taken to be negative for some v",
    ),
)

RIGHT_FORMS = (
    Planted("slopes as a row", {"Jz": "W2 * (1 - a1**2)"}),
    Planted("einsum", {"G": "np.einsum('ka,kl,lb->ab', Jz, Hz, Jz)"}),
    Planted(
        "mean of squares less a square", {"G": "(Jz.T * a2) @ Jz - np.outer(Jz.T @ a2, Jz.T @ a2)"}
    ),
    Planted(
        "without a matrix",
        {
            "Hv": "Jz.T @ (a2 * (Jz @ v) - a2 * (a2 @ (Jz @ v)))"
            " + W2.T @ (a2 - y) * -2 * a1 * (1 - a1**2) * v"
        },
    ),
    Planted("columns", {"Hv": "(G + rest) @ v[:, None]"}),
)

EXERCISE = Exercise(
    23,
    "Gauss-Newton and the rest",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
