"""Updates of parameters: any rate, unpacked weights, penalties; what is read after one."""

from textwrap import indent

import pytest
from backward_functions import TANH_CLASSES, TANH_LINEAR, planted, run_of

from jacobian_bp import diagnose_code

UPDATES = [  # each with the numbers of let
    ("W2 -= 0.1 * dW2", None),
    ("W2 -= dW2 * 0.1", None),
    ("W2 -= dW2 / 10", None),
    ("W2 = W2 - 0.3 * 2 * dW2", None),
    ("W2 += -0.1 * dW2", None),
    ("W2 -= 0.1 * (dW2 + reg * W2)", None),
    ("W2 -= lr * dW2", {"lr": 0.1}),
    ("W2 -= speed * dW2", {"speed": 0.1}),
    ("lr = 0.1\nW2 -= lr * dW2", None),
    ("speed = 1 / 7\nparams['W2'] = params['W2'] - speed * dW2", None),
    ("params['W2'] = W2 - 0.1 * dW2", None),
]
WRONG = [
    ("-= 0.1 * dW2", "+= 0.1 * dW2"),
    ("-= 0.1 * dW2", "-= -0.1 * dW2"),
    ("-= 0.1 * dW2", "-= 0 * dW2"),
    ("-= 0.1 * dW2", "-= 0.1 * W2"),
    ("W2 -= 0.1", "W1 -= 0.1"),
    ("-= 0.1 * dW2", "-= 0.1 / m * dW2"),
]
GRADIENT = "m = len(X)\ndZ2 = (A2 - Y) / m\ndW2 = A1.T @ dZ2\n"


@pytest.mark.parametrize(("update", "let"), UPDATES)
def test_an_update_by_the_gradient_is_right_at_any_positive_rate(update, let):
    run = run_of(TANH_LINEAR)
    assert diagnose_code(GRADIENT + update, run, let=let).right is True
    wrong = update.replace("- ", "+ ").replace("-=", "+=").replace("+= -", "-= -")
    line = (GRADIENT + wrong).count("\n") + 1
    report = diagnose_code(GRADIENT + wrong, run, let=let)
    assert (report.right, report.first_wrong) == (False, line)


@pytest.mark.parametrize(("old", "new"), WRONG)
def test_an_update_by_anything_else_is_wrong_at_any_rate(old, new):
    text, line = planted(GRADIENT + "W2 -= 0.1 * dW2", old, new)
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.first_wrong) == (False, line)


UNPACKED = """\
def step(params, X, y, num_examples):
    W1, b1, W2, b2 = params['W1'], params['b1'], params['W2'], params['b2']
    z1 = X.dot(W1) + b1
    a1 = np.tanh(z1)
    z2 = a1.dot(W2) + b2
    exp_scores = np.exp(z2)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    delta3 = probs
    delta3[range(num_examples), y] -= 1
    delta3 /= num_examples
    dW2 = (a1.T).dot(delta3)
    db2 = np.sum(delta3, axis=0, keepdims=True)
    delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))
    dW1 = np.dot(X.T, delta2)
    db1 = np.sum(delta2, axis=0)
    dW2 += reg_lambda * W2
    dW1 += reg_lambda * W1
    W1 += -epsilon * dW1
    b1 += -epsilon * db1
    W2 += -epsilon * dW2
    b2 += -epsilon * db2
    model = {'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}
    params['W2'] = W2
"""
PENALTY = "    dW2 += reg_lambda * W2\n    dW1 += reg_lambda * W1\n"
HEAD, ROUND = UNPACKED.split("    z1 = ", 1)
TRAINED = f"{HEAD}    for i in range(40):\n" + indent("    z1 = " + ROUND, "    ")
MISTAKES = [
    ("W1 += -epsilon", "W1 += epsilon"),
    ("-epsilon * dW1", "-epsilon * dW2"),
    ("-epsilon * db1", "-epsilon * b1"),
    ("(1 - np.power(a1, 2))", "(1 - np.power(z1, 2))"),
]


@pytest.mark.parametrize(
    "text",
    [
        UNPACKED,
        pytest.param(UNPACKED.replace(PENALTY, ""), marks=pytest.mark.full),
        pytest.param(TRAINED, marks=pytest.mark.full),
    ],
)
def test_unpacked_weights_may_be_updated_with_a_penalty_and_without(text):
    run = run_of(TANH_CLASSES)
    report = diagnose_code(text, run)
    assert (report.right, report.first_wrong) == (True, None)
    for old, new in MISTAKES:
        wrong, line = planted(text, old, new)
        report = diagnose_code(wrong, run)
        assert (report.right, report.first_wrong) == (False, line), new


def test_a_penalty_is_the_same_whether_an_update_adds_or_takes_away():
    run, said = run_of(TANH_CLASSES), "reg_lambda * W is added to the gradients of "
    assert any(s.startswith(said) for s in diagnose_code(UNPACKED, run).sentences)
    text, line = planted(UNPACKED, "dW1 += reg_lambda", "dW1 -= reg_lambda")
    report = diagnose_code(text, run)
    assert (report.right, report.first_wrong) == (False, line)


def test_what_is_read_after_an_update_is_the_updated_value():
    early = "W2 -= 0.1 * dW2\ndZ1 = dZ2 @ W2.T * (1 - A1**2)\ndW1 = X.T @ dZ1\n"
    late = "dZ1 = dZ2 @ W2.T * (1 - A1**2)\nW2 -= 0.1 * dW2\ndW1 = X.T @ dZ1\n"
    run = run_of(TANH_LINEAR)
    assert diagnose_code(GRADIENT + late, run).right is True
    report = diagnose_code(GRADIENT + early, run)
    assert (report.right, report.first_wrong) == (False, 5)
