"""What is said to be meant has the shape of what it is meant to be."""

import pytest
from backward_functions import RELU_CLASSES, planted, run_of

from jacobian_bp import diagnose_code

COLUMNS = """
def backward(X, Y, A1, A2, W2):
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (A1 > 0)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2
"""
ROWS = """
def backward(X, Y, A1, A2, W2):
    m = X.shape[0]
    dZ2 = A2 - Y
    dW2 = A1.T @ dZ2 / m
    db2 = np.sum(dZ2, axis=0, keepdims=True) / m
    dZ1 = dZ2 @ W2.T * (A1 > 0)
    dW1 = X.T @ dZ1 / m
    db1 = np.sum(dZ1, axis=0, keepdims=True) / m
    return dW1, db1, dW2, db2
"""


@pytest.mark.parametrize(("text", "right", "wrong"), [(COLUMNS, 1, 0), (ROWS, 0, 1)])
@pytest.mark.parametrize("layer", [1, 2])
def test_the_sum_over_the_examples_of_a_bias_is_meant_along_their_axis(text, right, wrong, layer):
    keeps = f"np.sum(dZ{layer}, axis={{}}, keepdims=True) / m"
    changed, line = planted(text, keeps.format(right), keeps.format(wrong))
    report = diagnose_code(changed, run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (False, line), str(report)
    (said,) = [one for one in report.lines if one.number == line]
    assert said.meant == f"db{layer} = {keeps.format(right)}"
