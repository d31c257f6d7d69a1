"""What is printed of a formula is right: by routes, by a second reader, by hand, by differences."""

import re

import numpy as np
import pytest

from jacobian_bp import DomainError, Formula, SpecError, formula
from jacobian_bp.formulas.reading_printed import evaluated
from jacobian_bp.formulas.written import Written

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
          W2[k,i]: a matrix, W1[i,j]: a matrix, x[j]: a vector, b1[i]: a vector, b2[k]: a vector, \
y[k]: a vector
          checked at k = 3, i = 2, j = 5, numbers drawn (seed 0)

gradient  ∂J/∂W1 = 2 (tanh'(z) ⊙ W2ᵀ (W2 tanh(z) + b2 − y)) xᵀ    [i',j']
where     z = W1 x + b1
signs     a primed index is the variable's own
          ᵀ: transposed
          ‖u‖: the root of the sum of the squares of all entries
          ⊙: entry by entry
          a function with a prime: its slope

checks    full 10 of 10, structured 10 of 10, difference 10 of 10 entries as vjp: all routes agree
          3 lines, read again as they are printed, give the numbers of the ops"""


def test_the_page_of_a_two_layer_network():
    found = formula("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2", wrt=["W1"])
    assert str(found) == PAGE
    assert str(formula(found.text, wrt=["W1"])) == PAGE


def test_a_part_that_recurs_has_a_name():
    found = formula("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2")
    assert found.where == {"z": "W1 x + b1", "h": "tanh(z)", "r": "W2 h + b2 − y"}
    assert found.derivatives["W2"] == "2 r hᵀ"
    taken = formula("norm(W2 @ tanh(W1 @ x + b1) + r - y)**2")
    assert taken.where == {"z": "W1 x + b1", "h": "tanh(z)", "r1": "W2 h + r − y"}


@pytest.mark.parametrize(
    "text",
    [
        "-sum(y * log(softmax(W @ x + b)))",
        "sum(g * (x - mean(x)) / sqrt(mean((x - mean(x))**2)))",
        "norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2",
        "sum((x / A)**2)",
        "logdet(X.T @ X) + trace(inv(X.T @ X))",
        "mean(inv(S + 9 * eye)) / (1 + sqrt(1 + v**2)[0]**2)",
    ],
)
def test_a_name_is_given_to_what_is_read_twice_and_said_before_it_is_read(text):
    found = formula(text)
    for written in (found.first, found.second):
        names = list(written.where)
        for place, alias in enumerate(names):
            word = re.compile(rf"(?<!\w){alias}(?![^\Wᵀ²³]|')")
            after = [written.where[n] for n in names[place + 1 :]] + [*written.texts.values()]
            assert sum(len(word.findall(re.sub(r"\[.*?\]", "", text))) for text in after) > 1
            assert not any(word.search(written.where[n]) for n in names[: place + 1])
    assert found.ok, found.unlike
    assert found.second_ok, found.second_unlike


def test_a_mistake_in_a_part_or_in_the_formula_itself_is_seen(monkeypatch):
    found = formula("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2")
    assert found.unlike == {}
    found.__dict__.pop("unlike")
    found.__dict__["in_notation"] = found.in_notation.replace("− y", "+ y")
    assert found.unlike == {"J": "it gives other numbers than the ops"}
    assert not found.ok
    assert str(found).endswith(
        "          J: it gives other numbers than the ops\n"
        "          9 lines, read again as they are printed, give the numbers of the ops"
    )
    where = {"z": "W1 x", "h": "tanh(z)", "r": "W2 h + b2 + y"}
    monkeypatch.setattr(Written, "where", property(lambda self: where))
    del found.unlike
    assert {"r", "W1"} <= set(found.unlike)


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
        "W,x": "2 (W[k',i''] x[i'] + δ[i',i''] (W x − y)[k'])",
        "W,y": "−2 δ[k',k''] x[i']",
        "x,x": "2 Wᵀ W",
        "x,y": "−2 Wᵀ",
        "y,y": "2 I_k",
    },
    "logsumexp(z)": {"z,z": "diag(p) − p pᵀ"},
    "logdet(X)": {"X,X": "−(X⁻¹)[j',k''] (X⁻¹)[j'',k']"},
    "norm(x)": {"x,x": "I_k/‖x‖ − x xᵀ/‖x‖³"},
    "det(X)": {"X,X": "det(X) ((X⁻¹)[j',k'] (X⁻¹)[j'',k''] − (X⁻¹)[j',k''] (X⁻¹)[j'',k'])"},
    "1/det(X)": {"X,X": "((X⁻¹)[j',k'] (X⁻¹)[j'',k''] + (X⁻¹)[j',k''] (X⁻¹)[j'',k'])/det(X)"},
    "trace(inv(X))": {"X,X": "(X⁻¹ X⁻¹)[j',k''] (X⁻¹)[j'',k'] + (X⁻¹ X⁻¹)[j'',k'] (X⁻¹)[j',k'']"},
    "logdet(A @ X)": {
        "A,A": "−(X (A X)⁻¹)[i'',k'] (X (A X)⁻¹)[i',k'']",
        "A,X": "((A X)⁻¹)[k'',k'] (δ[i',i''] − (X (A X)⁻¹ A)[i',i''])",
        "X,X": "−((A X)⁻¹ A)[k',i''] ((A X)⁻¹ A)[k'',i']",
    },
    "(a @ x) / (b @ x)": {
        "a,a": "0",
        "a,x": "I_k/(bᵀ x) − x bᵀ/(bᵀ x)²",
        "a,b": "−x xᵀ/(bᵀ x)²",
        "x,x": "2 (aᵀ x) b bᵀ/(bᵀ x)³ − b aᵀ/(bᵀ x)² − a bᵀ/(bᵀ x)²",
        "x,b": "2 (aᵀ x) b xᵀ/(bᵀ x)³ − (aᵀ x) I_k/(bᵀ x)² − a xᵀ/(bᵀ x)²",
        "b,b": "2 (aᵀ x) x xᵀ/(bᵀ x)³",
    },
    "sum((A / x)**2)": {
        "A,A": "2 δ[k',k''] δ[i',i'']/x[i']²",
        "A,x": "−4 δ[i',i''] A[k',i']/x[i']³",
        "x,x": "6 diag((A^∘2)ᵀ 1_k ⊘ x^∘4)",
    },
    "sum(x**3 * log(x))": {"x,x": "diag(5 x + 6 (log(x) ⊙ x))"},
    "norm(kron(A, B))**2": {
        "A,A": "2 ‖B‖² δ[k',k''] δ[i',i'']",
        "A,B": "4 A[k',i'] B[j'',l'']",
        "B,B": "2 ‖A‖² δ[j',j''] δ[l',l'']",
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


SPREAD = {  # what has fewer axes than it meets is written as wide
    "x @ y + Z @ x": ("F = (xᵀ y) 1_k + Z x", {"x": "Z + 1_k yᵀ", "y": "1_k xᵀ"}),
    "norm(x @ y + Z @ x)**2": ("J = ‖(xᵀ y) 1_k + Z x‖²", {"y": "2 (1_kᵀ r) x"}),
    "lam + A": ("F = λ 1_k 1_iᵀ + A", {"λ": "1_k 1_iᵀ"}),
    "A + mean(A)": (
        "F = A + (1_kᵀ A 1_i) 1_k 1_iᵀ/(dim(k) dim(i))",
        {"A": "δ[k,k'] δ[i,i'] + 1/(dim(k) dim(i))"},
    ),
    "X - mean(X, axis=0)": ("F = X − 1_k 1_kᵀ X/dim(k)", {"X": "δ[i,i'] (δ[k,k'] − 1/dim(k))"}),
    "softmax(x) + 1": ("F = softmax(x) + 1_k", {"x": "diag(p) − p pᵀ"}),
    "sum(lam / x)": ("J = λ (1_kᵀ (1_k ⊘ x))", {"x": "−λ (1_k ⊘ x^∘2)"}),
    "A * x": ("F = A diag(x)", {"x": "δ[i,i'] A[k,i']"}),
    "A / x": ("F = A diag(1_i ⊘ x)", {"A": "δ[k,k'] δ[i,i']/x[i']"}),
    "x / A": ("F = 1_k xᵀ ⊘ A", {"x": "δ[i,i']/A[k,i']"}),
    "sum(relu(1 - y * x))": ("J = 1_kᵀ relu(1_k − y ⊙ x)", {"x": "−relu'(z) ⊙ y"}),
}


@pytest.mark.parametrize("text", SPREAD)
def test_what_numpy_spreads_is_written_as_wide_as_what_it_meets(text):
    statement, derivatives = SPREAD[text]
    found = formula(text)
    assert found.statement == statement
    assert derivatives.items() <= found.derivatives.items()
    assert found.ok, found.unlike


FOLDED = {  # what a reader would fold at once is folded
    "x + 2 * x": ("F = 3 x", "3 I_k"),
    "x - x": ("F = x − x", "0"),
    "sum(x * sqrt(x))": ("J = xᵀ sqrt(x)", "1.5 sqrt(x)"),
    "exp(-norm(x)**2 / (2 * lam**2))": ("J = exp(−‖x‖²/(2 λ²))", "−exp(z) x/λ²"),
    "x.T @ A @ x / (x.T @ x)": (
        "J = xᵀ A x/‖x‖²",
        "(A + Aᵀ) x/‖x‖² − 2 (xᵀ A x) x/‖x‖⁴",
    ),
    "norm(x)**12": ("J = ‖x‖¹²", "12 ‖x‖¹⁰ x"),
    "(x.T @ x)**1.5": ("J = ‖x‖³", "3 ‖x‖ x"),
    "((w @ x)**2)**3": ("J = (wᵀ x)⁶", "6 (wᵀ x)⁵ w"),
    "((w @ x)**2)**1.5": ("J = ((wᵀ x)²)^1.5", "3 ((wᵀ x)²)^0.5 (wᵀ x) w"),
    "((w @ x)**2)**0.5 * ((w @ x)**2)**1.5": ("J = (wᵀ x)⁴", "4 (wᵀ x)³ w"),
    "sum((x**2)**0.5 * (x**2)**1.5)": ("J = ((x^∘2)^∘0.5)ᵀ (x^∘2)^∘1.5", "4 x^∘3"),
    "exp(w @ x)**0.5": ("J = exp(wᵀ x)^0.5", "1/2 exp(wᵀ x)^0.5 w"),
    "sqrt(w @ x) * (w @ x)**0.25": ("J = (wᵀ x)^0.75", "0.75 w/(wᵀ x)^0.25"),
    "sum(x**(1/3))": ("J = 1_kᵀ x^∘(1/3)", "1/3 x^∘(−2/3)"),
}


@pytest.mark.parametrize("text", FOLDED)
def test_powers_and_like_terms_are_folded(text):
    found = formula(text)
    assert (found.statement, found.derivatives["x"]) == FOLDED[text]
    assert found.ok, found.unlike


DETERMINANTS = {
    "det(X)**0.5": "1/2 det(X)^0.5 X⁻ᵀ",
    "det(X.T @ X)**0.5": "det(Xᵀ X)^0.5 X (Xᵀ X)⁻¹",
    "det(X)**(1/3)": "1/3 det(X)^(1/3) X⁻ᵀ",
    "det(X)**-2": "−2 X⁻ᵀ/det(X)²",
}


@pytest.mark.parametrize("text", DETERMINANTS)
def test_a_fractional_power_of_a_determinant_is_merged_with_its_other_powers(text):
    found = formula(text)
    assert found.derivatives == {"X": DETERMINANTS[text]}
    assert found.ok, found.unlike


def test_fractional_powers_in_a_second_derivative_are_one():
    found = formula("det(X)**1.5")
    assert found.second_derivatives == {
        "X,X": "det(X)^1.5 (2.25 (X⁻¹)[j',k'] (X⁻¹)[j'',k''] − 1.5 (X⁻¹)[j',k''] (X⁻¹)[j'',k'])"
    }
    assert found.second_ok, found.second_unlike


def test_a_ring_at_an_axis_that_stays_is_a_diagonal():
    found = formula("diag(A @ B @ C)")
    assert found.statement == "F = diag(A B C)"
    assert found.derivatives == {
        "A": "δ[k,k'] (B C)[i',k']",
        "B": "A[k,i'] C[j',k]",
        "C": "δ[k,k'] (A B)[k',j']",
    }
    assert found.ok, found.unlike
    assert formula("a @ diag(A @ B @ C)").derivatives["a"] == "diag(A B C)"


def test_two_ways_from_axis_to_axis_are_multiplied_entry_by_entry():
    found = formula("sum((diag(a) @ T @ softmax(A)) * softmax(S @ B))", wrt=["A"])
    assert found.derivatives == {"A": "P1 ⊙ M − diag((P1 ⊙ M) 1_j) P1".replace("M", "Tᵀ diag(a) P")}
    assert found.ok, found.unlike


HARD = [  # two sums that share an axis; an entry alike everywhere; a later matrix is tall
    "sum((diag(inv(S + 5 * eye) @ b) @ E) * softmax(trace(S) * E))",
    "sum(a) + A * y",
    "(inv(S + 5 * eye) @ B @ x) @ (mean(C) * (a - mean(b)))",
    "(a @ A @ x) * det(T.T @ S)",
    "sum(a) / (1 + mean(C)**2)",
    "trace(sum(y) + S)",
    "trace((S + lam) @ (S + norm(x)))",
    "trace(A + diag(x) * lam + sum(x))",
]


FOLDED_BY_SYMMETRY = {
    "y @ inv(K + lam * eye) @ y": "2 (K + λ I_k)⁻¹ y",
    "y @ inv(X.T @ X + lam * eye) @ y": "2 (Xᵀ X + λ I_i)⁻¹ y",
    "y @ (A + A.T) @ y": "2 (A + Aᵀ) y",
    "y @ (A @ B + (A @ B).T) @ y": "2 (A B + Bᵀ Aᵀ) y",
    "y @ (A @ B + A.T) @ y": "(A B + Aᵀ + (A B + Aᵀ)ᵀ) y",
}


@pytest.mark.parametrize("text", FOLDED_BY_SYMMETRY)
def test_what_is_symmetric_by_its_form_is_written_as_such(text):
    found = formula(text, symmetric=["K"] if "K" in text else (), wrt=["y"])
    assert found.derivatives["y"] == FOLDED_BY_SYMMETRY[text]
    assert found.ok, found.unlike
    assert found.second_ok, found.second_unlike


def test_a_class_of_a_softmax_has_the_slope_that_is_taught():
    found = formula("-log(softmax(W @ x)[0])")
    assert found.derivatives == {"W": "(p − e_0) xᵀ", "x": "Wᵀ (p − e_0)"}
    assert found.ok, found.unlike


def test_quotients_inside_each_other_are_one():
    found = formula("sum(p * log(p / q))")
    assert found.derivatives == {"p": "log(p ⊘ q) + 1_k", "q": "−p ⊘ q"}
    assert found.second_derivatives["p,p"] == "diag(1_k ⊘ p)"
    assert found.ok, found.unlike


@pytest.mark.parametrize("text", HARD)
def test_what_is_rarely_typed_is_right_too(text):
    found = formula(text)
    assert found.unlike == {}
    assert not found.is_scalar or found.second_unlike == {}


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
        "@ sums over the last axis of W and the first of x, and two lengths differ.\n"
        "  W has shape (4, 2): 2 columns\n  x has shape (3,)\n"
        "  norm(W @ x - y)\n       ^^^^^\n  Leave a shape out: lengths follow from what meets."
    )


def test_a_number_that_is_added_to_a_vector_is_said():
    noted = formula("sigmoid(w @ x + b)")
    assert noted.shapes.notes == [
        "w @ x is a number and b a vector: the number is added to each entry of b; for a number "
        'write --scalar b, or scalars=["b"] in Python'
    ]
    told = formula("sigmoid(w @ x + b)", scalars=["b"])
    assert (told.shapes.notes, told.is_scalar) == ([], True)


def test_a_greek_number_that_is_taken_from_a_vector_is_said():
    likelihood = "(x - mu).T @ inv(Sigma) @ (x - mu)"
    assert formula(likelihood).shapes.notes == [
        'mu is a number, as every Greek letter is; --shape mu=3, or shapes={"mu": (3,)} in Python, '
        "makes it a vector"
    ]
    assert formula("sum((μ - x)**2)", shapes={"x": (5,)}).shapes.notes == [
        'μ is a number, as every Greek letter is; --shape μ=5, or shapes={"μ": (5,)} in Python, '
        "makes it a vector"
    ]
    told = formula(likelihood, shapes={"mu": (3,)})
    assert (told.shapes.notes, told.arrays["μ"].shape) == ([], (3,))
    assert formula(likelihood, scalars=["mu"]).shapes.notes == []
    for text in ("X - mu", "x * mu", "x + lam", "mu - norm(x)"):
        assert formula(text).shapes.notes == [], text


def test_a_vector_times_the_identity_is_said():
    assert formula("log(det(X.T @ X + eps * eye))").shapes.notes == [
        "eps is a vector, so that eps * eye is diag(eps); for a number write --scalar eps, or "
        'scalars=["eps"] in Python'
    ]
    assert formula("X + eye * (a * b)").shapes.notes == [
        "a * b is a vector, so that eye * (a * b) is diag(a * b)"
    ]
    assert formula("X + eps * eye", scalars=["eps"]).shapes.notes == []


def test_a_number_that_is_called_a_is_no_a_a():
    assert "a: a number, x[k]: a vector" in str(formula("a * x", scalars=["a"]))


def test_numbers_are_drawn_in_the_domain_of_the_formula():
    found = formula("sum(log(x))")
    assert (found.arrays["x"] > 0).all()
    assert "all above 0, as the formula asks" in str(found)
    assert "above 0" not in str(formula("sum(exp(x))"))
    with pytest.raises(DomainError) as caught:
        formula("log(-exp(lam @ x))", shapes={"lam": (3,)}, seed=4).lines()
    assert str(caught.value) == (
        "no numbers that were tried are in the domain of the formula.\n"
        "  J is nan; 1 of 1 entries of J are not finite.\n"
        "  Tried: as drawn, all above 0, all between -1/2 and 1/2. --positive λ makes λ alone "
        "positive, --seed 5 draws others; or write another formula."
    )


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
        ({"wrt": ["v"]}, "wrt names v, which the formula does not read.\n  It reads W, x."),
        ({"wrt": ["w"]}, "wrt names w, which the formula does not read. Did you mean W?\n"),
        ({"wrt": "W"}, "wrt takes a list of names.\n  Write wrt=['W']."),
        ({"symmetric": ["x"]}, "x is a vector, and only a matrix is symmetric."),
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
        (
            "−2 (A[k,i]² y[k]³ − 1/2 x[i])/(‖A x − y‖² x[i])",
            ("k", "i"),
            -2 * (A**2 * y[:, None] ** 3 - x / 2) / (np.sum((A @ x - y) ** 2) * x),
        ),
        ("λ^(1/3) ‖x‖¹² x", ("i'",), np.cbrt(0.7) * np.linalg.norm(x) ** 12 * x),
        ("λ^(−2/3) A[k,i']⁴ λ^(1/3)", ("k", "i'"), 0.7 ** (-1 / 3) * A**4),
        ("3/dim(k) − λ/x[i']", ("k", "i'"), np.ones((3, 1)) - 0.7 / x),
    ]
    for text, axes, want in cases:
        np.testing.assert_allclose(evaluated(text, at, sizes, axes), want, rtol=1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "A + λ",
        "1 ⊘ A",
        "A ⊙ x",
        "A A",
        "A +",
        "(A",
        "A x ⊙ x",
        "u",
        "A ? x",
        "Σ_k A[k',i']",
        "A x )",
    ],
)
def test_the_reader_refuses_what_is_no_formula(text):
    at, sizes = {"A": RNG.normal(size=(3, 2)), "x": RNG.normal(size=2)}, {"k": 3, "i": 2}
    with pytest.raises(ValueError, match=r".+"):
        evaluated(text, at, sizes, ("k'", "i'"))


def test_an_option_that_a_formula_does_not_have_is_told_with_those_there_are():
    for name, hint in (("second", ""), ("symetric", " Did you mean symmetric?")):
        with pytest.raises(TypeError) as raised:
            formula("x @ A @ x", **{name: True})
        assert str(raised.value) == (
            f"formula() has no option '{name}'.{hint}\n"
            "  Write one of shapes, scalars, symmetric, positive, wrt, seed; the second "
            "derivatives are formula(…).second_derivatives, and second_lines() their page."
        )
    found = formula("x @ A @ x", wrt=["x"])
    assert found.second_derivatives == {"x,x": "A + Aᵀ"}
    checks = [line for line in found.second_lines() if "of the gradient" in line]
    assert len(checks) == 1
    assert checks[0].endswith("entries as vjp: all routes agree")
