"""Each sign on the page of a formula is explained there, and no other."""

import re

import pytest

from jacobian_bp import formula
from jacobian_bp.formulas import signs_of_page

OF_SCHOOL = {"abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "max", "min"}
FORMULAS = (
    "sum((sigmoid(W @ x) - y)**2)",
    "norm(diag(d) @ inv(A) @ x)",
    "trace(A.T @ inv(X)) + logdet(X @ X.T) + det(X)",
    "-sum(y * log(softmax(W @ relu(V @ x))))",
    "norm(kron(A, B) @ x - y) + max(x)",
    "vec(A).T @ vec(B) / norm(A / B)",
    "sum(abs(silu(x) + elu(x) + gelu(x) + leaky_relu(x))) + log(sum(exp(x)))",
    "softmax(W @ x)",
    "3 * x + 2",
)


def signs_and_rest(text):
    """What stands behind 'signs', a row each, and the lines of the formula and the derivative."""
    head, _, behind = text.partition("\nsigns")
    rows = behind.partition("\n\n")[0].strip().splitlines()
    return [row.strip() for row in rows], re.sub(r"checked at .*", "", head)


def unexplained(text):
    """The signs and functions of a page that no row of it begins with."""
    rows, rest = signs_and_rest(text)
    derivative = rest[re.search(r"^(gradient|jacobian)", rest, re.M).start() :]
    used = {*re.findall(r"[⊙⊗⊘‖σΣδᵀ]|⁻¹|⁻ᵀ|\^∘", derivative)}
    used |= {*re.findall(r"(?<![\w'])([^\W\d]\w*)'*\(", derivative)} - OF_SCHOOL
    return {sign for sign in used if not any(row.startswith(sign) for row in rows)}


@pytest.mark.parametrize("text", FORMULAS)
def test_each_sign_is_explained_and_no_other(text):
    page = str(formula(text))
    rows, rest = signs_and_rest(page)
    assert not unexplained(page)
    for row in rows:
        sign = re.match(r"[^\W\d]\w*|1_.|⁻.|\^∘|[^\w\s]", row)[0]
        known = sign in rest or (sign == "a" and "'" in rest)
        assert known, row
    assert len(rows) == len(set(rows))


LEFT_OUT = {
    "ᵀ": FORMULAS[0],
    "‖": FORMULAS[1],
    "tr": "trace(X)**2",
    "diag": "softmax(W @ x)",
    "σ": FORMULAS[0],
}


@pytest.mark.parametrize("sign", LEFT_OUT)
def test_a_sign_that_is_left_out_is_missed(monkeypatch, sign):
    """The planted mistake: a table without a row."""
    rows = {p: words for p, words in signs_of_page.SIGNS.items() if not words.startswith(sign)}
    assert len(rows) == len(signs_of_page.SIGNS) - 1
    assert not unexplained(str(formula(LEFT_OUT[sign])))
    monkeypatch.setattr(signs_of_page, "SIGNS", rows)
    assert unexplained(str(formula(LEFT_OUT[sign]))) == {sign}
