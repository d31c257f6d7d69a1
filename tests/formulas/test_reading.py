"""A text is read as a formula or refused at once: where, why, and what to write."""

import numpy as np
import pytest

from jacobian_bp import SpecError, formula
from jacobian_bp.formulas.reading import ARRAYS, ENTRY, read
from jacobian_bp.formulas.unread_names import WRITTEN_OUT

REFUSED = {
    "sum(x / (1 - 1))": "the divisor is 0.\n  sum(x / (1 - 1))\n           ^^^^^\n"
    "  Divide by a number other than 0.",
    "x * 0**-2": "0 to a power below 0 is 1/0.\n  x * 0**-2\n      ^^^^^\n  Write another base.",
    "y + x * log(1)": "a factor 0 makes what it stands beside 0 too, whatever its numbers are.\n"
    "  y + x * log(1)\n          ^^^^^^\n  Leave the product out, or write another number.",
    "sum(0 / x)": "a factor 0 makes what it stands over 0 too, whatever its numbers are.\n"
    "  sum(0 / x)\n      ^\n  Leave the product out, or write another number.",
    "x * sqrt(-1)": "this is nan.\n  x * sqrt(-1)\n      ^^^^^^^^\n  Write a number that there is.",
    "sum(x": "this ( is never closed.\n  sum(x\n     ^\n  Write ) where it ends.",
    "A @ B)": "this ) closes nothing.\n  A @ B)\n       ^\n  Leave it out, or write (.",
    "A @ B @ C + ": "nothing stands behind +.\n  A @ B @ C + \n            ^\n"
    "  Write what is meant there, or leave + out.",
    "sum(A @ ) + x": "nothing stands behind @.\n  sum(A @ ) + x\n        ^\n"
    "  Write what is meant there, or leave @ out.",
    "A @ * x": "nothing stands between @ and *.\n  A @ * x\n    ^^^\n"
    "  Write what is meant there, or leave one of them out.",
    "x + A B": "nothing stands between A and B.\n  x + A B\n      ^^^\n"
    "  Write A @ B for their product, A * B entry by entry.",
    "2x": "nothing stands between 2 and x.\n  2x\n  ^^\n  Write 2 * x.",
    "x'y": "nothing stands between x' and y.\n  x'y\n  ^^^\n"
    "  Write x' @ y for their product, x' * y entry by entry.",
    "(x + y)² z": "nothing stands between what ends here and z.\n  (x + y)² z\n           ^\n"
    "  Write @ for a product of arrays, * for one entry by entry.",
    "xᵀ y": "nothing stands between xᵀ and y.\n  xᵀ y\n  ^^^^\n"
    "  Write xᵀ @ y for their product, xᵀ * y entry by entry.",
    "∑ x²": "∑ is not read in a formula.\n  ∑ x²\n  ^\n"
    "  Write sum(x) for the sum of all entries, a @ x for Σ_i a[i] x[i].",
    "Σ_i x²": "Σ_i is not read in a formula.\n  Σ_i x²\n  ^^^\n"
    "  Write sum(x) for the sum of all entries, a @ x for Σ_i a[i] x[i].",
    "Σ(x)": "Σ is not read here.\n  Σ(x)\n  ^^^^\n"
    "  Instead: write sum(…) for the sum of all entries.",
    "Σ + ": "nothing stands behind +.\n  Σ + \n    ^\n  Write what is meant there, or leave + out.",
    "y @ X⁻¹": "⁻¹ is not read in a formula.\n  y @ X⁻¹\n      ^^^\n  Write inv(X).",
    "(A @ B)⁻ᵀ": "⁻ᵀ is not read in a formula.\n  (A @ B)⁻ᵀ\n         ^^\n  Write inv(…).T.",
    "x⁻² + y": "⁻² is not read in a formula.\n  x⁻² + y\n  ^^^\n  Write x**-2.",
    "‖x‖²": "‖ is not read in a formula.\n  ‖x‖²\n  ^\n  Write norm(x) for ‖x‖.",
    "√x": "√ is not read in a formula.\n  √x\n  ^\n  Write sqrt(x) for √x.",
    "x ⊙ y": "⊙ is not read in a formula.\n  x ⊙ y\n    ^\n"
    "  Write x * y for x ⊙ y, and its sides in parentheses: x * (A @ y).",
    "|x|": "| is not read in a formula.\n  |x|\n  ^\n  Write abs(x) for the size of each entry, "
    "norm(x) for a length, det(X) for a determinant.",
    "norm(X, 'fro')": "a word in quotation marks is not read in a formula.\n  norm(X, 'fro')\n"
    "          ^^^^^\n  Write norm(X) for the root of the sum of squares, of a matrix too.",
    'sum(x, "all")': 'a word in quotation marks is not read in a formula.\n  sum(x, "all")\n'
    '         ^^^^^\n  Leave "all" out.',
    "max(x, y - z)": "max takes one array.\n  max(x, y - z)\n         ^^^^^\n"
    "  Write y - z + relu(x - (y - z)) for the larger of both.",
    "np.minimum(x, y)": "minimum takes one array.\n  np.minimum(x, y)\n                ^\n"
    "  Write x - relu(x - y) for the smaller of both.",
    "J = sum(x**2)": "a formula has one side.\n  J = sum(x**2)\n    ^\n  Write sum(x**2).",
    "A @ x = b": "a formula has one side.\n  A @ x = b\n        ^\n  Write one side alone.",
    "x..T": "the formula cannot be read from here.\n  x..T\n    ^\n"
    "  Write it as in numpy: sum((W @ x - y)**2).",
    "A (x + y)": "A stands before a parenthesis, as a function does.\n  A (x + y)\n  ^\n"
    "  Write A @ (…) for a product of arrays, A * (…) for one entry by entry.",
    "2 (x + y)": "nothing stands between this and the parenthesis behind it.\n  2 (x + y)\n  ^\n"
    "  Write @ for a product of arrays, * for one entry by entry.",
    "A^T @ x": "^T is a power.\n  A^T @ x\n    ^\n  Write A.T or A' for the transposed matrix.",
    "mean(X, 0)": "mean takes its axis by name.\n  mean(X, 0)\n          ^\n"
    "  Write mean(X, axis=0).",
    "(A @ x).sum(0)": "sum takes its axis by name.\n  (A @ x).sum(0)\n              ^\n"
    "  Write sum(A @ x, axis=0).",
    "X - mean(X, axis=1, keepdims=True)": "mean leaves the axis out, and keeps none of length 1."
    "\n  X - mean(X, axis=1, keepdims=True)\n                               ^^^^\n"
    "  Write (X.T - mean(X, axis=1)).T to have one number for each row.",
    "sum(X, axis=(0, 1))": "an axis is one whole number.\n  sum(X, axis=(0, 1))\n"
    "              ^^^^^^\n  Write sum(X, axis=0); over all axes sum(X).",
    "norm(x, 1)": "norm takes no order.\n  norm(x, 1)\n          ^\n  Write norm1(x).",
    "norm(x, ord=1)": "norm takes no order.\n  norm(x, ord=1)\n              ^\n"
    "  Write norm1(x) for the sum of the absolute values.",
    "exp(x, out=y)": "exp has no option that is named out.\n  exp(x, out=y)\n             ^\n"
    "  Only sum and mean take one: sum(X, axis=0).",
    "x.reshape(2)": ".reshape(…) is not read behind an array.\n  x.reshape(2)\n  ^^^^^^^^^\n"
    "  Write a function of it, such as sum(x); of an array .T is read.",
    "sum(log(x @ y))": "sum takes an array; log(x @ y) is a number.\n  sum(log(x @ y))\n"
    "      ^^^^^^^^^^\n  Write log(x @ y) alone: of one number there is nothing to take.",
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
    "kron(A, B) + A": "kron(A, B) + A goes entry by entry, and two lengths differ.\n"
    "  one follows from the other\n  as the lengths of kron(A, B) and of x[1:] do\n"
    "  kron(A, B) + A\n  ^^^^^^^^^^^^^^\n"
    "  Write parts that are equally long, such as x[1:] + x[:-1].",
    "norm(x) + trace(eye)": "the length of eye follows from nothing: it meets no array that has a "
    "name.\n  Add it to a matrix, or multiply it with one: A + eye.",
    "a @ b'": "a transposed vector behind @ is the same vector in numpy, a row on paper.\n"
    "  a @ b'\n      ^^\n"
    "  Write outer(a, b) for the matrix, dot(a, b) for the number.",
    "(x @ y) @ z": "x @ y is a number, and @ multiplies arrays.\n  (x @ y) @ z\n   ^^^^^\n"
    "  Write *.",
    "trace(x)": "trace takes a square matrix; x is a vector.\n  trace(x)\n        ^\n"
    "  A capital letter is a matrix, a small one a vector; --shape says otherwise.",
    "x.T @ inv(Σ) @ x": "inv takes a square matrix; Σ is a number.\n  x.T @ inv(Σ) @ x\n"
    "            ^\n  A Greek letter is a number; --shape Σ=3,3 makes a matrix of it.",
    "outer(mu, x)": "outer takes two vectors; mu is a number.\n  outer(mu, x)\n        ^^\n"
    "  A Greek letter is a number; --shape mu=3 makes a vector of it.",
    "Λ @ x": "Λ is a number, and @ multiplies arrays.\n  Λ @ x\n  ^\n"
    "  Write *, or --shape Λ=3,3 for a matrix.",
    "exp + x": "exp is a function, and stands here as an array.\n  exp + x\n  ^^^\n  Write exp(x).",
    "dot(x)": "dot takes 2, and is given 1.\n  dot(x)\n  ^^^^^^\n  Write dot(a, b).",
    **{
        text: "a slice has whole numbers up to 49, an end behind its beginning, and goes backwards "
        f"over the whole axis alone.\n  {text}\n  {'^' * len(text)}\n"
        "  Write x[0], x[-1], x[1:3], x[1:], x[::2], x[::-1], X[0] a row, X[:,0] a column."
        for text in (
            "x[3:1]",
            "x[::0]",
            "x[3:1:-1]",
            "x[-1:1]",
            "x[0:0]",
            "x[50]",
            "x[y]",
            "x[::y]",
        )
    },
    "x[1:] + x": "x[1:] + x goes entry by entry, and two lengths differ.\n"
    "  one follows from the other\n"
    "  as the lengths of kron(A, B) and of x[1:] do\n  x[1:] + x\n  ^^^^^^^^^\n"
    "  Write parts that are equally long, such as x[1:] + x[:-1].",
    "x\n+ y": "a formula is one line.\n  x\\n+ y\n   ^\n  Leave this sign out.",
    **dict.fromkeys(
        ("", "   "),
        'the formula is empty.\n  Write one, letters for arrays: "sum((W @ x - y)**2)".',
    ),
    "sum(2) * x": "sum takes an array; 2 is a number.\n  sum(2) * x\n      ^\n"
    "  Write 2 alone: of one number there is nothing to take.",
    "3 + 4": "the formula has no letter, so there is nothing to derive by.\n"
    "  Write a letter for what varies: 3 * x.",
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
    "x[::2.5]",
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
    assert read("xᵀ @ A² @ x³") == read("x.T @ A**2 @ x**3")
    assert read("x⁴ @ y¹²") == read("x**4 @ y**12")
    assert read("A.T() @ x") == read("transpose(A) @ x") == read("A.transpose() @ x")
    assert read("A.transpose() @ x") == read("A.T @ x")
    assert read("x' @ y") != read("y' @ x")


WRITTEN = {  # at numbers on both sides of 0, by a way of their own
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "hardtanh": lambda x: np.clip(x, -1, 1),
    "huber": lambda x: np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 1 / 2),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "logsigmoid": lambda x: -np.log1p(np.exp(-x)),
    "sinh": np.sinh,
    "cosh": np.cosh,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "log2": np.log2,
    "log10": np.log10,
    "maximum": lambda x: np.maximum(x, 2),
    "minimum": lambda x: np.minimum(x, 2),
}


@pytest.mark.parametrize("function", WRITTEN)
def test_what_a_refusal_says_to_write_is_read_and_is_that_function(function):
    assert {*WRITTEN} == {*WRITTEN_OUT, "maximum", "minimum"}
    more = ", 2" * (function in ("maximum", "minimum"))
    for inside in ("x", "x - 0.1"):
        with pytest.raises(SpecError) as caught:
            formula(f"{function}({inside}{more})")
        last = str(caught.value).splitlines()[-1]
        told = last.split("rite ")[1].split(" for the ")[0].removesuffix(".")
        found = formula(told)
        at = found.arrays["x"] - (0.1 if "-" in inside else 0)
        np.testing.assert_allclose(found.value, WRITTEN[function](at), rtol=1e-12)
        assert found.ok, found.unlike


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


def test_a_greek_letter_is_a_matrix_where_its_shape_says_so():
    found = formula("x.T @ inv(Σ) @ x", shapes={"Σ": (3, 3)})
    assert found.statement == "J = xᵀ Σ⁻¹ x"
    assert found.ok, found.unlike


def test_lengths_that_follow_are_checked_against_what_is_given():
    assert formula("x[1:] - y[:-2]", shapes={"x": (6,), "y": (7,)}).ok
    assert formula("kron(A, B) @ x", shapes={"x": (6,), "A": (3, 2), "B": (2, 3)}).ok
    with pytest.raises(SpecError) as caught:
        formula("kron(A, B) @ x", shapes={"x": (7,), "A": (3, 2)})
    assert str(caught.value) == (
        "x has shape (7,), and meets a length that follows from others, 14 here.\n"
        "  Give the shapes of these too, or none: lengths that fit are looked for."
    )
    with pytest.raises(SpecError) as caught:
        formula("x[::2] - x[1::2]", shapes={"x": (7,)})
    assert str(caught.value) == (
        "two lengths meet that follow from others, and differ: 3 and 4.\n"
        "  Give shapes at which they are one, or none: lengths that fit are looked for."
    )


def test_lengths_at_which_all_that_follow_are_one_are_found():
    lengths = {
        "x[1:] - y[:-2]": {"x": 3, "y": 4},
        "sum((x[::2] - x[1::2])**2)": {"x": 4},
        "norm(x[1::2] - y[::3])**2": {"x": 4, "y": 5},
    }
    for text, want in lengths.items():
        found = formula(text)
        assert {name: len(array) for name, array in found.arrays.items()} == want
        assert found.ok, found.unlike
    assert formula("kron(A, B) @ x", shapes={"x": (7,)}).ok


SLICES = {
    "x[::2]": lambda x: x[::2],
    "x[1::2]": lambda x: x[1::2],
    "x[1:6:2]": lambda x: x[1:6:2],
    "x[1:-1:3]": lambda x: x[1:-1:3],
    "x[::-1]": lambda x: x[::-1],
    "x[::-2]": lambda x: x[::-2],
    "x[-3::2]": lambda x: x[-3::2],
}


@pytest.mark.parametrize("text", SLICES)
def test_a_slice_with_a_step_reads_what_numpy_reads(text):
    found = formula(f"{text} * 2", shapes={"x": (7,)})
    (x,) = found.arrays.values()
    np.testing.assert_array_equal(found.value, 2 * SLICES[text](x))
    np.testing.assert_array_equal(found.array("x"), 2 * SLICES[text](np.eye(7)))
    assert found.ok, found.unlike


def test_slices_in_a_page_have_their_signs_said():
    page = str(formula("norm(X[::2, ::-1] @ y - z[1:] - u[::-3])**2", wrt=["y"]))
    for sign in (
        "E_0_end_by2: the rows of the identity from 0 to before end, 2 apart",
        "E_turned: the rows of the identity, the last one first",
        "E_1_end: the rows of the identity from 1 to before end",
        "E_turned_by3: the rows of the identity, 3 apart, the last one first",
    ):
        assert sign in page
    assert "E_0_end: the rows" not in page


SQUARE = [("trace(A)", "trace"), ("inv(A)", "inv"), ("diag(A)", "diag"), ("logdet(A)", "logdet")]


@pytest.mark.parametrize(("text", "function"), SQUARE)
def test_which_function_asks_for_a_square_matrix_is_said(text, function):
    with pytest.raises(SpecError) as caught:
        formula(text, shapes={"A": (2, 3)})
    assert str(caught.value) == (
        f"{function} takes a square matrix, and A is none.\n"
        "  A has shape (2, 3): 2 rows\n  A has shape (2, 3): 3 columns\n"
        f"  {text}\n  {'^' * len(text)}\n  Leave the shape out, or write --shape A=3,3."
    )
    assert formula(text, shapes={"A": (3, 3)}).ok


MEETING = {
    "B + A + A.T": "B + A + A.T goes entry by entry, and two lengths differ.",
    "x.T @ A @ x": "@ sums over the last axis of x.T @ A and the first of x, and two lengths "
    "differ.",
}


@pytest.mark.parametrize("text", MEETING)
def test_where_a_matrix_has_to_be_square_the_operation_is_named(text):
    with pytest.raises(SpecError) as caught:
        formula(text, shapes={"A": (2, 3)})
    assert str(caught.value) == (
        f"{MEETING[text]}\n  A has shape (2, 3): 2 rows\n  A has shape (2, 3): 3 columns\n"
        f"  {text}\n  {'^' * len(text)}\n  Leave a shape out: lengths follow from what meets."
    )
    assert formula(text).ok


def test_a_power_of_a_matrix_is_said_to_be_one_of_each_entry():
    assert formula("A**-1 + B**2").shapes.notes == [
        "A**-1 is the power of each entry, as in numpy; for the inverse write inv(A)",
        "B**2 is the power of each entry, as in numpy; for the product write B @ B",
    ]
    assert formula("x**2 + A[0]**3 + norm(A)**2").shapes.notes == []


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
