"""Exercise 22: dropout between two layers: the mask and the scale on the way back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import batch_forms, matrix_forms, vector_forms
from ..generator import FLAT, Redraw, numbers
from ..questions import ArrayQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Two layers of m examples in {examples: rows | columns}: {formula: z1 = x @ W1.T + b1}, a1 =
tanh(z1), then dropout d1 = a1 mask / keep, with a mask of zeros and ones and the probability keep
with which an entry was kept, then {formula: z2 = d1 @ W2.T + b2}. J is the mean over the examples
of 1/2 |z2 - y|^2. The mask is the one of this step, the same on the way forward and back.
"""

FORWARD = """
m = len(x)
z1 = x @ W1.T + b1
a1 = np.tanh(z1)
d1 = a1 * mask / keep
z2 = d1 @ W2.T + b2
"""

HINTS = (
    "Given the mask, dropout is linear, entry by entry: ∂d1/∂a1 is a diagonal matrix with "
    "mask/keep on it.",
    "What comes back to d1 is multiplied by the same mask/keep; an entry that was dropped gets 0.",
    "W2 was multiplied with d1, not with a1.",
    "Averaged over masks, an entry of mask is keep, so d1 is a1 on average: that is why 1/keep "
    "stands there, and why nothing is scaled when the network is used.",
)


def attempt(rng: np.random.Generator) -> Task:
    m, inputs, units, outputs = ((5, 2, 7, 3), (3, 5, 7, 2), (5, 3, 7, 2))[int(rng.integers(3))]
    mask = (rng.random((m, units)) < 0.75).astype(int)
    if mask.all(axis=0).all() or (mask.sum(axis=1) < 2).any() or mask.all(axis=1).any():
        raise Redraw("every example has entries that are dropped, and two or more that are kept")
    given = {"x": numbers(rng, m, inputs), "y": numbers(rng, m, outputs)}
    given |= {"W1": numbers(rng, units, inputs), "b1": numbers(rng, units)}
    given |= {"W2": numbers(rng, outputs, units), "b2": numbers(rng, outputs)}
    return of_given({**given, "mask": mask, "keep": 0.75})


def of_given(given: Mapping[str, Any]) -> Task:
    params = {name: given[name] for name in ("W1", "b1", "W2", "b2")}
    x, y, mask, keep = (given[name] for name in ("x", "y", "mask", "keep"))
    run = Network.program(
        "z1 = Linear(x, W1, b1)",
        "a1 = Tanh(z1)",
        f"d1 = Dropout(a1, mask, {keep})",
        "z2 = Linear(d1, W2, b2)",
        "L = HalfSquaredError(z2, y)",
        "J = Mean(L)",
        params=params,
    ).run(x=x, y=y, mask=mask)
    if np.abs(run["z1"]).max() > FLAT:
        raise Redraw("no tanh is saturated")
    gradients = run.gradients()
    scale = np.einsum("nknk->nk", run.jacobian("d1", "a1").materialise())

    def back(name: str, of: str, solution: str, ask: str = "") -> ArrayQuestion:
        right = batch_forms(run.vjp("J", of, 1.0))
        return ArrayQuestion(name, f"∂J/∂{of}{ask}", solution, right, key=of)

    questions = (
        ArrayQuestion(
            "slopes",
            "the slope of each entry of d1 by the same entry of a1",
            "mask / keep",
            batch_forms(scale),
            stands_as="a1",
        ),
        back("delta2", "z2", "(z2 - y) / m"),
        ArrayQuestion("dW2", "∂J/∂W2", "delta2.T @ d1", matrix_forms(gradients["W2"]), key="W2"),
        back("da1", "a1", "delta2 @ W2 * mask / keep", ", from delta2"),
        back("delta1", "z1", "da1 * (1 - a1**2)", ", from da1"),
        ArrayQuestion("dW1", "∂J/∂W1", "delta1.T @ x", matrix_forms(gradients["W1"]), key="W1"),
        ArrayQuestion(
            "db1", "∂J/∂b1", "delta1.sum(axis=0)", vector_forms(gradients["b1"]), key="b1"
        ),
        ArrayQuestion(
            "in_use",
            "what stands in the place of d1 when the trained network is used, without a mask",
            "1 * a1",
            batch_forms(run["a1"]),
            stands_as="a1",
        ),
    )
    return Task(questions, given, FORWARD, run)


LOST = "the scale 1/keep was lost"
MISTAKES = (
    Planted("scale-lost", {"slopes": "1 * mask"}, LOST),
    Planted("keep-for-its-inverse", {"slopes": "mask * keep"}, "keep stands for 1/keep"),
    Planted(
        "dropped-for-kept",
        {"slopes": "(1 - mask) / keep"},
        "the entries that are dropped have the slope, those that are kept have none",
    ),
    Planted("rate-for-keep", {"slopes": "mask / (1 - keep)"}, "1 - keep stands for keep"),
    Planted(
        "missing-batch-mean", {"delta2": "z2 - y"}, "the 1/m of the mean is missing", mean="delta"
    ),
    Planted("sign", {"delta2": "(y - z2) / m"}, "the difference was turned round"),
    Planted("before-the-mask", {"dW2": "delta2.T @ a1"}, "a1 stands for d1"),
    Planted("batch-mean-twice", {"dW2": "delta2.T @ d1 / m"}, "1/m was put in twice"),
    Planted("mask-forgotten", {"da1": "delta2 @ W2"}, "the dropout was left out"),
    Planted("scale-lost, da1", {"da1": "delta2 @ W2 * mask"}, LOST, label="scale-lost"),
    Planted("mask-lost", {"da1": "delta2 @ W2 / keep"}, "the mask is missing"),
    Planted(
        "scale-twice", {"da1": "delta2 @ W2 * mask / keep**2"}, "the scale 1/keep was put in twice"
    ),
    Planted("missing-slope", {"delta1": "1 * da1"}, "the slope of the tanh is missing"),
    Planted("slope-of-dropped", {"delta1": "da1 * (1 - d1**2)"}, "d1 stands for a1 in the slope"),
    Planted("mask-twice", {"delta1": "da1 * (1 - a1**2) / keep"}, "the scale was put in once more"),
    Planted("wrong-layer-activation", {"dW1": "delta1.T @ (x * x)"}, "x^2 stands for x"),
    Planted(
        "kept-only",
        {"db1": "delta1.sum(axis=0) / mask.sum(axis=0).clip(1)"},
        "the mean over the kept entries stands for the sum over the examples",
    ),
    Planted(
        "scaled-in-use",
        {"in_use": "a1 * keep"},
        "a1 was multiplied by keep, though the scale stood there in training",
    ),
    Planted("dropped-in-use", {"in_use": "1 * d1"}, "a mask is still on"),
)

RIGHT_FORMS = (
    Planted("where", {"slopes": "np.where(mask == 1, 1 / keep, 0)"}),
    Planted("by the slopes", {"da1": "delta2 @ W2 * slopes"}),
    Planted("dropped on the way", {"da1": "np.where(mask, delta2 @ W2, 0) / keep"}),
    Planted("dW transposed", {"dW2": "d1.T @ delta2", "dW1": "x.T @ delta1"}),
    Planted("from z1", {"delta1": "da1 / np.cosh(z1) ** 2", "in_use": "np.tanh(z1)"}),
)

EXERCISE = Exercise(
    22,
    "dropout between two layers",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
