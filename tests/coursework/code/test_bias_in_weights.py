"""A function whose bias is a column of W, or a row: its 1s, its slices, its penalty."""

import pytest
from backward_functions import TANH_CLASSES, planted, run_of

from jacobian_bp import Convention, diagnose_code

ROWS = """\
m = X.shape[0]
Xb = np.hstack([np.ones((m, 1)), X])
A1 = np.tanh(Xb @ W1.T)
A1b = np.insert(A1, 0, 1, axis=1)
Z2 = A1b @ W2.T
d2 = (A2 - Y) / m
dW2 = d2.T @ A1b
d1 = d2 @ W2[:, 1:] * (1 - A1**2)
dW1 = d1.T @ Xb
"""
COLUMNS = """\
m = X.shape[1]
Xb = np.vstack([X, np.ones((1, m))])
A1 = np.tanh(np.dot(W1.T, Xb))
A1b = np.append(A1, np.ones((1, m)), axis=0)
dZ2 = (A2 - Y) / m
dW2 = np.dot(A1b, dZ2.T)
dZ1 = np.delete(W2 @ dZ2, -1, axis=0) * (1 - A1**2)
dW1 = np.dot(Xb, dZ1.T)
"""
ML = """\
def nnCostFunction(Theta1, Theta2, X, y, lmbda):
    m = X.shape[0]
    a1 = np.c_[np.ones(m), X]
    z2 = a1.dot(Theta1.T)
    a2 = np.column_stack((np.ones(m), np.tanh(z2)))
    z3 = a2.dot(Theta2.T)
    a3 = softmax(z3)
    d3 = a3 - y
    d2 = d3.dot(Theta2[:, 1:]) * (1 - np.tanh(z2) ** 2)
    Theta2_grad = d3.T.dot(a2) / m
    Theta1_grad = d2.T.dot(a1) / m
    Theta2_grad[:, 1:] += lmbda / m * Theta2[:, 1:]
    Theta1_grad[:, 1:] += lmbda / m * Theta1[:, 1:]
    return Theta1_grad, Theta2_grad
"""
FIRST, LAST = Convention(bias="first"), Convention("columns", "in,out", bias="last")
OF_EACH = Convention(mean="gradient", bias="first")
RIGHT = [(ROWS, FIRST), (COLUMNS, LAST), (ML, FIRST), (ML, OF_EACH)]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("text", "convention"), RIGHT)
def test_a_right_function_is_right_with_its_convention_and_without_one(text, convention):
    run = run_of(TANH_CLASSES)
    for told in (convention, None):
        report = diagnose_code(text, run, told)
        assert (report.right, report.first_wrong) == (True, None)
        assert report.sentences[0].endswith("with the gradients of W1, W2.")
        assert report.convention.bias == convention.bias


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("text", "convention", "old", "new"),
    [
        (ROWS, FIRST, "d2.T @ A1b", "d2.T @ A1"),
        (ROWS, FIRST, "W2[:, 1:]", "W2[:, :-1]"),
        (ROWS, FIRST, "W2[:, 1:]", "W2"),
        (COLUMNS, LAST, "np.delete(W2 @ dZ2, -1", "np.delete(W2 @ dZ2, 0"),
        (ML, OF_EACH, "d2.T.dot(a1) / m", "d2.T.dot(a1)"),
        (ML, OF_EACH, "Theta1_grad[:, 1:] += lmbda", "Theta1_grad[:, 1:] -= lmbda"),
    ],
)
def test_the_wrong_line_is_named(text, convention, old, new):
    wrong, line = planted(text, old, new)
    report = diagnose_code(wrong, run_of(TANH_CLASSES), convention)
    assert (report.right, report.first_wrong) == (False, line)


def test_ones_at_the_other_end_than_the_bias_are_named_where_they_are_joined():
    text, line = planted(ROWS, "np.insert(A1, 0, 1", "np.insert(A1, 7, 1")
    report = diagnose_code(text, run_of(TANH_CLASSES), FIRST)
    (wrong,) = [one for one in report.lines if one.right is False]
    assert (wrong.number, wrong.stands_for) == (line, "a1 with its 1s")
    assert wrong.sentences == ("Its 1s stand last; the bias is the first column of W.",)


def test_an_activation_that_is_only_read_has_its_1s_where_the_lines_need_them():
    text = "dW2 = dZ2.T @ A1\ndZ1 = (dZ2 @ W2)[:, 1:] * (1 - np.tanh(Z1)**2)\ndW1 = dZ1.T @ X\n"
    report = diagnose_code(text, run_of(TANH_CLASSES), FIRST)
    assert report.right is True
    assert report.sentences[-1] == "An activation that it only reads is taken with its 1s."
    text, line = planted(text, "[:, 1:]", "[:, :-1]")
    assert diagnose_code(text, run_of(TANH_CLASSES), FIRST).first_wrong == line
