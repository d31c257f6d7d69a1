"""diagnose_code on a forward pass by itself: the right one is right, the wrong line is named."""

import pytest
from course_lines import RELU

from jacobian_bp import diagnose_code

FORWARD = """\
def forward(X, W1, b1, W2, b2):
    z1 = X @ W1 + b1
    a1 = np.maximum(0, z1)
    z2 = a1 @ W2 + b2
    probs = np.exp(z2) / np.sum(np.exp(z2), axis=1, keepdims=True)
    return probs
"""


def test_a_right_forward_pass_is_right():
    report = diagnose_code(FORWARD, RELU)
    assert (report.right, report.first_wrong) == (True, None)
    assert report.sentences == (
        "Right: 4 lines of the forward pass.",
        "Read as examples in rows, W (inputs, outputs).",
    )
    assert [line.stands_for for line in report.lines] == ["z1", "a1", "z2", "a2"]


def test_a_forward_pass_without_its_last_line_is_not_called_right():
    assert diagnose_code(FORWARD.replace("probs = np.exp(z2) /", "q = 2 *"), RELU).right is not True


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("X @ W1 + b1", "X @ W1", "b1 put in"),
        ("np.maximum(0, z1)", "np.tanh(z1)", "np.maximum(0, …) for np.tanh(z1)"),
        ("axis=1", "axis=0", "axis=1"),
        ("a1 @ W2 + b2", "a1 @ W1 + b2", "W2 for W1"),
        ("a1 @ W2 + b2", "a1 @ W2 + b1", "b2 for b1"),
        ("a1 @ W2 + b2", "z1 @ W2 + b2", "a1 for z1"),
        ("a1 @ W2 + b2", "X @ W2 + b2", "a1 for X"),
    ],
)
def test_the_wrong_forward_line_is_named_with_what_was_meant(old, new, change):
    line = next(n for n, text in enumerate(FORWARD.splitlines(), 1) if old in text)
    report = diagnose_code(FORWARD.replace(old, new), RELU)
    assert (report.right, report.first_wrong) == (False, line)
    (wrong,) = [one for one in report.lines if one.right is False]
    assert wrong.meant == FORWARD.splitlines()[line - 1].strip()
    assert wrong.sentences[-1] == f"Meant: {wrong.meant}   ({change})"


def test_a_transposed_w_contradicts_the_other_line():
    report = diagnose_code(FORWARD.replace("X @ W1 + b1", "X @ W1.T + b1"), RELU)
    assert report.right is False
    assert report.sentences[0] == "Lines 2 and 4 contradict each other."
