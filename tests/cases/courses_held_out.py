"""Backward functions as courses have them, written beforehand, and kept from the making."""

from backward_functions import (
    RELU_CLASSES,
    SIGMOID_THREE,
    TANH_BINARY,
    TANH_CLASSES,
    Style,
)

SIGMOID_LOGS = ([3, 7, 2], ["sigmoid", "sigmoid"], "bce")
BATCH_NORM, LAYER_NORM = "BatchNorm", "LayerNorm"  # the network is the one op

STYLES = {
    "one example after the other, one vector of parameters": Style(
        SIGMOID_LOGS,
        """\
def nnCostFunction(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lam):
    Theta1 = nn_params[:hidden_layer_size * (input_layer_size + 1)].reshape(
        hidden_layer_size, input_layer_size + 1)
    Theta2 = nn_params[hidden_layer_size * (input_layer_size + 1):].reshape(
        num_labels, hidden_layer_size + 1)
    m = X.shape[0]
    Theta1_grad = np.zeros(Theta1.shape)
    Theta2_grad = np.zeros(Theta2.shape)
    for t in range(m):
        a1 = np.insert(X[t], 0, 1)
        z2 = Theta1.dot(a1)
        a2 = np.insert(sigmoid(z2), 0, 1)
        z3 = Theta2.dot(a2)
        a3 = sigmoid(z3)
        delta3 = a3 - y[t]
        delta2 = Theta2[:, 1:].T.dot(delta3) * sigmoidGradient(z2)
        Theta1_grad += np.outer(delta2, a1)
        Theta2_grad += np.outer(delta3, a2)
    Theta1_grad = Theta1_grad / m
    Theta2_grad = Theta2_grad / m
    Theta1_grad[:, 1:] += lam / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lam / m * Theta2[:, 1:]
    grad = np.concatenate([Theta1_grad.ravel(), Theta2_grad.ravel()])
    return grad
""",
        [("* sigmoidGradient(z2)", "* sigmoidGradient(a2[1:])")],
    ),
    "vectors in and out, all examples at once": Style(
        SIGMOID_LOGS,
        """\
def backprop(params, input_size, hidden_size, num_labels, X, y):
    m = X.shape[0]
    theta1 = np.reshape(params[:hidden_size * (input_size + 1)], (hidden_size, (input_size + 1)))
    theta2 = np.reshape(params[hidden_size * (input_size + 1):], (num_labels, (hidden_size + 1)))
    a1 = np.insert(X, 0, values=np.ones(m), axis=1)
    z2 = a1 @ theta1.T
    a2 = np.insert(sigmoid(z2), 0, values=np.ones(m), axis=1)
    z3 = a2 @ theta2.T
    h = sigmoid(z3)
    d3 = h - y
    d2 = np.multiply(d3 @ theta2[:, 1:], sigmoid_gradient(z2))
    delta1 = d2.T @ a1 / m
    delta2 = d3.T @ a2 / m
    grad = np.concatenate((np.ravel(delta1), np.ravel(delta2)))
    return grad
""",
        [("d3 = h - y", "d3 = (h - y) * sigmoid_gradient(z3)")],
    ),
    "weights and biases cut from theta": Style(
        TANH_CLASSES,
        """\
def cost_and_grad(theta, X, Y, d, h, k):
    i = 0
    W1 = theta[i:i + d * h].reshape(d, h)
    i += d * h
    b1 = theta[i:i + h]
    i += h
    W2 = theta[i:i + h * k].reshape(h, k)
    i += h * k
    b2 = theta[i:i + k]
    n = X.shape[0]
    H = np.tanh(X @ W1 + b1)
    S = H @ W2 + b2
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    cost = -np.sum(Y * np.log(P)) / n
    dS = (P - Y) / n
    gW2 = H.T @ dS
    gb2 = dS.sum(axis=0)
    dH = (dS @ W2.T) * (1 - H * H)
    gW1 = X.T @ dH
    gb1 = dH.sum(axis=0)
    return cost, np.hstack([gW1.ravel(), gb1, gW2.ravel(), gb2])
""",
        [("gW1 = X.T @ dH", "gW1 = X.T @ dH / n")],
    ),
    "a class that learns mini-batch by mini-batch": Style(
        SIGMOID_THREE,
        """\
class Network(object):
    def __init__(self, sizes):
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

    def SGD(self, training_data, epochs, mini_batch_size, eta):
        n = len(training_data)
        for j in range(epochs):
            random.shuffle(training_data)
            mini_batches = [
                training_data[k:k + mini_batch_size] for k in range(0, n, mini_batch_size)]
            for mini_batch in mini_batches:
                self.update_mini_batch(mini_batch, eta)

    def update_mini_batch(self, mini_batch, eta):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            delta_nabla_b, delta_nabla_w = self.backprop(x, y)
            nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
            nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
        self.weights = [w - (eta / len(mini_batch)) * nw
                        for w, nw in zip(self.weights, nabla_w)]
        self.biases = [b - (eta / len(mini_batch)) * nb
                       for b, nb in zip(self.biases, nabla_b)]

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
        [("nabla_w = [nw + dnw for nw", "nabla_w = [nw - dnw for nw")],
    ),
    "batch normalisation stage by stage": Style(
        BATCH_NORM,
        """\
def batchnorm_backward(dout, cache):
    x, x_hat, mu, var, std, gamma, beta, eps = cache
    N, D = x.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_hat, axis=0)
    dx_hat = dout * gamma
    ivar = 1.0 / std
    divar = np.sum(dx_hat * (x - mu), axis=0)
    dxmu1 = dx_hat * ivar
    dstd = -divar / std ** 2
    dvar = 0.5 * dstd / std
    dxmu2 = 2.0 * (x - mu) * dvar / N
    dx1 = dxmu1 + dxmu2
    dmu = -np.sum(dx1, axis=0)
    dx2 = np.ones((N, D)) * dmu / N
    dx = dx1 + dx2
    return dx, dgamma, dbeta
""",
        [("dmu = -np.sum(dx1, axis=0)", "dmu = np.sum(dx1, axis=0)")],
    ),
    "layer normalisation in one line": Style(
        LAYER_NORM,
        """\
def layernorm_backward(dout, cache):
    x_hat, gamma, ivar = cache
    D = dout.shape[1]
    dgamma = np.sum(dout * x_hat, axis=0)
    dbeta = dout.sum(axis=0)
    dx_hat = dout * gamma
    s1 = np.sum(dx_hat, axis=1, keepdims=True)
    s2 = np.sum(dx_hat * x_hat, axis=1, keepdims=True)
    dx = ivar / D * (D * dx_hat - s1 - x_hat * s2)
    return dx, dgamma, dbeta
""",
        [("s2 = np.sum(dx_hat * x_hat, axis=1", "s2 = np.sum(dx_hat * x_hat, axis=0")],
    ),
    "a normalisation as a class": Style(
        BATCH_NORM,
        """\
class BatchNormalization:
    def forward(self, x):
        mu = x.mean(axis=0)
        xc = x - mu
        var = np.mean(xc ** 2, axis=0)
        std = np.sqrt(var + 1e-5)
        xn = xc / std
        self.batch_size = x.shape[0]
        self.xc = xc
        self.xn = xn
        self.std = std
        return self.gamma * xn + self.beta

    def backward(self, dout):
        dbeta = dout.sum(axis=0)
        dgamma = np.sum(self.xn * dout, axis=0)
        dxn = self.gamma * dout
        dxc = dxn / self.std
        dstd = -np.sum((dxn * self.xc) / (self.std * self.std), axis=0)
        dvar = 0.5 * dstd / self.std
        dxc += (2.0 / self.batch_size) * self.xc * dvar
        dmu = np.sum(dxc, axis=0)
        dx = dxc - dmu / self.batch_size
        self.dgamma = dgamma
        self.dbeta = dbeta
        return dx
""",
        [("dvar = 0.5 * dstd / self.std", "dvar = 0.5 * dstd * self.std")],
    ),
    "a delta that is overwritten on the way back": Style(
        SIGMOID_THREE,
        """\
def backprop(X, Y, weights, biases):
    m = X.shape[0]
    activations = [X]
    for W, b in zip(weights, biases):
        activations.append(sigmoid(activations[-1] @ W + b))
    delta = (activations[-1] - Y) * activations[-1] * (1 - activations[-1])
    dW, db = [], []
    for i in range(len(weights) - 1, -1, -1):
        dW.insert(0, activations[i].T @ delta / m)
        db.insert(0, delta.mean(axis=0))
        if i > 0:
            delta = delta @ weights[i].T * activations[i] * (1 - activations[i])
    return dW, db
""",
        [
            (
                "delta = delta @ weights[i].T * activations[i] * (1 - activations[i])",
                "delta = delta @ weights[i].T * activations[i + 1] * (1 - activations[i])",
            )
        ],
    ),
    "gradients averaged where they are returned": Style(
        TANH_BINARY,
        """\
class Model:
    def backward(self, X, Y):
        m = len(X)
        d2 = self.A2 - Y
        dW2 = self.A1.T @ d2
        db2 = d2.sum(axis=0)
        d1 = (d2 @ self.W2.T) * (1 - self.A1 ** 2)
        dW1 = X.T @ d1
        db1 = d1.sum(axis=0)
        return [g / m for g in (dW1, db1, dW2, db2)]
""",
        [("dW1 = X.T @ d1", "dW1 = X.T @ d1 / m")],
    ),
    "a helper for the gradients of any layer": Style(
        RELU_CLASSES,
        """\
def layer_grads(delta, inputs):
    dw = delta.T @ inputs / len(inputs)
    db = delta.mean(axis=0)
    return dw, db


def backward(X, Y, W1, b1, W2, b2):
    Z1 = X @ W1.T + b1
    A1 = np.maximum(Z1, 0)
    P = softmax(A1 @ W2.T + b2)
    delta2 = P - Y
    dW2, db2 = layer_grads(delta2, A1)
    delta1 = (delta2 @ W2) * (Z1 > 0)
    dW1, db1 = layer_grads(delta1, X)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
""",
        [("dw = delta.T @ inputs / len(inputs)", "dw = delta.T @ inputs / len(delta.T)")],
    ),
}
