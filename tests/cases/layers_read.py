"""Backward functions of layers, functions and classes, as courses and repositories write them."""

from backward_functions import (
    RELU_CLASSES,
    RELU_TWICE_BINARY,
    SIGMOID_SQUARES,
    TANH_BINARY,
    TANH_LINEAR,
    Style,
)

STYLES = {
    "helpers with caches": Style(
        RELU_CLASSES,
        """\
def fc_forward(x, w, b):
    out = x @ w + b
    cache = (x, w, b)
    return out, cache


def fc_backward(dout, cache):
    x, w, b = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def softmax_loss(scores, y):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    n = scores.shape[0]
    loss = -np.log(p[np.arange(n), y]).sum() / n
    dscores = p.copy()
    dscores[np.arange(n), y] -= 1
    dscores /= n
    return loss, dscores


def loss_and_grads(params, X, y, reg):
    h, cache1 = fc_forward(X, params["W1"], params["b1"])
    r, cache_r = relu_forward(h)
    scores, cache2 = fc_forward(r, params["W2"], params["b2"])
    loss, dout = softmax_loss(scores, y)
    grads = {}
    dout, grads["W2"], grads["b2"] = fc_backward(dout, cache2)
    dout = relu_backward(dout, cache_r)
    dout, grads["W1"], grads["b1"] = fc_backward(dout, cache1)
    grads["W1"] += reg * params["W1"]
    grads["W2"] += reg * params["W2"]
    return loss, grads
""",
        [
            ("dw = x.T @ dout", "dw = dout.T @ x"),
            ("dx = dout @ w.T", "dx = dout @ w"),
            ("return dout * (cache > 0)", "return dout * (cache < 0)"),
            ("db = dout.sum(axis=0)", "db = dout.sum(axis=1)"),
            ("dscores /= n", "dscores /= scores.shape[1]"),
            ("fc_backward(dout, cache1)", "fc_backward(dout, cache2)"),
        ],
    ),
    "a class for each layer and a list": Style(
        TANH_LINEAR,
        """\
class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * 0.01
        self.b = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0, keepdims=True)
        return grad @ self.W.T


class Tanh:
    def forward(self, x):
        self.a = np.tanh(x)
        return self.a

    def backward(self, grad):
        return grad * (1 - self.a ** 2)


class Model:
    def __init__(self):
        self.layers = [Linear(3, 7), Tanh(), Linear(7, 2)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, x, y):
        out = self.forward(x)
        grad = (out - y) / len(x)
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad
""",
        [
            ("self.dW = self.x.T @ grad", "self.dW = grad.T @ self.x"),
            ("return grad @ self.W.T", "return grad @ self.W"),
            ("grad * (1 - self.a ** 2)", "grad * (1 - self.a)"),
            ("return x @ self.W + self.b", "return x @ self.W"),
            ("grad = (out - y) / len(x)", "grad = (y - out) / len(x)"),
            ("self.db = grad.sum(axis=0", "self.db = grad.mean(axis=0"),
        ],
    ),
    "layers alone, W (outputs, inputs)": Style(
        RELU_CLASSES,
        """\
class Linear(object):
    def __init__(self, in_features, out_features):
        self.weight = np.random.uniform(-0.1, 0.1, (out_features, in_features))
        self.bias = np.zeros(out_features)

    def forward(self, input):
        self.input = input
        return input.dot(self.weight.T) + self.bias

    def backward(self, grad_output):
        self.grad_weight = grad_output.T.dot(self.input)
        self.grad_bias = grad_output.sum(0)
        grad_input = grad_output.dot(self.weight)
        return grad_input


class ReLU(object):
    def forward(self, input):
        self.input = input
        return input * (input > 0)

    def backward(self, grad_output):
        grad_input = grad_output * (self.input > 0)
        return grad_input
""",
        [
            (".dot(self.weight)\n", ".dot(self.grad_weight)\n"),
            ("self.grad_bias = grad_output.sum(0)", "self.grad_bias = grad_output.sum(1)"),
            ("grad_output * (self.input > 0)", "grad_output * self.input"),
            ("grad_output.T.dot(self.input)", "grad_output.T.dot(input)"),
        ],
    ),
    "dense and activation that learn, columns": Style(
        SIGMOID_SQUARES,
        """\
class Layer:
    def __init__(self):
        self.input = None
        self.output = None


class Dense(Layer):
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_out, n_in)
        self.bias = np.random.randn(n_out, 1)

    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias

    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * weights_gradient
        self.bias -= learning_rate * np.sum(output_gradient, axis=1, keepdims=True)
        return input_gradient


class Activation(Layer):
    def __init__(self, activation, activation_prime):
        self.activation = activation
        self.activation_prime = activation_prime

    def forward(self, input):
        self.input = input
        return self.activation(self.input)

    def backward(self, output_gradient, learning_rate):
        return np.multiply(output_gradient, self.activation_prime(self.input))


class Sigmoid(Activation):
    def __init__(self):
        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        def sigmoid_prime(x):
            s = sigmoid(x)
            return s * (1 - s)

        super().__init__(sigmoid, sigmoid_prime)


def mse_prime(y_true, y_pred):
    return (y_pred - y_true) / y_true.shape[1]


def train(network, x_train, y_train, epochs=1000, learning_rate=0.1):
    for e in range(epochs):
        output = x_train
        for layer in network:
            output = layer.forward(output)
        grad = mse_prime(y_train, output)
        for layer in reversed(network):
            grad = layer.backward(grad, learning_rate)


network = [Dense(3, 7), Sigmoid(), Dense(7, 2), Sigmoid()]
""",
        [
            ("np.dot(output_gradient, self.input.T)", "np.dot(self.input, output_gradient.T)"),
            ("np.dot(self.weights.T, output_gradient)", "np.dot(self.weights, output_gradient)"),
            ("self.activation_prime(self.input))", "self.input)"),
            ("return (y_pred - y_true)", "return (y_true - y_pred)"),
            ("return s * (1 - s)", "return s * (1 + s)"),
        ],
    ),
    "functions of single layers alone": Style(
        TANH_BINARY,
        """\
def affine_backward(dout, cache):
    x, w, b = cache
    dx = np.dot(dout, w.T)
    dw = np.dot(x.T, dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def tanh_backward(dout, cache):
    out = cache
    dx = dout * (1 - out * out)
    return dx
""",
        [
            ("dw = np.dot(x.T, dout)", "dw = np.dot(x, dout.T)"),
            ("db = np.sum(dout, axis=0)", "db = np.sum(dout, axis=1)"),
            ("dx = dout * (1 - out * out)", "dx = dout * (1 - out)"),
        ],
    ),
    "a layer with its activation": Style(
        ([3, 7, 11, 2], ["sigmoid"] * 3, "half_squared_error"),
        """\
class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        self.z = x @ self.W + self.b
        self.a = sigmoid(self.z)
        return self.a

    def backward(self, da):
        dz = da * self.a * (1 - self.a)
        self.dW = self.x.T @ dz
        self.db = dz.sum(axis=0)
        return dz @ self.W.T


class MLP:
    def __init__(self, sizes):
        self.layers = [Layer(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, x, y):
        da = (self.forward(x) - y) / x.shape[0]
        for layer in reversed(self.layers):
            da = layer.backward(da)

    def step(self, lr):
        for layer in self.layers:
            layer.W -= lr * layer.dW
            layer.b -= lr * layer.db
""",
        [
            ("dz = da * self.a * (1 - self.a)", "dz = da * self.z * (1 - self.z)"),
            ("self.dW = self.x.T @ dz", "self.dW = self.x.T @ da"),
            ("return dz @ self.W.T", "return da @ self.W.T"),
            ("for layer in reversed(self.layers)", "for layer in self.layers"),
        ],
    ),
    "named layers of a net": Style(
        RELU_CLASSES,
        """\
class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class FullyConnected:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.matmul(x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.matmul(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.matmul(dout, self.W.T)


class SoftmaxCrossEntropy:
    def forward(self, x, t):
        self.t = t
        self.y = softmax(x)
        return -np.sum(t * np.log(self.y + 1e-7)) / len(t)

    def backward(self):
        return (self.y - self.t) / len(self.t)


class Net:
    def __init__(self, n_in, n_hidden, n_out):
        W1 = 0.01 * np.random.randn(n_in, n_hidden)
        b1 = np.zeros(n_hidden)
        W2 = 0.01 * np.random.randn(n_hidden, n_out)
        b2 = np.zeros(n_out)
        self.fc1 = FullyConnected(W1, b1)
        self.relu = ReLU()
        self.fc2 = FullyConnected(W2, b2)
        self.loss = SoftmaxCrossEntropy()

    def gradients(self, x, t):
        h = self.relu.forward(self.fc1.forward(x))
        loss = self.loss.forward(self.fc2.forward(h), t)
        dout = self.loss.backward()
        dout = self.fc2.backward(dout)
        dout = self.relu.backward(dout)
        self.fc1.backward(dout)
        return loss, [self.fc1.dW, self.fc1.db, self.fc2.dW, self.fc2.db]
""",
        [
            ("self.mask = x > 0", "self.mask = x < 0"),
            ("np.matmul(self.x.T, dout)", "np.matmul(self.x.T, dout) / len(dout)"),
            ("(self.y - self.t) / len(self.t)", "self.t - self.y"),
            ("dout = self.relu.backward(dout)", "dout = dout"),
        ],
    ),
    "a deep net whose gradients stand in a dictionary": Style(
        RELU_TWICE_BINARY,
        """\
def linear_backward(dZ, cache):
    A_prev, W, b = cache["A_prev"], cache["W"], cache["b"]
    m = A_prev.shape[1]
    return {
        "dW": dZ @ A_prev.T / m,
        "db": dZ.sum(axis=1, keepdims=True) / m,
        "dA_prev": W.T @ dZ,
    }


def backward(X, Y, p):
    Z1 = p["W1"] @ X + p["b1"]
    A1 = relu(Z1)
    Z2 = p["W2"] @ A1 + p["b2"]
    A2 = relu(Z2)
    A3 = sigmoid(p["W3"] @ A2 + p["b3"])
    dZ3 = A3 - Y
    g3 = linear_backward(dZ3, {"A_prev": A2, "W": p["W3"], "b": p["b3"]})
    dZ2 = g3["dA_prev"] * (Z2 > 0)
    g2 = linear_backward(dZ2, {"A_prev": A1, "W": p["W2"], "b": p["b2"]})
    dZ1 = g2["dA_prev"] * (Z1 > 0)
    g1 = linear_backward(dZ1, {"A_prev": X, "W": p["W1"], "b": p["b1"]})
    return g1, g2, g3
""",
        [
            ('"dW": dZ @ A_prev.T / m', '"dW": dZ @ A_prev.T'),
            ("dZ2 = g3[\"dA_prev\"] * (Z2 > 0)", "dZ2 = g3[\"dA_prev\"] * (Z2 > 1)"),
        ],
    ),
}  # fmt: skip
