"""Further lines, of styles and networks that the reader was not made on."""

from course_lines import Style
from network_cases import run_of

DEEP = run_of([5, 7, 3, 2], 13, ["relu", "relu", "sigmoid"], "bce")
CLASSES = run_of([5, 7, 3], 13, ["sigmoid", "softmax"], "cross_entropy")
REGRESSION = run_of([5, 7, 2], 13, ["tanh", "identity"], "half_squared_error")
ONE = run_of([5, 7, 3, 2], 0, ["tanh", "tanh", "sigmoid"], "half_squared_error")

STYLES = {
    "deep, columns": Style(
        DEEP,
        "columns",
        "out,in",
        (
            ("dA2 = np.dot(W3.T, dZ3)", "dA2 = np.dot(W3.T, dZ2)", "dA2 = np.dot(W3, dZ3)"),
            ("dZ2 = relu_backward(dA2, Z2)", "dZ2 = relu_backward(dA2, Z1)"),
            ("dZ1 = dA1 * np.where(Z1 > 0, 1, 0)", "dZ1 = dA1 * np.where(Z1 > 0, 0, 1)"),
            (
                "grads['db' + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m",
                "grads['db' + str(l)] = np.sum(dZ, axis=0, keepdims=True) / m",
            ),
            ("dW3 = (A3 - Y).dot(A2.T) / m", "dW3 = (A3 - Y).dot(A1.T) / m"),
            ("A2 = np.maximum(0, W2 @ A1 + b2)", "A2 = np.maximum(0, W2 @ A1)"),
            ("Z3 = W3 @ A2 + b3", "Z3 = W3 @ A1 + b3", "Z3 = W3.T @ A2 + b3"),
            ("A3 = 1 / (1 + np.exp(-Z3))", "A3 = 1 / (1 + np.exp(Z3))"),
        ),
    ),
    "classes, rows": Style(
        CLASSES,
        "rows",
        "in,out",
        (
            ("delta2 = probs - y", "delta2 = y - probs"),
            ("dW2 = (a1.T).dot(delta2)", "dW2 = (delta2.T).dot(a1)"),
            ("db2 = np.sum(delta2, axis=0, keepdims=True)", "db2 = np.sum(delta2, axis=1)"),
            ("delta1 = delta2.dot(W2.T) * a1 * (1 - a1)", "delta1 = delta2.dot(W2.T) * a1"),
            ("dW1 = np.dot(X.T, delta1)", "dW1 = np.dot(X, delta1)"),
            ("dW1 = X.T @ (delta1 / X.shape[0])", "dW1 = X.T @ (delta1 / X.shape[1])"),
            ("a1 = sigmoid(X @ W1 + b1)", "a1 = tanh(X @ W1 + b1)", "a1 = sigmoid(X @ W1 + b2)"),
            ("probs = softmax(scores)", "probs = sigmoid(scores)"),
            (
                "probs = np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)",
                "probs = np.exp(z2) / np.exp(z2).sum(axis=0, keepdims=True)",
            ),
            (
                "dz1 = (dz2 @ W2.T) * self.sigmoid_prime(self.z1)",
                "dz1 = (dz2 @ W2.T) * self.sigmoid_prime(self.z2)",
            ),
        ),
    ),
    "regression, rows": Style(
        REGRESSION,
        "rows",
        "out,in",
        (
            ("dz2 = (y_hat - y) / n", "dz2 = (y - y_hat) / n"),
            ("dW2 = np.einsum('bo,bi->oi', dz2, a1)", "dW2 = np.einsum('bo,bi->io', dz2, a1)"),
            ("dz1 = dz2 @ W2 * (1 - np.tanh(z1)**2)", "dz1 = dz2 @ W2 * (1 - np.tanh(z1))"),
            (
                "dz1 = np.matmul(dz2, W2) * tanh_prime(z1)",
                "dz1 = np.matmul(dz2, W1) * tanh_prime(z1)",
            ),
            ("grads['b1'] = dz1.sum(0)", "grads['b1'] = dz1.sum(1)"),
            ("hidden = np.tanh(x @ W1.T + b1)", "hidden = np.tanh(x @ W1.T)"),
            ("y_hat = hidden @ W2.T + b2", "y_hat = hidden @ W2.T + b1"),
            ("dz2_da1 = W2", "dz2_da1 = W1"),
            ("dW2 += weight_decay * W2", "dW2 += weight_decay * W1"),
            ("grad_W1 = grad_z1.T.dot(x)", "grad_W1 = grad_z1.T.dot(a1)"),
        ),
    ),
    "one example, 1-D": Style(
        ONE,
        "rows",
        "out,in",
        (
            ("delta3 = (a3 - y) * a3 * (1 - a3)", "delta3 = (a3 - y) * a3 * (1 + a3)"),
            (
                "dW3 = delta3[:, np.newaxis] * a2[np.newaxis, :]",
                "dW3 = delta3[:, np.newaxis] * a1[np.newaxis, :]",
            ),
            ("delta2 = W3.T.dot(delta3) * (1 - a2**2)", "delta2 = W3.T.dot(delta3) * (1 - z2**2)"),
            ("da2_dz2 = np.diag(1 - a2**2)", "da2_dz2 = np.diag(1 - a1**2)"),
            ("dz3_db3 = np.eye(2)", "dz3_db3 = np.eye(3)"),
            ("dJ_da2 = dJ_dz3 @ dz3_da2", "dJ_da2 = dJ_dz3 @ dz2_da1"),
            ("db2 = delta2.copy()", "db2 = delta3.copy()"),
            ("dW2 = np.outer(delta2, activations[1])", "dW2 = np.outer(delta2, activations[2])"),
            (
                "dW1 = delta1.reshape(-1, 1) @ x.reshape(1, -1)",
                "dW1 = delta1.reshape(-1, 1) @ a1.reshape(1, -1)",
            ),
        ),
    ),
}
OTHERWISE = {  # the same change in other words, or a slope under its name
    "dZ1 = dA1 * np.where(Z1 > 0, 0, 1)": "dA1 * np.where(Z1 < 0, 0, 1)",
    "db2 = np.sum(delta2, axis=1)": "np.sum(delta2, axis=0)",
    "delta1 = delta2.dot(W2.T) * a1": "delta2.dot(W2.T) * slope(z1)",
    "dW1 = X.T @ (delta1 / X.shape[1])": "X.T @ delta1",
    "dz1 = dz2 @ W2 * (1 - np.tanh(z1))": "dz2 @ W2 * slope(z1)",
}
