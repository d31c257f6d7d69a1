"""Formulas as lecture notes and books have them: what is told to be written is read, and meant."""

import numpy as np
import pytest

from jacobian_bp import SpecError, formula

TOLD = {
    "x^T A x": "^T is a power.\n  x^T A x\n   ^^\n"
    "  Write x.T for the transposed one, and @ for a product: x.T @ A.",
    "(A@x)**T b": "**T is a power.\n  (A@x)**T b\n       ^^^\n"
    "  Write (…).T for the transposed one, and @ for a product: (…).T @ A.",
    "(y - X*w)'(y - X*w)": "nothing stands between this and the parenthesis behind it.\n"
    "  (y - X*w)'(y - X*w)\n  ^^^^^^^^^^\n"
    "  Write @ for a product of arrays, * for one entry by entry.",
    "sum(relu'(x) * y)": "relu' is a slope, which is printed and not typed.\n  sum(relu'(x) * y)\n"
    "      ^^^^^\n  Write the formula with relu(…), of which relu' is the derivative.",
    "log det(S @ S)": "what log is of stands in no parentheses.\n  log det(S @ S)\n"
    "  ^^^^^^^^^^^^^^\n  Write log(det(S @ S)).",
    "log det S": "what det is of stands in no parentheses.\n  log det S\n      ^^^^^\n"
    "  Write det(S).",
    "tr A + 1": "what tr is of stands in no parentheses.\n  tr A + 1\n  ^^^^\n  Write tr(A).",
    "A^-1 x": "^-1 is the power of each entry, and nothing stands behind it.\n  A^-1 x\n  ^^^^\n"
    "  Write inv(A) @ x for the product with the inverse.",
    "(A + B)^-1 x": "^-1 is the power of each entry, and nothing stands behind it.\n"
    "  (A + B)^-1 x\n         ^^^\n  Write inv(…) @ x for the product with the inverse.",
    "A \\ b": "\\ is not read in a formula.\n  A \\ b\n    ^\n  Write inv(A) @ b.",
    "norm(A, 2)": "norm takes no order.\n  norm(A, 2)\n          ^\n  Write norm(A) for the root "
    "of the sum of squares; of a matrix numpy's 2 is the largest singular value.",
    "norm(A, 1)": "norm takes no order.\n  norm(A, 1)\n          ^\n  Write norm1(A) for the sum "
    "of all |entries|; of a matrix numpy's 1 is the largest sum of a column.",
    "norm(A, np.inf)": "norm takes no order.\n  norm(A, np.inf)\n          ^^^^^^\n  Write "
    "max(abs(A)) for the largest |entry|; of a matrix numpy's inf is the largest sum of a row.",
    "norm(x, inf)": "norm takes no order.\n  norm(x, inf)\n          ^^^\n  Write max(abs(x)).",
    "X @ beta": "beta is a number, and @ multiplies arrays.\n  X @ beta\n      ^^^^\n"
    "  Write *, or --shape beta=3 for a vector.",
    "solve(A, b)": "solve is not read here.\n  solve(A, b)\n  ^^^^^^^^^^^\n"
    "  Instead: write inv(A) @ b for solve(A, b).",
    "prod(x - y)": "prod is not read here.\n  prod(x - y)\n  ^^^^^^^^^^^\n"
    "  Instead: of numbers above 0 write exp(sum(log(x - y))).",
    "dot(W, x) + b": "dot takes two vectors; W is a matrix.\n  dot(W, x) + b\n  ^^^^^^^^^\n"
    "  Write W @ x for their product.",
    "(x + y).dot(A.T)": "dot takes two vectors; A.T is a matrix.\n  (x + y).dot(A.T)\n"
    "  ^^^^^^^^^^^^^^^^\n  Write (x + y) @ A.T for their product.",
    "x.T A": "nothing stands between x.T and A.\n  x.T A\n  ^^^^^\n"
    "  Write x.T @ A for their product, x.T * A entry by entry.",
    "x./y": "./ is not numpy, where every sign goes entry by entry but @.\n  x./y\n   ^^\n"
    "  Write / for ./, and A @ x where a product of matrices is meant by *.",
    "sum(x) / len(x)": "len is not read here.\n  sum(x) / len(x)\n           ^^^^^^\n"
    "  Instead: write mean(x) for sum(x) / len(x).",
    "hinge(y * x)": "hinge is not read here.\n  hinge(y * x)\n  ^^^^^^^^^^^^\n"
    "  Instead: write relu(1 - (y * x)), and sum(…) of it.",
    "argmax(x)": "argmax is not read here.\n  argmax(x)\n  ^^^^^^^^^\n"
    "  Instead: which entry is the largest has the slope 0; max(x) is that entry.",
    "std(x)": "std is not read here.\n  std(x)\n  ^^^^^^\n"
    "  Instead: write it out: sqrt(mean((x - mean(x))**2)).",
    "expm(A)": "expm is not read here.\n  expm(A)\n  ^^^^^^^\n"
    "  Instead: the exponential of a matrix has no op here; exp(A) is that of each entry.",
}


@pytest.mark.parametrize("text", TOLD)
def test_what_a_book_has_is_told_what_to_write(text):
    with pytest.raises(SpecError) as caught:
        formula(text)
    assert str(caught.value) == TOLD[text]


WRITTEN = {  # what the messages above lead to, and what is meant
    "x.T @ A @ x": lambda x, A: x @ A @ x,
    "log(det(S @ S))": lambda S: np.log(np.linalg.det(S @ S)),
    "tr(A) + 1": lambda A: np.trace(A) + 1,
    "inv(A) @ x": lambda A, x: np.linalg.solve(A, x),
    "norm(A)": lambda A: np.sqrt((A**2).sum()),
    "norm1(A)": lambda A: np.abs(A).sum(),
    "max(abs(x))": lambda x: np.linalg.norm(x, np.inf),
    "max(abs(A))": lambda A: np.abs(A).max(),
    "W @ x": lambda W, x: np.dot(W, x),
    "(x + y) @ A.T": lambda x, y, A: np.dot(x + y, A.T),
    "x / y": lambda x, y: x / y,
    "mean(x)": lambda x: x.sum() / len(x),
    "relu(1 - (y * x))": lambda y, x: np.maximum(0, 1 - y * x),
    "max(x)": lambda x: x[x.argmax()],
    "sqrt(mean((x - mean(x))**2))": lambda x: x.std(),
    "exp(sum(log(x - y)))": lambda x, y: np.prod(x - y),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_what_they_are_told_is_read_and_is_that(text):
    found = formula(text)
    np.testing.assert_allclose(found.value, WRITTEN[text](**found.arrays), rtol=1e-12)
    assert found.ok, found.unlike


def test_a_greek_letter_is_told_to_be_the_vector_that_it_is_multiplied_as():
    found = formula("sum((y - X @ beta)**2)", shapes={"beta": (3,)})
    assert found.derivatives["β"] == "−2 Xᵀ (y − X β)"
    assert found.ok


def noted(text, **options):
    return [note for note in formula(text, **options).shapes.notes if "numbers alone" in note]


def test_a_vector_that_meets_numbers_alone_is_noted_and_no_other():
    said = (
        "{0} is a vector, as a small letter is, and meets numbers alone, so that the formula gives "
        'a vector too; for a number write --scalar {0}, or scalars=["{0}"] in Python'
    )
    for text, name in {
        "x.T @ A @ x + b.T @ x + c": "c",
        "-n/2 * log(det(S))": "n",
        "x.T @ y * z": "z",
        "-(y*log(sigmoid(w@x)) + (1-y)*log(1-sigmoid(w@x)))": "y",
    }.items():
        assert noted(text) == [said.format(name)]
        assert noted(text, scalars=[name]) == []
        assert formula(text, scalars=[name]).statement.startswith("J = ")
    for text in (
        "lam * x",
        "x / norm(x)",
        "softmax(W @ x + b)",
        "(a @ x) * (Z @ x)",
        "w @ x + b",  # which has a note of its own
        "x * y",
        "A @ x",
    ):
        assert noted(text) == []
    assert noted("x.T @ y * z", shapes={"z": (5,)}) == []


def test_a_power_of_a_matrix_is_noted_up_to_the_fourth():
    power = "A^{} is the power of each entry, as in numpy; for the product write {}"
    for exponent, product in {2: "A @ A", 3: "A @ A @ A", 4: "A @ A @ A @ A"}.items():
        assert power.format(exponent, product) in formula(f"trace(A^{exponent})").shapes.notes
    assert formula("sum(x**3)").shapes.notes == []
