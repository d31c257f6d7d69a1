"""Backward functions that were written after the reader of code was finished, and mistakes."""

from backward_functions import (
    RELU_CLASSES,
    RELU_TWICE_BINARY,
    SIGMOID_SQUARES,
    SIGMOID_THREE,
    TANH_BINARY,
    TANH_CLASSES,
    TANH_LINEAR,
    Style,
)

STYLES = {
    "weights and biases of hidden and output": Style(
        SIGMOID_SQUARES,
        """\
def train_step(inputs, targets):
    hidden_input = np.dot(inputs, weights_hidden) + bias_hidden
    hidden_output = 1 / (1 + np.exp(-hidden_input))
    output_input = np.dot(hidden_output, weights_output) + bias_output
    predictions = 1 / (1 + np.exp(-output_input))
    n = inputs.shape[0]
    error = predictions - targets
    d_output = error * predictions * (1 - predictions)
    d_hidden = d_output.dot(weights_output.T) * hidden_output * (1 - hidden_output)
    grad_weights_output = hidden_output.T.dot(d_output) / n
    grad_bias_output = d_output.mean(axis=0)
    grad_weights_hidden = inputs.T.dot(d_hidden) / n
    grad_bias_hidden = d_hidden.mean(axis=0)
""",
        [
            ("d_output = error * predictions * (1 - predictions)", "d_output = error"),
            ("hidden_output * (1 - hidden_output)", "hidden_input * (1 - hidden_input)"),
            ("inputs.T.dot(d_hidden) / n", "inputs.T.dot(d_hidden)"),
            ("error = predictions - targets", "error = targets - predictions"),
        ],
    ),
    "chain written factor by factor": Style(
        TANH_LINEAR,
        """\
def backward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    A2 = W2 @ A1 + b2
    dL_dA2 = (A2 - Y) / m
    dL_dZ2 = dL_dA2
    dL_dW2 = dL_dZ2 @ A1.T
    dL_db2 = np.sum(dL_dZ2, axis=1, keepdims=True)
    dL_dA1 = W2.T @ dL_dZ2
    dA1_dZ1 = 1 - A1 ** 2
    dL_dZ1 = dL_dA1 * dA1_dZ1
    dL_dW1 = dL_dZ1 @ X.T
    dL_db1 = np.sum(dL_dZ1, axis=1, keepdims=True)
""",
        [
            ("dA1_dZ1 = 1 - A1 ** 2", "dA1_dZ1 = 1 - A1"),
            ("dL_dA1 = W2.T @ dL_dZ2", "dL_dA1 = W2.T @ dL_dZ2 / m"),
            ("dL_dW1 = dL_dZ1 @ X.T", "dL_dW1 = dL_dA1 @ X.T"),
            ("Z1 = W1 @ X + b1", "Z1 = W1 @ X"),
        ],
    ),
    "delta one by one over three layers": Style(
        SIGMOID_THREE,
        """\
def backprop(X, y, W1, W2, W3, b1, b2, b3):
    a1 = sigmoid(X @ W1.T + b1)
    a2 = sigmoid(a1 @ W2.T + b2)
    a3 = sigmoid(a2 @ W3.T + b3)
    N = len(X)
    delta3 = (a3 - y) * a3 * (1 - a3) / N
    delta2 = delta3 @ W3 * a2 * (1 - a2)
    delta1 = delta2 @ W2 * a1 * (1 - a1)
    dW3, db3 = delta3.T @ a2, delta3.sum(axis=0)
    dW2, db2 = delta2.T @ a1, delta2.sum(axis=0)
    dW1, db1 = delta1.T @ X, delta1.sum(axis=0)
    return dW1, dW2, dW3, db1, db2, db3
""",
        [
            ("delta2 @ W2 * a1 * (1 - a1)", "delta2 @ W2 * a1 * (1 + a1)"),
            ("delta3 @ W3 * a2 * (1 - a2)", "delta3 @ W3 * a1.mean() * (1 - a2)"),
            ("delta2.T @ a1, delta2.sum(axis=0)", "delta2.T @ a1, delta2.sum()"),
            ("dW1, db1 = delta1.T @ X,", "dW1, db1 = delta2.T @ X,"),
        ],
    ),
    "softmax in a helper, weight decay": Style(
        TANH_CLASSES,
        """\
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def compute_gradients(X, Y, model, weight_decay):
    W1, b1, W2, b2 = model["W1"], model["b1"], model["W2"], model["b2"]
    A1 = np.tanh(X.dot(W1) + b1)
    P = softmax(A1.dot(W2) + b2)
    dZ2 = P - Y
    dW2 = A1.T.dot(dZ2) / len(X)
    db2 = dZ2.mean(axis=0)
    dZ1 = dZ2.dot(W2.T) * (1.0 - np.square(A1))
    dW1 = X.T.dot(dZ1) / len(X)
    db1 = dZ1.mean(axis=0)
    dW2 += weight_decay * W2
    dW1 += weight_decay * W1
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
""",
        [
            ("e.sum(axis=1, keepdims=True)", "e.sum(axis=1, keepdims=True) ** 2"),
            ("dW1 += weight_decay * W1", "dW1 -= weight_decay * W1"),
            ("(1.0 - np.square(A1))", "np.square(A1)"),
            ("db1 = dZ1.mean(axis=0)", "db1 = dZ1.sum(axis=0)"),
        ],
    ),
    "an object with lists of layers": Style(
        RELU_TWICE_BINARY,
        """\
class Network:
    def backward(self, X, y):
        m = y.shape[0]
        grads_w = [None] * 3
        grads_b = [None] * 3
        delta = self.activations[-1] - y
        for i in range(2, -1, -1):
            grads_w[i] = self.activations[i].T @ delta / m
            grads_b[i] = delta.sum(axis=0) / m
            if i > 0:
                delta = (delta @ self.weights[i].T) * (self.zs[i - 1] > 0)
        return grads_w, grads_b
""",
        [
            ("(self.zs[i - 1] > 0)", "(self.zs[i - 1] < 0)"),
            ("self.activations[i].T @ delta / m", "self.activations[i].T @ delta"),
            ("delta.sum(axis=0) / m", "delta.mean(axis=0) / m"),
            ("delta = self.activations[-1] - y", "delta = self.zs[-1] - y"),
        ],
    ),
    "in-place relu on the gradient": Style(
        RELU_CLASSES,
        """\
def grad(X, T, W1, b1, W2, b2, reg):
    h = np.maximum(X @ W1 + b1, 0)
    s = h @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    ds = (p - T) / X.shape[0]
    dW2 = h.T @ ds
    dW2 += 2 * reg * W2
    db2 = ds.sum(0)
    dh = ds @ W2.T
    dh[h == 0] = 0
    dW1 = X.T @ dh
    dW1 += 2 * reg * W1
    db1 = dh.sum(0)
""",
        [
            ("dh[h == 0] = 0", "dh[h != 0] = 0"),
            ("dW1 += 2 * reg * W1", "dW1 += reg * W1"),
            ("dW2 = h.T @ ds", "dW2 = h.T @ s"),
            ("ds = (p - T) / X.shape[0]", "ds = p * (p - T) / X.shape[0]"),
        ],
    ),
    "one example in columns": Style(
        TANH_BINARY,
        """\
def backprop(self, x, y):
    z1 = np.dot(self.w1, x) + self.b1
    a1 = np.tanh(z1)
    z2 = np.dot(self.w2, a1) + self.b2
    a2 = 1.0 / (1.0 + np.exp(-z2))
    delta2 = a2 - y
    nabla_w2 = np.dot(delta2, a1.T)
    nabla_b2 = delta2
    delta1 = np.dot(self.w2.T, delta2) * (1 - np.tanh(z1) ** 2)
    nabla_w1 = np.dot(delta1, x.T)
    nabla_b1 = delta1
    return nabla_w1, nabla_b1, nabla_w2, nabla_b2
""",
        [
            ("delta2 = a2 - y", "delta2 = (a2 - y) * a2 * (1 - a2)"),
            ("(1 - np.tanh(z1) ** 2)", "(1 - np.tanh(z1))"),
            ("nabla_w1 = np.dot(delta1, x.T)", "nabla_w1 = np.dot(delta1, a1.T)"),
            ("nabla_b1 = delta1", "nabla_b1 = delta2"),
        ],
    ),
    "learning rate inside the update": Style(
        SIGMOID_SQUARES,
        """\
def fit(X, Y, W1, b1, W2, b2, alpha):
    m = X.shape[1]
    for epoch in range(1):
        A1 = sigmoid(np.dot(W1, X) + b1)
        A2 = sigmoid(np.dot(W2, A1) + b2)
        dZ2 = (A2 - Y) * A2 * (1 - A2)
        dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)
        W2 = W2 - alpha * np.dot(dZ2, A1.T) / m
        b2 = b2 - alpha * np.mean(dZ2, axis=1, keepdims=True)
        W1 = W1 - alpha * np.dot(dZ1, X.T) / m
        b1 = b1 - alpha * np.mean(dZ1, axis=1, keepdims=True)
""",
        [
            ("W1 = W1 - alpha * np.dot(dZ1, X.T) / m", "W1 = W1 + alpha * np.dot(dZ1, X.T) / m"),
            ("dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)", "dZ1 = np.dot(W2.T, dZ2) * A1"),
            ("dZ2 = (A2 - Y) * A2 * (1 - A2)", "dZ2 = (A2 - Y) * A2"),
            (
                "b2 = b2 - alpha * np.mean(dZ2, axis=1, keepdims=True)",
                "b2 = b2 - alpha * np.mean(dZ1, axis=1, keepdims=True)",
            ),
        ],
    ),
}
