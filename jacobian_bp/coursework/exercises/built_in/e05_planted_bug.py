"""Exercise 5: find the planted bug in a backward pass whose layers are all equally wide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..accepted_forms import batch_forms, matrix_forms, vector_forms
from ..generator import Drawn, draw, drawn_of, one_of
from ..questions import ArrayQuestion, ChoiceQuestion, NumberQuestion, Question
from ..task import Exercise, Planted, Task

STATEMENT = """
Three layers of equal width, ReLU, tanh and sigmoid; J is the mean over m examples of
1/2 |a3 - y|^2; examples stand in {examples: rows | columns}. One line of this backward pass is
wrong, and because all layers are equally wide no shape gives it away:
"""

QUESTION = """

Write the number of the line, the word for what is wrong with it, and the backward pass as it
should be.

The words: {words}.
"""

FORWARD = """
m = len(x)
z1 = x @ W1.T + b1
a1 = np.maximum(z1, 0)
z2 = a1 @ W2.T + b2
a2 = np.tanh(z2)
z3 = a2 @ W3.T + b3
a3 = 1 / (1 + np.exp(-z3))
"""

LINES = {
    "d3": "(a3 - y) / m * a3 * (1 - a3)",
    "dW3": "d3.T @ a2",
    "d2": "d3 @ W3 * (1 - a2**2)",
    "dW2": "d2.T @ a1",
    "db2": "d2.sum(axis=0)",
    "d1": "d2 @ W2 * (z1 > 0)",
    "dW1": "d1.T @ x",
}


@dataclass(frozen=True)
class Bug:
    """One line written wrongly; `mean` says where the 1/m stands if that matters."""

    name: str
    line: str
    says: str
    word: str
    mean: str = ""


BUGS = (
    Bug("d3", "(a3 - y) / m", "the slope of the sigmoid was left out", "missing-output-slope"),
    Bug(
        "d3",
        "(a3 - y) * a3 * (1 - a3)",
        "the mean over the batch is gone",
        "missing-batch-mean",
        "delta",
    ),
    Bug("d3", "(y - a3) / m * a3 * (1 - a3)", "the difference was turned round", "sign"),
    Bug("dW3", "d3.T @ a1", "a1 stands for a2", "wrong-layer-activation"),
    Bug("dW3", "d3.T @ z2", "z2 stands for a2", "preactivation-for-activation"),
    Bug("d2", "d3 @ W3.T * (1 - a2**2)", "W3 stands the wrong way round", "weight-not-transposed"),
    Bug(
        "d2",
        "d3 @ W3 * (1 - np.tanh(a2) ** 2)",
        "the slope was taken at a2, not at z2",
        "slope-at-activation",
    ),
    Bug("d2", "d3 @ W3", "the slope of the tanh was left out", "missing-slope"),
    Bug(
        "d2",
        "d3 @ W3 * (1 - a1**2)",
        "the slope of layer 1 stands for that of layer 2",
        "wrong-layer-slope",
    ),
    Bug("d2", "d3 * (1 - a2**2)", "W3 was left out", "weight-missing"),
    Bug(
        "db2",
        "d2.mean(axis=0)",
        "a mean stands for the sum: the 1/m is there already",
        "batch-mean-twice",
    ),
    Bug("d1", "d2 @ W2 * a1", "the value of the ReLU stands for its slope", "value-for-slope"),
)

OF_EACH_EXAMPLE = Bug(
    "dW3", "m * d3.T @ a2", "the mean over the batch is gone", "missing-batch-mean", "gradient"
)  # in place of the bug in d3, which has no 1/m there

WORDS = tuple(sorted({bug.word for bug in BUGS}))

HINTS = (
    "Check each line against the forward pass: which array was W multiplied by, at which value "
    "is the slope taken, which layer is it?",
    "Run the lines, and compare with finite differences of J from the last layer to the first: "
    "the first gradient that differs tells which line it is. What follows from it differs too.",
    "Look at the pattern: one factor overall is a mean or a sign; a zero, a row or a column "
    "that is off is an activation or a slope; everything off is a weight.",
)


NETWORK = (["relu", "tanh", "sigmoid"], "half_squared_error")


def attempt(rng: np.random.Generator) -> Task:
    return task_of(draw(rng, *NETWORK, kind="square"))


def of_given(given: Mapping[str, Any]) -> Task:
    return task_of(drawn_of(given, *NETWORK))


def task_of(drawn: Drawn) -> Task:
    bug = BUGS[one_of(len(BUGS), drawn.given)]
    each = _task(drawn, OF_EACH_EXAMPLE) if bug.mean else None
    return replace(_task(drawn, bug), of_each_example=each)


def _task(drawn: Drawn, bug: Bug) -> Task:
    run, gradients = drawn.run, drawn.run.gradients()
    place = 1 + list(LINES).index(bug.name)

    def delta(name: str) -> ArrayQuestion:
        right = run.jacobian(run.cost, f"z{name[1]}").materialise()
        return ArrayQuestion(
            name, f"∂J/∂z{name[1]}", LINES[name], forms=batch_forms(right), key=f"z{name[1]}"
        )

    def gradient(name: str) -> ArrayQuestion:
        right = gradients[name[1:]]
        forms = matrix_forms(right) if right.ndim == 2 else vector_forms(right)
        return ArrayQuestion(name, f"∂J/∂{name[1:]}", LINES[name], forms=forms, key=name[1:])

    passes: list[Question] = [delta(n) if n[1].isdigit() else gradient(n) for n in LINES]
    questions = (
        NumberQuestion("line", "the number of the wrong line", str(place), place),
        ChoiceQuestion("word", "the word for what is wrong", repr(bug.word), bug.word, WORDS),
        *passes,
    )
    wrong_place, wrong_word = place % len(LINES) + 1, WORDS[WORDS.index(bug.word) - 1]
    mistakes = (
        Planted(
            "wrong-line", {"line": str(wrong_place)}, "this line is right, another one is wrong"
        ),
        Planted("wrong-word", {"word": repr(wrong_word)}, "the line is wrong in another way"),
        Planted(
            "line-from-0", {"line": "0"}, "the lines were counted from 0; they are numbered from 1"
        ),
    )
    more = "\n" + _listing(bug) + QUESTION.format(words=", ".join(WORDS))
    return Task(questions, drawn.given, FORWARD, run, more, mistakes)


def _listing(bug: Bug) -> str:
    lines = LINES | {bug.name: bug.line}
    numbered = enumerate(lines.items(), 1)
    return "\n".join(f"    {n}  {{code: {name} = {line}}}" for n, (name, line) in numbered)


MISTAKES = (
    *(
        Planted(bug.word, {bug.name: bug.line}, bug.says, mean=bug.mean)
        for bug in (*BUGS, OF_EACH_EXAMPLE)
    ),
    Planted("wrong-weight", {"d2": "d3 @ W2 * (1 - a2**2)"}, "W2 stands for W3"),
)

RIGHT_FORMS = (
    Planted(
        "examples in columns",
        {
            "d3": "((a3 - y) / m * a3 * (1 - a3)).T",
            "dW3": "d3 @ a2",
            "d2": "W3.T @ d3 * (1 - a2**2).T",
            "dW2": "d2 @ a1",
            "db2": "d2.sum(axis=1)",
            "d1": "W2.T @ d2 * (z1 > 0).T",
            "dW1": "d1 @ x",
        },
    ),
    Planted("a mean at the end", {"dW2": "(m * d2).T @ a1 / m"}),
    Planted("transposed", {"dW3": "a2.T @ d3", "dW2": "a1.T @ d2", "dW1": "x.T @ d1"}),
    Planted("by einsum", {"dW2": "np.einsum('nk,ni->ki', d2, a1)"}),
    Planted("a bias as a column", {"db2": "d2.T @ np.ones((m, 1))"}),
)

EXERCISE = Exercise(
    5,
    "the planted bug",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    fresh=False,
    of_given=of_given,
)
