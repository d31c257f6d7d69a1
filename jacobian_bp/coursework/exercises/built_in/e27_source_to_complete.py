"""Exercise 27: a step of training as NumPy, written by the package, with lines left out."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import batch_forms, matrix_forms, vector_forms
from ..generator import FLAT, Redraw, decimals, drawn_of, numbers
from ..questions import ArrayQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
net.source(batch=m) writes a step of training as a plain NumPy file. Below stands what it writes of
a network with two layers of tanh and the mean of 1/2 |a2 - y|^2, down to dL, with which the way
back begins: dL[n] = ∂J/∂L[n], L[n] the cost of example n. Complete the way back, a line for each
name, in the order in which the file has them. Examples stand in rows.
"""

HINTS = (
    "L of an example is half the sum of the squares of a2 - y, so its slope is a2 - y, times dL of "
    "this example.",
    "delta2 is the gradient by z2: da2 times the slope of tanh, which is 1 - a2^2.",
    "Each z was a product with W.T, so what comes back is a product with W, and the gradient by W "
    "is delta.T times what W was multiplied with.",
    "A bias is read by every example: its gradient is the sum of delta over them.",
)

NETWORK = (["tanh", "tanh"], "half_squared_error")
INPUTS, UNITS, OUTPUTS, EXAMPLES = 3, 7, 2, 5  # that of the file are these numbers too
LAST_GIVEN = "dL"
ASSIGNED = re.compile(r"^    (\w+) = (.*?)  # \(.*\)$", re.M)


@cache
def written() -> dict[str, str]:
    """The lines that the package writes, by the name that each gives, in their order."""
    net = Network.dense([INPUTS, UNITS, OUTPUTS], *NETWORK, seed=0)
    lines = dict(ASSIGNED.findall(net.source(batch=EXAMPLES)))
    lines["da2"] = lines["da2"].replace("missing", f"({lines.pop('missing')})")
    return {name: line for name, line in lines.items() if not line.startswith("params[")}


def forward() -> str:
    """The lines down to dL, as the sheet gives them."""
    lines = [f"{name} = {line}" for name, line in written().items()]
    return "\n".join(lines[: list(written()).index(LAST_GIVEN) + 1])


def attempt(rng: np.random.Generator) -> Task:
    given = {"x": numbers(rng, EXAMPLES, INPUTS), "y": numbers(rng, EXAMPLES, OUTPUTS)}
    given |= {"W1": numbers(rng, UNITS, INPUTS), "b1": numbers(rng, UNITS)}
    given |= {"W2": numbers(rng, OUTPUTS, UNITS) / 2, "b2": numbers(rng, OUTPUTS)}
    return of_given({name: decimals(value) for name, value in given.items()})


def of_given(given: Mapping[str, Any]) -> Task:
    run = drawn_of(given, *NETWORK).run
    if max(np.abs(run[name]).max() for name in ("z1", "z2")) > FLAT:
        raise Redraw("no tanh is saturated")
    gradients = run.gradients()
    lines = written()

    def back(name: str, of: str) -> ArrayQuestion:
        right = batch_forms(run.vjp("J", of, 1.0))
        return ArrayQuestion(name, f"∂J/∂{of}", lines[name], right, key=of)

    def weight(name: str) -> ArrayQuestion:
        right = matrix_forms(gradients[name])
        return ArrayQuestion(f"d{name}", f"∂J/∂{name}", lines[f"d{name}"], right, key=name)

    def bias(name: str) -> ArrayQuestion:
        right = vector_forms(gradients[name])
        return ArrayQuestion(f"d{name}", f"∂J/∂{name}", lines[f"d{name}"], right, key=name)

    questions = (
        back("da2", "a2"),
        back("delta2", "z2"),
        back("da1", "a1"),
        weight("W2"),
        bias("b2"),
        back("delta1", "z1"),
        weight("W1"),
        bias("b1"),
    )
    return Task(questions, given, forward(), run)


MISTAKES = (
    Planted("sign", {"da2": "dL[:, None] * (y - a2)"}, "the difference was turned round"),
    Planted("missing-batch-mean", {"da2": "a2 - y"}, "dL is missing, and with it the 1/m"),
    Planted(
        "constant-factor", {"da2": "2 * dL[:, None] * (a2 - y)"}, "the 1/2 of the cost was lost"
    ),
    Planted("missing-output-slope", {"delta2": "1 * da2"}, "the slope of the output is missing"),
    Planted("slope-of-preactivation-formula", {"delta2": "da2 * (1 - z2**2)"}, "z2 stands for a2"),
    Planted("value-for-slope", {"delta2": "da2 * a2"}, "a2 stands for its slope"),
    Planted(
        "slope-at-activation",
        {"delta2": "da2 / np.cosh(a2) ** 2"},
        "the slope was taken at a2, not at z2",
    ),
    Planted("upstream-missing", {"da1": "np.ones_like(delta2) @ W2"}, "delta2 is missing"),
    Planted("stale-delta", {"da1": "da2 @ W2"}, "da2 stands for delta2"),
    Planted("preactivation-for-activation", {"dW2": "delta2.T @ z1"}, "z1 stands for a1"),
    Planted("batch-mean-twice", {"dW2": "delta2.T @ a1 / len(x)"}, "1/m was put in twice"),
    Planted("delta-before-its-slope", {"dW2": "da2.T @ a1"}, "da2 stands for delta2"),
    Planted("bias-not-summed", {"db2": "1 * delta2"}, "the examples were not summed"),
    Planted("bias-averaged", {"db2": "delta2.mean(axis=0)"}, "a mean stands for the sum"),
    Planted("missing-slope", {"delta1": "1 * da1"}, "the slope of the hidden layer is missing"),
    Planted(
        "bend-for-slope",
        {"delta1": "da1 * -2 * a1 * (1 - a1**2)"},
        "the second derivative of tanh stands for the first",
    ),
    Planted("wrong-layer-activation", {"dW1": "delta1.T @ a1[:, :3]"}, "a1 stands for x"),
    Planted("slope-forgotten, dW1", {"dW1": "da1.T @ x"}, "da1 stands for delta1"),
    Planted(
        "bias-averaged, db1",
        {"db1": "delta1.mean(axis=0)"},
        "a mean stands for the sum",
        label="bias-averaged",
    ),
)

RIGHT_FORMS = (
    Planted("by the value", {"delta2": "da2 * (1 - a2**2)", "delta1": "da1 * (1 - a1**2)"}),
    Planted(
        "einsum",
        {"dW2": "np.einsum('nk,ni->ki', delta2, a1)", "da1": "np.einsum('nk,ki->ni', delta2, W2)"},
    ),
    Planted("the mean at the end", {"da2": "(a2 - y) / len(y)", "db1": "np.ones(len(x)) @ delta1"}),
    Planted("gradients transposed", {"dW2": "a1.T @ delta2", "dW1": "x.T @ delta1"}),
    Planted("columns for biases", {"db2": "delta2.sum(axis=0)[:, None]"}),
)

EXERCISE = Exercise(
    27,
    "a step of training to complete",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="net.source() writes examples in rows",
)
