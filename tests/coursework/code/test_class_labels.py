"""Texts that start from classes and make them one-hot themselves: Y.size is m there."""

import numpy as np
import pytest
from backward_functions import planted
from sampled import one_in

from jacobian_bp import Network, diagnose_code

NET = Network.dense([3, 7, 5], ["relu", "softmax"], "cross_entropy", seed=1)
CLASSES = np.random.default_rng(4).integers(0, 5, 11)
INPUTS = np.random.default_rng(5).standard_normal((11, 3))
RUNS = [NET.run(INPUTS, CLASSES), NET.run(INPUTS, np.eye(5)[CLASSES])]
COLUMNS = """\
def one_hot(Y):
    one_hot_Y = np.zeros((Y.size, Y.max() + 1))
    one_hot_Y[np.arange(Y.size), Y] = 1
    return one_hot_Y.T

def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    m = Y.size
    one_hot_Y = one_hot(Y)
    dZ2 = A2 - one_hot_Y
    dW2 = 1 / m * dZ2.dot(A1.T)
    db2 = 1 / m * np.sum(dZ2, 1)
    dZ1 = W2.T.dot(dZ2) * ReLU_deriv(Z1)
    dW1 = 1 / m * dZ1.dot(X.T)
    db1 = 1 / m * np.sum(dZ1, 1)
"""
ROWS = """\
m = len(Y)
one = np.eye(np.max(Y) + 1)[Y]
dZ2 = (A2 - one) / m
dW2 = A1.T @ dZ2
"""


@pytest.mark.one_in(3)
@pytest.mark.parametrize("run", RUNS, ids=["classes", "one-hot"])
@pytest.mark.parametrize("count", ["Y.size", "Y.shape[0]", "len(Y)"])
def test_the_classes_of_the_examples_are_counted(run, count):
    for text, old in ((COLUMNS, "m = Y.size"), (ROWS, "m = len(Y)")):
        report = diagnose_code(text.replace(old, f"m = {count}"), run)
        assert (report.right, report.first_wrong) == (True, None)


MISTAKES = [
    (COLUMNS, "m = Y.size", "m = X.size"),
    (COLUMNS, "m = Y.size", "m = Y.max()"),
    (COLUMNS, "m = Y.size", "m = Y.shape[1]"),
    (COLUMNS, "A2 - one_hot_Y", "one_hot_Y - A2"),
    (ROWS, "m = len(Y)", "m = len(W2)"),
    (ROWS, "A2 - one", "A2 + one"),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("run", "text", "old", "new"),
    one_in(2, [(run, *mistake) for mistake in MISTAKES for run in RUNS]),
)
def test_a_mistake_in_it_is_named(run, text, old, new):
    wrong, line = planted(text, old, new)
    report = diagnose_code(wrong, run)
    assert (report.right, report.first_wrong) == (False, line)


@pytest.mark.parametrize("run", RUNS, ids=["classes", "one-hot"])
def test_the_size_of_a_label_that_is_one_hot_already_is_no_m(run):
    text = "m = Y.size\ndZ2 = (A2 - Y) / m\ndW2 = dZ2 @ A1.T\n"
    assert diagnose_code(text, run).first_wrong == 1
    assert diagnose_code(text.replace("Y.size", "Y.shape[1]"), run).right is True
