"""The Hessian of logistic regression by hand, X' D X, and Newton's method with it.

    python derivations/logistic_regression.py

One layer, a sigmoid, binary cross-entropy, the mean over m examples. The weights stand in
front of nothing that weights move, so the residual has no row: the Hessian is its Gauss-Newton
part and the Fisher information too. A statement that does not hold ends the script.
"""

from textwrap import dedent, indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.writing.signs import number, to_ascii
from jacobian_bp.writing.tables import array_block, table

X = np.array(
    [[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0], [-1.0, -0.5], [0.25, 1.25], [2.0, -0.75], [-0.5, 0.5]]
)
Y = np.array([[1.0], [1.0], [0.0], [0.0], [1.0], [0.0], [0.0]])
M, WIDTH = X.shape
NET = Network.dense([WIDTH, 1], ["sigmoid"], "bce", seed=0).with_params(
    {"W1": np.array([[0.5, -0.25]]), "b1": np.array([0.125])}
)


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def say(text):
    print(indent(dedent(text).strip("\n"), "  "))


def matrix(array):
    print(indent("\n".join(array_block(array, None, 90)), "      "))


def same(statement, left, right):
    """left = right to rounding, both computed."""
    require(left.shape == right.shape and np.allclose(left, right, rtol=1e-12, atol=1e-15))
    print(f"    {statement:<58}{left.shape!s:<10}equal")


def by_hand(run):
    """The gradient and the Hessian of (w, b), in plain numpy."""
    with_ones = np.column_stack([X, np.ones(M)])
    p = 1 / (1 + np.exp(-(with_ones @ np.append(run["W1"], run["b1"]))))
    D = np.diag(p * (1 - p))
    return with_ones.T @ (p - Y[:, 0]) / M, with_ones.T @ D @ with_ones / M, p, D


def the_hessian():
    print("The Hessian of logistic regression\n")
    run = NET.run(X, Y)
    say("""
        J = mean of -(y log p + (1 - y) log(1 - p)),  p = sigma(X w + b)

        gradient   X' (p - y) / m          p - y: sigmoid and loss as one
        Hessian    X' D X / m              D = diag(p (1 - p)): how p - y moves with X w + b
    """)
    print("\n    the block of W1 (dJ/dL is 1/m for each example):\n")
    print(indent(to_ascii(str(run.hessian("W1"))), "  "))
    gradient, H, p, D = by_hand(run)
    given = run.gradients()
    whole = run.hessian(["W1", "b1"])
    print("\n    with a column of ones beside X, for b:\n")
    same("X' (p - y) / m = dJ/d(w, b)", gradient, np.append(given["W1"], given["b1"]))
    same("X' D X / m = the whole Hessian", H, whole.materialise())
    same("                its Gauss-Newton part", H, whole.gauss_newton.materialise())
    same(
        "D / m = d2J/dz1^2, diagonal: examples do not mix",
        D / M,
        run.hessian("z1").materialise("flat"),
    )
    scores = (Y[:, 0] - p)[:, None] * np.column_stack([X, np.ones(M)])
    require(not whole.residual.materialise().any())
    require(not np.allclose(scores.T @ scores / M, H, rtol=0.1))
    print("\n    the residual                                              every entry is 0")
    print("    the mean of g g' over the examples, the empirical Fisher  another matrix:\n")
    matrix(H)
    print()
    matrix(scores.T @ scores / M)


def convex():
    title("WHY IT IS CONVEX")
    page = NET.run(X, Y).second_derivation()
    part = page.verdict.gauss_newton
    require(part.is_semidefinite and page.verdict.middle.is_semidefinite)
    require(not page.verdict.residual.values and page.check.ok)
    say("v' X' D X v is a sum of p (1 - p) (X v)^2: no term is below 0. The page says the same:")
    print()
    lines = page.text(ascii_only=True).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("parts"))
    print(indent("\n".join(lines[start : lines.index("", start)]), "    "))


def newton():
    title("NEWTON'S METHOD")
    say("w - H^-1 g, the whole step each time, beside gradient descent with rate 1:")
    print()
    newton_net, descent_net = NET, NET
    rows = [["step", "J by Newton", "largest |g|", "J by descent", "largest |g|"]]
    for step in range(6):
        one, other = newton_net.run(X, Y), descent_net.run(X, Y)
        sizes = [max(np.abs(g).max() for g in run.gradients().values()) for run in (one, other)]
        small = number(sizes[0], 3) if sizes[0] > 1e-9 else "less than 1e-09"
        rows.append(
            [str(step), number(one.loss, 8), small, number(other.loss, 8), number(sizes[1], 3)]
        )
        gradient, H, *_ = by_hand(one)
        require(np.allclose(H, one.hessian(["W1", "b1"]).materialise(), rtol=1e-12))
        moved = np.append(one["W1"], one["b1"]) - np.linalg.solve(H, gradient)
        newton_net = newton_net.with_params({"W1": moved[None, :WIDTH], "b1": moved[WIDTH:]})
        slopes = other.gradients()
        descent_net = descent_net.with_params({n: other[n] - slopes[n] for n in other.params})
    print(indent("\n".join(table(rows)), "    "))
    require(sizes[0] < 1e-9 < sizes[1])


the_hessian()
convex()
newton()
