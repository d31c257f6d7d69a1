"""Steps of training: by a dictionary of gradients, by what a call returns, after an update."""

import pytest
from backward_functions import TANH_CLASSES, planted, run_of

from jacobian_bp import diagnose_code

RUN = run_of(TANH_CLASSES)
HEAD = """\
def backward(X, y, params):
    m = X.shape[0]
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    exp = np.exp(A1 @ params["W2"] + params["b2"])
    probs = exp / exp.sum(axis=1, keepdims=True)
    dZ2 = (probs - y) / m
    dZ1 = dZ2 @ params["W2"].T * (1 - A1**2)
"""
KEYED = f"""{HEAD}\
    grads = {{}}
    grads["W2"], grads["b2"] = A1.T @ dZ2, dZ2.sum(axis=0)
    grads["W1"], grads["b1"] = X.T @ dZ1, dZ1.sum(axis=0)
    return grads


"""
STEPS = {
    "over the keys": """\
def step(params, grads, lr):
    for k in params:
        params[k] -= lr * grads[k]
""",
    "over items": """\
def step(params, grads, lr):
    for k, p in params.items():
        params[k] = p - lr * grads[k]
""",
    "over the gradients": """\
def step(params, grads, lr):
    for k, g in grads.items():
        params[k] -= lr * g
""",
    "of an object": """\
def step(self, lr):
    for k in self.params:
        self.params[k] -= lr * self.grads[k]
""",
    "in a comprehension": """\
def step(params, grads, lr):
    return {k: params[k] - lr * grads[k] for k in params}
""",
    "into a new dictionary": """\
def step(params, grads, lr):
    new = {}
    for k in params:
        new[k] = params[k] - lr * grads[k]
    return new
""",
    "in training": """\
def train(X, y, params, lr):
    for i in range(900):
        grads = backward(X, y, params)
        for k in params:
            params[k] -= lr * grads[k]
""",
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_by_a_dictionary_of_gradients_is_judged(name):
    text = KEYED + STEPS[name]
    report = diagnose_code(text, RUN)
    assert report.right is True, str(report)
    assert "Not judged" not in str(report)
    wrong = KEYED + STEPS[name].replace("- lr", "+ lr").replace("-=", "+=")
    line = [
        n
        for n, (a, b) in enumerate(zip(*map(str.splitlines, (text, wrong)), strict=True), 1)
        if a != b
    ]
    report = diagnose_code(wrong, RUN)
    assert [report.first_wrong] == line, str(report)
    assert report.lines[-1].sentences[0] == "It adds ∂J/∂W1: a step uphill."


def test_a_gradient_that_the_text_does_not_fill_is_not_taken_as_given():
    text = KEYED.replace("    return grads", "    grads['W2'] = grads['dW2']\n    return grads")
    report = diagnose_code(text, RUN)
    assert report.right is None
    assert "Not read: what grads['dW2'] is." in report.lines[-1].sentences


RETURNED = f"""{HEAD}\
    dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0)
    dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)
    return dW1, db1, dW2, db2


"""
TRAIN = """\
def train(X, y, params, W1, b1, W2, b2, lr):
    dW1, db1, dW2, db2 = backward(X, y, params)
    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
"""


def test_what_a_call_returns_is_unpacked_and_another_order_is_named():
    assert diagnose_code(RETURNED + TRAIN, RUN).right is True
    some = TRAIN.replace("dW1, db1, dW2, db2 =", "_, _, dW2, db2 =").replace(
        "    W1 -= lr * dW1\n", ""
    )
    assert diagnose_code(RETURNED + some.replace("    b1 -= lr * db1\n", ""), RUN).right is True
    text, line = planted(RETURNED + TRAIN, "dW1, db1, dW2, db2 =", "dW2, db2, dW1, db1 =")
    report = diagnose_code(text, RUN)
    assert [one.number for one in report.lines if one.right is False] == [line], str(report)
    (wrong,) = [one for one in report.lines if one.number == line]
    assert wrong.sentences == (
        "dW2 is ∂J/∂W1; it is meant to be ∂J/∂W2, shape (7, 2).",
        "Meant: dW1, db1, dW2, db2 = backward(X, y, params)   (in the order in which they are "
        "returned)",
    )


def test_what_a_call_of_another_text_returns_is_what_its_names_say_and_that_is_said():
    report = diagnose_code(TRAIN, RUN)
    assert report.right is True, str(report)
    assert report.sentences[-1] == (
        "Not in the text, and taken for what their names say: backward() as what gives dW1, dW2, "
        "db1, db2."
    )
    assert diagnose_code(TRAIN.replace("W2 -= lr", "W2 += lr"), RUN).first_wrong == 5


@pytest.mark.parametrize("pairs", ["grads", "[dW1, db1, dW2, db2]"])
def test_a_step_over_pairs_of_parameters_and_gradients_is_judged(pairs):
    text = RETURNED + TRAIN[: TRAIN.index("    W1 -=")]
    text = text.replace("dW1, db1, dW2, db2 = backward", f"{pairs.strip('[]')} = backward")
    text += f"    for p, g in zip([W1, b1, W2, b2], {pairs}):\n        p -= lr * g\n"
    assert diagnose_code(text, RUN).right is True
    report = diagnose_code(text.replace("p -= lr", "p += lr"), RUN)
    assert report.first_wrong == text.count("\n"), str(report)


LATE = """\
def train(X, y, W1, b1, W2, b2, lr):
    A1 = np.tanh(X @ W1 + b1)
    exp = np.exp(A1 @ W2 + b2)
    d2 = (exp / exp.sum(axis=1, keepdims=True) - y) / len(X)
    dW2, db2 = A1.T @ d2, d2.sum(axis=0)
    W2 -= lr * dW2
    b2 -= lr * db2
    d1 = d2 @ W2.T * (1 - A1**2)
    W1 -= lr * X.T @ d1
    b1 -= lr * d1.sum(axis=0)
"""


def test_a_line_that_reads_a_parameter_after_its_update_is_told_so():
    report = diagnose_code(LATE, RUN)
    assert [line.number for line in report.lines if line.right is False] == [8], str(report)
    (wrong,) = [line for line in report.lines if line.right is False]
    assert wrong.sentences == (
        "It reads W2, which line 6 has already updated: d1 is meant to be ∂J/∂z1, shape (5, 7), "
        "by the parameter as it was. Compute it before the update.",
    )
    moved = LATE.replace("    W2 -= lr * dW2\n    b2 -= lr * db2\n", "") + "    W2 -= lr * dW2\n"
    assert diagnose_code(moved, RUN).right is True
    other = diagnose_code(LATE.replace("(1 - A1**2)", "(1 - A1)"), RUN)
    assert "already updated" not in str(other)


BATCHES = """\
idx = np.random.permutation(len(X))
for epoch in range(10):
    for start in range(0, len(X), 32):
        batch = idx[start:start + 32]
        xb, yb = X[batch], Y[batch]
        h = np.tanh(xb @ W1 + b1)
        exp = np.exp(h @ W2 + b2)
        d = (exp / exp.sum(axis=1, keepdims=True) - yb) / len(xb)
        dh = d @ W2.T * (1 - h**2)
        W1 -= lr * xb.T @ dh
        W2 -= lr * h.T @ d
    out = np.exp(np.tanh(X @ W1 + b1) @ W2 + b2)
    loss = -np.mean(np.log((out / out.sum(axis=1, keepdims=True))[Y > 0]))
"""


def test_mini_batches_in_a_random_order_are_read_and_the_loss_after_them_is_no_cost_of_the_run():
    report = diagnose_code(BATCHES, RUN)
    assert report.right is True, str(report)
    assert "cost" not in str(report)
    assert diagnose_code(BATCHES.replace("* (1 - h**2)", ""), RUN).first_wrong == 9


def test_a_rate_may_be_an_argument_with_a_default_of_any_name():
    text = RETURNED + TRAIN.replace("lr):", "speed=0.02):").replace("lr *", "speed *")
    assert diagnose_code(text, RUN, function="train").right is True
    wrong, line = planted(text, "b1 -= speed", "b1 += speed")
    assert diagnose_code(wrong, RUN, function="train").first_wrong == line


LOOSE = """\
dZ2 = probs - y
grads = {"W2": A1.T @ dZ2 / m, "b2": dZ2.sum(axis=0) / m}
for k, g in grads.items():
    params[k] -= lr * g
"""


@pytest.mark.parametrize("step", ["params[k] -= lr * g", "params[k] = params[k] - lr * g"])
def test_a_step_over_what_the_text_has_put_into_a_dictionary_is_judged(step):
    text = LOOSE.replace("params[k] -= lr * g", step)
    report = diagnose_code(text, RUN)
    assert report.right is True, str(report)
    assert [line.right for line in report.lines if line.number == 4] == [True]
    uphill = diagnose_code(text.replace("-=", "+=").replace("- lr", "+ lr"), RUN)
    assert uphill.first_wrong == 4
    assert uphill.lines[-1].sentences[0] == "It adds ∂J/∂W2: a step uphill."


def test_a_step_in_a_loop_that_is_not_read_is_said_not_to_be_judged():
    report = diagnose_code(LOOSE.replace("grads.items()", "ordered(grads)"), RUN)
    assert report.right is True
    assert report.lines[-1].right is None
    assert report.lines[-1].sentences == (
        "Not judged: a step of training; not read: what ordered() does.",
    )


STARTED = f"""\
def train(X, y, lr):
    rng = np.random.RandomState(0)
    params = {{
        "W1": rng.normal(size=(SIZES)) * 0.1, "b1": np.zeros(41),
        "W2": np.random.randn(41, 43), "b2": np.zeros((43,)),
    }}
    m = X.shape[0]
{HEAD.partition("X.shape[0]")[2].strip(chr(10))}
    grads = {{"W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}}
    for k, g in grads.items():
        params[k] -= lr * g
""".replace("SIZES", "47, 41")


def test_what_the_parameters_start_from_is_the_run_s():
    report = diagnose_code(STARTED, RUN)
    assert report.right is True, str(report)
    assert not any(line.right is False for line in report.lines)
    zeros = STARTED.replace('"b2": dZ2.sum(axis=0)}', '"b2": np.zeros(2)}')
    line = next(n for n, text in enumerate(zeros.splitlines(), 1) if "np.zeros(2)}" in text)
    assert diagnose_code(zeros, RUN).first_wrong == line  # of a gradient nothing is a start
    uphill = diagnose_code(STARTED.replace("-= lr", "+= lr"), RUN)
    assert uphill.first_wrong == len(STARTED.splitlines())
