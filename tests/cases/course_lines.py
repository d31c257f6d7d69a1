"""Right lines in the styles of public courses, each with lines in which a mistake is planted.

Each style says its network, and how its arrays are laid out. A right line comes first, then the
wrong ones. What is meant by a wrong one is the right one, or what OTHERWISE has: a slope or an
activation is put in under its name in the network.
"""

from dataclasses import dataclass

from network_cases import run_of

from jacobian_bp.network.run import Run


@dataclass(frozen=True)
class Style:
    """A network and a layout, and for each right line the wrong ones."""

    run: Run
    examples: str
    weights: str
    lines: tuple[tuple[str, ...], ...]


SIZES, BATCH = [7, 5, 3, 2], 11
SOFTMAX = run_of(SIZES, BATCH, ["tanh", "relu", "softmax"], "cross_entropy")
SIGMOID = run_of(SIZES, BATCH, ["tanh", "sigmoid", "sigmoid"], "bce")
ONE_SIGMOID = run_of(SIZES, 0, "sigmoid", "half_squared_error")
SHALLOW = run_of([7, 5, 3], BATCH, "sigmoid", "half_squared_error")
RELU = run_of([7, 5, 3], BATCH, ["relu", "softmax"], "cross_entropy")
TANH = run_of([7, 5, 3], BATCH, ["tanh", "softmax"], "cross_entropy")
LINEAR = run_of([7, 5, 3], BATCH, ["relu", "identity"], "squared_error")

STYLES = {
    "found rows": Style(
        RELU,
        "rows",
        "in,out",
        (
            ("dZ2 = (A2 - Y) / len(X)", "dZ2 = (Y - A2) / len(X)", "dZ2 = (A1 - Y) / len(X)"),
            ("dZ2 = A2 - Y", "dZ2 = Y - A2", "dZ2 = Z2 - Y"),
            ("dW2 = np.dot(A1.T, dZ2) / m", "dW2 = np.dot(Z1.T, dZ2) / m"),
            ("dW2 = np.dot(self.A1.T, dZ2) / m", "dW2 = np.dot(dZ2.T, self.A1) / m"),
            ("dW2 = A1.T @ dZ2", "dW2 = X.T @ dZ2", "dW2 = A1 @ dZ2"),
            ("dA1 = np.dot(dZ2, W2.T)", "dA1 = np.dot(dZ2, W2)", "dA1 = np.dot(dZ2, W1.T)"),
            ("dZ1 = dA1 * relu_derivative(Z1)", "dZ1 = dA1 * relu_derivative(Z2)", "dZ1 = dA1"),
            (
                "dZ1 = np.dot(dZ2, W2.T) * (Z1 > 0)",
                "dZ1 = np.dot(dZ2, W2.T) * (Z1 < 0)",
                "dZ1 = np.dot(dZ2, W2.T)",
                "dZ1 = np.dot(dZ2, W2) * (Z1 > 0)",
            ),
            ("dW1 = np.dot(X.T, dZ1) / X.shape[0]", "dW1 = np.dot(A1.T, dZ1) / X.shape[0]"),
            ("dZ1 = np.where(Z1 > 0, dA1, 0)", "dZ1 = np.where(Z1 > 0, 0, dA1)"),
            ("dA1[Z1 <= 0] = 0", "dA1[Z1 >= 0] = 0"),
            ("dW2 = np.dot(A1.T, dZ2) + reg * W2", "dW2 = np.dot(A1.T, dZ2) + reg * W1.T"),
            ("dW2 += reg * W2", "dW2 += reg * W2**2"),
        ),
    ),
    "found columns": Style(
        TANH,
        "columns",
        "out,in",
        (
            ("dW2 = np.dot(dZ2, cache['A1'].T) / m", "dW2 = np.dot(dZ2, cache['A1']) / m"),
            (
                "dW2 = np.dot(dZ2, A1.T) / m + lambd * W2 / m",
                "dW2 = np.dot(dZ2, Z1.T) / m + lambd * W2 / m",
            ),
        ),
    ),
    "found relu columns": Style(
        RELU,
        "columns",
        "out,in",
        (("dZ1 = np.multiply(dA1, np.int64(A1 > 0))", "dZ1 = np.multiply(dA1, np.int64(A1 < 0))"),),
    ),
    "Ng": Style(
        SIGMOID,
        "columns",
        "out,in",
        (
            ("dZ3 = A3 - Y", "dZ3 = Y - A3", "dZ3 = A2 - Y"),
            ("dW3 = 1./m * np.dot(dZ3, A2.T)", "dW3 = 1./m * np.dot(dZ3, A1.T)"),
            (
                "db3 = 1./m * np.sum(dZ3, axis=1, keepdims=True)",
                "db3 = 1./m * np.sum(dZ3, axis=0, keepdims=True)",
            ),
            (
                "dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))",
                "dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 3))",
                "dZ1 = np.multiply(np.dot(W2, dZ2), 1 - np.power(A1, 2))",
                "dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(Z1, 2))",
            ),
            ("dW2 = np.dot(dZ2, A1.T) / Y.shape[1]", "dW2 = np.dot(dZ2.T, A1) / Y.shape[1]"),
            ("dA2 = np.dot(parameters['W3'].T, dZ3)", "dA2 = np.dot(parameters['W3'], dZ3)"),
            ("grads['dW1'] = np.dot(dZ1, X.T) / m", "grads['dW1'] = np.dot(dZ1, A1.T) / m"),
            ("Z1 = np.dot(W1, X) + b1", "Z1 = np.dot(W1, X)", "Z1 = np.dot(W1.T, X) + b1"),
            ("A1 = np.tanh(Z1)", "A1 = sigmoid(Z1)", "A1 = np.tanh(X)"),
            ("A3 = sigmoid(Z3)", "A3 = np.tanh(Z3)", "A3 = sigmoid(Z2)"),
            (
                "dA3 = -(np.divide(Y, A3) - np.divide(1 - Y, 1 - A3)) / m",
                "dA3 = -(np.divide(Y, A3) + np.divide(1 - Y, 1 - A3)) / m",
            ),
            ("dZ2 = dA2 * A2 * (1 - A2)", "dZ2 = dA2 * A2 * (1 + A2)", "dZ2 = dA2 * (1 - A2)"),
            ("dW = np.dot(dZ, A_prev.T) / m", "dW = np.dot(dZ, A_prev) / m"),
            ("dA_prev = np.dot(W.T, dZ)", "dA_prev = np.dot(W, dZ)"),
        ),
    ),
    "Nielsen": Style(
        ONE_SIGMOID,
        "columns",
        "out,in",
        (
            (
                "delta = (activations[-1] - y) * sigmoid_prime(zs[-1])",
                "delta = activations[-1] - y",
            ),
            ("nabla_b[-1] = delta", "nabla_b[-1] = delta * 2"),
            (
                "nabla_w[-1] = np.dot(delta, activations[-2].transpose())",
                "nabla_w[-1] = np.dot(delta, activations[-2])",
                "nabla_w[-1] = np.dot(delta, activations[-3].transpose())",
            ),
            (
                "delta = np.dot(self.weights[-l+1].transpose(), delta) * sigmoid_prime(zs[-l])",
                "delta = np.dot(self.weights[-l+1], delta) * sigmoid_prime(zs[-l])",
                "delta = np.dot(self.weights[-l+1].transpose(), delta)",
            ),
            (
                "nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())",
                "nabla_w[-l] = np.dot(delta, activations[-l].transpose())",
            ),
            ("z2 = np.dot(w2, a1) + b2", "z2 = np.dot(w2, a1)", "z2 = np.dot(w1, a1) + b2"),
            ("a2 = sigmoid(z2)", "a2 = np.tanh(z2)", "a2 = sigmoid(z1)"),
            (
                "delta2 = np.dot(w3.transpose(), delta3) * sigmoid_prime(z2)",
                "delta2 = np.dot(w3.transpose(), delta3) * sigmoid_prime(z3)",
                "delta2 = np.dot(w2.transpose(), delta3) * sigmoid_prime(z2)",
            ),
            ("dW2 = d2.dot(a1.T)", "dW2 = d2.dot(a1)", "dW2 = a1.dot(d2)", "dW2 = d2 * a1"),
            ("dw1 = np.dot(delta1, x.T)", "dw1 = np.dot(delta1, x)", "dw1 = np.dot(x, delta1.T)"),
        ),
    ),
    "CS231n": Style(
        RELU,
        "rows",
        "in,out",
        (
            ("dscores = (probs - y) / N", "dscores = (y - probs) / N"),
            ("dW2 = np.dot(hidden_layer.T, dscores)", "dW2 = np.dot(dscores.T, hidden_layer)"),
            ("db2 = np.sum(dscores, axis=0, keepdims=True)", "db2 = np.sum(dscores, axis=1)"),
            ("dhidden = np.dot(dscores, W2.T)", "dhidden = np.dot(dscores, W2)"),
            ("dhidden[hidden_layer <= 0] = 0", "dhidden[hidden_layer >= 0] = 0"),
            ("scores = np.dot(hidden_layer, W2) + b2", "scores = np.dot(hidden_layer, W2)"),
            (
                "hidden_layer = np.maximum(0, np.dot(X, W1) + b1)",
                "hidden_layer = np.dot(X, W1) + b1",
            ),
            (
                "probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)",
                "probs = np.exp(scores) / np.sum(np.exp(scores), axis=0, keepdims=True)",
            ),
            ("dW1 = X.T.dot(dZ1)", "dW1 = X.dot(dZ1)", "dW1 = dZ1.T.dot(X)"),
            ("a1 = np.maximum(z1, 0)", "a1 = np.minimum(z1, 0)", "a1 = np.tanh(z1)"),
        ),
    ),
    "Trask": Style(
        SHALLOW,
        "rows",
        "in,out",
        (
            ("l1 = sigmoid(np.dot(l0, syn0) + b1)", "l1 = sigmoid(np.dot(l0, syn0))"),
            ("l2_delta = (l2 - y) * (l2 * (1 - l2))", "l2_delta = (l2 - y) * (l2 * (1 + l2))"),
            ("l1_error = l2_delta.dot(syn1.T)", "l1_error = l2_delta.dot(syn1)"),
            ("l1_delta = l1_error * (l1 * (1 - l1))", "l1_delta = l1_error * (1 - l1)"),
            ("l1_delta = l1_error * nonlin(l1, deriv=True)", "l1_delta = l1_error"),
            ("dW2 = l1.T.dot(l2_delta)", "dW2 = l1.dot(l2_delta)", "dW2 = l0.T.dot(l2_delta)"),
            ("dW1 = l0.T.dot(l1_delta)", "dW1 = l1_delta.T.dot(l0)"),
        ),
    ),
    "fast.ai": Style(
        LINEAR,
        "rows",
        "in,out",
        (
            (
                "dz2 = 2 * (p - y) / len(x)",
                "dz2 = 2 * (p - y) / len(W1)",
                "dz2 = 3 * (p - y) / len(x)",
            ),
            ("da1 = dz2 @ w2.t()", "da1 = dz2 @ w2", "da1 = dz2 @ w1.t()"),
            ("dz1 = (z1 > 0).float() * da1", "dz1 = (z1 < 0).float() * da1"),
            ("dw1 = x.t() @ dz1", "dw1 = x @ dz1", "dw1 = a1.t() @ dz1"),
            (
                "dw1 = (x[:, :, None] * dz1[:, None, :]).sum(0)",
                "dw1 = (x[:, :, None] * dz1[:, :, None]).sum(0)",
            ),
            ("db2 = dz2.sum(0)", "db2 = dz2.sum(1)", "db2 = dz2"),
            ("z2 = a1 @ w2 + b2", "z2 = a1 @ w2", "z2 = x @ w1 + b1"),
            ("a1 = z1.clip(0)", "a1 = z1"),
        ),
    ),
    "micrograd": Style(
        ONE_SIGMOID,
        "rows",
        "out,in",
        (
            ("dW2 += np.outer(dz2, a1)", "dW2 += np.outer(a1, dz2)", "dW2 += np.outer(dz2, z1)"),
            ("db2 += dz2", "db2 += da2"),
            ("da1 += W2.T @ dz2", "da1 += W2 @ dz2", "da1 += W1.T @ dz2"),
            ("dz2 = (1 - a2) * a2 * da2", "dz2 = (1 - a2**2) * da2"),
            ("dz2 = self.a2 * (1 - self.a2) * da2", "dz2 = self.z2 * (1 - self.z2) * da2"),
            ("da2_dz2 = np.diag(a2 * (1 - a2))", "da2_dz2 = np.diag(a2 * (1 + a2))"),
            ("dz3_da2 = W3", "dz3_da2 = W3.T @ W3", "dz3_da2 = W2"),
            ("dz2_db2 = np.eye(len(b2))", "dz2_db2 = np.eye(len(b3))"),
            ("dz2_dW2 = np.kron(np.eye(len(b2)), a1)", "dz2_dW2 = np.kron(np.eye(len(b2)), z1)"),
            ("dJ_dz2 = dJ_dz3 @ dz3_da2 @ da2_dz2", "dJ_dz2 = dJ_dz3 @ dz3_da2"),
            ("dL/dW2 = np.outer(dL/dz2, a1)", "dL/dW2 = np.outer(dL/dz2, a2)"),
        ),
    ),
    "PyTorch": Style(
        LINEAR,
        "rows",
        "out,in",
        (
            ("grad_W2 = grad_z2.T @ a1", "grad_W2 = grad_z2.T @ z1", "grad_W2 = a1.T @ grad_z2"),
            ("grad_b2 = grad_z2.sum(axis=0)", "grad_b2 = grad_z2.sum(axis=1)"),
            ("grad_a1 = grad_z2 @ W2", "grad_a1 = grad_z2 @ W2.T", "grad_a1 = grad_z2 @ W1"),
            (
                "grad_z1 = grad_a1 * (z1 > 0).astype(float)",
                "grad_z1 = grad_a1 * (z2 > 0).astype(float)",
            ),
            (
                "grad_W2 = np.einsum('nk,ni->ki', grad_z2, a1)",
                "grad_W2 = np.einsum('nk,ni->ik', grad_z2, a1)",
            ),
            ("z1 = x @ W1.T + b1", "z1 = x @ W1 + b1", "z1 = x @ W1.T", "z1 = x @ W1.T + b2"),
            ("a1 = np.where(z1 > 0, z1, 0)", "a1 = np.where(z1 < 0, z1, 0)"),
            ("grad_W1 = np.matmul(grad_z1.T, x)", "grad_W1 = np.matmul(grad_z1, x)"),
            ("da1_dz1 = (z1 > 0) * 1.0", "da1_dz1 = (z1 < 0) * 1.0"),
            ("dz2_dW2 = np.concatenate([a1])", "dz2_dW2 = np.concatenate([z1])"),
        ),
    ),
}

OTHERWISE = {
    "dZ1 = dA1": "dA1 * slope(z1)",
    "dZ1 = np.dot(dZ2, W2.T)": "np.dot(dZ2, W2.T) * slope(z1)",
    "dZ1 = np.where(Z1 > 0, 0, dA1)": "np.where(Z1 < 0, 0, dA1)",
    "A1 = sigmoid(Z1)": "tanh(Z1)",
    "dZ2 = dA2 * (1 - A2)": "dA2 * slope(z2)",
    "delta = activations[-1] - y": "(activations[-1] - y) * slope(z3)",
    "delta = np.dot(self.weights[-l+1].transpose(), delta)": (
        "np.dot(self.weights[-l + 1].transpose(), delta) * slope(z2)"
    ),
    "dW2 = d2 * a1": "d2 @ a1.T",
    "db2 = np.sum(dscores, axis=1)": "np.sum(dscores, axis=0)",
    "hidden_layer = np.dot(X, W1) + b1": "relu(np.dot(X, W1) + b1)",
    "a1 = np.tanh(z1)": "relu(z1)",
    "l1_delta = l1_error * (1 - l1)": "l1_error * slope(z1)",
    "l1_delta = l1_error": "l1_error * slope(z1)",
    "dz2 = 2 * (p - y) / len(W1)": "2 * (p - y) / m",
    "z2 = x @ w1 + b1": "a1 @ W2 + b2",
    "a1 = z1": "relu(z1)",
    "dz2 = (1 - a2**2) * da2": "slope(z2) * da2",
    "dz2 = self.z2 * (1 - self.z2) * da2": "slope(z2) * da2",
    "dJ_dz2 = dJ_dz3 @ dz3_da2": "dJ_dz3 @ dz3_da2 * slope(z2)",
}
