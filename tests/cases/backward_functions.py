"""Right backward functions in the styles of public courses, and mistakes to plant in them.

Each is (network, text, mistakes); a mistake is (old, new): the line that holds `old` is the
wrong one. `#` at the end of `old` gives the number of the line to be named where it is another.
"""

from typing import NamedTuple

import numpy as np

from jacobian_bp import Network


class Style(NamedTuple):
    network: tuple
    text: str
    mistakes: list


def run_of(network, examples=5, seed=3):
    """A run at pairwise different prime sizes, entries random, labels of the loss's own kind."""
    sizes, activations, loss = network
    rng = np.random.default_rng(seed)
    net = Network.dense(sizes, activations, loss, seed=seed)
    x, y = rng.standard_normal((examples, sizes[0])), rng.standard_normal((examples, sizes[-1]))
    if loss == "bce":
        y = (y > 0) * 1.0
    if loss == "cross_entropy":
        y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], examples)]
    return net.run(x, y)


def planted(text, old, new):
    """The text with a mistake, and the number of its line."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
    return text.replace(old, new), text[: text.index(old)].count("\n") + 1


TANH_BINARY = ([3, 7, 1], ["tanh", "sigmoid"], "bce")
RELU_CLASSES = ([3, 7, 2], ["relu", "softmax"], "cross_entropy")
RELU_TWICE_BINARY = ([3, 7, 11, 1], ["relu", "relu", "sigmoid"], "bce")
SIGMOID_SQUARES = ([3, 7, 2], ["sigmoid", "sigmoid"], "half_squared_error")
SIGMOID_THREE = ([3, 7, 11, 2], ["sigmoid"] * 3, "half_squared_error")
TANH_LINEAR = ([3, 7, 2], ["tanh", "identity"], "half_squared_error")
TANH_CLASSES = ([3, 7, 2], ["tanh", "softmax"], "cross_entropy")

STYLES = {
    "columns with a cache": Style(
        TANH_BINARY,
        '''\
def backward_propagation(parameters, cache, X, Y):
    """Gradients of a network with one hidden layer."""
    m = X.shape[1]
    W1 = parameters["W1"]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads
''',
        [
            ("dZ2 = A2 - Y", "dZ2 = Y - A2"),
            ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A1.T)"),
            ("(1 - np.power(A1, 2))", "(1 - A1)"),
            ("dW1 = np.dot(dZ1, X.T)", "dW1 = np.dot(dZ2, X.T)"),
        ],
    ),
    "rows with a penalty": Style(
        RELU_CLASSES,
        """\
def loss(self, X, y=None, reg=0.0):
    W1, b1 = self.params["W1"], self.params["b1"]
    W2, b2 = self.params["W2"], self.params["b2"]
    N, D = X.shape
    hidden = np.maximum(0, X.dot(W1) + b1)
    scores = hidden.dot(W2) + b2
    shifted = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    probs = shifted / np.sum(shifted, axis=1, keepdims=True)
    grads = {}
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    grads["W2"] = np.dot(hidden.T, dscores) + reg * W2
    grads["b2"] = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden <= 0] = 0
    grads["W1"] = np.dot(X.T, dhidden) + reg * W1
    grads["b1"] = np.sum(dhidden, axis=0)
    return grads
""",
        [
            ("dhidden[hidden <= 0] = 0", "dhidden[hidden > 0] = 0"),
            ('grads["b2"] = np.sum(dscores, axis=0)', 'grads["b2"] = np.mean(dscores, axis=0)'),
            ("np.dot(hidden.T, dscores)", "np.dot(scores.T, dscores)"),
            ("+ reg * W1", "+ reg * W1 ** 2"),
        ],
    ),
    "loop with negative indices": Style(
        SIGMOID_THREE,
        """\
def backprop(self, x, y):
    nabla_b = [np.zeros(b.shape) for b in self.biases]
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    activation = x
    activations = [x]
    zs = []
    for b, w in zip(self.biases, self.weights):
        z = np.dot(w, activation) + b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta
    nabla_w[-1] = np.dot(delta, activations[-2].transpose())
    for l in range(2, self.num_layers):
        z = zs[-l]
        sp = sigmoid_prime(z)
        delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp
        nabla_b[-l] = delta
        nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
    return (nabla_b, nabla_w)
""",
        [
            ("(activations[-1] - y) * sigmoid_prime(zs[-1])", "(activations[-1] - y)"),
            ("nabla_w[-1] = np.dot(delta, activations[-2]", "nabla_w[-1] = np.dot(delta, zs[-2]"),
            ("nabla_b[-l] = delta", "nabla_b[-l] = 2 * delta"),
            ("np.dot(delta, activations[-l - 1].transpose())", "np.dot(delta, zs[-l].transpose())"),
        ],
    ),
    "layers called l": Style(
        SIGMOID_SQUARES,
        """\
def nonlin(x, deriv=False):
    if deriv == True:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))

def train(X, y, syn0, syn1):
    l0 = X
    l1 = nonlin(np.dot(l0, syn0) + b1)
    l2 = nonlin(np.dot(l1, syn1) + b2)
    l2_error = y - l2
    l2_delta = l2_error * nonlin(l2, deriv=True)
    l1_error = l2_delta.dot(syn1.T)
    l1_delta = l1_error * nonlin(l1, deriv=True)
    syn1 += l1.T.dot(l2_delta) / len(X)
    syn0 += l0.T.dot(l1_delta) / len(X)
""",
        [
            ("l1_error * nonlin(l1, deriv=True)", "l1_error * nonlin(l1)"),
            ("syn1 += l1.T.dot(l2_delta)", "syn1 -= l1.T.dot(l2_delta)"),
            ("l2_error * nonlin(l2, deriv=True)", "l2_error * l2"),
            ("l0.T.dot(l1_delta)", "l0.T.dot(l1_error)"),
        ],
    ),
    "a class": Style(
        SIGMOID_SQUARES,
        """\
class NeuralNetwork:
    def forward(self, X):
        self.z1 = np.dot(X, self.W1) + self.b1
        self.a1 = self.sigmoid(self.z1)
        self.z2 = np.dot(self.a1, self.W2) + self.b2
        self.a2 = self.sigmoid(self.z2)
        return self.a2

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def sigmoid_derivative(self, a):
        return a * (1 - a)

    def backward(self, X, y, learning_rate):
        m = X.shape[0]
        dz2 = (self.a2 - y) * self.sigmoid_derivative(self.a2)
        dW2 = np.dot(self.a1.T, dz2) / m
        db2 = np.sum(dz2, axis=0) / m
        dz1 = np.dot(dz2, self.W2.T) * self.sigmoid_derivative(self.a1)
        dW1 = np.dot(X.T, dz1) / m
        db1 = np.sum(dz1, axis=0) / m
        self.W2 -= learning_rate * dW2
        self.b2 -= learning_rate * db2
        self.W1 -= learning_rate * dW1
        self.b1 -= learning_rate * db1
""",
        [
            ("self.z1 = np.dot(X, self.W1) + self.b1", "self.z1 = np.dot(X, self.W1)"),
            ("return a * (1 - a)", "return a * (1 + a)"),
            ("np.dot(dz2, self.W2.T) * self.sigmoid_derivative(self.a1)", "np.dot(dz2, self.W2.T)"),
            ("db1 = np.sum(dz1, axis=0) / m", "db1 = np.sum(dz1, axis=0)"),
            ("self.W1 -= learning_rate * dW1", "self.W1 += learning_rate * dW1"),
        ],
    ),
    "rows with keepdims": Style(
        RELU_CLASSES,
        """\
def backward(X, Y, cache, W1, b1, W2, b2):
    Z1, A1, Z2, A2 = cache
    m = len(X)
    dZ2 = (A2 - Y) / m
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dA1 = dZ2 @ W2.T
    dZ1 = np.where(Z1 > 0, dA1, 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0, keepdims=True)
    return dW1, db1, dW2, db2
""",
        [
            ("dZ2 = (A2 - Y) / m", "dZ2 = (A2 + Y) / m"),
            ("np.where(Z1 > 0, dA1, 0)", "np.where(Z1 > 0, 0, dA1)"),
            ("dW1 = X.T @ dZ1", "dW1 = X.T @ dA1"),
            ("db1 = dZ1.sum(axis=0, keepdims=True)", "db1 = dZ1.sum(axis=1, keepdims=True)"),
        ],
    ),
    "masks as numbers": Style(
        RELU_TWICE_BINARY,
        """\
def backward_propagation_three_layers(X, Y, cache):
    m = X.shape[1]
    (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3) = cache
    dZ3 = 1. / m * (A3 - Y)
    dW3 = np.dot(dZ3, A2.T)
    db3 = np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = np.dot(dZ2, A1.T)
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = np.dot(dZ1, X.T)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "dW2": dW2, "dW3": dW3}
""",
        [
            ("np.multiply(dA2, np.int64(A2 > 0))", "np.multiply(dA2, np.int64(A2 < 0))"),
            ("dA1 = np.dot(W2.T, dZ2)", "dA1 = np.dot(W2.T, dA2)"),
            ("dW2 = np.dot(dZ2, A1.T)", "dW2 = np.dot(dZ2, A1.T) / m"),
            ("db3 = np.sum(dZ3, axis=1, keepdims=True)", "db3 = np.sum(A3, axis=1, keepdims=True)"),
        ],
    ),
    "a mask by assignment, updates in place": Style(
        RELU_CLASSES,
        """\
num_examples = X.shape[0]
delta3 = probs - y
dW2 = (a1.T).dot(delta3) / num_examples
db2 = np.sum(delta3, axis=0, keepdims=True) / num_examples
delta2 = delta3.dot(W2.T)
delta2[z1 <= 0] = 0
dW1 = np.dot(X.T, delta2) / num_examples
db1 = np.sum(delta2, axis=0) / num_examples
W1 += -epsilon * dW1
b1 += -epsilon * db1
W2 += -epsilon * dW2
b2 += -epsilon * db2
""",
        [
            ("delta2 = delta3.dot(W2.T)", "delta2 = delta3.dot(W2.T) / num_examples"),
            ("dW1 = np.dot(X.T, delta2) / num_examples", "dW1 = np.dot(X.T, delta2)"),
            ("dW2 = (a1.T).dot(delta3)", "dW2 = (z1.T).dot(delta3)"),
            ("delta3 = probs - y", "delta3 = y - probs"),
        ],
    ),
    "slopes under names of their own": Style(
        TANH_LINEAR,
        """\
def backward(x, y, w1, b1, w2, b2):
    n = x.shape[0]
    z1 = x @ w1 + b1
    h1 = np.tanh(z1)
    out = h1 @ w2 + b2
    grad_out = (out - y) / n
    grad_w2 = h1.T @ grad_out
    grad_b2 = grad_out.sum(axis=0)
    grad_h1 = grad_out @ w2.T
    slope = 1 - h1 ** 2
    grad_z1 = grad_h1 * slope
    grad_w1 = x.T @ grad_z1
    grad_b1 = grad_z1.sum(axis=0)
    return grad_w1, grad_b1, grad_w2, grad_b2
""",
        [
            ("slope = 1 - h1 ** 2", "slope = 1 - z1 ** 2"),
            ("grad_out = (out - y) / n", "grad_out = 2 * (out - y) / n"),
            ("grad_z1 = grad_h1 * slope", "grad_z1 = grad_out @ w2.T"),
            ("out = h1 @ w2 + b2", "out = np.tanh(h1 @ w2 + b2)"),
        ],
    ),
    "one example as a vector": Style(
        TANH_LINEAR,
        """\
def gradients(x, y, W1, b1, W2, b2):
    z1 = W1 @ x + b1
    a1 = np.tanh(z1)
    z2 = W2 @ a1 + b2
    d2 = z2 - y
    dW2 = np.outer(d2, a1)
    db2 = d2
    d1 = (W2.T @ d2) * (1 - a1 ** 2)
    dW1 = np.outer(d1, x)
    db1 = d1
    return dW1, db1, dW2, db2
""",
        [
            ("dW2 = np.outer(d2, a1)", "dW2 = np.outer(d2, z1)"),
            ("(W2.T @ d2) * (1 - a1 ** 2)", "(W2.T @ d2) * (1 - a1)"),
            ("dW1 = np.outer(d1, x)", "dW1 = np.outer(x, d1)"),
            ("d2 = z2 - y", "d2 = y - z2"),
        ],
    ),
    "a loop over layers by key": Style(
        RELU_TWICE_BINARY,
        """\
def L_model_backward(AL, Y, caches, parameters):
    grads = {}
    L = 3
    m = Y.shape[1]
    dZ = AL - Y
    for l in range(L, 0, -1):
        A_prev = X if l == 1 else cache["A" + str(l - 1)]
        grads["dW" + str(l)] = np.dot(dZ, A_prev.T) / m
        grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = np.dot(parameters["W" + str(l)].T, dZ)
            dZ = dA * (cache["Z" + str(l - 1)] > 0)
    return grads
""",
        [
            ("np.dot(dZ, A_prev.T) / m", "np.dot(dZ, A_prev.T)"),
            ("np.sum(dZ, axis=1, keepdims=True) / m", "np.sum(dZ, axis=1, keepdims=True)"),
            ('dZ = dA * (cache["Z" + str(l - 1)] > 0)', 'dZ = dA * cache["Z" + str(l - 1)]'),
            ("dZ = AL - Y", "dZ = AL + Y"),
        ],
    ),
    "the derivative of the loss by the output": Style(
        TANH_BINARY,
        """\
def back(self, X, Y):
    m = Y.shape[1]
    dA2 = -(np.divide(Y, self.A2) - np.divide(1 - Y, 1 - self.A2))
    dZ2 = dA2 * self.A2 * (1 - self.A2)
    self.dW2 = (1 / m) * dZ2 @ self.A1.T
    self.db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = self.W2.T @ dZ2
    dZ1 = dA1 * (1 - np.tanh(self.Z1) ** 2)
    self.dW1 = (1 / m) * dZ1 @ X.T
    self.db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
""",
        [
            ("dZ2 = dA2 * self.A2 * (1 - self.A2)", "dZ2 = dA2 * self.Z2 * (1 - self.Z2)"),
            ("-(np.divide(Y, self.A2)", "(np.divide(Y, self.A2)"),
            ("self.dW1 = (1 / m) * dZ1 @ X.T", "self.dW1 = dZ1 @ X.T"),
            ("(1 - np.tanh(self.Z1) ** 2)", "(1 - np.tanh(self.A1) ** 2)"),
        ],
    ),
    "weights counted from 0": Style(
        TANH_CLASSES,
        """\
def step(X, Y, W0, b0, W1, b1, lr):
    h = np.tanh(X @ W0 + b0)
    logits = h @ W1 + b1
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    d_logits = (p - Y) / X.shape[0]
    d_W1 = h.T @ d_logits
    d_b1 = d_logits.sum(axis=0)
    d_h = d_logits @ W1.T
    d_pre = d_h * (1 - h * h)
    d_W0 = X.T @ d_pre
    d_b0 = d_pre.sum(axis=0)
    W1 -= lr * d_W1
    b1 -= lr * d_b1
    W0 -= lr * d_W0
    b0 -= lr * d_b0
""",
        [
            ("e.sum(axis=1, keepdims=True)", "e.sum(axis=0, keepdims=True)"),
            ("d_pre = d_h * (1 - h * h)", "d_pre = d_h * h * (1 - h)"),
            ("d_W0 = X.T @ d_pre", "d_W0 = X.T @ d_h"),
            ("d_b1 = d_logits.sum(axis=0)", "d_b1 = d_logits.mean(axis=0)"),
        ],
    ),
    "a helper for the slope": Style(
        SIGMOID_SQUARES,
        """\
def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))

def dsigmoid(z):
    s = sigmoid(z)
    return s * (1 - s)

def backprop(x, t, params):
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    batch_size = x.shape[0]
    z1 = np.dot(x, W1) + b1
    a1 = sigmoid(z1)
    z2 = np.dot(a1, W2) + b2
    y = sigmoid(z2)
    grads = {}
    dy = (y - t) / batch_size
    dz2 = dy * dsigmoid(z2)
    grads["W2"] = np.dot(a1.T, dz2)
    grads["b2"] = np.sum(dz2, axis=0)
    da1 = np.dot(dz2, W2.T)
    dz1 = dsigmoid(z1) * da1
    grads["W1"] = np.dot(x.T, dz1)
    grads["b1"] = np.sum(dz1, axis=0)
    return grads
""",
        [
            ("dz1 = dsigmoid(z1) * da1", "dz1 = dsigmoid(a1) * da1"),
            ("da1 = np.dot(dz2, W2.T)", "da1 = np.dot(dy, W2.T)"),
            ("dy = (y - t) / batch_size", "dy = (y - t)"),
            ('grads["W1"] = np.dot(x.T, dz1)', 'grads["W1"] = np.dot(x.T, z1)'),
        ],
    ),
}
