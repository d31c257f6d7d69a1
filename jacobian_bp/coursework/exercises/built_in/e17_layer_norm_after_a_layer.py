"""Exercise 17: layer normalisation behind an affine layer, with gain: which sums vanish."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import batch_forms, matrix_forms, vector_forms
from ..generator import Redraw, numbers
from ..questions import ArrayQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
An affine layer {formula: z = x @ W.T + b} of m examples in {examples: rows | columns}, then layer
normalisation of each example by itself: u = (z - mu)/s, where mu is the mean of the K units of an
example and s^2 is eps plus the mean of (z - mu)^2, and y = gamma u. Behind it comes a cost with
the gradient g = ∂J/∂y.
"""

FORWARD = """
z = x @ W.T + b
mu = z.mean(axis=1)
s = np.sqrt(z.var(axis=1) + eps)
u = ((z.T - mu) / s).T
y = u * gamma
"""

HINTS = (
    "mu and s belong to one example: what a unit of an example gets back is shared among the "
    "units of that example, and among no others.",
    "With means over the units of an example: dz = (du - mean(du) - u mean(du u)) / s.",
    "A number that is added to all units of an example does not move u, so the dz of an example "
    "sum to 0, and so do the entries of db.",
)


def attempt(rng: np.random.Generator) -> Task:
    m, units, inputs = ((5, 3, 2), (2, 5, 3), (7, 3, 2))[int(rng.integers(3))]
    x, g = numbers(rng, m, inputs), numbers(rng, m, units)
    W, b, gamma = numbers(rng, units, inputs), *numbers(rng, 2, units)
    if ((x @ W.T + b).std(axis=1) < 0.3).any():
        raise Redraw("every example has a spread of 0.3 or more")
    return of_given({"x": x, "W": W, "b": b, "gamma": gamma, "g": g, "eps": 0.25})


def of_given(given: Mapping[str, Any]) -> Task:
    x, W, b, gamma, g, eps = (given[name] for name in ("x", "W", "b", "gamma", "g", "eps"))
    run = Network.program(
        "z = Linear(x, W, b)",
        f"u = LayerNorm(z, one, zero, eps={eps})",
        "y = Multiply(u, gamma)",
        "L = Einsum(y, g, 'k,k->')",
        "J = Sum(L)",
        params={"W": W, "b": b, "gamma": gamma, "one": np.ones(len(b)), "zero": 0 * b},
    ).run(x, g=g)
    gradients = run.gradients()
    du, dz = (run.vjp("J", name, 1.0) for name in ("u", "z"))
    questions = (
        ArrayQuestion(
            "dgamma",
            "∂J/∂gamma",
            "(g * u).sum(axis=0)",
            vector_forms(gradients["gamma"]),
            key="gamma",
        ),
        ArrayQuestion("du", "∂J/∂u", "g * gamma", batch_forms(du), key="u"),
        ArrayQuestion(
            "mean_du",
            "the mean of du over the units of each example",
            "du.mean(axis=1)",
            vector_forms(du.mean(axis=1)),
        ),
        ArrayQuestion(
            "mean_duu",
            "the mean of du u over the units of each example",
            "(du * u).mean(axis=1)",
            vector_forms((du * run["u"]).mean(axis=1)),
        ),
        ArrayQuestion(
            "dz",
            "∂J/∂z, from du and the two means",
            "((du.T - mean_du - u.T * mean_duu) / s).T",
            batch_forms(dz),
            key="z",
        ),
        ArrayQuestion("dW", "∂J/∂W", "dz.T @ x", matrix_forms(gradients["W"]), key="W"),
        ArrayQuestion("db", "∂J/∂b", "dz.sum(axis=0)", vector_forms(gradients["b"]), key="b"),
    )
    return Task(questions, given, FORWARD, run)


MISTAKES = (
    Planted("preactivation-for-activation", {"dgamma": "(g * z).sum(axis=0)"}, "z stands for u"),
    Planted("bias-wrong-axis", {"dgamma": "(g * u).sum(axis=1)"}, "the units were summed"),
    Planted("gain-mean", {"dgamma": "(g * u).mean(axis=0)"}, "a mean stands for the sum"),
    Planted("factor-missing", {"du": "g"}, "gamma is missing"),
    Planted(
        "mean-of-g", {"mean_du": "g.mean(axis=1)"}, "g stands for du, so that gamma is missing"
    ),
    Planted(
        "mean-over-examples",
        {"mean_du": "du.mean(axis=0)"},
        "the mean goes over the examples of a unit: that is batch norm",
        besides={"dz": "((du.T - du.mean(axis=1) - u.T * mean_duu) / s).T"},
    ),
    Planted("sum-for-mean", {"mean_du": "du.sum(axis=1)"}, "a sum stands for the mean"),
    Planted(
        "mean-of-products",
        {"mean_duu": "du.mean(axis=1) * u.mean(axis=1)"},
        "the product of two means stands for the mean of the products",
    ),
    Planted("with-z", {"mean_duu": "(du * z).mean(axis=1)"}, "z stands for u"),
    Planted("statistics-as-constants", {"dz": "(du.T / s).T"}, "mu and s were taken as constants"),
    Planted(
        "mean-as-constant",
        {"dz": "((du.T - u.T * mean_duu) / s).T"},
        "mu was taken as a constant",
    ),
    Planted(
        "deviation-as-constant", {"dz": "((du.T - mean_du) / s).T"}, "s was taken as a constant"
    ),
    Planted(
        "sign-of-a-term",
        {"dz": "((du.T - mean_du + u.T * mean_duu) / s).T"},
        "the last term was added, not subtracted",
    ),
    Planted(
        "variance-for-deviation",
        {"dz": "((du.T - mean_du - u.T * mean_duu) / s**2).T"},
        "s^2 stands for s",
    ),
    Planted(
        "delta-of-u",
        {"dW": "du.T @ x"},
        "du stands for dz: the norm was left out",
        label="wrong-delta",
    ),
    Planted("wrong-layer-activation", {"dW": "dz.T @ u @ W"}, "u W stands for x"),
    Planted("bias-averaged", {"db": "dz.mean(axis=0)"}, "a mean stands for the sum"),
    Planted("bias-of-u", {"db": "du.sum(axis=0)"}, "du stands for dz"),
)

RIGHT_FORMS = (
    Planted(
        "rows and columns with one entry",
        {
            "dz": "(du - du.mean(axis=1, keepdims=True)"
            " - u * (du * u).mean(axis=1, keepdims=True)) / s[:, None]"
        },
    ),
    Planted(
        "the whole Jacobian",
        {
            "dz": "np.einsum('nk,nkj->nj', du, (np.eye(len(b)) - 1 / len(b)"
            " - u[:, :, None] * u[:, None] / len(b)) / s[:, None, None])"
        },
    ),
    Planted("dW transposed", {"dW": "x.T @ dz"}),
    Planted(
        "einsum", {"dgamma": "np.einsum('nk,nk->k', g, u)", "dW": "np.einsum('nk,ni->ki', dz, x)"}
    ),
)

EXERCISE = Exercise(
    17,
    "layer norm behind a layer",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
