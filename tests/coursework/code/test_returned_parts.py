"""diagnose_code on what a return computes: each value is judged as a line of its own."""

import numpy as np
import pytest

from jacobian_bp import Network, SpecError, diagnose_code

RNG = np.random.default_rng(5)
NET = Network.dense([3, 7, 5, 2], ["relu", "relu", "sigmoid"], "bce", seed=3)
RUN = NET.run(RNG.normal(size=(11, 3)), RNG.integers(0, 2, size=(11, 2)).astype(float))
LINES = """\
def backward(X, Y, a1, a2, a3, z1, z2, W2, W3):
    d3 = (a3 - Y) / len(Y)
    d2 = (d3 @ W3) * (z2 > 0)
"""
FORWARD = """\
def forward(X, W1, b1, W2, b2, W3, b3):
    z1 = X @ W1.T + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2.T + b2
    a2 = np.maximum(z2, 0)
    z3 = a2 @ W3.T + b3
    return 1 / (1 + np.exp(-z3))
"""
RIGHT = [
    "d3.T @ a2, d2.T @ a1",
    "[d3.T @ a2, d2.T @ a1]",
    "{'dW3': d3.T @ a2, 'dW2': d2.T @ a1}",
    "{'W3': d3.T @ a2, 'W2': d2.T @ a1}",
    "dict(dW3=d3.T @ a2, dW2=d2.T @ a1)",
    "Gradients(d3.T @ a2, d2.T @ a1)",
    "Gradients(dW3=d3.T @ a2, dW2=d2.T @ a1)",
    "[d.T @ a for d, a in zip([d3, d2], [a2, a1])]",
    "(d3.T @ a2, [d2.T @ a1])",
]


def returning(value):
    return diagnose_code(f"{LINES}    return {value}\n", RUN)


@pytest.mark.parametrize("value", RIGHT)
def test_right_gradients_computed_in_the_return_are_right(value):
    report = returning(value)
    assert report.right is True
    assert report.sentences[0] == "Right: 3 lines, with the gradients of W2, W3."
    assert [(line.number, line.right) for line in report.lines] == [(2, True), (3, True), (4, True)]


@pytest.mark.parametrize("value", RIGHT)
def test_a_wrong_gradient_computed_in_the_return_is_named_with_what_was_meant(value):
    report = returning(value.replace("d2.T @ a1", "d2.T @ a2").replace("[a2, a1]", "[a2, a2]"))
    assert (report.right, report.first_wrong) == (False, 4)
    last = report.lines[-1]
    assert last.stands_for == "∂J/∂W2"
    assert last.meant.endswith("[a2, a1])]" if "zip" in value else "d2.T @ a1")


def test_the_message_says_which_of_the_returned_values_it_is():
    assert returning("d3.T @ a2, d2.T @ a2").lines[-1].sentences == (
        "backward()[1] is not ∂J/∂W2, shape (5, 7).",
        "Meant: d2.T @ a1   (a1 for a2)",
    )
    assert returning("{'dW2': d3.T @ a2}").lines[-1].sentences == (
        "backward()['dW2'] is not ∂J/∂W2, shape (5, 7).",
        "It is ∂J/∂W3.",
    )
    assert returning("d3.T @ a2, len(Y) * (d2.T @ a1)").lines[-1].sentences == (
        "backward()[1] is m (m = 11) times ∂J/∂W2.",
        "Meant: d2.T @ a1   (without len(Y))",
    )


def test_names_returned_under_another_gradients_key_are_wrong():
    text = LINES + "    dW3, dW2 = d3.T @ a2, d2.T @ a1\n    return {'dW3': dW3, 'dW2': dW2}\n"
    assert diagnose_code(text, RUN).right is True
    report = diagnose_code(text.replace("'dW3': dW3", "'dW2': dW3"), RUN)
    assert (report.right, report.first_wrong) == (False, 5)
    assert report.lines[-1].sentences == (
        "backward()['dW2'] is not ∂J/∂W2, shape (5, 7).",
        "It is ∂J/∂W3.",
    )


def test_what_cannot_be_placed_is_not_counted_as_right():
    report = returning("d3.T @ a2, (d2.T @ a2) ** 3")
    assert report.right is None
    assert report.lines[-1].right is None
    assert report.lines[-1].sentences[0] == "Not read: what backward()[1] stands for."
    report = returning("pack(d3.T @ a2, d2.T @ a2)")
    assert report.right is None
    assert report.sentences[0] == "Not judged: line 4 is not read."
    assert report.lines[-1].sentences[0] == "Not read: what pack() does."


def test_a_returned_loss_is_no_gradient():
    cost = "-np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / len(Y)"
    report = returning(f"{cost}, d3.T @ a2")
    assert (report.right, report.lines[-1].right) == (True, True)
    report = returning("7 * np.mean(Y), d3.T @ a2")
    assert (report.right, report.lines[-1].right) == (True, None)
    assert report.lines[-1].sentences == (
        "Not judged: backward()[0] is not the run's cost, nor a usual number times it.",
    )
    report = returning("loss(a3, Y), d3.T @ a2")
    assert (report.right, report.lines[-1].right) == (True, None)
    assert report.lines[-1].sentences == ("Not read: what loss() does.",)


@pytest.mark.parametrize("share", ["dW / m", "(1 / m) * dW", "dW * (1 / m)"])
def test_the_mean_may_come_in_the_return(share):
    text = LINES.replace(" / len(Y)", "").replace(":\n", ":\n    m = len(Y)\n", 1)
    text += "    dW3, dW2 = d3.T @ a2, d2.T @ a1\n"
    three, two = share.replace("dW", "dW3"), share.replace("dW", "dW2")
    assert diagnose_code(f"{text}    return {three}, {two}\n", RUN).right is True
    report = diagnose_code(f"{text}    return {{'dW3': {three} / m, 'dW2': {two}}}\n", RUN)
    assert (report.right, report.first_wrong) == (False, 6)
    assert report.lines[-1].sentences[0] == "dW3 is 1/m (m = 11) times ∂J/∂W3."
    assert report.lines[-1].meant in (three.replace("(1 / m) *", "1 / m *"), "dW3 / m")
    text += "    dW3 /= m\n    dW2 /= m\n"
    norm = diagnose_code(f"{text}    return dW3, dW2, np.sum(dW3 ** 2)\n", RUN)
    assert (norm.right, norm.first_wrong) == (True, None)


def test_an_update_in_the_return_is_judged_as_one():
    text = LINES + "    dW3 = d3.T @ a2\n    return W3 - lr * dW3\n"
    assert diagnose_code(text, RUN).right is True
    report = diagnose_code(text.replace("W3 - lr", "W3 + lr"), RUN)
    assert (report.right, report.first_wrong) == (False, 5)
    assert report.lines[-1].sentences == (
        "It adds ∂J/∂W3: a step uphill.",
        "Meant: W3 - lr * dW3   (- for +)",
    )


def test_a_forward_pass_may_compute_its_output_in_the_return():
    report = diagnose_code(FORWARD, RUN)
    assert (report.right, report.sentences[0]) == (True, "Right: 6 lines of the forward pass.")
    called = FORWARD.replace("1 / (1 + np.exp(-z3))", "sigmoid(z3), (z1, a1)")
    assert diagnose_code(called, RUN).right is True
    report = diagnose_code(FORWARD.replace("np.exp(-z3)", "np.exp(z3)"), RUN)
    assert (report.right, report.first_wrong) == (False, 7)
    assert report.lines[-1].sentences[0] == "forward() is not a3, shape (11, 2)."
    assert report.lines[-1].meant == "1 / (1 + np.exp(-z3))"


def test_a_wrong_output_in_the_return_of_the_forward_beside_a_backward_is_named():
    text = FORWARD.replace("np.exp(-z3)", "np.exp(z3)") + LINES + "    return d3.T @ a2\n"
    assert diagnose_code(text, RUN).first_wrong == 7


def test_a_yield_is_refused():
    with pytest.raises(SpecError) as caught:
        diagnose_code(LINES + "    yield d3.T @ a2\n", RUN)
    assert str(caught.value) == "diagnose_code: line 4: yield is not read.\n  Write return."
