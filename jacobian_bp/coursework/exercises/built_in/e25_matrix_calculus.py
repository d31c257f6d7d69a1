"""Exercise 25: formulas of matrix calculus: gradients by a vector and by matrices."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import matrix_forms, only, vector_forms
from ..generator import Redraw, numbers
from ..questions import ArrayQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Three scalar functions of arrays: f = (A x - b)^T C (A x - b), h = tr(X^T S X P), and
l = log |det S|. C, S and P are square and not symmetric. A gradient has the shape of the variable.
"""

FORWARD = """
r = A @ x - b
f = r @ C @ r
h = np.trace(X.T @ S @ X @ P)
"""

HINTS = (
    "Write a small change of f down: df = dr^T C r + r^T C dr, and both terms are numbers, so "
    "each may be transposed: df = r^T (C + C^T) dr.",
    "dr = A dx, or dr = dA x. The gradient by A is what dA is multiplied with, entry by entry.",
    "tr(U V) = tr(V U), and tr(U^T dX) has the gradient U: bring dX to the end of each term.",
    "d log |det S| = tr(S^-1 dS), so the gradient is the transpose of the inverse.",
)


def attempt(rng: np.random.Generator) -> Task:
    rows, columns, width = ((3, 2, 5), (2, 3, 5), (3, 5, 2))[int(rng.integers(3))]
    given = {"A": numbers(rng, rows, columns), "x": numbers(rng, columns), "b": numbers(rng, rows)}
    given |= {"C": numbers(rng, rows, rows), "X": numbers(rng, 3, width)}
    given |= {"S": numbers(rng, 3, 3), "P": numbers(rng, width, width)}
    if abs(np.linalg.det(given["S"])) < 0.3:
        raise Redraw("S is far from singular")
    return of_given(given)


def of_given(given: Mapping[str, Any]) -> Task:
    names = ("A", "x", "b", "C", "X", "S", "P")
    A, x, b, C, X, S, P = (given[name] for name in names)
    square = {"A": A, "x": x, "b": b, "C": C}
    first = Network.program("r = A @ x - b", "f = r.T @ C @ r", params=square)
    run = first.run()
    trace = Network.program(
        "h = Einsum(X, S, X, P, 'ai,ab,bj,ji->')", params={"X": X, "S": S, "P": P}
    ).run()
    log_det = Network.program("l = LogDet(S)", params={"S": S}).run()
    by = {**run.gradients(), "X": trace.gradients()["X"], "l": log_det.gradients()["S"]}
    questions = (
        ArrayQuestion("df_dx", "∂f/∂x", "A.T @ (C + C.T) @ r", vector_forms(by["x"])),
        ArrayQuestion("df_dA", "∂f/∂A", "np.outer((C + C.T) @ r, x)", matrix_forms(by["A"])),
        ArrayQuestion("df_dC", "∂f/∂C", "np.outer(r, r)", only(by["C"])),
        ArrayQuestion(
            "f_xx",
            "∂²f/∂x², a matrix",
            "A.T @ (C + C.T) @ A",
            only(run.hessian("x").materialise()),
        ),
        ArrayQuestion("dh_dX", "∂h/∂X", "S @ X @ P + S.T @ X @ P.T", matrix_forms(by["X"])),
        ArrayQuestion("dl_dS", "∂l/∂S", "np.linalg.inv(S).T", only(by["l"])),
    )
    return Task(questions, given, FORWARD)


MISTAKES = (
    Planted(
        "symmetric-rule",
        {"df_dx": "2 * A.T @ C @ r"},
        "2 C stands for C + C^T, as if C were symmetric",
    ),
    Planted(
        "one-of-two-terms",
        {"df_dx": "A.T @ C @ r"},
        "r stands twice in f, and was differentiated once",
    ),
    Planted("b-forgotten", {"df_dx": "A.T @ (C + C.T) @ A @ x"}, "b was left out of r"),
    Planted("upstream-missing", {"df_dx": "(A.T @ (C + C.T)).sum(axis=1)"}, "r is missing"),
    Planted(
        "symmetric-rule, df_dA",
        {"df_dA": "2 * np.outer(C @ r, x)"},
        "2 C stands for C + C^T, as if C were symmetric",
        label="symmetric-rule",
    ),
    Planted(
        "one-of-two-terms, df_dA",
        {"df_dA": "np.outer(C.T @ r, x)"},
        "r stands twice in f, and was differentiated once",
        label="one-of-two-terms",
    ),
    Planted("x-forgotten", {"df_dA": "np.outer((C + C.T) @ r, np.ones_like(x))"}, "x is missing"),
    Planted("factor-turned", {"df_dC": "np.outer(r, b)"}, "b stands for r"),
    Planted("square-rule", {"df_dC": "2 * np.outer(r, r)"}, "C stands once in f, and a 2 is there"),
    Planted(
        "diagonal-only", {"df_dC": "np.diag(r**2)"}, "the entries beside the diagonal are missing"
    ),
    Planted(
        "symmetric-rule, f_xx",
        {"f_xx": "2 * A.T @ C @ A"},
        "2 C stands for C + C^T, as if C were symmetric",
        label="symmetric-rule",
    ),
    Planted("half-of-it", {"f_xx": "A.T @ C @ A"}, "one of the two terms is missing"),
    Planted("hessian-of-r", {"f_xx": "A.T @ A"}, "C is missing"),
    Planted(
        "symmetric-rule, dh_dX",
        {"dh_dX": "2 * S @ X @ P"},
        "the second term is the first one here, as if S and P were symmetric",
        label="symmetric-rule",
    ),
    Planted(
        "one-of-two-terms, dh_dX",
        {"dh_dX": "S @ X @ P"},
        "X stands twice in h, and was differentiated once",
        label="one-of-two-terms",
    ),
    Planted(
        "half-turned",
        {"dh_dX": "S @ X @ P + S.T @ X @ P"},
        "P was not transposed in the second term",
    ),
    Planted(
        "transposed-inverse", {"dl_dS": "np.linalg.inv(S)"}, "the inverse stands for its transpose"
    ),
    Planted(
        "det-for-log",
        {"dl_dS": "np.linalg.det(S) * np.linalg.inv(S).T"},
        "the gradient of the determinant stands for that of its logarithm",
    ),
    Planted("entrywise-inverse", {"dl_dS": "1 / S"}, "each entry was inverted by itself"),
)

RIGHT_FORMS = (
    Planted("rows", {"df_dx": "r @ (C + C.T) @ A", "df_dC": "r[:, None] * r"}),
    Planted("two terms", {"df_dA": "np.outer(C @ r, x) + np.outer(C.T @ r, x)"}),
    Planted("a product of a column and a row", {"df_dA": "((C + C.T) @ r)[:, None] @ x[None]"}),
    Planted("solved", {"dl_dS": "np.linalg.solve(S.T, np.eye(3))"}),
    Planted(
        "gradients transposed",
        {"df_dA": "np.outer(x, (C + C.T) @ r)", "dh_dX": "P.T @ X.T @ S.T + P @ X.T @ S"},
    ),
    Planted(
        "einsum",
        {"dh_dX": "np.einsum('ab,bj,ji->ai', S, X, P) + np.einsum('ba,bj,ij->ai', S, X, P)"},
    ),
)

EXERCISE = Exercise(
    25,
    "formulas of matrix calculus",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="a formula of matrices has no layers and no batch",
)
