"""diagnose_code on updates in functions that the backward one does not call."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose_code

RNG = np.random.default_rng(7)
NET = Network.dense([3, 7, 2], ["relu", "sigmoid"], "bce", seed=3)
RUN = NET.run(RNG.normal(size=(11, 3)), RNG.integers(0, 2, size=(11, 2)).astype(float))
METHODS = """\
class Net:
    def backward(self, x, y):
        d2 = (self.a2 - y) / len(y)
        d1 = (d2 @ self.W2) * (self.z1 > 0)
        self.dW2, self.dW1 = d2.T @ self.a1, d1.T @ x

    def step(self, lr):
        self.W2 -= lr * self.dW2
        self.W1 = self.W1 - lr * self.dW1
"""
FUNCTIONS = """\
def backward(X, Y, a1, a2, z1, W2):
    d2 = (a2 - Y) / len(Y)
    d1 = (d2 @ W2) * (z1 > 0)
    return {"dW2": d2.T @ a1, "dW1": d1.T @ X}

def step(W1, W2, dW1, dW2, lr):
    W2 = W2 - lr * dW2
    W1 -= lr * dW1
    return W1, W2
"""
ADAM = """\

    def step(self, lr):
        self.m = 0.9 * self.m + 0.1 * self.dW2
        self.s = 0.999 * self.s + 0.001 * self.dW2 ** 2
        self.W2 += lr * self.m / (np.sqrt(self.s) + 1e-8)
"""


@pytest.mark.parametrize(("text", "lines"), [(METHODS, 5), (FUNCTIONS, 5)])
def test_right_updates_beside_a_right_backward_are_told_with_it(text, lines):
    report = diagnose_code(text, RUN)
    assert (report.right, report.first_wrong) == (True, None)
    assert report.sentences[0] == f"Right: {lines} lines, with the gradients of W1, W2."
    assert all(line.right for line in report.lines)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (METHODS, "self.W2 -= lr", "self.W2 += lr"),
        (METHODS, "self.W1 - lr", "self.W1 + lr"),
        (FUNCTIONS, "= W2 - lr", "= W2 + lr"),
        (FUNCTIONS, "W1 -= lr", "W1 += lr"),
    ],
)
def test_an_uphill_step_beside_a_right_backward_is_named(text, old, new):
    wrong = text.replace(old, new)
    assert wrong != text
    line = next(n for n, each in enumerate(wrong.splitlines(), 1) if new in each)
    report = diagnose_code(wrong, RUN)
    assert (report.right, report.first_wrong) == (False, line)
    assert report.sentences[0] == (
        f"Line {line} is the first wrong one; 4 others are right, given its right value."
    )
    (found,) = [each for each in report.lines if each.right is False]
    of = "W2" if "W2" in new else "W1"
    assert found.sentences[0] == f"It adds ∂J/∂{of}: a step uphill."


def test_two_uphill_steps_are_both_named():
    wrong = METHODS.replace("self.W2 -= lr", "self.W2 += lr").replace(
        "self.W1 - lr", "self.W1 + lr"
    )
    assert diagnose_code(wrong, RUN).sentences[0] == (
        "Line 8 is the first wrong one; wrong by themselves are also 9; 3 others are right, given "
        "its right value."
    )


def test_a_step_that_is_not_judged_is_said_with_its_lines():
    text = METHODS[: METHODS.index("\n    def step")] + ADAM
    report = diagnose_code(text, RUN)
    assert report.right is True
    assert report.sentences[-1] == ("Not judged: step(), lines 7 to 10, which updates parameters.")
    assert [line.number for line in report.lines] == [3, 4, 5]


def test_a_step_by_what_nothing_tells_is_said_not_to_be_judged():
    text = FUNCTIONS.replace("W1, W2, dW1, dW2, lr", "W, g, lr")
    text = text.replace("W2 = W2 - lr * dW2", "for k in W:")
    text = text.replace("W1 -= lr * dW1", "    W[k] += lr * g[k]")
    report = diagnose_code(text.replace("return W1, W2", "return W"), RUN)
    assert report.right is True
    assert report.sentences[-1] == ("Not judged: step(), lines 6 to 9, which updates parameters.")


def test_a_function_without_an_update_is_left_out_without_a_word():
    text = METHODS[: METHODS.index("\n    def step")] + (
        "\n    def score(self, x, y):\n        self.total += np.mean(self.a2 == y)\n"
    )
    report = diagnose_code(text, RUN)
    assert report.right is True
    assert not any(said.startswith("Not judged") for said in report.sentences)


def test_the_function_that_is_asked_for_is_judged_alone():
    wrong = METHODS.replace("self.W2 -= lr", "self.W2 += lr")
    report = diagnose_code(wrong, RUN, function="backward")
    assert (report.right, [line.number for line in report.lines]) == (True, [3, 4, 5])
