"""A mistake inside a function that is called is named at its own line, once."""

import pytest
from backward_functions import TANH_BINARY, planted, run_of

from jacobian_bp import diagnose_code

TEXT = """\
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db

def model_backward(X, Y, W1, b1, W2, b2, Z1, A1, A2):
    dZ2 = A2 - Y
    dA1, dW2, db2 = linear_backward(dZ2, (A1, W2, b2))
    dZ1 = dA1 * (1 - A1 ** 2)
    dA0, dW1, db1 = linear_backward(dZ1, (X, W1, b1))
    return dW1, db1, dW2, db2
"""


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dW = np.dot(dZ, A_prev.T) / m", "dW = np.dot(dZ, A_prev.T)"),
        ("m = A_prev.shape[1]", "m = A_prev.shape[0]"),
        ("dZ2 = A2 - Y", "dZ2 = Y - A2"),
        ("linear_backward(dZ1, (X,", "linear_backward(dA1, (X,"),
    ],
)
def test_the_line_that_holds_the_mistake_is_the_only_one_accused(old, new):
    text, line = planted(TEXT, old, new)
    report = diagnose_code(text, run_of(TANH_BINARY))
    accused = [one.number for one in report.lines if one.right is False]
    assert (report.right, report.first_wrong, accused) == (False, line, [line]), str(report)


def test_what_is_meant_inside_is_said_with_the_line_that_calls_it():
    text, _ = planted(TEXT, "dW = np.dot(dZ, A_prev.T) / m", "dW = np.dot(dZ, A_prev.T)")
    (wrong,) = [one for one in diagnose_code(text, run_of(TANH_BINARY)).lines if one.right is False]
    assert wrong.sentences == (
        "By it dW2 in line 11 is not ∂J/∂W2, shape (1, 7).",
        "Meant: dW = np.dot(dZ, A_prev.T) / m   (divided by m)",
    )
