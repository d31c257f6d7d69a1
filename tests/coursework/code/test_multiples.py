"""diagnose_code says that a value is a multiple where that proves something, not by chance."""

import pytest
from network_cases import run_of

from jacobian_bp import Convention, diagnose_code

ONE_UNIT = run_of([7, 5, 1], 11, ["relu", "sigmoid"], "bce")
TEXT = """\
def backward(X, Y, W2, A1, A2):
    m = Y.shape[1]
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
"""


def said_of(line):
    """What is said of a line in the place of the last."""
    text = TEXT.replace("np.sum(dZ2, axis=1, keepdims=True)", line)
    report = diagnose_code(text, ONE_UNIT)
    assert (report.right, report.first_wrong) == (False, 5), str(report)
    (wrong,) = [one for one in report.lines if one.right is False]
    return wrong.sentences


def test_the_right_text_is_right():
    assert diagnose_code(TEXT, ONE_UNIT).right is True


@pytest.mark.parametrize("line", ["np.max(dZ2)", "np.sum(A2)", "np.sum(dZ2 * A2)", "W2[0, 0]"])
def test_one_number_is_no_multiple_of_another(line):
    assert said_of(line)[0] == "db2 is not ∂J/∂b2, shape (1, 1)."
    assert "times" not in " ".join(said_of(line))


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("0.3 * np.sum(dZ2)", "0.3"),
        ("np.sum(dZ2) / 3", "0.333333"),
        ("np.sum(dZ2) / m", "1/m (m = 11)"),
        ("2 * np.sum(dZ2) / m", "0.181818"),
        ("-np.sum(dZ2)", "−1"),
    ],
)
def test_a_number_of_the_text_is_a_factor_of_one_number_too(line, times):
    assert said_of(line)[0] == f"db2 is {times} times ∂J/∂b2."


def test_many_entries_are_a_multiple_by_any_number():
    text = TEXT.replace("dZ2 @ A1.T", "0.123456789 * dZ2 @ A1.T")
    report = diagnose_code(text, ONE_UNIT, Convention("columns", "out,in"))
    (wrong,) = [one for one in report.lines if one.right is False]
    assert wrong.sentences[0] == "dW2 is 0.123457 times ∂J/∂W2."
