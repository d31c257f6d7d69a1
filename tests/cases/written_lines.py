"""Right lines as courses write them, each with the network that it is about.

The networks: `rows` and `columns` have the examples so, W is (outputs, inputs) unless `turned`.
"""

from network_cases import run_of

SIZES, BATCH = [7, 5, 3], 11
RUNS = {
    "relu": run_of(SIZES, BATCH, ["relu", "softmax"], "cross_entropy"),
    "sigmoid": run_of(SIZES, BATCH, "sigmoid", "half_squared_error"),
    "tanh": run_of(SIZES, BATCH, ["tanh", "softmax"], "cross_entropy"),
    "one": run_of(SIZES, 0, "sigmoid", "half_squared_error"),
    "bce": run_of(SIZES, BATCH, ["tanh", "sigmoid"], "bce"),
}
ROWS, COLUMNS = ("rows", "out,in"), ("columns", "out,in")
TURNED, ANDREW = ("rows", "in,out"), ("columns", "out,in")

LINES = {
    ("relu", TURNED): """
        dZ1 = dA1 * np.heaviside(Z1, 0)
        dZ1 = np.heaviside(Z1, 1) * dZ2.dot(W2.T)
        dZ1 = dZ2.dot(W2.T) * (1. * (Z1 > 0))
        dZ1 = dZ2 @ W2.T * np.where(Z1 > 0, 1, 0)
        dZ1 = dZ2 @ W2.T * np.where(Z1 > 0, 1.0, 0.0)
        dZ1 = np.where(Z1 <= 0, 0, dZ2 @ W2.T)
        dZ1 = dZ2 @ W2.T * (A1 > 0).astype(np.float32)
        dZ1 = dZ2 @ W2.T * np.sign(A1)
        dZ1 = dZ2 @ W2.T * np.greater(Z1, 0)
        dZ1 = dZ2 @ W2.T * (Z1 > 0.0)
        dZ1 = np.tensordot(dZ2, W2, axes=(1, 1)) * (Z1 > 0)
        dZ1 = np.tensordot(dZ2, W2, axes=([1], [1])) * (Z1 > 0)
        dZ1 = np.tensordot(dZ2, W2.T, axes=1) * (Z1 > 0)
        dZ1 = np.einsum('nk,ik->ni', dZ2, W2) * (Z1 > 0)
        dW2 = np.tensordot(A1, dZ2, axes=([0], [0]))
        dW2 = np.tensordot(A1.T, dZ2, axes=1)
        dW2 = np.einsum('ni,nk->ik', A1, dZ2)
        dW2 = np.swapaxes(A1, 0, 1) @ dZ2
        dW2 = A1.swapaxes(0, 1).dot(dZ2)
        dW2 = A1.transpose(1, 0) @ dZ2
        dW2 = np.transpose(A1, (1, 0)) @ dZ2
        dW2 = (A1[:, :, np.newaxis] * dZ2[:, np.newaxis, :]).sum(axis=0)
        dW2 = (np.expand_dims(A1, 2) * np.expand_dims(dZ2, 1)).sum(0)
        dW2 = np.add.reduce(A1[:, :, None] * dZ2[:, None, :], axis=0)
        dW2 = np.matmul(A1.T, dZ2)
        db2 = dZ2.sum(0, keepdims=True)
        db2 = np.sum(dZ2, 0)
        db2 = np.sum(dZ2, axis=0).reshape(1, -1)
        db2 = np.ones((1, m)) @ dZ2
        db2 = np.ones(m) @ dZ2
        db2 = np.ones((1, X.shape[0])).dot(dZ2)
        db2 = dZ2.mean(axis=0) * X.shape[0]
        db2 = np.atleast_2d(dZ2.sum(axis=0))
        db2 = dZ2.sum(axis=0).ravel()
        db2 = np.squeeze(dZ2.sum(axis=0, keepdims=True))
        dZ2 = (A2 - Y) / Y.shape[0]
        dZ2 = (1 / m) * (A2 - Y)
        dZ2 = np.subtract(A2, Y) / m
        dZ2 = np.divide(A2 - Y, m)
        dZ2 = -(Y - A2) * 1.0 / len(Y)
        dA1 = np.inner(dZ2, W2)
        dA1 = dZ2.dot(W2.transpose())
        dX = np.dot(dZ1, W1.T)
        A1 = np.maximum(0., Z1)
        A1 = np.maximum(np.zeros_like(Z1), Z1)
        A1 = Z1 * (Z1 > 0)
        A1 = np.clip(Z1, 0, None)
        A1 = (np.abs(Z1) + Z1) / 2
        A1 = np.where(Z1 > 0, Z1, np.zeros_like(Z1))
        A2 = np.exp(Z2) / np.exp(Z2).sum(1, keepdims=True)
        A2 = np.exp(Z2 - np.amax(Z2)) / np.sum(np.exp(Z2 - np.amax(Z2)), axis=1, keepdims=True)
        A2 = np.exp(Z2) / np.exp(Z2).sum(axis=1)[:, None]
        A2 = (np.exp(Z2).T / np.exp(Z2).sum(axis=1)).T
        A2 = np.exp(Z2 - np.log(np.sum(np.exp(Z2), axis=1, keepdims=True)))
        A2 = np.divide(np.exp(Z2), np.exp(Z2).sum(axis=-1).reshape(-1, 1))
        Z2 = np.dot(A1, W2) + b2
        Z2 = np.c_[A1, np.ones(m)] @ np.r_[W2, b2[None, :]]
        Z2 = np.add(A1 @ W2, b2)
        dW2 = dZ2.T.dot(A1).T
        loss = -np.sum(Y * np.log(A2)) / m
        loss = -np.mean(np.sum(Y * np.log(A2), axis=1))
        """,
    ("sigmoid", ROWS): """
        a1 = expit(z1)
        a1 = scipy.special.expit(z1)
        a1 = special.expit(z1)
        a1 = 1 / (1 + np.exp(-z1))
        a1 = np.reciprocal(1 + np.exp(-z1))
        a1 = 1. / (1. + np.exp(-1. * z1))
        a1 = 0.5 * (1 + np.tanh(z1 / 2))
        a1 = np.power(1 + np.exp(-z1), -1)
        a1 = np.exp(z1) / (1 + np.exp(z1))
        d1 = d2 @ W2 * expit(z1) * (1 - expit(z1))
        d1 = d2 @ W2 * np.exp(-z1) / (1 + np.exp(-z1))**2
        d1 = d2 @ W2 * np.exp(-z1) / np.square(1 + np.exp(-z1))
        d1 = d2 @ W2 * (a1 - a1**2)
        d1 = d2 @ W2 * (a1 - np.square(a1))
        d1 = d2 @ W2 * np.multiply(a1, np.subtract(1, a1))
        d1 = np.multiply(d2.dot(W2), a1 * (1.0 - a1))
        d2 = (a2 - y) * a2 * (1 - a2) / y.shape[0]
        dW1 = d1.T.dot(x)
        dTheta2 = d2.T.dot(np.insert(a1, 0, 1, axis=1))
        dTheta2 = np.dot(d2.T, np.c_[np.ones(m), a1])
        dTheta2 = np.dot(d2.T, np.c_[np.ones((m, 1)), a1])
        dTheta2 = d2.T @ np.column_stack([np.ones(len(x)), a1])
        dTheta2 = d2.T @ np.append(np.ones((m, 1)), a1, axis=1)
        d1 = np.delete(d2 @ Theta2, 0, axis=1) * a1 * (1 - a1)
        d1 = d2.dot(Theta2[:, 1:]) * a1 * (1 - a1)
        d1 = np.dot(d2, np.delete(Theta2, 0, 1)) * (a1 * (1 - a1))
        loss = 0.5 * np.sum((a2 - y)**2) / m
        loss = np.mean(np.sum(np.square(y - a2), axis=1)) / 2
        loss = 1 / (2 * m) * np.linalg.norm(a2 - y)**2
        """,
    ("tanh", COLUMNS): """
        dZ1 = W2.T.dot(dZ2) * (1 - np.tanh(Z1)**2)
        dZ1 = np.multiply(W2.T.dot(dZ2), 1 - np.square(A1))
        dZ1 = np.dot(W2.T, dZ2) / np.cosh(Z1)**2
        dZ1 = np.dot(W2.T, dZ2) * (1 / np.cosh(Z1))**2
        dZ1 = np.dot(W2.T, dZ2) * np.power(np.cosh(Z1), -2)
        A1 = np.sinh(Z1) / np.cosh(Z1)
        A1 = (np.exp(Z1) - np.exp(-Z1)) / (np.exp(Z1) + np.exp(-Z1))
        A1 = 2 * sigmoid(2 * Z1) - 1
        A1 = 2 / (1 + np.exp(-2 * Z1)) - 1
        db1 = np.sum(dZ1, axis=1)[:, np.newaxis]
        db1 = dZ1.sum(axis=1).reshape(-1, 1)
        db1 = np.sum(dZ1, 1, keepdims=True)
        db1 = np.dot(dZ1, np.ones((m, 1)))
        db1 = np.sum(dZ1, axis=1).reshape(b1.shape)
        dW1 = np.einsum('in,jn->ij', dZ1, X)
        dW1 = dZ1.dot(X.T)
        dW1 = np.inner(dZ1, X)
        dW1 = np.tensordot(dZ1, X, axes=(1, 1))
        A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
        """,
    ("one", ROWS): """
        dW2 = np.outer(d2, a1)
        dW2 = d2[:, None] * a1
        dW2 = d2[:, np.newaxis] * a1[np.newaxis, :]
        dW2 = d2.reshape(-1, 1) @ a1.reshape(1, -1)
        dW2 = np.multiply.outer(d2, a1)
        dW2 = np.einsum('i,j->ij', d2, a1)
        dW2 = np.tensordot(d2, a1, axes=0)
        dW2 = np.atleast_2d(d2).T @ np.atleast_2d(a1)
        dW2 = np.dot(d2[:, None], a1[None])
        dW2 = np.kron(d2[:, None], a1)
        dW2 = np.expand_dims(d2, 1) * a1
        d2 = (a2 - y) * a2 * (1 - a2)
        d2 = np.diag(a2 * (1 - a2)) @ (a2 - y)
        d1 = np.diag(a1 * (1 - a1)) @ W2.T @ d2
        d1 = W2.T.dot(d2) * a1 * (1 - a1)
        d1 = d2.dot(W2).dot(np.diag(a1 * (1 - a1)))
        d1 = np.vdot(d2, d2) / np.vdot(d2, d2) * (d2 @ W2) * a1 * (1 - a1)
        da2_dz2 = np.diagflat(a2 * (1 - a2))
        loss = 0.5 * (a2 - y) @ (a2 - y)
        loss = np.dot(a2 - y, a2 - y) / 2
        loss = np.vdot(a2 - y, a2 - y) / 2
        loss = 0.5 * np.linalg.norm(a2 - y)**2
        """,
    ("bce", ROWS): """
        dZ2 = (A2 - Y) / m
        dA2 = (A2 - Y) / (A2 * (1 - A2)) / m
        dA2 = -(Y / A2 - (1 - Y) / (1 - A2)) / m
        dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2)) / m
        dA2 = np.divide(1 - Y, 1 - A2) / m - np.divide(Y, A2) / m
        dA2 = (-Y * np.reciprocal(A2) + (1 - Y) * np.reciprocal(1 - A2)) / m
        loss = -1 / m * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
        loss = np.sum(-Y * np.log(A2) - (1 - Y) * np.log1p(-A2)) / m
        """,
}
CASES = [
    (name, *told, line.strip())
    for (name, told), text in LINES.items()
    for line in text.strip().splitlines()
]
