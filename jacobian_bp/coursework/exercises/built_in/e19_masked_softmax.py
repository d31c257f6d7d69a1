"""Exercise 19: a softmax with a mask, along the right axis, and taken back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import batch_forms, only
from ..generator import Redraw, numbers
from ..questions import ArrayQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Scores z of m examples for K classes, examples in {examples: rows | columns}, and a mask of the
same shape: 1 where a class may be chosen, 0 where it may not. The probabilities p of each example
are the softmax of its scores over the classes that its mask lets stand; the others have
probability 0. Behind it comes a cost with the gradient g = ∂J/∂p.
"""

FORWARD = """
m, K = z.shape
"""

HINTS = (
    "Leave the masked classes out of the sum: exp(z) mask, divided by its sum over the classes "
    "of the example.",
    "∂p[k]/∂z[k'] = p[k] (delta[k,k'] - p[k']): the score of one class moves all probabilities of "
    "its example, and none of another one.",
    "Pulled back: dz[k] = p[k] (g[k] - sum over k' of g[k'] p[k']). Where p is 0, so is dz.",
)


def attempt(rng: np.random.Generator) -> Task:
    m, classes = ((3, 5), (5, 4), (3, 4))[int(rng.integers(3))]
    mask = rng.integers(0, 2, (m, classes))
    if (mask.sum(axis=1) < 2).any() or mask.all(axis=1).all() or (mask.sum(axis=0) == 0).any():
        raise Redraw("every example has two classes or more, and some are masked")
    z, g = numbers(rng, 2, m, classes)
    return of_given({"z": z, "mask": mask, "g": g})


def of_given(given: Mapping[str, Any]) -> Task:
    z, mask, g = (given[name] for name in ("z", "mask", "g"))
    run = Network.program("p = Softmax(z, mask)", "L = Einsum(p, g, 'k,k->')", "J = Sum(L)").run(
        z=z, mask=mask, g=g
    )
    whole = run.jacobian("p", "z").materialise()
    questions = (
        ArrayQuestion(
            "p",
            "the probabilities",
            "np.exp(z) * mask / (np.exp(z) * mask).sum(axis=1, keepdims=True)",
            batch_forms(run["p"]),
            stands_as="p",
        ),
        ArrayQuestion(
            "D",
            "the matrices ∂p/∂z of all examples, axes [n,k,k'] with the examples first, from p",
            "np.einsum('nk,kl->nkl', p, np.eye(K)) - np.einsum('nk,nl->nkl', p, p)",
            only(np.einsum("nknl->nkl", whole)),
        ),
        NumberQuestion(
            "silent",
            "how many entries of ∂J/∂z are 0 whatever g is",
            "int((mask == 0).sum())",
            int((whole == 0).all(axis=(0, 1)).sum()),
        ),
        ArrayQuestion(
            "dz",
            "∂J/∂z, from p and g",
            "p * (g - (g * p).sum(axis=1, keepdims=True))",
            batch_forms(run.vjp("J", "z", 1.0)),
            key="z",
        ),
    )
    return Task(questions, given, FORWARD, run)


PLAIN = "np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)"
MISTAKES = (
    Planted(
        "wrong-axis",
        {"p": "np.exp(z) * mask / (np.exp(z) * mask).sum(axis=0)"},
        "the sum goes over the examples; it belongs over the classes of one",
    ),
    Planted(
        "mask-after-softmax",
        {"p": f"{PLAIN} * mask"},
        "the mask stands behind the softmax, so that what is left does not sum to 1",
    ),
    Planted(
        "masked-score-zero",
        {"p": "np.exp(z * mask) / np.exp(z * mask).sum(axis=1, keepdims=True)"},
        "the masked scores were made 0, and exp(0) is not 0",
    ),
    Planted("mask-forgotten", {"p": PLAIN}, "the mask is missing"),
    Planted(
        "all-in-one",
        {"p": "np.exp(z) * mask / (np.exp(z) * mask).sum()"},
        "one sum over all examples stands there; each example has its own",
    ),
    Planted(
        "softmax-as-elementwise",
        {"D": "np.einsum('nk,kl->nkl', p * (1 - p), np.eye(K))"},
        "the diagonal alone stands there: the entries beside it are missing",
    ),
    Planted(
        "sign-of-a-term",
        {"D": "np.einsum('nk,kl->nkl', p, np.eye(K)) + np.einsum('nk,nl->nkl', p, p)"},
        "the products of two probabilities were added, not subtracted",
    ),
    Planted(
        "term-missing",
        {"D": "-np.einsum('nk,nl->nkl', p, p)"},
        "the term with the delta is missing",
    ),
    Planted(
        "identity-for-p",
        {"D": "np.eye(K) - np.einsum('nk,nl->nkl', p, p)"},
        "the delta stands there without its p",
    ),
    Planted(
        "masked-for-kept", {"silent": "int(mask.sum())"}, "the classes that stand were counted"
    ),
    Planted(
        "softmax-as-elementwise, dz",
        {"dz": "p * (1 - p) * g"},
        "each probability was taken to read its own score only",
        label="softmax-as-elementwise",
    ),
    Planted(
        "wrong-axis, dz",
        {"dz": "p * (g - (g * p).sum(axis=0))"},
        "the sum goes over the examples; it belongs over the classes of one",
        label="wrong-axis",
    ),
    Planted(
        "mask-after-softmax, dz",
        {"dz": f"mask * ({PLAIN}) * (g - (g * ({PLAIN})).sum(axis=1, keepdims=True))"},
        "the softmax without a mask was taken back, and then the mask put on",
        label="mask-after-softmax",
    ),
    Planted("sum-of-g", {"dz": "p * (g - g.sum(axis=1, keepdims=True))"}, "g stands for g p"),
    Planted(
        "mean-of-g",
        {"dz": "p * (g - (g * p).mean(axis=1, keepdims=True))"},
        "a mean stands for the sum",
    ),
    Planted(
        "term-missing, dz", {"dz": "p * g"}, "the sum of g p was left out", label="term-missing"
    ),
    Planted("p-missing", {"dz": "g - (g * p).sum(axis=1, keepdims=True)"}, "p is missing"),
    Planted(
        "labels-taken-off",
        {"dz": "p - g"},
        "p - g stands there, as if g were labels behind a cross-entropy",
    ),
)

RIGHT_FORMS = (
    Planted(
        "from the largest score",
        {"p": "np.exp(z - z.max()) * mask / (np.exp(z - z.max()) * mask).sum(axis=1)[:, None]"},
    ),
    Planted(
        "minus infinity",
        {
            "p": "np.exp(np.where(mask, z, -np.inf))"
            " / np.exp(np.where(mask, z, -np.inf)).sum(axis=1, keepdims=True)"
        },
    ),
    Planted("entry by entry", {"D": "p[:, :, None] * (np.eye(K) - p[:, None, :])"}),
    Planted("by the matrices", {"dz": "np.einsum('nk,nkl->nl', g, D)"}),
    Planted("two terms", {"dz": "g * p - p * (g * p).sum(axis=1)[:, None]"}),
)

EXERCISE = Exercise(
    19,
    "a softmax with a mask",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
