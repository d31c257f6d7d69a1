"""Exercise 3: which entries of ∂z/∂W can be non-zero, and which are zero here only."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....algebra.layouts import LAYOUTS
from ..accepted_forms import jacobian_forms
from ..generator import Drawn, draw, drawn_of
from ..questions import MaskQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
The second layer of a network, {formula: z2 = W2 @ a1 + b2}, for one example; W2 has the shape
{weights: (K, I) | (I, K)}, and a1 comes out of a ReLU. The Jacobian ∂z2/∂W2 has an entry for each
output k and each weight, that of output k' and input i'. Some entries are 0 for every input;
others can be non-zero, and happen to be 0 here. Write two arrays of True and False (or 1 and 0),
with the axes [k,k',i'] or in another layout.
"""

FORWARD = """
a1 = np.maximum(W1 @ x + b1, 0)
z2 = W2 @ a1 + b2
K, I = W2.shape
"""

HINTS = (
    "Write one entry out: z2[k] = sum over i of {weights: W2[k,i] | W2[i,k]} a1[i] + b2[k]. Which "
    "weights stand in it?",
    "The {weights: row | column} k' of W2 is read by the output k' only, so an entry with k "
    "different from k' is 0.",
    "∂z2[k]/∂{weights: W2[k',i'] | W2[i',k']} = delta[k,k'] a1[i']. The delta is there for every "
    "input; a1[i'] can be 0 at this input, where a ReLU is off.",
)

DELTA = "np.eye(K, dtype=bool)[:, :, None]"


NETWORK = (["relu", "sigmoid"], "squared_error")


def attempt(rng: np.random.Generator) -> Task:
    return task_of(draw(rng, *NETWORK, batch=False))


def of_given(given: Mapping[str, Any]) -> Task:
    return task_of(drawn_of(given, *NETWORK))


def task_of(drawn: Drawn) -> Task:
    jacobian = drawn.run.jacobian("z2", "W2")
    possible = {layout: jacobian.can_be_nonzero(layout).astype(float) for layout in LAYOUTS}
    here = {name: (J != 0) * 1.0 for name, J in jacobian_forms(jacobian).items()}
    questions = (
        MaskQuestion(
            "can_be_nonzero",
            "True where an entry of ∂z2/∂W2 is non-zero for some input",
            f"{DELTA} & np.ones(I, dtype=bool)",
            forms=possible,
        ),
        NumberQuestion(
            "count", "how many entries can be non-zero", "K * I", int(possible["numerator"].sum())
        ),
        MaskQuestion(
            "nonzero_here",
            "True where an entry is non-zero at this input",
            "can_be_nonzero & (a1 != 0)",
            forms=here,
        ),
        NumberQuestion(
            "count_here",
            "how many entries are non-zero at this input",
            "K * np.count_nonzero(a1)",
            int(here["numerator"].sum()),
        ),
        NumberQuestion(
            "entries", "how many entries ∂z2/∂W2 has in all", "K * K * I", jacobian.size
        ),
    )
    return Task(questions, drawn.given, FORWARD, drawn.run)


MISTAKES = (
    Planted(
        "two-kinds-of-zero",
        {"can_be_nonzero": f"{DELTA} & (a1 != 0)"},
        "what is 0 at this input stands for what is 0 for every input",
    ),
    Planted(
        "dead-unit-alive",
        {"nonzero_here": f"{DELTA} & np.ones(I, dtype=bool)"},
        "the entries of units that are off were marked; they are 0 here",
    ),
    Planted(
        "no-delta",
        {"can_be_nonzero": "np.ones((K, K, I), dtype=bool)"},
        "the output k was given all weights, not those of its own {weights: row | column}",
    ),
    Planted(
        "collapsed",
        {"can_be_nonzero": "np.ones((K, I), dtype=bool)"},
        "the tensor was collapsed to the shape of W2; the output axis is gone",
        besides={"nonzero_here": f"{DELTA} & (a1 != 0)"},
    ),
    Planted(
        "wrong-delta",
        {"can_be_nonzero": "np.eye(K, I, dtype=bool)[:, None, :] & np.ones((K, 1), dtype=bool)"},
        "the delta stands between k and i', in place of k and k'",
        besides={"nonzero_here": f"{DELTA} & (a1 != 0)"},
    ),
    Planted(
        "off-diagonal",
        {"can_be_nonzero": f"~{DELTA} & np.ones(I, dtype=bool)"},
        "the entries off k = k' were marked",
    ),
    Planted("count-all", {"count": "K * K * I"}, "zeros were counted too"),
    Planted("count-once", {"count": "I"}, "one output was counted, not K"),
    Planted(
        "count-live-once", {"count_here": "np.count_nonzero(a1)"}, "one output was counted, not K"
    ),
    Planted("count-as-matrix", {"entries": "K * I"}, "W2 was counted, not ∂z2/∂W2"),
)

RIGHT_FORMS = (
    Planted(
        "flat",
        {
            "can_be_nonzero": "np.kron(np.eye(K), np.ones(I)) > 0",
            "nonzero_here": "np.kron(np.eye(K), a1) != 0",
        },
    ),
    Planted("zeros and ones", {"nonzero_here": "(can_be_nonzero & (a1 != 0)) * 1"}),
    Planted(
        "transposed",
        {
            "can_be_nonzero": f"np.swapaxes({DELTA} & np.ones(I, dtype=bool), 1, 2)",
            "nonzero_here": f"{DELTA} & (a1 != 0)",
        },
    ),
    Planted("counted from the array", {"count": "can_be_nonzero.sum()"}),
)

EXERCISE = Exercise(
    3,
    "which entries of ∂z/∂W can be non-zero",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
)
