"""Exercise 9: the bytes of the 3-tensor, predicted, then measured on a small layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....algebra.axes import Axis
from ....algebra.expression import delta, dense
from ....algebra.jacobian import Jacobian
from ....numbers.memory import nbytes
from ..accepted_forms import jacobian_forms
from ..generator import PRIMES, decimals
from ..questions import ArrayQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A layer z = W a + b has K outputs and I inputs, a batch has m examples; numbers are float64, 8
bytes each. How large is ∂z/∂W, written out whole? Predict it from the sizes: do not build
the array. Then predict the bytes for a small layer too, with k outputs and the input a, and
measure: build its ∂z/∂W, and ask numpy for the bytes.
"""

HINTS = (
    "∂z/∂W has an entry for each output and each weight: count outputs times weights.",
    "A whole batch has one such tensor for each example.",
    "Of all entries only those with k = k' can be non-zero: one in K.",
    "For a layer as wide as its input the tensor has N^3 entries: find the largest N whose bytes "
    "are at most the limit.",
)


def attempt(rng: np.random.Generator) -> Task:
    K, I = (int(size) for size in rng.choice(range(100, 2000, 4), 2, replace=False))  # noqa: E741
    m, limit = int(rng.choice([32, 48, 64, 100])), int(rng.integers(1, 30)) * 2**28
    k, i = (int(size) for size in rng.choice(PRIMES[:4], 2, replace=False))
    a = decimals(rng.uniform(0.2, 2.0, i))
    return of_given({"K": K, "I": I, "m": m, "limit": limit, "k": k, "a": a})


def of_given(given: Mapping[str, Any]) -> Task:
    K, I, m, limit, k, a = (given[name] for name in ("K", "I", "m", "limit", "k", "a"))  # noqa: E741
    i = len(a)
    large, small = _layer(K, np.broadcast_to(1.0, I)), _layer(k, a)
    questions = (
        NumberQuestion("entries", "the entries of ∂z/∂W, one example", "K * K * I", large.size),
        NumberQuestion("size", "its bytes", "8 * K * K * I", large.nbytes),
        NumberQuestion("size_batch", "the bytes for the batch", "m * size", _batch(K, I, m).nbytes),
        NumberQuestion(
            "nonzero",
            "how many of its entries can be non-zero",
            "K * I",
            large.structural_nonzeros,
        ),
        NumberQuestion("size_gradient", "the bytes of ∂J/∂W", "8 * K * I", nbytes((K, I), 8)),
        NumberQuestion(
            "widest",
            "the largest N for which ∂z/∂W with K = I = N has at most `limit` bytes",
            "max(n for n in range(1, 2000) if 8 * n**3 <= limit)",
            _widest(limit),
        ),
        NumberQuestion(
            "predicted",
            "the bytes of ∂z/∂W of the small layer, from k and the length of a",
            "8 * k * k * len(a)",
            nbytes((k, k, i), 8),
        ),
        ArrayQuestion(
            "small",
            "∂z/∂W of the small layer, in float64",
            "np.einsum('kj,i->kji', np.eye(k), a)",
            jacobian_forms(small),
        ),
        NumberQuestion(
            "measured", "the bytes of `small`, as numpy says", "small.nbytes", small.nbytes
        ),
    )
    return Task(questions, given)


def _layer(outputs: int, a: np.ndarray) -> Jacobian:
    """∂z/∂W of a layer; the weights are not needed."""
    axes = (Axis("k'", outputs), Axis("i'", len(a)))
    expression = delta("k,k'") * dense("a[i']", a)
    return Jacobian.local("z", "W", (Axis("k", outputs),), axes, expression)


def _batch(outputs: int, inputs: int, examples: int) -> Jacobian:
    """The same for a batch: each example has a tensor of its own."""
    a = np.broadcast_to(1.0, (examples, inputs))
    out = (Axis("n", examples), Axis("k", outputs))
    axes = (Axis("k'", outputs), Axis("i'", inputs))
    return Jacobian.local("z", "W", out, axes, delta("k,k'") * dense("a[n,i']", a))


def _widest(limit: int) -> int:
    width = 1
    while nbytes((width + 1,) * 3, 8) <= limit:
        width += 1
    return width


MISTAKES = (
    Planted("output-axis-lost", {"entries": "K * I"}, "W stands for ∂z/∂W"),
    Planted(
        "wrong-axis-twice",
        {"entries": "K * I * I"},
        "inputs were counted twice; it should be outputs",
    ),
    Planted("float32", {"size": "4 * K * K * I"}, "4 bytes stand for 8"),
    Planted("bits", {"size": "64 * K * K * I"}, "bits were counted, not bytes"),
    Planted("entries-for-bytes", {"size": "entries"}, "entries were counted, not bytes"),
    Planted("batch-forgotten", {"size_batch": "size"}, "one example was counted, not m"),
    Planted("batch-twice", {"size_batch": "m * m * size"}, "m was counted twice: W has no axis n"),
    Planted("nonzero-all", {"nonzero": "K * K * I"}, "all entries were counted, zeros too"),
    Planted("nonzero-one-row", {"nonzero": "I"}, "one output was counted, not K"),
    Planted("gradient-as-tensor", {"size_gradient": "size"}, "∂z/∂W stands for ∂J/∂W"),
    Planted("gradient-entries", {"size_gradient": "K * I"}, "entries were counted, not bytes"),
    Planted("square-root", {"widest": "int((limit / 8) ** 0.5)"}, "N^2 entries stand for N^3"),
    Planted("no-item-size", {"widest": "int(limit ** (1 / 3))"}, "entries were counted, not bytes"),
    Planted(
        "one-too-wide",
        {"widest": "1 + max(n for n in range(1, 2000) if 8 * n**3 <= limit)"},
        "that one is above the limit",
    ),
    Planted("small-without-outputs", {"predicted": "8 * k * len(a)"}, "W stands for ∂z/∂W"),
    Planted(
        "collapsed",
        {"small": "np.ones((k, 1)) * a"},
        "the output axis is missing",
        besides={"measured": "8 * k * k * len(a)"},
    ),
    Planted("measured-entries", {"measured": "small.size"}, "entries were counted, not bytes"),
)

RIGHT_FORMS = (
    Planted("flat", {"small": "np.kron(np.eye(k), a)"}),
    Planted("counted by numpy", {"predicted": "8 * np.prod((k, k, len(a)))"}),
    Planted("by numpy's integers", {"entries": "np.int64(K) ** 2 * I", "size": "8.0 * K * K * I"}),
    Planted("in a loop", {"size_batch": "sum(size for n in range(m))"}),
)

EXERCISE = Exercise(
    9,
    "the bytes of the 3-tensor",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="bytes and entries are as many in every order of the axes",
)
