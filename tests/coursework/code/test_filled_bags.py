"""Dictionaries of any name: of gradients by what is put there, of parameters under another name."""

import pytest
from backward_functions import TANH_CLASSES, planted, run_of

from jacobian_bp import diagnose_code

RUN = run_of(TANH_CLASSES)
TEXT = """\
def backward(X, Y, params):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    E = np.exp(A1 @ params["W2"] + params["b2"])
    P = E / E.sum(axis=1, keepdims=True)
    dZ2 = (P - Y) / len(X)
    g = {}
    g["W2"], g["b2"] = A1.T @ dZ2, dZ2.sum(axis=0)
    dZ1 = dZ2 @ params["W2"].T * (1 - A1 ** 2)
    g["W1"], g["b1"] = X.T @ dZ1, dZ1.sum(axis=0)
    return g


def train(X, Y, params, lr):
    g = backward(X, Y, params)
    params["W1"] -= lr * g["W1"]
    params["b1"] -= lr * g["b1"]
    params["W2"] -= lr * g["W2"]
    params["b2"] -= lr * g["b2"]
"""
SHORT = """\
def loss(self, X, Y):
    p = self.params
    h = np.tanh(X @ p["W1"] + p["b1"])
    s = np.exp(h @ p["W2"] + p["b2"])
    d = (s / s.sum(axis=1, keepdims=True) - Y) / len(X)
    dh = d @ p["W2"].T * (1 - h * h)
    g = self.grads
    g["W2"], g["b2"] = h.T @ d, d.sum(axis=0)
    g["W1"], g["b1"] = X.T @ dh, dh.sum(axis=0)
    for k in p:
        p[k] -= self.lr * g[k]
"""
MISTAKES = [
    (TEXT, 'g["W1"], g["b1"] = X.T @ dZ1', 'g["W1"], g["b1"] = X.T @ (2 * dZ1)'),
    (TEXT, 'params["W1"] -= lr * g["W1"]', 'params["W1"] -= lr * g["W2"]'),
    (TEXT, 'params["b2"] -= lr * g["b2"]', 'params["b2"] -= lr * g["b1"]'),
    (TEXT, 'params["b1"] -= lr * g["b1"]', 'params["b1"] += lr * g["b1"]'),
    (TEXT, "g = backward(X, Y, params)", "g = backward(Y, X, params)"),
    (SHORT, "X.T @ dh", "X.T @ h"),
    (SHORT, "p[k] -= self", "p[k] += self"),
    (SHORT, 'p["W2"].T * (1 - h * h)', 'p["W2"].T * (1 - h)'),
]


@pytest.mark.parametrize("text", [TEXT, SHORT])
def test_a_dictionary_is_what_it_holds_and_another_name_is_the_same_dictionary(text):
    report = diagnose_code(text, RUN)
    assert (report.right, report.ask) == (True, None), str(report)
    assert "Not judged" not in str(report)


@pytest.mark.parametrize(("text", "old", "new"), MISTAKES)
def test_the_line_is_named_whatever_its_dictionary_is_called(text, old, new):
    wrong, line = planted(text, old, new)
    report = diagnose_code(wrong, RUN)
    assert [each.number for each in report.lines if each.right is False] == [line], str(report)


@pytest.mark.parametrize("name", ["new", "g", "theta"])
def test_a_dictionary_of_updated_parameters_is_none_of_gradients(name):
    step = "    new = {}\n" + "".join(
        f'    new["{of}"] = params["{of}"] - lr * g["{of}"]\n' for of in ("W1", "b1", "W2", "b2")
    )
    text = TEXT[: TEXT.index("    params")] + step.replace("new", name if name != "g" else "p")
    report = diagnose_code(text, RUN)
    assert report.right is True, str(report)
    assert "Not judged" not in str(report)
    uphill = diagnose_code(text.replace('["b2"] - lr', '["b2"] + lr'), RUN)
    assert uphill.first_wrong == text.count("\n"), str(uphill)


def test_a_name_that_is_given_something_else_is_no_other_name_any_more():
    text = SHORT.replace("    dh =", "    p = dict(p)\n    p = self.params\n    dh =")
    assert diagnose_code(text, RUN).right is True
