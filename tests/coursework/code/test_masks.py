"""A delta that is copied and then masked: the copy is a draft, and the mask is judged."""

import pytest
from backward_functions import planted, run_of

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
