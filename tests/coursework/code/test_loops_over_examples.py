"""Functions with a loop over the examples: each mistake is named at its own line."""

import pytest
from backward_functions import (
    RELU_CLASSES,
    SIGMOID_SQUARES,
    TANH_BINARY,
    TANH_LINEAR,
    planted,
    run_of,
)
from sampled import one_in

from jacobian_bp import diagnose_code

BY_NUMBER = """\
def backward(X, Y, W1, b1, W2, b2):
    m = X.shape[0]
    dW1, db1 = np.zeros_like(W1), np.zeros_like(b1)
    dW2, db2 = np.zeros_like(W2), np.zeros_like(b2)
    for i in range(m):
        x, y = X[i], Y[i]
        z1 = W1 @ x + b1
        a1 = np.tanh(z1)
        z2 = W2 @ a1 + b2
        d2 = z2 - y
        d1 = (W2.T @ d2) * (1 - a1**2)
        dW2 += np.outer(d2, a1)
        db2 += d2
        dW1 += np.outer(d1, x)
        db1 += d1
    return dW1 / m, db1 / m, dW2 / m, db2 / m
"""
NABLA = """\
def gradient(self, X, Y):
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    nabla_b = [np.zeros(b.shape) for b in self.biases]
    for x, y in zip(X, Y):
        z1 = np.dot(self.weights[0], x) + self.biases[0]
        a1 = sigmoid(z1)
        z2 = np.dot(self.weights[1], a1) + self.biases[1]
        a2 = sigmoid(z2)
        delta = (a2 - y) * sigmoid_prime(z2)
        nabla_w[-1] += np.outer(delta, a1)
        nabla_b[-1] += delta
        delta = np.dot(self.weights[1].T, delta) * sigmoid_prime(z1)
        nabla_w[-2] += np.outer(delta, x)
        nabla_b[-2] += delta
    return [w / len(X) for w in nabla_w], [b / len(X) for b in nabla_b]
"""
GRADS = """\
def loss(self, X, y, reg):
    W1, b1 = self.params["W1"], self.params["b1"]
    W2, b2 = self.params["W2"], self.params["b2"]
    N = X.shape[0]
    grads = {"W1": np.zeros_like(W1), "b1": np.zeros_like(b1)}
    grads["W2"], grads["b2"] = np.zeros_like(W2), np.zeros_like(b2)
    for i in range(N):
        h = np.maximum(0, X[i].dot(W1) + b1)
        scores = h.dot(W2) + b2
        p = np.exp(scores) / np.sum(np.exp(scores))
        dscores = p - y[i]
        grads["W2"] += np.outer(h, dscores)
        grads["b2"] += dscores
        dh = dscores.dot(W2.T)
        dh[h <= 0] = 0
        grads["W1"] += np.outer(X[i], dh)
        grads["b1"] += dh
    grads["W1"] /= N
    grads["b1"] /= N
    grads["W2"] /= N
    grads["b2"] /= N
    return grads
"""
COLUMNS = """\
def grads(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    dW1 = np.zeros(W1.shape)
    db1 = np.zeros(b1.shape)
    dW2 = np.zeros(W2.shape)
    db2 = np.zeros(b2.shape)
    for i in range(m):
        x = X[:, i:i+1]
        y = Y[:, i:i+1]
        a1 = np.tanh(W1 @ x + b1)
        a2 = sigmoid(W2 @ a1 + b2)
        dz2 = a2 - y
        dW2 += dz2 @ a1.T
        db2 += dz2
        dz1 = W2.T @ dz2 * (1 - a1 ** 2)
        dW1 += dz1 @ x.T
        db1 += dz1
    dW1 /= m
    db1 /= m
    dW2 /= m
    db2 /= m
    return dW1, db1, dW2, db2
"""
SUMS = """\
m = len(X)
Delta1 = np.zeros((7, 3))
Delta2 = np.zeros((2, 7))
for t in range(m):
    a0 = X[t, :]
    a1 = sigmoid(W1.dot(a0) + b1)
    a2 = sigmoid(W2.dot(a1) + b2)
    delta2 = (a2 - y[t]) * a2 * (1 - a2)
    delta1 = W2.T.dot(delta2) * a1 * (1 - a1)
    Delta2 = Delta2 + np.outer(delta2, a1)
    Delta1 = Delta1 + np.outer(delta1, a0)
W1_grad = Delta1 / m
W2_grad = Delta2 / m
"""
RIGHT = [
    (TANH_LINEAR, BY_NUMBER),
    (SIGMOID_SQUARES, NABLA),
    (RELU_CLASSES, GRADS),
    (TANH_BINARY, COLUMNS),
    (SIGMOID_SQUARES, SUMS),
]
OVERWRITTEN = [
    (TANH_LINEAR, BY_NUMBER, "dW1 += np.outer", "dW1 = np.outer"),
    (TANH_LINEAR, BY_NUMBER, "db1 += d1", "db1 = d1"),
    (SIGMOID_SQUARES, NABLA, "nabla_w[-2] += np", "nabla_w[-2] = np"),
    (SIGMOID_SQUARES, NABLA, "nabla_b[-1] +=", "nabla_b[-1] ="),
    (RELU_CLASSES, GRADS, 'grads["W1"] += np.outer(X[i], dh)', 'grads["W1"] = np.outer(X[i], dh)'),
    (TANH_BINARY, COLUMNS, "dW1 += dz1", "dW1 = dz1"),
    (SIGMOID_SQUARES, SUMS, "Delta1 = Delta1 + np", "Delta1 = np"),
]
OTHERS = [
    (TANH_LINEAR, BY_NUMBER, "(1 - a1**2)", "(1 - a1)"),
    (TANH_LINEAR, BY_NUMBER, "d2 = z2 - y", "d2 = y - z2"),
    (TANH_LINEAR, BY_NUMBER, "dW2 += np.outer(d2, a1)", "dW2 += np.outer(d2, z1)"),
    (SIGMOID_SQUARES, NABLA, "* sigmoid_prime(z1)", "* a1"),
    (SIGMOID_SQUARES, NABLA, "(a2 - y) *", "(y - a2) *"),
    (SIGMOID_SQUARES, NABLA, "np.outer(delta, a1)", "np.outer(delta, z1)"),
    (RELU_CLASSES, GRADS, "dh[h <= 0] = 0", "dh[h > 0] = 0"),
    (RELU_CLASSES, GRADS, "dscores = p - y[i]", "dscores = p + y[i]"),
    (RELU_CLASSES, GRADS, "np.outer(h, dscores)", "np.outer(scores, dscores)"),
    (TANH_BINARY, COLUMNS, "(1 - a1 ** 2)", "(1 + a1 ** 2)"),
    (TANH_BINARY, COLUMNS, "W2.T @ dz2 *", "W2.T @ dz2 +"),
    (TANH_BINARY, COLUMNS, "db2 += dz2", "db2 += dz2 / m"),
    (TANH_BINARY, COLUMNS, "dz2 = a2 - y", "dz2 = y - a2"),
    (SIGMOID_SQUARES, SUMS, "a1 * (1 - a1)", "a1"),
    (SIGMOID_SQUARES, SUMS, "a2 * (1 - a2)", "(1 - a2)"),
    (SIGMOID_SQUARES, SUMS, "np.outer(delta1, a0)", "np.outer(delta1, a1)"),
]


def first_wrong(network, text, old, new):
    """The report and the number of the planted line; no other line is accused."""
    wrong, line = planted(text, old, new)
    report = diagnose_code(wrong, run_of(network))
    accused = [one for one in report.lines if one.right is False]
    assert (report.right, report.first_wrong) == (False, line), str(report)
    assert [one.number for one in accused] == [line], str(report)
    return accused[0]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("network", "text"), RIGHT)
def test_a_right_loop_is_right(network, text):
    report = diagnose_code(text, run_of(network))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("network", "text", "old", "new"), one_in(2, OVERWRITTEN))
def test_what_overwrites_the_sum_of_the_other_examples_is_named_with_its_sum(
    network, text, old, new
):
    line = first_wrong(network, text, old, new)
    path = line.text.split(" = ")[0].replace('"', "'")
    assert line.meant == line.text.replace('"', "'").replace(" = ", " += ", 1)
    assert line.sentences == (
        f"In each round {path} overwrites what the other examples gave.",
        f"Meant: {line.meant}   (+= for =)",
    )


@pytest.mark.full
@pytest.mark.parametrize(("network", "text", "old", "new"), OTHERS)
def test_the_line_of_every_other_mistake_is_named(network, text, old, new):
    first_wrong(network, text, old, new)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("(1 - a1**2)", "(1 - a1)", ("d1 is not ∂J/∂z1 of one example, shape (7,).",)),
        (
            "np.outer(d2, a1)",
            "np.outer(d2, z1)",
            (
                "dW2 is not ∂J/∂W2, shape (2, 7).",
                "Meant: dW2 += np.outer(d2, a1)   (a1 for z1)",
            ),
        ),
    ],
)
def test_why_a_line_of_the_loop_is_wrong_is_said(old, new, sentences):
    assert first_wrong(TANH_LINEAR, BY_NUMBER, old, new).sentences == sentences


def test_a_loop_over_other_things_is_not_taken_for_one_over_examples():
    text = BY_NUMBER.replace("x, y = X[i], Y[i]", "x, y = X[0], Y[0]")
    assert diagnose_code(text, run_of(TANH_LINEAR)).right is not True
