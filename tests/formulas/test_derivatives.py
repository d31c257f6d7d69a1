"""What is printed of a formula is right: by routes, by a second reader, by hand, by differences."""

import re

import numpy as np
import pytest

from jacobian_bp import DomainError, Formula, SpecError, formula
from jacobian_bp.formulas.reading_printed import evaluated

RNG = np.random.default_rng(15)
HAND = {  # by hand, in numpy: the formula, the variable, its gradient
    "sum((W @ x - y)**2)": ("W", lambda W, x, y: 2 * np.outer(W @ x - y, x)),
    "x.T @ A @ x": ("x", lambda x, A: (A + A.T) @ x),
    "trace(A @ X @ B)": ("X", lambda A, X, B: A.T @ B.T),
    "logdet(X)": ("X", lambda X: np.linalg.inv(X).T),
    "trace(A @ inv(X))": (
        "X",
        lambda A, X: -np.linalg.inv(X).T @ A.T @ np.linalg.inv(X).T,
    ),
    "norm(X @ w - y)**2 + lam * norm(w)**2": (
        "w",
        lambda X, w, y, λ: 2 * (X.T @ (X @ w - y) + λ * w),
    ),
    "sum(log(1 + exp(-y * (X @ w))))": (
        "w",
        lambda y, X, w: -X.T @ (y / (1 + np.exp(y * (X @ w)))),
    ),
    "norm(X - U @ V.T)**2": ("V", lambda X, U, V: -2 * (X - U @ V.T).T @ U),
    "mean(X * X)": ("X", lambda X: 2 * X / X.size),
    "sum(x[1:3]**2) + x[0]": ("x", lambda x: np.array([1, 2 * x[1], 2 * x[2]])),
    "sum((X + b)**2)": ("b", lambda X, b: 2 * (X + b).sum(axis=0)),
    "sum((x[1:] - x[:-1])**2) + x[-1]": (
        "x",
        lambda x: 2 * (np.diff(x, prepend=x[0]) - np.diff(x, append=x[-1])) + np.eye(len(x))[-1],
    ),
    "X[-1] @ Y[1:,:-2] @ z": (
        "Y",
        lambda X, Y, z: np.pad(np.outer(X[-1], z), [(1, 0), (0, 2)]),
    ),
    "det(A @ X @ B)": (
        "X",
        lambda A, X, B: np.linalg.det(A @ X @ B) * A.T @ np.linalg.inv(A @ X @ B).T @ B.T,
    ),
    "c @ kron(A, B) @ d": (
        "A",
        lambda c, A, B, d: c.reshape(len(A), len(B)) @ B @ d.reshape(A.shape[1], B.shape[1]).T,
    ),
    "norm(kron(A, B))**2": ("B", lambda A, B: 2 * (A**2).sum() * B),
    "logdet(kron(A, B))": ("A", lambda A, B: len(B) * np.linalg.inv(A).T),
    "norm(vec(A @ X @ B) - y)**2": (
        "X",
        lambda A, X, B, y: 2 * A.T @ (A @ X @ B - y.reshape(B.shape[1], len(A)).T) @ B.T,
    ),
    "trace(A @ diag(x) @ B)": ("x", lambda A, x, B: np.diag(B @ A)),
    "sum(diag(A @ X)**2)": ("X", lambda A, X: 2 * A.T @ np.diag(np.diag(A @ X))),
    "max(A @ x)": ("x", lambda A, x: A[(A @ x).argmax()]),
    "sum(arcsin(x))": ("x", lambda x: 1 / np.sqrt(1 - x**2)),
    "trace(inv(A + eye))": (
        "A",
        lambda A: -np.linalg.matrix_power(np.linalg.inv(A + np.eye(len(A))), 2).T,
    ),
}


@pytest.mark.parametrize("text", HAND)
def test_a_derivative_is_the_one_that_is_made_by_hand(text):
    by, gradient = HAND[text]
    found = formula(text)
    want = gradient(**found.arrays)
    np.testing.assert_allclose(found.array(by), want, rtol=1e-12, atol=1e-12)
    assert not np.allclose(found.array(by), -want)
    assert found.ok, str(found)


PAGE = """\
formula   J = ‖W2 tanh(W1 x + b1) + b2 − y‖²
          W2[k,i] a matrix, W1[i,j] a matrix, x[j] a vector, b1[i] a vector, b2[k] a vector, \
y[k] a vector
          checked at k = 3, i = 2, j = 5, numbers drawn (seed 0)

gradient  ∂J/∂W1 = 2 (tanh'(W1 x + b1) ⊙ W2ᵀ (W2 tanh(W1 x + b1) + b2 − y)) xᵀ    [i',j']
signs     ⊙: entry by entry
          a function with a prime: its slope

checks    full 10 of 10, structured 10 of 10, difference 10 of 10 entries as vjp: all routes agree
          1 line, read again as it is printed, gives the numbers of the ops"""


def test_the_page_of_a_two_layer_network():
    found = formula("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2", wrt=["W1"])
    assert str(found) == PAGE
    assert str(formula(found.text, wrt=["W1"])) == PAGE


def test_a_part_that_recurs_has_a_name():
    found = formula("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2")
    assert found.where == {"r": "W2 tanh(W1 x + b1) + b2 − y"}
    assert found.derivatives["b2"] == "2 r"
    taken = formula("norm(W2 @ tanh(W1 @ x + b1) + r - y)**2")
    assert taken.where == {"r1": "W2 tanh(W1 x + b1) + r − y"}


MISTAKES = [
    (r"−", "+"),
    (r"2 ", "3 "),
    (r"Wᵀ", "W"),
    (r"xᵀ", "x"),
    (r"⊙", "⊘"),
    (r"tanh'", "tanh"),
    (r"x", "y"),
    (r"''", "'"),
]


@pytest.mark.parametrize(("pattern", "wrong"), MISTAKES)
def test_a_mistake_in_a_printed_line_is_seen(pattern, wrong):
    found = formula("sum(tanh(W @ x - y)**2)", shapes={"W": (3, 2)})
    changed = {
        key: re.sub(pattern, wrong, text, count=1) for key, text in found.first.texts.items()
    }
    expected = {key for key, text in found.first.texts.items() if changed[key] != text}
    arrays = {w: found.array(w) for w in found.wrt}
    assert found.first.unlike(found._all_values, arrays, found.sizes) == {}
    found.first.texts.update(changed)
    assert set(found.first.unlike(found._all_values, arrays, found.sizes)) == expected
    assert expected or pattern in ("''", "⊙")


def test_a_wrong_array_is_seen():
    found = formula("A @ x")
    arrays = {w: found.array(w) for w in found.wrt}
    arrays["A"][0, 1, 1] += 1e-6
    assert found.first.unlike(found._all_values, arrays, found.sizes) == {
        "A": "it gives other numbers than the ops"
    }


SECOND = {
    "sum((W @ x - y)**2)": {
        "W,W": "2 δ[k',k''] x[i'] x[i'']",
        "W,x": "2 W[k',i''] x[i'] + 2 δ[i',i''] (W x − y)[k']",
        "W,y": "−2 δ[k',k''] x[i']",
        "x,x": "2 Wᵀ W",
        "x,y": "−2 Wᵀ",
        "y,y": "2 I_k",
    },
    "logsumexp(z)": {"z,z": "diag(softmax(z)) − softmax(z) softmax(z)ᵀ"},
    "logdet(X)": {"X,X": "−(X⁻¹)[j',k''] (X⁻¹)[j'',k']"},
    "norm(x)": {"x,x": "I_k/‖x‖ − x xᵀ/‖x‖³"},
    "det(X)": {"X,X": "det(X) (X⁻¹)[j',k'] (X⁻¹)[j'',k''] − det(X) (X⁻¹)[j',k''] (X⁻¹)[j'',k']"},
    "norm(kron(A, B))**2": {
        "A,A": "2 Σ_j,l δ[k',k''] δ[i',i''] B[j,l] B[j,l]",
        "A,B": "4 A[k',i'] B[j'',l'']",
        "B,B": "2 Σ_k,i δ[j',j''] δ[l',l''] A[k,i] A[k,i]",
    },
    "norm(vec(X) - y)**2": {
        "X,X": "2 δ[k',k''] δ[i',i'']",
        "X,y": "−2 δ[j'',dim(k) i'+k']",
        "y,y": "2 I_j",
    },
    "sum(tanh(x))": {"x,x": "−2 diag(tanh'(x) ⊙ tanh(x))"},
}


@pytest.mark.parametrize("text", SECOND)
def test_second_derivatives_are_those_of_the_ops(text):
    found = formula(text)
    assert found.second_derivatives == SECOND[text]
    assert found.second_ok, found.second_unlike
    found.second.texts.update({key: "2 " + t.lstrip("−") for key, t in SECOND[text].items()})
    assert (
        found.second.unlike(
            found._all_values, dict.fromkeys(SECOND[text], np.ones(())), found.sizes
        )
        != {}
    )


@pytest.mark.parametrize(
    "text",
    [
        "trace(inv(X) @ A)",
        "sum(softmax(W @ x) * y)",
        "exp(a @ x)**2",
        "sum((X - mean(X, axis=0))**2)",
        "max(A @ x)**2",
        "c @ kron(A, B) @ d",
        "sum((A @ diag(x) @ b)**2)",
        "logdet(kron(A, B))",
        "sum(tan(x) * arctan(x))",
        "det(X)**2",
    ],
)
def test_longer_second_derivatives_give_the_hessian(text):
    found = formula(text)
    assert found.second_ok, found.second_unlike


def test_second_derivatives_are_of_a_number():
    with pytest.raises(SpecError) as caught:
        formula("W @ x").second_lines()
    assert str(caught.value) == (
        "the formula is an array; second derivatives are written of a number.\n"
        "  Write its sum, or an entry: sum(W @ x)."
    )


def test_sizes_follow_from_what_meets_and_free_ones_differ():
    found = formula("trace(A @ B @ C) + norm(d)")
    shapes = {name: array.shape for name, array in found.arrays.items()}
    assert shapes == {"A": (3, 2), "B": (2, 5), "C": (5, 3), "d": (7,)}
    given = formula("A @ x", shapes={"A": (4, 11)})
    assert given.arrays["x"].shape == (11,)


def test_sizes_that_do_not_fit_are_said_with_both_witnesses():
    with pytest.raises(SpecError) as caught:
        formula("norm(W @ x - y)", shapes={"W": (4, 2), "x": (3,)})
    assert str(caught.value) == (
        "two lengths meet, and differ.\n  W has shape (4, 2)\n  x has shape (3,)\n"
        "  norm(W @ x - y)\n       ^^^^^\n  Give shapes that fit, or none: --shape W=4,2."
    )


def test_a_number_that_is_added_to_a_vector_is_said():
    noted = formula("sigmoid(w @ x + b)")
    assert noted.shapes.notes == [
        "w @ x is a number and b a vector: the number is added to each entry of b; for a number "
        'write --scalar b, or scalars=["b"] in Python'
    ]
    told = formula("sigmoid(w @ x + b)", scalars=["b"])
    assert (told.shapes.notes, told.is_scalar) == ([], True)


def test_numbers_are_drawn_in_the_domain_of_the_formula():
    found = formula("sum(log(x))")
    assert (found.arrays["x"] > 0).all()
    assert "all above 0, as the formula asks" in str(found)
    assert "above 0" not in str(formula("sum(exp(x))"))
    with pytest.raises(DomainError):
        formula("sum(log(-exp(x)))").lines()


def test_lengths_are_chosen_so_that_an_inverse_is_there():
    for text in ("logdet(X.T @ X)", "logdet(X @ X.T)", "a @ inv(X @ X.T) @ a", "det(X @ X.T)"):
        assert formula(text).ok, text
    assert abs(formula("det(A @ X @ B)").value) > 1e-3
    with pytest.raises(DomainError) as caught:
        formula("det(X @ X.T)", shapes={"X": (3, 2)}).lines()
    assert str(caught.value) == (
        "the matrix in det has rank 2 of 3 at these shapes: its determinant is 0 for all numbers.\n"
        "  Give shapes at which it has an inverse: --shape A=2,3."
    )
    with pytest.raises(DomainError):
        formula("logdet(X @ X.T)", shapes={"X": (3, 2)}).lines()


def test_a_symmetric_matrix_is_written_and_drawn_as_one():
    found = formula("x.T @ inv(S) @ x", symmetric=["S"], positive=["S"])
    assert found.derivatives["x"] == "2 S⁻¹ x"
    S = found.arrays["S"]
    assert (S.T == S).all()
    assert (np.linalg.eigvalsh(S) > 0).all()
    assert found.ok
    assert formula("x.T @ inv(S) @ x").derivatives["x"] == "(S⁻¹ + S⁻ᵀ) x"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wrt": ["w"]}, "wrt names w, which the formula does not read.\n  It reads W, x."),
        ({"wrt": "W"}, "wrt takes a list of names.\n  Write wrt=['W']."),
        ({"symmetric": ["x"]}, "x is a vector that is not square, and cannot be symmetric."),
        ({"shapes": {"W": (0, 2)}}, "the shape of W is (0, 2)."),
        ({"shapes": {"W": (2, 3, 5)}}, "W has 3 axes; a formula knows two at most."),
    ],
)
def test_an_option_that_does_not_fit_is_refused(options, said):
    with pytest.raises(SpecError) as caught:
        Formula("W @ x", **options)
    assert str(caught.value).startswith(said)


def test_nothing_that_is_handed_out_is_kept():
    found = formula("x.T @ A @ x")
    first = found.array("A")
    first[...] = 0
    assert found.array("A").any()
    found.value[...] = 0
    assert found.value != 0


def test_the_reader_of_printed_formulas_knows_each_form():
    A, x, y = RNG.normal(size=(3, 2)), RNG.normal(size=2), RNG.normal(size=3)
    at = {"A": A, "x": x, "y": y, "λ": np.array(0.7)}
    sizes = {"k": 3, "i": 2, "p": 6, "q": 6}
    cases = [
        (
            "−2 Aᵀ (A x − y)/‖A x − y‖³",
            ("i'",),
            -2 * A.T @ (A @ x - y) / np.linalg.norm(A @ x - y) ** 3,
        ),
        ("(yᵀ A x) 1_k", ("k'",), (y @ A @ x) * np.ones(3)),
        ("diag(y) A diag(x)", ("k'", "i'"), y[:, None] * A * x),
        ("1_k xᵀ ⊙ A ⊘ A^∘2", ("k'", "i'"), x / A),
        ("λ x^∘(−2)", ("i'",), 0.7 / x**2),
        ("softmax(A)", ("k'", "i'"), np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)),
        (
            "δ[k,k'] x[i'] − Σ_i 1/2 A[k,i] x[i] A[k',i']",
            ("k", "k'", "i'"),
            np.eye(3)[:, :, None] * x - 0.5 * (A @ x)[:, None, None] * A,
        ),
        ("I_k/dim(i)", ("k", "k'"), np.eye(3) / 2),
        ("A ⊗ (x yᵀ)", ("p", "q"), np.kron(A, np.outer(x, y))),
        ("vec(A)", ("p",), A.T.ravel()),
        ("mat_ki(vec(Aᵀ))", ("k", "i"), A),
        ("e_max(x)", ("i",), np.eye(2)[x.argmax()]),
        ("2 Σ_k y[k] δ[p,dim(i) k+i']", ("p", "i'"), 2 * np.kron(y[:, None], np.eye(2))),
    ]
    for text, axes, want in cases:
        np.testing.assert_allclose(evaluated(text, at, sizes, axes), want, rtol=1e-13)


@pytest.mark.parametrize(
    "text", ["A A", "A +", "(A", "A x ⊙ x", "u", "A ? x", "Σ_k A[k',i']", "A x )"]
)
def test_the_reader_refuses_what_is_no_formula(text):
    at, sizes = {"A": RNG.normal(size=(3, 2)), "x": RNG.normal(size=2)}, {"k": 3, "i": 2}
    with pytest.raises(ValueError, match=r".+"):
        evaluated(text, at, sizes, ("k'", "i'"))
