"""Updates of parameters: any rate, unpacked weights, penalties; what is read after one."""

from textwrap import indent

import pytest
from backward_functions import TANH_CLASSES, TANH_LINEAR, planted, run_of

from jacobian_bp import Convention, diagnose_code

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


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("update", "let"), UPDATES)
def test_an_update_by_the_gradient_is_right_at_any_positive_rate(update, let):
    run = run_of(TANH_LINEAR)
    assert diagnose_code(GRADIENT + update, run, let=let).right is True
    wrong = update.replace("- ", "+ ").replace("-=", "+=").replace("+= -", "-= -")
    line = (GRADIENT + wrong).count("\n") + 1
    report = diagnose_code(GRADIENT + wrong, run, let=let)
    assert (report.right, report.first_wrong) == (False, line)


@pytest.mark.one_in(3)
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
    ("text", "mistakes"),
    [
        (UNPACKED, MISTAKES[:1]),
        pytest.param(UNPACKED, MISTAKES[1:], marks=pytest.mark.full),
        pytest.param(UNPACKED.replace(PENALTY, ""), MISTAKES, marks=pytest.mark.full),
        pytest.param(TRAINED, MISTAKES, marks=pytest.mark.full),
    ],
)
def test_unpacked_weights_may_be_updated_with_a_penalty_and_without(text, mistakes):
    run = run_of(TANH_CLASSES)
    report = diagnose_code(text, run)
    assert (report.right, report.first_wrong) == (True, None)
    for old, new in mistakes:
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


NABLA = """\
def step(self, y, eta, lmbda, n):
    delta = (activations[-1] - y) / n
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    nabla_w[-1] = np.dot(delta.T, activations[-2])
    delta = np.dot(delta, self.weights[-1]) * (1 - activations[-2] ** 2)
    nabla_w[-2] = np.dot(delta.T, activations[-3])
    self.weights = [(1-eta*(lmbda/n))*w-eta*nw for w, nw in zip(self.weights, nabla_w)]
"""
SHRINKING = [
    "W2 -= lr * dW2\nW2 -= lr * reg * W2",
    "W2 -= lr * reg * W2\nW2 -= lr * dW2",
    "W2 *= 1 - lr * reg\nW2 -= lr * dW2",
    "W2 = (1 - lr * reg / m) * W2 - lr * dW2",
    "W2 = W2 * (1 - 0.1 * reg) - 0.1 * dW2",
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("update", SHRINKING)
def test_a_penalty_may_be_taken_off_in_an_update_of_its_own(update):
    run = run_of(TANH_LINEAR)
    report = diagnose_code(GRADIENT + update, run)
    assert report.right is True
    assert "reg * W is added to the gradients of W2" in report.sentences[-1]
    update = update.replace("-= lr * reg", "+= lr * reg").replace("1 -", "1 +")
    report = diagnose_code(GRADIENT + update, run)
    (wrong,) = [line for line in report.lines if line.right is False]
    assert (report.first_wrong, "reg" in wrong.text) == (wrong.number, True)
    assert wrong.sentences == ("What reg adds has the other sign than reg * W2.",)


def test_a_number_that_shrinks_weights_is_no_penalty():
    report = diagnose_code(GRADIENT + "W2 = 0.9 * W2 - lr * dW2", run_of(TANH_LINEAR))
    assert (report.right, report.first_wrong) == (False, 4)


def test_a_list_of_weights_is_updated_layer_by_layer():
    run = run_of(TANH_LINEAR)
    report = diagnose_code(NABLA, run)
    assert report.right is True
    assert report.sentences[-1].endswith("added to the gradients of W1, W2: a cost with lmbda.")
    text, line = planted(NABLA, "(1-eta", "(1+eta")
    assert diagnose_code(text, run).first_wrong == line


@pytest.mark.full
@pytest.mark.parametrize(("old", "new"), [("*w-eta", "*w+eta"), ("eta*nw", "eta*w")])
def test_a_mistake_in_the_update_of_a_list_of_weights_is_named(old, new):
    text, line = planted(NABLA, old, new)
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.first_wrong) == (False, line)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("rounds", ["5000", "10**12", "2**52 * 2**52"])
def test_of_a_long_loop_as_many_rounds_are_read_as_differ(rounds):
    text = f"for epoch in range({rounds}):\n" + indent(GRADIENT + "W2 -= 0.1 * dW2\n", "    ")
    run = run_of(TANH_LINEAR)
    assert diagnose_code(text, run).right is True
    for lines in (text, text.replace("    W2 -= 0.1 * dW2\n", "")):
        wrong, line = planted(lines, "A1.T @ dZ2", "-A1.T @ dZ2")
        report = diagnose_code(wrong, run)
        assert (report.right, report.first_wrong) == (False, line)


def test_a_gradient_of_a_layer_that_there_is_not_is_wrong_and_what_it_is_is_said():
    run, delta = run_of(TANH_LINEAR), "d2 = (a2 - y) / m\n"
    plain, from_0 = Convention(weights="in,out"), Convention(weights="in,out", first=0)
    for convention, text, says in (
        (
            None,
            "dW7 = a1.T @ d2",
            ("dW7 is of no layer: the weights are W1, W2.", "This is ∂J/∂W2: write dW2."),
        ),
        (
            plain,
            "dW0 = a1.T @ d2",
            ("dW0 is of no layer: the weights are W1, W2.", "This is ∂J/∂W2: write dW2."),
        ),
        (None, "dW0 = a1.T @ d2", ("dW0 is not ∂J/∂W1, shape (3, 7).", "It is ∂J/∂W2.")),
    ):
        report = diagnose_code(delta + text, run, convention)
        assert (report.right, report.first_wrong) == (False, 2)
        assert report.lines[1].sentences == says
    right = "d1 = (a1 - y) / m\ndW1 = a0.T @ d1\n"
    assert diagnose_code(right, run, from_0).right is True
    report = diagnose_code(right.replace("dW1", "dW0"), run, from_0)
    assert report.lines[1].sentences == ("dW0 is not ∂J/∂W0, shape (3, 7).", "It is ∂J/∂W1.")


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("update", "says"),
    [
        ("W2 += 0.1 * dW2", "It adds ∂J/∂W2: a step uphill."),
        ("W2 -= -0.1 * dW2", "It takes off −1 times ∂J/∂W2: a step uphill."),
        ("W2 = W2 + 0.1 * m * dW2", "It adds m (m = 5) times ∂J/∂W2: a step uphill."),
    ],
)
def test_an_update_of_the_other_sign_is_said_to_go_uphill(update, says):
    report = diagnose_code(GRADIENT + update, run_of(TANH_LINEAR))
    assert report.lines[-1].sentences[0] == says
