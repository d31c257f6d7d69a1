"""diagnose_code on a forward pass by itself: the right one is right, the wrong line is named."""

import numpy as np
import pytest
from course_lines import RELU

from jacobian_bp import Network, diagnose_code

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


LOOP = """\
def forward(X, params):
    a = X
    for l in range(1, 3):
        z = a @ params[f"W{l}"] + params[f"b{l}"]
        a = np.maximum(z, 0) if l < 2 else np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return a
"""
KEPT = """\
def forward(X, params):
    acts = [X]
    for l in range(1, 3):
        z = acts[-1] @ params[f"W{l}"] + params[f"b{l}"]
        acts.append(np.maximum(z, 0) if l < 2 else np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))
    return acts
"""
BACK = """
def backward(acts, Y, params):
    delta = (acts[-1] - Y) / len(Y)
    dW2 = acts[1].T @ delta
    dW1 = acts[0].T @ ((delta @ params["W2"].T) * (acts[1] > 0))
"""


@pytest.mark.parametrize(
    ("weight", "order"),
    [
        ('params[f"W{l}"]', "(inputs, outputs)"),
        ('params[f"W{l}"].T', "(outputs, inputs)"),
        ('params["W" + str(l)].T', "(outputs, inputs)"),
    ],
)
@pytest.mark.parametrize("text", [LOOP, KEPT])
def test_the_layout_of_a_loop_that_computes_no_derivative_is_the_one_that_numpy_takes(
    text, weight, order
):
    report = diagnose_code(text.replace('params[f"W{l}"]', weight), RELU)
    assert report.right is True, str(report)
    assert report.sentences[1] == f"Read as examples in rows, W {order}."


@pytest.mark.parametrize(
    "text", [LOOP.replace("a @ params", "X @ params"), LOOP.replace("a = X", "a = X.T")]
)
def test_a_forward_line_that_numpy_refuses_is_not_meant_to_be_a_derivative(text):
    report = diagnose_code(text, RELU)
    assert report.right is False, str(report)
    assert "∂J" not in str(report)


@pytest.mark.parametrize("more", ["", BACK])
@pytest.mark.parametrize("wrong", ["np.tanh(z)", "np.maximum(z, 0.5)"])
def test_a_wrong_activation_in_a_list_is_named_and_no_line_after_it(wrong, more):
    right = diagnose_code(KEPT + more, RELU)
    assert right.right is True, str(right)
    report = diagnose_code(KEPT.replace("np.maximum(z, 0)", wrong) + more, RELU)
    assert (report.right, report.first_wrong) == (False, 5), str(report)
    assert [one.number for one in report.lines if one.right is False] == [5]
    (line,) = [one for one in report.lines if one.number == 5]
    meant = line.text.replace(wrong, "np.maximum(0, z)")
    assert line.sentences == (
        "acts[1] is not a1, shape (11, 5).",
        f"Meant: {meant}   (np.maximum(0, …) for {wrong})",
    )


def test_a_list_that_keeps_z_and_a_has_no_activation_by_its_place():
    text = """\
def forward(X, W1, b1, W2, b2):
    kept = [X]
    kept.append(kept[-1] @ W1 + b1)
    kept.append(np.maximum(0, kept[-1]))
    z2 = kept[-1] @ W2 + b2
    probs = np.exp(z2) / np.sum(np.exp(z2), axis=1, keepdims=True)
"""
    assert diagnose_code(text, RELU).right is True


NORMAL = np.random.default_rng(5).standard_normal
DEEP = Network.dense([3, 7, 5, 2], ["tanh", "tanh", "sigmoid"], "bce", seed=1).run(
    NORMAL((11, 3)), (NORMAL((11, 2)) > 0) * 1.0
)
LOOPS = {
    "one name in a conditional": """\
def forward(X, params):
    A = X
    for l in range(1, 4):
        Z = A @ params[f"W{l}"].T + params[f"b{l}"]
        A = np.tanh(Z) if l < 3 else 1 / (1 + np.exp(-Z))
    return A
""",
    "the last layer in the return": """\
def forward(X, weights, biases):
    A = X
    for W, b in zip(weights[:-1], biases[:-1]):
        A = np.tanh(A @ W + b)
    return 1 / (1 + np.exp(-(A @ weights[-1] + biases[-1])))
""",
    "columns with a cache": """\
def model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A_prev = A
        Z = np.dot(parameters['W' + str(l)], A_prev) + parameters['b' + str(l)]
        A = np.tanh(Z)
        caches.append((A_prev, Z))
    ZL = np.dot(parameters['W' + str(L)], A) + parameters['b' + str(L)]
    AL = 1 / (1 + np.exp(-ZL))
    return AL, caches
""",
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_wrong_activation_in_a_loop_without_derivatives_is_named(name):
    assert diagnose_code(LOOPS[name], DEEP).right is True
    text = LOOPS[name].replace("np.tanh(", "np.maximum(0, ")
    report = diagnose_code(text, DEEP)
    wrong = [line for line in report.lines if line.right is False]
    assert [line.text for line in wrong] == [line for line in _lines(text) if "maximum" in line]
    assert wrong[0].meant == wrong[0].text.replace("np.maximum(0, ", "np.tanh(")
    assert wrong[0].sentences[0].startswith("A is not a1, shape (")


def _lines(text):
    return [line.strip() for line in text.splitlines()]


def test_a_missing_bias_in_a_loop_without_derivatives_is_named():
    text = LOOPS["columns with a cache"].replace(
        ", A_prev) + parameters['b' + str(l)]", ", A_prev)"
    )
    report = diagnose_code(text, DEEP)
    assert [line.number for line in report.lines if line.right is False] == [7]
    assert report.lines[3].meant == (
        "Z = np.dot(parameters['W' + str(l)], A_prev) + parameters['b' + str(l)]"
    )
