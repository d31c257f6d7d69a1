"""Whole functions in further public styles: fifteen right, ten with one mistake in them.

Written, and committed, before they were first read.
"""

from backward_functions import (
    RELU_CLASSES,
    RELU_TWICE_BINARY,
    SIGMOID_SQUARES,
    SIGMOID_THREE,
    TANH_BINARY,
    TANH_CLASSES,
    TANH_LINEAR,
)

RIGHT = {  # name -> (network or cell, text)
    "typed, with a dictionary returned": (
        TANH_CLASSES,
        """\
def loss_and_grads(
    params: dict[str, np.ndarray], x: np.ndarray, targets: np.ndarray
) -> tuple[float, dict[str, np.ndarray]]:
    n: int = x.shape[0]
    hidden: np.ndarray = np.tanh(x @ params["W1"] + params["b1"])
    logits = hidden @ params["W2"] + params["b2"]
    shifted = logits - logits.max(axis=1, keepdims=True)
    probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = -np.mean(np.sum(targets * np.log(probs), axis=1))
    dlogits = (probs - targets) / n
    dhidden = dlogits @ params["W2"].T
    dpre = dhidden * (1.0 - hidden**2)
    return loss, {
        "W1": x.T @ dpre,
        "b1": dpre.sum(axis=0),
        "W2": hidden.T @ dlogits,
        "b2": dlogits.sum(axis=0),
    }
""",
    ),
    "einsum throughout": (
        TANH_LINEAR,
        """\
def backward(X, Y, W1, b1, W2, b2):
    H = np.tanh(np.einsum("ni,ih->nh", X, W1) + b1)
    out = np.einsum("nh,ho->no", H, W2) + b2
    dout = (out - Y) / len(X)
    dW2 = np.einsum("nh,no->ho", H, dout)
    db2 = np.einsum("no->o", dout)
    dH = np.einsum("no,ho->nh", dout, W2)
    dZ1 = dH * (1 - H * H)
    dW1 = np.einsum("ni,nh->ih", X, dZ1)
    db1 = np.einsum("nh->h", dZ1)
    return dW1, db1, dW2, db2
""",
    ),
    "a list of layers as dictionaries": (
        SIGMOID_THREE,
        """\
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gradients(X, Y, weights, biases):
    acts = [X]
    for W, b in zip(weights, biases):
        acts.append(sigmoid(acts[-1] @ W + b))
    delta = (acts[-1] - Y) * acts[-1] * (1 - acts[-1]) / X.shape[0]
    dW, db = [], []
    for l in range(len(weights) - 1, -1, -1):
        dW.insert(0, acts[l].T @ delta)
        db.insert(0, delta.sum(axis=0))
        if l > 0:
            delta = (delta @ weights[l].T) * acts[l] * (1 - acts[l])
    return dW, db
""",
    ),
    "residuals handed from forward to backward": (
        RELU_CLASSES,
        """\
def forward(params, x):
    W1, b1, W2, b2 = params
    z1 = x @ W1 + b1
    a1 = np.where(z1 > 0, z1, 0)
    z2 = a1 @ W2 + b2
    e = np.exp(z2 - z2.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True), (x, z1, a1)


def backward(params, residuals, p, y):
    W1, b1, W2, b2 = params
    x, z1, a1 = residuals
    g = (p - y) / y.shape[0]
    dW2 = a1.T @ g
    db2 = g.sum(0)
    g = g @ W2.T
    g = np.where(z1 > 0, g, 0)
    dW1 = x.T @ g
    db1 = g.sum(0)
    return dW1, db1, dW2, db2
""",
    ),
    "a script with epochs and prints": (
        TANH_BINARY,
        """\
learning_rate = 0.05
m = X.shape[0]
for epoch in range(2000):
    Z1 = np.dot(X, W1) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(A1, W2) + b2
    A2 = 1.0 / (1.0 + np.exp(-Z2))
    cost = -np.mean(y * np.log(A2) + (1 - y) * np.log(1 - A2))
    dZ2 = A2 - y
    dW2 = np.dot(A1.T, dZ2) / m
    db2 = np.mean(dZ2, axis=0, keepdims=True)
    dZ1 = np.dot(dZ2, W2.T) * (1 - A1**2)
    dW1 = np.dot(X.T, dZ1) / m
    db1 = np.mean(dZ1, axis=0, keepdims=True)
    W2 -= learning_rate * dW2
    b2 -= learning_rate * db2
    W1 -= learning_rate * dW1
    b1 -= learning_rate * db1
    if epoch % 100 == 0:
        print(f"epoch {epoch}: {cost:.4f}")
""",
    ),
    "words for errors": (
        SIGMOID_SQUARES,
        """\
def train_network(inputs, targets, hidden_weights, hidden_bias, output_weights, output_bias, lr):
    hidden_input = np.dot(inputs, hidden_weights) + hidden_bias
    hidden_output = 1 / (1 + np.exp(-hidden_input))
    final_input = np.dot(hidden_output, output_weights) + output_bias
    final_output = 1 / (1 + np.exp(-final_input))
    output_error = final_output - targets
    output_delta = output_error * final_output * (1 - final_output)
    hidden_error = np.dot(output_delta, output_weights.T)
    hidden_delta = hidden_error * hidden_output * (1 - hidden_output)
    output_weights -= lr * np.dot(hidden_output.T, output_delta) / len(inputs)
    output_bias -= lr * output_delta.mean(axis=0)
    hidden_weights -= lr * np.dot(inputs.T, hidden_delta) / len(inputs)
    hidden_bias -= lr * hidden_delta.mean(axis=0)
""",
    ),
    "a network class that steps over its parameters": (
        TANH_CLASSES,
        """\
class MLP:
    def __init__(self, n_in, n_hidden, n_out, lr=0.1):
        self.lr = lr
        self.params = {
            "W1": np.random.randn(n_in, n_hidden) * 0.1,
            "b1": np.zeros(n_hidden),
            "W2": np.random.randn(n_hidden, n_out) * 0.1,
            "b2": np.zeros(n_out),
        }

    def forward(self, X):
        self.X = X
        self.h = np.tanh(X @ self.params["W1"] + self.params["b1"])
        scores = self.h @ self.params["W2"] + self.params["b2"]
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, Y):
        d = (self.p - Y) / len(Y)
        self.grads = {"W2": self.h.T @ d, "b2": d.sum(axis=0)}
        d = d @ self.params["W2"].T * (1 - self.h**2)
        self.grads["W1"] = self.X.T @ d
        self.grads["b1"] = d.sum(axis=0)
        return self.grads

    def step(self):
        for name in self.params:
            self.params[name] -= self.lr * self.grads[name]
""",
    ),
    "one example after the other": (
        SIGMOID_SQUARES,
        """\
def batch_gradients(X, Y, W1, b1, W2, b2):
    dW1, db1 = np.zeros_like(W1), np.zeros_like(b1)
    dW2, db2 = np.zeros_like(W2), np.zeros_like(b2)
    m = len(X)
    for x, y in zip(X, Y):
        a1 = sigmoid(W1 @ x + b1)
        a2 = sigmoid(W2 @ a1 + b2)
        d2 = (a2 - y) * a2 * (1 - a2)
        d1 = (W2.T @ d2) * a1 * (1 - a1)
        dW2 += np.outer(d2, a1)
        db2 += d2
        dW1 += np.outer(d1, x)
        db1 += d1
    return dW1 / m, db1 / m, dW2 / m, db2 / m
""",
    ),
    "columns, with a loop over numbered keys": (
        RELU_TWICE_BINARY,
        """\
def full_backward(params, memory, Y_hat, Y):
    grads = {}
    m = Y.shape[1]
    dA_prev = -(np.divide(Y, Y_hat) - np.divide(1 - Y, 1 - Y_hat))
    for idx in (3, 2, 1):
        A_prev = memory["A" + str(idx - 1)]
        Z = memory["Z" + str(idx)]
        W = params["W" + str(idx)]
        dA = dA_prev
        if idx == 3:
            s = 1 / (1 + np.exp(-Z))
            dZ = dA * s * (1 - s)
        else:
            dZ = np.array(dA, copy=True)
            dZ[Z <= 0] = 0
        grads["dW" + str(idx)] = np.dot(dZ, A_prev.T) / m
        grads["db" + str(idx)] = np.sum(dZ, axis=1, keepdims=True) / m
        dA_prev = np.dot(W.T, dZ)
    return grads
""",
    ),
    "weight decay in the step": (
        TANH_LINEAR,
        """\
def sgd_step(X, Y, params, lr, weight_decay):
    n = X.shape[0]
    h = np.tanh(X @ params["W1"] + params["b1"])
    err = h @ params["W2"] + params["b2"] - Y
    grads = {"W2": h.T @ err / n, "b2": err.mean(axis=0)}
    dh = err @ params["W2"].T * (1 - h**2)
    grads["W1"] = X.T @ dh / n
    grads["b1"] = dh.mean(axis=0)
    grads["W1"] += weight_decay * params["W1"]
    grads["W2"] += weight_decay * params["W2"]
    params = {k: v - lr * grads[k] for k, v in params.items()}
    return params
""",
    ),
    "an rnn, states in one array": (
        "RNNCell",
        """\
def forward_backward(inputs, targets, h0, Wx, Wh, b, Wy, by):
    N, T, D = inputs.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H))
    prev = h0
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dWy, dby = np.zeros_like(Wy), np.zeros_like(by)
    probs = []
    for t in range(T):
        prev = np.tanh(inputs[:, t, :] @ Wx + prev @ Wh + b)
        h[:, t, :] = prev
        scores = prev @ Wy + by
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs.append(e / e.sum(axis=1, keepdims=True))
    dnext = np.zeros_like(h0)
    for t in reversed(range(T)):
        dscores = probs[t] - targets[:, t, :]
        dWy += h[:, t, :].T @ dscores
        dby += dscores.sum(axis=0)
        dh = dscores @ Wy.T + dnext
        dz = dh * (1 - h[:, t, :] ** 2)
        before = h[:, t - 1, :] if t > 0 else h0
        dWx += inputs[:, t, :].T @ dz
        dWh += before.T @ dz
        db += dz.sum(axis=0)
        dnext = dz @ Wh.T
    return dWx, dWh, db, dWy, dby
""",
    ),
    "a class of a character model": (
        "RNNCell",
        """\
class CharRNN:
    def __init__(self, vocab_size, hidden_size):
        self.Wxh = np.random.randn(hidden_size, vocab_size) * 0.01
        self.Whh = np.random.randn(hidden_size, hidden_size) * 0.01
        self.Why = np.random.randn(vocab_size, hidden_size) * 0.01
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((vocab_size, 1))

    def forward(self, inputs, hprev):
        self.xs, self.hs, self.ps = {}, {}, {}
        self.hs[-1] = np.copy(hprev)
        for t in range(len(inputs)):
            self.xs[t] = np.zeros((vocab_size, 1))
            self.xs[t][inputs[t]] = 1
            self.hs[t] = np.tanh(self.Wxh @ self.xs[t] + self.Whh @ self.hs[t - 1] + self.bh)
            y = self.Why @ self.hs[t] + self.by
            self.ps[t] = np.exp(y) / np.sum(np.exp(y))

    def backward(self, inputs, targets):
        dWxh, dWhh, dWhy = [np.zeros_like(w) for w in (self.Wxh, self.Whh, self.Why)]
        dbh, dby = np.zeros_like(self.bh), np.zeros_like(self.by)
        dhnext = np.zeros_like(self.hs[0])
        for t in reversed(range(len(inputs))):
            dy = np.copy(self.ps[t])
            dy[targets[t]] -= 1
            dWhy += dy @ self.hs[t].T
            dby += dy
            dh = self.Why.T @ dy + dhnext
            draw = (1 - self.hs[t] ** 2) * dh
            dbh += draw
            dWxh += draw @ self.xs[t].T
            dWhh += draw @ self.hs[t - 1].T
            dhnext = self.Whh.T @ draw
        return dWxh, dWhh, dWhy, dbh, dby
""",
    ),
    "an lstm step with a joined input": (
        "LSTMCell",
        """\
def step_backward(da_next, dc_next, a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, params):
    n_a = a_next.shape[0]
    tanh_c = np.tanh(c_next)
    dc = dc_next + da_next * ot * (1 - tanh_c**2)
    dot = da_next * tanh_c * ot * (1 - ot)
    dcct = dc * it * (1 - cct**2)
    dit = dc * cct * it * (1 - it)
    dft = dc * c_prev * ft * (1 - ft)
    concat = np.concatenate((a_prev, xt), axis=0)
    dWf, dWi = dft @ concat.T, dit @ concat.T
    dWc, dWo = dcct @ concat.T, dot @ concat.T
    dbf = dft.sum(axis=1, keepdims=True)
    dbi = dit.sum(axis=1, keepdims=True)
    dbc = dcct.sum(axis=1, keepdims=True)
    dbo = dot.sum(axis=1, keepdims=True)
    dc_prev = dc * ft
    return dc_prev, dWf, dWi, dWc, dWo, dbf, dbi, dbc, dbo
""",
    ),
    "a gru step in rows": (
        "GRUCell",
        """\
def gru_backward(dh, cache):
    x, h_prev, r, z, n, Wr, Wz, Wn, Ur, Uz, Un = cache
    dn = dh * (1 - z)
    dz = dh * (h_prev - n)
    dn_raw = dn * (1 - n**2)
    hn = h_prev @ Un
    dr_raw = dn_raw * hn * r * (1 - r)
    dz_raw = dz * z * (1 - z)
    dx = dr_raw @ Wr.T + dz_raw @ Wz.T + dn_raw @ Wn.T
    dh_prev = dh * z + dr_raw @ Ur.T + dz_raw @ Uz.T + (dn_raw * r) @ Un.T
    dWr, dWz, dWn = x.T @ dr_raw, x.T @ dz_raw, x.T @ dn_raw
    dUr, dUz, dUn = h_prev.T @ dr_raw, h_prev.T @ dz_raw, h_prev.T @ (dn_raw * r)
    return dx, dh_prev, dWr, dWz, dWn, dUr, dUz, dUn
""",
    ),
    "training that unpacks what backward returns": (
        TANH_CLASSES,
        """\
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(X, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    return A1, softmax(A1 @ W2 + b2)


def backward(X, Y, A1, A2, W2):
    dZ2 = (A2 - Y) / len(X)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    return X.T @ dZ1, dZ1.sum(axis=0), A1.T @ dZ2, dZ2.sum(axis=0)


def fit(X, Y, W1, b1, W2, b2, lr=0.1, epochs=100):
    for _ in range(epochs):
        A1, A2 = forward(X, W1, b1, W2, b2)
        dW1, db1, dW2, db2 = backward(X, Y, A1, A2, W2)
        W1, b1 = W1 - lr * dW1, b1 - lr * db1
        W2, b2 = W2 - lr * dW2, b2 - lr * db2
    return W1, b1, W2, b2
""",
    ),
}

WRONG = {  # name -> (network or cell, text, the line that is wrong)
    "einsum with the axes of W exchanged": (
        RELU_CLASSES,
        """\
def grads(X, Y, W1, b1, W2, b2):
    Z = np.einsum("ni,hi->nh", X, W1) + b1
    H = np.maximum(Z, 0)
    S = np.einsum("nh,oh->no", H, W2) + b2
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    dS = (P - Y) / Y.shape[0]
    dW2 = np.einsum("no,nh->oh", dS, H)
    db2 = dS.sum(axis=0)
    dH = np.einsum("no,oh->nh", dS, W2)
    dZ = dH * (H > 0)
    dW1 = np.einsum("nh,ni->hi", dH, X)
    db1 = dZ.sum(axis=0)
    return dW1, db1, dW2, db2
""",
        11,
    ),
    "a mean where a sum belongs": (
        TANH_LINEAR,
        """\
def compute_gradients(batch_x, batch_y, model):
    W1, b1, W2, b2 = model["W1"], model["b1"], model["W2"], model["b2"]
    n = batch_x.shape[0]
    hidden = np.tanh(batch_x.dot(W1) + b1)
    prediction = hidden.dot(W2) + b2
    error = (prediction - batch_y) / n
    dW2 = hidden.T.dot(error)
    db2 = error.mean(axis=0)
    dhidden = error.dot(W2.T) * (1 - hidden**2)
    dW1 = batch_x.T.dot(dhidden)
    db1 = dhidden.sum(axis=0)
    return dict(W1=dW1, b1=db1, W2=dW2, b2=db2)
""",
        8,
    ),
    "the slope at the activation twice": (
        SIGMOID_THREE,
        """\
def sig(z):
    return 1.0 / (1.0 + np.exp(-z))


def dsig(a):
    return a * (1.0 - a)


def backprop(X, Y, W1, b1, W2, b2, W3, b3):
    a1 = sig(X @ W1 + b1)
    a2 = sig(a1 @ W2 + b2)
    a3 = sig(a2 @ W3 + b3)
    delta3 = (a3 - Y) * dsig(a3) / len(X)
    delta2 = delta3 @ W3.T * dsig(sig(a2))
    delta1 = delta2 @ W2.T * dsig(a1)
    return [X.T @ delta1, a1.T @ delta2, a2.T @ delta3]
""",
        14,
    ),
    "a step uphill for one key": (
        TANH_BINARY,
        """\
def train_step(X, Y, params, lr):
    m = X.shape[1]
    A1 = np.tanh(params["W1"] @ X + params["b1"])
    A2 = 1 / (1 + np.exp(-(params["W2"] @ A1 + params["b2"])))
    dZ2 = A2 - Y
    dZ1 = params["W2"].T @ dZ2 * (1 - A1**2)
    grads = {
        "W1": dZ1 @ X.T / m,
        "b1": dZ1.sum(axis=1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m,
        "b2": dZ2.sum(axis=1, keepdims=True) / m,
    }
    for name, value in params.items():
        params[name] = value + lr * grads[name]
    return params
""",
        14,
    ),
    "the weights of the layer before": (
        RELU_TWICE_BINARY,
        """\
class Net:
    def backward(self, X, y):
        m = X.shape[0]
        d3 = (self.a3 - y) / m
        self.dW3 = self.a2.T @ d3
        self.db3 = d3.sum(axis=0)
        d2 = (d3 @ self.W3.T) * (self.z2 > 0)
        self.dW2 = self.a1.T @ d2
        self.db2 = d2.sum(axis=0)
        d1 = (d2 @ self.W2.T) * (self.a1 < 0)
        self.dW1 = X.T @ d1
        self.db1 = d1.sum(axis=0)
""",
        10,
    ),
    "the state after for the state before": (
        "RNNCell",
        """\
def bptt(xs, hs, ps, targets, Wxh, Whh, Why):
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros((hidden_size, 1)), np.zeros((output_size, 1))
    carry = np.zeros((hidden_size, 1))
    for t in range(len(xs) - 1, -1, -1):
        do = ps[t] - targets[t]
        dWhy += do @ hs[t].T
        dby += do
        dh = Why.T @ do + carry
        dz = dh * (1 - hs[t - 1] ** 2)
        dWxh += dz @ xs[t].T
        dWhh += dz @ hs[t - 1].T
        dbh += dz
        carry = Whh.T @ dz
    return dWxh, dWhh, dWhy, dbh, dby
""",
        10,
    ),
    "the carried derivative left out": (
        "RNNCell",
        """\
def backward(self, dh):
    x, h0, h = self.x, self.h0, self.h
    N, T, H = h.shape
    dWx, dWh, db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
    dprev = np.zeros((N, H))
    for t in range(T)[::-1]:
        prev_h = h[:, t - 1, :] if t > 0 else h0
        dz = dh[:, t, :] * (1 - h[:, t, :] ** 2)
        dWx += x[:, t, :].T @ dz
        dWh += prev_h.T @ dz
        db += dz.sum(axis=0)
        dprev = dz @ self.Wh.T
    return dWx, dWh, db
""",
        8,
    ),
    "the forget gate for the input gate": (
        "LSTMCell",
        """\
def lstm_cell_back(dh_next, dc_next, x, h_prev, c_prev, i, f, g, o, c_next, Wx, Wh):
    t = np.tanh(c_next)
    dc = dc_next + dh_next * o * (1 - t * t)
    di = dc * g
    df = dc * c_prev
    dg = dc * f
    do = dh_next * t
    dz = np.concatenate(
        [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g * g)], axis=1
    )
    dWx = x.T @ dz
    dWh = h_prev.T @ dz
    db = dz.sum(axis=0)
    dx = dz @ Wx.T
    dh_prev = dz @ Wh.T
    dc_prev = dc * f
    return dx, dh_prev, dc_prev, dWx, dWh, db
""",
        6,
    ),
    "the reset gate left out of U": (
        "GRUCell",
        """\
def gru_cell_grad(dh_next, x, h_prev, z, r, h_tilde, Wz, Wr, Wh, Uz, Ur, Uh):
    dh_tilde = dh_next * z * (1 - h_tilde**2)
    drh = Uh.T @ dh_tilde
    dz_in = dh_next * (h_tilde - h_prev) * z * (1 - z)
    dr_in = drh * h_prev * r * (1 - r)
    dWz, dUz = dz_in @ x.T, dz_in @ h_prev.T
    dWr, dUr = dr_in @ x.T, dr_in @ h_prev.T
    dWh = dh_tilde @ x.T
    dUh = dh_tilde @ h_prev.T
    dx = Wz.T @ dz_in + Wr.T @ dr_in + Wh.T @ dh_tilde
    dh_prev = dh_next * (1 - z) + drh * r + Uz.T @ dz_in + Ur.T @ dr_in
    return dx, dh_prev, dWz, dUz, dWr, dUr, dWh, dUh
""",
        9,
    ),
    "gradients unpacked in another order": (
        SIGMOID_SQUARES,
        """\
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def backward(X, Y, W1, b1, W2, b2):
    a1 = sigmoid(X @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    d2 = (a2 - Y) * a2 * (1 - a2) / len(X)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    dW2, db2 = a1.T @ d2, d2.sum(axis=0)
    dW1, db1 = X.T @ d1, d1.sum(axis=0)
    return dW2, db2, dW1, db1


def train(X, Y, W1, b1, W2, b2, lr):
    for _ in range(500):
        dW1, db1, dW2, db2 = backward(X, Y, W1, b1, W2, b2)
        W1 -= lr * dW1
        b1 -= lr * db1
        W2 -= lr * dW2
        b2 -= lr * db2
    return W1, b1, W2, b2
""",
        17,
    ),
}
