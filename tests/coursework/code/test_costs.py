"""The lines of a cost: a wrong sign is named; a cost of another kind is not called right."""

import public_layers
import pytest
from backward_functions import RELU_CLASSES, TANH_BINARY, TANH_LINEAR, planted, run_of
from layers_read import STYLES as READ

from jacobian_bp import diagnose_code

SQUARES = """\
m = len(X)
{}
dZ2 = (A2 - Y) / m
dW2 = A1.T @ dZ2
"""
BINARY = """\
m = X.shape[1]
{}
dZ2 = (A2 - Y) / m
dW2 = dZ2 @ A1.T
"""
IN_A_LOOP = """\
def loss(self, X, y, W1, b1, W2, b2):
    N = len(X)
    loss, dW2 = 0.0, np.zeros_like(W2)
    for i in range(N):
        scores = np.maximum(0, X[i].dot(W1) + b1).dot(W2) + b2
        p = np.exp(scores) / np.sum(np.exp(scores))
        loss += -np.log(p[y[i]])
        dW2 += np.outer(np.maximum(0, X[i].dot(W1) + b1), p - y[i])
    loss /= N
    dW2 /= N
    return loss, dW2
"""
RIGHT = [
    (SQUARES, "J = 0.5 * np.sum((A2 - Y)**2) / m"),
    (SQUARES, "self.loss = np.mean(np.square(Y - A2))"),
    (SQUARES, "losses = 0.5 * np.sum((A2 - Y)**2, axis=1)"),
    (BINARY, "cost = -np.sum(Y * np.log(A2 + 1e-8) + (1 - Y) * np.log(1 - A2)) / m"),
    (
        BINARY,
        "loss = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))\nloss += reg * np.sum(W2**2)",
    ),
]
WRONG = [  # what it is, the change by which it is right
    (
        BINARY,
        "self.loss = np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))",
        "self.loss is minus the run's cost.",
        "self.loss = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))",
    ),
    (
        BINARY,
        "cost = -np.sum(Y * np.log(A2) - (1 - Y) * np.log(1 - A2)) / m",
        "cost is not the run's cost, nor a usual number times it.",
        "cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m",
    ),
    (
        SQUARES,
        "J = -np.sum((A2 - Y)**2)",
        "J is −10 times the run's cost.",
        "J = np.sum((A2 - Y) ** 2)",
    ),
    (
        SQUARES,
        "losses = np.sum((A2 + Y)**2, axis=1)",
        "losses is not the loss of each example, nor a usual number times it.",
        "losses = np.sum((A2 - Y) ** 2, axis=1)",
    ),
]


def run_for(text):
    return run_of(TANH_BINARY if text is BINARY else TANH_LINEAR)


@pytest.mark.parametrize(("text", "cost"), RIGHT)
def test_a_cost_as_often_as_a_course_may_write_it_is_right(text, cost):
    report = diagnose_code(text.format(cost), run_for(text))
    assert report.right is True
    assert (report.lines[1].right, report.lines[1].stands_for) == (True, "the cost")


@pytest.mark.parametrize(("text", "cost", "says", "meant"), WRONG)
def test_a_cost_that_is_another_one_by_one_change_is_named(text, cost, says, meant):
    run = run_for(text)
    report = diagnose_code(text.format(cost), run)
    assert (report.right, report.first_wrong) == (False, 2)
    assert (report.lines[1].sentences[0], report.lines[1].meant) == (says, meant)
    assert diagnose_code(text.format(meant), run).right is True


@pytest.mark.parametrize(
    ("text", "cost"),
    [(SQUARES, "loss = np.mean(np.abs(A2 - Y))"), (BINARY, "cost = -np.mean(Y * np.log(A2))")],
)
def test_another_cost_is_neither_right_nor_accused_and_that_is_said(text, cost):
    report = diagnose_code(text.format(cost), run_for(text))
    name = cost.split(" ")[0]
    assert (report.right, report.lines[1].right) == (True, None)
    assert report.lines[1].sentences == (
        f"Not judged: {name} is not the run's cost, nor a usual number times it.",
    )


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("loss += -np", "loss += np", "loss += -np.log(p[y[i]])"),
        ("loss += -np", "loss = -np", "loss += -np.log(p[y[i]])"),
    ],
)
def test_the_line_of_a_loop_that_adds_a_cost_up_is_named(old, new, meant):
    run = run_of(RELU_CLASSES)
    assert diagnose_code(IN_A_LOOP, run).right is True
    text, line = planted(IN_A_LOOP, old, new)
    accused = [one for one in diagnose_code(text, run).lines if one.right is False]
    assert [(one.number, one.meant) for one in accused] == [(line, meant)]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("style", [public_layers.STYLES["layers in an ordered dictionary"]])
def test_a_cost_whose_function_stands_elsewhere_is_not_judged(style):
    report = diagnose_code(style.text, run_of(style.network))
    (line,) = [one for one in report.lines if one.text.startswith("self.loss =")]
    assert (report.right, line.right) == (True, None)
    assert line.sentences == ("Not read: what cross_entropy_error() does. It is taken as right.",)


def test_the_line_of_the_function_that_is_called_is_named():
    style = READ["named layers of a net"]
    text, line = planted(style.text, "return -np.sum", "return np.sum")
    report = diagnose_code(text, run_of(style.network))
    (accused,) = [one for one in report.lines if one.right is False]
    assert (report.first_wrong, accused.number) == (line, line)
    assert accused.sentences[0] == "By it loss in line 47 is minus the run's cost."
