"""Backward functions in the styles of public courses: examples in columns, and lists of layers.

Written before they were first read; each with one mistake, of many kinds.
"""

from backward_functions import (
    RELU_CLASSES,
    RELU_TWICE_BINARY,
    SIGMOID_SQUARES,
    SIGMOID_THREE,
    TANH_BINARY,
    Style,
)

SIGMOID_LOGS = ([3, 7, 2], ["sigmoid", "sigmoid"], "bce")
LOGISTIC = ([3, 1], ["sigmoid"], "bce")
SIGMOID_CLASSES = ([3, 7, 11, 2], ["sigmoid", "sigmoid", "softmax"], "cross_entropy")

STYLES = {
    "planar data with one hidden layer": Style(
        TANH_BINARY,
        """\
def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    W1 = parameters["W1"]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]

    dZ2 = A2 - Y
    dW2 = (1 / m) * np.dot(dZ2, A1.T)
    db2 = (1 / m) * (np.sum(dZ2, axis=1, keepdims=True))
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = (1 / m) * (np.dot(dZ1, X.T))
    db1 = (1 / m) * (np.sum(dZ1, axis=1, keepdims=True))

    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads
""",
        [("dW1 = (1 / m) * (np.dot(dZ1, X.T))", "dW1 = (1 / m) * (np.dot(dZ1, A1.T))")],
    ),
    "three layers with a penalty": Style(
        RELU_TWICE_BINARY,
        """\
def backward_propagation_with_regularization(X, Y, cache, lambd):
    m = X.shape[1]
    (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3) = cache
    dZ3 = A3 - Y
    dW3 = 1. / m * np.dot(dZ3, A2.T) + lambd / m * W3
    db3 = 1. / m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = 1. / m * np.dot(dZ2, A1.T) + lambd / m * W2
    db2 = 1. / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1. / m * np.dot(dZ1, X.T) + lambd / m * W1
    db1 = 1. / m * np.sum(dZ1, axis=1, keepdims=True)
    gradients = {"dZ3": dZ3, "dW3": dW3, "db3": db3, "dA2": dA2,
                 "dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1,
                 "dZ1": dZ1, "dW1": dW1, "db1": db1}
    return gradients
""",
        [("np.dot(dZ2, A1.T) + lambd / m * W2", "np.dot(dZ2, A1.T) + lambd * W2")],
    ),
    "dropout on two layers": Style(
        RELU_TWICE_BINARY,
        """\
def backward_propagation_with_dropout(X, Y, cache, keep_prob):
    m = X.shape[1]
    (Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3) = cache
    dZ3 = A3 - Y
    dW3 = 1. / m * np.dot(dZ3, A2.T)
    db3 = 1. / m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dA2 = dA2 * D2
    dA2 = dA2 / keep_prob
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = 1. / m * np.dot(dZ2, A1.T)
    db2 = 1. / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dA1 = dA1 * D1
    dA1 = dA1 / keep_prob
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1. / m * np.dot(dZ1, X.T)
    db1 = 1. / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW3": dW3, "db3": db3, "dW2": dW2, "db2": db2, "dW1": dW1, "db1": db1}
""",
        [("dZ1 = np.multiply(dA1, np.int64(A1 > 0))", "dZ1 = np.multiply(dA1, np.int64(A2 > 0))")],
    ),
    "logistic regression": Style(
        LOGISTIC,
        """\
def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dw = 1 / m * np.dot(X, (A - Y).T)
    db = 1 / m * np.sum(A - Y)
    grads = {"dw": dw, "db": db}
    return grads, cost
""",
        [("dw = 1 / m * np.dot(X, (A - Y).T)", "dw = 1 / m * np.dot(X, (Y - A).T)")],
    ),
    "digits with one_hot and a relu": Style(
        RELU_CLASSES,
        """\
def ReLU(Z):
    return np.maximum(Z, 0)


def softmax(Z):
    A = np.exp(Z) / sum(np.exp(Z))
    return A


def ReLU_deriv(Z):
    return Z > 0


def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    m = X.shape[1]
    one_hot_Y = one_hot(Y)
    dZ2 = A2 - one_hot_Y
    dW2 = 1 / m * dZ2.dot(A1.T)
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T.dot(dZ2) * ReLU_deriv(Z1)
    dW1 = 1 / m * dZ1.dot(X.T)
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return dW1, db1, dW2, db2
""",
        [("db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)", "db2 = 1 / m * np.sum(dZ2)")],
    ),
    "a step with updates in a dictionary": Style(
        TANH_BINARY,
        """\
def train(X, Y, parameters, learning_rate):
    W1, b1 = parameters["W1"], parameters["b1"]
    W2, b2 = parameters["W2"], parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)
    m = Y.shape[1]
    grads = {}
    dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2))
    dZ2 = dA2 * A2 * (1 - A2)
    grads["dW2"] = dZ2 @ A1.T / m
    grads["db2"] = dZ2.sum(axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (1 - A1 * A1)
    grads["dW1"] = dZ1 @ X.T / m
    grads["db1"] = dZ1.sum(axis=1, keepdims=True) / m
    parameters["W1"] = parameters["W1"] - learning_rate * grads["dW1"]
    parameters["b1"] = parameters["b1"] - learning_rate * grads["db1"]
    parameters["W2"] = parameters["W2"] - learning_rate * grads["dW2"]
    parameters["b2"] = parameters["b2"] - learning_rate * grads["db2"]
    return parameters
""",
        [
            (
                'parameters["b1"] - learning_rate * grads["db1"]',
                'parameters["b1"] + learning_rate * grads["db1"]',
            )
        ],
    ),
    "a deep model by helpers": Style(
        RELU_TWICE_BINARY,
        """\
def sigmoid_backward(dA, cache):
    Z = cache
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    return dZ


def relu_backward(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1. / m * np.dot(dZ, A_prev.T)
    db = 1. / m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == "relu":
        dZ = relu_backward(dA, activation_cache)
    elif activation == "sigmoid":
        dZ = sigmoid_backward(dA, activation_cache)
    dA_prev, dW, db = linear_backward(dZ, linear_cache)
    return dA_prev, dW, db


def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    m = AL.shape[1]
    Y = Y.reshape(AL.shape)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    current_cache = caches[L - 1]
    dA, dW, db = linear_activation_backward(dAL, current_cache, "sigmoid")
    grads["dA" + str(L - 1)], grads["dW" + str(L)], grads["db" + str(L)] = dA, dW, db
    for l in reversed(range(L - 1)):
        current_cache = caches[l]
        dA, dW, db = linear_activation_backward(grads["dA" + str(l + 1)], current_cache, "relu")
        grads["dA" + str(l)] = dA
        grads["dW" + str(l + 1)] = dW
        grads["db" + str(l + 1)] = db
    return grads
""",
        [("dZ[Z <= 0] = 0", "dZ[Z > 0] = 0")],
    ),
    "theta as matrices cut from one vector": Style(
        SIGMOID_LOGS,
        """\
def nn_cost_function(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_):
    Theta1 = nn_params[:hidden_layer_size * (input_layer_size + 1)].reshape(
        (hidden_layer_size, input_layer_size + 1))
    Theta2 = nn_params[hidden_layer_size * (input_layer_size + 1):].reshape(
        (num_labels, hidden_layer_size + 1))
    m = X.shape[0]
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1.dot(Theta1.T)
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    z3 = a2.dot(Theta2.T)
    a3 = sigmoid(z3)
    delta3 = a3 - y
    delta2 = delta3.dot(Theta2)[:, 1:] * sigmoid_gradient(z2)
    Theta1_grad = delta2.T.dot(a1) / m
    Theta2_grad = delta3.T.dot(a2) / m
    Theta1_grad[:, 1:] += lambda_ / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lambda_ / m * Theta2[:, 1:]
    grad = np.concatenate((Theta1_grad.ravel(), Theta2_grad.ravel()))
    return grad
""",
        [("Theta1_grad = delta2.T.dot(a1) / m", "Theta1_grad = delta2.T.dot(a1)")],
    ),
    "theta, example by example": Style(
        SIGMOID_LOGS,
        """\
def gradients(Theta1, Theta2, X, y):
    m = len(X)
    Delta1 = np.zeros_like(Theta1)
    Delta2 = np.zeros_like(Theta2)
    for i in range(m):
        a1 = np.append(1, X[i])
        z2 = Theta1 @ a1
        a2 = np.append(1, sigmoid(z2))
        z3 = Theta2 @ a2
        a3 = sigmoid(z3)
        d3 = a3 - y[i]
        d2 = (Theta2.T @ d3)[1:] * sigmoid_gradient(z2)
        Delta1 += np.outer(d2, a1)
        Delta2 += np.outer(d3, a2)
    Theta1_grad = Delta1 / m
    Theta2_grad = Delta2 / m
    return Theta1_grad, Theta2_grad
""",
        [("Delta2 += np.outer(d3, a2)", "Delta2 = np.outer(d3, a2)")],
    ),
    "lists with negative indices": Style(
        SIGMOID_THREE,
        """\
class Network:
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
        delta = self.cost_derivative(activations[-1], y) * sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, self.num_layers):
            z = zs[-l]
            sp = sigmoid_prime(z)
            delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
        return (nabla_b, nabla_w)

    def cost_derivative(self, output_activations, y):
        return (output_activations - y)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))
""",
        [
            (
                "np.dot(self.weights[-l + 1].transpose(), delta) * sp",
                "np.dot(self.weights[-l].transpose(), delta) * sp",
            )
        ],
    ),
    "cross-entropy with a decay of weights": Style(
        SIGMOID_LOGS,
        """\
def update_mini_batch(self, mini_batch, eta, lmbda, n):
    nabla_b = [np.zeros(b.shape) for b in self.biases]
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    for x, y in mini_batch:
        delta_nabla_b, delta_nabla_w = self.backprop(x, y)
        nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
        nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
    self.weights = [(1 - eta * (lmbda / n)) * w - (eta / len(mini_batch)) * nw
                    for w, nw in zip(self.weights, nabla_w)]
    self.biases = [b - (eta / len(mini_batch)) * nb for b, nb in zip(self.biases, nabla_b)]


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
    delta = (activations[-1] - y)
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
        [("sp = sigmoid_prime(z)", "sp = sigmoid(z)")],
    ),
    "a mini-batch as a matrix": Style(
        SIGMOID_THREE,
        """\
def backprop(self, X, Y):
    m = X.shape[1]
    nabla_b = [np.zeros(b.shape) for b in self.biases]
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    activations, zs = [X], []
    for w, b in zip(self.weights, self.biases):
        zs.append(w @ activations[-1] + b)
        activations.append(sigmoid(zs[-1]))
    delta = (activations[-1] - Y) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta.sum(axis=1, keepdims=True) / m
    nabla_w[-1] = delta @ activations[-2].T / m
    for l in range(2, self.num_layers):
        delta = (self.weights[-l + 1].T @ delta) * sigmoid_prime(zs[-l])
        nabla_b[-l] = delta.sum(axis=1, keepdims=True) / m
        nabla_w[-l] = delta @ activations[-l - 1].T / m
    return nabla_b, nabla_w
""",
        [
            (
                "nabla_b[-l] = delta.sum(axis=1, keepdims=True) / m",
                "nabla_b[-l] = delta.sum(axis=1, keepdims=True)",
            )
        ],
    ),
    "layers from the last to the first, rows": Style(
        SIGMOID_CLASSES,
        """\
class MLP:
    def backward(self, X, Y):
        n = X.shape[0]
        L = len(self.weights)
        acts = [X]
        for i in range(L - 1):
            acts.append(self.sigmoid(acts[-1] @ self.weights[i] + self.biases[i]))
        scores = acts[-1] @ self.weights[-1] + self.biases[-1]
        exp = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        probs = exp / np.sum(exp, axis=1, keepdims=True)
        grads_w = [None] * L
        grads_b = [None] * L
        delta = (probs - Y) / n
        for i in reversed(range(L)):
            grads_w[i] = acts[i].T @ delta
            grads_b[i] = np.sum(delta, axis=0)
            if i > 0:
                delta = (delta @ self.weights[i].T) * acts[i] * (1 - acts[i])
        return grads_w, grads_b

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))
""",
        [("delta = (probs - Y) / n", "delta = (probs - Y) * probs * (1 - probs) / n")],
    ),
    "every delta first": Style(
        SIGMOID_SQUARES,
        """\
def compute_gradients(x, y, weights, biases):
    zs, activations = [], [x]
    for w, b in zip(weights, biases):
        z = np.dot(w, activations[-1]) + b
        zs.append(z)
        activations.append(sigmoid(z))
    deltas = [None] * len(weights)
    deltas[-1] = (activations[-1] - y) * sigmoid_derivative(zs[-1])
    for i in range(len(weights) - 2, -1, -1):
        deltas[i] = np.dot(weights[i + 1].T, deltas[i + 1]) * sigmoid_derivative(zs[i])
    m = y.shape[1]
    dw = [np.dot(d, a.T) / m for d, a in zip(deltas, activations)]
    db = [np.sum(d, axis=1, keepdims=True) / m for d in deltas]
    return dw, db
""",
        [("sigmoid_derivative(zs[i])", "sigmoid_derivative(zs[i + 1])")],
    ),
}
