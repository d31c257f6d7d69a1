"""Exercise 4: a matrix laid flat and put back, row by row and column by column."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....algebra.axes import Axis
from ....algebra.layouts import from_layout, to_layout
from ....network.network import Network
from ..accepted_forms import only, row_forms
from ..generator import decimals, draw
from ..questions import ArrayQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A gradient G has the shape (K, I) of its weights. Row-major (C) order reads it row by row,
column-major (Fortran) order column by column. r is a second (K, I) matrix laid flat row by
row, c a third laid flat column by column: put both back. The flat Jacobian of
z = W x + b has one column for each weight, in the one order or in the other.
"""

FORWARD = """
K, I = G.shape
"""

HINTS = (
    "numpy reads row by row unless told otherwise: G.reshape(-1), or order='F' for columns.",
    "Column by column is row by row of the transposed matrix.",
    "To put c back: it was read column by column, so fill the columns first, or reshape to "
    "(I, K) and transpose.",
    "Row by row, z[k] reads the weights k*I to k*I + I - 1: the vector x stands in that block. "
    "np.kron of the identity and x, in one order or the other.",
)


def attempt(rng: np.random.Generator) -> Task:
    drawn = draw(rng, ["tanh"], "squared_error", batch=False)
    K, I = drawn.run["W1"].shape  # noqa: E741 - the letters of the statement
    G, M, N = (decimals(rng.uniform(-2, 2, (K, I))) for _ in range(3))
    axes = [Axis("k'", K), Axis("i'", I)]
    flat = {"flat": M, "flat_column": N}
    flat = {name: to_layout(matrix, name, [], axes)[0] for name, matrix in flat.items()}
    k, i = (int(rng.integers(1, size)) for size in (K, I))
    r, c = flat["flat"], flat["flat_column"]
    return of_given({"G": G, "r": r, "c": c, "x": drawn.x, "k": k, "i": i})


def of_given(given: Mapping[str, Any]) -> Task:
    G, k, i = given["G"], given["k"], given["i"]
    K, I = G.shape  # noqa: E741 - the letters of the statement
    axes = [Axis("k'", K), Axis("i'", I)]
    flat = {"flat": given["r"], "flat_column": given["c"]}
    run = Network.dense([I, K], ["tanh"], "squared_error").run(given["x"], np.zeros(K))
    rows, columns = (to_layout(G, name, [], axes) for name in flat)
    place = np.arange(K * I)
    jacobian = run.jacobian("z1", "W1")
    by_rows, by_columns = (jacobian.materialise(name) for name in flat)
    back = {name: from_layout(flat[name][None], name, [], axes) for name in flat}
    questions = (
        ArrayQuestion(
            "G_rows",
            "G laid flat row by row",
            "G.reshape(-1)",
            forms=row_forms(rows),
            others=row_forms(columns, "flat_column"),
        ),
        ArrayQuestion(
            "G_columns",
            "G laid flat column by column",
            "G.reshape(-1, order='F')",
            forms=row_forms(columns),
            others=row_forms(rows, "flat"),
        ),
        ArrayQuestion(
            "from_r", "the (K, I) matrix of r", "r.reshape(K, I)", forms=only(back["flat"])
        ),
        ArrayQuestion(
            "from_c",
            "the (K, I) matrix of c",
            "c.reshape(I, K).T",
            forms=only(back["flat_column"]),
        ),
        NumberQuestion(
            "place_rows",
            "the place of entry [k,i] in G laid flat row by row, from 0",
            "k * I + i",
            int(from_layout(place[None], "flat", [], axes)[k, i]),
        ),
        NumberQuestion(
            "place_columns",
            "the place of entry [k,i] in G laid flat column by column, from 0",
            "i * K + k",
            int(from_layout(place[None], "flat_column", [], axes)[k, i]),
        ),
        ArrayQuestion(
            "dz_dW_rows",
            "∂z/∂W flat, (K, K*I), weights row by row",
            "np.kron(np.eye(K), x)",
            forms=only(by_rows),
            others={"flat_column": by_columns},
        ),
        ArrayQuestion(
            "dz_dW_columns",
            "∂z/∂W flat, (K, K*I), weights column by column",
            "np.kron(x, np.eye(K))",
            forms=only(by_columns),
            others={"flat": by_rows},
        ),
    )
    return Task(questions, given, FORWARD, run)


ORDER = "row by row and column by column were exchanged"
MISTAKES = (
    Planted("reshape-order", {"G_rows": "G.T.reshape(-1)"}, ORDER),
    Planted("reshape-order-columns", {"G_columns": "G.reshape(-1)"}, ORDER),
    Planted("both-orders", {"G_rows": "G.ravel('F')", "G_columns": "G.ravel()"}, ORDER),
    Planted("back-r", {"from_r": "r.reshape(I, K).T"}, ORDER),
    Planted(
        "back-c",
        {"from_c": "c.reshape(K, I)"},
        "c was filled in row by row; it was read column by column",
    ),
    Planted("back-c-shape", {"from_c": "c.reshape(I, K)"}, "the transposition was forgotten"),
    Planted("back-r-shape", {"from_r": "r.reshape(I, K)"}, "K and I were exchanged"),
    Planted("place-width", {"place_rows": "k * K + i"}, "K stands for I: a row has I entries"),
    Planted("place-order", {"place_rows": "i * K + k"}, ORDER),
    Planted(
        "place-columns", {"place_columns": "i * I + k"}, "I stands for K: a column has K entries"
    ),
    Planted("flat-order", {"dz_dW_rows": "np.kron(x, np.eye(K))"}, ORDER),
    Planted("flat-order-columns", {"dz_dW_columns": "np.kron(np.eye(K), x)"}, ORDER),
    Planted(
        "flat-tiled",
        {"dz_dW_rows": "np.tile(x, (K, K))"},
        "z[k] was given all rows of W, not its own",
    ),
)

RIGHT_FORMS = (
    Planted("rows", {"G_rows": "G.reshape(1, -1)", "G_columns": "G.T.reshape(1, -1)"}),
    Planted("columns", {"G_rows": "G.reshape(-1, 1)", "G_columns": "G.T.reshape(-1, 1)"}),
    Planted("order F", {"from_c": "c.reshape(K, I, order='F')", "G_columns": "G.ravel('F')"}),
    Planted(
        "by reshaping the tensor",
        {
            "dz_dW_rows": "np.einsum('kj,i->kji', np.eye(K), x).reshape(K, -1)",
            "dz_dW_columns": "np.einsum('kj,i->kij', np.eye(K), x).reshape(K, -1)",
        },
    ),
)

EXERCISE = Exercise(
    4,
    "flatten and reshape, in both orders",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="it is about the order in which a matrix is read, and says which",
)
