"""Which line is to blame: a break told by the forward lines, a factor before a mask."""

import pytest
from backward_functions import RELU_CLASSES, STYLES, planted, run_of
from held_out_functions import STYLES as HELD_OUT

from jacobian_bp import diagnose_code

FORWARD_AND_BACK = """\
h = np.maximum(0, X.dot(self.W1) + self.b1)
scores = h.dot(self.W2) + self.b2
e = np.exp(scores - scores.max(axis=1, keepdims=True))
probs = e / e.sum(axis=1, keepdims=True)
N = X.shape[0]
dscores = probs.copy()
dscores[range(N), y] -= 1
dscores /= N
dW2 = h.T.dot(dscores)
db2 = dscores.sum(axis=0)
dh = dscores.dot(self.W2.T)
dh[h <= 0] = 0
dW1 = X.T.dot(dh)
db1 = dh.sum(axis=0)
"""
BACK = "dh = dscores.dot(self.W2.T)"


def wrong_line(text, network=RELU_CLASSES):
    report = diagnose_code(text, run_of(network))
    (line,) = [one for one in report.lines if one.right is False]
    assert (report.first_wrong, report.ask) == (line.number, None)
    return line


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("style", "old", "new"),
    [
        (STYLES["weights counted from 0"], "d_logits @ W1.T", "d_logits @ W1"),
        (HELD_OUT["in-place relu on the gradient"], "ds @ W2.T", "ds @ W2"),
        pytest.param(
            STYLES["a mask by assignment, updates in place"],
            "delta3.dot(W2.T)",
            "delta3.dot(W2)",
            marks=pytest.mark.full,
        ),
    ],
)
def test_a_weight_that_is_not_transposed_is_named_where_other_lines_tell_its_order(style, old, new):
    text, line = planted(style.text, old, new)
    found = wrong_line(text, style.network)
    assert (found.number, found.meant) == (line, found.text.replace(new, old))


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("dh", "dscores.dot(self.W2.T) / N"),
        ("d1", "-dscores.dot(self.W2.T)"),
        pytest.param("dA1", "dscores.dot(self.W2.T) / N", marks=pytest.mark.full),
    ],
)
def test_a_wrong_factor_before_a_mask_is_named_where_it_stands(name, wrong):
    text, line = planted(FORWARD_AND_BACK, BACK, f"dh = {wrong}")
    found = wrong_line(text.replace("dh", name))
    assert (found.number, found.meant) == (line, BACK.replace("dh", name))
    behind = FORWARD_AND_BACK.replace("[h <= 0] = 0\n", "[h <= 0] = 0\ndh /= N\n")
    assert wrong_line(behind.replace("dh", name)).number == line + 2


def test_what_is_meant_for_a_line_that_breaks_is_what_the_lines_after_it_need():
    text, line = planted(FORWARD_AND_BACK, BACK, "dh = dscores.dot(self.W2)")
    found = wrong_line(text)
    assert (found.number, found.stands_for, found.meant) == (line, "∂J/∂a1", BACK)
