"""Exercise 13: which parts of a Hessian vanish, and why."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..accepted_forms import only
from ..generator import Drawn, draw, drawn_of
from ..questions import ArrayQuestion, ChoiceQuestion, MaskQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Two layers, for one example: {formula: z1 = W1 @ x + b1}, a1 = relu(z1),
{formula: z2 = W2 @ a1 + b2}, and the cost J = 1/2 |z2 - y|^2. A Hessian is a sum of two parts. The
Gauss-Newton part takes z2 as straight in the weights and bends with the cost alone; the rest has
what bends inside the network, each times what comes back to it. J has the second derivative
delta[k,k'] by z2, d2 = ∂J/∂z2, and no z1 is exactly 0. The axes of a block of two weights are
output and input of the first one, then output and input of the second.
"""

FORWARD = """
z1 = W1 @ x + b1
a1 = np.maximum(z1, 0)
z2 = W2 @ a1 + b2
d2 = z2 - y
K, H = W2.shape
I = len(x)
"""

HINTS = (
    "W2 multiplies a1, and W1 moves a1: ∂J/∂{weights: W2[k,i] | W2[i,k]} = d2[k] a1[i] moves with "
    "W1 in two ways.",
    "The rest is what is left when d2 is held fixed: d2[k] ∂a1[i]/∂{weights: W1[k',i'] | "
    "W1[i',k']}. The unit i of a1 reads the {weights: row | column} i of W1 only.",
    "A rectifier is straight on either side of 0, so it adds nothing to the rest: with d2 held "
    "fixed, neither ∂J/∂W2 moves with W2, nor ∂J/∂W1 with W1.",
)

DELTA = "np.eye(H, dtype=bool)[None, :, :, None]"
REST = "(d2[:, None] * (z1 > 0))[:, :, None, None] * np.eye(H)[None, :, :, None] * x"
NETWORK = (["relu", "identity"], "half_squared_error")
WORDS = ("zero", "not zero")


def attempt(rng: np.random.Generator) -> Task:
    return task_of(draw(rng, *NETWORK, batch=False))


def of_given(given: Mapping[str, Any]) -> Task:
    return task_of(drawn_of(given, *NETWORK))


def task_of(drawn: Drawn) -> Task:
    rest = drawn.run.hessian("W2", "W1").residual
    possible = rest.can_be_nonzero().astype(float)
    vanishes = {name: WORDS[bool(drawn.run.hessian(name).residual.links)] for name in ("W1", "W2")}
    questions = (
        ChoiceQuestion(
            "rest_W1", "the rest of ∂²J/∂W1²: zero or not zero", "'zero'", vanishes["W1"], WORDS
        ),
        ChoiceQuestion(
            "rest_W2", "the rest of ∂²J/∂W2²: zero or not zero", "'zero'", vanishes["W2"], WORDS
        ),
        MaskQuestion(
            "can_be_nonzero",
            "True where the rest of ∂²J/∂W2∂W1, of shape (K, H, H, I), is non-zero for some input",
            f"{DELTA} & np.ones((K, H, H, I), dtype=bool)",
            forms=only(possible),
        ),
        NumberQuestion(
            "count", "how many of its entries can be non-zero", "K * H * I", int(possible.sum())
        ),
        ArrayQuestion(
            "rest", "the rest of ∂²J/∂W2∂W1, its numbers", REST, only(rest.materialise())
        ),
        ArrayQuestion(
            "H11",
            "∂²J/∂z1², a matrix",
            "((z1 > 0)[:, None] * W2.T) @ (W2 * (z1 > 0))",
            {"": drawn.run.hessian("z1").materialise()},
        ),
    )
    return Task(questions, drawn.given, FORWARD, drawn.run)


MISTAKES = (
    Planted("rectifier-bends", {"rest_W1": "'not zero'"}, "a rectifier was taken for curved"),
    Planted(
        "square-of-a-weight",
        {"rest_W2": "'not zero'"},
        "W2 stands once in z2, not multiplied by W2",
    ),
    Planted(
        "no-delta",
        {"can_be_nonzero": "np.ones((K, H, H, I), dtype=bool)"},
        "a unit of a1 was given all weights of W1, not its own",
    ),
    Planted(
        "two-kinds-of-zero",
        {"can_be_nonzero": f"{DELTA} & ((z1 > 0)[:, None] & np.ones((K, 1, 1, I), dtype=bool))"},
        "what is 0 at this input stands for what is 0 for every input",
    ),
    Planted("count-all", {"count": "K * H * H * I"}, "zeros were counted too"),
    Planted("count-once", {"count": "H * I"}, "one output was counted, not K"),
    Planted(
        "gauss-newton-too",
        {"rest": f"{REST} + np.einsum('i,kl,l,p->kilp', a1, W2, z1 > 0, x)"},
        "the Gauss-Newton part was added",
    ),
    Planted(
        "missing-slope",
        {"rest": "d2[:, None, None, None] * np.eye(H)[None, :, :, None] * x"},
        "the slope of the rectifier is missing",
    ),
    Planted(
        "without-the-delta",
        {"rest": "(d2[:, None] * (z1 > 0))[:, :, None, None] * np.ones((H, 1)) * x"},
        "the delta between the unit of a1 and that of W1 is missing",
    ),
    Planted("error-forgotten", {"rest": f"({REST}) / d2[:, None, None, None]"}, "d2 is missing"),
    Planted("weights-only", {"H11": "W2.T @ W2"}, "the slopes of the rectifier are missing"),
    Planted(
        "one-slope",
        {"H11": "W2.T @ (W2 * (z1 > 0))"},
        "the slope stands on one side only, so that the matrix is not symmetric",
    ),
    Planted(
        "diagonal-only",
        {"H11": "np.diag((W2**2).sum(axis=0) * (z1 > 0))"},
        "the entries beside the diagonal are missing",
    ),
)

RIGHT_FORMS = (
    Planted("einsum", {"rest": "np.einsum('k,i,ij,p->kijp', d2, (z1 > 0) * 1.0, np.eye(H), x)"}),
    Planted("by the diagonal", {"H11": "np.diag(z1 > 0) @ W2.T @ W2 @ np.diag(z1 > 0)"}),
    Planted(
        "the mask of numbers",
        {"can_be_nonzero": "np.eye(H)[None, :, :, None] * np.ones((K, 1, 1, I))"},
    ),
)

EXERCISE = Exercise(
    13,
    "which parts of a Hessian vanish",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
