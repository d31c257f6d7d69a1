"""Backward functions with an optimiser beside them, as a class or as functions of its own.

Written before they were first read; each with one mistake, in the backward.
"""

from backward_functions import RELU_CLASSES, SIGMOID_SQUARES, TANH_BINARY, TANH_LINEAR, Style

STYLES = {
    "an optimiser that is handed params and grads": Style(
        RELU_CLASSES,
        """\
class SGD:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for key in params.keys():
            params[key] -= self.lr * grads[key]


class Momentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = lr
        self.momentum = momentum
        self.v = None

    def update(self, params, grads):
        if self.v is None:
            self.v = {}
            for key, val in params.items():
                self.v[key] = np.zeros_like(val)
        for key in params.keys():
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]


class TwoLayerNet:
    def gradient(self, x, t):
        W1, W2 = self.params['W1'], self.params['W2']
        b1, b2 = self.params['b1'], self.params['b2']
        grads = {}
        batch_num = x.shape[0]
        z1 = np.dot(x, W1) + b1
        a1 = np.maximum(0, z1)
        z2 = np.dot(a1, W2) + b2
        y = softmax(z2)
        dy = (y - t) / batch_num
        grads['W2'] = np.dot(a1.T, dy)
        grads['b2'] = np.sum(dy, axis=0)
        da1 = np.dot(dy, W2.T)
        dz1 = (z1 > 0) * da1
        grads['W1'] = np.dot(x.T, dz1)
        grads['b1'] = np.sum(dz1, axis=0)
        return grads
""",
        [("dz1 = (z1 > 0) * da1", "dz1 = (z2 > 0) * da1")],
    ),
    "adam as a function of its own": Style(
        TANH_BINARY,
        """\
def initialize_adam(parameters):
    v = {}
    s = {}
    for l in range(1, 3):
        v["dW" + str(l)] = np.zeros(parameters["W" + str(l)].shape)
        v["db" + str(l)] = np.zeros(parameters["b" + str(l)].shape)
        s["dW" + str(l)] = np.zeros(parameters["W" + str(l)].shape)
        s["db" + str(l)] = np.zeros(parameters["b" + str(l)].shape)
    return v, s


def backward_propagation(X, Y, cache):
    m = X.shape[1]
    (Z1, A1, W1, b1, Z2, A2, W2, b2) = cache
    dZ2 = 1./m * (A2 - Y)
    dW2 = np.dot(dZ2, A1.T)
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, 1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    gradients = {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1,
                 "dZ1": dZ1, "dW1": dW1, "db1": db1}
    return gradients


def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=0.01,
                                beta1=0.9, beta2=0.999, epsilon=1e-8):
    for l in range(1, 3):
        v["dW" + str(l)] = beta1 * v["dW" + str(l)] + (1 - beta1) * grads["dW" + str(l)]
        v_corrected = v["dW" + str(l)] / (1 - beta1 ** t)
        s["dW" + str(l)] = beta2 * s["dW" + str(l)] + (1 - beta2) * grads["dW" + str(l)] ** 2
        s_corrected = s["dW" + str(l)] / (1 - beta2 ** t)
        parameters["W" + str(l)] -= learning_rate * v_corrected / (np.sqrt(s_corrected) + epsilon)
    return parameters, v, s
""",
        [("dW1 = np.dot(dZ1, X.T)", "dW1 = np.dot(dA1, X.T)")],
    ),
    "layers and an optimiser in one module": Style(
        SIGMOID_SQUARES,
        """\
class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        self.z = x @ self.W + self.b
        self.a = 1 / (1 + np.exp(-self.z))
        return self.a

    def backward(self, da):
        dz = da * self.a * (1 - self.a)
        self.dW = self.x.T @ dz
        self.db = dz.sum(axis=0, keepdims=True)
        return dz @ self.W.T


class Adam:
    def __init__(self, layers, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.layers, self.lr, self.beta1, self.beta2, self.eps = layers, lr, beta1, beta2, eps
        self.t = 0
        self.m = [np.zeros_like(layer.W) for layer in layers]
        self.v = [np.zeros_like(layer.W) for layer in layers]

    def step(self):
        self.t += 1
        for i, layer in enumerate(self.layers):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * layer.dW
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * layer.dW ** 2
            m_hat = self.m[i] / (1 - self.beta1 ** self.t)
            v_hat = self.v[i] / (1 - self.beta2 ** self.t)
            layer.W -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


net = [Layer(3, 7), Layer(7, 2)]
opt = Adam(net)


def train_step(X, Y):
    a = X
    for layer in net:
        a = layer.forward(a)
    d = (a - Y) / len(X)
    for layer in reversed(net):
        d = layer.backward(d)
    opt.step()
""",
        [("dz = da * self.a * (1 - self.a)", "dz = da * self.a")],
    ),
    "a step that calls its optimiser": Style(
        TANH_LINEAR,
        """\
class Net:
    def __init__(self, sizes, optimizer):
        self.W1 = np.random.randn(sizes[1], sizes[0])
        self.b1 = np.zeros(sizes[1])
        self.W2 = np.random.randn(sizes[2], sizes[1])
        self.b2 = np.zeros(sizes[2])
        self.optimizer = optimizer

    def params(self):
        return [self.W1, self.b1, self.W2, self.b2]

    def train_step(self, X, Y):
        n = X.shape[0]
        h = np.tanh(X @ self.W1.T + self.b1)
        out = h @ self.W2.T + self.b2
        dout = (out - Y) / n
        dW2 = dout.T @ h
        db2 = dout.sum(axis=0)
        dh = dout @ self.W2
        dz = dh * (1 - h ** 2)
        dW1 = dz.T @ X
        db1 = dz.sum(axis=0)
        self.optimizer.update(self.params(), [dW1, db1, dW2, db2])
""",
        [("dz = dh * (1 - h ** 2)", "dz = dh * (1 - h)")],
    ),
    "rmsprop in the same function": Style(
        SIGMOID_SQUARES,
        """\
def train_step(X, Y, params, cache, lr=0.01, decay=0.9, eps=1e-8):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    N = X.shape[0]
    a1 = sigmoid(X @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    d2 = (a2 - Y) * a2 * (1 - a2) / N
    d1 = d2 @ W2.T * a1 * (1 - a1)
    grads = {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}
    for k in params:
        cache[k] = decay * cache[k] + (1 - decay) * grads[k] ** 2
        params[k] -= lr * grads[k] / (np.sqrt(cache[k]) + eps)
    return params, cache
""",
        [('"b1": d1.sum(0)', '"b1": d1.sum(1)')],
    ),
    "an optimiser with a list of slots": Style(
        RELU_CLASSES,
        """\
class Optimizer:
    def __init__(self, parameters, lr):
        self.parameters, self.lr = parameters, lr

    def step(self, gradients):
        for p, g in zip(self.parameters, gradients):
            p -= self.lr * g


def compute_gradients(X, Y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    A1 = np.where(Z1 > 0, Z1, 0)
    Z2 = A1 @ W2 + b2
    E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    dZ2 = (P - Y) / len(X)
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = (dZ2 @ W2.T) * np.where(Z1 > 0, 1, 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    return [dW1, db1, dW2, db2]


def train(X, Y, W1, b1, W2, b2):
    opt = Optimizer([W1, b1, W2, b2], 0.1)
    for epoch in range(100):
        opt.step(compute_gradients(X, Y, W1, b1, W2, b2))
""",
        [("dW2 = A1.T @ dZ2", "dW2 = Z1.T @ dZ2")],
    ),
}
