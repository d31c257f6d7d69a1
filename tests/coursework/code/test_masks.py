"""A delta that is copied and then masked: the copy is a draft, and the mask is judged."""

import pytest
from backward_functions import RELU_CLASSES, planted, run_of

from jacobian_bp import diagnose_code

NETWORK = ([3, 7, 11, 2], ["relu", "relu", "softmax"], "cross_entropy")
TEXT = """\
dZ3 = (A3 - Y) / len(X)
dW3 = A2.T @ dZ3
dZ2 = np.array(dZ3 @ W3.T, copy=True)
dZ2[Z2 <= 0] = 0
dW2 = A1.T @ dZ2
dZ1 = np.array(dZ2 @ W2.T, copy=True)
dZ1[Z1 <= 0] = 0
dW1 = X.T @ dZ1
"""


def test_a_copy_that_is_masked_is_right():
    assert diagnose_code(TEXT, run_of(NETWORK)).right is True


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("old", "new"),
    [("dZ1[Z1", "dZ1[Z2"), ("dZ2[Z2", "dZ2[Z1"), ("A3 - Y", "Y - A3")],
)
def test_the_line_of_a_mistake_is_named(old, new):
    text, line = planted(TEXT, old, new)
    report = diagnose_code(text, run_of(NETWORK))
    assert (report.right, report.first_wrong) == (False, line)


COLUMNS = """\
def backward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    A2 = softmax(W2 @ A1 + b2)
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    dA1 = W2.T @ dZ2
    dA1[Z1 <= 0] = 0
    dW1 = dA1 @ X.T / m
    db1 = np.sum(dA1, axis=1, keepdims=True) / m
"""


@pytest.mark.parametrize("name", ["dA1", "dhidden", "delta"])
@pytest.mark.parametrize(
    "mask", ["{}[{} <= 0] = 0", "{} = {} * (dA2 > 0)", "{} = np.maximum(0, {})"]
)
def test_a_mask_by_what_is_masked_is_named_itself_and_not_the_line_that_reads_it(name, mask):
    text = COLUMNS.replace("dA1", name)
    wrong = mask.format(name, name).replace("dA2", name)
    text, line = planted(text, f"{name}[Z1 <= 0] = 0", wrong)
    report = diagnose_code(text, run_of(RELU_CLASSES))
    accused = {one.number: one.sentences[0] for one in report.lines if one.right is False}
    assert accused == {line: f"{name} is not ∂J/∂z1, shape (7, 5)."}, str(report)
    assert "Read with a for the pre-activation and z for the activation." not in report.sentences
