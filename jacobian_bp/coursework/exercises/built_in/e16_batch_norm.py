"""Exercise 16: batch normalisation taken back, with the two sums over the examples."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import batch_forms, only, vector_forms
from ..generator import Redraw, numbers
from ..questions import ArrayQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Batch normalisation in training, of m examples in {examples: rows | columns}: for each unit
u = (x - mu)/s, where mu is the mean of the unit over the examples and s^2 is eps plus the mean of
(x - mu)^2, divided by m and not by m - 1. Then y = gamma u + beta, with a gain and a shift for
each unit. mu and s are functions of x. Behind it comes a cost with the gradient g = ∂J/∂y.
"""

FORWARD = """
m = len(x)
mu = x.mean(axis=0)
s = np.sqrt(((x - mu) ** 2).mean(axis=0) + eps)
u = (x - mu) / s
y = u * gamma + beta
"""

HINTS = (
    "gamma and beta are shared by all examples, so their gradients are sums over the examples.",
    "x of one example moves mu by 1/m and s by u/m, and with them u of every example of this unit.",
    "∂J/∂s = -sum of du u / s and ∂J/∂mu = -sum of du / s, both over the examples; s does not move "
    "with mu, as the sum of x - mu is 0.",
    "Together, with means over the examples: dx = (du - mean(du) - u mean(du u)) / s.",
)


def attempt(rng: np.random.Generator) -> Task:
    m, units = ((5, 3), (7, 3), (5, 2))[int(rng.integers(3))]
    x, g = numbers(rng, 2, m, units)
    gamma, beta = numbers(rng, 2, units)
    if (x.std(axis=0) < 0.3).any():
        raise Redraw("every unit has a spread of 0.3 or more")
    return of_given({"x": x, "gamma": gamma, "beta": beta, "g": g, "eps": 0.25})


def of_given(given: Mapping[str, Any]) -> Task:
    x, gamma, beta, g, eps = (given[name] for name in ("x", "gamma", "beta", "g", "eps"))
    run = Network.program(
        f"u = BatchNorm(x, one, zero, eps={eps})",
        "v = Multiply(u, gamma)",
        "y = Add(v, beta)",
        "L = Einsum(y, g, 'k,k->')",
        "J = Sum(L)",
        params={"gamma": gamma, "beta": beta, "one": np.ones(len(beta)), "zero": 0 * beta},
    ).run(x, g=g)
    gradients = run.gradients()
    unit = run.jacobian("u", "x").materialise()[:, 0, :, 0]
    questions = (
        ArrayQuestion(
            "dgamma",
            "∂J/∂gamma",
            "(g * u).sum(axis=0)",
            vector_forms(gradients["gamma"]),
            key="gamma",
        ),
        ArrayQuestion(
            "dbeta", "∂J/∂beta", "g.sum(axis=0)", vector_forms(gradients["beta"]), key="beta"
        ),
        ArrayQuestion("du", "∂J/∂u", "g * gamma", batch_forms(run.vjp("J", "u", 1.0)), key="u"),
        ArrayQuestion(
            "ds",
            "∂J/∂s, by way of u = (x - mu)/s, from du",
            "-(du * u / s).sum(axis=0)",
            vector_forms(-(run.vjp("J", "u", 1.0) * run["u"]).sum(axis=0) / _spread(x, eps)),
        ),
        ArrayQuestion(
            "du_dx",
            "the square matrix of ∂u/∂x of the first unit: an example of u, an example of x",
            "(np.eye(m) - 1 / m - np.outer(u[:, 0], u[:, 0]) / m) / s[0]",
            only(unit),
        ),
        ArrayQuestion(
            "dx",
            "∂J/∂x, from du",
            "(du - du.mean(axis=0) - u * (du * u).mean(axis=0)) / s",
            batch_forms(run.vjp("J", "x", 1.0)),
            key="x",
        ),
    )
    return Task(questions, given, FORWARD, run)


def _spread(x: np.ndarray, eps: float) -> np.ndarray:
    return np.sqrt(x.var(axis=0) + eps)


MISTAKES = (
    Planted(
        "preactivation-for-activation",
        {"dgamma": "(g * x).sum(axis=0)"},
        "x stands for u, which gamma was multiplied with",
    ),
    Planted("gain-mean", {"dgamma": "(g * u).mean(axis=0)"}, "a mean stands for the sum"),
    Planted(
        "gain-not-summed",
        {"dgamma": "g * u"},
        "the examples were not summed",
        label="bias-not-summed",
    ),
    Planted("gain-twice", {"dgamma": "(g * u * gamma).sum(axis=0)"}, "gamma was multiplied in"),
    Planted("bias-not-summed", {"dbeta": "g"}, "the examples were not summed"),
    Planted("shift-times-gain", {"dbeta": "(g * gamma).sum(axis=0)"}, "gamma was multiplied in"),
    Planted("factor-missing", {"du": "g"}, "gamma is missing", besides={}),
    Planted("gain-divided", {"du": "g / gamma"}, "g was divided by gamma"),
    Planted("sign", {"ds": "(du * u / s).sum(axis=0)"}, "the minus of 1/s is missing"),
    Planted(
        "spread-not-summed",
        {"ds": "-du * u / s"},
        "the examples were not summed",
        label="bias-not-summed",
    ),
    Planted("spread-of-u", {"ds": "-(du * u).sum(axis=0)"}, "1/s is missing"),
    Planted(
        "statistics-as-constants",
        {"du_dx": "np.eye(m) / s[0]"},
        "mu and s were taken as constants",
    ),
    Planted(
        "mean-as-constant",
        {"du_dx": "(np.eye(m) - np.outer(u[:, 0], u[:, 0]) / m) / s[0]"},
        "mu was taken as a constant",
    ),
    Planted(
        "deviation-as-constant",
        {"du_dx": "(np.eye(m) - 1 / m) / s[0]"},
        "s was taken as a constant",
    ),
    Planted(
        "statistics-as-constants, dx",
        {"dx": "du / s"},
        "mu and s were taken as constants",
        label="statistics-as-constants",
    ),
    Planted(
        "mean-as-constant, dx",
        {"dx": "(du - u * (du * u).mean(axis=0)) / s"},
        "mu was taken as a constant",
        label="mean-as-constant",
    ),
    Planted(
        "deviation-as-constant, dx",
        {"dx": "(du - du.mean(axis=0)) / s"},
        "s was taken as a constant",
        label="deviation-as-constant",
    ),
    Planted(
        "sums-for-means",
        {"dx": "(du - du.sum(axis=0) - u * (du * u).sum(axis=0)) / s"},
        "sums stand for the means over the examples",
    ),
    Planted(
        "statistics-of-an-example",
        {"dx": "(du - du.mean(axis=1)[:, None] - u * (du * u).mean(axis=1)[:, None]) / s"},
        "the means go over the units of an example; they belong over the examples of a unit",
    ),
    Planted(
        "missing-scale",
        {"dx": "du - du.mean(axis=0) - u * (du * u).mean(axis=0)"},
        "1/s is missing",
    ),
)

RIGHT_FORMS = (
    Planted("einsum", {"dgamma": "np.einsum('nk,nk->k', g, u)", "dbeta": "np.ones(m) @ g"}),
    Planted(
        "through s and mu",
        {"dx": "du / s + ds * u / m - (du / s).mean(axis=0)"},
    ),
    Planted("as the paper has it", {"dx": "gamma / (m * s) * (m * g - dbeta - u * dgamma)"}),
    Planted("by the variance", {"ds": "-(du * (x - mu)).sum(axis=0) / s**2"}),
    Planted(
        "a centring matrix",
        {"du_dx": "(np.eye(m) - np.full((m, m), 1 / m) - u[:, :1] @ u[:, :1].T / m) / s[0]"},
    ),
)

EXERCISE = Exercise(
    16,
    "batch norm taken back",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
