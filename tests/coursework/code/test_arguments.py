"""A call that hands its arguments over in another order than the function takes them."""

import pytest
from backward_functions import TANH_CLASSES, run_of

from jacobian_bp import diagnose_code

RUN = run_of(TANH_CLASSES)
TEXT = """\
def backward(X, Y, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    E = np.exp(A1 @ W2 + b2)
    dZ2 = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0)
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)
    return dW1, db1, dW2, db2


def train(X, Y, W1, b1, W2, b2, lr):
    for epoch in range(100):
        dW1, db1, dW2, db2 = backward(X, Y, W1, b1, W2, b2)
        W1 -= lr * dW1
        b1 -= lr * db1
        W2 -= lr * dW2
        b2 -= lr * db2
"""
RIGHT = "backward(X, Y, W1, b1, W2, b2)\n        W1"
CALL = 13


def called_with(arguments):
    return TEXT.replace(RIGHT, RIGHT.replace("X, Y, W1, b1, W2, b2", arguments))


@pytest.mark.parametrize(
    "arguments", ["X, Y, W2, b2, W1, b1", "Y, X, W1, b1, W2, b2", "X, Y, b1, W1, W2, b2"]
)
def test_the_call_alone_is_named_and_what_follows_is_credited(arguments):
    report = diagnose_code(called_with(arguments), RUN)
    assert report.first_wrong == CALL, str(report)
    (wrong,) = [line for line in report.lines if line.right is False]
    assert wrong.sentences == (
        "It hands over the arguments of backward() in another order.",
        "Meant: dW1, db1, dW2, db2 = backward(X, Y, W1, b1, W2, b2)   (in the order in which it "
        "takes them)",
    )
    assert sum(line.right is True for line in report.lines) == 10


def test_in_the_right_order_nothing_is_said_of_the_call():
    assert diagnose_code(TEXT, RUN).right is True


def test_a_layer_s_function_may_call_its_arguments_by_other_numbers():
    text = """\
def layer(X, W1, b1):
    return X @ W1 + b1


def gradients(X, Y, W1, b1, W2, b2):
    A1 = np.tanh(layer(X, W1, b1))
    E = np.exp(layer(A1, W2, b2))
    dZ2 = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    dW2 = A1.T @ dZ2
    dZ1 = dZ2 @ W2.T * (1 - A1)
    dW1 = X.T @ dZ1
    return dW1, dW2
"""
    report = diagnose_code(text, RUN)
    assert [line.number for line in report.lines if line.right is False] == [10], str(report)
