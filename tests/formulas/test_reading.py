"""A text is read as a formula or refused at once: where, why, and what to write."""

import numpy as np
import pytest

from jacobian_bp import SpecError, formula
from jacobian_bp.formulas.reading import ARRAYS, ENTRY, read

REFUSED = {
    "sum(x / (1 - 1))": "the divisor is 0.\n  sum(x / (1 - 1))\n           ^^^^^\n"
    "  Divide by a number other than 0.",
    "x * 0**-2": "0 to a power below 0 is 1/0.\n  x * 0**-2\n      ^^^^^\n  Write another base.",
    "y + x * log(1)": "a factor 0 makes what it stands beside 0 too, whatever its numbers are.\n"
    "  y + x * log(1)\n          ^^^^^^\n  Leave the product out, or write another number.",
    "sum(0 / x)": "a factor 0 makes what it stands over 0 too, whatever its numbers are.\n"
    "  sum(0 / x)\n      ^\n  Leave the product out, or write another number.",
    "x * sqrt(-1)": "this is nan.\n  x * sqrt(-1)\n      ^^^^^^^^\n  Write a number that there is.",
    "sum(x": "the formula cannot be read from here.\n  sum(x\n     ^\n"
    "  Write it as in numpy: sum((W @ x - y)**2).",
    "x**y": "an exponent is a number: a power that varies is defined above 0 alone.\n"
    "  x**y\n     ^\n  Write x**2; for one that varies exp(y * log(x)).",
    "x**1e9": "an exponent is at most 100 in size.\n  x**1e9\n     ^^^\n  Write a smaller one.",
    "x.__class__": "of an array only .T is read.\n  x.__class__\n  ^^^^^^^^^^^\n"
    "  Write X.T for the transposed matrix.",
    "__x @ y": "__x is no name here.\n  __x @ y\n  ^^^\n  Write a letter and digits: W1.",
    "sum(A, axis=2)": "A has 2 axes; there is no axis 2.\n  sum(A, axis=2)\n  ^^^^^^^^^^^^^^\n"
    "  Axes count from 0.",
    "[x for x in y]": "a loop is not read.\n  [x for x in y]\n  ^^^^^^^^^^^^^^\n"
    "  Write sums with sum(…) and @.",
    "x < y": "a formula has one side.\n  x < y\n  ^^^^^\n  Write the right-hand side alone.",
    "eig(X)": "eig is not read here.\n  eig(X)\n  ^^^^^^\n"
    "  Instead: the derivative of an eigenvalue is not written here.",
    "x .* y": ".* is not numpy, where every sign goes entry by entry but @.\n  x .* y\n    ^^\n"
    "  Write * for .*, and A @ x where a product of matrices is meant by *.",
    "vector(x)": "vector is filled with a number.\n  vector(x)\n  ^^^^^^^^^\n  Write vector(1).",
    "A @ vector(1)": "vector(1) is a number, and @ multiplies arrays.\n  A @ vector(1)\n"
    "      ^^^^^^^^^\n  Write a sum: sum(A, axis=1) for A @ vector(1).",
    "kron(A, b)": "kron takes arrays of as many axes; b is a vector.\n  kron(A, b)\n          ^\n"
    "  A capital letter is a matrix, a small one a vector; --shape says otherwise.",
    "vec(x)": "vec takes a matrix; x is a vector.\n  vec(x)\n      ^\n"
    "  A capital letter is a matrix, a small one a vector; --shape says otherwise.",
    "kron(A, B) + A": "two lengths meet, and differ.\n  one follows from the other\n"
    "  as the lengths of kron(A, B) and of x[1:] do\n"
    "  kron(A, B) + A\n  ^^^^^^^^^^^^^^\n  Give shapes that fit, or none: --shape W=4,2.",
    "norm(x) + trace(eye)": "the length of eye follows from nothing: it meets no array that has a "
    "name.\n  Add it to a matrix, or multiply it with one: A + eye.",
    "a @ b'": "a transposed vector behind @ is the same vector in numpy, a row on paper.\n"
    "  a @ b'\n      ^^\n"
    "  Write outer(a, b) for the matrix, dot(a, b) for the number.",
    "(x @ y) @ z": "x @ y is a number, and @ multiplies arrays.\n  (x @ y) @ z\n   ^^^^^\n"
    "  Write *.",
    "trace(x)": "trace takes a square matrix; x is a vector.\n  trace(x)\n        ^\n"
    "  A capital letter is a matrix, a small one a vector; --shape says otherwise.",
    "exp + x": "exp is a function, and stands here as an array.\n  exp + x\n  ^^^\n  Write exp(x).",
    "dot(x)": "dot takes 2, and is given 1.\n  dot(x)\n  ^^^^^^\n  Write dot(a, b).",
    **{
        text: "a slice has whole numbers up to 49, an end behind its beginning, and no step.\n"
        f"  {text}\n  {'^' * len(text)}\n"
        "  Write x[0], x[-1], x[1:3], x[1:], X[0] for a row, X[:,0] for a column."
        for text in ("x[3:1]", "x[::2]", "x[-1:1]", "x[0:0]", "x[50]", "x[y]")
    },
    "x[1:] - y[:-2]": "two lengths meet that follow from others, and differ: 2 and 3.\n"
    "  Give the shape of each at which they are one: --shape x=6 --shape y=7.",
    "x[1:] + x": "two lengths meet, and differ.\n  one follows from the other\n"
    "  as the lengths of kron(A, B) and of x[1:] do\n  x[1:] + x\n  ^^^^^^^^^\n"
    "  Give shapes that fit, or none: --shape W=4,2.",
    "x\n+ y": "a formula is one line.\n  x\\n+ y\n   ^\n  Leave this sign out.",
    "": 'a formula is a text.\n  Write it such as "sum((W @ x - y)**2)".',
    "sum(2) * x": "sum takes an array; 2 is a number.\n  sum(2) * x\n      ^\n"
    "  A capital letter is a matrix, a small one a vector; --shape says otherwise.",
    "3 + 4": "the formula reads no array.\n  Write at least one name.",
    "x[0][0]": "x[0] has no axis, the slice 1.\n  x[0][0]\n  ^^^^^^^\n"
    "  Name at most as many places as it has axes.",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_formula_is_refused_with_the_place_and_what_to_write(text):
    with pytest.raises(SpecError) as caught:
        formula(text)
    assert str(caught.value) == REFUSED[text]


@pytest.mark.parametrize(
    ("text", "told"),
    [("tanh(x * 1e-200 * 1e-200)", "0"), ("sum(x * 1e99 * 1e99 * 1e99 * 1e99)", "inf")],
)
def test_numbers_whose_product_is_beyond_doubles_are_refused(text, told):
    with pytest.raises(SpecError) as caught:
        formula(text)
    assert str(caught.value) == (
        f"the numbers of a product multiply to {told}.\n"
        "  Write such whose product is between 1e-300 and 1e+300."
    )


@pytest.mark.parametrize("text", ["vector(1)' * x", "(-1).T * x", "(2 * 3).T * x"])
def test_a_number_turned_round_is_itself(text):
    assert str(formula(text)) == str(formula(text.replace("'", "").replace(".T", ""))).replace(
        text.replace("'", "").replace(".T", ""), text
    )


HOSTILE = [
    "x" * 10**6,
    "(" * 10**5,
    "(" * 900 + "x" + ")" * 900,
    "-" * 1900 + "x",
    "+".join("a" * 900),
    "9" * 1900,
    "x**9**9**9**9",
    "x**(10**100)",
    "x" + ".T" * 900,
    "x" + "[0]" * 600,
    "x" + "'" * 1900,
    "lambda: x",
    "(lambda x: x)(y)",
    "__import__('os').system('true')",
    "x.__class__.__mro__",
    "exec(x)",
    "open(x)",
    "sum(*x)",
    "sum(x, **y)",
    "x if y else z",
    "(x := y)",
    "'a' + x",
    "f'{x}' + y",
    "True + x",
    "1j * x",
    "... + x",
    "x @ y; y",
    "x\u202e + y",
    "x\x00 + y",
    "\ud800 + x",
    "await x",
    "{x: y}",
    "x[y]",
    "x[0, 0, 0]",
    "x[::2]",
    "x[10**9]",
    "1e400 * x",
    "np.linalg.__dict__(x)",
    "x.sum.__globals__(x)",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_refused_and_nothing_of_it_runs(text):
    with pytest.raises(SpecError) as caught:
        formula(text)
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable() or "\n" in str(caught.value)


def test_a_file_that_a_text_names_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.open", lambda *args: pytest.fail("opened"))
    monkeypatch.setattr("builtins.eval", lambda *args: pytest.fail("evaluated"))
    with pytest.raises(SpecError):
        formula("open(x)")
    assert formula("a @ x").statement == "J = aᵀ x"


def test_paper_and_numpy_are_read_alike():
    assert read("x' @ A^2") == read("x.T @ A**2")
    assert read("lambda * x") == read("λ * x") == read("lam*x")
    assert read("np.sum(x)") == read("sum(x)") == read("x.sum()")
    assert read("np.linalg.norm(x)") == read("norm(x)")
    assert read("x − y") == read("x - y")
    assert read("x' @ y") != read("y' @ x")


def test_what_is_not_stable_as_it_stands_is_read_in_its_stable_form():
    assert read("log(1 + exp(u))") == read("log(exp(u) + 1)") == read("softplus(u)")
    assert read("1 / (1 + exp(-u))") == read("sigmoid(u)")
    assert read("log(sum(exp(u)))") == read("logsumexp(u)")
    assert read("log(softmax(u))") == read("log_softmax(u)")
    assert read("log(2 + exp(u))") != read("softplus(u)")
    large = formula("sum(log(1 + exp(x * c)))", scalars=["c"], wrt=["x"])
    at = {"x": np.array([1000.0, -1000.0, 3.0]), "c": np.array(1.0)}
    values = large._pass_of(at, large.sizes).values
    assert values["J"] == pytest.approx(1000 + np.log1p(np.exp(3.0)), rel=1e-15)


def test_the_functions_of_a_refusal_are_read():
    with pytest.raises(SpecError) as caught:
        formula("flubb(x)")
    named = str(caught.value).split("The functions are ")[1].rstrip(".").split(", ")
    assert named == [*ENTRY, *ARRAYS]
    for function in named:
        inside = "a, b" if ARRAYS.get(function) == 2 else "A"
        if function in ("trace", "logdet", "inv", "det", "adj"):
            inside = "A @ A.T"
        if function == "kron":
            inside = "A, B"
        assert formula(f"{function}({inside})").ok, function


# what matrixcalculus.org/documentation names, and its examples, as numpy has them
DOCUMENTED = [
    *("A + B", "A - B", "lam * A", "A @ x", "x / lam", "x**2", "x * y", "x / y", "x.T @ y"),
    *(f"{f}(x)" for f in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log")),
    *("tanh(x)", "abs(x)", "sign(x)", "relu(x)", "sum(x)", "sum(A)", "norm1(x)", "norm1(A)"),
    *("norm2(x)", "norm2(A)", "tr(A)", "det(A)", "logdet(A)", "inv(A)", "A - eye"),
    *("x + vector(1)", "A + matrix(1)", "diag(x)", "diag(A)", "adj(A)", "kron(A, B)"),
    *("0.5 * x'@A@x", "A @ exp(x)", "(y * v)'@x", "exp(b * log(a))", "norm1(A@x - y)"),
    *("norm2(A@x - y)^2", "sum(log(exp(-y * (X@w)) + vector(1)))", "tr(A@X'@B@X@C)"),
    "log(det(inv(X)))",
]


@pytest.mark.parametrize("text", DOCUMENTED)
def test_what_matrixcalculus_documents_is_read_and_right(text):
    found = formula(text)
    assert found.ok, str(found)


def test_lengths_that_follow_are_checked_against_what_is_given():
    assert formula("x[1:] - y[:-2]", shapes={"x": (6,), "y": (7,)}).ok
    assert formula("kron(A, B) @ x", shapes={"x": (6,), "A": (3, 2), "B": (2, 3)}).ok
    with pytest.raises(SpecError) as caught:
        formula("kron(A, B) @ x", shapes={"x": (7,)})
    assert str(caught.value) == (
        "x has shape (7,), and meets a length that follows from others, 14 here.\n"
        "  Give the shapes of these too: --shape A=2,3."
    )


@pytest.mark.parametrize("sign", [".*", "./", ".^"])
def test_signs_of_matlab_are_refused_and_numpys_are_read(sign):
    assert formula(f"2.{sign[1:].replace('^', '*')}x").ok
    for left in ("x", "x1", "x'", "(x)"):
        with pytest.raises(SpecError) as caught:
            formula(f"{left}{sign}2")
        assert str(caught.value).startswith(f"{sign} is not numpy")
    assert formula(f"x {sign[1:]} 2").ok


def test_a_product_entry_by_entry_of_a_matrix_and_a_vector_is_said():
    assert formula("sum(A * x)").shapes.notes == [
        "A * x goes entry by entry, the vector along each row, as in numpy; for the product of "
        "matrices write A @ x"
    ]
    assert formula("sum(A @ x)").shapes.notes == formula("sum(lam * x)").shapes.notes == []
