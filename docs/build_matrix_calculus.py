"""docs/matrix_calculus.md: classic exercises of matrix calculus, each derived and checked.

Run it for the page: python docs/build_matrix_calculus.py > docs/matrix_calculus.md
"""

import sys
from typing import Any, NamedTuple

from jacobian_bp import Formula


class Exercise(NamedTuple):
    """What is typed in, and with which options."""

    text: str
    wrt: tuple[str, ...]
    options: dict[str, Any] = {}


EXERCISES: dict[str, list[Exercise]] = {
    "Linear and quadratic forms": [
        Exercise("a.T @ x", ("x",)),
        Exercise("A @ x", ("x", "A")),
        Exercise("x.T @ x", ("x",)),
        Exercise("x.T @ A @ x", ("x", "A")),
        Exercise("x.T @ S @ x", ("x",), {"symmetric": ["S"]}),
        Exercise("a.T @ X @ b", ("X",)),
        Exercise("a.T @ X.T @ b", ("X",)),
        Exercise("a.T @ X.T @ X @ b", ("X",)),
        Exercise("(A @ x - b).T @ (C @ x - d)", ("x",)),
        Exercise("outer(a, b)", ("a", "b")),
        Exercise("(a.T @ x) * (b.T @ x)", ("x",)),
    ],
    "Traces": [
        Exercise("trace(X)", ("X",)),
        Exercise("trace(A @ X)", ("X",)),
        Exercise("trace(A @ X.T)", ("X",)),
        Exercise("trace(A @ X @ B)", ("X",)),
        Exercise("trace(X.T @ A @ X)", ("X",)),
        Exercise("trace(A @ X @ B @ X.T @ C)", ("X",)),
        Exercise("trace(X @ X)", ("X",)),
    ],
    "Inverse and determinant": [
        Exercise("logdet(X)", ("X",)),
        Exercise("logdet(A @ X @ A.T)", ("X",)),
        Exercise("trace(inv(X))", ("X",)),
        Exercise("trace(A @ inv(X) @ B)", ("X",)),
        Exercise("a.T @ inv(X) @ b", ("X", "a")),
        Exercise("logdet(X.T @ X)", ("X",)),
        Exercise("det(X)", ("X",)),
        Exercise("det(A @ X @ B)", ("X",)),
        Exercise("det(X)**2", ("X",)),
        Exercise("log(det(inv(X)))", ("X",)),
        Exercise("trace(adj(X))", ("X",)),
        Exercise("y.T @ inv(X.T @ X + lam * eye) @ w", ("y", "w")),
    ],
    "Kronecker products, columns below one another, diagonals": [
        Exercise("kron(A, B) @ x", ("x",)),
        Exercise("c.T @ kron(A, B) @ d", ("A", "B", "c")),
        Exercise("vec(X).T @ kron(A, B) @ vec(Y)", ("X", "A")),
        Exercise("trace(kron(A, B))", ("A", "B")),
        Exercise("norm(kron(A, B))**2", ("A",)),
        Exercise("logdet(kron(A, B))", ("A", "B")),
        Exercise("norm(kron(A, B) @ x - y)**2", ("x", "A")),
        Exercise("norm(C - kron(A, B))**2", ("A",)),
        Exercise("vec(A).T @ vec(B)", ("A",)),
        Exercise("norm(vec(A @ X @ B) - y)**2", ("X",)),
        Exercise("vec(A @ X @ B)", ("X",)),
        Exercise("trace(A @ diag(x) @ B)", ("x", "A")),
        Exercise("A @ diag(x) @ b", ("x",)),
        Exercise("sum(diag(A @ X)**2)", ("X",)),
    ],
    "Norms": [
        Exercise("norm(x)", ("x",)),
        Exercise("norm(x - a)**2", ("x",)),
        Exercise("norm(A @ x - b)", ("x", "A")),
        Exercise("norm(X)**2", ("X",)),
        Exercise("norm(X)", ("X",)),
        Exercise("norm(X - U @ V.T)**2", ("U", "V")),
        Exercise("norm1(x)", ("x",)),
        Exercise("x / norm(x)", ("x",)),
    ],
    "Entry by entry": [
        Exercise("sum(log(x))", ("x",)),
        Exercise("sum(exp(A @ x))", ("x",)),
        Exercise("sum(x * y)", ("x",)),
        Exercise("sum(sin(x)**2)", ("x",)),
        Exercise("sum(A * X * X)", ("X",)),
        Exercise("tanh(W @ x)", ("x", "W")),
        Exercise("x[0] * x[1]", ("x",)),
        Exercise("sum((x[1:4] - x[0:3])**2)", ("x",)),
        Exercise("exp(-norm(x - y)**2 / 2)", ("x",)),
        Exercise("sum(tan(x))", ("x",)),
        Exercise("sum(arcsin(x))", ("x",)),
        Exercise("y.T @ arctan(A @ x)", ("x",)),
        Exercise("max(A @ x)", ("x", "A")),
        Exercise("sum(silu(A @ x))", ("x",)),
        Exercise("norm(gelu(W @ x) - y)**2", ("W",)),
        Exercise("sum(max(0, 1 - y * (X @ w)))", ("w",)),
    ],
    "Regression and classification": [
        Exercise("norm(X @ w - y)**2", ("w", "X")),
        Exercise("norm(X @ w - y)**2 + lam * norm(w)**2", ("w",)),
        Exercise("norm(Y - X @ W)**2", ("W",)),
        Exercise("sum(c * (X @ w - y)**2)", ("w",)),
        Exercise("log(1 + exp(-y * (w @ x)))", ("w",), {"scalars": ["y"]}),
        Exercise("sum(log(1 + exp(-y * (X @ w))))", ("w",)),
        Exercise("sigmoid(w @ x + b)", ("w", "b"), {"scalars": ["b"]}),
        Exercise("softmax(W @ x)", ("x",)),
        Exercise("logsumexp(W @ x) - y @ W @ x", ("W",)),
        Exercise("-sum(y * log(softmax(W @ x + b)))", ("W", "b")),
    ],
    "Networks and likelihoods": [
        Exercise("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2", ("W2", "W1", "b1", "b2")),
        Exercise("sum(relu(W @ x)**2)", ("W", "x")),
        Exercise("sum(softmax(Q @ K.T) * G)", ("Q", "K")),
        Exercise("a.T @ softmax(Q @ K.T) @ V @ b", ("Q", "V")),
        Exercise("sum(g * (x - mean(x)) / sqrt(mean((x - mean(x))**2)))", ("x", "g")),
        Exercise(
            "-0.5 * (x - m).T @ inv(S) @ (x - m) - 0.5 * logdet(S)",
            ("m", "S"),
            {"symmetric": ["S"], "positive": ["S"]},
        ),
        Exercise("mean((X - outer(z, m))**2)", ("m",)),
    ],
}
HEAD = """# Matrix calculus, typed in

A formula goes in as numpy has it, and its derivatives come out in matrix notation, with no
numbers at all:

```
jacobian-bp derive "sum((W @ x - y)**2)"
```

prints

```
{page}
```

and in Python

```python
>>> from jacobian_bp import formula
>>> found = formula("sum((W @ x - y)**2)", wrt=["W"])
>>> found.derivatives
{{'W': '2 (W x − y) xᵀ'}}
>>> found.ok  # all routes agree, and the line, read again as it is printed, gives their numbers
True

```

A capital letter is a matrix, a small one a vector, a Greek one or its name (`lam`) a number; `x'`
and `xᵀ` are `x.T`, `^` is `**`, and so are ² and ⁴; of ⁻¹, ‖x‖, ⊙, ⊗ and Σ, which a page prints, it
is said what to write. `--scalar b` makes a number of b, `--shape W=4,2` gives a size,
else the lengths are prime numbers that differ; `--symmetric S` and `--positive x` say what holds of
the numbers that are drawn, `--wrt x` by what to differentiate, and `--second` asks for the second
derivatives; `--out page.html` (or .tex, .md, .txt) writes the page to a file.
The functions are {functions}. In a derivative vectors are columns, ⊙ and ⊘ work
entry by entry, 1_k is a 1 for each k; A ⊗ B is `kron(A, B)`, vec puts columns below one another,
mat_ki(x) is x row by row as a matrix of rows k and columns i, e_max(x) is 1 at the largest entry;
`eye` is the identity, as long as what it meets; e_0, E_1_end and E_0_end_by2 choose what x[0],
x[1:] and x[::2] have. What numpy spreads is written as wide as what it meets, (xᵀ y) 1_k + Z x; a
part that is read twice has a name, `where` says which.
What has no matrix notation is written with its axes, a primed one being the variable's, and
δ[p,dim(j) k+j] is 1 where entry p of a Kronecker product or a vec comes from k and j.
An activation is that of its op, silu'(u) its slope; max(0, u) is relu(u), and at a kink the page
says which slope is taken.
log(1 + exp u) is computed as softplus, log Σ exp with the largest taken out, log softmax as one,
log det as one.

What [matrixcalculus.org](https://www.matrixcalculus.org/documentation) documents is read: `tr`,
`det`, `logdet`, `inv`, `norm1`, `norm2`, `sum`, the functions of entries, `eye`, `vector(1)`. Two
things are refused, with what to write: the signs `.*`, `./` and `.^`, since every sign of numpy
but `@` goes entry by entry, and a power that varies, which has a slope at numbers above 0 alone:
`exp(b * log(a))`.

A line of a network's program may be a formula too. It speaks of one example; a batch in front is
carried, and reduced as elsewhere:

```python
>>> import numpy as np
>>> from jacobian_bp import Network
>>> net = Network.program(
...     "z = W @ x + b",
...     "L = sum((tanh(z) - y)**2)",
...     "J = Mean(L)",
...     params={{"W": [[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]], "b": [0.0, 1.0, -1.0]}},
... )
>>> net.run(np.ones((7, 2)), np.zeros((7, 3))).check().ok
True

```

Each line below was compared with the gradient by four routes, one of them finite differences, and
read again as it is printed: a small reader evaluates it, and its numbers are those of the routes.
"""


def page() -> str:
    """The whole page."""
    from jacobian_bp.formulas.reading import ARRAYS, ENTRY

    shown = str(Formula("sum((W @ x - y)**2)"))
    functions = ", ".join(f"`{f}`" for f in (*ENTRY, *ARRAYS))
    parts = [HEAD.format(page=shown, functions=functions)]
    for title, exercises in EXERCISES.items():
        parts += [f"## {title}\n", "| typed in | derivatives |", "| --- | --- |"]
        parts += [_row(exercise) for exercise in exercises]
        parts.append("")
    return "\n".join(parts)


def found(exercise: Exercise) -> Formula:
    """The exercise, derived."""
    return Formula(exercise.text, wrt=exercise.wrt, **exercise.options)


def _row(exercise: Exercise) -> str:
    derived = found(exercise)
    given = "; ".join(
        f"{name} {', '.join(words)}" for name, words in exercise.options.items() if name != "shapes"
    )
    head = f"`{exercise.text}`" + f" ({given})" * bool(given)
    lines = [
        f"∂{derived.result}/∂{line.key}"
        + f"[{','.join(line.words)}]" * ("[" in derived.derivatives[line.key])
        + f" = {derived.derivatives[line.key]}"
        for line in derived.first.lines
    ]
    lines += [f"where {alias} = {text}" for alias, text in derived.where.items()]
    return f"| {head} | {'<br>'.join(lines)} |"


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(page(), end="")
