"""Backward functions in the styles of public courses: examples in rows, one op alone.

Written before they were first read; each with one mistake, of many kinds.
"""

from backward_functions import RELU_CLASSES, SIGMOID_SQUARES, TANH_BINARY, TANH_CLASSES, Style

SOFTMAX = ([3, 2], ["softmax"], "cross_entropy")
RELU_SQUARES = ([3, 7, 2], ["relu", "identity"], "squared_error")
TANH_TWICE = ([3, 7, 11, 2], ["tanh", "tanh", "identity"], "half_squared_error")
RELU_TWICE_CLASSES = ([3, 7, 11, 2], ["relu", "relu", "softmax"], "cross_entropy")

STYLES = {
    "the loss of a two-layer net": Style(
        RELU_CLASSES,
        """\
def loss(self, X, y=None, reg=0.0):
    W1, b1 = self.params['W1'], self.params['b1']
    W2, b2 = self.params['W2'], self.params['b2']
    N, D = X.shape
    z1 = X.dot(W1) + b1
    a1 = np.maximum(0, z1)
    scores = a1.dot(W2) + b2
    if y is None:
        return scores
    shift_scores = scores - np.max(scores, axis=1).reshape(-1, 1)
    softmax_output = np.exp(shift_scores) / np.sum(np.exp(shift_scores), axis=1).reshape(-1, 1)
    loss = -np.sum(np.log(softmax_output[range(N), list(y)]))
    loss /= N
    loss += 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    grads = {}
    dscores = softmax_output.copy()
    dscores[range(N), list(y)] -= 1
    dscores /= N
    grads['W2'] = a1.T.dot(dscores) + reg * W2
    grads['b2'] = np.sum(dscores, axis=0)
    dh = dscores.dot(W2.T)
    dh_ReLu = (a1 > 0) * dh
    grads['W1'] = X.T.dot(dh_ReLu) + reg * W1
    grads['b1'] = np.sum(dh_ReLu, axis=0)
    return loss, grads
""",
        [("dscores[range(N), list(y)] -= 1", "dscores[range(N), list(y)] += 1")],
    ),
    "a linear classifier at once": Style(
        SOFTMAX,
        """\
def softmax_loss_vectorized(W, X, y, reg):
    num_train = X.shape[0]
    scores = X.dot(W) + b
    scores -= np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    loss = np.sum(-np.log(probs[np.arange(num_train), y])) / num_train
    probs[np.arange(num_train), y] -= 1
    dW = X.T.dot(probs)
    dW /= num_train
    dW += reg * W
    return loss, dW
""",
        [("dW += reg * W", "dW -= reg * W")],
    ),
    "a linear classifier in loops": Style(
        SOFTMAX,
        """\
def softmax_loss_naive(W, X, y, reg):
    dW = np.zeros_like(W)
    num_train = X.shape[0]
    num_classes = W.shape[1]
    for i in range(num_train):
        scores = X[i].dot(W) + b
        scores -= np.max(scores)
        p = np.exp(scores) / np.sum(np.exp(scores))
        for j in range(num_classes):
            dW[:, j] += p[j] * X[i]
        dW[:, y[i]] -= X[i]
    dW /= num_train
    dW += reg * W
    return dW
""",
        [("dW[:, j] += p[j] * X[i]", "dW[:, j] += scores[j] * X[i]")],
    ),
    "a spiral learnt in a loop": Style(
        RELU_CLASSES,
        """\
step_size = 1e-0
reg = 1e-3
num_examples = X.shape[0]
for i in range(10000):
    hidden_layer = np.maximum(0, np.dot(X, W) + b)
    scores = np.dot(hidden_layer, W2) + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    dscores = probs
    dscores[range(num_examples), y] -= 1
    dscores /= num_examples
    dW2 = np.dot(hidden_layer.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden_layer <= 0] = 0
    dW = np.dot(X.T, dhidden)
    db = np.sum(dhidden, axis=0, keepdims=True)
    dW2 += reg * W2
    dW += reg * W
    W += -step_size * dW
    b += -step_size * db
    W2 += -step_size * dW2
    b2 += -step_size * db2
""",
        [("dhidden = np.dot(dscores, W2.T)", "dhidden = np.dot(dscores, W2.T) / num_examples")],
    ),
    "a net of any depth by functions of layers": Style(
        RELU_TWICE_CLASSES,
        """\
def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dx = dout.copy()
    dx[cache < 0] = 0
    return dx


def softmax_loss(x, y):
    probs = np.exp(x - np.max(x, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    N = x.shape[0]
    loss = -np.sum(np.log(probs[np.arange(N), y])) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


class FullyConnectedNet:
    def loss(self, X, y):
        caches, relu_caches = {}, {}
        h = X
        for i in range(1, self.num_layers):
            h, caches[i] = affine_forward(h, self.params["W%d" % i], self.params["b%d" % i])
            h, relu_caches[i] = relu_forward(h)
        L = self.num_layers
        scores, caches[L] = affine_forward(h, self.params["W%d" % L], self.params["b%d" % L])
        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads["W%d" % L], grads["b%d" % L] = affine_backward(dout, caches[L])
        for i in range(L - 1, 0, -1):
            dout = relu_backward(dout, relu_caches[i])
            dout, grads["W%d" % i], grads["b%d" % i] = affine_backward(dout, caches[i])
        return loss, grads
""",
        [("dx[cache < 0] = 0", "dx[cache > 0] = 0")],
    ),
    "batch norm by its stages": Style(
        "BatchNorm",
        """\
def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1. / (sqrtvar ** 2) * divar
    dvar = 0.5 * 1. / np.sqrt(var + eps) * dsqrtvar
    dsq = 1. / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = (dxmu1 + dxmu2)
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1. / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta
""",
        [("dsqrtvar = -1. / (sqrtvar ** 2) * divar", "dsqrtvar = 1. / (sqrtvar ** 2) * divar")],
    ),
    "layer norm by means": Style(
        "LayerNorm",
        """\
def layernorm_backward(dout, cache):
    xhat, gamma, std = cache
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dx = (dxhat - np.mean(dxhat, axis=1, keepdims=True)
          - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True)) / std
    return dx, dgamma, dbeta
""",
        [("dxhat = dout * gamma", "dxhat = dout * xhat")],
    ),
    "batch norm as a class": Style(
        "BatchNorm",
        """\
class BatchNorm:
    def forward(self, x):
        self.mean = np.mean(x, axis=0)
        self.var = np.var(x, axis=0)
        self.x_centered = x - self.mean
        self.stddev_inv = 1 / np.sqrt(self.var + self.eps)
        self.x_norm = self.x_centered * self.stddev_inv
        return self.gamma * self.x_norm + self.beta

    def backward(self, dout):
        m = dout.shape[0]
        self.dgamma = np.sum(dout * self.x_norm, axis=0)
        self.dbeta = np.sum(dout, axis=0)
        dx_norm = dout * self.gamma
        dx = (1.0 / m) * self.stddev_inv * (
            m * dx_norm - np.sum(dx_norm, axis=0)
            - self.x_norm * np.sum(dx_norm * self.x_norm, axis=0)
        )
        return dx
""",
        [
            (
                "self.dgamma = np.sum(dout * self.x_norm, axis=0)",
                "self.dgamma = np.sum(dout * self.x_centered, axis=0)",
            )
        ],
    ),
    "two synapses": Style(
        SIGMOID_SQUARES,
        """\
def nonlin(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


for j in range(60000):
    l0 = X
    l1 = nonlin(np.dot(l0, syn0) + b1)
    l2 = nonlin(np.dot(l1, syn1) + b2)
    l2_error = l2 - y
    l2_delta = l2_error * nonlin(l2, deriv=True)
    l1_error = l2_delta.dot(syn1.T)
    l1_delta = l1_error * nonlin(l1, deriv=True)
    syn1 -= l1.T.dot(l2_delta)
    syn0 -= l0.T.dot(l1_delta)
""",
        [("l1_error = l2_delta.dot(syn1.T)", "l1_error = l2_error.dot(syn1.T)")],
    ),
    "two matrices without a bias": Style(
        RELU_SQUARES,
        """\
for t in range(500):
    h = x.dot(w1)
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(w2)
    loss = np.square(y_pred - y).sum()
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h_relu.T.dot(grad_y_pred)
    grad_h_relu = grad_y_pred.dot(w2.T)
    grad_h = grad_h_relu.copy()
    grad_h[h < 0] = 0
    grad_w1 = x.T.dot(grad_h)
    w1 -= learning_rate * grad_w1
    w2 -= learning_rate * grad_w2
""",
        [("grad_w1 = x.T.dot(grad_h)", "grad_w1 = x.T.dot(grad_h_relu)")],
    ),
    "a class with a cache": Style(
        TANH_TWICE,
        """\
class NeuralNet:
    def forward(self, X):
        self.cache = {"A0": X}
        self.cache["Z1"] = X @ self.params["W1"] + self.params["b1"]
        self.cache["A1"] = np.tanh(self.cache["Z1"])
        self.cache["Z2"] = self.cache["A1"] @ self.params["W2"] + self.params["b2"]
        self.cache["A2"] = np.tanh(self.cache["Z2"])
        self.cache["Z3"] = self.cache["A2"] @ self.params["W3"] + self.params["b3"]
        return self.cache["Z3"]

    def backward(self, X, y):
        m = X.shape[0]
        out = self.forward(X)
        dZ3 = (out - y) / m
        self.grads["W3"] = self.cache["A2"].T @ dZ3
        self.grads["b3"] = np.sum(dZ3, axis=0)
        dZ2 = (dZ3 @ self.params["W3"].T) * (1 - self.cache["A2"] ** 2)
        self.grads["W2"] = self.cache["A1"].T @ dZ2
        self.grads["b2"] = np.sum(dZ2, axis=0)
        dZ1 = (dZ2 @ self.params["W2"].T) * (1 - self.cache["A1"] ** 2)
        self.grads["W1"] = X.T @ dZ1
        self.grads["b1"] = np.sum(dZ1, axis=0)
""",
        [
            (
                'self.grads["W2"] = self.cache["A1"].T @ dZ2',
                'self.grads["W2"] = self.cache["A2"].T @ dZ2',
            )
        ],
    ),
    "a model built in a function": Style(
        TANH_CLASSES,
        """\
def build_model(X, y, nn_hdim, num_passes=20000, reg_lambda=0.01, epsilon=0.01):
    num_examples = len(X)
    for i in range(0, num_passes):
        z1 = X.dot(W1) + b1
        a1 = np.tanh(z1)
        z2 = a1.dot(W2) + b2
        exp_scores = np.exp(z2)
        probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
        delta3 = probs
        delta3[range(num_examples), y] -= 1
        delta3 /= num_examples
        dW2 = (a1.T).dot(delta3)
        db2 = np.sum(delta3, axis=0, keepdims=True)
        delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))
        dW1 = np.dot(X.T, delta2)
        db1 = np.sum(delta2, axis=0)
        dW2 += reg_lambda * W2
        dW1 += reg_lambda * W1
        W1 += -epsilon * dW1
        b1 += -epsilon * db1
        W2 += -epsilon * dW2
        b2 += -epsilon * db2
    return W1, b1, W2, b2
""",
        [
            (
                "delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))",
                "delta2 = delta3.dot(W2.T) * (1 - np.power(z1, 2))",
            )
        ],
    ),
    "einsum for every product": Style(
        TANH_BINARY,
        """\
def grad(params, x, t):
    w1, b1, w2, b2 = params
    h = np.tanh(np.einsum("ni,ij->nj", x, w1) + b1)
    p = 1 / (1 + np.exp(-(np.einsum("nj,jk->nk", h, w2) + b2)))
    g2 = (p - t) / x.shape[0]
    dw2 = np.einsum("nj,nk->jk", h, g2)
    db2 = np.einsum("nk->k", g2)
    dh = np.einsum("nk,jk->nj", g2, w2)
    g1 = dh * (1 - h ** 2)
    dw1 = np.einsum("ni,nj->ij", x, g1)
    db1 = np.einsum("nj->j", g1)
    return dw1, db1, dw2, db2
""",
        [("g1 = dh * (1 - h ** 2)", "g1 = dh * (1 - h)")],
    ),
    "moments of an optimiser": Style(
        RELU_CLASSES,
        """\
def fit_batch(self, X, Y, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    Z1 = X @ self.W1 + self.b1
    A1 = np.maximum(0, Z1)
    Z2 = A1 @ self.W2 + self.b2
    E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    A2 = E / E.sum(axis=1, keepdims=True)
    m = X.shape[0]
    dZ2 = (A2 - Y) / m
    grads = {"W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}
    dA1 = dZ2 @ self.W2.T
    dZ1 = dA1 * (Z1 > 0)
    grads["W1"] = X.T @ dZ1
    grads["b1"] = dZ1.sum(axis=0)
    for key in grads:
        self.m[key] = beta1 * self.m[key] + (1 - beta1) * grads[key]
        self.v[key] = beta2 * self.v[key] + (1 - beta2) * grads[key] ** 2
        m_hat = self.m[key] / (1 - beta1 ** t)
        v_hat = self.v[key] / (1 - beta2 ** t)
        self.params[key] -= lr * m_hat / (np.sqrt(v_hat) + eps)
""",
        [('grads["b1"] = dZ1.sum(axis=0)', 'grads["b1"] = dZ1.mean(axis=0)')],
    ),
    "cut from theta for an optimiser": Style(
        TANH_BINARY,
        """\
def cost(theta, X, y, n_in, n_hidden):
    split = n_in * n_hidden
    W1 = theta[:split].reshape(n_in, n_hidden)
    b1 = theta[split:split + n_hidden]
    W2 = theta[split + n_hidden:split + 2 * n_hidden].reshape(n_hidden, 1)
    b2 = theta[-1]
    m = X.shape[0]
    a1 = np.tanh(X @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    J = -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))
    d2 = (a2 - y) / m
    dW2 = a1.T @ d2
    db2 = np.sum(d2, axis=0)
    d1 = (d2 @ W2.T) * (1 - a1 ** 2)
    dW1 = X.T @ d1
    db1 = np.sum(d1, axis=0)
    return J, np.concatenate([dW1.ravel(), db1, dW2.ravel(), db2])
""",
        [("dW1 = X.T @ d1", "dW1 = X.T @ (d1 * a1)")],
    ),
    "one step of a recurrent cell": Style(
        "RNNCell",
        """\
def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h ** 2)
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = np.sum(da, axis=0)
    return dx, dprev_h, dWx, dWh, db
""",
        [("dWh = prev_h.T.dot(da)", "dWh = next_h.T.dot(da)")],
    ),
}
