"""Exercise 1: the shape of every object of a backward pass."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....algebra.jacobian import Jacobian
from ....network.run import Run
from ..generator import Drawn, draw, drawn_of
from ..questions import NumberQuestion, Question, ShapeQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A network of three layers of weights and a batch of m examples in {examples: rows | columns}; W
of a layer{bias: | , without the bias in it, | , without the bias in it,} has the shape
{weights: (outputs, inputs) | (inputs, outputs)}, and J is the mean of the squared errors. Write
the shape of each object as a tuple, such as (4, 2), without computing it. The last objects belong
to one example alone.
"""

FORWARD = """
m, I = x.shape
K1, K2, K3 = len(b1), len(b2), len(b3)
"""

HINTS = (
    "A value of a batch has one {examples: row | column} an example; a parameter is shared, so it "
    "has no axis m.",
    "The gradient of a scalar has one entry for each entry of the variable: write down the "
    "shape of the variable.",
    "A Jacobian has the axes of the output, and then those of the variable: a vector by a matrix "
    "has three.",
)


NETWORK = (["relu", "tanh", "sigmoid"], "squared_error")


def attempt(rng: np.random.Generator) -> Task:
    return task_of(draw(rng, *NETWORK))


def of_given(given: Mapping[str, Any]) -> Task:
    return task_of(drawn_of(given, *NETWORK))


def task_of(drawn: Drawn) -> Task:
    run, one = drawn.run, drawn.net.run(drawn.x[0], drawn.y[0])
    gradients = run.gradients()
    delta = run.jacobian(run.cost, "z2").materialise()
    questions: tuple[Question, ...] = (
        _values(run, "z1", "(m, K1)"),
        ShapeQuestion("shape_J", "the shape of J", "()", {"": run["J"].shape}),
        ShapeQuestion("shape_delta2", "the shape of ∂J/∂z2", "(m, K2)", _either(delta.shape), "z2"),
        ShapeQuestion(
            "shape_dW2", "the shape of ∂J/∂W2", "(K2, K1)", _matrix(gradients["W2"].shape), "W2"
        ),
        ShapeQuestion(
            "shape_db2", "the shape of ∂J/∂b2", "(K2,)", _vector(gradients["b2"].shape), "b2"
        ),
        _jacobian(one.jacobian("z2", "a1"), "(K2, K1)"),
        _jacobian(one.jacobian("a2", "z2"), "(K2, K2)"),
        _jacobian(one.jacobian("z2", "W2"), "(K2, K2, K1)"),
        _jacobian(one.jacobian("z3", "W2"), "(K3, K2, K1)"),
        NumberQuestion(
            "parameters",
            "how many numbers are trained",
            "(I + 1) * K1 + (K1 + 1) * K2 + (K2 + 1) * K3",
            drawn.net.parameter_count,
        ),
    )
    return Task(questions, drawn.given, FORWARD, run)


def _values(run: Run, name: str, solution: str) -> ShapeQuestion:
    return ShapeQuestion(
        f"shape_{name}", f"the shape of {name}", solution, _either(run[name].shape), name
    )


def _jacobian(jacobian: Jacobian, solution: str) -> ShapeQuestion:
    name = f"shape_d{jacobian.of}_d{jacobian.wrt}"
    forms = {
        layout: jacobian.shape_in(layout)
        for layout in ("numerator", "transposed", "flat", "gradient")
    }
    ask, key = f"the shape of {jacobian.name}, for one example", (jacobian.of, jacobian.wrt)
    return ShapeQuestion(name, ask, solution, forms, key)


def _either(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {"": shape, "examples in columns": shape[::-1]}


def _matrix(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    size = shape[0] * shape[1]
    return {"gradient": shape, "transposed": shape[::-1], "flat": (1, size)}


def _vector(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {"": shape, "gradient (a column)": (*shape, 1), "transposed (a row)": (1, *shape)}


MISTAKES = (
    Planted(
        "no-batch-axis",
        {"shape_z1": "(K1,)"},
        "the axis of the batch is missing: there is a {examples: row | column} for each example",
    ),
    Planted("cost-per-example", {"shape_J": "(m,)"}, "one cost an example stands for their mean"),
    Planted("examples-lost", {"shape_delta2": "(K2,)"}, "the axis of the batch is missing"),
    Planted("wrong-layer", {"shape_delta2": "(m, K1)"}, "K1 stands for K2"),
    Planted(
        "batch-kept",
        {"shape_dW2": "(m, K2, K1)"},
        "the axis of the batch was kept; it should be summed",
    ),
    Planted(
        "wrong-layer-activation", {"shape_dW2": "(K3, K2)"}, "the shape of W3 stands for that of W2"
    ),
    Planted(
        "bias-not-summed",
        {"shape_db2": "(m, K2)"},
        "the axis of the batch was kept; it should be summed",
    ),
    Planted(
        "bias-wrong-axis", {"shape_db2": "(m,)"}, "the units were summed; it should be the examples"
    ),
    Planted(
        "diagonal-only", {"shape_da2_dz2": "(K2,)"}, "the diagonal stands for the whole matrix"
    ),
    Planted("vector-for-matrix", {"shape_dz2_da1": "(K1,)"}, "one row stands for the whole matrix"),
    Planted(
        "square-jacobian", {"shape_dz2_da1": "(K1, K1)"}, "the axis of a1 stands for that of z2"
    ),
    Planted("collapsed", {"shape_dz2_dW2": "(K2, K1)"}, "the output axis is missing"),
    Planted(
        "wrong-delta", {"shape_dz2_dW2": "(K2, K1, K1)"}, "a shape (K1, K1) stands for that of W2"
    ),
    Planted(
        "local-for-whole", {"shape_dz3_dW2": "(K2, K2, K1)"}, "the axis of z2 stands for that of z3"
    ),
    Planted(
        "biases-forgotten", {"parameters": "I * K1 + K1 * K2 + K2 * K3"}, "the biases were left out"
    ),
)

RIGHT_FORMS = (
    Planted("examples in columns", {"shape_z1": "(K1, m)", "shape_delta2": "(K2, m)"}),
    Planted("dW2 transposed", {"shape_dW2": "(K1, K2)"}),
    Planted("flat tensor", {"shape_dz2_dW2": "(K2, K2 * K1)", "shape_dW2": "(1, K2 * K1)"}),
    Planted("gradient layout", {"shape_dz2_dW2": "(K2, K1, K2)", "shape_db2": "[K2, 1]"}),
    Planted("shapes of arrays", {"shape_z1": "(x @ W1.T).shape", "shape_dW2": "W2.shape"}),
)

EXERCISE = Exercise(
    1,
    "a shape table",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    fresh=False,
    of_given=of_given,
)
