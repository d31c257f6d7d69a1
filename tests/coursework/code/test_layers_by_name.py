"""Layers in a dictionary, by their names; a backward that is not read is not right."""

import pytest
from backward_functions import RELU_CLASSES, planted, run_of

from jacobian_bp import diagnose_code

LOOP = "for name in reversed(self.layers):"
TEXT = """
class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_out, n_in) * 0.1
        self.b = np.zeros((n_out, 1))
        self.grads = {}

    def forward(self, A_prev):
        self.A_prev = A_prev
        return self.W @ A_prev + self.b

    def backward(self, dZ):
        m = dZ.shape[1]
        self.grads["W"] = dZ @ self.A_prev.T / m
        self.grads["b"] = dZ.sum(axis=1, keepdims=True) / m
        return self.W.T @ dZ

class ReLU:
    def forward(self, Z):
        self.Z = Z
        return np.maximum(Z, 0)

    def backward(self, dA):
        return dA * (self.Z > 0)

class Net:
    def __init__(self):
        self.layers = OrderedDict()
        self.layers["fc1"] = Dense(3, 7)
        self.layers["relu1"] = ReLU()
        self.layers["fc2"] = Dense(7, 2)

    def forward(self, X):
        A = X
        for name, layer in self.layers.items():
            A = layer.forward(A)
        e = np.exp(A - A.max(axis=0))
        self.P = e / e.sum(axis=0)
        return self.P

    def backward(self, Y):
        d = self.P - Y
        for name in reversed(self.layers):
            d = self.layers[name].backward(d)
        return {"dW1": self.layers["fc1"].grads["W"], "db1": self.layers["fc1"].grads["b"],
                "dW2": self.layers["fc2"].grads["W"], "db2": self.layers["fc2"].grads["b"]}
"""
ONE_BY_ONE = TEXT[
    TEXT.index("        self.layers = Ordered") : TEXT.index("    def forward(self, X)")
]
LAYERS = '("fc1", Dense(3, 7)), ("relu1", ReLU()), ("fc2", Dense(7, 2))'
RIGHT = {
    "reversed": TEXT,
    "a list of the names": TEXT.replace(LOOP, "for name in reversed(list(self.layers)):"),
    "keys": TEXT.replace(LOOP, "for name in list(self.layers.keys())[::-1]:"),
    "items": TEXT.replace(LOOP, "for name, _ in reversed(self.layers.items()):"),
    "forward by name": TEXT.replace("name, layer in self.layers.items()", "name in self.layers")
    .replace("A = layer.forward(A)", "A = self.layers[name].forward(A)"),
    "pairs": TEXT.replace(ONE_BY_ONE, f"        self.layers = OrderedDict([{LAYERS}])\n"),
    "braces": TEXT.replace(
        ONE_BY_ONE,
        '        self.layers = {"fc1": Dense(3, 7), "relu1": ReLU(), "fc2": Dense(7, 2)}\n',
    ),
}  # fmt: skip
MISTAKES = [
    ("return self.W.T @ dZ", "return self.W.T @ dZ / m"),
    ('"b"] = dZ.sum(axis=1', '"b"] = dZ.sum(axis=0'),
    ("d = self.P - Y", "d = Y - self.P"),
    ("dZ @ self.A_prev.T", "dZ @ self.W.T"),
]
NOT_READ = [
    (LOOP, "for name in sorted(self.layers, key=place):", "d = self.layers[name].backward(d)"),
    (LOOP, "for name in backwards(self.layers):", "d = self.layers[name].backward(d)"),
    (
        "d = self.layers[name].backward(d)",
        "[one.backward(d) for one in others()]",
        "[one.backward(d)",
    ),
    ("d = self.layers[name].backward(d)", "others()[name].backward(d)", "others()[name]"),
]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", RIGHT)
def test_layers_that_are_gone_through_by_name_are_read(name):
    report = diagnose_code(RIGHT[name], run_of(RELU_CLASSES))
    assert (report.right, report.ask) == (True, None), str(report)
    assert "with the gradients of W1, W2, b1, b2" in report.sentences[0]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("old", "new"), MISTAKES)
def test_a_mistake_in_layers_that_are_gone_through_by_name_is_named(old, new):
    text, line = planted(TEXT, old, new)
    report = diagnose_code(text, run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (False, line), str(report)


def test_layers_that_are_gone_through_in_the_order_of_the_forward_pass_are_not_right():
    text, _ = planted(TEXT, LOOP, "for name in self.layers:")
    report = diagnose_code(text, run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (None, None), str(report)
    assert report.sentences[0] == (
        "Not judged: as its layers are read, lines 14, 15, 16, 24 would not fit the run. The "
        "forward pass is right for examples in columns, W (outputs, inputs): see whether the "
        "layers are gone through from the last to the first, in line 44. Or hand in one layer "
        "alone."
    )


@pytest.mark.parametrize(("old", "new", "shown"), NOT_READ)
def test_a_call_of_a_backward_that_is_not_read_is_said_with_its_line(old, new, shown):
    text, _ = planted(TEXT, old, new)
    line = text[: text.index(shown)].count("\n") + 1
    report = diagnose_code(text, run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (None, None), str(report)
    assert report.sentences[0] == f"Not judged: line {line} is not read."
    (said,) = [one for one in report.lines if one.number == line]
    assert said.sentences[0].startswith("Not read: "), str(report)


def test_a_backward_of_which_no_call_is_read_is_not_called_right():
    text = """
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def backward(cache):
    return pull(cache)

def forward(X, W1, b1, W2, b2):
    A1 = np.maximum(X @ W1 + b1, 0)
    A2 = softmax(A1 @ W2 + b2)
    return A2
"""
    report = diagnose_code(text, run_of(RELU_CLASSES))
    assert report.right is None, str(report)
    assert report.sentences[0] == "Not judged: no call of backward() in line 6 is read."
    report = diagnose_code(text, run_of(RELU_CLASSES), function="forward")
    assert report.right is True, str(report)
