"""Where the 1/m of a mean stands: what a convention says of it, to arrays, lines and functions."""

import numpy as np
import pytest
from network_cases import run_of

from jacobian_bp import Convention, diagnose, diagnose_code, diagnose_line

RUN = run_of([7, 5, 3], 11, ["tanh", "softmax"], "cross_entropy")
GRADIENTS = RUN.gradients()
DELTA = RUN.jacobian("J", "z2").materialise()
M = len(RUN["x"])
TEXT = """dZ2 = (A2 - Y){delta}
dW2 = dZ2.T @ A1{gradient}
db2 = dZ2.sum(axis=0){gradient}
dZ1 = dZ2 @ W2 * (1 - A1**2)
dW1 = dZ1.T @ X{gradient}
db1 = dZ1.sum(axis=0){gradient}
"""
WRITTEN = {
    "delta": {"delta": " / m", "gradient": ""},
    "gradient": {"delta": "", "gradient": " / m"},
}


def verdicts(said, way):
    """Of the arrays, of both lines, and of the text, all written in one way."""
    convention = Convention(mean=said)
    delta = DELTA * (M if way == "gradient" else 1)
    arrays = diagnose(RUN, {"z2": delta, "W2": GRADIENTS["W2"]}, convention=convention)
    lines = TEXT.format(**WRITTEN[way]).splitlines()[:2]
    read = [diagnose_line(line, RUN, convention=convention).right for line in lines]
    text = diagnose_code(TEXT.format(**WRITTEN[way]), RUN, convention=convention).right
    return [arrays.ok, all(read), text]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("said", [None, "delta", "gradient"])
def test_what_is_said_holds_and_what_is_not_said_is_read(said, way):
    """A whole function is judged by its gradients, which are right in both ways."""
    right = said in (None, way)
    assert verdicts(said, way) == [right, right, True]
    text = TEXT.format(**WRITTEN[way]).replace("A1", "A1 / m" if way == "delta" else "A1 * m", 1)
    assert diagnose_code(text, RUN, convention=Convention(mean=said)).right is False


def test_without_a_convention_either_is_read_too():
    for way, written in WRITTEN.items():
        text = TEXT.format(**written)
        assert diagnose_code(text, RUN).right is True, way
        assert all(diagnose_line(line, RUN).right for line in text.splitlines()), way


def test_what_a_penalty_adds_is_said_as_it_is_written():
    text = TEXT.format(**WRITTEN["delta"])
    for written, said in [
        ("lam / m", "1/m * lam"),
        ("lam / 11", "1/m * lam"),
        ("2 * lam / m", "2/m * lam"),
        ("lam / (2 * m)", "1/(2m) * lam"),
        ("0.5 * lam", "1/2 * lam"),
        ("lam", "lam"),
    ]:
        lines = text.replace("@ A1", f"@ A1 + {written} * W2")
        report = diagnose_code(lines.replace("@ X", f"@ X + {written} * W1"), RUN)
        sentence = f"{said} * W is added to the gradients of W2, W1: a cost with lam."
        assert sentence in report.sentences, str(report)
    other = text.replace("@ A1", "@ A1 + lam / m * W2").replace("@ X", "@ X + lam * W1")
    sentence = "lam * W1 is added 1 times, lam * W2 1/m times."
    assert sentence in str(diagnose_code(other, RUN))


def test_a_convention_that_does_not_say_it_is_the_package_s_own():
    assert Convention() == Convention("rows", "out,in", None)
    assert not Convention().says_axes
    assert not Convention(mean="delta").says_axes
    assert str(Convention()) == str(Convention(mean="delta"))
    one = run_of([3, 2], 5)
    assert one.derivation(Convention()).text() == one.derivation(Convention(mean="delta")).text()
    assert np.array_equal(one["x"], one["x"])
