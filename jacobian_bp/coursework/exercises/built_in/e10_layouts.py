"""Exercise 10: one Jacobian carried from layout to layout."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....algebra.axes import Axis
from ....algebra.layouts import from_layout, to_layout
from ..accepted_forms import only
from ..generator import PRIMES, decimals
from ..questions import ArrayQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
T[k,k',i'] is the Jacobian of a vector by a matrix W[k',i'] in the numerator layout: output
axis first, then the axes of W. Write the same numbers in the other layouts:

    transposed    [k, i', k']     W is turned round
    gradient      [k', i', k]     the axes of W first
    flat          [k, k' i']      W laid flat row by row
    flat_column   [k, i' k']      W laid flat column by column

F is another such Jacobian in the layout flat_column: bring it to the numerator layout.
"""

FORWARD = """
K, L, I = T.shape
"""

HINTS = (
    "np.transpose(T, axes) takes for each axis of the result the number of the axis of T.",
    "reshape never moves an entry in memory order: transpose first, reshape afterwards.",
    "Column by column means that k' runs fastest: it has to be the last axis before reshape.",
)

LAYOUTS = ("transposed", "gradient", "flat", "flat_column")
SOLUTIONS = {
    "transposed": "T.transpose(0, 2, 1)",
    "gradient": "T.transpose(1, 2, 0)",
    "flat": "T.reshape(K, -1)",
    "flat_column": "T.transpose(0, 2, 1).reshape(K, -1)",
}


def attempt(rng: np.random.Generator) -> Task:
    sizes = [int(size) for size in rng.permutation(PRIMES[:3])]
    T, U = (decimals(rng.uniform(-2, 2, sizes)) for _ in range(2))
    F = to_layout(U, "flat_column", *_axes(T))
    p, q = (int(rng.integers(1, size)) for size in sizes[1:])
    return of_given({"T": T, "F": F, "p": p, "q": q})


def of_given(given: Mapping[str, Any]) -> Task:
    T, F, p, q = (given[name] for name in ("T", "F", "p", "q"))
    out, wrt = _axes(T)
    columns = np.broadcast_to(np.arange(F.shape[1]), F.shape)
    place = int(from_layout(columns, "flat_column", out, wrt)[0, p, q])
    known = {"numerator": T} | {name: to_layout(T, name, out, wrt) for name in LAYOUTS}

    def asked(name: str) -> ArrayQuestion:
        others = {layout: form for layout, form in known.items() if layout != name}
        return ArrayQuestion(
            f"T_{name}", f"T in the layout {name}", SOLUTIONS[name], only(known[name]), others
        )

    questions = (
        *(asked(name) for name in LAYOUTS),
        ArrayQuestion(
            "F_numerator",
            "F in the numerator layout",
            "F.reshape(K, I, L).transpose(0, 2, 1)",
            only(from_layout(F, "flat_column", out, wrt)),
        ),
        NumberQuestion("column", "the column of F with k' = p, i' = q", "q * L + p", place),
    )
    return Task(questions, given, FORWARD)


def _axes(T: np.ndarray) -> tuple[list[Axis], list[Axis]]:
    """The axes of the output and of the variable."""
    k, j, i = T.shape
    return [Axis("k", k)], [Axis("k'", j), Axis("i'", i)]


RESHAPED = "the axes were reshaped, not moved"
MISTAKES = (
    Planted("reshaped", {"T_transposed": "T.reshape(K, I, L)"}, RESHAPED),
    Planted("reshaped-gradient", {"T_gradient": "T.reshape(L, I, K)"}, RESHAPED),
    Planted("all-reversed", {"T_gradient": "T.T"}, "W was turned round as well"),
    Planted(
        "output-last-lost",
        {"T_transposed": "T.transpose(1, 2, 0)"},
        "gradient stands for transposed",
    ),
    Planted(
        "flat-turned",
        {"T_flat": "T.transpose(0, 2, 1).reshape(K, -1)"},
        "flat_column stands for flat",
    ),
    Planted(
        "flat-row",
        {"T_flat": "T.reshape(1, -1)"},
        "the output axis was laid flat too; it should stay",
    ),
    Planted("column-as-row", {"T_flat_column": "T.reshape(K, -1)"}, "flat stands for flat_column"),
    Planted("whole", {"T_flat_column": "T.reshape(-1, order='F').reshape(K, -1)"}, RESHAPED),
    Planted(
        "flat-upright",
        {"T_flat": "T.reshape(K, -1).T"},
        "outputs stand in columns; they should be the rows",
    ),
    Planted("back-reshaped", {"F_numerator": "F.reshape(K, L, I)"}, RESHAPED),
    Planted(
        "back-half", {"F_numerator": "F.reshape(K, I, L)"}, "the axes of W were left turned round"
    ),
    Planted("column-of-rows", {"column": "p * I + q"}, "flat stands for flat_column"),
    Planted("column-width", {"column": "q * I + p"}, "I stands for L: W has L rows"),
)

RIGHT_FORMS = (
    Planted("swapaxes", {"T_transposed": "np.swapaxes(T, 1, 2)"}),
    Planted("moveaxis", {"T_gradient": "np.moveaxis(T, 0, -1)"}),
    Planted("einsum", {"T_gradient": "np.einsum('kli->lik', T)"}),
    Planted("order F", {"T_flat_column": "np.stack([M.ravel('F') for M in T])"}),
    Planted("row by row", {"F_numerator": "np.stack([f.reshape(L, I, order='F') for f in F])"}),
)

EXERCISE = Exercise(
    10,
    "from layout to layout",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="the layouts are what it asks for",
)
