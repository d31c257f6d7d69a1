"""The gradient of a bias has a shape with which b - lr * db is a bias, and no matrix."""

import pytest
from backward_functions import RELU_CLASSES, TANH_LINEAR, planted, run_of

from jacobian_bp import diagnose_code

COLUMNS = """\
def step(X, Y, W1, b1, W2, b2, lr):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    A2 = softmax(W2 @ A1 + b2)
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * (Z1 > 0)
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    b1 = b1 - lr * db1
"""
ROWS = """\
def step(X, Y, W1, b1, W2, b2, lr):
    m = X.shape[0]
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    A2 = A1 @ W2 + b2
    dZ2 = (A2 - Y) / m
    dW2 = A1.T @ dZ2
    db2 = np.sum(dZ2, axis=0, keepdims=True)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    dW1 = X.T @ dZ1
    db1 = np.sum(dZ1, axis=0)
    b1 -= lr * db1
"""
OF_COLUMNS, OF_ROWS = "db1 = np.sum(dZ1, axis=1, keepdims=True)", "db1 = np.sum(dZ1, axis=0)"
WRONG = [  # the text, what is put in, its shape, what is meant
    (COLUMNS, "np.sum(dZ1, axis=1)", "(7,)", "np.sum(dZ1, axis=1, keepdims=True)"),
    (
        COLUMNS,
        "np.sum(dZ1, axis=1).reshape(1, -1)",
        "(1, 7)",
        "np.sum(dZ1, axis=1).reshape(1, -1).reshape(-1, 1)",
    ),
    (
        COLUMNS,
        "dZ1.T.sum(axis=0, keepdims=True)",
        "(1, 7)",
        "dZ1.T.sum(axis=0, keepdims=True).reshape(-1, 1)",
    ),
    (
        ROWS,
        "np.sum(dZ1.T, axis=1, keepdims=True)",
        "(7, 1)",
        "np.sum(dZ1.T, axis=1, keepdims=True).reshape(1, -1)",
    ),
]


def parts(text):
    columns = text == COLUMNS
    return (OF_COLUMNS if columns else OF_ROWS), run_of(RELU_CLASSES if columns else TANH_LINEAR)


@pytest.mark.parametrize(("text", "sum_", "shape", "meant"), WRONG)
def test_a_gradient_that_makes_a_matrix_of_its_bias_is_named_with_the_line_that_does_not(
    text, sum_, shape, meant
):
    old, run = parts(text)
    assert diagnose_code(text, run).right is True
    changed, line = planted(text, old, f"db1 = {sum_}")
    report = diagnose_code(changed, run)
    (accused,) = [one for one in report.lines if one.right is False]
    assert (report.first_wrong, accused.number, accused.meant) == (line, line, f"db1 = {meant}")
    side = "column" if text == COLUMNS else "row"
    assert accused.sentences[0] == (
        f"db1 has the entries of ∂J/∂b1 in shape {shape}. b1 is a {side}: of the two numpy makes "
        "(7, 7)."
    )
    followed = changed.replace(accused.text, accused.meant)
    assert diagnose_code(followed, run).right is True


def test_the_first_line_that_loses_the_axis_is_named():
    run = run_of(RELU_CLASSES)
    text, line = planted(COLUMNS, OF_COLUMNS, "db1 = np.sum(dZ1 * m, axis=1)")
    report = diagnose_code(text.replace("    b1 =", "    db1 /= m\n    b1 ="), run)
    assert (report.right, report.first_wrong) == (False, line)


def test_an_update_that_turns_the_gradient_is_named_and_not_the_gradient():
    text, line = planted(ROWS, "b1 -= lr * db1", "b1 = b1 - lr * db1.reshape(-1, 1)")
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.first_wrong) == (False, line)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (COLUMNS, [(OF_COLUMNS, "db1 = np.sum(dZ1, axis=1)"), ("    b1 = b1 - lr * db1\n", "")]),
        (COLUMNS, [(OF_COLUMNS, "db1 = np.sum(dZ1, axis=1)"), ("lr * db1", "lr * db1[:, None]")]),
        (ROWS, [(OF_ROWS, "db1 = np.sum(dZ1, axis=0, keepdims=True)")]),
        (ROWS, [(OF_ROWS, "db1 = dZ1.sum(0).reshape(-1, 1)"), ("+ b1\n", "+ b1.T\n")]),
    ],
)
def test_a_shape_that_the_text_does_not_contradict_is_right(text, changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    assert diagnose_code(text, run_of(RELU_CLASSES if "softmax" in text else TANH_LINEAR)).right
